//! Builders of synthetic plans, facts and records for the tests.

use std::collections::BTreeMap;

use model::facts::Facts;
use model::plan::{Axis, Case, Kind, Load, Plan, SCHEMA, Scenario, Size};
use model::record::{Pacer, Status, TrialKind};
use model::units::Rate;
use model::{Histogram, Located, Record};

pub(crate) fn located(value: &str) -> Located {
    Located::new(value, "pool/steady.toml", 3)
}

pub(crate) fn facts() -> Facts {
    Facts {
        schema: SCHEMA,
        started: "2026-01-31T12:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        commit: "abc".to_owned(),
        dirty: false,
        profile: "release".to_owned(),
        rustc: "rustc 1.95".to_owned(),
        kernel: "Linux 6.18".to_owned(),
        cpu: "some CPU".to_owned(),
        cpus: 2,
        memory_bytes: 1 << 33,
        filesystem: "ext4".to_owned(),
        sqlite: "3.50".to_owned(),
        zstd: "1.5".to_owned(),
        zlib: "zlib-rs".to_owned(),
        tick_hz: 250,
        timing_class: "fifo".to_owned(),
        generator_per_s: None,
        arguments: vec!["run".to_owned()],
        parts: Vec::new(),
    }
}

/// A histogram of `(how many, ns)`.
pub(crate) fn histogram(values: &[(u64, u64)]) -> Histogram {
    let mut h = Histogram::new();
    for (times, ns) in values {
        (0..*times).for_each(|_| h.record(*ns));
    }
    h
}

/// An undisturbed open-loop trial: 2000 `ok` requests of about 2 ms in 2 s.
pub(crate) fn measured(case: &str, round: u32) -> Record {
    let mut r = Record::without_figures(case, round, TrialKind::Measured, 7, Status::Measured);
    r.timing_class = "fifo".to_owned();
    r.open_loop = true;
    r.offered_per_s = Some(1000.0);
    r.fingerprint = "load".to_owned();
    (r.window_ns, r.until_last_ns) = (2_000_000_000, 2_002_000_000);
    let c = &mut r.counts;
    (c.intended, c.sent, c.finished, c.ok_in_deadline, c.ok_arrived_in_window) = (2000, 2000, 2000, 2000, 2000);
    r.outcomes.insert("ok".to_owned(), 2000);
    r.histograms.insert("response".to_owned(), histogram(&[(1900, 2_000_000), (100, 9_000_000)]));
    r.histograms.insert("since-sent".to_owned(), histogram(&[(1900, 1_950_000), (100, 8_900_000)]));
    r.histograms.insert("lag".to_owned(), histogram(&[(2000, 20_000)]));
    r.cpu.process_ns = 100_000_000;
    r.pacer = Some(Pacer { cpu_ns: 1, wall_ns: 10, tail_ns: 0, run_queue_ns: 0, stood_in: 0 });
    r.answers.digests = 2000;
    r
}

/// A calibration trial that reached so many per second.
pub(crate) fn calibration(case: &str, round: u32, per_s: u64) -> Record {
    let mut r = Record::without_figures(case, round, TrialKind::Calibration, 7, Status::Measured);
    r.window_ns = 1_000_000_000;
    r.counts.ok_arrived_in_window = per_s;
    r
}

pub(crate) fn failed(case: &str, round: u32, why: &str) -> Record {
    Record::without_figures(case, round, TrialKind::Measured, 7, Status::Failed { why: why.to_owned() })
}

pub(crate) fn load(rate: Option<Rate>) -> Load {
    Load {
        arrivals: Kind { kind: located("poisson"), with: BTreeMap::new() },
        rate,
        clients: 4,
        warmup_ns: 100_000_000,
        length_ns: 2_000_000_000,
        sessions: 0,
        trace: None,
        popularity: located("uniform"),
        time_scale: None,
        accept: String::new(),
        mix: Vec::new(),
    }
}

/// A plan with one scenario; `axes` are `(short key, values)`, the cases their product in order.
pub(crate) fn plan(scenario: &str, axes: &[(&str, &[&str])], rate: Option<Rate>, rounds: u32) -> Plan {
    let mut combinations: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (key, values) in axes {
        let with = |c: &Vec<(String, String)>, v: &str| [c.clone(), vec![((*key).to_owned(), v.to_owned())]].concat();
        combinations = combinations.iter().flat_map(|c| values.iter().map(move |v| with(c, v))).collect();
    }
    let case = |axes: Vec<(String, String)>| {
        let query: Vec<String> = axes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let id = if query.is_empty() { scenario.to_owned() } else { format!("{scenario}?{}", query.join("&")) };
        Case {
            id,
            scenario: scenario.to_owned(),
            axes,
            target: located("coordinator"),
            settings: BTreeMap::new(),
            load: load(rate),
            faults: Vec::new(),
            expect: Vec::new(),
            rounds,
            timeout_ns: 60_000_000_000,
        }
    };
    let axis = |(key, values): &(&str, &[&str])| Axis {
        key: format!("store.{key}"),
        short: (*key).to_owned(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    Plan {
        schema: SCHEMA,
        size: Size::Full,
        seed: 42,
        virtual_time: false,
        left_out: Vec::new(),
        scenarios: vec![Scenario {
            name: scenario.to_owned(),
            what: "what".to_owned(),
            why: "why".to_owned(),
            guards: Vec::new(),
            notes: String::new(),
            axes: axes.iter().map(axis).collect(),
            profile: true,
            claims: Vec::new(),
            survives: Vec::new(),
        }],
        cases: combinations.into_iter().map(case).collect(),
    }
}

/// The summary of one case with these records.
pub(crate) fn one_case(records: &[Record]) -> crate::summary::CaseSummary {
    one_case_with(&facts(), records)
}

/// The same on other facts.
pub(crate) fn one_case_with(facts: &Facts, records: &[Record]) -> crate::summary::CaseSummary {
    let rounds = records.iter().map(|r| r.round + 1).max().unwrap_or(1);
    let plan = plan("a/b", &[], Some(Rate::PerSecond(1000.0)), rounds);
    let summary = crate::summarise(&plan, facts, records);
    summary.scenarios[0].cases[0].clone()
}
