//! The table of the pool's settings: key, type, default as a person writes it, and what it does.

/// Key, type, default and doc of one setting. A segment `*` of the key stands for any name.
pub type SettingRow = (&'static str, &'static str, &'static str, &'static str);

/// Every setting of the pool, in the order of the documentation.
pub const SETTINGS: &[SettingRow] = &[
    (
        "pool.affinity",
        "choice strict|soft|none",
        "soft",
        "Where a session's requests go: only to its worker (strict), to it while it is free or not overloaded (soft), to any (none).",
    ),
    ("pool.stateful", "bool", "false", "Whether a session's state lives in its worker, so that it is lost with it; needs strict affinity."),
    (
        "pool.recycle",
        "choice restart|reset",
        "restart",
        "What becomes of a stateful worker whose session has ended: started anew, or asked to forget its state.",
    ),
    (
        "pool.session-ttl",
        "duration",
        "none",
        "Time without a request after which a session is taken for ended and its worker is free of it; none for never.",
    ),
    (
        "pool.sessions-max",
        "integer 1..=1048576",
        "65536",
        "Most sessions that are remembered; the one unused for longest makes room, but no living strict one.",
    ),
    (
        "pool.dispatch",
        "choice tiered|shared",
        "shared",
        "One partition of workers that serves the lightest waiting class first (shared), or workers divided by tier (tiered).",
    ),
    (
        "pool.fallback",
        "choice none|blocked|any-error",
        "blocked",
        "When a request may go to another tier: never, when its own cannot take it, or after any error too (may run it three times).",
    ),
    (
        "pool.predict",
        "choice tool|learned|oracle",
        "learned",
        "Where a request's tier is taken from: its tool's setting, what requests like it have cost, or its true cost where known.",
    ),
    (
        "pool.predict-quantile",
        "integer 1..=99",
        "25",
        "Quantile of past costs, in percent, that a learned prediction takes; a low one errs towards the lighter tier.",
    ),
    ("pool.ageing", "duration", "10s", "With shared dispatch: a waiting request counts as one tier lighter for each time this long."),
    ("pool.queue-len", "integer 0..=1000000", "1024", "Requests that may wait in one tier; one more is shed, or served by another tier."),
    ("pool.queue-bytes", "bytes", "64MiB", "Bytes of payload that may wait in one tier."),
    ("pool.deadline", "duration", "none", "Deadline of a request that brings none, from its admission; none for no deadline."),
    ("pool.start-timeout", "duration", "10s", "Time in which a started worker must become ready, or be killed."),
    (
        "pool.backoff",
        "duration",
        "100ms",
        "Upper bound of the first random delay before a dead worker is started again; doubles with each death.",
    ),
    ("pool.backoff-cap", "duration", "30s", "Upper bound of the delay before a dead worker is started again."),
    ("pool.healthy-after", "duration", "60s", "Time a worker must stay ready before its earlier deaths are forgotten."),
    ("pool.park-after", "integer 1..=1000", "3", "Deaths in a row before becoming ready after which a slot is given up."),
    (
        "pool.zombie-grace",
        "duration",
        "2s",
        "Time a worker may go on with a request that was cancelled or has expired, before it is killed.",
    ),
    ("pool.spawn-concurrency", "integer 1..=1024", "2", "Workers that may be starting at once, over all tiers."),
    ("pool.spawn-jitter", "duration", "10ms", "Upper bound of the random delay of a start while another one is under way."),
    (
        "pool.spare-control",
        "choice fixed|adaptive",
        "fixed",
        "Spares: as many as set, or at least that and as many as arrivals have lately needed during one start.",
    ),
    (
        "pool.spare-window",
        "duration",
        "60s",
        "The past that an adaptive number of spares is taken from; its last tenth is watched for a panic.",
    ),
    ("pool.sweep", "duration", "1s", "Time between two looks at all workers for probes, outliers and spares."),
    ("pool.probe-idle", "duration", "30s", "Silence after which an idle worker is probed; none for never."),
    ("pool.probe-timeout", "duration", "5s", "Time in which a probe must be answered."),
    (
        "pool.wedged-after",
        "duration",
        "none",
        "Age of a request from which its worker is probed, and killed if it does not answer; none trusts a busy worker.",
    ),
    (
        "pool.eject-after",
        "integer 0..=1000",
        "5",
        "Failures in a row (unanswered probes, expired requests) after which a worker is replaced; 0 for never.",
    ),
    (
        "pool.eject-slower",
        "integer 0..=1000",
        "5",
        "Times the median slowness of its partition from which a worker is an outlier; 0 for never.",
    ),
    ("pool.eject-window", "duration", "30s", "How long a worker must have been an outlier before it is replaced."),
    ("pool.slow-start", "duration", "0s", "Time during which a fresh worker is used only when no other one is idle."),
    (
        "pool.drain-timeout",
        "duration",
        "30s",
        "Time after which a drain hands back what still waits and gives up what is at a worker; none waits for all.",
    ),
    ("pool.close-grace", "duration", "500ms", "Time between closing a worker's input and SIGTERM."),
    ("pool.term-grace", "duration", "2s", "Time between SIGTERM and SIGKILL."),
    ("pool.frame-max", "bytes", "16MiB", "Largest frame read from or written to a worker."),
    ("pool.hot.worker", "text", "simulated", "Kind of the workers of the hot tier."),
    ("pool.hot.min-ready", "integer 0..=1024", "2", "Workers of the hot tier that are kept, busy or idle."),
    ("pool.hot.spares", "integer 0..=1024", "1", "Idle workers kept beyond the busy ones of the hot tier."),
    ("pool.hot.max", "integer 0..=1024", "3", "Most workers of the hot tier; 0 disables the tier."),
    ("pool.hot.idle-ttl", "duration", "none", "Idle time after which a surplus worker of the hot tier is closed."),
    ("pool.hot.limit", "duration", "70ms", "Longest service time of a request of the hot tier."),
    ("pool.warm.worker", "text", "simulated", "Kind of the workers of the warm tier."),
    ("pool.warm.min-ready", "integer 0..=1024", "0", "Workers of the warm tier that are kept, busy or idle."),
    ("pool.warm.spares", "integer 0..=1024", "1", "Idle workers kept beyond the busy ones of the warm tier."),
    ("pool.warm.max", "integer 0..=1024", "3", "Most workers of the warm tier; 0 disables the tier."),
    ("pool.warm.idle-ttl", "duration", "300s", "Idle time after which a surplus worker of the warm tier is closed."),
    ("pool.warm.limit", "duration", "700ms", "Longest service time of a request of the warm tier."),
    (
        "pool.warm.cap",
        "integer 1..=100",
        "75",
        "With shared dispatch: percent of the workers that warm and cold requests may hold together.",
    ),
    ("pool.cold.worker", "text", "simulated", "Kind of the workers of the cold tier."),
    ("pool.cold.min-ready", "integer 0..=1024", "0", "Workers of the cold tier that are kept, busy or idle."),
    ("pool.cold.spares", "integer 0..=1024", "0", "Idle workers kept beyond the busy ones of the cold tier."),
    ("pool.cold.max", "integer 0..=1024", "2", "Most workers of the cold tier; 0 disables the tier."),
    ("pool.cold.idle-ttl", "duration", "30s", "Idle time after which a surplus worker of the cold tier is closed."),
    ("pool.cold.limit", "duration", "none", "Longest service time of a request of the cold tier; none for no limit."),
    ("pool.cold.cap", "integer 1..=100", "50", "With shared dispatch: percent of the workers that cold requests may hold."),
    ("pool.shared.worker", "text", "simulated", "Kind of the workers of shared dispatch."),
    ("pool.shared.min-ready", "integer 0..=1024", "2", "Workers of shared dispatch that are kept, busy or idle."),
    ("pool.shared.spares", "integer 0..=1024", "1", "Idle workers kept beyond the busy ones of shared dispatch."),
    ("pool.shared.max", "integer 0..=1024", "8", "Most workers of shared dispatch."),
    ("pool.shared.idle-ttl", "duration", "300s", "Idle time after which a surplus worker of shared dispatch is closed."),
    ("pool.tools.*.tier", "choice hot|warm|cold", "hot", "Tier that serves the tool's requests."),
    (
        "pool.tools.*.replayable",
        "bool",
        "false",
        "Whether the tool may run twice, so that a crash in the middle of it is repaired by doing it again.",
    ),
];

