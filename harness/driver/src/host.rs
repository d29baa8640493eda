//! The host: what it is, and what it did to us while the window ran.

mod cgroup;

use model::record::{HostDuring, Others};
use pool::clock::Nanos;

/// Counters of the kernel at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// CPU time stolen by the hypervisor, ticks.
    steal: u64,
    /// CPU time that anyone used, ticks.
    busy: u64,
    /// All CPU time, ticks.
    all: u64,
    /// Time some task waited for a CPU, microseconds.
    pressure_us: u64,
    /// Time throttled by a cgroup quota, microseconds.
    throttled_us: u64,
}

fn read(path: &str) -> String {
    // A file that is not there leaves its figure at 0: the kernel does not count it.
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> u64 {
    text.split([' ', '\n', '=']).skip_while(|w| *w != name).nth(1).and_then(|v| v.parse().ok()).unwrap_or(0)
}

impl Counters {
    /// Reads them now.
    pub fn read() -> Self {
        Self::parse(&read("/proc/stat"), &read("/proc/pressure/cpu"), cgroup::throttled_us())
    }

    fn parse(stat: &str, pressure: &str, throttled_us: u64) -> Self {
        let ticks: Vec<u64> = stat.lines().next().unwrap_or("").split_whitespace().skip(1).filter_map(|w| w.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; guest time is within user.
        let tick = |at: usize| ticks.get(at).copied().unwrap_or(0);
        Self {
            steal: tick(7),
            busy: [0, 1, 2, 5, 6].into_iter().map(tick).sum(),
            all: ticks.iter().take(8).sum(),
            pressure_us: field(pressure, "total"),
            throttled_us,
        }
    }

    /// What happened since `self`, over `wall_ns`, in which the trial and its workers used `own_ns` of CPU time.
    pub fn since(&self, now: &Counters, wall_ns: Nanos, own_ns: Nanos) -> HostDuring {
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
        HostDuring {
            steal_share: share(now.steal.saturating_sub(self.steal), now.all.saturating_sub(self.all)),
            cpu_pressure: share(now.pressure_us.saturating_sub(self.pressure_us) * 1000, wall_ns),
            load_1m: read("/proc/loadavg").split_whitespace().next().and_then(|w| w.parse().ok()).unwrap_or(0.0),
            throttled_ns: now.throttled_us.saturating_sub(self.throttled_us) * 1000,
            others: self.others(now, own_ns),
        }
    }

    /// A tick counts whole for whoever runs when it comes, so a share has the error of a sample of that many; its worst case is taken.
    fn others(&self, now: &Counters, own_ns: Nanos) -> Option<Others> {
        let ticks = now.all.checked_sub(self.all).filter(|ticks| *ticks > 0)? as f64;
        let own = own_ns as f64 * rustix::param::clock_ticks_per_second() as f64 / 1e9;
        let busy = now.busy.saturating_sub(self.busy) as f64;
        Some(Others { share: ((busy - own) / ticks).clamp(0.0, 1.0), error: 3.0 * (0.25 / ticks).sqrt() })
    }
}

/// Time in which the calling thread could have run and had no CPU, ns since it began; 0 where the kernel does not say.
pub(crate) fn thread_run_queue_ns() -> Nanos {
    read("/proc/thread-self/schedstat").split_whitespace().nth(1).and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// CPU time of this process and of all its children that have ended and were waited for, ns; in the kernel's ticks.
pub fn used_ns() -> Nanos {
    let stat = read("/proc/self/stat");
    // pid (name) state ppid …: utime, stime, cutime and cstime are 12th to 15th behind the name, which may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(4);
    let ticks: u64 = fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks.saturating_mul(1_000_000_000) / rustix::param::clock_ticks_per_second().max(1)
}

/// Peak resident memory of this process, bytes.
pub(crate) fn memory_peak_bytes() -> u64 {
    let status = read("/proc/self/status");
    let kib = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Resident memory of this process now, bytes.
pub(crate) fn memory_resident_bytes() -> u64 {
    let pages: u64 = read("/proc/self/statm").split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Open descriptors of this process.
pub(crate) fn descriptors() -> u64 {
    // One of them is the listing's own, always.
    std::fs::read_dir("/proc/self/fd").map_or(0, |all| all.count().saturating_sub(1) as u64)
}

/// The CPU's model name.
pub fn cpu_model() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':').map(|(_, v)| v.trim().to_owned()));
    model.unwrap_or_else(|| format!("{} (no model name in /proc/cpuinfo)", std::env::consts::ARCH))
}

/// Memory of the host, bytes.
pub fn memory_bytes() -> u64 {
    field(&read("/proc/meminfo").replace(':', "").split_whitespace().collect::<Vec<_>>().join(" "), "MemTotal") * 1024
}

/// Type of the filesystem that holds `dir`, such as `ext4`.
pub fn filesystem(dir: &std::path::Path) -> String {
    let Ok(dir) = dir.canonicalize() else { return "unknown (the directory cannot be resolved)".to_owned() };
    let mounts = read("/proc/self/mounts");
    let of = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        dir.starts_with(point).then_some((point.len(), kind.to_owned()))
    });
    // A later mount over the same point hides the earlier one.
    of.max_by_key(|(length, _)| *length).map_or_else(|| "unknown (not in /proc/self/mounts)".to_owned(), |(_, kind)| kind)
}

/// Live child processes of this process, zombies included.
pub(crate) fn children() -> u64 {
    let own = std::process::id().to_string();
    let Ok(all) = std::fs::read_dir("/proc") else { return 0 };
    let stats = all.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // pid (name) state ppid …: the name may hold anything, so fields are counted behind its last parenthesis.
    stats.filter(|stat| stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(own.as_str())).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_differences() {
        let a = Counters::parse("cpu 100 0 100 700 0 0 0 100 0 0\n", "some avg10=0.00 total=1000\nfull avg10=0.00 total=1\n", 7);
        let b = Counters::parse("cpu 150 0 100 740 0 0 0 110 0 0\n", "some avg10=0.00 total=501000\n", 9);
        let during = a.since(&b, 1_000_000_000, 300_000_000);
        assert!((during.steal_share - 0.1).abs() < 1e-9 && (during.cpu_pressure - 0.5).abs() < 1e-9);
        assert_eq!(during.throttled_ns, 2000);
        let others = during.others.unwrap();
        let own_ticks = 0.3 * rustix::param::clock_ticks_per_second() as f64;
        assert!((others.share - (50.0 - own_ticks) / 100.0).abs() < 1e-9 && (others.error - 0.15).abs() < 1e-9, "{others:?}");
        assert_eq!(a.since(&a, 1, 0).others, None, "no tick, no share");
    }

    #[test]
    fn this_host_has_a_name_and_memory() {
        assert!(!cpu_model().is_empty());
        assert!(memory_bytes() > 1 << 20, "{}", memory_bytes());
        assert!(memory_peak_bytes() > 1 << 16);
        assert!(memory_resident_bytes() > 1 << 16 && memory_resident_bytes() <= memory_bytes());
        assert!(descriptors() >= 3);
        assert!(used_ns() < 1 << 60);
        assert!(!filesystem(std::path::Path::new("/")).starts_with("unknown"));
        let mut child = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        assert!(children() >= 1);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
