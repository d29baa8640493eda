use super::*;
use crate::{
    config::{Api, JournalMode, Sync, Synchronous, Write},
    session::{Message, Role},
};
use std::fs;

mod packed;

fn id(text: &str) -> SessionId {
    SessionId::try_from(text).unwrap()
}

fn turn(text: &str) -> Message {
    Message { role: Role::Tool, tool: "echo".to_owned(), digest: 42, text: text.to_owned() }
}

fn session(name: &str, turns: u32) -> Session {
    let mut session = Session::new(id(name));
    (0..turns).for_each(|n| session.record_turn(turn(&format!("turn {n}")), 100));
    session
}

/// Every backend with each of its settings once.
fn configs() -> Vec<Config> {
    let base = Config { kind: Kind::Files, session_max: 4096, ..Config::default() };
    let mut all = Vec::new();
    for api in [Api::Std, Api::Tokio] {
        for write in [Write::Truncate, Write::InPlace, Write::Rename] {
            for sync in [Sync::None, Sync::File, Sync::FileAndDir] {
                all.push(Config { files: crate::config::FilesConfig { api, write, sync }, ..base.clone() });
            }
        }
    }
    for (journal_mode, prepared) in [(JournalMode::Delete, true), (JournalMode::Wal, true), (JournalMode::Wal, false)] {
        let sqlite = crate::config::SqliteConfig {
            journal_mode,
            synchronous: Synchronous::Normal,
            cache_size: 10000,
            prepared,
            ..Default::default()
        };
        all.push(Config { kind: Kind::Sqlite, sqlite, ..base.clone() });
    }
    all
}

/// One config of each kind that keeps something; files without flushes, which other tests cover and which take long.
fn kinds() -> [Config; 3] {
    let all = configs();
    [all[6].clone(), all[15].clone(), all[19].clone()]
}

#[test]
fn the_table_is_in_order_and_agrees_with_the_setting() {
    let words: Vec<_> = STORES.iter().map(|row| row.name).collect();
    let setting = crate::SETTINGS.iter().find(|row| row.0 == "store.kind").unwrap();
    assert_eq!(setting.1, format!("choice {}", words.join("|")));
    for (at, row) in STORES.iter().enumerate() {
        assert_eq!((row.kind as usize, row.kind.word()), (at, row.name));
        assert!(!row.doc.is_empty());
    }
}

