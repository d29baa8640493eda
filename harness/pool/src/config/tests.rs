use super::*;

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn with_tool(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut all = settings(pairs);
    all.insert("pool.tools.echo.tier".into(), "hot".into());
    Config::from_settings(&all)
}

const TIERED: (&str, &str) = ("pool.dispatch", "tiered");

/// The key at fault.
fn fault(pairs: &[(&str, &str)]) -> String {
    with_tool(pairs).unwrap_err().key
}

#[test]
fn the_defaults_are_those_of_the_table() {
    let config = with_tool(&[]).unwrap();
    let ms = 1_000_000;
    let tier = |min_ready, spares, max, idle_ttl_ns, limit_ns, cap_percent| TierConfig {
        worker: "simulated".into(),
        min_ready,
        spares,
        max,
        idle_ttl_ns,
        limit_ns,
        cap_percent,
    };
    let expected = Config {
        affinity: AffinityMode::Soft,
        stateful: false,
        recycle: Recycle::Restart,
        session_ttl_ns: None,
        sessions_max: 65536,
        dispatch: Dispatch::Shared,
        fallback: Fallback::Blocked,
        predict: Predict::Learned,
        predict_quantile: 25,
        ageing_ns: 10_000 * ms,
        tiers: [
            tier(2, 1, 3, None, 70 * ms, 100),
            tier(0, 1, 3, Some(300_000 * ms), 700 * ms, 75),
            tier(0, 0, 2, Some(30_000 * ms), u64::MAX, 50),
        ],
        shared: tier(2, 1, 8, Some(300_000 * ms), u64::MAX, 100),
        tools: vec![ToolConfig { name: "echo".into(), tier: Tier::Hot, replayable: false }],
        queue_len: 1024,
        queue_bytes: 64 << 20,
        deadline_ns: None,
        start_timeout_ns: 10_000 * ms,
        backoff_base_ns: 100 * ms,
        backoff_cap_ns: 30_000 * ms,
        healthy_after_ns: 60_000 * ms,
        park_after: 3,
        zombie_grace_ns: 2_000 * ms,
        spawn_concurrency: 2,
        spawn_jitter_ns: 10 * ms,
        spare_control: SpareControl::Fixed,
        spare_window_ns: 60_000 * ms,
        health: Health {
            sweep_ns: 1_000 * ms,
            probe_idle_ns: Some(30_000 * ms),
            probe_timeout_ns: 5_000 * ms,
            wedged_after_ns: None,
            eject_after: 5,
            eject_slower: 5,
            eject_window_ns: 30_000 * ms,
            slow_start_ns: 0,
        },
        drain_timeout_ns: Some(30_000 * ms),
        close_grace_ns: 500 * ms,
        term_grace_ns: 2_000 * ms,
        frame_max: 16 << 20,
    };
    assert_eq!(config, expected);
}

#[test]
fn every_row_is_read_and_its_stated_default_changes_nothing() {
    let base = with_tool(&[]).unwrap();
    for (key, kind, default, doc) in SETTINGS {
        let key = key.replace('*', "echo");
        let stated = table::canonical(kind, default);
        assert_eq!(with_tool(&[("pool.dispatch", "shared"), (&key, &stated)]).unwrap(), base, "{key}");
        assert!(doc.ends_with('.'), "{key}");
        if *kind != "text" {
            assert_eq!(fault_or_tool(&key), key, "a nonsense value must be refused");
        }
    }
}

fn fault_or_tool(key: &str) -> String {
    Config::from_settings(&settings(&[("pool.tools.echo.tier", "hot"), (key, "nonsense")])).unwrap_err().key
}

