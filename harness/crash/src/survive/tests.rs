use super::*;
use crate::choose::{Drawn, Fixed, Odometer};

const ALL: Fixed = Fixed { names: true, sizes: true, data: true };
const NONE: Fixed = Fixed { names: false, sizes: false, data: false };

fn create(name: &str, node: u32) -> Op {
    Op::Create { name: name.to_owned(), node: Node(node) }
}

fn write(node: u32, offset: u64, byte: u8, len: usize) -> Op {
    Op::Write { node: Node(node), offset, bytes: vec![byte; len] }
}

fn sync(node: u32) -> Op {
    Op::Sync { node: Node(node) }
}

fn truncate(node: u32, len: u64) -> Op {
    Op::Truncate { node: Node(node), len }
}

fn rename(from: &str, to: &str, node: u32, replaced: bool) -> Op {
    Op::Rename { from: from.to_owned(), to: to.to_owned(), node: Node(node), replaced }
}

/// Every state at the end of `ops`.
fn every(ops: &[Op], filesystem: Filesystem) -> Vec<Image> {
    let mut odometer = Odometer::default();
    let mut images = Vec::new();
    loop {
        images.push(survivors(ops, ops.len(), filesystem, &mut odometer));
        assert!(images.len() < 100_000);
        if !odometer.advance() {
            return images;
        }
    }
}

/// Every content that `name` can have; `None` where it can be gone.
fn contents(ops: &[Op], filesystem: Filesystem, name: &str) -> Vec<Option<Vec<u8>>> {
    let mut all: Vec<Option<Vec<u8>>> = every(ops, filesystem).into_iter().map(|mut image| image.remove(name)).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn what_is_flushed_stays_and_what_is_not_may_go() {
    let ops = [create("a", 0), write(0, 0, 1, 100), sync(0), Op::SyncDir, write(0, 0, 2, 100)];
    for filesystem in [Filesystem::Posix, Filesystem::Ext4] {
        let found = contents(&ops, filesystem, "a");
        assert!(found.contains(&Some(vec![1; 100])) && found.contains(&Some(vec![2; 100])) && found.len() == 2, "{found:?}");
    }
    let without_dir: Vec<Op> = ops.iter().filter(|op| **op != Op::SyncDir).cloned().collect();
    assert!(contents(&without_dir, Filesystem::Posix, "a").contains(&None));
    // On ext4 flushing a new file makes its name last too.
    assert!(!contents(&without_dir, Filesystem::Ext4, "a").contains(&None));
}

/// The bug of a recording by name: a new journal under the name of one whose removal is lost would be written into the old one.
#[test]
fn a_new_file_under_the_name_of_a_removed_one_is_another_inode() {
    let ops = [
        create("j", 0),
        write(0, 0, 1, 3 * BLOCK),
        sync(0),
        Op::SyncDir,
        Op::Unlink { name: "j".to_owned() },
        create("j", 1),
        write(1, 0, 2, BLOCK),
        sync(1),
    ];
    let found = contents(&ops, Filesystem::Posix, "j");
    assert_eq!(found, [None, Some(vec![1; 3 * BLOCK]), Some(vec![2; BLOCK])]);
}

#[test]
fn blocks_survive_apart_and_tear_at_sectors() {
    let ops = [create("a", 0), write(0, 0, 1, 2 * BLOCK), sync(0), Op::SyncDir, write(0, 0, 2, 2 * BLOCK)];
    let found = contents(&ops, Filesystem::Posix, "a");
    let kinds: std::collections::BTreeSet<(u8, u8)> = found.iter().flatten().map(|bytes| (bytes[0], bytes[BLOCK])).collect();
    assert_eq!(kinds.len(), 4, "each block is old or new, whatever the other is");
    // Old, new, and three ways to tear, of each block.
    assert_eq!(found.len(), 25);
    for bytes in found.iter().flatten() {
        assert!(bytes.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])), "a sector is torn");
    }
}

#[test]
fn a_size_without_its_data_is_zeros_in_posix_and_not_on_ext4() {
    let ops = [create("a", 0), Op::SyncDir, write(0, 0, 7, 10)];
    assert_eq!(contents(&ops, Filesystem::Posix, "a"), [Some(vec![]), Some(vec![0; 10]), Some(vec![7; 10])]);
    assert_eq!(contents(&ops, Filesystem::Ext4, "a"), [Some(vec![]), Some(vec![7; 10])]);
}