#[tokio::test]
async fn sessions_survive_saving_and_reopening_on_every_backend() {
    for config in configs() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        assert_eq!(store.load(&id("a")).await.unwrap(), None, "{config:?}");
        for turns in [9, 3] {
            let saved = store.save(&session("a", turns)).await.unwrap();
            assert_eq!(saved.bytes, json::encode(&session("a", turns)).unwrap().len());
            assert_eq!(store.load(&id("a")).await.unwrap(), Some(session("a", turns)), "{config:?}");
        }
        store.save(&session("b", 1)).await.unwrap();
        store.close().await.unwrap();

        let store = Store::open(&config, dir.path()).await.unwrap();
        assert_eq!(store.ids().await.unwrap(), [id("a"), id("b")]);
        assert_eq!(store.load(&id("a")).await.unwrap(), Some(session("a", 3)), "{config:?}");
        assert!(store.delete(&id("a")).await.unwrap());
        assert!(!store.delete(&id("a")).await.unwrap());
        assert_eq!(store.ids().await.unwrap(), [id("b")]);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_kind_none_keeps_nothing_and_touches_no_disk() {
    let config = Config { kind: Kind::None, ..Config::default() };
    let store = Store::open(&config, Path::new("/nowhere/at/all")).await.unwrap();
    assert_eq!(store.save(&session("a", 3)).await.unwrap(), Saved { bytes: 0, kept: 0 });
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
    assert!(store.ids().await.unwrap().is_empty() && !store.delete(&id("a")).await.unwrap());
    assert_eq!(store.describe()["durability"], "unsafe");
    store.close().await.unwrap();
}

/// Puts raw bytes where the store keeps the session.
fn plant(config: &Config, dir: &Path, name: &str, bytes: &[u8]) {
    if config.kind == Kind::Files {
        fs::write(dir.join(format!("{name}.json")), bytes).unwrap();
    } else {
        let file = rusqlite::Connection::open(dir.join("sessions.sqlite3")).unwrap();
        file.execute("INSERT OR REPLACE INTO sessions VALUES(?1, ?2)", rusqlite::params![name, bytes]).unwrap();
    }
}

#[tokio::test]
async fn what_is_corrupt_is_reported_once_and_set_aside() {
    let other = json::encode(&session("other", 1)).unwrap();
    let large = vec![b' '; 5000];
    let cases: [(&[u8], &str); 6] = [
        (b"", "not a session document"),
        (b"{\"schema\":1", "not a session document"),
        (b"\xff\xfe", "not UTF-8"),
        (br#"{"schema":9,"id":"s","turns":0,"messages":[]}"#, "schema 9"),
        (&other, "document of session `other`"),
        (&large, "larger than store.session-max, 4096 bytes"),
    ];
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        for (number, (bytes, expected)) in (1..).zip(cases) {
            plant(&config, dir.path(), "s", bytes);
            let refused = store.load(&id("s")).await.unwrap_err();
            let StoreError::Corrupt { id: whose, why, aside } = &refused else { panic!("{refused}") };
            assert_eq!(*whose, id("s"));
            assert!(why.contains(expected), "{why}");
            assert!(aside.contains(&number.to_string()), "{aside}");
            if config.kind == Kind::Files {
                assert_eq!(fs::read(dir.path().join(aside)).unwrap(), bytes);
            }
            assert_eq!(store.load(&id("s")).await.unwrap(), None);
        }
        store.save(&session("s", 1)).await.unwrap();
        assert_eq!(store.load(&id("s")).await.unwrap(), Some(session("s", 1)));
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_under_a_lock_are_never_lost() {
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (store, lock) = (store.clone(), Arc::clone(&lock));
                tokio::spawn(async move {
                    for n in 0..10 {
                        let _held = lock.lock().await;
                        let mut session = store.load(&id("s")).await.unwrap().unwrap_or_else(|| Session::new(id("s")));
                        session.record_turn(turn(&format!("{task}.{n}")), 20);
                        store.save(&session).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let end = store.load(&id("s")).await.unwrap().unwrap();
        assert_eq!((end.turns(), end.messages().len()), (80, 20), "{config:?}");
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_sessions_need_no_lock() {
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        let tasks: Vec<_> = (0..8u32)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    for turns in 1..=10 + n {
                        store.save(&session(&format!("s{n}"), turns)).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        for n in 0..8 {
            let name = format!("s{n}");
            assert_eq!(store.load(&id(&name)).await.unwrap(), Some(session(&name, 10 + n)));
        }
    }
}

#[tokio::test]
async fn a_session_over_the_limit_is_refused_and_the_old_one_stays() {
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        store.save(&session("s", 1)).await.unwrap();
        let refused = store.save(&session("s", 100)).await.unwrap_err();
        assert!(matches!(refused, StoreError::TooLarge { max: 4096, .. }), "{refused}");
        assert_eq!(store.load(&id("s")).await.unwrap(), Some(session("s", 1)));
    }
}

/// The system's own directories refuse new files to everyone, the superuser of a test container included.
#[tokio::test]
async fn directories_that_cannot_be_used_are_named_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    for config in kinds() {
        let cases = [
            (dir.path().join("no/parent"), "create the directory that holds it"),
            (dir.path().join("file"), "choose another directory"),
            (PathBuf::from("/sys/kernel"), "make it writable for this user"),
            (PathBuf::from("/sys/poolbench"), "make it writable for this user"),
        ];
        for (path, remedy) in cases {
            let why = Store::open(&config, &path).await.err().unwrap().to_string();
            assert!(why.contains(&path.display().to_string()), "{why}");
            assert!(why.contains(remedy) || path.ends_with("file"), "{why}");
        }
        assert!(!dir.path().join("no").exists());
    }
}

#[tokio::test]
async fn a_directory_that_goes_away_is_an_error_and_not_an_empty_store() {
    let [std, tokio, _] = kinds();
    for config in [std, tokio] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("store");
        let store = Store::open(&config, &dir).await.unwrap();
        fs::remove_dir_all(&dir).unwrap();
        let why = store.save(&session("s", 1)).await.unwrap_err().to_string();
        assert!(why.contains("/store/") && why.contains("create the directory"), "{why}");
        assert!(store.ids().await.is_err());
    }
}

#[tokio::test]
async fn a_second_store_is_refused_until_the_first_is_closed_or_dropped() {
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let first = Store::open(&config, dir.path()).await.unwrap();
        assert!(matches!(Store::open(&config, dir.path()).await, Err(StoreError::InUse { .. })));
        let clone = first.clone();
        first.close().await.unwrap();
        assert!(matches!(clone.load(&id("s")).await, Err(StoreError::Closed)));
        assert!(matches!(clone.save(&session("s", 1)).await, Err(StoreError::Closed)));
        let second = Store::open(&config, dir.path()).await.unwrap();
        assert!(matches!(clone.close().await, Err(StoreError::Closed)));
        drop(second);
        Store::open(&config, dir.path()).await.unwrap().close().await.unwrap();
    }
}

#[tokio::test]
async fn the_description_holds_what_is_in_force_and_no_path() {
    for config in kinds() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        let about = store.describe();
        assert_eq!(about["kind"], config.kind.word());
        assert_eq!(about["durability"], config.durability().word());
        assert_ne!(about["filesystem"], "none");
        assert!(about.values().all(|value| !value.contains('/')), "{about:?}");
        match config.kind {
            Kind::Sqlite => assert_eq!((about["sqlite.journal_mode"].as_str(), about["sqlite.cache_size"].as_str()), ("wal", "10000")),
            _ => assert_eq!(about["files.api"], config.files.api.word()),
        }
    }
}

#[tokio::test]
async fn sessions_of_another_kind_are_not_lost_from_sight() {
    let (files, sqlite) = (Config { kind: Kind::Files, ..Config::default() }, Config { kind: Kind::Sqlite, ..Config::default() });
    let packed = Config { compress: Compress::Zstd, ..files.clone() };
    for (first, other, says) in [
        (&packed, &sqlite, "kept as files"),
        (&files, &sqlite, "kept as files, and store.kind is sqlite"),
        (&sqlite, &files, "kept as sqlite"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let session = session("a", 20);
        let store = Store::open(first, dir.path()).await.unwrap();
        store.save(&session).await.unwrap();
        store.close().await.unwrap();
        let why = Store::open(other, dir.path()).await.err().unwrap().to_string();
        assert!(why.contains(says) && why.contains("choose another directory"), "{why}");
        // Nothing was made there, and the refused store holds no lock.
        let store = Store::open(first, dir.path()).await.unwrap();
        assert_eq!(store.load(session.id()).await.unwrap(), Some(session));
    }
    // Other people's JSON is no session.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("package.json"), "{\"name\": \"x\"}").unwrap();
    Store::open(&sqlite, dir.path()).await.unwrap();
}

#[tokio::test]
async fn a_store_on_a_disk_of_its_openers_is_the_file_store() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { kind: Kind::Sqlite, ..Config::default() };
    let store = Store::open_on(&config, dir.path(), StdDisk).await.unwrap();
    let id = SessionId::try_from("a").unwrap();
    store.save(&Session::new(id.clone())).await.unwrap();
    assert_eq!(store.ids().await.unwrap(), std::slice::from_ref(&id));
    assert_eq!(store.load(&id).await.unwrap(), Some(Session::new(id.clone())));
    assert!(dir.path().join("a.json").exists() && store.describe()["kind"] == "files");
    assert!(store.delete(&id).await.unwrap());
}
