//! What must be explained is: dependencies, settings, words.

use std::collections::BTreeMap;

use super::{files, must_hold, text};

/// Dependencies that may share one comment.
const SHARED_MAX: usize = 3;

/// Dependencies of the root manifest without a comment above them.
fn unexplained(manifest: &str) -> Vec<String> {
    let table = manifest.split_once("[workspace.dependencies]").map_or("", |(_, rest)| rest);
    let table = table.split_once("\n[").map_or(table, |(inside, _)| inside);
    let (mut since, mut found) = (SHARED_MAX, Vec::new());
    for line in table.lines() {
        match line.split_once('=') {
            _ if line.starts_with('#') => since = 0,
            // Our own crates have their reasons in docs/ARCHITECTURE.md.
            Some((_, value)) if value.contains("path =") => {}
            Some((name, _)) => {
                since += 1;
                if since > SHARED_MAX {
                    found.push(format!("Cargo.toml: '{}' has no comment that says what it is for", name.trim()));
                }
            }
            // A blank line ends what a comment covers.
            None => since = SHARED_MAX,
        }
    }
    found
}

/// Words of a glossary that are defined more than once, or with nothing.
fn ill_defined(page: &str) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let entries = page.lines().filter_map(|l| l.strip_prefix("- **")?.split_once("**"));
    for (word, meaning) in entries {
        *seen.entry(word).or_default() += 1;
        if meaning.trim_matches([':', ' ', '-']).len() < 10 {
            found.push(format!("docs/GLOSSARY.md: '{word}' is not explained"));
        }
    }
    found.extend(
        seen.iter().filter(|(_, times)| **times > 1).map(|(word, times)| format!("docs/GLOSSARY.md: '{word}' stands there {times} times")),
    );
    found
}

#[test]
fn every_dependency_has_its_reason() {
    assert!(text("Cargo.toml").contains("[workspace.dependencies]"));
    must_hold(&unexplained(text("Cargo.toml")));
}

#[test]
fn every_word_is_defined_once() {
    let page = text("docs/GLOSSARY.md");
    assert!(page.matches("\n- **").count() > 30);
    must_hold(&ill_defined(page));
}

#[test]
fn every_setting_and_every_kind_has_a_doc_and_is_on_the_page_of_scenarios() {
    let page = text("docs/SCENARIOS.md");
    let mut violations = Vec::new();
    for row in driver::catalogue() {
        if row.doc.len() < 10 || row.kind.is_empty() {
            violations.push(format!("the setting '{}' has no doc or no kind", row.key));
        }
        // The page shows one tier for all three.
        let shown = format!("| `{}` | {} | `{}` |", row.key, row.kind.replace('|', " \\| "), row.default);
        if !["pool.warm.", "pool.cold."].iter().any(|tier| row.key.starts_with(tier)) && !page.contains(&shown) {
            violations.push(format!("docs/SCENARIOS.md lacks: {shown}"));
        }
    }
    let kinds = driver::kinds();
    let pairs = kinds.arrivals.iter().chain(&kinds.faults).map(|(name, _)| name);
    for name in pairs.chain(kinds.targets.iter().chain(&kinds.shapes)) {
        if !page.contains(&format!("`{name}`")) && !page.contains(&format!("`kind = \"{name}\"`")) {
            violations.push(format!("docs/SCENARIOS.md does not name the kind '{name}'"));
        }
    }
    must_hold(&violations);
}

/// Names that no row of any table on the page begins with.
fn without_row<'a>(page: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let missing = names.into_iter().filter(|name| !page.lines().any(|l| l.starts_with(&format!("| `{name}` |"))));
    missing.map(|name| format!("no row for `{name}`")).collect()
}

#[test]
fn the_architecture_shows_every_crate_and_every_phase() {
    let page = text("docs/ARCHITECTURE.md");
    let crates = files().iter().filter_map(|f| f.path.strip_suffix("/Cargo.toml")).filter_map(|dir| dir.rsplit('/').next());
    must_hold(&without_row(page, crates.chain(pool::times::Phase::ALL.map(pool::times::Phase::name))));
}

#[test]
fn the_glossary_names_every_outcome_and_the_page_of_workers_the_version_of_frames() {
    let outcomes = text("docs/GLOSSARY.md").lines().find(|l| l.starts_with("- **outcome**")).unwrap_or_default();
    let missing = pool::core::Outcome::ALL.map(pool::core::Outcome::name).into_iter().filter(|name| !outcomes.contains(name));
    must_hold(&missing.map(|name| format!("the glossary's 'outcome' lacks {name}")).collect::<Vec<_>>());
    assert!(text("docs/WORKERS.md").contains(&format!("this is version {}.", pool::frames::VERSION)));
}

#[test]
fn what_is_not_explained_is_found() {
    assert_eq!(without_row("| `a` | x |\nsee `b`\n", ["a", "b"]), ["no row for `b`"]);
    let manifest = "[workspace.dependencies]\na = { path = \"a\" }\n\n# For x.\nb = 1\nc = 1\nd = 1\ne = 1\n\nf = 1\n[profile]\ng = 1\n";
    let names: Vec<String> = unexplained(manifest).iter().filter_map(|v| v.split('\'').nth(1).map(str::to_owned)).collect();
    assert_eq!(names, ["e", "f"]);
    assert_eq!(ill_defined("- **a**: the first letter of it\n- **b**\n- **a**: the first letter again\n").len(), 2);
    assert!(files().iter().any(|f| f.path == "docs/GLOSSARY.md"));
}
