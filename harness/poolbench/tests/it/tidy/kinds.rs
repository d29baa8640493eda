//! Whatever is of a kind stands in the table of its kind, and every scenario says what it must say.
//!
//! Limits: a table is the text from its `const` to the next `];`, and being in it means being named in it.

use std::collections::BTreeSet;

use super::{File, files, must_hold, rust, text};

/// From `begin` to `end`, or nothing.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = text.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside)
}

/// The table `name` of the file.
fn table<'a>(text: &'a str, name: &str) -> &'a str {
    between(text, &format!("const {name}:"), "];")
}

/// Types in the file that implement the trait.
fn implementors<'a>(file: &'a File, of: &str) -> Vec<&'a str> {
    let lines = file.text.lines().filter_map(|l| l.strip_prefix("impl ")?.strip_prefix(of)?.strip_prefix(" for "));
    lines.filter_map(|rest| rest.split(' ').next()).collect()
}

/// Implementors of a trait below a folder that the table does not name.
fn unlisted(files: &[File], folder: &str, of: &str, table: &str) -> Vec<String> {
    let ours = files.iter().filter(|f| f.path.starts_with(folder) && f.is("rs"));
    let missing = |f: &File| {
        let all = implementors(f, of).into_iter().filter(|name| !table.contains(&format!("{name},")) && !table.ends_with(name));
        all.map(|name| format!("{}: {name} is a {of} and in no table", f.path)).collect::<Vec<_>>()
    };
    ours.flat_map(missing).collect()
}

/// Files directly in a folder whose module the table does not name.
fn modules_unlisted(files: &[File], folder: &str, table: &str) -> Vec<String> {
    let ours = files.iter().filter(|f| f.is_in(folder) && f.is("rs") && f.stem() != "tests");
    ours.filter(|f| !table.contains(&format!("{}::", f.stem()))).map(|f| format!("{}: in no table", f.path)).collect()
}

/// Variants between the braces of an enum, whose names in kebab case the table does not quote.
fn variants_unlisted(body: &str, table: &str) -> Vec<String> {
    let first = |line: &str| line.trim().split([',', ' ', '{', '(']).next().unwrap_or_default().to_owned();
    let mut depth = 0usize;
    let mut names = Vec::new();
    for line in body.lines() {
        if depth == 0 && line.trim().starts_with(|c: char| c.is_ascii_uppercase()) {
            names.push(first(line));
        }
        depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
    }
    if names.is_empty() {
        return vec!["an enum of kinds was not found".to_owned()];
    }
    let missing = names.iter().filter(|n| !table.contains(&format!("\"{}\"", n.to_lowercase())));
    missing.map(|n| format!("the variant {n} is in no table")).collect()
}

#[test]
fn every_worker_sampler_target_and_subcommand_is_in_its_table() {
    let all = files();
    let workers = table(text("harness/pool/src/workers/mod.rs"), "WORKERS");
    let mut violations = unlisted(all, "harness/pool/src/workers/", "WorkerKind", workers);
    violations.extend(unlisted(all, "harness/profiler/src/", "Sampler", table(text("harness/profiler/src/lib.rs"), "SAMPLERS")));
    violations.extend(modules_unlisted(all, "harness/driver/src/target/", table(text("harness/driver/src/target.rs"), "TARGETS")));
    let dispatch = between(text("harness/poolbench/src/cmd.rs"), "fn dispatch(", "\n}");
    violations.extend(modules_unlisted(all, "harness/poolbench/src/cmd/", dispatch));
    must_hold(&violations);
    assert!(workers.matches("::").count() >= 3);
}

#[test]
fn every_variant_of_a_kind_is_in_its_table() {
    let cases = [
        ("harness/store/src/compress.rs", "pub enum Codec {", "\n}", "CODECS"),
        ("harness/pool/src/service.rs", "pub enum ServiceTime {", "\n}", "SERVICE_TIMES"),
        ("harness/driver/src/arrivals.rs", "pub enum Arrivals {", "\n}", "ARRIVALS"),
    ];
    let mut violations: Vec<String> = Vec::new();
    for (path, begin, end, name) in cases {
        let found = variants_unlisted(between(text(path), begin, end), table(text(path), name));
        violations.extend(found.into_iter().map(|v| format!("{path}: {v} {name}")));
    }
    let kinds = between(text("harness/store/src/config.rs"), "    Kind {", "\n    }");
    violations.extend(variants_unlisted(kinds, table(text("harness/store/src/store/backend.rs"), "STORES")));
    must_hold(&violations);
}

