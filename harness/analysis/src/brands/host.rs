//! Brands from what the kernel counted of the host while the window ran.

use model::Record;
use model::units::show_ns;

use super::{brand, percent};
use crate::summary::{Brand, CaseSummary, Grade};

/// Largest share of CPU time that the hypervisor may take, and of wall time that a quota, or a wait of the pacing thread for a CPU, may.
const HOST_SHARE: f64 = 0.01;
/// Largest share of CPU time that others may use, beyond the error of its measurement.
const OTHERS_SHARE: f64 = 0.05;
/// Share of wall time with a task waiting for a CPU from which on others must be suspected.
const PRESSURE_SHARE: f64 = 0.6;
/// What waking up may count as waiting, ns a request: ten times what it does on an idle host, so that a high rate alone is no disturbance.
const WAKE_NS: f64 = 2_000.0;

/// Somebody else took the CPU while the window ran.
pub(super) fn disturbed(case: &CaseSummary, measured: &[&Record]) -> Option<Brand> {
    let host = &case.host;
    if host.steal_share > HOST_SHARE {
        let reason = format!("the hypervisor took {} of the CPU time", percent(host.steal_share));
        return brand(Grade::Degraded, "host-disturbed", reason, "run again when the host is quiet");
    }
    throttled(measured).filter(|b| b.grade == Grade::Degraded).or_else(|| waited(measured)).or_else(|| throttled(measured))
}

fn throttled(measured: &[&Record]) -> Option<Brand> {
    let worst = measured.iter().max_by_key(|r| r.host.throttled_ns).filter(|r| r.host.throttled_ns > 0)?;
    let heavy = worst.host.throttled_ns as f64 > HOST_SHARE * worst.window_ns as f64;
    let reason = format!("a CPU quota stopped the trial for {}", show_ns(worst.host.throttled_ns as f64));
    brand(
        if heavy { Grade::Degraded } else { Grade::Note },
        "host-disturbed",
        reason,
        "raise the cgroup's CPU quota (cpu.max, or cpu.cfs_quota_us)",
    )
}

/// A real-time thread that waits for a CPU waits for nothing of ours: no thread of a trial goes before it. An ordinary one may wait for the trial's own
/// threads, which says nothing of the host.
fn waited(measured: &[&Record]) -> Option<Brand> {
    let share = |r: &&Record| {
        let pacer = r.pacer.filter(|pacer| r.timing_class == "fifo" && pacer.wall_ns > 0)?;
        let sent = r.counts.sent.saturating_add(r.counts.warmup);
        let beyond = pacer.run_queue_ns as f64 - WAKE_NS * sent as f64;
        Some((beyond / pacer.wall_ns as f64, pacer.run_queue_ns))
    };
    let (share, waited) = measured.iter().filter_map(share).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(share, _)| *share > HOST_SHARE)?;
    let reason =
        format!("the pacing thread waited {} for a CPU in spite of SCHED_FIFO, {} of the time", show_ns(waited as f64), percent(share));
    brand(Grade::Degraded, "host-disturbed", reason, "stop what runs at real-time priority, or free a CPU")
}

/// Others used the CPUs: more than the kernel's own housekeeping, beyond the error of the ticks.
pub(super) fn shared(measured: &[&Record]) -> Option<Brand> {
    let over = measured.iter().filter_map(|r| r.host.others).filter(|others| others.share - others.error > OTHERS_SHARE);
    let worst = over.max_by(|a, b| a.share.total_cmp(&b.share))?;
    let reason = format!("other programs used {} of the CPU time, give or take {}", percent(worst.share), percent(worst.error));
    brand(Grade::Degraded, "host-shared", reason, "stop other programs, and run again")
}

/// The load itself makes pressure, so that this is a note only.
pub(super) fn pressure(case: &CaseSummary) -> Option<Brand> {
    let share = Some(case.host.cpu_pressure_share).filter(|p| *p > PRESSURE_SHARE)?;
    let reason = format!("some task waited for a CPU in {} of the time (load average {:.1})", percent(share), case.host.load_1m);
    brand(Grade::Note, "cpu-pressure", reason, "stop other programs, or use fewer workers than CPUs")
}
