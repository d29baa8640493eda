//! What one file holds after a crash: the flushed contents, and of what came later as much as is chosen.

use super::{BLOCK, Filesystem, SECTOR};
use crate::choose::{Choice, Choose};
use crate::log::{Node, Op};

/// A change since the last flush.
enum Change<'a> {
    Write { offset: usize, bytes: &'a [u8] },
    Resize(usize),
    Close,
}

/// The file's contents in one state. On ext4, a rename over another file before operation `names_end` has flushed the file it moved.
pub(super) fn contents(ops: &[Op], node: Node, filesystem: Filesystem, names_end: usize, choose: &mut dyn Choose) -> Vec<u8> {
    let (flushed, changes) = since_flush(ops, node, filesystem, names_end);
    let sizes = Sizes::of(flushed.len(), &changes);
    let stops = sizes.stops(&changes, filesystem);
    let stop = stops.get(choose.choose(Choice::Size, stops.len())).copied().unwrap_or(0);
    let size = if stop == 0 { flushed.len() } else { sizes.steps.get(stop - 1).map_or(0, |step| step.size) };
    let mut out = vec![0; size];
    let reach = Reach { sizes: &sizes, stop, whole_until: whole_until(&changes, &sizes, stop, filesystem), filesystem };
    for (index, target) in out.chunks_mut(BLOCK).enumerate() {
        let block = reach.block(index, &flushed, &changes, choose);
        target.copy_from_slice(block.get(..target.len()).unwrap_or(&block));
    }
    out
}

/// The contents at the last flush, and the changes behind it.
fn since_flush<'a>(ops: &'a [Op], node: Node, filesystem: Filesystem, names_end: usize) -> (Vec<u8>, Vec<Change<'a>>) {
    let (mut now, mut changes): (Vec<u8>, Vec<Change<'a>>) = (Vec::new(), Vec::new());
    let mut flushed = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        let flush = match op {
            Op::Write { node: of, offset, bytes } if *of == node => {
                let offset = *offset as usize;
                now.resize(now.len().max(offset + bytes.len()), 0);
                copy(&mut now, offset, bytes);
                changes.push(Change::Write { offset, bytes });
                false
            }
            Op::Truncate { node: of, len } if *of == node => {
                now.resize(*len as usize, 0);
                changes.push(Change::Resize(*len as usize));
                false
            }
            Op::Close { node: of } if *of == node => {
                changes.push(Change::Close);
                false
            }
            Op::Sync { node: of } => *of == node,
            Op::Rename { node: of, replaced, .. } => *of == node && *replaced && filesystem == Filesystem::Ext4 && at < names_end,
            _ => false,
        };
        if flush {
            flushed.clone_from(&now);
            changes.clear();
        }
    }
    (flushed, changes)
}

/// One change of size.
struct Step {
    /// Which of the changes.
    at: usize,
    /// From how many bytes.
    from: usize,
    /// To how many bytes.
    size: usize,
}

struct Sizes {
    steps: Vec<Step>,
    /// By change: which step it is, if it is one.
    of_change: Vec<Option<usize>>,
}

