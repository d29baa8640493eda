//! docs/SCENARIOS.md says what is so.

use std::path::PathBuf;

use super::*;
use crate::{list, paths, wire};

fn page() -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/SCENARIOS.md")).unwrap()
}

#[test]
fn the_example_expands_as_the_page_says() {
    let page = page();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let plan = plan_of(&[source("sqlite/journals.toml", example)], &Selection::default()).unwrap();
    let ids: Vec<&str> = plan.cases.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["sqlite/journals?journal-mode=delete", "sqlite/journals?journal-mode=wal"]);
    assert!(ids.iter().all(|id| page.contains(&format!("`{id}`"))));
}

#[test]
fn every_key_and_every_standard_scenario_is_on_the_page() {
    let page = page();
    let has = |word: &str| page.contains(&format!("`{word}`"));
    for path in paths::all() {
        assert!(has(path), "{path}");
    }
    for key in wire::LOAD.iter().map(|k| format!("load.{k}")).chain(wire::MIX.iter().map(|k| format!("load.mix.{k}"))) {
        assert!(has(&key), "{key}");
    }
    for key in wire::CLAIM.iter().map(|k| format!("claim.{k}")) {
        assert!(has(&key), "{key}");
    }
    let isolated = wire::ISOLATED.iter().map(|k| format!("survives.isolated.{k}"));
    for key in wire::SURVIVES.iter().map(|k| format!("survives.{k}")).chain(isolated) {
        assert!(has(&key), "{key}");
    }
    for key in wire::TOP {
        assert!(has(key) || key == "load", "{key}");
    }
    for listed in list(&standard::sources(), &catalogue(), &kinds()).unwrap() {
        let suite = if listed.suite { "yes" } else { "no" };
        let row = format!("| [`{0}`](../scenarios/{0}.toml) | {suite} | {1} |", listed.name, listed.what);
        assert!(page.contains(&row), "the table of standard scenarios lacks: {row}");
    }
}
