//! The crate from outside: text in, plan or problems out. The rows and kinds here stand for those of the products and the driver.

mod arrivals;
mod bad;
mod cases;
mod claims;
mod docs;
mod selection;
mod shaken;
mod standard;
mod survives;

use model::SettingRow;
use model::plan::{Plan, Size};

use crate::{KnownKinds, Options, Problem, Selection, Source, expand};

const ROWS: &[(&str, &str, &str)] = &[
    ("pool.affinity", "choice strict|soft|none", "soft"),
    ("pool.stateful", "bool", "false"),
    ("pool.recycle", "choice restart|reset", "restart"),
    ("pool.session-ttl", "duration", "none"),
    ("pool.sessions-max", "integer 1..=1048576", "65536"),
    ("pool.dispatch", "choice tiered|shared", "shared"),
    ("pool.fallback", "choice none|blocked|any-error", "blocked"),
    ("pool.predict", "choice tool|learned|oracle", "learned"),
    ("pool.predict-quantile", "integer 1..=99", "25"),
    ("pool.ageing", "duration", "10s"),
    ("pool.queue-len", "integer 0..=1000000", "1024"),
    ("pool.queue-bytes", "bytes", "64MiB"),
    ("pool.deadline", "duration", "none"),
    ("pool.start-timeout", "duration", "10s"),
    ("pool.backoff", "duration", "100ms"),
    ("pool.backoff-cap", "duration", "30s"),
    ("pool.healthy-after", "duration", "60s"),
    ("pool.park-after", "integer 1..=1000", "3"),
    ("pool.zombie-grace", "duration", "2s"),
    ("pool.spawn-concurrency", "integer 1..=1024", "2"),
    ("pool.spawn-jitter", "duration", "10ms"),
    ("pool.spare-control", "choice fixed|adaptive", "fixed"),
    ("pool.spare-window", "duration", "60s"),
    ("pool.sweep", "duration", "1s"),
    ("pool.probe-idle", "duration", "30s"),
    ("pool.probe-timeout", "duration", "5s"),
    ("pool.wedged-after", "duration", "none"),
    ("pool.eject-after", "integer 0..=1000", "5"),
    ("pool.eject-slower", "integer 0..=1000", "5"),
    ("pool.eject-window", "duration", "30s"),
    ("pool.slow-start", "duration", "0s"),
    ("pool.drain-timeout", "duration", "30s"),
    ("pool.close-grace", "duration", "500ms"),
    ("pool.term-grace", "duration", "2s"),
    ("pool.frame-max", "bytes", "16MiB"),
    ("pool.hot.worker", "text", "simulated"),
    ("pool.hot.min-ready", "integer 0..=1024", "2"),
    ("pool.hot.spares", "integer 0..=1024", "1"),
    ("pool.hot.max", "integer 0..=1024", "3"),
    ("pool.hot.idle-ttl", "duration", "none"),
    ("pool.hot.limit", "duration", "70ms"),
    ("pool.warm.worker", "text", "simulated"),
    ("pool.warm.min-ready", "integer 0..=1024", "0"),
    ("pool.warm.spares", "integer 0..=1024", "1"),
    ("pool.warm.max", "integer 0..=1024", "3"),
    ("pool.warm.idle-ttl", "duration", "300s"),
    ("pool.warm.limit", "duration", "700ms"),
    ("pool.warm.cap", "integer 1..=100", "75"),
    ("pool.cold.worker", "text", "simulated"),
    ("pool.cold.min-ready", "integer 0..=1024", "0"),
    ("pool.cold.spares", "integer 0..=1024", "0"),
    ("pool.cold.max", "integer 0..=1024", "2"),
    ("pool.cold.idle-ttl", "duration", "30s"),
    ("pool.cold.limit", "duration", "none"),
    ("pool.cold.cap", "integer 1..=100", "50"),
    ("pool.shared.worker", "text", "simulated"),
    ("pool.shared.min-ready", "integer 0..=1024", "2"),
    ("pool.shared.spares", "integer 0..=1024", "1"),
    ("pool.shared.max", "integer 0..=1024", "8"),
    ("pool.shared.idle-ttl", "duration", "300s"),
    ("pool.tools.*.tier", "choice hot|warm|cold", "hot"),
    ("pool.tools.*.replayable", "bool", "false"),
    ("store.kind", "choice none|files|sqlite", "sqlite"),
    ("store.files.api", "choice std|tokio", "std"),
    ("store.files.write", "choice truncate|in-place|rename", "rename"),
    ("store.files.sync", "choice none|file|file-and-dir", "file-and-dir"),
    ("store.sqlite.journal-mode", "choice delete|truncate|persist|memory|wal|off", "wal"),
    ("store.sqlite.synchronous", "choice off|normal|full|extra", "full"),
    ("store.sqlite.cache-size", "integer -1048576..=1048576", "-2000"),
    ("store.sqlite.mmap-size", "integer 0..=2147418112", "0"),
    ("store.sqlite.group-commit", "integer 1..=1000", "64"),
    ("store.compress", "choice none|zstd|zstd-small", "none"),
    ("store.parse", "choice lazy|typed|tree", "lazy"),
    ("store.session-max", "bytes", "16777216"),
    ("compress.offer", "text", "zstd, gzip"),
    ("compress.gzip-level", "integer 0..=9", "6"),
    ("compress.zstd-level", "integer -7..=19", "3"),
    ("session.keep", "integer 1..=1000", "8"),
    ("worker.command", "text", "self"),
    ("worker.journal", "bool", "false"),
    ("trial.cpus", "integer 0..=1024", "0"),
    ("virtual.dispatch", "duration", "0ns"),
    ("virtual.return", "duration", "0ns"),
    ("virtual.start", "duration", "1ms"),
    ("virtual.policy", "choice core|sjf", "core"),
    ("contender.job", "text", "none"),
    ("contender.way", "text", "none"),
    ("contender.cache", "choice warm|cold", "warm"),
    ("contender.sync", "choice none|file|file-and-dir", "none"),
    ("contender.files", "integer 1..=4096", "256"),
    ("contender.documents", "integer 1..=4096", "32"),
];

