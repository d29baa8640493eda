//! The last words of a child: its stderr is always drained and only its tail kept.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Bytes of stderr kept per worker.
pub(super) const TAIL: usize = 4096;

/// The last [`TAIL`] bytes, shared between the drain and whoever reports a death.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Tail {
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = &bytes[bytes.len().saturating_sub(TAIL)..];
        let surplus = (kept.len() + bytes.len()).saturating_sub(TAIL);
        kept.drain(..surplus);
        kept.extend_from_slice(bytes);
    }

    /// The tail as text, invalid UTF-8 replaced, surrounding white space removed.
    pub(super) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}

/// Reads until EOF or an error, whatever the amount.
pub(super) async fn drain(mut stderr: pipe::Receiver, tail: Tail) {
    let mut chunk = vec![0; TAIL];
    while let Ok(n) = stderr.read(&mut chunk).await {
        if n == 0 {
            return;
        }
        tail.push(&chunk[..n]);
    }
}
