//! What a request will cost, judged from what requests of the same tool and a similar payload size have cost.
//!
//! Per (tool, power of two of the payload size) a quantile of past costs is followed by a multiplicative Robbins-Monro rule: up by
//! `STEP * q` where a cost lies above the estimate, down by `STEP * (1 - q)` where it does not; at rest a share `q` of the costs lies below.
//! No logarithm and no clock: the same costs give the same estimates, bit for bit.

use super::types::ToolId;
use crate::clock::Nanos;

/// Costs after which an estimate counts; the prior does until then.
const ENOUGH: usize = 8;
/// Relative step of an estimate.
const STEP: f64 = 0.05;
/// Payload sizes up to 2^n bytes for n in 0..=32.
const BUCKETS: usize = 33;

/// One estimate.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    seen: u8,
    first: [Nanos; ENOUGH],
    estimate: f64,
}

/// All estimates of a pool.
#[derive(Clone, Debug)]
pub(super) struct Predictor {
    /// By tool, made when the tool's first cost is known.
    cells: Vec<Option<Box<[Cell; BUCKETS]>>>,
    quantile: f64,
}

fn bucket(bytes: u32) -> usize {
    (u32::BITS - bytes.saturating_sub(1).leading_zeros()) as usize
}

impl Predictor {
    /// Follows the quantile of `percent`.
    pub(super) fn new(tools: usize, percent: u32) -> Predictor {
        Predictor { cells: vec![None; tools], quantile: f64::from(percent) / 100.0 }
    }

    /// The expected cost, ns; `None` until enough is known.
    pub(super) fn cost(&self, tool: ToolId, bytes: u32) -> Option<Nanos> {
        let cell = &self.cells.get(usize::from(tool.0))?.as_ref()?[bucket(bytes)];
        (usize::from(cell.seen) >= ENOUGH).then_some(cell.estimate as Nanos)
    }

    /// Takes note of a real cost.
    pub(super) fn learn(&mut self, tool: ToolId, bytes: u32, cost: Nanos) {
        let quantile = self.quantile;
        let Some(cells) = self.cells.get_mut(usize::from(tool.0)) else { return };
        let cell = &mut cells.get_or_insert_with(|| Box::new([Cell::default(); BUCKETS]))[bucket(bytes)];
        if usize::from(cell.seen) >= ENOUGH {
            let factor = if cost as f64 > cell.estimate { 1.0 + STEP * quantile } else { 1.0 - STEP * (1.0 - quantile) };
            cell.estimate = (cell.estimate * factor).max(1.0);
            return;
        }
        cell.first[usize::from(cell.seen)] = cost;
        cell.seen += 1;
        if usize::from(cell.seen) == ENOUGH {
            cell.first.sort_unstable();
            let at = (quantile * ENOUGH as f64) as usize;
            cell.estimate = (cell.first[at.min(ENOUGH - 1)] as f64).max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: ToolId = ToolId(0);

    #[test]
    fn nothing_is_known_before_enough_costs() {
        let mut predictor = Predictor::new(1, 25);
        for cost in 1..8 {
            predictor.learn(TOOL, 100, cost * 1000);
            assert_eq!(predictor.cost(TOOL, 100), None);
        }
        predictor.learn(TOOL, 100, 8000);
        assert_eq!(predictor.cost(TOOL, 100), Some(3000), "the quartile of the first eight");
        assert_eq!(predictor.cost(TOOL, 1000), None, "another size is another matter");
        assert_eq!((predictor.cost(ToolId(7), 1), bucket(0), bucket(1), bucket(2), bucket(3), bucket(u32::MAX)), (None, 0, 0, 1, 2, 32));
    }

    #[test]
    fn an_estimate_follows_its_quantile_and_a_change_of_it() {
        let mut predictor = Predictor::new(1, 25);
        let mut cost = |i: u64, scale: u64| predictor_step(&mut predictor, (i * 7919) % 1000 * scale);
        let last: Vec<Nanos> = (0..5000).map(|i| cost(i, 1000)).skip(4000).collect();
        let mean = last.iter().sum::<Nanos>() / 1000;
        assert!((200_000..300_000).contains(&mean), "a quarter of 0 to 1 ms: {mean}");
        let moved: Vec<Nanos> = (0..5000).map(|i| cost(i, 10_000)).skip(4000).collect();
        let mean = moved.iter().sum::<Nanos>() / 1000;
        assert!((2_000_000..3_000_000).contains(&mean), "after a tenfold change: {mean}");
    }

    fn predictor_step(predictor: &mut Predictor, cost: Nanos) -> Nanos {
        predictor.learn(TOOL, 64, cost);
        predictor.cost(TOOL, 64).unwrap_or(0)
    }
}
