//! A small run with realistic values: an axis of two values with a profile, three tiers, and a case with crashes and a failed round.
//! Only exact arithmetic, so that golden files are the same on any host.

use std::collections::BTreeMap;

use model::facts::Facts;
use model::plan::{Axis, Case, Expectation, Kind, Load, Plan, SCHEMA, Scenario, Size};
use model::record::{ByteFigures, Deaths, Pacer, ProfileFigures, Record, SessionsCheck, Status, TierFigures, TrialKind, Twin};
use model::units::Rate;
use model::{Histogram, Located};

pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) facts: Facts,
    pub(super) records: Vec<Record>,
    pub(super) folded: BTreeMap<String, String>,
}

const ROUNDS: u32 = 3;
const REQUESTS: u64 = 3000;
const FOLDED: &str = "profiles/sqlite-session-writes.folded";

pub(super) fn run() -> Run {
    let axis = Axis {
        key: "store.sqlite.journal-mode".to_owned(),
        short: "journal-mode".to_owned(),
        values: vec!["delete".to_owned(), "wal".to_owned()],
    };
    let scenarios = vec![
        scenario("sqlite/session-writes", "Session writes under steady load, SQLite settings compared", vec![axis], true),
        scenario("pool/tiers", "Three tools of light, medium and heavy cost on three tiers", Vec::new(), false),
        scenario("pool/crash", "A worker is killed while it is busy, several times", Vec::new(), false),
    ];
    let [delete, wal] = ["delete", "wal"].map(|v| case("sqlite/session-writes", &[("journal-mode", v)]));
    let cases = vec![delete, wal, case("pool/tiers", &[]), case("pool/crash", &[])];
    let mut records = Vec::new();
    for round in 0..ROUNDS {
        records.extend([
            writes(&cases[0].id, round, 100),
            writes(&cases[1].id, round, 38),
            tiers(&cases[2].id, round),
            crash(&cases[3].id, round),
        ]);
    }
    for (case, capacity) in cases.iter().zip([1460, 3650, 900, 1400]) {
        records.push(calibration(&case.id, capacity));
    }
    records.push(profiled(&cases[0].id));
    let folded = BTreeMap::from([(FOLDED.to_owned(), stacks())]);
    Run {
        plan: Plan { schema: SCHEMA, size: Size::Full, seed: 7, virtual_time: false, left_out: Vec::new(), scenarios, cases },
        facts: facts(),
        records,
        folded,
    }
}

fn located(value: &str) -> Located {
    Located::new(value, "sqlite/session-writes.toml", 4)
}

fn facts() -> Facts {
    Facts {
        schema: SCHEMA,
        started: "2026-01-31T12:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        dirty: true,
        profile: "release".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        kernel: "Linux 6.18.5".to_owned(),
        cpu: "AMD EPYC 9B14".to_owned(),
        cpus: 2,
        memory_bytes: 8 << 30,
        filesystem: "ext4".to_owned(),
        sqlite: "3.51.0".to_owned(),
        zstd: "1.5.7".to_owned(),
        zlib: "zlib-rs 0.5".to_owned(),
        tick_hz: 250,
        timing_class: "fifo".to_owned(),
        generator_per_s: Some(150_000),
        arguments: ["run", "--size", "full", "-f", "^(sqlite|pool)/"].map(str::to_owned).to_vec(),
        parts: Vec::new(),
    }
}

fn scenario(name: &str, what: &str, axes: Vec<Axis>, profile: bool) -> Scenario {
    Scenario {
        name: name.to_owned(),
        what: what.to_owned(),
        why: "The default must be the best durable setting".to_owned(),
        guards: vec!["response.p99".to_owned(), "phase.persist.p50".to_owned()],
        notes:
            "We expect the write-ahead log to win, since a commit is one append.\n\nWhat it costs: `synchronous=normal` may lose the last \
                commits when the power fails."
                .to_owned(),
        axes,
        profile,
        claims: Vec::new(),
        survives: Vec::new(),
    }
}

