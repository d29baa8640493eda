//! Versions of the libraries whose speed is measured through this crate.

use std::collections::BTreeMap;

/// The workspace's lock file: zlib-rs cannot be asked at run time, and this is the version that was built in.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// `sqlite`, `zstd` and `zlib-rs`, each with the version that is linked.
pub fn versions() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("sqlite", rusqlite::version().to_owned()),
        ("zstd", zstd::zstd_safe::version_string().to_owned()),
        ("zlib-rs", locked("zlib-rs").unwrap_or("unknown").to_owned()),
    ])
}

fn locked(package: &str) -> Option<&'static str> {
    let (_, entry) = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    entry.split('"').next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_version_is_a_version() {
        let versions = super::versions();
        assert_eq!(versions.len(), 3);
        for (library, version) in versions {
            assert!(version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.'), "{library} {version}");
        }
    }
}
