//! The model against what is known of these settings: who promises not to lose anything, and who is known to.

use std::sync::Arc;

use store::Store;
use store::config::{Durability, JournalMode, Sync, Synchronous, Write};

use super::*;
use crate::disk::RecordingDisk;
use crate::record::record;
use crate::recorder::Recorder;
use crate::subject::{SUBJECTS, Subject};
use crate::tally::Class;
use crate::writer::Writer;

const WRITES: u64 = 24;
const POINTS: usize = 18;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn scratch() -> tempfile::TempDir {
    // In memory where there is such a filesystem: what is tested does not depend on the disk.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn judge(recording: &Recording, filesystem: Filesystem, points: usize, seed: u64, scratch: &Path) -> Power {
    power_loss(&runtime(), recording, filesystem, Sample { points, seed }, scratch, &mut Verdicts::default()).unwrap()
}

/// Under POSIX alone: what ext4 permits is permitted by POSIX, which tests of the model hold it to.
fn class(subject: Subject, seed: u64) -> Class {
    let scratch = scratch();
    let recording = record(&runtime(), subject, scratch.path(), WRITES, seed).unwrap();
    let power = judge(&recording, Filesystem::Posix, POINTS, seed, scratch.path());
    assert!(power.points > 10 && power.tally.crashes >= power.points && power.distinct > 10, "{power:?}");
    power.tally.class()
}

const SAFE: [Subject; 5] = [
    Subject::Files(Write::Rename, Sync::FileAndDir),
    Subject::Sqlite(JournalMode::Wal, Synchronous::Full),
    Subject::Sqlite(JournalMode::Delete, Synchronous::Extra),
    Subject::Sqlite(JournalMode::Truncate, Synchronous::Full),
    Subject::Sqlite(JournalMode::Persist, Synchronous::Full),
];

#[test]
fn what_is_known_to_be_safe_is_never_flagged() {
    for subject in SAFE {
        for seed in 1..3 {
            assert_eq!(class(subject, seed), Class::Durable, "{} seed {seed}", subject.id());
        }
    }
}

#[test]
fn what_is_known_to_be_unsafe_is_always_flagged() {
    let sqlite = Subject::Sqlite;
    for subject in [
        Subject::Files(Write::Truncate, Sync::None),
        Subject::Files(Write::InPlace, Sync::None),
        sqlite(JournalMode::Wal, Synchronous::Off),
        sqlite(JournalMode::Delete, Synchronous::Off),
        sqlite(JournalMode::Memory, Synchronous::Full),
        sqlite(JournalMode::Off, Synchronous::Full),
    ] {
        for seed in 1..3 {
            assert_eq!(class(subject, seed), Class::Unsafe, "{} seed {seed}", subject.id());
        }
    }
}

#[test]
fn what_is_known_to_lose_writes_loses_them_and_corrupts_nothing() {
    for (subject, least, most) in [
        (Subject::Files(Write::Rename, Sync::File), 1, 1),
        // The removal of the journal is not flushed, so a crash rolls the last commit back.
        (Subject::Sqlite(JournalMode::Delete, Synchronous::Full), 1, 1),
        (Subject::Sqlite(JournalMode::Wal, Synchronous::Normal), 2, WRITES),
    ] {
        let scratch = scratch();
        let recording = record(&runtime(), subject, scratch.path(), WRITES, 5).unwrap();
        let power = judge(&recording, Filesystem::Ext4, 40, 5, scratch.path());
        assert_eq!(power.tally.class(), Class::Consistent, "{}: {power:?}", subject.id());
        assert!((least..=most).contains(&power.tally.lost_max), "{}: {power:?}", subject.id());
    }
}

/// SQLite's page on `synchronous` says of NORMAL with a rollback journal that power loss "at just the wrong time" might corrupt the database. This
/// is such a time: header and records of a journal are under one flush, a record's checksum adds up every 200th byte, and all of
/// those that page 1 has in one block can be zero, so that a record without that block passes and is rolled back into the database.
#[test]
fn a_rollback_journal_under_one_flush_can_damage() {
    let scratch = scratch();
    let judged = |level| {
        let recording = record(&runtime(), Subject::Sqlite(JournalMode::Delete, level), scratch.path(), 6, 1).unwrap();
        judge(&recording, Filesystem::Posix, usize::MAX, 1, scratch.path())
    };
    let normal = judged(Synchronous::Normal);
    assert_eq!((normal.tally.class(), normal.points > 100), (Class::Unsafe, true), "{normal:?}");
    // Two flushes, the records before the header that counts them, are not damaged by the same states.
    let full = judged(Synchronous::Full);
    assert_eq!(full.tally.class(), Class::Consistent, "{full:?}");
}

