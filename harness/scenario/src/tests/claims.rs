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
        "a/b.toml:21: claim.of: unknown value of 'affinity' 'strickt' (did you mean 'strict'? expected one of soft, strict)",
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
    refused(
        "{ affinity = \"strict\" }",
        "1",
        "a/b.toml:21: 'claim.of' is a number or boolean (expected a table of axes and values, such as { way = \"std-read\" })",
    );
    refused(
        "at-least = 1.3",
        "at-least = 1.3\nrepeat = { affinity = \"soft\" }",
        "a/b.toml:24: 'claim.repeat.affinity' is no pair (expected two values that are the same thing, such as [\"x\", \"x-again\"])",
    );
}

/// The one problem of a claim whose `of` is replaced, beside another file.
#[track_caller]
fn stray(of: &str, other: &str) -> (String, String) {
    let own = source("a/b.toml", &with(&CLAIM.replace("{ affinity = \"strict\" }", of)));
    let other = source("c/d.toml", &format!("{GOOD}[matrix]\n{other}\n"));
    let found = plan_of(&[own, other], &Selection::default()).expect_err("it is refused");
    let [one] = found.as_slice() else { panic!("{found:?}") };
    (one.to_string(), one.help.clone().unwrap_or_default())
}

#[test]
fn a_case_of_another_file_is_told_with_that_file_and_what_to_do() {
    let slots = "\"pool.hot.max\" = [1, 2]";
    let (said, help) = stray("{ max = \"2\" }", slots);
    assert_eq!(said, "a/b.toml:21: claim.of: the scenario has no axis 'max' (expected one of affinity, size)");
    assert!(
        help.starts_with("the axis is of c/d, and a claim chooses among the cases of its own file: move the claim to c/d.toml"),
        "{help}"
    );
    let (said, help) = stray("{ affinity = \"none\" }", "\"pool.affinity\" = [\"none\", \"soft\"]");
    assert_eq!(said, "a/b.toml:21: claim.of: unknown value of 'affinity' 'none' (expected one of soft, strict)");
    assert!(help.starts_with("the value is of c/d, and") && help.contains("[[survives]]"), "{help}");
}

#[test]
fn a_value_of_another_axis_is_told_with_that_axis_and_one_of_none_with_the_list() {
    let (said, help) = stray("{ affinity = \"4KiB\" }", "\"load.payload.size\" = [\"1KiB\", \"4KiB\"]");
    assert_eq!(said, "a/b.toml:21: claim.of: unknown value of 'affinity' '4KiB' (expected one of soft, strict)");
    assert_eq!(help, "'4KiB' is a value of 'size', not of 'affinity': write size = \"4KiB\"");
    let (_, help) = stray("{ affinity = \"quite-else\" }", "\"pool.hot.max\" = [1, 2]");
    assert_eq!(help, "a claim chooses among the cases of its own file: `poolbench list --cases` shows them");
}

#[test]
fn the_nearest_of_many_values_is_named_however_unlike() {
    let sizes: Vec<String> = (1..=12).map(|n| format!("\"{n}KiB\"")).collect();
    let text = with(&CLAIM.replace("affinity = \"s", "size = \"s")).replace("[\"1KiB\", \"4KiB\"]", &format!("[{}]", sizes.join(", ")));
    let found = plan_of(&[source("a/b.toml", &text)], &Selection::default()).expect_err("it is refused");
    assert!(
        found[0].to_string().starts_with("a/b.toml:21: claim.of: unknown value of 'size' 'strict' (the nearest of the 12 that exist is '"),
        "{found:?}"
    );
}
