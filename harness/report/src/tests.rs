//! The whole report of a synthetic run, beside golden files. `UPDATE_GOLDEN=1 cargo test -p report` blesses a wanted change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

mod ledger;
mod synthetic;

/// The summary of the synthetic run.
pub(crate) fn summary() -> Summary {
    let run = synthetic::run();
    analysis::summarise(&run.plan, &run.facts, &run.records)
}

fn write_synthetic() -> Output {
    let run = synthetic::run();
    write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap()
}

fn text<'a>(output: &'a Output, path: &str) -> &'a str {
    std::str::from_utf8(&output.files[path]).unwrap()
}

/// Compares with the golden file; on a mismatch the fresh text is left in the temporary directory, named in the message.
fn golden(name: &str, fresh: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    let known = std::fs::read(&path).unwrap_or_default();
    if known != fresh {
        let beside: PathBuf = std::env::temp_dir().join(format!("fresh-{}", name.replace('/', "-")));
        std::fs::write(&beside, fresh).unwrap();
        panic!("{name} differs from its golden file; the fresh one is {}; UPDATE_GOLDEN=1 blesses it", beside.display());
    }
}

#[test]
fn the_report_of_a_run_is_the_golden_one() {
    let output = write_synthetic();
    for (path, bytes) in output.files.iter().filter(|f| f.0.ends_with(".svg") || f.0.ends_with(".md")) {
        golden(path, bytes);
    }
    let run = synthetic::run();
    golden("terminal.txt", terminal(&analysis::summarise(&run.plan, &run.facts, &run.records)).as_bytes());
}

#[test]
fn the_same_input_gives_the_same_bytes_in_any_order_of_records() {
    let mut run = synthetic::run();
    let first = write_synthetic();
    run.records.reverse();
    let second = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    assert_eq!(first.files.keys().collect::<Vec<_>>(), second.files.keys().collect::<Vec<_>>());
    for (path, bytes) in &first.files {
        assert!(bytes == &second.files[path], "{path} depends on the order of records");
    }
}

#[test]
fn every_picture_of_the_document_is_written_and_shown_by_a_relative_path() {
    let output = write_synthetic();
    let report = text(&output, "report.md");
    let shown: Vec<&str> = report.split("](").skip(1).filter_map(|t| t.split(')').next()).filter(|p| p.ends_with(".svg")).collect();
    assert!(shown.len() >= 5, "{shown:?}");
    for path in &shown {
        assert!(output.files.contains_key(*path), "{path} is shown and not written");
    }
    for path in output.files.keys().filter(|p| p.ends_with(".svg")) {
        assert!(shown.contains(&path.as_str()), "{path} is written and not shown");
    }
}

#[test]
fn the_document_has_all_its_parts_in_order() {
    let output = write_synthetic();
    let report = text(&output, "report.md");
    let mut at = 0;
    for part in [
        "# poolbench report",
        "> [!CAUTION]",
        "| What ran |",
        "How to read this",
        "## All cases",
        "## sqlite/session-writes",
        "### `store.sqlite.journal-mode`",
        "-spectrum.svg)",
        "**Time by phase**",
        "-phases.svg)",
        "**Sizes**",
        "**CPU profile**",
        "Hotspots",
        "## pool/tiers",
        "**Tiers and pool utilisation**",
        "**Tier selection**",
        "**Session affinity**",
        "## pool/crash",
        "**Is the latency right?**",
        "**Outcomes**",
        "**Workers**",
        "**Right answers**",
        "## Generator and host",
    ] {
        let found = report[at..].find(part);
        at += found.unwrap_or_else(|| panic!("'{part}' is missing or out of order"));
    }
}

#[test]
fn a_poor_profile_is_refused_in_words() {
    let mut run = synthetic::run();
    let profiled = run.records.iter_mut().find_map(|r| r.profile.as_mut()).unwrap();
    profiled.samples /= 5;
    let output = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    assert!(text(&output, "report.md").contains("The profile is refused, not drawn"));
    assert!(!output.files.keys().any(|p| p.starts_with("profiles/")));
}

#[test]
fn hostile_texts_stay_texts() {
    let mut run = synthetic::run();
    let value = "a|b`<i>\n*";
    let old = std::mem::replace(&mut run.plan.cases[1].axes[0].1, value.to_owned());
    run.plan.scenarios[0].axes[0].values[1] = value.to_owned();
    let id = run.plan.cases[1].id.replace(&old, value);
    run.records.iter_mut().filter(|r| r.case == run.plan.cases[1].id).for_each(|r| r.case.clone_from(&id));
    run.plan.cases[1].id = id;
    run.plan.scenarios[0].notes = "<script>alert(1)</script> | [x](http://e) `q`".to_owned();
    let output = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    let report = text(&output, "report.md");
    assert!(!report.contains("<script>") && report.contains("&lt;script&gt;"));
    assert!(report.contains("a\\|b") && !report.replace("'<i> *`", "").contains("<i>"), "only inside a code span");
    for line in report.lines().filter(|l| l.starts_with('|')) {
        assert!(line.ends_with('|'), "{line}");
    }
}

