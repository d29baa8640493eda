//! `[[claim]]`: what it becomes, and what is refused.

use model::claim::Durability;

use super::*;

const AXES: &str = "[matrix]\n\"pool.affinity\" = [\"soft\", \"strict\"]\n\"load.payload.size\" = [\"1KiB\", \"4KiB\"]\n";
const CLAIM: &str =
    "[[claim]]\nsays = \"S\"\nmetric = \"response.p50\"\nof = { affinity = \"strict\" }\nover = { affinity = \"soft\" }\nat-least = 1.3\n";
/// Line of `[[claim]]`.
const FIRST: u32 = 18;

fn with(claim: &str) -> String {
    format!("{GOOD}{AXES}{claim}")
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(CLAIM.contains(from), "{from}");
    let found = plan_of(&[source("a/b.toml", &with(&CLAIM.replacen(from, to, 1)))], &Selection::default()).expect_err("it is refused");
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.join("\n"), expected);
}

#[test]
fn a_claim_is_in_the_plan() {
    let text = with(&format!("{CLAIM}at-most = 2\nrepeat = {{ size = [\"1KiB\", \"4KiB\"] }}\ndurability = \"equal\"\n"));
    let plan = plan_of(&[source("a/b.toml", &text)], &Selection::default()).unwrap();
    let claim = &plan.scenarios[0].claims[0];
    assert_eq!((claim.says.place().as_str(), claim.says.value.as_str()), ("a/b.toml:19", "S"));
    assert_eq!(claim.of, [("affinity".to_owned(), vec!["strict".to_owned()])]);
    assert_eq!((claim.at_least, claim.at_most, claim.durability), (Some(1.3), Some(2.0), Durability::Equal));
    assert_eq!(claim.repeat, [("size".to_owned(), "1KiB".to_owned(), "4KiB".to_owned())]);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn several_values_may_be_compared_at_once() {
    let text = with(&CLAIM.replace("of = { affinity = \"strict\" }", "of = { affinity = [\"strict\"] }"));
    let plan = plan_of(&[source("a/b.toml", &text)], &Selection::default()).unwrap();
    assert_eq!(plan.scenarios[0].claims[0].of[0].1, ["strict"]);
}

#[test]
fn a_claim_stays_where_an_axis_is_fixed_on_the_command_line() {
    let set = Selection { set: vec![("pool.affinity".to_owned(), "soft".to_owned())], ..Selection::default() };
    let plan = plan_of(&[source("a/b.toml", &with(CLAIM))], &set).unwrap();
    assert_eq!((plan.scenarios[0].claims.len(), plan.cases.len()), (1, 2));
}

#[test]
fn words_that_do_not_exist_name_the_nearest() {
    refused(
        "metric",
        "metrik",
        &format!(
            "a/b.toml:{FIRST}: a claim lacks 'metric' (expected such as metric = \"cpu-per-request\")\n\
         a/b.toml:20: unknown key 'claim.metrik' (did you mean 'metric'? expected one of says, metric, of, over, at-least, at-most, repeat, durability)"
        ),
    );
    refused("response.p50", "respons.p50", "a/b.toml:20: unknown metric 'respons.p50' (did you mean 'response.p50'?)");
    refused("response.p50", "phase.presist.p50", "a/b.toml:20: unknown metric 'phase.presist.p50' (did you mean 'phase.persist.p50'?)");
    refused(
        "of = { affinity",
        "of = { afinity",
        "a/b.toml:21: claim.of: the scenario has no axis 'afinity' (did you mean 'affinity'? expected one of affinity, size)",
    );
    refused(
        "\"strict\"",
        "\"strickt\"",
        "a/b.toml:21: unknown value of 'affinity' 'strickt' (did you mean 'strict'? expected one of soft, strict)",
    );
    refused(
        "at-least = 1.3",
        "at-least = 1.3\ndurability = \"equall\"",
        "a/b.toml:24: unknown durability 'equall' (did you mean 'equal'? expected one of any, equal)",
    );
}

#[test]
fn numbers_that_claim_nothing_are_refused() {
    refused("at-least = 1.3\n", "", &format!("a/b.toml:{FIRST}: a claim lacks its number (expected at-least, at-most or both)"));
    refused("1.3", "\"30%\"", "a/b.toml:23: claim.at-least: '30%' is no gain (expected how many times better, such as 1.3 for 30 %)");
    refused("1.3", "0", "a/b.toml:23: claim.at-least: '0' is no gain (expected how many times better, such as 1.3 for 30 %)");
    refused("1.3", "nan", "a/b.toml:23: claim.at-least: 'nan' is no gain (expected how many times better, such as 1.3 for 30 %)");
    refused(
        "1.3",
        "1.3\nat-most = 1.1",
        &format!("a/b.toml:{FIRST}: at-least = 1.3 is above at-most = 1.1 (expected the smaller one first)"),
    );
}

#[test]
fn sides_that_cannot_be_compared_are_refused() {
    refused(
        "\"strict\"",
        "\"soft\"",
        &format!("a/b.toml:{FIRST}: 'of' and 'over' can choose the same case (expected them to differ in an axis)"),
    );
    refused(
        "\"strict\" }",
        "\"strict\", size = \"1KiB\" }",
        &format!("a/b.toml:{FIRST}: only one of 'of' and 'over' names the axis 'size' (expected both to name the same axes)"),
    );
    refused(
        "{ affinity = \"strict\" }",
        "{}",
        "a/b.toml:21: 'claim.of' is empty (expected values of axes, such as { way = \"std-read\" })",
    );
    refused("{ affinity = \"strict\" }", "1", "a/b.toml:21: 'claim.of' is a number or boolean (expected a table of axes and values)");
    refused(
        "at-least = 1.3",
        "at-least = 1.3\nrepeat = { affinity = \"soft\" }",
        "a/b.toml:24: 'claim.repeat.affinity' is no pair (expected two values that are the same thing, such as [\"x\", \"x-again\"])",
    );
}
