use super::*;
use crate::config::{JournalMode, Synchronous};
use rusqlite::Connection;
use std::time::Duration;

fn plain() -> SqliteConfig {
    SqliteConfig { synchronous: Synchronous::Off, ..SqliteConfig::default() }
}

fn id(text: &str) -> SessionId {
    SessionId::try_from(text).unwrap()
}

async fn open(dir: &Path, config: SqliteConfig) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(dir, config, 1000).await
}

#[tokio::test]
async fn every_pragma_is_in_force_and_rows_survive_a_reopen() {
    use JournalMode::{Delete, Memory, Off, Persist, Truncate, Wal};
    let levels = [Synchronous::Off, Synchronous::Normal, Synchronous::Full, Synchronous::Extra];
    let dir = tempfile::tempdir().unwrap();
    for (at, journal_mode) in [Delete, Truncate, Persist, Memory, Wal, Off].into_iter().enumerate() {
        for (level, synchronous) in levels.into_iter().enumerate() {
            let cache_size = if level % 2 == 0 { 500 } else { -3000 };
            let config = SqliteConfig { journal_mode, synchronous, cache_size, prepared: level < 2, ..SqliteConfig::default() };
            let store = open(dir.path(), config).await.unwrap();
            assert_eq!(store.report()["journal_mode"], journal_mode.word());
            assert_eq!(store.report()["synchronous"], level.to_string());
            assert_eq!(store.report()["cache_size"], cache_size.to_string());
            assert_eq!(store.report()["busy_timeout"], "5000");
            let body = format!("{at} {level}").into_bytes();
            store.save(&id("s"), b"before".to_vec()).await.unwrap();
            store.save(&id("s"), body.clone()).await.unwrap();
            store.close().await.unwrap();
            let again = open(dir.path(), config).await.unwrap();
            assert_eq!(again.load(&id("s")).await.unwrap().unwrap(), body);
            assert_eq!(again.load(&id("t")).await.unwrap(), None);
            again.close().await.unwrap();
        }
    }
}

#[test]
fn a_setting_sqlite_does_not_take_is_an_error() {
    let refused = Database::open(Path::new(":memory:"), plain(), 1000).err().unwrap();
    let why = refused.to_string();
    assert!(matches!(refused, StoreError::Pragma { pragma: "journal_mode", .. }), "{why}");
    assert!(why.contains("journal_mode = wal, it reports memory"), "{why}");
}

#[tokio::test]
async fn rows_are_listed_deleted_and_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), plain()).await.unwrap();
    for name in ["b", "a", "C"] {
        store.save(&id(name), name.as_bytes().to_vec()).await.unwrap();
    }
    assert_eq!(store.ids().await.unwrap(), [id("C"), id("a"), id("b")]);
    assert!(store.delete(&id("a")).await.unwrap());
    assert!(!store.delete(&id("a")).await.unwrap());
    assert_eq!(store.set_aside(&id("b"), "no session").await.unwrap(), "row 1 of table corrupt");
    store.save(&id("b"), b"again".to_vec()).await.unwrap();
    assert_eq!(store.set_aside(&id("b"), "still none").await.unwrap(), "row 2 of table corrupt");
    assert_eq!(store.load(&id("b")).await.unwrap(), None);
    store.close().await.unwrap();

    let file = Connection::open(dir.path().join(FILE)).unwrap();
    let row = |number: i64| {
        let columns = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?));
        file.query_row("SELECT id, why, body FROM corrupt WHERE number = ?1", [number], columns).unwrap()
    };
    assert_eq!(row(1), ("b".to_owned(), "no session".to_owned(), b"b".to_vec()));
    assert_eq!(row(2), ("b".to_owned(), "still none".to_owned(), b"again".to_vec()));
}

#[tokio::test]
async fn no_more_than_the_limit_is_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), plain()).await.unwrap();
    store.save(&id("s"), vec![b' '; 5000]).await.unwrap();
    assert_eq!(store.load(&id("s")).await.unwrap().unwrap().len(), 1001);
}

