//! The model of power loss: which states of a directory are permitted after a crash in the middle of a recording.
//!
//! **[`Filesystem::Posix`]**, after what POSIX promises and no more:
//!
//! - A flushed file has the data and size of that moment. What was done to it afterwards survives in part: of its changes of size an
//!   ordered prefix, and of each block of 4 KiB a version from the flushed one to the last, independently of other blocks. A block may be
//!   torn: some of its sectors of 512 bytes are of the version chosen and some of the next. Bytes that no write touched stay as they are
//!   (what SQLite calls powersafe overwrite). A block that belongs to a file by its size and never came is zeros.
//! - Cutting a file frees blocks: where the cut is lost, so is what was written into those blocks afterwards.
//! - Changes of names (create, rename, unlink) survive as an ordered prefix, at least to the last flush of the directory. Flushing a file
//!   does not make its name last.
//!
//! **[`Filesystem::Ext4`]** is stricter, as ext4 is with `data=ordered` and `auto_da_alloc` (its defaults; kernel documentation,
//! admin-guide/ext4):
//!
//! - A flush of a file whose inode changed (it was made, or its size changed, since the last flush) commits the journal, and with it all
//!   changes of names until that change.
//! - A block that a file grew into is written before the size that shows it.
//! - A rename over a name that was there is committed after the renamed file's data and size.
//! - A file that was emptied, written and closed is replaced as a whole once it is closed.
//!
//! What is outside: a device that acknowledges a flush and loses it, blocks that decay, writes that land elsewhere, sectors torn inside,
//! changes of names that are reordered, several directories, and errors of flushes. A filesystem that breaks one of these promises can lose
//! more; one that promises more loses less.

use std::collections::BTreeMap;

use crate::choose::{Choice, Choose};
use crate::log::{Node, Op};

mod inode;

/// Bytes that survive together unless torn.
pub const BLOCK: usize = 4096;
/// Bytes that are never torn.
pub const SECTOR: usize = 512;

/// Whose promises hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filesystem {
    /// POSIX's alone.
    Posix,
    /// ext4's with its default options.
    Ext4,
}

/// What is in the directory: contents by name.
pub type Image = BTreeMap<String, Vec<u8>>;

/// One state after a crash before operation `point` of `ops`, as `choose` decides.
pub fn survivors(ops: &[Op], point: usize, filesystem: Filesystem, choose: &mut dyn Choose) -> Image {
    let ops = ops.get(..point).unwrap_or(ops);
    let changes: Vec<usize> = ops.iter().enumerate().filter(|(_, op)| op.changes_names()).map(|(at, _)| at).collect();
    let forced = forced_names(ops, &changes, filesystem);
    let kept = forced + choose.choose(Choice::Names, changes.len() - forced + 1);
    let kept = changes.get(..kept).unwrap_or(&changes);
    let ends = match filesystem {
        Filesystem::Posix => 0,
        // A rename that is kept has flushed what it put in place.
        Filesystem::Ext4 => kept.last().map_or(0, |last| last + 1),
    };
    let names = apply_names(ops, kept);
    names.into_iter().map(|(name, node)| (name, inode::contents(ops, node, filesystem, ends, choose))).collect()
}

/// How many of the changes of names are certain to have survived.
fn forced_names(ops: &[Op], changes: &[usize], filesystem: Filesystem) -> usize {
    let before = |end: usize| changes.partition_point(|at| *at < end);
    let by_directory = ops.iter().rposition(|op| *op == Op::SyncDir).map_or(0, before);
    match filesystem {
        Filesystem::Posix => by_directory,
        Filesystem::Ext4 => by_directory.max(before(journal_committed(ops))),
    }
}

/// Behind the last operation whose change of an inode was committed to ext4's journal by a flush of that inode.
fn journal_committed(ops: &[Op]) -> usize {
    let mut changed: BTreeMap<Node, usize> = BTreeMap::new();
    let mut sizes: BTreeMap<Node, u64> = BTreeMap::new();
    let mut committed = 0;
    for (at, op) in ops.iter().enumerate() {
        match op {
            Op::Create { node, .. } => {
                sizes.insert(*node, 0);
                changed.insert(*node, at + 1);
            }
            Op::Write { node, offset, bytes } => {
                let (end, size) = (offset + bytes.len() as u64, sizes.entry(*node).or_default());
                if end > *size {
                    *size = end;
                    changed.insert(*node, at + 1);
                }
            }
            Op::Truncate { node, len } if sizes.insert(*node, *len) != Some(*len) => {
                changed.insert(*node, at + 1);
            }
            Op::Sync { node } => committed = committed.max(changed.remove(node).unwrap_or(0)),
            _ => {}
        }
    }
    committed
}

fn apply_names(ops: &[Op], kept: &[usize]) -> BTreeMap<String, Node> {
    let mut names = BTreeMap::new();
    for op in kept.iter().filter_map(|at| ops.get(*at)) {
        match op {
            Op::Create { name, node } => {
                names.insert(name.clone(), *node);
            }
            Op::Rename { from, to, node, .. } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Op::Unlink { name } => {
                names.remove(name);
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests;