impl Sizes {
    fn of(flushed: usize, changes: &[Change<'_>]) -> Self {
        let (mut size, mut steps, mut of_change) = (flushed, Vec::new(), Vec::with_capacity(changes.len()));
        for (at, change) in changes.iter().enumerate() {
            let next = match change {
                Change::Write { offset, bytes } => size.max(offset + bytes.len()),
                Change::Resize(len) => *len,
                Change::Close => size,
            };
            of_change.push((next != size).then_some(steps.len()));
            if next != size {
                steps.push(Step { at, from: size, size: next });
                size = next;
            }
        }
        Self { steps, of_change }
    }

    /// After how many steps the size may stop: anywhere, but on ext4 not between an emptying and the close behind it.
    fn stops(&self, changes: &[Change<'_>], filesystem: Filesystem) -> Vec<usize> {
        let mut stops: Vec<usize> = (0..=self.steps.len()).collect();
        if filesystem == Filesystem::Ext4 {
            for (emptied, step) in self.steps.iter().enumerate().filter(|(_, step)| step.size == 0) {
                let Some(closed) = closed_after(changes, step.at) else { continue };
                let behind = self.steps.partition_point(|step| step.at < closed);
                stops.retain(|stop| *stop <= emptied || *stop >= behind);
            }
        }
        stops
    }
}

fn closed_after(changes: &[Change<'_>], at: usize) -> Option<usize> {
    changes.iter().enumerate().skip(at).find(|(_, change)| matches!(change, Change::Close)).map(|(at, _)| at)
}

/// On ext4, up to which change all data survive because an emptied file that was closed is replaced as a whole.
fn whole_until(changes: &[Change<'_>], sizes: &Sizes, stop: usize, filesystem: Filesystem) -> usize {
    if filesystem == Filesystem::Posix {
        return 0;
    }
    let kept = sizes.steps.iter().take(stop).filter(|step| step.size == 0);
    kept.filter_map(|step| closed_after(changes, step.at)).max().unwrap_or(0)
}

/// How far the changes of one state reach.
struct Reach<'a> {
    sizes: &'a Sizes,
    stop: usize,
    whole_until: usize,
    filesystem: Filesystem,
}

impl Reach<'_> {
    fn block(&self, index: usize, flushed: &[u8], changes: &[Change<'_>], choose: &mut dyn Choose) -> Vec<u8> {
        let (versions, least) = self.versions(index, flushed, changes);
        let chosen = least + choose.choose(Choice::Block, versions.len() - least);
        let mut block = versions.get(chosen).cloned().unwrap_or_else(|| vec![0; BLOCK]);
        if let Some(next) = versions.get(chosen + 1) {
            // Whole, the first half new, the second half new, every other sector new.
            let torn = choose.choose(Choice::Tear, 4);
            let sectors = block.chunks_mut(SECTOR).zip(next.chunks(SECTOR)).enumerate();
            let new = |sector: usize| match torn {
                1 => sector < BLOCK / SECTOR / 2,
                2 => sector >= BLOCK / SECTOR / 2,
                3 => sector % 2 == 1,
                _ => false,
            };
            sectors.filter(|(sector, _)| new(*sector)).for_each(|(_, (to, from))| to.copy_from_slice(from));
        }
        block
    }

    /// The block's versions, the flushed one first, and the first of them that is permitted.
    fn versions(&self, index: usize, flushed: &[u8], changes: &[Change<'_>]) -> (Vec<Vec<u8>>, usize) {
        let (begin, end) = (index * BLOCK, (index + 1) * BLOCK);
        let mut first = vec![0; BLOCK];
        let held = flushed.get(begin..flushed.len().min(end)).unwrap_or_default();
        copy(&mut first, 0, held);
        let (mut versions, mut least) = (vec![first], 0);
        for (at, change) in changes.iter().enumerate() {
            let number = self.sizes.of_change.get(at).copied().flatten();
            let step = number.and_then(|number| self.sizes.steps.get(number));
            let kept = number.is_none_or(|number| number < self.stop);
            match change {
                Change::Write { offset, bytes } => {
                    if *offset < end && begin < offset + bytes.len() {
                        let mut next = versions.last().cloned().unwrap_or_default();
                        overlay(&mut next, begin, *offset, bytes);
                        versions.push(next);
                        let grown = step.is_some_and(|step| begin >= step.from.next_multiple_of(BLOCK)) && kept;
                        if self.filesystem == Filesystem::Ext4 && (grown || at < self.whole_until) {
                            least = versions.len() - 1;
                        }
                    }
                }
                Change::Resize(len) if *len <= begin => {
                    if !kept {
                        // The cut is lost, and with it what went into other blocks behind it.
                        break;
                    }
                    (versions, least) = (vec![vec![0; BLOCK]], 0);
                }
                Change::Resize(len) if *len < end && kept => {
                    let mut next = versions.last().cloned().unwrap_or_default();
                    next.iter_mut().skip(len - begin).for_each(|byte| *byte = 0);
                    versions.push(next);
                }
                Change::Resize(_) | Change::Close => {}
            }
        }
        (versions, least)
    }
}

/// Puts what of `bytes` at `offset` lies in the block that begins at `begin` into it.
fn overlay(block: &mut [u8], begin: usize, offset: usize, bytes: &[u8]) {
    copy(block, offset.saturating_sub(begin), bytes.get(begin.saturating_sub(offset)..).unwrap_or_default());
}

/// Copies as much of `from` as there is room for behind `at`.
fn copy(to: &mut [u8], at: usize, from: &[u8]) {
    let room = to.get_mut(at..).unwrap_or_default();
    let len = room.len().min(from.len());
    if let (Some(room), Some(from)) = (room.get_mut(..len), from.get(..len)) {
        room.copy_from_slice(from);
    }
}
