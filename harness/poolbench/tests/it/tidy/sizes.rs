//! Nothing grows too large to be read.

use super::{File, files, must_hold, rust, text};

/// Lines of a Rust file.
const FILE_MAX: usize = 600;
/// Lines of a function.
const FUNCTION_MAX: usize = 70;
/// Lines of a `main.rs`: what is more belongs into a module that can be tested.
const MAIN_MAX: usize = 60;
/// Lines of a script: what is more belongs into the program.
const SCRIPT_MAX: usize = 30;
/// Lines of docs/ARCHITECTURE.md: what is more is not read.
const ARCHITECTURE_MAX: usize = 200;

fn too_long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    let most = match file.path.as_str() {
        "docs/ARCHITECTURE.md" => ARCHITECTURE_MAX,
        path if path.ends_with("/src/main.rs") => MAIN_MAX,
        path if path.ends_with(".rs") => FILE_MAX,
        path if path.starts_with("scripts/") => SCRIPT_MAX,
        _ => return None,
    };
    (lines > most).then(|| format!("{}: {lines} lines (at most {most})", file.path))
}

fn long_functions(file: &File) -> Vec<String> {
    let functions = if file.is("rs") { rust::functions(&file.text) } else { Vec::new() };
    let long = functions.iter().filter(|f| f.lines > FUNCTION_MAX);
    long.map(|f| format!("{}:{}: fn {} has {} lines (at most {FUNCTION_MAX})", file.path, f.line, f.name, f.lines)).collect()
}

#[test]
fn no_file_is_too_long() {
    assert!(!text("docs/ARCHITECTURE.md").is_empty());
    must_hold(&files().iter().filter_map(too_long).collect::<Vec<_>>());
}

#[test]
fn no_function_is_too_long() {
    let all: usize = files().iter().filter(|f| f.is("rs")).map(|f| rust::functions(&f.text).len()).sum();
    assert!(all > 500, "only {all} functions were found");
    must_hold(&files().iter().flat_map(long_functions).collect::<Vec<_>>());
}

#[test]
fn long_ones_are_found() {
    let file = |path: &str, lines: usize| File { path: path.to_owned(), text: "x\n".repeat(lines) };
    for (path, most) in [("harness/a/src/b.rs", 600), ("harness/a/src/main.rs", 60), ("scripts/x", 30), ("docs/ARCHITECTURE.md", 200)] {
        assert!(too_long(&file(path, most)).is_none(), "{path}");
        assert!(too_long(&file(path, most + 1)).is_some(), "{path}");
    }
    let text = format!("fn a() {{\n{}}}\n", "    b();\n".repeat(69));
    assert_eq!(long_functions(&File { path: "a.rs".to_owned(), text }).len(), 1);
}
