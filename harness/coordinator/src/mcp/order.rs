//! Calls enter the request path in the order in which they were read.
//!
//! The SDK runs each request as a task of its own, and tasks start in any order: without this, the later of two calls sent at once would
//! mostly be served first, and a session's calls in no order at all.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Hands out tickets and knows whose turn it is.
#[derive(Default)]
pub(super) struct Order(Mutex<State>);

#[derive(Default)]
struct State {
    /// The next ticket's number.
    issued: u64,
    /// The lowest number that has not passed.
    next: u64,
    /// Higher numbers that have.
    passed: BTreeSet<u64>,
    waiting: BTreeMap<u64, Waker>,
}

/// One call's place. It passes when it is told to or dropped, so that no call that ends early holds up the others.
pub(super) struct Ticket {
    order: Arc<Order>,
    number: u64,
}

impl Order {
    pub(super) fn ticket(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        state.issued += 1;
        Ticket { order: Arc::clone(self), number: state.issued - 1 }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits until all earlier ones have passed.
    pub(super) async fn turn(&self) {
        poll_fn(|context| {
            let mut state = self.order.lock();
            if state.next >= self.number {
                return Poll::Ready(());
            }
            state.waiting.insert(self.number, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Lets the next one go.
    pub(super) fn pass(&self) {
        let mut state = self.order.lock();
        if self.number < state.next || !state.passed.insert(self.number) {
            return;
        }
        let mut next = state.next;
        while state.passed.remove(&next) {
            next += 1;
        }
        state.next = next;
        if let Some(waker) = state.waiting.remove(&next) {
            waker.wake();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pass();
        self.order.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_starts_first_the_order_is_that_of_the_tickets() {
        let order = Arc::new(Order::default());
        let entered = Arc::new(Mutex::new(Vec::new()));
        let tickets: Vec<Ticket> = (0..200).map(|_| order.ticket()).collect();
        let tasks: Vec<_> = tickets
            .into_iter()
            .rev()
            .map(|ticket| {
                let entered = Arc::clone(&entered);
                tokio::spawn(async move {
                    // Some give up before their turn.
                    if ticket.number % 7 == 3 {
                        return;
                    }
                    ticket.turn().await;
                    entered.lock().unwrap().push(ticket.number);
                    ticket.pass();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let expected: Vec<u64> = (0..200).filter(|n| n % 7 != 3).collect();
        assert_eq!(*entered.lock().unwrap(), expected);
        let state = order.lock();
        assert_eq!((state.next, state.passed.len(), state.waiting.len()), (200, 0, 0), "nothing is kept");
    }
}
