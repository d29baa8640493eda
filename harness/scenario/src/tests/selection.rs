//! Which cases are chosen, and values set from the command line.

use super::*;
use crate::{Pick, list};

fn three() -> Vec<Source> {
    let matrix =
        "[matrix]\n\"pool.affinity\" = [\"none\", \"soft\", \"strict\"]\n\"pool.hot.max\" = [1, 2]\n\"pool.stateful\" = [true, false]\n";
    let tool = GOOD.replace("\"echo\"", "\"render\"").replace("echo =", "render =");
    vec![
        source("pool/steady.toml", GOOD),
        source("pool/wide.toml", &format!("{GOOD}{matrix}")),
        source("io/aside.toml", &format!("suite = false\n{tool}")),
    ]
}

fn ids(selection: &Selection) -> Vec<String> {
    plan_of(&three(), selection).unwrap().cases.into_iter().map(|c| c.id).collect()
}

fn filtered(filters: &[Pick]) -> Vec<String> {
    ids(&Selection { filters: filters.to_vec(), ..Selection::default() })
}

fn include(text: &str) -> Pick {
    Pick::Include(text.to_owned())
}

fn exclude(text: &str) -> Pick {
    Pick::Exclude(text.to_owned())
}

fn set(pairs: &[(&str, &str)]) -> Selection {
    Selection { set: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), ..Selection::default() }
}

#[test]
fn the_last_expression_that_matches_decides() {
    assert_eq!(filtered(&[]).len(), 14);
    assert_eq!(filtered(&[include("^pool/steady$")]), ["pool/steady"]);
    assert_eq!(filtered(&[exclude("wide")]), ["io/aside", "pool/steady"]);
    assert_eq!(filtered(&[include("pool"), exclude("wide")]), ["pool/steady"]);
    assert_eq!(filtered(&[exclude("wide"), include(r"affinity=soft&max=1&stateful=true")]).len(), 3);
    assert_eq!(filtered(&[include("wide"), exclude("max=2"), include("strict&max=2&stateful=false")]).len(), 7);
}

#[test]
fn a_bare_run_leaves_out_what_is_not_in_the_suite() {
    let selection = Selection { suite_only: true, ..Selection::default() };
    assert!(ids(&selection).iter().all(|id| id.starts_with("pool/")));
}

#[test]
fn a_check_has_each_value_once_and_the_others_at_their_first() {
    let selection = Selection { filters: vec![include("wide")], each_value_once: true, ..Selection::default() };
    assert_eq!(
        ids(&selection),
        [
            "pool/wide?affinity=none&max=1&stateful=true",
            "pool/wide?affinity=none&max=1&stateful=false",
            "pool/wide?affinity=none&max=2&stateful=true",
            "pool/wide?affinity=soft&max=1&stateful=true",
            "pool/wide?affinity=strict&max=1&stateful=true",
        ]
    );
}

#[test]
fn the_plan_names_only_axis_values_that_it_has() {
    let selection = Selection { filters: vec![include("affinity=s.*max=2")], ..Selection::default() };
    let plan = plan_of(&three(), &selection).unwrap();
    let values: Vec<&[String]> = plan.scenarios[0].axes.iter().map(|a| a.values.as_slice()).collect();
    assert_eq!(values, [&["soft", "strict"][..], &["2"][..], &["true", "false"][..]]);
}

#[test]
fn set_replaces_values_and_axes() {
    let plan = plan_of(&three(), &set(&[("pool.hot.max", "9"), ("load.length", "250ms"), ("load.payload.size", "7B")])).unwrap();
    assert_eq!(plan.cases.len(), 8);
    assert!(plan.cases.iter().all(|c| c.settings["pool.hot.max"].value == "9" && c.load.length_ns == 250_000_000));
    assert_eq!(plan.cases[0].settings["pool.hot.max"].place(), "-s");
    assert!(plan.cases.iter().any(|c| c.id == "pool/wide?affinity=soft&max=9&stateful=true"));
    assert!(plan.cases.iter().all(|c| c.load.mix[0].payload_bytes == 7));
}

#[test]
fn set_leaves_alone_what_a_scenario_cannot_have() {
    let mut sources = three();
    sources[0].text = sources[0].text.replace("kind = \"poisson\", rate = \"800/s\"", "kind = \"closed\", clients = 2");
    let selection = set(&[("load.arrivals.rate", "5/s"), ("pool.tools.render.tier", "cold"), ("load.clients", "4")]);
    let plan = plan_of(&sources, &selection).unwrap();
    let steady = plan.cases.iter().find(|c| c.id == "pool/steady").unwrap();
    assert_eq!((steady.load.rate, steady.load.clients), (None, 4));
    assert!(!steady.settings.contains_key("pool.tools.render.tier"));
    assert_eq!(plan.cases[0].settings["pool.tools.render.tier"].value, "cold");
}

#[track_caller]
fn refused(selection: &Selection, most: usize, expected: &str) {
    let options = Options { max_cases: most, ..options() };
    let found = expand(&three(), &catalogue(), &kinds(), selection, &options).unwrap_err();
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn selections_that_cannot_be_are_refused() {
    refused(&set(&[("pool.hot.mxa", "1")]), 500, "-s: unknown setting 'pool.hot.mxa' (did you mean 'pool.hot.max'?)");
    refused(&set(&[("pool.hot.max", "many")]), 500, "-s: pool.hot.max: 'many' is not an integer (expected an integer from 0 to 1024)");
    refused(
        &set(&[("load.length", "5")]),
        500,
        "-s: load.length: '5' is not a duration (expected a number and one of ns, us, ms, s, m, h, such as '500ms')",
    );
    let filters = |f: Pick| Selection { filters: vec![f], ..Selection::default() };
    refused(&filters(include("pol/stedy")), 500, "no case is selected (14 exist, the nearest is 'pool/steady')");
    refused(&filters(exclude("")), 500, "no case is selected (14 exist)");
    refused(&filters(include("(")), 500, "-f: '(' is not a regular expression (unclosed group)");
    refused(&Selection::default(), 13, "the plan has 14 cases (expected at most 13)");
    let none = Options { rounds: Some(0), ..options() };
    let found = expand(&three(), &catalogue(), &kinds(), &Selection::default(), &none).unwrap_err();
    assert_eq!(found[0].to_string(), "--rounds: 0 rounds measure nothing (expected 1 or more)");
    assert_eq!(plan_of(&[], &Selection::default()).unwrap_err()[0].what, "no case is selected (0 exist)");
}

#[test]
fn list_names_everything_there_is() {
    let listed = list(&three(), &catalogue(), &kinds()).unwrap();
    let seen: Vec<(&str, bool, usize)> = listed.iter().map(|l| (l.name.as_str(), l.suite, l.cases.len())).collect();
    assert_eq!(seen, [("io/aside", false, 1), ("pool/steady", true, 1), ("pool/wide", true, 12)]);
}

#[test]
fn a_value_that_only_an_unselected_scenario_refuses_stops_nobody() {
    let mut sources = three();
    sources.push(source("pool/fast.toml", &GOOD.replace("800/s", "20k/s")));
    let long = set(&[("load.length", "120s")]);
    let refused = plan_of(&sources, &long).unwrap_err();
    assert!(refused.iter().any(|p| p.file.contains("fast") || p.file == "-s"), "{refused:?}");
    let plan = plan_of(&sources, &Selection { filters: vec![include("^pool/steady$")], ..long }).unwrap();
    assert_eq!(plan.cases[0].load.length_ns, 120_000_000_000);
}