#[test]
fn tools_are_sorted_and_found_by_name() {
    let given = settings(&[
        ("pool.tools.render.tier", "cold"),
        ("pool.tools.echo.replayable", "true"),
        ("pool.tools.a.b.tier", "warm"),
        ("store.kind", "files"),
    ]);
    let config = Config::from_settings(&given).unwrap();
    let names: Vec<&str> = config.tools.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["a.b", "echo", "render"]);
    assert_eq!(config.tool("render"), Some(ToolId(2)));
    assert_eq!(config.tool("nothing"), None);
    assert!(config.tools[1].replayable && config.tools[1].tier == Tier::Hot);
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    let error = with_tool(&[("pool.queue-length", "3")]).unwrap_err();
    assert_eq!(error.key, "pool.queue-length");
    assert!(error.why.contains("pool.queue-len?"), "{error}");
    assert_eq!(fault(&[("pool.tools.echo.colour", "red")]), "pool.tools.echo.colour");
    assert_eq!(fault(&[("pool.tools.*.tier", "hot")]), "pool.tools.*.tier");
    assert_eq!(fault(&[("pool.tools..tier", "hot")]), "pool.tools..tier");
}

#[test]
fn workers_of_a_tier_without_tiers_are_not_ignored_silently() {
    for field in ["worker", "min-ready", "spares", "max", "idle-ttl"] {
        let key = format!("pool.warm.{field}");
        let stated = table::row_of(&key).map(|row| table::canonical(row.1, row.2)).unwrap();
        let error = with_tool(&[(&key, &stated)]).unwrap_err();
        assert_eq!(error.key, key);
        assert!(error.why.contains(&format!("set pool.dispatch = tiered, or pool.shared.{field}")), "{error}");
        for dispatch in ["tiered", "shared"] {
            assert!(with_tool(&[("pool.dispatch", dispatch), (&key, &stated)]).is_ok(), "{key} with {dispatch}");
        }
    }
    assert!(with_tool(&[("pool.warm.cap", "60"), ("pool.warm.limit", "600000000")]).is_ok(), "classes have limits and caps too");
}

#[test]
fn impossible_values_and_combinations_name_their_key() {
    assert_eq!(Config::from_settings(&settings(&[])).unwrap_err().key, "pool.tools");
    assert_eq!(fault(&[TIERED, ("pool.hot.max", "1")]), "pool.hot.min-ready");
    assert_eq!(fault(&[TIERED, ("pool.hot.max", "0"), ("pool.warm.max", "0"), ("pool.cold.max", "0")]), "pool.hot.max");
    assert_eq!(fault(&[("pool.hot.limit", "700000000")]), "pool.hot.limit");
    assert_eq!(fault(&[("pool.cold.limit", "700000000")]), "pool.warm.limit");
    assert_eq!(fault(&[("pool.stateful", "true")]), "pool.stateful");
    assert_eq!(fault(&[("pool.park-after", "0")]), "pool.park-after");
    assert_eq!(fault(&[TIERED, ("pool.warm.idle-ttl", "0")]), "pool.warm.idle-ttl");
    assert_eq!(fault(&[("pool.backoff", "30000000001")]), "pool.backoff");
    assert_eq!(fault(&[("pool.deadline", "0")]), "pool.deadline");
    assert_eq!(fault(&[("pool.frame-max", "17")]), "pool.frame-max");
    assert_eq!(fault(&[("pool.start-timeout", "0")]), "pool.start-timeout");
    assert!(with_tool(&[TIERED, ("pool.hot.max", "0")]).is_ok(), "max = 0 alone disables a tier");
    assert!(with_tool(&[("pool.stateful", "true"), ("pool.affinity", "strict")]).is_ok());
}

#[test]
fn a_cost_belongs_to_the_lowest_tier_that_holds_it() {
    let config = with_tool(&[]).unwrap();
    assert_eq!(config.tier_of_cost(0), Tier::Hot);
    assert_eq!(config.tier_of_cost(70_000_000), Tier::Hot);
    assert_eq!(config.tier_of_cost(70_000_001), Tier::Warm);
    assert_eq!(config.tier_of_cost(u64::MAX), Tier::Cold);
}
