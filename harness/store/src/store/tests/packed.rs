use super::*;
use crate::dictionary::Compress;

/// Sessions that are alike, as those of one service.
fn alike(n: u32) -> Session {
    let mut session = Session::new(id(&format!("s{n}")));
    for turn in 0..4 {
        let text =
            format!("the search for {:x} found {} files in the repository, the first of which is src/lib.rs", n * 7919 + turn, n % 9);
        session
            .record_turn(Message { role: Role::Tool, tool: "search".to_owned(), digest: u64::from(n) << 32 | u64::from(turn), text }, 100);
    }
    session
}

fn packing(kind: Kind, dictionary: Source) -> Config {
    let sqlite = crate::config::SqliteConfig { synchronous: Synchronous::Off, ..Default::default() };
    let files = crate::config::FilesConfig { api: Api::Std, write: Write::Rename, sync: Sync::None };
    Config { kind, sqlite, files, compress: Compress::Zstd, dictionary, dictionary_size: 8192, ..Config::default() }
}

async fn filled(config: &Config, dir: &Path, count: u32) -> (Store, Saved) {
    let store = Store::open(config, dir).await.unwrap();
    let mut last = Saved { bytes: 0, kept: 0 };
    for n in 0..count {
        last = store.save(&alike(n)).await.unwrap();
    }
    (store, last)
}

