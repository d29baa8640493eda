use std::collections::BTreeMap;

use analysis::recommend::{Contest, Crashes};
use model::durability::Class;

use super::*;

fn candidate(case: &str, settings: &[(&str, &str)], time_ns: f64, class: Option<Class>) -> Candidate {
    Candidate {
        case: case.to_owned(),
        settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        time_ns: Some(time_ns),
        p99_ns: class.map(|_| time_ns * 3.0),
        max_ns: Some(time_ns * 9.0),
        cpu_ns: time_ns / 2.0,
        bytes_ratio: class.is_none().then_some(4.0),
        per_s: class.map(|_| 1000.0 + time_ns / 1000.0),
        rounds: 3,
        by_round: (0..3).map(|round| (round, figures(time_ns * (1.0 + f64::from(round) / 100.0), class.is_none()))).collect(),
        crashes: class.map(|all| Crashes { kill: Class::Durable, all }),
        class: class.map(Class::word),
    }
}

fn figures(time_ns: f64, sized: bool) -> BTreeMap<Measure, f64> {
    let all = [(Measure::Time, time_ns), (Measure::Cpu, time_ns / 2.0), (Measure::Size, 0.25)];
    all.into_iter().filter(|(measure, _)| sized || *measure != Measure::Size).collect()
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
    let left_out = vec!["batch-10 of a|b is no setting".to_owned()];
    let mut advice = Advice { constraints, decisions: Vec::new(), impossible: Vec::new(), left_out };
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
    assert!(line("Predicted, by `sync=").contains(", paired over 3 rounds: 0.33× [0.33, 0.33] time, 0.33× [0.33, 0.33] CPU."), "{page}");
    assert!(line("Predicted, by `sync=").contains("disk") && !line("Predicted, by `gzip").contains("disk"), "{page}");
    assert!(line("Not all were sent the same").contains("1100/s to 1900/s"), "{page}");
    assert!(page.contains("Left out: batch-10 of a\\|b is no setting."), "{page}");
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let expected = "[store]\ndictionary-size = \"16384B\"\nkind = \"sqlite\"\nsqlite.cache-size = -2000\nsqlite.journal-mode = \"wal\"\n\
                    # compress = \"zstd\"\n# dictionary = \"trained\"\n\n[compress]\noffer = \"zstd, gzip\"\nzstd-level = 3\n";
    assert_eq!(block, expected);
    assert!(page.contains("```\n\nIn comments stands what"), "{page}");
}

#[test]
fn what_is_impossible_is_said_in_its_place() {
    let page = recommendation(&advice(Constraints { p99_ns: Some(1), ..Constraints::default() }));
    assert!(
        page.contains("Nothing is recommended. session store") && page.contains("the nearest that can be met is --p99 900us"),
        "{page}"
    );
    assert!(!page.contains("```toml"));
    assert_eq!(
        recommendation(&Advice {
            constraints: Constraints::default(),
            decisions: Vec::new(),
            impossible: Vec::new(),
            left_out: Vec::new()
        }),
        ""
    );
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
fn settings_of_another_kind_of_store_are_pasted_as_comments() {
    let group = codec(Part::Group, &[&[("store.sqlite.group-commit", "64")], &[("store.sqlite.group-commit", "1")]]);
    let any = Constraints { survive: Survive::Nothing, ..Constraints::default() };
    let decided = |contest| recommend::decide(contest, &any).unwrap();
    let group = decided(group);
    assert_eq!(settings_block(std::slice::from_ref(&group)), "[store]\nsqlite.group-commit = 1\n");
    let files = settings_block(&[decided(store()), group.clone()]);
    assert!(files.contains("kind = \"files\"") && files.contains("\n# sqlite.group-commit = 1\n"), "{files}");
    let sqlite = settings_block(&[recommend::decide(store(), &Constraints::default()).unwrap(), group]);
    assert!(sqlite.contains("kind = \"sqlite\"") && sqlite.contains("\nsqlite.group-commit = 1\n"), "{sqlite}");
}

#[test]
fn candidates_that_rounds_do_not_tell_apart_are_said_to_be_close() {
    let mut contest = store();
    let slower = contest.candidates[2].by_round.iter().map(|(round, all)| {
        // Ahead in one round, behind in the others.
        let factor = if *round == 0 { 0.8 } else { 1.3 };
        (*round, all.iter().map(|(measure, value)| (*measure, value * factor)).collect())
    });
    contest.candidates[0].by_round = slower.collect();
    let decided = recommend::decide(contest, &Constraints::default()).unwrap();
    let page = recommendation(&Advice { decisions: vec![decided], ..advice(Constraints::default()) });
    assert_eq!((page.matches(", close |").count(), page.matches("excluded: unsafe after power loss |").count()), (1, 1), "{page}");
}
