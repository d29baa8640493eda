//! Physical limits, measured: copying memory, reading the device past the page cache, flushing, calling the kernel.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
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
/// Threads that read the device at once: enough to have it always busy.
const READERS: usize = 8;
/// Reads of each of them in one timing, so that starting threads costs little.
const READS: usize = 64;
/// Bytes that are read of the device in one timing at most.
const READ_MAX: usize = 16 << 20;

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

/// Past the cache with O_DIRECT in whole blocks, from several threads at once, or where the filesystem refuses that, one after another after
/// the file's pages were dropped.
fn device_read(bytes: u64, path: &Path) -> std::io::Result<(&'static str, f64)> {
    let whole = usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, READ_MAX).next_multiple_of(ALIGN);
    let each = (READ_MAX / whole / READERS).clamp(1, READS);
    let mut file = File::create(path)?;
    for _ in 0..each * READERS {
        file.write_all(&vec![1; whole])?;
    }
    file.sync_all()?;
    if let Ok(direct) = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(path)
        && read_at(&direct, whole, 0..1).is_ok()
    {
        let all = || {
            std::thread::scope(|scope| {
                let reader = |i: usize| {
                    scope.spawn({
                        let direct = &direct;
                        move || read_at(direct, whole, i * each..(i + 1) * each)
                    })
                };
                let readers: Vec<_> = (0..READERS).map(reader).collect();
                readers.into_iter().try_for_each(|r| r.join().map_err(|_| std::io::Error::other("a reader panicked"))?)
            })
        };
        return Ok(("past the page cache, eight threads at once", median(all)? / (each * READERS) as f64));
    }
    let (file, mut buffer) = (File::open(path)?, vec![0u8; whole]);
    let mut all = Vec::new();
    for _ in 0..LEAST * 4 {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        let begin = MonotonicClock.now();
        file.read_exact_at(&mut buffer, 0)?;
        all.push(MonotonicClock.now().saturating_sub(begin));
    }
    all.sort_unstable();
    Ok(("one by one, after its pages were dropped", all.get(all.len() / 2).copied().unwrap_or(0) as f64))
}

/// Reads pieces of a file into memory that is aligned as reading past the cache asks for.
fn read_at(file: &File, piece: usize, which: std::ops::Range<usize>) -> std::io::Result<()> {
    let mut memory = vec![0u8; piece + ALIGN];
    let skip = memory.as_ptr().align_offset(ALIGN).min(ALIGN);
    let buffer = memory.get_mut(skip..skip + piece).ok_or(std::io::ErrorKind::OutOfMemory)?;
    which.into_iter().try_for_each(|i| file.read_exact_at(buffer, (i * piece) as u64))
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