fn case(scenario: &str, axes: &[(&str, &str)]) -> Case {
    let axes: Vec<(String, String)> = axes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let query: Vec<String> = axes.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Case {
        id: if query.is_empty() { scenario.to_owned() } else { format!("{scenario}?{}", query.join("&")) },
        scenario: scenario.to_owned(),
        axes,
        target: located("coordinator"),
        settings: BTreeMap::new(),
        load: Load {
            arrivals: Kind { kind: located("poisson"), with: BTreeMap::new() },
            rate: Some(Rate::OfCapacity(0.6)),
            clients: 8,
            warmup_ns: 500_000_000,
            length_ns: 5_000_000_000,
            sessions: 200,
            trace: None,
            popularity: located("zipf 1.1"),
            time_scale: None,
            accept: "zstd, gzip;q=0.5".to_owned(),
            mix: Vec::new(),
        },
        faults: Vec::new(),
        expect: vec![Expectation {
            figure: "outcomes.ok".to_owned(),
            says: located("100%"),
            at_least: Some(1.0),
            at_most: None,
            share: true,
        }],
        rounds: ROUNDS,
        timeout_ns: 60_000_000_000,
    }
}

/// A latency distribution with a long tail, by straight lines between quantiles, scaled in percent.
fn latencies(count: u64, percent: u64, round: u32) -> Histogram {
    const SHAPE: [(u64, u64); 8] = [
        (0, 400_000),
        (5_000, 1_100_000),
        (9_000, 2_400_000),
        (9_500, 3_500_000),
        (9_900, 9_000_000),
        (9_990, 31_000_000),
        (9_999, 55_000_000),
        (10_000, 60_000_000),
    ];
    let mut histogram = Histogram::new();
    for i in 0..count {
        let rank = i * 10_000 / count;
        let upper = SHAPE.iter().position(|p| p.0 > rank).unwrap_or(SHAPE.len() - 1);
        let ((r0, v0), (r1, v1)) = (SHAPE[upper - 1], SHAPE[upper]);
        let value = v0 + (v1 - v0) * (rank - r0) / (r1 - r0);
        histogram.record(value * percent * u64::from(100 + 2 * round) / 10_000);
    }
    histogram
}

fn measured(case: &str, round: u32, percent: u64) -> Record {
    let mut r = Record::without_figures(case, round, TrialKind::Measured, 7 + u64::from(round), Status::Measured);
    r.started_unix_ms = 1_769_860_800_000 + u64::from(round) * 20_000;
    r.timing_class = "fifo".to_owned();
    r.open_loop = true;
    r.offered_per_s = Some(600.0);
    r.fingerprint = "c0ffee".to_owned();
    (r.window_ns, r.until_last_ns) = (5_000_000_000, 5_012_000_000);
    (r.counts.intended, r.counts.sent, r.counts.finished) = (REQUESTS, REQUESTS, REQUESTS);
    (r.counts.ok_in_deadline, r.counts.ok_arrived_in_window, r.counts.warmup) = (REQUESTS, REQUESTS, 300);
    r.outcomes.insert("ok".to_owned(), REQUESTS);
    r.histograms.insert("response".to_owned(), latencies(REQUESTS, percent, round));
    r.histograms.insert("since-sent".to_owned(), latencies(REQUESTS, percent, round));
    r.histograms.insert("lag".to_owned(), latencies(REQUESTS, 1, round));
    r.bands = bands(percent as f64 / 100.0);
    r.histograms.insert("phase.persist".to_owned(), latencies(REQUESTS, percent / 3, round));
    for kind in ["response", "service"] {
        r.histograms.insert(format!("tier.hot.{kind}"), latencies(REQUESTS, percent, round));
    }
    r.unexplained_share = 0.004;
    r.cpu.process_ns = REQUESTS * 240_000 * percent / 100;
    r.cpu.workers_ns = REQUESTS * 90_000;
    r.answers.digests = REQUESTS;
    r.answers.bodies = 64;
    r.pacer = Some(Pacer { cpu_ns: 400_000_000, wall_ns: 5_500_000_000, tail_ns: 60_000, run_queue_ns: 0, stood_in: 3 });
    r.host.cpu_pressure = 0.03;
    r.host.load_1m = 1.2;
    r.memory_peak_bytes = 41 << 20;
    r
}

