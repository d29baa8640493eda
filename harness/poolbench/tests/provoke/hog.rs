//! Processes that take the CPUs: this very test binary once more, which runs [`hog`] and is killed when its guard is dropped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};

/// Tells the process what it is to be.
const ROLE: &str = "POOLBENCH_TEST_HOG";
/// What it says when it has begun, followed by its scheduling class.
const READY: &str = "hog ready ";
/// It ends by itself after so long, whatever happens to its guard.
const LIFE: Duration = Duration::from_secs(20);
/// A real-time hog takes all CPUs for the first part of each period, and leaves the rest to others.
const PERIOD_MS: u128 = 100;
const TAKEN_MS: u128 = 40;
/// Above the pacer's priority of 1.
const PRIORITY: i32 = 20;
/// Ordinary threads for each CPU where real-time ones are not allowed: a pacer without priority must wait for many of them.
const CROWD: usize = 24;

/// A hog that runs until this is dropped.
pub(crate) struct Hog {
    child: Child,
    /// Whether it has real-time priority.
    pub(crate) is_fifo: bool,
}

impl Hog {
    /// Takes all CPUs for 40 of every 100 ms at real-time priority, or where that is not allowed as a crowd of ordinary threads.
    pub(crate) fn of_the_pacer() -> Hog {
        Hog::start("pacer")
    }

    /// Two ordinary busy threads for each CPU.
    pub(crate) fn of_the_host() -> Hog {
        Hog::start("host")
    }

    fn start(role: &str) -> Hog {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "hog::hog", "--ignored", "--nocapture", "--test-threads=1"]).env(ROLE, role);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let class = lines.map_while(Result::ok).find_map(|line| Some(line.split_once(READY)?.1.to_owned()));
        let hog = Hog { child, is_fifo: class.as_deref() == Some("fifo") };
        assert!(class.is_some(), "the hog did not begin");
        hog
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(unsafe_code, reason = "no safe wrapper of sched_setscheduler in rustix")]
fn become_fifo() -> bool {
    let param = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: the pointer is to a live, fully initialised value; pid 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const param) == 0 }
}

/// Spins through the first part of each period since `origin`, the same on all CPUs since a pacer would go where there is no hog, and sleeps through
/// the rest.
fn spin_in_turns(origin: Instant, until: Instant) {
    while Instant::now() < until {
        let phase = origin.elapsed().as_millis() % PERIOD_MS;
        if phase >= TAKEN_MS {
            std::thread::sleep(Duration::from_millis((PERIOD_MS - phase) as u64));
        }
    }
}

fn spin(_: Instant, until: Instant) {
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// The hog's own process, no test: it does nothing unless a guard has started it.
#[test]
#[ignore = "a process that tests start, not a test"]
fn hog() {
    let Ok(role) = std::env::var(ROLE) else { return };
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let cpus = std::thread::available_parallelism().unwrap().get();
    let origin = Instant::now();
    let until = origin + LIFE;
    // Asked on a thread of its own, so that this one stays ordinary.
    let fifo = role == "pacer" && std::thread::spawn(become_fifo).join().unwrap();
    let (count, work): (usize, fn(Instant, Instant)) = match (role.as_str(), fifo) {
        ("pacer", true) => (cpus, spin_in_turns),
        ("pacer", false) => (CROWD * cpus, spin),
        _ => (2 * cpus, spin),
    };
    let begun = Arc::new(Barrier::new(count + 1));
    let all = Arc::clone(&begun);
    let run = move || {
        if fifo {
            assert!(become_fifo());
        }
        begun.wait();
        work(origin, until);
    };
    let hogs: Vec<_> = (0..count).map(|_| std::thread::spawn(run.clone())).collect();
    all.wait();
    let line = format!("{READY}{}\n", if fifo { "fifo" } else { "other" });
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    hogs.into_iter().for_each(|hog| hog.join().unwrap());
}
