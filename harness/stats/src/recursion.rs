//! The pathwise twin of a queue: first come, first served, on the very arrivals and hold times of a run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Servers that take customers in order of arrival.
///
/// The workload recursion of Kiefer and Wolfowitz (On the theory of queues with many servers, 1955): a customer starts when he has arrived and
/// the server that is free first is free. For one server it is Lindley's (1952). Distribution-free and exact; O(log c) per customer.
#[derive(Debug, Clone)]
pub struct Servers {
    free_ns: BinaryHeap<Reverse<u64>>,
}

/// When a customer was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// When a server took him, in ns.
    pub start_ns: u64,
    /// When he left, in ns.
    pub end_ns: u64,
}

impl Servers {
    /// `count` servers, all free since 0; `None` without a server.
    pub fn new(count: usize) -> Option<Self> {
        (count > 0).then(|| Self { free_ns: std::iter::repeat_n(Reverse(0), count).collect() })
    }

    /// Serves the next customer. Customers come in order of arrival; an earlier one after a later one is served as behind him in the line.
    /// Times saturate at the end of the range of `u64`.
    pub fn serve(&mut self, arrival_ns: u64, hold_ns: u64) -> Served {
        // The heap is never empty: each customer takes one entry and leaves one.
        let Some(mut first) = self.free_ns.peek_mut() else { return Served { start_ns: arrival_ns, end_ns: arrival_ns } };
        let start_ns = arrival_ns.max(first.0);
        let end_ns = start_ns.saturating_add(hold_ns);
        *first = Reverse(end_ns);
        Served { start_ns, end_ns }
    }
}

/// When each of `(arrival, hold)`, both in ns, is served by `servers` servers.
///
/// `None` without a server, or where arrivals are out of order: the twin of such a series would be another series.
pub fn fcfs(servers: usize, customers: &[(u64, u64)]) -> Option<Vec<Served>> {
    let mut all = Servers::new(servers)?;
    let ordered = customers.is_sorted_by_key(|c| c.0);
    ordered.then(|| customers.iter().map(|&(arrival, hold)| all.serve(arrival, hold)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testkit::queue;
    use crate::theory::Mmc;

    fn times(servers: usize, customers: &[(u64, u64)]) -> Vec<(u64, u64)> {
        fcfs(servers, customers).unwrap().iter().map(|s| (s.start_ns, s.end_ns)).collect()
    }

    #[test]
    fn a_small_line_is_served_as_by_hand() {
        let customers = [(0, 10), (1, 5), (2, 1), (20, 1)];
        assert_eq!(times(1, &customers), [(0, 10), (10, 15), (15, 16), (20, 21)]);
        assert_eq!(times(2, &customers), [(0, 10), (1, 6), (6, 7), (20, 21)]);
        assert_eq!(times(9, &customers), [(0, 10), (1, 6), (2, 3), (20, 21)]);
    }

    #[test]
    fn what_is_no_queue_is_refused() {
        assert_eq!(fcfs(0, &[(0, 1)]), None);
        assert_eq!(fcfs(1, &[(5, 1), (4, 1)]), None);
        assert_eq!(times(1, &[(u64::MAX, 7)]), [(u64::MAX, u64::MAX)]);
    }

    #[test]
    fn the_mean_wait_is_that_of_erlang() {
        let law = Mmc::new(1.6, 1.0, 2).unwrap();
        let (mut sum, count) = (0.0, 400_000);
        for (arrival, served, _) in queue(2, 0.8, count, 11) {
            sum += (served.start_ns - arrival) as f64 / 1e9;
        }
        let ratio = sum / count as f64 / law.mean_wait();
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }

    proptest! {
        /// Lindley's own form for one server, and the vector form of Kiefer and Wolfowitz for more.
        #[test]
        fn the_heap_is_the_sorted_vector(
            servers in 1usize..5,
            steps in proptest::collection::vec((0u64..50, 0u64..100), 1..60),
        ) {
            let mut now = 0;
            let customers: Vec<(u64, u64)> = steps.iter().map(|&(gap, hold)| { now += gap; (now, hold) }).collect();
            let (mut work, mut last) = (vec![0u64; servers], 0);
            for (served, &(arrival, hold)) in fcfs(servers, &customers).unwrap().iter().zip(&customers) {
                work.iter_mut().for_each(|w| *w = w.saturating_sub(arrival - last));
                last = arrival;
                prop_assert_eq!(served.start_ns - arrival, work[0]);
                work[0] += hold;
                work.sort_unstable();
            }
        }
    }
}