fn catalogue() -> Vec<SettingRow> {
    ROWS.iter().map(|&(key, kind, default)| SettingRow { key, kind, default, doc: "" }).collect()
}

fn names(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn kinds() -> KnownKinds {
    let with = |name: &str, words: &str| (name.to_owned(), names(words));
    KnownKinds {
        targets: names("coordinator pool store codec channel pipe contender"),
        arrivals: vec![
            with("constant", "rate"),
            with("poisson", "rate"),
            with("ramp", "from to"),
            with("stages", "stages.*.rate stages.*.to stages.*.for"),
            with("burst", "rate on-rate off-rate on off"),
            with("sine", "rate amplitude period"),
            with("trace", "file speed"),
            with("closed", "clients think"),
        ],
        rates: names("rate from to on-rate off-rate stages.*.rate stages.*.to"),
        faults: faults(),
        shapes: names("agent-session json-records prose random mdn-compat"),
        workers: names("simulated function process"),
        outcomes: names("ok tool-error failed outcome-unknown session-lost cancelled expired shed"),
        phases: names("lag admit session-wait load queue dispatch service return encode compress persist reply"),
        scaled: names("pool.hot.limit pool.warm.limit pool.warm.idle-ttl pool.cold.idle-ttl pool.deadline"),
        tiers: names("hot warm cold"),
    }
}

/// Faults that requests carry have three more ways to say when.
fn faults() -> Vec<(String, Vec<String>)> {
    let timed = [("stall", "slot for"), ("slow-start", "delay"), ("reload", ""), ("drain", "")];
    let carried = [
        ("kill", "target when"),
        ("stop", "target"),
        ("exit", "code when"),
        ("hang", "when"),
        ("late", "delay"),
        ("duplicate", ""),
        ("garbage", ""),
        ("split", "pieces"),
        ("flood-stdout", "frames"),
        ("flood-stderr", "bytes"),
        ("balloon", "bytes for"),
    ];
    let row = |(name, own): (&str, &str), when: &str| (name.to_owned(), names(&format!("{own} {when}")));
    let timed = timed.into_iter().map(|kind| row(kind, "at every count"));
    carried.into_iter().map(|kind| row(kind, "at every count request every-request chance")).chain(timed).collect()
}

fn source(file: &str, text: &str) -> Source {
    Source { file: file.to_owned(), text: text.to_owned() }
}

fn options() -> Options {
    Options { size: Size::Full, seed: 7, rounds: None, max_cases: 500, virtual_time: false }
}

fn plan_of(sources: &[Source], selection: &Selection) -> Result<Plan, Vec<Problem>> {
    expand(sources, &catalogue(), &kinds(), selection, &options())
}

/// The plan of one file, everything selected.
fn plan(text: &str) -> Plan {
    plan_of(&[source("a/b.toml", text)], &Selection::default()).unwrap()
}

/// A small whole scenario; tests replace lines of it.
const GOOD: &str = r#"what = "What"
why = "Why"
guards = ["response.p99"]
target = "pool"
[load]
arrivals = { kind = "poisson", rate = "800/s" }
length = "1s"
[[load.mix]]
tool = "echo"
payload = { shape = "prose", size = "1KiB" }
[pool]
hot = { worker = "process", max = 2 }
[pool.tools]
echo = { tier = "hot" }
"#;
