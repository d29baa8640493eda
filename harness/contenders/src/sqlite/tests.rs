use super::*;
use crate::Limit;
use std::collections::BTreeMap;

fn opening(dir: &tempfile::TempDir, settings: &[(&str, &str)]) -> Opening {
    let documents = (0..7).map(|n| format!("{{\"document\":{n},\"text\":\"it's {}\"}}", "word ".repeat(400 + n)).into_bytes()).collect();
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Opening { dir: dir.path().to_owned(), documents, seed: 5, settings }
}

/// Nothing is flushed: what is tested is what the ways do, not how durable it is.
const QUICK: (&str, &str) = ("store.sqlite.synchronous", "off");

fn run(way: &Way, settings: &[(&str, &str)], batches: u32) -> Result<BTreeMap<String, String>, Refusal> {
    let dir = tempfile::tempdir().unwrap();
    let mut contender = (way.open)(&opening(&dir, settings))?;
    for _ in 0..batches {
        let batch = contender.batch().map_err(Refusal::Failed)?;
        assert!(batch.operations > 0 && batch.bytes_in > 0, "{}", way.name);
        contender.between().unwrap();
    }
    contender.finish().map_err(Refusal::Failed)
}

fn way(job: &'static Job, name: &str) -> &'static Way {
    job.ways.iter().find(|way| way.name == name).unwrap()
}

static JOBS: [Job; 3] = [WRITE, READ, MIXED];

#[test]
fn every_way_does_its_job_and_reads_its_settings_back() {
    for job in &JOBS {
        for way in job.ways {
            let seen = run(way, &[QUICK, ("store.sqlite.cache-size", "321")], 3).unwrap_or_else(|why| panic!("{}: {why}", way.name));
            assert_eq!((seen["sqlite.cache_size"].as_str(), seen["durability"].as_str()), ("321", "unsafe"), "{}", way.name);
        }
    }
}

#[test]
fn every_way_works_or_says_why_not_with_a_rollback_journal() {
    for job in &JOBS {
        for way in job.ways {
            match run(way, &[QUICK, ("store.sqlite.journal-mode", "delete")], 2) {
                Ok(seen) => assert_eq!(seen["sqlite.journal_mode"], "delete"),
                Err(Refusal::NotHere(why)) => assert!(why.contains("journal-mode = wal"), "{}: {why}", way.name),
                Err(why) => panic!("{}: {why}", way.name),
            }
        }
    }
}

#[test]
fn a_log_that_is_never_folded_back_grows_and_one_that_is_does_not() {
    let size = |name: &str| -> u64 { run(way(&JOBS[0], name), &[QUICK], 1100).unwrap()["wal-largest-bytes"].parse().unwrap() };
    let (off, truncated) = (size("autocheckpoint-off"), size("checkpointer-truncate"));
    // 1100 transactions of at least one page of 4 KiB each.
    assert!(off > 1100 * 4096, "{off}");
    assert!(truncated < off, "{truncated} of {off}");
    let seen = run(way(&JOBS[0], "checkpointer-passive"), &[QUICK], 1100).unwrap();
    assert!(seen["checkpoints"].parse::<u32>().unwrap() >= 1);
    let stuck = run(way(&JOBS[0], "stuck-reader"), &[QUICK, ("store.sqlite.wal-autocheckpoint", "20")], 300).unwrap();
    // An automatic checkpoint would keep the log near 20 pages.
    assert!(stuck["wal-largest-bytes"].parse::<u64>().unwrap() > 300 * 4096, "{stuck:?}");
}

#[test]
fn deferred_transactions_that_meet_fail_and_immediate_ones_wait() {
    let again = |name: &str| -> u64 {
        let seen = run(way(&JOBS[0], name), &[QUICK], 40).unwrap();
        seen["busy"].parse::<u64>().unwrap() + seen["busy-snapshot"].parse::<u64>().unwrap()
    };
    assert_eq!(again("immediate-two-writers"), 0);
    // Whether two threads meet is the host's business; on any host they do so within a few hundred batches.
    assert!((0..30).any(|_| again("deferred-two-writers") > 0));
}

#[test]
fn callers_at_once_share_transactions_unless_told_not_to() {
    let seen = run(way(&JOBS[0], "group-commit-64"), &[QUICK], 20).unwrap();
    assert!(seen["transactions-by-saves"].contains("16+") || seen["transactions-by-saves"].contains("32+"), "{seen:?}");
    let seen = run(way(&JOBS[0], "store-64-alone"), &[QUICK], 2).unwrap();
    assert!(seen["transactions-by-saves"].starts_with("1+: ") && !seen["transactions-by-saves"].contains(','), "{seen:?}");
}

#[test]
fn the_limit_is_the_flushes_that_the_settings_need() {
    let limit = |mode: &str, level: &str, rows| {
        let (journal_mode, synchronous) = (mode.parse().unwrap(), level.parse().unwrap());
        limit(&SqliteConfig { journal_mode, synchronous, ..SqliteConfig::default() }, rows)
    };
    assert_eq!(limit("wal", "full", 1), Some(Limit::Flushes(1000)));
    assert_eq!(limit("delete", "extra", 10), Some(Limit::Flushes(500)));
    assert_eq!(limit("delete", "full", 1000), Some(Limit::Flushes(4)));
    assert_eq!(limit("wal", "normal", 1), None);
    assert_eq!(limit("delete", "off", 1), None);
}

#[test]
fn what_was_not_written_is_found_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let opening = opening(&dir, &[QUICK]);
    let mut table = table::Table::open(&opening, config(&opening).unwrap()).unwrap();
    let lost = table.rows.next(3);
    table.rows.written(&lost);
    assert!(table.finish().unwrap_err().contains("row 3 does not hold"));
}

#[test]
fn settings_that_cannot_be_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |settings: &[(&str, &str)]| (WRITE.ways[0].open)(&opening(&dir, settings)).err().unwrap().to_string();
    assert!(refused(&[("store.sqlite.synchronous", "maybe")]).contains("store.sqlite.synchronous"));
    let gone = Opening { dir: dir.path().join("gone"), ..opening(&dir, &[]) };
    assert!((WRITE.ways[0].open)(&gone).err().unwrap().to_string().contains("cannot open"));
}
