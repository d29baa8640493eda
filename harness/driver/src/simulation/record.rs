//! The record of a simulated trial: the same evidence as a live one's, without a host.

use model::record::{Cpu, HostDuring, Record, Status};

use super::{Load, Outcome, oracle};
use crate::evidence;
use crate::launch::Lengths;
use crate::prepare::PreparedCase;
use crate::trial::Order;
use crate::trust::Asked;

/// Makes the record. Two trials of one seed leave the same one, so no time of the host is in it.
pub(super) fn make(order: &Order, load: &Load<'_>, prepared: &PreparedCase, outcome: Outcome) -> Record {
    let Outcome { rows, ran, ended } = outcome;
    let mut record = Record::without_figures(&order.case.id, order.round, order.kind, order.seed, Status::Measured);
    record.fingerprint = format!("{:016x}", load.schedule.fingerprint(load.sorts));
    record.open_loop = load.clients.is_none();
    let lengths = Lengths { warmup_ns: load.warmup_ns, length_ns: load.length_ns };
    let planned = load.schedule.in_window(load.warmup_ns);
    if record.open_loop {
        record.offered_per_s = prepared.arrivals.mean_per_s(order.rate_per_s, lengths, planned);
    }
    record.counts.intended = if record.open_loop { planned } else { rows.iter().filter(|r| r.measured).count() as u64 };
    let asked = Asked { arrivals: &prepared.arrivals, per_s: order.rate_per_s, lengths };
    evidence::put_load(&mut record, &rows, &ran, prepared, asked);
    model::record::VIRTUAL.clone_into(&mut record.timing_class);
    (record.cpu, record.host) = (Cpu::default(), HostDuring::default());
    record.deaths = ended.deaths;
    record.faults = ended.struck;
    for fault in rows.iter().filter(|row| row.attempts > 0).filter_map(|row| prepared.faults.get(usize::from(row.intent.fault))) {
        *record.faults.entry(fault.kind.to_owned()).or_default() += 1;
    }
    record.regret = oracle::regret(prepared, &rows, lengths, load.seed, Some(prepared.costs));
    record
}
