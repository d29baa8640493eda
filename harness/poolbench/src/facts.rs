//! What ran and on what.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use model::facts::Facts;
use model::plan::SCHEMA;

/// `release` or `debug`.
pub(crate) const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// Version and commit of this build.
pub(crate) fn build() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), env!("POOLBENCH_COMMIT"))
}

/// UTC as `2026-01-31T12:00:00Z`, from seconds since 1970 (days to civil date after Howard Hinnant's `chrono` algorithms).
fn utc(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Now, UTC.
pub(crate) fn now() -> String {
    utc(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
}

/// Gathers the facts of a run whose files are in `dir`.
pub(crate) fn gather(dir: &Path) -> Facts {
    let uname = rustix::system::uname();
    let versions = driver::versions();
    let version = |name: &str| versions.get(name).cloned().unwrap_or_default();
    Facts {
        schema: SCHEMA,
        started: now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("POOLBENCH_COMMIT").to_owned(),
        dirty: env!("POOLBENCH_DIRTY") == "true",
        profile: PROFILE.to_owned(),
        rustc: env!("POOLBENCH_RUSTC").to_owned(),
        kernel: format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy()),
        cpu: driver::host::cpu_model(),
        cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        memory_bytes: driver::host::memory_bytes(),
        filesystem: driver::host::filesystem(dir),
        sqlite: version("sqlite"),
        zstd: version("zstd"),
        zlib: format!("zlib-rs {}", version("zlib-rs")),
        tick_hz: driver::tick_hz(),
        timing_class: if driver::fifo_allowed() { "fifo" } else { "other" }.to_owned(),
        generator_per_s: None,
        arguments: arguments(std::env::args().skip(1)),
        parts: Vec::new(),
    }
}

/// What was typed, without any directory: a committed record names no path of the machine it was made on.
fn arguments(typed: impl Iterator<Item = String>) -> Vec<String> {
    // Also behind a short option, as in `-o/tmp`, and in the words of a command, as in `worker.command=sh /tmp/x`.
    let glued = |word: &str| word.strip_prefix("-o").or(word.strip_prefix("-qo")).is_some_and(|w| w.starts_with(['/', '.', '~']));
    let leads_out = |word: &str| ["/", "../", "~/"].iter().any(|root| word.starts_with(root) || word.contains(&format!(" {root}")));
    let hides = |word: &str| leads_out(word) || glued(word) || word.split_once('=').is_some_and(|(_, value)| leads_out(value));
    typed.map(|word| if hides(&word) { "DIR".to_owned() } else { word }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_767_225_599), "2025-12-31T23:59:59Z");
    }

    #[test]
    fn no_directory_is_kept_and_every_library_has_a_version() {
        let kept = ["run", "-f", "^pool/", "-F", "a=b/c", "--out", "reports/x", "-s", "load.service=constant 1ms"];
        assert_eq!(arguments(kept.map(str::to_owned).into_iter()), kept);
        for hidden in ["/tmp/x", "../x", "~/x", "--out=/tmp/x", "-o/tmp/x", "-qo../x", "worker.command=/bin/false", "worker.command=sh /x"]
        {
            assert_eq!(arguments([hidden.to_owned()].into_iter()), ["DIR"], "{hidden}");
        }
        assert!(["sqlite", "zstd", "zlib-rs"].iter().all(|name| driver::versions().contains_key(name)));
    }
}
