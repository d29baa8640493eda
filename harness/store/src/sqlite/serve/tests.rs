use super::*;
use crate::config::{JournalMode, SqliteConfig, Synchronous};
use std::{path::Path, sync::Mutex};
use tokio::sync::oneshot::Receiver;

fn id(text: &str) -> SessionId {
    SessionId::try_from(text).unwrap()
}

fn database(dir: &Path, config: SqliteConfig) -> Database {
    Database::open(&dir.join("sessions.sqlite3"), config, 1 << 20).unwrap().0
}

fn quick() -> SqliteConfig {
    SqliteConfig { synchronous: Synchronous::Off, ..SqliteConfig::default() }
}

/// Queues `jobs` before the loop runs, so that what waits together is known, then runs it to its end.
fn run(database: Database, jobs: Vec<Job>, most: usize) -> Groups {
    let (queue, waiting) = mpsc::channel(jobs.len().max(1));
    jobs.into_iter().for_each(|job| queue.try_send(job).ok().unwrap());
    drop(queue);
    let groups = Mutex::new(Groups::new());
    serve(database, waiting, most, &groups);
    groups.into_inner().unwrap()
}

type Answer<T> = Receiver<Result<T, StoreError>>;

fn save(name: &str, bytes: impl Into<Vec<u8>>) -> (Job, Answer<()>) {
    let (reply, answer) = oneshot::channel();
    (Job::Save(id(name), bytes.into(), reply), answer)
}

fn load(name: &str) -> (Job, Answer<Option<Vec<u8>>>) {
    let (reply, answer) = oneshot::channel();
    (Job::Load(id(name), reply), answer)
}

#[test]
fn saves_that_wait_share_transactions_up_to_the_limit_and_all_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (jobs, mut answers): (Vec<_>, Vec<_>) = (0..100).map(|n| save(&format!("s{n}"), format!("{n}"))).unzip();
    // 100 saves at most 16 at a time: six of 16 and one of 4.
    assert_eq!(run(database(dir.path(), quick()), jobs, 16), Groups::from([(16, 6), (4, 1)]));
    answers.iter_mut().for_each(|answer| answer.try_recv().unwrap().unwrap());
    let (jobs, mut answers): (Vec<_>, Vec<_>) = (0..100).map(|n| load(&format!("s{n}"))).unzip();
    assert_eq!(run(database(dir.path(), quick()), jobs, 16), Groups::new());
    for (n, answer) in answers.iter_mut().enumerate() {
        assert_eq!(answer.try_recv().unwrap().unwrap().unwrap(), n.to_string().into_bytes());
    }
}

#[test]
fn with_a_limit_of_one_each_save_is_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (jobs, mut answers): (Vec<_>, Vec<_>) = (0..5).map(|n| save(&format!("s{n}"), "x")).unzip();
    assert_eq!(run(database(dir.path(), quick()), jobs, 1), Groups::from([(1, 5)]));
    answers.iter_mut().for_each(|answer| answer.try_recv().unwrap().unwrap());
}

#[test]
fn a_load_behind_a_save_of_its_session_sees_it_and_others_see_what_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let (jobs, _answers): (Vec<_>, Vec<_>) = ["a", "b"].iter().map(|name| save(name, "old")).unzip();
    run(database(dir.path(), quick()), jobs, 16);
    let ((one, _), (two, mut two_a), (three, mut three_a), (four, _)) = (save("a", "new"), load("b"), load("a"), save("b", "new"));
    let (last, mut last_a) = load("b");
    // The load of `a` ends the group of the save before it.
    assert_eq!(run(database(dir.path(), quick()), vec![one, two, three, four, last], 16), Groups::from([(1, 2)]));
    assert_eq!(two_a.try_recv().unwrap().unwrap().unwrap(), b"old");
    assert_eq!(three_a.try_recv().unwrap().unwrap().unwrap(), b"new");
    assert_eq!(last_a.try_recv().unwrap().unwrap().unwrap(), b"new");
}

/// A trigger stands for whatever refuses one row, and `max_page_count` for a full disk.
#[test]
fn a_save_that_fails_takes_no_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let database = database(dir.path(), quick());
    let other = rusqlite::Connection::open(dir.path().join("sessions.sqlite3")).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON sessions WHEN new.id LIKE 'bad%' BEGIN SELECT raise(ROLLBACK, 'refused'); END";
    other.execute_batch(refuse).unwrap();
    let names = ["a", "b", "bad1", "c", "bad2", "d"];
    let (jobs, mut answers): (Vec<_>, Vec<_>) = names.iter().map(|name| save(name, "x")).unzip();
    run(database, jobs, 16);
    for (name, answer) in names.iter().zip(&mut answers) {
        assert_eq!(answer.try_recv().unwrap().is_err(), name.starts_with("bad"), "{name}");
    }
    let kept: i64 = other.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 4);
}

#[test]
fn on_a_full_disk_what_fits_is_kept_and_the_rest_is_refused_by_name() {
    for journal_mode in [JournalMode::Wal, JournalMode::Delete] {
        let dir = tempfile::tempdir().unwrap();
        let database = database(dir.path(), SqliteConfig { journal_mode, ..quick() });
        database.limit_pages(30);
        let old: Vec<u8> = vec![b'o'; 2000];
        let (mut jobs, _kept): (Vec<_>, Vec<_>) = (0..4).map(|n| save(&format!("s{n}"), old.clone())).unzip();
        let (more, mut answers): (Vec<_>, Vec<_>) = (0..40).map(|n| save(&format!("s{n}"), vec![b'n'; 6000])).unzip();
        jobs.extend(more);
        run(database, jobs, 8);
        let outcomes: Vec<_> = answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect();
        let full = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(ToString::to_string);
        assert!(full.clone().count() > 20 && full.clone().all(|why| why.contains("free space on its filesystem")), "{journal_mode:?}");
        let file = rusqlite::Connection::open(dir.path().join("sessions.sqlite3")).unwrap();
        assert_eq!(file.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
        for (n, outcome) in outcomes.iter().enumerate() {
            let row = file.query_row("SELECT body FROM sessions WHERE id = ?1", [format!("s{n}")], |row| row.get::<_, Vec<u8>>(0));
            match outcome {
                Ok(()) => assert_eq!(row.unwrap(), vec![b'n'; 6000], "{journal_mode:?} s{n}"),
                Err(_) if n < 4 => assert_eq!(row.unwrap(), old, "{journal_mode:?} s{n}"),
                Err(_) => assert!(row.is_err(), "{journal_mode:?} s{n}"),
            }
        }
    }
}
