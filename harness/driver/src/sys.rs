//! The few system calls that rustix lacks: real-time class, CPU clocks of other threads and processes.

use pool::clock::Nanos;

/// Priority within SCHED_FIFO: the lowest, which already goes before every ordinary task.
const FIFO_PRIORITY: i32 = 1;

/// Asks for SCHED_FIFO for the calling thread; `false` where it is not allowed.
#[expect(unsafe_code, reason = "no safe wrapper of sched_setscheduler in rustix")]
pub(crate) fn become_fifo() -> bool {
    let param = libc::sched_param { sched_priority: FIFO_PRIORITY };
    // SAFETY: the pointer is to a live, fully initialised value; pid 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const param) == 0 }
}

/// CPU time of the calling thread, ns.
pub(crate) fn thread_cpu_ns() -> Nanos {
    to_ns(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime))
}

/// CPU time of this process, all threads, ns.
pub(crate) fn process_cpu_ns() -> Nanos {
    to_ns(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime))
}

fn to_ns(t: rustix::time::Timespec) -> Nanos {
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// CPU time of another process, ns; 0 once it is gone.
#[expect(unsafe_code, reason = "no safe wrapper of clock_getcpuclockid in rustix")]
pub(crate) fn cpu_ns_of(pid: u32) -> Nanos {
    let Ok(pid) = i32::try_from(pid) else { return 0 };
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both pointers are to live values that the calls only write.
    let read = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0 };
    if read { time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64 } else { 0 }
}

/// Binds this process, and whatever it starts from now on, to the first `cpus` of the CPUs it may use.
///
/// # Errors
/// When the system refuses.
pub(crate) fn use_cpus(cpus: usize) -> std::io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let mut chosen = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).take(cpus).for_each(|cpu| chosen.set(cpu));
    Ok(sched_setaffinity(None, &chosen)?)
}

/// Keeps the calling thread off the first CPU that it may use, and gives that one for another thread; `None` where there is no second or the system
/// refuses.
pub(crate) fn cpus_apart() -> Option<rustix::thread::CpuSet> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let mut rest = sched_getaffinity(None).ok().filter(|allowed| allowed.count() > 1)?;
    let first = (0..CpuSet::MAX_CPU).find(|cpu| rest.is_set(*cpu))?;
    let mut one = CpuSet::new();
    one.set(first);
    rest.unset(first);
    sched_setaffinity(None, &rest).ok()?;
    Some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_bound_to_one_cpu_sees_one() {
        let seen = std::thread::spawn(|| {
            use_cpus(1).unwrap();
            std::thread::available_parallelism().unwrap().get()
        });
        assert_eq!(seen.join().unwrap(), 1);
    }

    #[test]
    fn cpu_clocks_agree_and_a_missing_process_reads_zero() {
        let before = process_cpu_ns();
        let own = cpu_ns_of(std::process::id());
        assert!(own >= before && own <= process_cpu_ns());
        assert!(thread_cpu_ns() <= process_cpu_ns());
        assert_eq!(cpu_ns_of(u32::MAX), 0);
        assert_eq!(cpu_ns_of(4_000_000), 0);
    }
}
