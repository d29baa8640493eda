//! Nothing that is committed names a directory of the machine it was made on, or the host of a package registry.

use super::{File, files, must_hold};

/// In two halves, so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/work", "/main"),
    ("/work", "/shared"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/fa", "rm/"),
    (".cargo", "/registry"),
    ("crates", ".io"),
    ("sparse", "+http"),
    ("registry.npm", "js.org"),
    ("py", "pi.org"),
    ("proxy.go", "lang.org"),
];
/// Files that must name such things, and why.
const EXCUSED: &[(&str, &str)] = &[
    ("harness/report/src/flame.rs", "its test draws a made-up stack with a folder, which must not be in the picture"),
    ("harness/poolbench/tests/it/report.rs", "it looks for such names in what the program writes"),
];
/// What a lock file says of every package, on any machine.
const STANDARD_SOURCE: (&str, &str) = ("source = \"registry+https://github.com/rust-lang/crates", ".io-index\"");

fn found(file: &File) -> Vec<String> {
    let standard = format!("{}{}", STANDARD_SOURCE.0, STANDARD_SOURCE.1);
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if file.name() == "Cargo.lock" && line == standard {
            continue;
        }
        let hits = FORBIDDEN.iter().map(|(a, b)| format!("{a}{b}")).filter(|word| line.contains(word));
        violations.extend(hits.map(|word| format!("{}:{}: '{word}'", file.path, index + 1)));
    }
    violations
}

#[test]
fn no_file_names_this_machine() {
    let excused = |f: &&File| EXCUSED.iter().any(|(path, why)| *path == f.path && !why.is_empty());
    let mut violations: Vec<String> = files().iter().filter(|f| !excused(f)).flat_map(found).collect();
    let stale = EXCUSED.iter().filter(|(path, _)| !files().iter().any(|f| f.path == *path && !found(f).is_empty()));
    violations.extend(stale.map(|(path, _)| format!("{path} names nothing of the kind any more: take it off the list")));
    must_hold(&violations);
}

#[test]
fn such_names_are_found() {
    let standard = format!("{}{}", STANDARD_SOURCE.0, STANDARD_SOURCE.1);
    let file = |path: &str, text: String| File { path: path.to_owned(), text };
    for (a, b) in FORBIDDEN {
        assert_eq!(found(&file("x.md", format!("in\nsee {a}{b}x"))).len(), 1, "{a}{b}");
    }
    assert!(found(&file("Cargo.lock", format!("{standard}\n"))).is_empty());
    assert_eq!(found(&file("x.toml", format!("{standard}\n"))).len(), 1);
}