#[tokio::test]
async fn files_that_are_not_ours_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    std::fs::write(&path, "this is no database, and it is long enough to be read as the header of one, is it not? ".repeat(9)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let why = open(dir.path(), plain()).await.err().unwrap().to_string();
    assert!(why.contains(FILE) && why.contains("move the file away"), "{why}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refused = open(dir.path(), plain()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Layout { found: 7, known: 2, .. }), "{refused}");
}

#[tokio::test]
async fn a_file_of_the_first_layout_is_read_and_written_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = Connection::open(dir.path().join(FILE)).unwrap();
    let first = "CREATE TABLE sessions(id TEXT PRIMARY KEY NOT NULL, body BLOB NOT NULL) WITHOUT ROWID, STRICT;
        CREATE TABLE corrupt(number INTEGER PRIMARY KEY, id TEXT NOT NULL, why TEXT NOT NULL, body ANY) STRICT;
        INSERT INTO sessions VALUES('old', x'6f6c64'), ('bad', x'00');
        PRAGMA user_version = 1;";
    file.execute_batch(first).unwrap();
    drop(file);
    let store = open(dir.path(), plain()).await.unwrap();
    assert_eq!(store.load(&id("old")).await.unwrap().unwrap(), b"old");
    store.save(&id("new"), b"new".to_vec()).await.unwrap();
    store.save(&id("old"), b"newer".to_vec()).await.unwrap();
    assert_eq!(store.set_aside(&id("bad"), "why").await.unwrap(), "row 1 of table corrupt");
    store.close().await.unwrap();
    let store = open(dir.path(), plain()).await.unwrap();
    assert_eq!(store.load(&id("old")).await.unwrap().unwrap(), b"newer");
    assert_eq!(store.ids().await.unwrap(), [id("new"), id("old")]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn another_page_size_than_that_of_the_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), SqliteConfig { page_size: 8192, ..plain() }).await.unwrap().close().await.unwrap();
    let refused = open(dir.path(), plain()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Pragma { pragma: "page_size", .. }), "{refused}");
    let store = open(dir.path(), SqliteConfig { page_size: 8192, ..plain() }).await.unwrap();
    assert_eq!(store.report()["page_size"], "8192");
}

#[tokio::test]
async fn settings_of_reading_and_locking_are_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let (temp_store, locking) = (crate::config::TempStore::Memory, crate::config::Locking::Exclusive);
    let config = SqliteConfig { mmap_size: 1 << 20, temp_store, locking, wal_autocheckpoint: 7, busy_timeout: 123, ..plain() };
    let store = open(dir.path(), config).await.unwrap();
    let report = store.report();
    let got = ["mmap_size", "temp_store", "locking_mode", "wal_autocheckpoint", "busy_timeout"].map(|name| report[name].as_str());
    assert_eq!(got, ["1048576", "2", "exclusive", "7", "123"]);
    store.save(&id("s"), b"x".to_vec()).await.unwrap();
    // Another program cannot even read it.
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    assert!(other.query_row("SELECT count(*) FROM sessions", [], |_| Ok(())).is_err());
}

#[tokio::test]
async fn a_file_that_is_damaged_in_its_middle_is_an_error_with_a_remedy_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), SqliteConfig { journal_mode: JournalMode::Delete, ..plain() }).await.unwrap();
    for n in 0..200 {
        store.save(&id(&format!("s{n:03}")), vec![b'x'; 900]).await.unwrap();
    }
    store.close().await.unwrap();
    let path = dir.path().join(FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 8192].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = open(dir.path(), SqliteConfig { journal_mode: JournalMode::Delete, ..plain() }).await.unwrap();
    let (mut read, mut refused) = (0, 0);
    for n in 0..200 {
        match store.load(&id(&format!("s{n:03}"))).await {
            Ok(Some(body)) => read += u32::from(body == vec![b'x'; 900]),
            Ok(None) => {}
            Err(why) => {
                assert!(why.to_string().contains(".recover, or restore a copy"), "{why}");
                refused += 1;
            }
        }
    }
    assert!(read > 50 && refused > 0, "{read} read, {refused} refused");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let why = open(&dir.path().join("gone"), plain()).await.err().unwrap().to_string();
    assert!(why.contains("gone") && why.contains("make the file and its directory writable"), "{why}");
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), plain()).await.unwrap();
    let names: Vec<String> = (0..100).map(|n| format!("s{n}")).collect();
    // Queued without waiting for the answers: dropped futures are still done, in order, before the close.
    for name in &names {
        let (reply, _) = oneshot::channel();
        store.jobs.send(Job::Save(id(name), b"x".to_vec(), reply)).await.ok().unwrap();
    }
    store.close().await.unwrap();
    assert!(matches!(store.save(&id("late"), Vec::new()).await, Err(StoreError::Closed)));
    assert!(matches!(store.close().await, Err(StoreError::Closed)));
    let again = open(dir.path(), plain()).await.unwrap();
    assert_eq!(again.ids().await.unwrap().len(), names.len());
}

/// The last connection to close folds the log into the file and removes it.
#[tokio::test]
async fn dropping_the_handle_ends_the_thread_and_closes_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), plain()).await.unwrap();
    store.save(&id("s"), b"x".to_vec()).await.unwrap();
    let log = dir.path().join(format!("{FILE}-wal"));
    assert!(log.exists());
    drop(store);
    for _ in 0..1000 {
        if !log.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the file is still open after 10 s");
}