/// Durations that are about requests, and so keep their proportion to service times when a load is run on a smaller scale. Those about
/// processes (start, grace periods, backoff, health) are not among them: no process gets faster.
pub const SCALED_SETTINGS: &[&str] = &[
    "pool.ageing",
    "pool.deadline",
    "pool.session-ttl",
    "pool.hot.idle-ttl",
    "pool.hot.limit",
    "pool.warm.idle-ttl",
    "pool.warm.limit",
    "pool.cold.idle-ttl",
    "pool.cold.limit",
    "pool.shared.idle-ttl",
];

const DURATIONS: [(&str, u64); 6] =
    [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// The canonical text of a default: durations in ns, sizes in bytes, the rest as it is.
pub(super) fn canonical(kind: &str, default: &str) -> String {
    let units: &[(&str, u64)] = match kind {
        "duration" => &DURATIONS,
        "bytes" => &SIZES,
        _ => return default.to_owned(),
    };
    let end = default.find(|c: char| !c.is_ascii_digit()).unwrap_or(default.len());
    let factor = units.iter().find(|u| u.0 == &default[end..]).map(|u| u.1);
    match (default[..end].parse::<u64>(), factor) {
        (Ok(n), Some(f)) => n.saturating_mul(f).to_string(),
        _ => default.to_owned(),
    }
}

/// The row that declares `key`, where `*` stands for any tool name.
pub(super) fn row_of(key: &str) -> Option<&'static SettingRow> {
    if let Some(row) = SETTINGS.iter().find(|r| r.0 == key) {
        return (!key.contains('*')).then_some(row);
    }
    let (name, field) = key.strip_prefix("pool.tools.")?.rsplit_once('.')?;
    if name.is_empty() {
        return None;
    }
    SETTINGS.iter().find(|r| r.0.strip_prefix("pool.tools.*.") == Some(field))
}