#[test]
fn an_empty_run_has_a_report_too() {
    let run = synthetic::run();
    let (records, folded) = (Vec::new(), BTreeMap::new());
    let output = write(&Input { plan: &run.plan, facts: &run.facts, records: &records, folded: &folded }).unwrap();
    assert!(text(&output, "report.md").contains("## All cases"));
    assert!(!output.files.keys().any(|p| p.ends_with(".svg") || p.ends_with(".hlog")));
}

#[test]
fn the_json_has_its_schema_and_is_json() {
    let output = write_synthetic();
    let json: serde_json::Value = serde_json::from_slice(&output.files["report.json"]).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["scenarios"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_long_axis_has_one_row_per_value_folded_away() {
    let run = synthetic::axis_of(7);
    let output = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    let report = text(&output, "report.md");
    let (_, section) = report.split_once("### `store.files.setting-0`").unwrap();
    let (_, folded) = section.split_once("<details><summary>7 values of setting-0").unwrap();
    let (folded, _) = folded.split_once("</details>").unwrap();
    assert_eq!(folded.matches("| `value-").count(), 7);
    let spectrum = text(&output, "plots/group-scenario-0-spectrum.svg");
    assert_eq!(spectrum.matches("9000 requests").count(), 7);
}

/// The default suite: ten scenarios and their axes. A pull-request comment holds 64 KiB.
#[test]
fn the_report_of_a_suite_fits_a_comment() {
    let run = synthetic::suite();
    let output = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    let size = output.files["report.md"].len();
    assert!((20_000..60_000).contains(&size), "report.md of {} cases has {size} bytes", run.plan.cases.len());
}

#[test]
fn lag_over_time_is_drawn_where_records_tell_of_it() {
    let mut run = synthetic::run();
    let before = write_synthetic();
    assert!(before.files.keys().all(|path| !path.ends_with("-lag.svg")), "old records tell nothing");
    let point = |part: u64, max_ns| model::record::LagPoint { at_ns: part * 50_000_000, requests: 9, p50_ns: 20_000, max_ns };
    for record in run.records.iter_mut().filter(|r| r.kind == model::record::TrialKind::Measured && r.pacer.is_some()) {
        record.lag_over_time = (0..100).map(|part| point(part, if part == 70 { 30_000_000 } else { 40_000 })).collect();
    }
    let after = write(&Input { plan: &run.plan, facts: &run.facts, records: &run.records, folded: &run.folded }).unwrap();
    let drawn: Vec<&String> = after.files.keys().filter(|path| path.ends_with("-lag.svg")).collect();
    assert!(!drawn.is_empty());
    let report = text(&after, "report.md");
    assert!(drawn.iter().all(|path| report.contains(&format!("]({path})"))), "{drawn:?}");
    assert!(
        report.contains("Lag over time: the generator took 7.3 % of a CPU at most; the host kept it from running, and its stand-in sent"),
        "0.4 s in 5.5 s of its time"
    );
    let svg = text(&after, drawn[0]);
    assert!(svg.contains("greatest lag") && svg.contains("<polyline"));
}

#[test]
fn what_survives_is_a_row_with_a_column_for_each_percentile() {
    use analysis::summary::{Gain, Share, Survival};
    let gain = |gain: f64, low: f64, high: f64, inconclusive| Gain {
        gain: Some(gain),
        low: Some(low),
        high: Some(high),
        rounds: 8,
        inconclusive,
        why: String::new(),
    };
    let mut summary = summary();
    assert!(!doc::report(&summary, &[], None, "").contains("What survives"), "nobody asked");
    let mut row = Survival {
        says: "WAL over DELETE".to_owned(),
        place: "sqlite/session-writes.toml:46".to_owned(),
        phase: "persist".to_owned(),
        scenario: "sqlite/session-writes".to_owned(),
        isolated_scenario: "sqlite/commits".to_owned(),
        isolated_of: "variant=wal-normal".to_owned(),
        isolated_over: "variant=delete-full".to_owned(),
        isolated: gain(8.0, 7.5, 8.5, false),
        phase_p50: gain(4.0, 3.9, 4.1, false),
        p50: gain(2.0, 1.9, 2.1, false),
        p99: gain(1.1, 0.8, 1.5, true),
        p50_share: Share { share: Some(0.3333), low: Some(0.3), high: Some(0.37), ..Share::default() },
        p99_share: Share { share: Some(0.046), low: Some(-0.11), high: Some(0.2), inconclusive: true, ..Share::default() },
        durability: None,
        beside: vec!["at lower durability".to_owned()],
    };
    summary.survives.push(row.clone());
    let told = doc::report(&summary, &[], None, "").replace('\u{a0}', " ");
    let expected = "| WAL over DELETE (sqlite/session-writes) | 8.00× [7.50, 8.50] | persist: 4.00× [3.90, 4.10] | 2.00× [1.90, 2.10] | \
                    1.10× [0.80, 1.50] inconclusive | 33 % [30, 37] | 5 % [-11, 20] inconclusive | \
                    alone: sqlite/commits `variant=wal-normal` over `variant=delete-full`; at lower durability |";
    assert!(told.contains(expected), "{told}");
    (row.isolated, row.p50_share) = (Gain { why: "the run lacks it".to_owned(), ..Gain::default() }, Share::default());
    summary.survives = vec![row];
    let told = doc::report(&summary, &[], None, "").replace('\u{a0}', " ");
    assert!(told.contains("| WAL over DELETE (sqlite/session-writes) | – |") && told.contains("; the run lacks it |"), "{told}");
}
