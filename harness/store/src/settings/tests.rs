use super::*;
use crate::{Config, compress};
use proptest::prelude::*;

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_default_column_is_the_real_default() {
    let all = SETTINGS.iter().map(|row| (row.0.to_owned(), row.2.to_owned())).collect();
    assert_eq!(Config::from_settings(&all).unwrap(), Config::default());
    assert_eq!(compress::Config::from_settings(&all).unwrap(), compress::Config::default());
    assert_eq!(Config::from_settings(&BTreeMap::new()).unwrap(), Config::default());
    assert_eq!(compress::Config::from_settings(&BTreeMap::new()).unwrap(), compress::Config::default());
}

#[test]
fn every_row_is_well_formed_and_named_once() {
    for (at, (key, kind, default, doc)) in SETTINGS.iter().enumerate() {
        assert!(key.starts_with("store.") || key.starts_with("compress."), "{key}");
        assert!(SETTINGS[..at].iter().all(|row| row.0 != *key), "{key} twice");
        let name = kind.split(' ').next().unwrap();
        assert!(["bool", "bytes", "integer", "choice", "text"].contains(&name), "{key}: {kind}");
        assert!(name != "integer" || range(&kind["integer ".len()..]).is_some(), "{key}: {kind}");
        assert_eq!(check(kind, default), Ok(()), "{key}");
        assert!(!doc.is_empty() && !doc.ends_with('.'), "{key}");
    }
}

/// A word in a row that no enum knows would pass the check and then fail; a row that nothing reads would be dead.
#[test]
fn every_value_of_every_choice_is_understood_and_changes_the_configuration() {
    for (key, kind, default, _) in SETTINGS {
        let values: Vec<&str> = match kind.split_once(' ') {
            Some(("choice", words)) => words.split('|').collect(),
            Some((_, range)) => range.split("..=").collect(),
            None if *kind == "bool" => vec!["true", "false"],
            None if *kind == "bytes" => vec!["2048", "4096"],
            None => vec!["gzip", "none"],
        };
        for value in values {
            let given = settings(&[(key, value)]);
            let store = Config::from_settings(&given).unwrap();
            let codecs = compress::Config::from_settings(&given).unwrap();
            let changed = store != Config::default() || codecs != compress::Config::default();
            assert_eq!(changed, value != *default, "{key} = {value}");
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_key() {
    let cases = [
        ("store.knd", "files", "no such setting"),
        ("compress.level", "3", "no such setting"),
        ("store.kind", "redis", "choice none|files|sqlite"),
        ("store.kind", "Files", "choice none|files|sqlite"),
        ("store.sqlite.prepared", "yes", "bool"),
        ("store.sqlite.cache-size", "1e4", "integer"),
        ("store.sqlite.cache-size", "99999999", "integer"),
        ("compress.gzip-level", "10", "integer 0..=9"),
        ("compress.zstd-level", "-8", "integer -7..=19"),
        ("compress.min-size", "-1", "bytes"),
        ("compress.min-size", "+1", "bytes"),
        ("compress.min-size", "", "bytes"),
        ("compress.min-size", "1KiB", "bytes"),
        ("store.session-max", "0", "outside 1024..=536870912"),
        ("compress.decompressed-max", "18446744073709551615", "outside"),
        ("compress.offer", "br", "`br` is no codec"),
        ("compress.offer", "", "`` is no codec"),
        ("compress.offer", "gzip, none", "`none` is no codec"),
        ("compress.offer", "gzip, x-gzip", "listed twice"),
    ];
    for (key, value, expected) in cases {
        let given = settings(&[(key, value)]);
        let refused = Config::from_settings(&given).err().or_else(|| compress::Config::from_settings(&given).err());
        let refused = refused.unwrap_or_else(|| panic!("{key} = {value} was taken"));
        assert_eq!(refused.key, key);
        assert!(refused.why.contains(expected), "{key} = {value}: {}", refused.why);
    }
}

#[test]
fn keys_of_others_are_ignored() {
    let given = settings(&[("pool.dispatch", "nonsense"), ("storekind", "x"), ("store.kind", "sqlite")]);
    assert_eq!(Config::from_settings(&given).unwrap().kind, crate::config::Kind::Sqlite);
}

proptest! {
    #[test]
    fn no_value_panics(row in 0..SETTINGS.len(), value in any::<String>()) {
        let given = settings(&[(SETTINGS[row].0, &value)]);
        let _ = Config::from_settings(&given);
        let _ = compress::Config::from_settings(&given);
    }
}
