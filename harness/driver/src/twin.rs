//! The pathwise twin: what a queue would have done with this very trial's arrivals and slot-hold times.
//!
//! For one slot Lindley's recursion, W' = max(0, W + S - A): the wait of a request is what its predecessor left; for more of them that of Kiefer
//! and Wolfowitz. Both are exact for first come, first served, whatever the distributions, so any residual is the harness' own doing (load
//! research, 6).

use model::record::Twin;
use pool::clock::Nanos;
use pool::core::Outcome;
use pool::times::Phase;
use stats::recursion::Servers;

use crate::rows::Row;

const SHARES: [f64; 4] = [0.50, 0.90, 0.95, 0.99];

/// Compares the rows of a pool of `slots` slots, in the order of their intended starts, with the recursion; `None` if any request was served
/// twice or not at all.
pub(crate) fn twin(rows: &[Row], slots: u32) -> Option<Twin> {
    let usable = !rows.is_empty() && rows.iter().all(|r| r.outcome == Outcome::Ok && r.attempts == 1);
    if !usable {
        return None;
    }
    let mut servers = Servers::new(slots as usize)?;
    let (mut measured, mut recursion, mut dispatch_stamp, mut residual) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let (taken, _) = row.times.span(Phase::Dispatch)?;
        let (_, freed) = row.times.span(Phase::Return)?;
        let served = servers.serve(row.intended(), freed.saturating_sub(taken));
        if row.measured {
            let (own, twins) = (row.done().saturating_sub(row.intended()), served.end_ns - row.intended());
            measured.push(own);
            recursion.push(twins);
            residual.push(own.abs_diff(twins));
            dispatch_stamp.push(row.done().saturating_sub(taken));
        }
    }
    Some(Twin {
        requests: measured.len() as u64,
        measured: quantiles(measured)?,
        lindley: quantiles(recursion)?,
        dispatch_stamp: quantiles(dispatch_stamp)?,
        slots,
        residual: quantiles(residual),
    })
}

fn quantiles(mut values: Vec<Nanos>) -> Option<[f64; 4]> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    Some(SHARES.map(|q| values[((values.len() as f64 * q).ceil() as usize).saturating_sub(1).min(last)] as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::row;

    #[test]
    fn a_stall_is_charged_to_all_it_delayed() {
        // One request a millisecond for ten seconds, 0.2 ms each; the one at 3 s holds the slot for a second.
        let mut free = 0;
        let rows: Vec<Row> = (0..10_000u64)
            .map(|i| {
                let intended = 1_000_000_000 + i * 1_000_000;
                let taken = intended.max(free);
                free = taken + if i == 3000 { 1_000_000_000 } else { 200_000 };
                row(intended, taken, free)
            })
            .collect();
        let twin = twin(&rows, 1).unwrap();
        assert_eq!(twin.measured, twin.lindley);
        assert_eq!(twin.residual, Some([0.0; 4]));
        // About 200, 600 and 920 ms: the backlog shrinks by 0.8 ms a request.
        for (got, about) in twin.lindley[1..].iter().zip([200e6, 600e6, 920e6]) {
            assert!((got / about - 1.0).abs() < 0.01, "{got} against {about}");
        }
        assert!(twin.dispatch_stamp[3] < 2e6, "the wrong stamp hides it: {}", twin.dispatch_stamp[3]);
    }

    #[test]
    fn two_slots_take_the_first_that_is_free() {
        // The third waits for the second, which is done first.
        let rows = [row(10, 10, 100), row(20, 20, 50), row(30, 50, 60)];
        let (two, one) = (twin(&rows, 2).unwrap(), twin(&rows, 1).unwrap());
        assert_eq!((two.lindley, two.residual), (two.measured, Some([0.0; 4])));
        assert_eq!(one.residual.unwrap()[3], 80.0, "the recursion of another pool says something else: 110 instead of 30");
    }

    #[test]
    fn rows_that_break_the_model_have_no_twin() {
        let mut rows = vec![row(1, 2, 3), row(4, 5, 6)];
        assert!(twin(&rows, 1).is_some());
        rows[1].attempts = 2;
        assert!(twin(&rows, 1).is_none());
        assert!(twin(&[], 1).is_none());
    }
}
