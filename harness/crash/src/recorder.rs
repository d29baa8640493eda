//! Writes the log while a store works in a directory. What names which inode is known here, so that a file made anew under the name of a
//! removed one is another inode, as on disk: a recording by name would take the new journal's bytes for those of the old one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::log::{Log, Node, Op};

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, Node>,
    sizes: BTreeMap<Node, u64>,
    log: Log,
}

/// The log of one directory, which was empty when recording began and has no other writer.
#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    state: Mutex<State>,
}

impl Recorder {
    /// Records what happens in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), state: Mutex::new(State::default()) }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What was recorded until now.
    pub fn log(&self) -> Log {
        self.state().log.clone()
    }

    /// The writer begins write `number`.
    pub fn begin(&self, number: u64) {
        self.push(Op::Begin(number));
    }

    /// The store has acknowledged write `number`.
    pub fn acknowledge(&self, number: u64) {
        self.push(Op::Acknowledge(number));
    }

    /// A file was opened for writing; `truncated` if that emptied it. Makes the inode where the name is new.
    pub fn opened(&self, name: &str, truncated: bool) -> Node {
        let mut state = self.state();
        if let Some(node) = state.names.get(name).copied() {
            if truncated && state.sizes.get(&node).is_some_and(|size| *size > 0) {
                state.sizes.insert(node, 0);
                state.log.ops.push(Op::Truncate { node, len: 0 });
            }
            return node;
        }
        let node = Node(state.sizes.len() as u32);
        state.names.insert(name.to_owned(), node);
        state.sizes.insert(node, 0);
        state.log.ops.push(Op::Create { name: name.to_owned(), node });
        node
    }

    /// Bytes were written.
    pub fn wrote(&self, node: Node, offset: u64, bytes: &[u8]) {
        let mut state = self.state();
        let size = state.sizes.entry(node).or_default();
        *size = (*size).max(offset + bytes.len() as u64);
        state.log.ops.push(Op::Write { node, offset, bytes: bytes.to_vec() });
    }

    /// The size was set.
    pub fn truncated(&self, node: Node, len: u64) {
        let mut state = self.state();
        state.sizes.insert(node, len);
        state.log.ops.push(Op::Truncate { node, len });
    }

    /// Data and size were flushed.
    pub fn synced(&self, node: Node) {
        self.push(Op::Sync { node });
    }

    /// A writer closed the file.
    pub fn closed(&self, node: Node) {
        self.push(Op::Close { node });
    }

    /// The directory was flushed.
    pub fn synced_dir(&self) {
        self.push(Op::SyncDir);
    }

    /// A name was moved; names that were never opened for writing are none of ours.
    pub fn renamed(&self, from: &str, to: &str) {
        let mut state = self.state();
        if let Some(node) = state.names.remove(from) {
            let replaced = state.names.insert(to.to_owned(), node).is_some();
            state.log.ops.push(Op::Rename { from: from.to_owned(), to: to.to_owned(), node, replaced });
        }
    }

    /// A name was removed.
    pub fn unlinked(&self, name: &str) {
        let mut state = self.state();
        if state.names.remove(name).is_some() {
            state.log.ops.push(Op::Unlink { name: name.to_owned() });
        }
    }

    fn push(&self, op: Op) {
        self.state().log.ops.push(op);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one push, so a poisoned lock holds nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path's last part, as the log knows it; empty for what is no name.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
