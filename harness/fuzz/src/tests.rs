//! The corpus, as an ordinary test: what the fuzzer once found or needs to begin with.

use std::path::Path;

use super::*;

#[test]
fn every_target_takes_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files >= 3, "{name}: {files} files");
        target(&[]);
        target(&[0xff; 64]);
    }
}

/// A corpus of refused inputs would show little.
#[test]
fn the_corpus_holds_what_is_accepted() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let accepted = |target: &str, accepts: &dyn Fn(&[u8]) -> bool| {
        let files = std::fs::read_dir(corpus.join(target)).unwrap();
        assert!(files.map(|f| std::fs::read(f.unwrap().path()).unwrap()).any(|bytes| accepts(&bytes)), "{target}");
    };
    accepted("frames", &|bytes| decoded(u32::MAX, &[&bytes[1..]]).0.len() >= 3);
    accepted("pool_config", &|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        Config::from_settings(&text.lines().filter_map(pair).collect()).is_ok()
    });
    accepted("record", &|bytes| serde_json::from_slice::<Record>(bytes).is_ok());
    accepted("durability", &|bytes| Durability::parse(bytes).is_ok());
    accepted("trace", &|bytes| Trace::parse(&String::from_utf8_lossy(bytes)).is_ok_and(|trace| trace.offsets().len() >= 3));
    accepted("scenario", &|bytes| {
        let source = Source { file: "any/file.toml".to_owned(), text: String::from_utf8_lossy(bytes).into_owned() };
        let options = Options { size: Size::Smoke, seed: 1, rounds: None, max_cases: 64, virtual_time: false };
        expand(&[source], &driver::catalogue(), &driver::kinds(), &Selection::default(), &options).is_ok()
    });
}
