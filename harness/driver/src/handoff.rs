//! From the pacing threads to the runtime without a lock: the moments of sending by index, and an eventfd to ring with.
//!
//! A real-time thread that takes a lock waits for whoever holds it, and that may be an ordinary thread which the scheduler has put
//! aside for milliseconds (seen: lag p99 of 11 ms under SCHED_FIFO beside six busy compilers, through the runtime's own queue of
//! tasks). Here the pacer stores one atomic and makes one system call that never blocks: an eventfd is guarded by a spinlock, where a
//! pipe has a mutex whose holder may be put aside too.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pool::clock::Nanos;
use rustix::event::{EventfdFlags, eventfd};
use tokio::io::unix::AsyncFd;

use crate::pacer::Desk;

/// Moments of sending by index; 0 until sent.
type Sent = Arc<Vec<AtomicU64>>;

/// The pacer's end.
pub(crate) struct Sender {
    sent: Sent,
    bell: OwnedFd,
}

/// The runtime's end.
pub(crate) struct Receiver {
    sent: Sent,
    bell: OwnedFd,
    taken: usize,
}

/// A hand-off of `requests` requests, sent in the order of their index.
///
/// # Errors
/// When the system has no descriptor left.
pub(crate) fn handoff(requests: usize) -> std::io::Result<(Sender, Receiver)> {
    let ring = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let hear = ring.try_clone()?;
    let sent: Sent = Arc::new((0..requests).map(|_| AtomicU64::new(0)).collect());
    Ok((Sender { sent: Arc::clone(&sent), bell: ring }, Receiver { sent, bell: hear, taken: 0 }))
}

impl Desk for Sender {
    fn put(&self, index: usize, at: Nanos) {
        self.sent[index].store(at, Ordering::Release);
    }

    fn ring(&self) {
        // Its counter is full only after 2^64 - 2 rings that nobody heard.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }
}

impl Sender {
    /// The moments of sending; 0 for what was not sent.
    pub(crate) fn moments(&self) -> Vec<Nanos> {
        self.sent.iter().map(|at| at.load(Ordering::Acquire)).collect()
    }
}

impl Receiver {
    /// Calls `take` with index and moment of sending of every request, until all are sent or the bell breaks.
    ///
    /// # Errors
    /// When the runtime cannot watch the descriptor.
    pub(crate) async fn run(mut self, mut take: impl FnMut(usize, Nanos)) -> std::io::Result<()> {
        let bell = watch(self.bell)?;
        while self.taken < self.sent.len() {
            let mut ready = bell.readable().await?;
            // Silenced before the moments are read, so that no later ring is lost.
            let _ = rustix::io::read(bell.get_ref(), &mut [0u8; 8]);
            ready.clear_ready();
            while let Some(at) = self.sent.get(self.taken).map(|at| at.load(Ordering::Acquire)).filter(|at| *at != 0) {
                take(self.taken, at);
                self.taken += 1;
            }
        }
        Ok(())
    }
}

#[expect(unsafe_code, reason = "AsyncFd has no safe constructor any more")]
fn watch(bell: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by the AsyncFd and never closed, replaced or registered elsewhere while that lives.
    Ok(unsafe { AsyncFd::register(bell) }?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_request_arrives_once_and_in_order() {
        let (sender, receiver) = handoff(50_000).unwrap();
        let pacer = std::thread::spawn(move || {
            (0..50_000).for_each(|i| {
                sender.put(i, i as u64 + 7);
                if i % 3 == 0 || i == 49_999 {
                    sender.ring();
                }
            });
        });
        let mut got = Vec::new();
        receiver.run(|index, at| got.push((index, at))).await.unwrap();
        pacer.join().unwrap();
        assert!(got.iter().enumerate().all(|(n, (index, at))| (*index, *at) == (n, n as u64 + 7)));
        assert_eq!(got.len(), 50_000);
    }
}
