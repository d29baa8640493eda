//! From the pacing thread to the runtime without a lock: a counter of what is due, the moments of sending, and a pipe to ring with.
//!
//! A real-time thread that takes a lock waits for whoever holds it, and that may be an ordinary thread which the scheduler has put
//! aside for milliseconds (seen: lag p99 of 11 ms under SCHED_FIFO beside six busy compilers, through the runtime's own queue of
//! tasks). Here the pacer stores two atomics and makes one system call that never blocks.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pool::clock::Nanos;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::unix::pipe;

/// The shared part.
struct Due {
    /// Moments of sending by index; 0 until sent.
    sent: Vec<AtomicU64>,
    /// How many are sent.
    count: AtomicUsize,
}

/// The pacer's end.
pub(crate) struct Sender {
    due: Arc<Due>,
    bell: OwnedFd,
}

/// The runtime's end.
pub(crate) struct Receiver {
    due: Arc<Due>,
    bell: OwnedFd,
    taken: usize,
}

/// A hand-off of `requests` requests, sent in the order of their index.
///
/// # Errors
/// When the system has no descriptor left.
pub(crate) fn handoff(requests: usize) -> std::io::Result<(Sender, Receiver)> {
    let (hear, ring) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?;
    let sent = (0..requests).map(|_| AtomicU64::new(0)).collect();
    let due = Arc::new(Due { sent, count: AtomicUsize::new(0) });
    Ok((Sender { due: Arc::clone(&due), bell: ring }, Receiver { due, bell: hear, taken: 0 }))
}

impl Sender {
    /// Hands over the request of that index.
    pub(crate) fn send(&self, index: usize, at: Nanos) {
        self.due.sent[index].store(at, Ordering::Relaxed);
        self.due.count.store(index + 1, Ordering::Release);
        // A full pipe holds rings enough: whoever hears one looks at the counter.
        let _ = rustix::io::write(&self.bell, &[0]);
    }
}

impl Receiver {
    /// Calls `take` with index and moment of sending of every request, until all are sent or the bell breaks.
    ///
    /// # Errors
    /// When the runtime cannot watch the descriptor.
    pub(crate) async fn run(mut self, mut take: impl FnMut(usize, Nanos)) -> std::io::Result<()> {
        let bell = pipe::Receiver::from_owned_fd(self.bell)?;
        let mut rings = [0u8; 4096];
        while self.taken < self.due.sent.len() {
            bell.readable().await?;
            // Heard before the counter is read, so that no later ring is lost; nothing to hear means another look costs nothing.
            let _ = bell.try_read(&mut rings);
            let count = self.due.count.load(Ordering::Acquire);
            for index in self.taken..count {
                take(index, self.due.sent[index].load(Ordering::Relaxed));
            }
            self.taken = count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_request_arrives_once_and_in_order() {
        let (sender, receiver) = handoff(50_000).unwrap();
        let pacer = std::thread::spawn(move || (0..50_000).for_each(|i| sender.send(i, i as u64 + 7)));
        let mut got = Vec::new();
        receiver.run(|index, at| got.push((index, at))).await.unwrap();
        pacer.join().unwrap();
        assert!(got.iter().enumerate().all(|(n, (index, at))| (*index, *at) == (n, n as u64 + 7)));
        assert_eq!(got.len(), 50_000);
    }
}