/// Where the time goes: waiting grows in the tail.
fn bands(scale: f64) -> BTreeMap<String, BTreeMap<String, f64>> {
    let band = |values: [f64; 10]| -> BTreeMap<String, f64> {
        let names = ["lag", "admit", "load", "queue", "dispatch", "service", "return", "compress", "persist", "unexplained"];
        let mut parts: BTreeMap<String, f64> = names.iter().zip(values).map(|(name, us)| ((*name).to_owned(), us * 1e3 * scale)).collect();
        let response = parts.values().sum();
        parts.insert("response".to_owned(), response);
        parts
    };
    let p50 = band([15.0, 4.0, 120.0, 30.0, 12.0, 410.0, 14.0, 60.0, 430.0, 5.0]);
    let p99 = band([40.0, 6.0, 300.0, 9000.0, 30.0, 900.0, 40.0, 90.0, 5600.0, 60.0]);
    BTreeMap::from([("p50".to_owned(), p50), ("p99".to_owned(), p99)])
}

fn writes(case: &str, round: u32, percent: u64) -> Record {
    let mut r = measured(case, round, percent);
    r.bytes = ByteFigures { encoded: REQUESTS * 4200, sent: REQUESTS * 1430, saved: REQUESTS * (9700 + percent) };
    r.sessions =
        Some(SessionsCheck { read: 200, turns_acknowledged: REQUESTS + 300, turns_found: REQUESTS + 300, ..SessionsCheck::default() });
    r.tiers.insert("hot".to_owned(), TierFigures { served: REQUESTS, busy_ns: 3_100_000_000, live_ns: 10_000_000_000, slots: 2 });
    r.deaths.spawns = 2;
    r.deaths.closed = 2;
    let mode = if percent == 100 { "delete" } else { "wal" };
    r.seen = BTreeMap::from([("journal_mode".to_owned(), mode.to_owned()), ("synchronous".to_owned(), "2 (full)".to_owned())]);
    r
}

fn tiers(case: &str, round: u32) -> Record {
    let mut r = measured(case, round, 150);
    for (tier, served, busy_ns, slots, percent) in
        [("hot", 2400, 3_900_000_000, 2, 90), ("warm", 500, 2_700_000_000, 2, 260), ("cold", 70, 900_000_000, 1, 900)]
    {
        r.tiers.insert(tier.to_owned(), TierFigures { served, busy_ns, live_ns: slots * 4_600_000_000, slots });
        for kind in ["response", "service"] {
            r.histograms.insert(format!("tier.{tier}.{kind}"), latencies(served, percent, round));
        }
    }
    let row = |cells: [u64; 3]| ["hot", "warm", "cold"].map(str::to_owned).into_iter().zip(cells).collect::<BTreeMap<_, _>>();
    r.confusion.insert("hot".to_owned(), row([2380, 18, 2]));
    r.confusion.insert("warm".to_owned(), row([40, 452, 8]));
    r.confusion.insert("cold".to_owned(), row([0, 9, 61]));
    for (kind, n) in [("bound", 200), ("hit", 2690), ("missed", 70), ("forced-miss", 10)] {
        r.affinity.insert(kind.to_owned(), n);
    }
    r.outcomes = BTreeMap::from([("ok".to_owned(), REQUESTS - 30), ("shed".to_owned(), 26), ("expired".to_owned(), 4)]);
    r.counts.ok_in_deadline = REQUESTS - 41;
    r.counts.fallbacks = 17;
    r.errors.insert("queue of tier cold is full; retry after 120 ms".to_owned(), 26);
    r
}

fn crash(case: &str, round: u32) -> Record {
    if round == 1 {
        let why = "the child exited with status 101 before its record; run with --in-process to debug".to_owned();
        return Record::without_figures(case, round, TrialKind::Measured, 8, Status::Failed { why });
    }
    let mut r = measured(case, round, 120);
    r.outcomes = BTreeMap::from([("ok".to_owned(), REQUESTS - 4), ("outcome-unknown".to_owned(), 4)]);
    (r.counts.ok_in_deadline, r.counts.redispatched) = (REQUESTS - 4, 2);
    let by_status = BTreeMap::from([("signal 9 (SIGKILL)".to_owned(), 5), ("exit status 3".to_owned(), 1)]);
    r.deaths = Deaths { unexpected: 6, while_busy: 4, closed: 1, spawns: 7, by_status, children_left: 0 };
    r.tiers.insert("hot".to_owned(), TierFigures { served: REQUESTS - 4, busy_ns: 3_000_000_000, live_ns: 4_700_000_000, slots: 1 });
    r.twin = Some(Twin {
        measured: [1.31e6, 198e6, 597e6, 921e6],
        lindley: [1.32e6, 200e6, 600e6, 920e6],
        dispatch_stamp: [0.21e6, 0.23e6, 0.25e6, 2.1e6],
        requests: REQUESTS,
        slots: 2,
        residual: Some([76e3, 120e3, 180e3, 640e3]),
    });
    r
}