fn zdicts(dir: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = names.filter(|path| path.extension().is_some_and(|end| end == "zdict")).collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_trained_dictionary_makes_sessions_smaller_and_every_setting_reads_what_any_other_wrote() {
    for kind in [Kind::Files, Kind::Sqlite] {
        let dir = tempfile::tempdir().unwrap();
        let (store, plain) = filled(&Config { compress: Compress::None, ..packing(kind, Source::None) }, dir.path(), 40).await;
        assert_eq!(plain.kept, plain.bytes);
        store.close().await.unwrap();
        let (store, alone) = filled(&packing(kind, Source::Trained), dir.path(), 80).await;
        assert!(alone.kept < alone.bytes && !store.describe().values().any(|value| value.contains("version")));
        store.close().await.unwrap();

        // Now there are sessions enough, and opening the store trains.
        let store = Store::open(&packing(kind, Source::Trained), dir.path()).await.unwrap();
        assert!(store.describe()["dictionary"].starts_with("version 1 id "), "{:?}", store.describe());
        let trained = store.save(&alike(7)).await.unwrap();
        assert!(trained.kept * 10 < alone.kept * 6, "{trained:?} {alone:?}");
        // A second one is used from now on, and the first still reads what it wrote.
        store.save(&alike(100)).await.unwrap();
        for n in 0..50 {
            store.save(&alike(200 + n)).await.unwrap();
        }
        assert_eq!(store.train().await.unwrap().version, 2);
        store.save(&alike(101)).await.unwrap();
        store.close().await.unwrap();
        let store = Store::open(&Config { compress: Compress::ZstdSmall, ..packing(kind, Source::Trained) }, dir.path()).await.unwrap();
        let small = store.save(&alike(102)).await.unwrap();
        assert!(small.kept * 10 < alone.kept * 6, "{small:?} {alone:?}");
        store.close().await.unwrap();
        assert_eq!(zdicts(dir.path()).len(), 2);

        let store = Store::open(&Config { compress: Compress::None, ..packing(kind, Source::None) }, dir.path()).await.unwrap();
        for n in [0, 7, 79, 100, 101, 102, 249] {
            assert_eq!(store.load(&id(&format!("s{n}"))).await.unwrap().unwrap(), alike(n), "{kind:?} s{n}");
            let opened = store.open_session(&id(&format!("s{n}"))).await.unwrap();
            assert_eq!(opened.encode().unwrap(), json::encode(&alike(n)).unwrap());
        }
        assert_eq!(store.ids().await.unwrap().len(), 133);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn without_its_dictionary_a_session_is_refused_with_the_remedy_and_stays() {
    for kind in [Kind::Files, Kind::Sqlite] {
        let dir = tempfile::tempdir().unwrap();
        let config = packing(kind, Source::Trained);
        filled(&config, dir.path(), 80).await.0.close().await.unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        store.save(&alike(5)).await.unwrap();
        store.close().await.unwrap();
        let file = zdicts(dir.path()).remove(0);
        let sound = fs::read(&file).unwrap();
        let mut damaged = sound.clone();
        *damaged.last_mut().unwrap() ^= 1;
        for (content, expected) in [(None, "which is missing"), (Some(damaged), "hash of its name"), (Some(Vec::new()), "hash of its name")]
        {
            fs::remove_file(&file).unwrap();
            content.into_iter().for_each(|bytes| fs::write(&file, bytes).unwrap());
            let store = Store::open(&Config { dictionary: Source::None, ..config.clone() }, dir.path()).await.unwrap();
            for _ in 0..2 {
                let refused = store.load(&id("s5")).await.unwrap_err();
                let why = refused.to_string();
                assert!(matches!(refused, StoreError::Dictionary { .. }) && why.contains(expected) && why.contains("from a copy"), "{why}");
            }
            assert_eq!(store.load(&id("s6")).await.unwrap(), Some(alike(6)), "one that needs no dictionary");
            store.close().await.unwrap();
            if !file.exists() {
                fs::write(&file, b"").unwrap();
            }
        }
        fs::write(&file, sound).unwrap();
        let store = Store::open(&config, dir.path()).await.unwrap();
        assert_eq!(store.load(&id("s5")).await.unwrap(), Some(alike(5)));
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn frames_that_are_corrupt_or_would_burst_are_set_aside() {
    let config = Config { session_max: 4096, ..packing(Kind::Files, Source::None) };
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&config, dir.path()).await.unwrap();
    store.save(&alike(1)).await.unwrap();
    let sound = fs::read(dir.path().join("s1.json")).unwrap();
    assert!(sound.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let mut flipped = sound.clone();
    *flipped.last_mut().unwrap() ^= 0xff;
    let bomb = zstd::bulk::compress(&vec![b' '; 50_000_000], 1).unwrap();
    assert!(bomb.len() < 4096);
    let unsized_bomb = zstd::stream::encode_all(&vec![b' '; 50_000_000][..], 1).unwrap();
    let cases = [
        (sound[..sound.len() - 3].to_vec(), "cut short"),
        ([&sound[..], b"x"].concat(), "something follows"),
        (flipped, "s1"),
        (bomb, "larger than store.session-max, 4096 bytes"),
        (unsized_bomb, "states no size"),
    ];
    for (bytes, expected) in cases {
        fs::write(dir.path().join("s1.json"), &bytes).unwrap();
        let refused = store.load(&id("s1")).await.unwrap_err();
        let StoreError::Corrupt { why, aside, .. } = &refused else { panic!("{refused}") };
        assert!(refused.to_string().contains(expected), "{why}");
        assert_eq!(fs::read(dir.path().join(aside)).unwrap(), bytes);
    }
    // Whole, but not the session of that name.
    fs::write(dir.path().join("s2.json"), &sound).unwrap();
    assert!(store.load(&id("s2")).await.unwrap_err().to_string().contains("document of session `s1`"));
}

#[tokio::test]
async fn sessions_with_nothing_in_common_open_without_a_dictionary() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { dictionary_size: 1024, ..packing(Kind::Files, Source::Trained) };
    let store = Store::open(&config, dir.path()).await.unwrap();
    for n in 0..70 {
        store.save(&Session::new(id(&format!("{n}")))).await.unwrap();
    }
    store.close().await.unwrap();
    let store = Store::open(&config, dir.path()).await.unwrap();
    assert_eq!(store.load(&id("69")).await.unwrap(), Some(Session::new(id("69"))));
    assert!(matches!(store.train().await, Ok(_) | Err(StoreError::Train(_) | StoreError::Disk { .. })));
}