/// The names in all calls of `brand` below the analysis.
fn brands() -> Vec<String> {
    let of = |f: &File| f.path == "harness/analysis/src/brands.rs" || f.is_in("harness/analysis/src/brands/") && f.name() != "tests.rs";
    let name = |call: &str| Some(call.split_once(", \"")?.1.split_once('"')?.0.to_owned());
    let code: Vec<String> = files().iter().filter(|f| of(f)).map(|f| rust::without_tests(&f.text).to_owned()).collect();
    let calls = code.iter().flat_map(|code| code.split("brand(").skip(1)).filter_map(name);
    calls.filter(|name| !name.contains(' ')).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Every brand that the analysis gives is explained where readers look it up, and provoked for real by a test.
#[test]
fn every_brand_is_in_the_methodology_and_is_provoked() {
    let names = brands();
    assert!(names.len() >= 23, "{names:?}");
    let page = text("docs/METHODOLOGY.md");
    let missing = names.iter().filter(|name| !page.contains(&format!("| `{name}` |")));
    let mut violations: Vec<String> = missing.map(|name| format!("docs/METHODOLOGY.md does not explain the brand `{name}`")).collect();
    let provoked = |name: &str| {
        let mut tests = files().iter().filter(|f| f.path.starts_with("harness/poolbench/tests/provoke/"));
        tests.any(|f| f.text.contains(&format!("\"{name}\"")))
    };
    violations
        .extend(names.iter().filter(|name| !provoked(name)).map(|name| format!("no test of tests/provoke provokes the brand `{name}`")));
    must_hold(&violations);
}

/// What a scenario file lacks.
fn lacking(file: &File) -> Vec<String> {
    let says = |key: &str| file.text.lines().any(|l| l.starts_with(key) && l.trim_start_matches(key).trim_start().starts_with('='));
    let keys = ["what", "why", "guards"].into_iter().filter(|key| !says(key));
    let expect = ["[expect]"].into_iter().filter(|table| !file.text.lines().any(|l| l == *table));
    keys.chain(expect).map(|missing| format!("{}: no {missing}", file.path)).collect()
}

#[test]
fn every_scenario_says_what_why_guards_and_expects_something() {
    let scenarios: Vec<&File> = files().iter().filter(|f| f.path.starts_with("scenarios/") && f.is("toml")).collect();
    assert!(scenarios.len() >= 10);
    must_hold(&scenarios.iter().flat_map(|f| lacking(f)).collect::<Vec<_>>());
}

#[test]
fn what_is_missing_is_found() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let files = [file("w/a.rs", "impl WorkerKind for Fast {\n}\n"), file("w/b.rs", "impl WorkerKind for Slow {\n}\n")];
    let text = "pub const KINDS: &[&dyn WorkerKind] = &[&a::Fast];\n";
    assert_eq!(unlisted(&files, "w/", "WorkerKind", table(text, "KINDS")), ["w/b.rs: Slow is a WorkerKind and in no table"]);
    assert_eq!(modules_unlisted(&files, "w/", table(text, "KINDS")), ["w/b.rs: in no table"]);
    let body = "\n    /// One.\n    Plain,\n    Deep {\n        Field: u8,\n    },\n    Lost,\n";
    assert_eq!(variants_unlisted(body, "(\"plain\", 1), (\"deep\", 2)"), ["the variant Lost is in no table"]);
    assert_eq!(variants_unlisted("", "").len(), 1);
    let scenario = file("scenarios/a/b.toml", "what = \"x\"\nwhyever = 1\nguards = []\n");
    assert_eq!(lacking(&scenario), ["scenarios/a/b.toml: no why", "scenarios/a/b.toml: no [expect]"]);
}