#[test]
fn a_lost_cut_keeps_the_old_blocks_whole() {
    let ops = [create("a", 0), write(0, 0, 1, 10), sync(0), Op::SyncDir, truncate(0, 0), write(0, 0, 2, 4)];
    let found = contents(&ops, Filesystem::Posix, "a");
    assert_eq!(found, [Some(vec![]), Some(vec![0; 4]), Some(vec![1; 10]), Some(vec![2; 4])]);
    // Once it is closed, ext4 replaces it as a whole.
    let closed: Vec<Op> = ops.iter().cloned().chain([Op::Close { node: Node(0) }]).collect();
    assert_eq!(contents(&closed, Filesystem::Ext4, "a"), [Some(vec![1; 10]), Some(vec![2; 4])]);
    assert!(contents(&ops, Filesystem::Ext4, "a").contains(&Some(vec![])), "but not before");
}

#[test]
fn a_rename_without_a_flush_may_name_an_empty_file_in_posix_and_not_on_ext4() {
    let ops = [
        create("a", 0),
        write(0, 0, 1, 10),
        sync(0),
        Op::SyncDir,
        create("t", 1),
        write(1, 0, 2, 10),
        Op::Close { node: Node(1) },
        rename("t", "a", 1, true),
    ];
    assert_eq!(contents(&ops, Filesystem::Posix, "a"), [Some(vec![]), Some(vec![0; 10]), Some(vec![1; 10]), Some(vec![2; 10])]);
    assert_eq!(contents(&ops, Filesystem::Ext4, "a"), [Some(vec![1; 10]), Some(vec![2; 10])]);
}

#[test]
fn names_survive_as_an_ordered_prefix_from_the_last_flush_of_the_directory() {
    let ops = [create("a", 0), create("b", 1), Op::SyncDir, rename("a", "c", 0, false), Op::Unlink { name: "b".to_owned() }];
    let sets: Vec<Vec<String>> = every(&ops, Filesystem::Posix).into_iter().map(|image| image.into_keys().collect()).collect();
    assert_eq!(sets, [vec!["a", "b"], vec!["b", "c"], vec!["c"]]);
}

/// What is drawn is among what an odometer goes through, and the extremes are what they are called.
#[test]
fn drawn_states_are_permitted_states() {
    let ops = [
        create("a", 0),
        write(0, 0, 1, 5000),
        sync(0),
        Op::SyncDir,
        write(0, 4000, 2, 3000),
        truncate(0, 100),
        write(0, 50, 3, 100),
        Op::Unlink { name: "a".to_owned() },
        create("a", 1),
    ];
    for filesystem in [Filesystem::Posix, Filesystem::Ext4] {
        let permitted = every(&ops, filesystem);
        for seed in 0..300 {
            let drawn = survivors(&ops, ops.len(), filesystem, &mut Drawn::new(seed));
            assert!(permitted.contains(&drawn), "{filesystem:?} seed {seed}");
        }
        let most = survivors(&ops, ops.len(), filesystem, &mut ALL.clone());
        assert_eq!(most, Image::from([("a".to_owned(), Vec::new())]));
        let mut first = vec![1; 5000];
        assert_eq!(survivors(&ops, ops.len(), filesystem, &mut NONE.clone())["a"], first);
        first.truncate(100);
        assert!(permitted.iter().any(|image| image["a"].len() == 100 && image["a"][..50] == first[..50]));
    }
}

#[test]
fn ext4_permits_nothing_that_posix_does_not() {
    let ops = [
        create("a", 0),
        write(0, 0, 1, 10),
        Op::Close { node: Node(0) },
        create("t", 1),
        write(1, 0, 2, 5000),
        sync(1),
        rename("t", "a", 1, true),
        create("b", 2),
        write(2, 0, 3, 9),
    ];
    for point in 0..=ops.len() {
        let posix = every(&ops[..point], Filesystem::Posix);
        assert!(every(&ops[..point], Filesystem::Ext4).iter().all(|image| posix.contains(image)), "point {point}");
    }
}
