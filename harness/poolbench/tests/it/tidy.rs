//! Rules of the house as tests over the tree: each reads the files as they lie there, and each has a self-test that it can fail.
//!
//! The rules are textual. They know enough of Rust to skip comments and strings (see `rust`), and nothing of macros or types.

mod edges;
mod kinds;
mod links;
mod paths;
mod rust;
mod silence;
mod sizes;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A file of the tree.
struct File {
    /// Relative to the root, parts joined by `/`.
    path: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    text: String,
}

impl File {
    /// The file's name without its folder.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name without folder and extension.
    fn stem(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }

    fn is(&self, extension: &str) -> bool {
        self.path.ends_with(&format!(".{extension}"))
    }

    /// Whether it lies directly in `folder`, which ends with `/`.
    fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| !rest.contains('/'))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that is or could be committed: what git tracks or would add, or without git all but what is built.
fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut names = listed().unwrap_or_else(|| walked(&root(), ""));
        names.sort();
        let read = |path: String| {
            // What git lists and is gone from the disk is about to be removed.
            let bytes = std::fs::read(root().join(&path)).ok()?;
            Some(File { path, text: String::from_utf8_lossy(&bytes).into_owned() })
        };
        names.into_iter().filter_map(read).collect()
    })
}

fn listed() -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let out = Command::new("git").arg("-C").arg(root()).args(arguments).output().ok()?;
    let names = String::from_utf8_lossy(&out.stdout).split('\0').filter(|n| !n.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    (out.status.success() && !names.is_empty()).then_some(names)
}

fn walked(dir: &Path, below: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let skipped = ["target", ".git", "reports/local"].contains(&name.as_str());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !skipped => names.extend(walked(&entry.path(), &format!("{name}/"))),
            Ok(kind) if kind.is_file() => names.push(name),
            _ => {}
        }
    }
    names
}

/// The text of one file; empty if there is none, which every rule over it takes for a violation.
fn text(path: &str) -> &'static str {
    files().iter().find(|f| f.path == path).map_or("", |f| &f.text)
}

/// Fails with one line per violation.
fn must_hold(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn the_tree_is_seen_with_and_without_git() {
    for names in [files().iter().map(|f| f.path.clone()).collect(), walked(&root(), "")] {
        for expected in ["README.md", "harness/pool/src/core/mod.rs", "scenarios/pool/steady.toml", ".ci/run"] {
            assert!(names.iter().any(|n| n == expected), "{expected} is missing among {} files", names.len());
        }
        assert!(!names.iter().any(|n| n.starts_with("target/") || n.starts_with("reports/local/")));
    }
}