/// `store` states a durability for each pair of settings, and refers to measurements: these.
#[test]
fn no_store_promises_more_than_is_found() {
    for subject in SUBJECTS.iter().filter(|subject| !SAFE.contains(subject)) {
        let promised = match subject.config().durability() {
            Durability::Durable => Class::Durable,
            Durability::Consistent => Class::Consistent,
            Durability::Unsafe => continue,
        };
        let scratch = scratch();
        let recording = record(&runtime(), *subject, scratch.path(), WRITES / 2, 11).unwrap();
        let power = judge(&recording, Filesystem::Posix, POINTS / 2, 11, scratch.path());
        assert!(power.tally.class() <= promised, "{}: {power:?}", subject.id());
    }
}

/// Acknowledging before writing is the plainest way to lose an acknowledged write.
#[test]
fn a_store_that_acknowledges_too_early_is_flagged() {
    let subject = Subject::Files(Write::Rename, Sync::FileAndDir);
    let (scratch, runtime) = (scratch(), runtime());
    let dir = tempfile::tempdir_in(scratch.path()).unwrap();
    let recorder = Arc::new(Recorder::new(dir.path()));
    runtime.block_on(async {
        let store = Store::open_on(&subject.config(), dir.path(), RecordingDisk(Arc::clone(&recorder))).await.unwrap();
        let mut writer = Writer::new(1).unwrap();
        for number in 1..=WRITES {
            recorder.begin(number);
            recorder.acknowledge(number);
            writer.write(&store).await.unwrap();
        }
    });
    let recording = Recording { subject, seed: 1, log: recorder.log() };
    let power = judge(&recording, Filesystem::Posix, POINTS, 1, scratch.path());
    assert_eq!((power.tally.class(), power.tally.lost_max), (Class::Consistent, 1), "{power:?}");
}

/// The same recording without its flushes: the model must see that they are missing.
#[test]
fn flushes_that_are_left_out_are_missed() {
    for subject in SAFE {
        let scratch = scratch();
        let mut recording = record(&runtime(), subject, scratch.path(), WRITES, 9).unwrap();
        recording.log.ops.retain(|op| !op.flushes());
        let power = judge(&recording, Filesystem::Posix, POINTS, 9, scratch.path());
        assert_eq!(power.tally.class(), Class::Unsafe, "{}: {power:?}", subject.id());
    }
}

/// The table by which limits are computed, against what the recording VFS counts of each commit.
#[test]
fn flushes_of_a_commit_are_those_of_the_table() {
    let (scratch, mut wrong) = (scratch(), Vec::new());
    for subject in SUBJECTS.iter().filter(|subject| matches!(subject, Subject::Sqlite(..))) {
        let recording = record(&runtime(), *subject, scratch.path(), 11, 1).unwrap();
        let mut counts = recording.log.flushes_of_writes();
        counts.sort_unstable();
        // The median, because some commits of a write-ahead log make a checkpoint.
        if counts.get(5) != Some(&subject.config().sqlite.flushes_per_commit()) {
            wrong.push((subject.id(), counts));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_same_seed_gives_the_same_findings() {
    let scratch = scratch();
    let recording = record(&runtime(), Subject::Sqlite(JournalMode::Wal, Synchronous::Off), scratch.path(), 8, 3).unwrap();
    let judged = |seed| judge(&recording, Filesystem::Posix, 20, seed, scratch.path());
    assert_eq!(judged(1), judged(1));
}

#[test]
fn half_of_a_sample_of_crash_points_lies_before_flushes() {
    let ops = |flushes: usize, others: usize| {
        let log = Log { ops: [vec![Op::SyncDir; flushes], vec![Op::Begin(1); others]].concat() };
        let points = points(&log, 20, &mut Pcg64Mcg::seed_from_u64(1));
        assert!(points.is_sorted_by(|a, b| a < b));
        (points.len(), points.iter().filter(|point| **point < flushes).count())
    };
    assert_eq!(ops(50, 50), (20, 10));
    assert_eq!(ops(3, 50), (20, 3));
    assert_eq!(ops(50, 4), (20, 15));
    assert_eq!(ops(5, 4), (10, 5));
}