fn calibration(case: &str, per_s: u64) -> Record {
    let mut r = Record::without_figures(case, 0, TrialKind::Calibration, 7, Status::Measured);
    r.window_ns = 1_000_000_000;
    (r.counts.ok_arrived_in_window, r.counts.finished, r.counts.sent, r.counts.intended) = (per_s, per_s, per_s, per_s);
    r.outcomes.insert("ok".to_owned(), per_s);
    r
}

fn profiled(case: &str) -> Record {
    let mut r = measured(case, 0, 104);
    r.kind = TrialKind::Profiled;
    let figures = ProfileFigures {
        sampler: "pprof".to_owned(),
        hz: 99,
        samples: 470,
        expected: 482.0,
        unnamed: 4,
        folded: FOLDED.to_owned(),
        outside_ns: 270_000_000,
    };
    r.profile = Some(figures);
    r
}

fn stacks() -> String {
    let root = "std::thread::spawn;tokio::runtime::task::harness::poll";
    let [step, save] = ["coordinator::request::handle", "coordinator::request::handle;phase::persist;store::sqlite::save"];
    [
        (format!("{root};{save};sqlite3_step;sqlite3VdbeExec;walWriteFrames;pwrite"), 138),
        (format!("{root};{save};sqlite3_step;sqlite3VdbeExec;sqlite3BtreeInsert"), 64),
        (format!("{root};{save};serde_json::to_vec;store::session::Session::serialize"), 51),
        (format!("{root};{step};phase::load;store::sqlite::load;serde_json::from_slice"), 77),
        (format!("{root};{step};phase::compress;zstd::bulk::compress;ZSTD_compressBlock_fast"), 58),
        (format!("{root};{step};pool::core::Core::step"), 31),
        (format!("{root};pool::workers::process::write_frame;writev"), 33),
        (format!("{root};[unnamed]"), 4),
        ("main;tokio::runtime::park;epoll_wait".to_owned(), 14),
    ]
    .iter()
    .map(|(stack, n)| format!("{stack} {n}\n"))
    .collect()
}

/// As large as the default suite: six scenarios without an axis, axes of 2 and 3, products of 4, 6 and 8.
pub(super) fn suite() -> Run {
    of_sizes(&[&[], &[], &[], &[], &[], &[], &[2], &[3], &[2, 2], &[3, 2], &[2, 2, 2]])
}

/// One scenario with one axis of so many values.
pub(super) fn axis_of(values: u32) -> Run {
    of_sizes(&[&[values]])
}

/// Scenarios with axes of those sizes.
fn of_sizes(scenarios: &[&[u32]]) -> Run {
    let mut out = run();
    (out.plan.scenarios, out.plan.cases, out.records) = (Vec::new(), Vec::new(), Vec::new());
    for (number, sizes) in scenarios.iter().enumerate() {
        let name = format!("group/scenario-{number}");
        let axis = |(index, values): (usize, &u32)| Axis {
            key: format!("store.files.setting-{index}"),
            short: format!("setting-{index}"),
            values: (0..*values).map(|v| format!("value-{v}")).collect(),
        };
        let axes: Vec<Axis> = sizes.iter().enumerate().map(axis).collect();
        for index in 0..sizes.iter().product::<u32>() {
            let case = case(&name, &fixed(&axes, index));
            for round in 0..ROUNDS {
                let tiered = number == 0 && sizes.is_empty();
                let percent = 100 + u64::from(index) * 7;
                out.records.push(if tiered { tiers(&case.id, round) } else { writes(&case.id, round, percent) });
            }
            out.records.push(calibration(&case.id, 1000));
            out.plan.cases.push(case);
        }
        out.plan.scenarios.push(scenario(&name, "A whole pool under a load that it should bear, settings compared", axes, false));
    }
    out
}

/// The values of the axes in the combination of that number.
fn fixed(axes: &[Axis], mut number: u32) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    for axis in axes {
        let values = axis.values.len() as u32;
        out.push((axis.short.as_str(), axis.values[(number % values) as usize].as_str()));
        number /= values;
    }
    out
}
