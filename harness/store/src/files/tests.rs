use super::*;
use crate::{
    config::Api,
    disk::{
        StdDisk, TokioDisk,
        faulty::{Fault, FaultyDisk},
    },
};
use std::{fs, io::ErrorKind};
use tempfile::TempDir;

const OLD: &[u8] = b"the old session, which is the longer one of the two";
const NEW: &[u8] = b"the new session";
const SYNCS: [Sync; 3] = [Sync::None, Sync::File, Sync::FileAndDir];

fn id(text: &str) -> SessionId {
    SessionId::try_from(text).unwrap()
}

fn config(write: Write, sync: Sync) -> FilesConfig {
    FilesConfig { api: Api::Std, write, sync }
}

async fn open<D: Disk>(disk: D, dir: &TempDir, config: FilesConfig) -> FileStore<D> {
    FileStore::open(disk, dir.path(), config, 1000).await.unwrap()
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What one save under a fault left: whether it was acknowledged, what a fresh process finds, whether the fault fired.
async fn save_under(config: FilesConfig, before: u32, fault: Fault) -> (Result<(), StoreError>, Option<Vec<u8>>, bool) {
    let dir = tempfile::tempdir().unwrap();
    open(StdDisk, &dir, config).await.save(&id("s"), OLD).await.unwrap();
    let store = open(FaultyDisk::default(), &dir, config).await;
    store.disk.arm(before, fault);
    let saved = store.save(&id("s"), NEW).await;
    let fired = store.disk.fired();
    drop(store);
    let after = open(StdDisk, &dir, config).await;
    assert_eq!(names(&dir), ["s.json"], "an unfinished save stays");
    (saved, after.load(&id("s")).await.unwrap(), fired)
}

#[tokio::test]
async fn under_rename_no_fault_loses_an_acknowledged_session() {
    for sync in SYNCS {
        for fault in [Fault::Crash, Fault::Error(ErrorKind::StorageFull), Fault::Error(ErrorKind::PermissionDenied), Fault::Short] {
            let mut points = 0;
            loop {
                let (saved, found, fired) = save_under(config(Write::Rename, sync), points, fault).await;
                let found = found.expect("the session is gone");
                assert!(found == NEW || (found == OLD && saved.is_err()), "{sync:?} {fault:?} at {points}: {saved:?}");
                if !fired {
                    assert!(saved.is_ok());
                    break;
                }
                assert_eq!(saved.is_err(), fault != Fault::Short, "{sync:?} {fault:?} at {points}");
                points += 1;
            }
            assert!(points >= 3, "{sync:?} {fault:?}: {points} points");
        }
    }
}

/// The counterpart: the test above can tell a way of writing that loses sessions.
#[tokio::test]
async fn truncating_and_overwriting_lose_sessions_under_faults() {
    for write in [Write::Truncate, Write::InPlace] {
        let mut broken = 0;
        for point in 0..5 {
            let (_, found, _) = save_under(config(write, Sync::File), point, Fault::Crash).await;
            let found = found.unwrap();
            broken += u32::from(found != OLD && found != NEW);
        }
        assert!(broken > 0, "{write:?}");
    }
}

#[tokio::test]
async fn errors_name_path_and_remedy() {
    for write in [Write::Truncate, Write::InPlace, Write::Rename] {
        let (saved, _, _) = save_under(config(write, Sync::None), 1, Fault::Error(ErrorKind::StorageFull)).await;
        let why = saved.unwrap_err().to_string();
        assert!(why.starts_with("cannot write /") && why.contains("/s.") && why.ends_with("free space on its filesystem"), "{why}");
    }
    let (saved, _, _) = save_under(config(Write::Rename, Sync::None), 0, Fault::Error(ErrorKind::ReadOnlyFilesystem)).await;
    let why = saved.unwrap_err().to_string();
    assert!(why.starts_with("cannot create /") && why.contains("make it writable"), "{why}");
}

#[tokio::test]
async fn a_failed_save_removes_its_temporary_file_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(FaultyDisk::default(), &dir, config(Write::Rename, Sync::FileAndDir)).await;
    for point in 1..4 {
        store.disk.arm(point, Fault::Error(ErrorKind::StorageFull));
        assert!(store.save(&id("s"), NEW).await.is_err());
        assert!(names(&dir).is_empty(), "{point}: {:?}", names(&dir));
    }
}

#[tokio::test]
async fn a_load_that_fails_is_an_error_and_not_an_absent_session() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(FaultyDisk::default(), &dir, config(Write::Rename, Sync::None)).await;
    store.save(&id("s"), NEW).await.unwrap();
    store.disk.arm(0, Fault::Error(ErrorKind::PermissionDenied));
    assert!(matches!(store.load(&id("s")).await, Err(StoreError::Disk { action: "read", .. })));
    store.disk.arm(0, Fault::Error(ErrorKind::PermissionDenied));
    assert!(store.delete(&id("s")).await.is_err());
    assert_eq!(store.load(&id("s")).await.unwrap().unwrap(), NEW);
}

async fn shrinks_and_grows<D: Disk>(disk: impl Fn() -> D) {
    for write in [Write::Truncate, Write::InPlace, Write::Rename] {
        for sync in SYNCS {
            let dir = tempfile::tempdir().unwrap();
            let store = open(disk(), &dir, config(write, sync)).await;
            for body in [OLD, NEW, b"", OLD] {
                store.save(&id("s"), body).await.unwrap();
                assert_eq!(store.load(&id("s")).await.unwrap().unwrap(), body, "{write:?} {sync:?}");
            }
            assert_eq!(names(&dir), ["s.json"]);
            assert!(store.delete(&id("s")).await.unwrap());
            assert!(!store.delete(&id("s")).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_shorter_session_leaves_nothing_of_a_longer_one() {
    shrinks_and_grows(|| StdDisk).await;
    shrinks_and_grows(|| TokioDisk).await;
}

#[tokio::test]
async fn opening_removes_unfinished_saves_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let foreign = ["a.json", "b.corrupt-1", "c.tmp-x", "c.tmp-", ".tmp-1", "d e.tmp-1", "notes.txt", "x.y.json"];
    for name in foreign.iter().chain(&["a.tmp-0", "b-_.tmp-17"]) {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let store = open(StdDisk, &dir, config(Write::Rename, Sync::None)).await;
    let mut kept = foreign.map(str::to_owned);
    kept.sort();
    assert_eq!(names(&dir), kept);
    assert_eq!(store.ids().await.unwrap(), [id("a")]);
}

#[tokio::test]
async fn setting_aside_never_replaces_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(StdDisk, &dir, config(Write::Rename, Sync::FileAndDir)).await;
    for (number, body) in [(1, OLD), (2, NEW)] {
        store.save(&id("s"), body).await.unwrap();
        assert_eq!(store.set_aside(&id("s")).await.unwrap(), format!("s.corrupt-{number}"));
    }
    fs::write(dir.path().join("s.corrupt-9"), "x").unwrap();
    store.save(&id("s"), NEW).await.unwrap();
    assert_eq!(store.set_aside(&id("s")).await.unwrap(), "s.corrupt-10");
    assert_eq!(fs::read(dir.path().join("s.corrupt-1")).unwrap(), OLD);
    assert_eq!(store.load(&id("s")).await.unwrap(), None);
    assert!(store.ids().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_more_than_the_limit_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(StdDisk, &dir, config(Write::Rename, Sync::None)).await;
    fs::write(dir.path().join("s.json"), vec![b' '; 1 << 20]).unwrap();
    assert_eq!(store.load(&id("s")).await.unwrap().unwrap().len(), 1001);
}
