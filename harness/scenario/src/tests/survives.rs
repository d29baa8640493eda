//! `[[survives]]`: what it becomes, and what is refused.

use super::*;

const WHOLE: &str = "[matrix]\n\"pool.affinity\" = [\"soft\", \"strict\"]\n[[survives]]\nsays = \"S\"\nphase = \"persist\"\n\
                     of = { affinity = \"strict\" }\nover = { affinity = \"soft\" }\nisolated = { scenario = \"a/alone\", of = { ageing = \"1s\" }, over = { ageing = \"2s\" } }\n";
const ALONE: &str = "[matrix]\n\"pool.ageing\" = [\"1s\", \"2s\"]\n";
/// Line of `[[survives]]`.
const FIRST: u32 = 17;

fn sources(whole: &str) -> [Source; 2] {
    [source("a/alone.toml", &format!("{GOOD}{ALONE}")), source("a/b.toml", &format!("{GOOD}{whole}"))]
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(WHOLE.contains(from), "{from}");
    let found = plan_of(&sources(&WHOLE.replacen(from, to, 1)), &Selection::default()).expect_err("it is refused");
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.join("\n"), expected);
}

#[test]
fn it_is_in_the_plan() {
    let plan = plan_of(&sources(WHOLE), &Selection::default()).unwrap();
    let found = &plan.scenarios[1].survives[0];
    assert_eq!((found.says.place().as_str(), found.phase.as_str()), ("a/b.toml:18", "persist"));
    assert_eq!((found.whole.scenario.as_str(), found.isolated.scenario.as_str()), ("a/b", "a/alone"));
    assert_eq!(found.whole.of, [("affinity".to_owned(), "strict".to_owned())]);
    assert_eq!(found.isolated.over, [("ageing".to_owned(), "2s".to_owned())]);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn it_stays_where_the_other_scenario_is_not_selected_and_where_an_axis_is_fixed() {
    let set = vec![("pool.ageing".to_owned(), "5s".to_owned())];
    let only = Selection { filters: vec![crate::Pick::Include("^a/b".to_owned())], set, ..Selection::default() };
    let plan = plan_of(&sources(WHOLE), &only).unwrap();
    assert_eq!((plan.scenarios.len(), plan.scenarios[0].survives.len()), (1, 1));
}

#[test]
fn words_that_do_not_exist_name_the_nearest() {
    refused("a/alone", "a/alon", "a/b.toml:22: unknown scenario 'a/alon' (did you mean 'a/alone'? expected one of a/alone, a/b)");
    refused("persist", "presist", "a/b.toml:19: unknown phase 'presist' (did you mean 'persist'?)");
    refused(
        "of = { affinity",
        "of = { afinity",
        "a/b.toml:20: 'survives.of' leaves 'affinity' open (expected one value of every axis of a/b)\n\
             a/b.toml:20: survives.of: a/b has no axis 'afinity' (did you mean 'affinity'? expected one of affinity)",
    );
    refused("ageing = \"2s\"", "ageing = \"3s\"", "a/b.toml:22: unknown value of 'ageing' '3s' (expected one of 1s, 2s)");
    refused(
        "says",
        "sais",
        &format!(
            "a/b.toml:{FIRST}: 'survives.says' is missing (expected which settings are better than which)\n\
         a/b.toml:18: unknown key 'survives.sais' (did you mean 'says'? expected one of says, phase, of, over, isolated)"
        ),
    );
}

#[test]
fn sides_that_are_no_two_cases_are_refused() {
    refused("\"strict\" }", "\"soft\" }", "a/b.toml:20: 'survives.of' and 'over' are the same case (expected them to differ in an axis)");
    refused(
        "of = { ageing = \"1s\" }",
        "of = {}",
        "a/b.toml:22: 'survives.isolated.of' leaves 'ageing' open (expected one value of every axis of a/alone)",
    );
    refused(
        "of = { affinity = \"strict\" }",
        "of = 1",
        "a/b.toml:20: 'survives.of' is no case (expected a value of every axis, such as { way = \"std-read\" })",
    );
    refused(
        "scenario = \"a/alone\", ",
        "",
        "a/b.toml:22: 'survives.isolated' lacks 'scenario' (expected the name of one, such as \"sqlite/commits\")",
    );
}
