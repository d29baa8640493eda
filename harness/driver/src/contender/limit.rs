//! Physical limits, measured: copying memory, reading the device past the page cache, flushing, calling the kernel.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use contenders::Limit;
use model::record::LimitFigures;
use model::units::show_bytes;
use pool::clock::{Clock, MonotonicClock, Nanos};

/// How long one limit is measured, ns; at least [`LEAST`] repetitions.
const MEASURE_NS: Nanos = 25_000_000;
/// Fewest repetitions.
const LEAST: usize = 5;
/// Most repetitions.
const MOST: usize = 100_000;
/// What one timing covers at the least, ns: the clock costs 25.
const GROUP_NS: u64 = 5_000;
/// Memory that is copied at most at once, bytes, twice: from and to.
const COPY_MAX: usize = 64 << 20;
/// What a flush overwrites, bytes.
const BLOCK: usize = 4096;
/// The largest alignment that reading past the cache asks for, bytes.
const ALIGN: usize = 4096;

/// Measures a limit in a file of its own in `dir`, ns per operation: the median of repetitions.
///
/// # Errors
/// What could not be read or written, by name.
pub(super) fn measure(limit: Limit, dir: &Path) -> Result<LimitFigures, String> {
    let path = dir.join("limit");
    let failed = |e: std::io::Error| format!("cannot measure the limit of {limit:?}: {e}");
    let (what, ns) = match limit {
        Limit::Memcpy(bytes) => (format!("copying {} in memory", show_bytes(bytes as f64)), copy(bytes)),
        Limit::DeviceRead(bytes) => {
            let (how, ns) = device_read(bytes, &path).map_err(failed)?;
            (format!("reading {} of the device, {how}", show_bytes(bytes as f64)), ns)
        }
        Limit::Flushes(per_thousand) => {
            let each = per_thousand as f64 / 1000.0;
            (format!("{each} flushes (fdatasync of 4 KiB)"), flush(&path).map_err(failed)? * each)
        }
        Limit::Syscalls(many) => (format!("{many} system calls that do nothing"), syscall() * many as f64),
    };
    // It may be there or not, and its directory goes with the trial.
    let _ = std::fs::remove_file(path);
    Ok(LimitFigures { what, ns })
}

/// The median time of `one`, ns.
fn median(mut one: impl FnMut() -> std::io::Result<()>) -> std::io::Result<f64> {
    let mut all = Vec::new();
    let until = MonotonicClock.now() + MEASURE_NS;
    while (all.len() < LEAST || MonotonicClock.now() < until) && all.len() < MOST {
        let begin = MonotonicClock.now();
        one()?;
        all.push(MonotonicClock.now().saturating_sub(begin));
    }
    all.sort_unstable();
    Ok(all.get(all.len() / 2).copied().unwrap_or(0) as f64)
}

fn copy(bytes: u64) -> f64 {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
    let piece = bytes.min(COPY_MAX);
    let (from, mut to) = (vec![1u8; piece], vec![0u8; piece]);
    // At no more than 100 GB/s, as many as fill a timing.
    let times = (GROUP_NS * 100 / piece as u64).clamp(1, 1000);
    let group = median(|| {
        for _ in 0..times {
            to.copy_from_slice(black_box(&from));
            black_box(&mut to);
        }
        Ok(())
    });
    group.unwrap_or(0.0) / times as f64 * (bytes as f64 / piece as f64)
}

fn syscall() -> f64 {
    let times = 64;
    let group = median(|| {
        (0..times).for_each(|_| {
            black_box(rustix::process::getppid());
        });
        Ok(())
    });
    group.unwrap_or(0.0) / f64::from(times)
}

fn flush(path: &Path) -> std::io::Result<f64> {
    let mut file = File::create(path)?;
    file.write_all(&[1; BLOCK])?;
    file.sync_all()?;
    let mut value = 0u8;
    median(|| {
        value = value.wrapping_add(1);
        file.write_all_at(&[value; BLOCK], 0)?;
        file.sync_data()
    })
}

/// Past the cache with O_DIRECT in whole blocks, or where the filesystem refuses that, after dropping the file's pages.
fn device_read(bytes: u64, path: &Path) -> std::io::Result<(&'static str, f64)> {
    let whole = usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, COPY_MAX).next_multiple_of(ALIGN);
    let mut file = File::create(path)?;
    file.write_all(&vec![1; whole])?;
    file.sync_all()?;
    let mut memory = vec![0u8; whole + ALIGN];
    let skip = memory.as_ptr().align_offset(ALIGN).min(ALIGN);
    let Some(buffer) = memory.get_mut(skip..skip + whole) else { return Err(std::io::ErrorKind::OutOfMemory.into()) };
    if let Ok(file) = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(path)
        && file.read_exact_at(buffer, 0).is_ok()
    {
        return Ok(("past the page cache", median(|| file.read_exact_at(buffer, 0))?));
    }
    let mut all = Vec::new();
    let mut file = File::open(path)?;
    for _ in 0..LEAST * 4 {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        file.seek(SeekFrom::Start(0))?;
        let begin = MonotonicClock.now();
        file.read_exact(buffer)?;
        all.push(MonotonicClock.now().saturating_sub(begin));
    }
    all.sort_unstable();
    Ok(("after its pages were dropped", all.get(all.len() / 2).copied().unwrap_or(0) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_takes_time_and_more_takes_longer() {
        let dir = tempfile::tempdir().unwrap();
        let of = |limit| measure(limit, dir.path()).unwrap();
        for limit in [Limit::Memcpy(4096), Limit::DeviceRead(4096), Limit::Flushes(1000), Limit::Syscalls(1)] {
            let measured = of(limit);
            assert!(measured.ns > 0.0 && !measured.what.is_empty(), "{measured:?}");
        }
        assert!(of(Limit::Memcpy(16 << 20)).ns > of(Limit::Memcpy(4096)).ns);
        assert!(of(Limit::Syscalls(1000)).ns > of(Limit::Syscalls(1)).ns);
        assert!(!dir.path().join("limit").exists());
    }
}
