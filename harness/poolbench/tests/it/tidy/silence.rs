//! Only `poolbench` prints, exits, or reads arguments and environment; clocks are read in few places, each with its reason.
//!
//! Limits: names are matched as written, so that a renamed import would pass.

use super::{File, files, must_hold, rust};

/// What only the binary may do.
const LOUD: &[&str] =
    &["println!", "eprintln!", "print!", "eprint!", "dbg!", "process::exit", "process::abort", "env::args", "env::var", "env::set_var"];
/// Ways to read a clock.
const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now", "clock_gettime"];
/// Where a clock may be read, and why.
const CLOCK_READERS: &[(&str, &str)] = &[
    ("harness/pool/src/clock.rs", "the one clock that everybody else is passed"),
    ("harness/pool/src/workers/process.rs", "grace periods of dying children wait for the kernel, which no virtual clock moves"),
    ("harness/coordinator/src/monitor/alerts/log.rs", "the date of an alert, which decides nothing"),
    ("harness/driver/src/trial.rs", "the date of a record, which no figure uses"),
    ("harness/driver/src/sys.rs", "CPU clocks of threads and processes, which are figures, not time"),
    (
        "harness/contenders/src/sqlite/checkpoints.rs",
        "how long a checkpoint takes beside the writer that is timed; a fact that decides nothing",
    ),
    ("harness/profiler/src/lib.rs", "the process's CPU clock: how many samples there should be"),
];

/// Shipped library code: not the binary, its tests, or things that only run in development.
fn is_library(file: &File) -> bool {
    let aside = ["/tests/", "/examples/", "/benches/"].iter().any(|part| file.path.contains(part));
    let test = file.name() == "tests.rs" || file.name() == "testkit.rs" || file.name() == "build.rs";
    file.is("rs") && file.path.starts_with("harness/") && !file.path.starts_with("harness/poolbench/") && !aside && !test
}

/// Uses of any of `words` in the file's code, each at its line.
fn uses(file: &File, words: &[&str]) -> Vec<String> {
    let code = rust::code(&file.text);
    let mut found = Vec::new();
    for (index, line) in rust::without_tests(&code).lines().enumerate() {
        let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let used = words.iter().filter(|word| line.match_indices(**word).any(|(at, _)| begins(at)));
        found.extend(used.map(|word| format!("{}:{}: {word}", file.path, index + 1)));
    }
    found
}

#[test]
fn libraries_are_silent() {
    let libraries: Vec<&File> = files().iter().filter(|f| is_library(f)).collect();
    assert!(libraries.len() > 80, "only {} files were found", libraries.len());
    must_hold(&libraries.iter().flat_map(|f| uses(f, LOUD)).collect::<Vec<_>>());
}

#[test]
fn clocks_are_read_where_it_is_said_and_nowhere_else() {
    let libraries = || files().iter().filter(|f| is_library(f));
    let known = |f: &&File| CLOCK_READERS.iter().any(|(path, why)| *path == f.path && !why.is_empty());
    let mut violations: Vec<String> = libraries().filter(|f| !known(f)).flat_map(|f| uses(f, CLOCKS)).collect();
    let stale = CLOCK_READERS.iter().filter(|(path, _)| !libraries().any(|f| f.path == *path && !uses(f, CLOCKS).is_empty()));
    violations.extend(stale.map(|(path, _)| format!("{path} reads no clock any more: take it off the list")));
    must_hold(&violations);
}

#[test]
fn noise_is_found() {
    let text = "fn a() {\n    println!(\"x\");\n    // dbg!(1)\n    let s = \"env::var\";\n    std::env::var(s);\n    my_print!(s);\n    Instant::now();\n}\n#[cfg(test)]\nmod tests {\n    fn b() { eprintln!(); }\n}\n";
    let file = |path: &str| File { path: path.to_owned(), text: text.to_owned() };
    assert!(is_library(&file("harness/a/src/b.rs")));
    for aside in
        ["harness/poolbench/src/main.rs", "harness/a/tests/b.rs", "harness/a/src/b/tests.rs", "harness/a/examples/c.rs", "benches/x.rs"]
    {
        assert!(!is_library(&file(aside)), "{aside}");
    }
    assert_eq!(uses(&file("a.rs"), LOUD), ["a.rs:2: println!", "a.rs:5: env::var"]);
    assert_eq!(uses(&file("a.rs"), CLOCKS), ["a.rs:7: Instant::now"]);
}
