use analysis::recommend::{Contest, Crashes};
use analysis::summary::Interval;
use model::durability::Class;

use super::*;

fn candidate(case: &str, settings: &[(&str, &str)], time_ns: f64, class: Option<Class>) -> Candidate {
    Candidate {
        case: case.to_owned(),
        settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        time_ns: Some(time_ns),
        time_rounds: 1,
        p99_ns: class.map(|_| time_ns * 3.0),
        max_ns: Some(time_ns * 9.0),
        cpu_ns: time_ns / 2.0,
        bytes_ratio: class.is_none().then_some(4.0),
        rounds: 3,
        crashes: class.map(|all| Crashes { kill: Class::Durable, all }),
        class: class.map(Class::word),
    }
}

fn store() -> Contest {
    let file = |write: &str, sync: &str, ns: f64, class: Class| {
        let set = [("store.kind", "files"), ("store.files.write", write), ("store.files.sync", sync)];
        candidate(&format!("io/a?write={write}&sync={sync}"), &set, ns, Some(class))
    };
    let sqlite = [
        ("store.kind", "sqlite"),
        ("store.sqlite.journal-mode", "wal"),
        ("store.sqlite.cache-size", "-2000"),
        ("store.dictionary-size", "16384"),
    ];
    let candidates = vec![
        file("rename", "file-and-dir", 9e5, Class::Durable),
        file("truncate", "none", 1e5, Class::Unsafe),
        candidate("sqlite/a", &sqlite, 3e5, Some(Class::Durable)),
    ];
    Contest { part: Part::Store, at: "2 KiB of prose, io/a".to_owned(), payload_bytes: 2048, candidates }
}

fn codec(part: Part, settings: &[&[(&str, &str)]]) -> Contest {
    let candidates = settings.iter().enumerate().map(|(at, set)| candidate(&format!("c/a?{at}"), set, 1e6 - at as f64, None)).collect();
    Contest { part, at: "16 KiB of prose, c/a".to_owned(), payload_bytes: 16384, candidates }
}

fn advice(constraints: Constraints) -> Advice {
    let responses = codec(
        Part::Responses,
        &[&[("compress.offer", "gzip"), ("compress.gzip-level", "6")], &[("compress.offer", "zstd, gzip"), ("compress.zstd-level", "3")]],
    );
    let rest = codec(
        Part::Rest,
        &[
            &[("store.compress", "zstd")],
            &[("store.compress", "zstd"), ("store.dictionary", "trained"), ("store.dictionary-size", "16384")],
        ],
    );
    let mut advice = Advice { constraints, decisions: Vec::new(), impossible: Vec::new() };
    for contest in [store(), responses, rest] {
        match recommend::decide(contest, &constraints) {
            Ok(decision) => advice.decisions.push(decision),
            Err(why) => advice.impossible.push(why),
        }
    }
    advice
}

#[test]
fn the_page_names_the_best_of_the_class_and_the_settings_to_paste() {
    let page = recommendation(&advice(Constraints::default()));
    let line = |of: &str| page.lines().find(|line| line.contains(of)).unwrap_or_else(|| panic!("{of} in {page}")).to_owned();
    assert!(line("| `sync=none write=truncate kind=files` |").contains("| unsafe |"), "{page}");
    assert!(line("| `sync=none write=truncate kind=files` |").contains("excluded: unsafe after power loss"), "{page}");
    assert!(line("**recommended**").contains("journal-mode=wal"), "{page}");
    assert!(page.contains("beaten by `"), "{page}");
    assert!(page.contains("Predicted, by `") && page.contains("0.33× time"), "{page}");
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let expected = "[store]\ndictionary-size = \"16384B\"\nkind = \"sqlite\"\nsqlite.cache-size = -2000\nsqlite.journal-mode = \"wal\"\n\
                    # compress = \"zstd\"\n# dictionary = \"trained\"\n\n[compress]\noffer = \"zstd, gzip\"\nzstd-level = 3\n";
    assert_eq!(block, expected);
}

#[test]
fn what_is_impossible_is_said_in_its_place() {
    let page = recommendation(&advice(Constraints { p99_ns: Some(1), ..Constraints::default() }));
    assert!(page.contains("Nothing is recommended. session store") && page.contains("the nearest that can be met is 900 us"), "{page}");
    assert!(!page.contains("```toml"));
    assert_eq!(recommendation(&Advice { constraints: Constraints::default(), decisions: Vec::new(), impossible: Vec::new() }), "");
}

#[test]
fn a_confirmation_says_how_far_the_prediction_was_off() {
    let one = |value: Option<f64>| Confirmation {
        part: Part::Store,
        measure: Measure::Time,
        predicted: 0.33,
        measured: Interval {
            value,
            low: Some(0.25),
            high: Some(0.35),
            rounds: 3,
            why_blank: value.is_none().then(|| "no round ran to its end".to_owned()),
        },
        error: value.map(|value| 0.33 / value - 1.0),
        absolute: [Some(3e5), value.map(|_| 2.5e5)],
    };
    let page = confirmation(&[one(Some(0.3)), one(None)], "the 12 bytes of a|b").replace('\u{a0}', " ");
    assert!(page.contains("| session store | time | 0.33× | 0.30× [0.25, 0.35] |") && page.contains("+10.0 % [-5.7, +32.0] |"), "{page}");
    assert!(page.contains("no round ran to its end") && page.contains("the 12 bytes of a\\|b"), "{page}");
}

#[test]
fn a_choice_among_figures_of_another_size_is_said_to_be_one() {
    let told =
        |given| recommendation(&advice(Constraints { payload_bytes: given, ..Constraints::default() })).matches("and yours has").count();
    assert_eq!((told(None), told(Some(3_000)), told(Some(4_097)), told(Some(1_000))), (0, 2, 3, 3), "of one at 2 KiB and two at 16 KiB");
    let large = recommendation(&advice(Constraints { payload_bytes: Some(38_000), ..Constraints::default() }));
    assert!(
        large.contains("**Measured with 2.00 KiB, and yours has 37.1 KiB**") && large.contains("`-s load.payload.size=38KiB`"),
        "{large}"
    );
}

#[test]
fn a_recommendation_that_lost_on_the_payload_is_said_to_have_lost() {
    let one = |predicted: f64, [low, high]: [f64; 2]| Confirmation {
        part: Part::Store,
        measure: Measure::Time,
        predicted,
        measured: Interval { value: Some(f64::midpoint(low, high)), low: Some(low), high: Some(high), rounds: 8, ..Interval::default() },
        error: Some(0.1),
        absolute: [Some(1e6), Some(2e6)],
    };
    let said = |one: Confirmation| {
        confirmation(&[one], "a file").contains("**Not confirmed**: the settings recommended for the session store need more time")
    };
    assert!(said(one(0.44, [1.03, 1.26])));
    assert!(!said(one(0.44, [0.95, 1.26])), "in doubt");
    assert!(!said(one(1.02, [1.01, 1.03])), "predicted to be no better");
}
