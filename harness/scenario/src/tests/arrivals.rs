//! Arrivals with rates of their own, lists and files.

use super::*;
use model::units::Rate;

/// The good file with other arrivals.
fn with(arrivals: &str) -> String {
    GOOD.replace("{ kind = \"poisson\", rate = \"800/s\" }", arrivals)
}

fn said(sources: &[Source]) -> String {
    let found = plan_of(sources, &Selection::default()).expect_err("it is refused");
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn refused(arrivals: &str, says: &str) {
    assert_eq!(said(&[source("a/b.toml", &with(arrivals))]), says);
}

const STAGES: &str =
    "{ kind = \"stages\", stages = [\n { rate = \"100/s\", for = \"50%\" },\n { rate = \"100/s\", to = \"2k/s\", for = \"1s\" },\n] }";

#[test]
fn the_rate_of_the_load_is_the_highest_of_those_given() {
    for (arrivals, rate) in [
        ("{ kind = \"ramp\", from = \"10/s\", to = \"700/s\" }", Rate::PerSecond(700.0)),
        (
            "{ kind = \"burst\", on = \"1s\", off = \"1s\", on-rate = \"150% of capacity\", off-rate = \"20% of capacity\" }",
            Rate::OfCapacity(1.5),
        ),
        ("{ kind = \"sine\", rate = \"90/s\", amplitude = \"50%\", period = \"1s\" }", Rate::PerSecond(90.0)),
        (STAGES, Rate::PerSecond(2000.0)),
    ] {
        assert_eq!(plan(&with(arrivals)).cases[0].load.rate, Some(rate), "{arrivals}");
    }
}

#[test]
fn a_list_keeps_its_order_and_its_lines() {
    let load = &plan(&with(STAGES)).cases[0].load;
    let stages: Vec<(&str, &str, u32)> = load.arrivals.with.iter().map(|(k, v)| (k.as_str(), v.value.as_str(), v.line)).collect();
    assert_eq!(
        stages,
        [
            ("stages.0.for", "50%", 7),
            ("stages.0.rate", "100/s", 7),
            ("stages.1.for", "1s", 8),
            ("stages.1.rate", "100/s", 8),
            ("stages.1.to", "2k/s", 8)
        ]
    );
}

#[test]
fn what_is_wrong_with_rates_and_lists_is_said_with_its_line() {
    refused(
        "{ kind = \"burst\", rate = \"5/s\", on-rate = \"9/s\", on = \"1s\", off = \"1s\" }",
        "a/b.toml:6: load.arrivals has both 'rate' and 'on-rate' (expected one of them)",
    );
    refused("{ kind = \"ramp\" }", "a/b.toml:6: 'load.arrivals.from' is missing (expected such as '800/s' or '60% of capacity')");
    refused(
        "{ kind = \"ramp\", from = \"5\", to = \"5/s\" }",
        "a/b.toml:6: load.arrivals.from: '5' is not a rate (expected such as '800/s', '2k/s' or '60% of capacity', above zero)",
    );
    refused(
        &STAGES.replace("to =", "too ="),
        "a/b.toml:8: 'stages' has no parameter 'stages.1.too' (did you mean 'stages.*.to'? expected one of stages.*.rate, stages.*.to, stages.*.for)",
    );
    refused(
        "{ kind = \"stages\", stages = [] }",
        "a/b.toml:6: 'load.arrivals.stages.0.rate' is missing (expected such as '800/s' or '60% of capacity')",
    );
    refused(
        "{ kind = \"poisson\", rate = [\"5/s\"] }",
        "a/b.toml:6: 'load.arrivals.rate' holds a string (expected tables: write [[load.arrivals.rate]])\n\
         a/b.toml:6: 'load.arrivals.rate' is missing (expected such as '800/s' or '60% of capacity')",
    );
}

#[test]
fn a_trace_is_taken_from_the_folder_of_its_scenario() {
    let text = with("{ kind = \"trace\", file = \"peak.trace\", speed = 2 }");
    let all = [source("a/b.toml", &text), source("a/peak.trace", "# two\n10\n25\n"), source("c/other.trace", "1\n")];
    let plan = plan_of(&all, &Selection::default()).unwrap();
    let load = &plan.cases[0].load;
    assert_eq!((load.rate, load.trace.as_ref().unwrap().offsets()), (None, [10, 25].as_slice()));
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again, plan, "the plan holds the trace");
    let absent =
        "a/b.toml:6: there is no trace 'peak.trace' beside this file (did you mean 'peek.trace'? expected NAME.trace in its folder)";
    assert_eq!(said(&[source("a/b.toml", &text), source("c/peek.trace", "1\n")]), absent);
    let bad = said(&[source("a/b.toml", &text), source("a/peak.trace", "1\n\nx\n")]);
    assert_eq!(bad, "a/peak.trace:3: 'x' is no arrival (expected whole nanoseconds from the trace's begin, such as 1500000)");
    refused(
        "{ kind = \"trace\", speed = 2 }",
        "a/b.toml:6: 'load.arrivals.file' is missing (expected a trace beside the scenario's file, such as 'peak.trace')",
    );
}

#[test]
fn a_typed_rate_or_speed_goes_where_there_is_one() {
    let ramp = source("a/ramp.toml", &with("{ kind = \"ramp\", from = \"10/s\", to = \"70/s\" }"));
    let replay = source("a/replay.toml", &with("{ kind = \"trace\", file = \"peak.trace\" }"));
    let steady = source("a/steady.toml", GOOD);
    let set = [("load.arrivals.rate", "5/s"), ("load.arrivals.speed", "4")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let selection = Selection { set: set.to_vec(), ..Selection::default() };
    let plan = plan_of(&[ramp, replay, steady, source("a/peak.trace", "7\n")], &selection).unwrap();
    let rates: Vec<Option<Rate>> = plan.cases.iter().map(|c| c.load.rate).collect();
    assert_eq!(rates, [Some(Rate::PerSecond(70.0)), None, Some(Rate::PerSecond(5.0))]);
    let speed = |at: usize| plan.cases[at].load.arrivals.with.get("speed").map(|s| s.value.as_str());
    assert_eq!((speed(0), speed(1), speed(2)), (None, Some("4"), None));
}

#[test]
fn a_time_scale_reaches_rates_lists_and_traces() {
    let scaled = |arrivals: &str| with(arrivals).replace("length = \"1s\"", "length = \"2s\"\ntime-scale = 0.5");
    let load = plan(&scaled(STAGES)).cases.remove(0).load;
    let with = |key: &str| load.arrivals.with[key].value.clone();
    assert_eq!(
        (load.rate, with("stages.1.to"), with("stages.1.for")),
        (Some(Rate::PerSecond(4000.0)), "4000/s".into(), "500000000ns".into())
    );
    assert_eq!((with("stages.0.rate"), with("stages.0.for")), ("200/s".into(), "50%".into()));
    let all = [source("a/b.toml", &scaled("{ kind = \"trace\", file = \"p.trace\" }")), source("a/p.trace", "10\n25\n")];
    let plan = plan_of(&all, &Selection::default()).unwrap();
    assert_eq!(plan.cases[0].load.trace.as_ref().unwrap().offsets(), [5, 13]);
}
