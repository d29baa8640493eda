use proptest::prelude::*;

use super::*;

fn parse(fields: &[(&str, &str)]) -> Result<Rule, ConfigError> {
    let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Rule::parse("queue-long", &fields)
}

#[test]
fn a_whole_rule_is_read() {
    let rule = parse(&[
        ("metric", "shed-share.hot"),
        ("compare", ">="),
        ("threshold", "5%"),
        ("clear", "0.01"),
        ("for", "10000000000"),
        ("severity", "critical"),
        ("exec", r#"["/bin/notify", "two words"]"#),
        ("webhook", "http://127.0.0.1:9093/a"),
        ("rate-limit", "60000000000"),
        ("timeout", "2000000000"),
        ("retries", "2"),
        ("backoff", "500000000"),
    ])
    .unwrap();
    assert_eq!(rule.condition(), "shed-share.hot >= 0.05");
    assert_eq!(
        (rule.part, rule.compare, rule.clear, rule.for_ns),
        (Part::Tier(pool::core::Tier::Hot), Compare::AtLeast, 0.01, 10_000_000_000)
    );
    assert_eq!(rule.hooks[0], Hook::Exec("/bin/notify".into(), vec!["two words".to_owned()]));
    assert!(matches!(&rule.hooks[1], Hook::Webhook(url) if url.to_string() == "http://127.0.0.1:9093/a"));
    assert_eq!((rule.rate_limit_ns, rule.timeout_ns, rule.retries, rule.backoff_ns), (60_000_000_000, 2_000_000_000, 2, 500_000_000));
}

#[test]
fn what_is_missing_has_the_tables_default() {
    let rule = parse(&[("metric", "latency-p99"), ("threshold", "250ms"), ("exec", "notify --now")]).unwrap();
    assert_eq!((rule.compare, rule.threshold, rule.clear, rule.severity.as_str()), (Compare::Above, 0.25, 0.25, "warning"));
    assert_eq!((rule.for_ns, rule.rate_limit_ns, rule.timeout_ns, rule.backoff_ns, rule.retries), (0, 0, 10_000_000_000, 1_000_000_000, 4));
    assert_eq!(rule.hooks, [Hook::Exec("notify".into(), vec!["--now".to_owned()])]);
    assert!(FIELDS.iter().all(|(key, kind, _, doc)| !key.is_empty() && !kind.is_empty() && doc.len() > 20));
}

#[test]
fn a_mistake_names_its_field_and_the_nearest_word() {
    let good = [("metric", "queue-depth"), ("threshold", "10")];
    for (field, text, key, said) in [
        ("metric", "queue-dept", "metric", "did you mean 'queue-depth'?"),
        ("metric", "ready-workers.shred", "metric", "'ready-workers.shared'"),
        ("metric", "", "metric", "is missing"),
        ("threshold", "5%", "threshold", "expected a number"),
        ("threshold", "nan", "threshold", "is no number"),
        ("threshold", "", "threshold", "is missing"),
        ("clear", "11", "clear", "breaks the rule itself"),
        ("compare", "=", "compare", "expected >, >=, < or <="),
        ("treshold", "5", "treshold", "did you mean 'threshold'?"),
        ("for", "10s", "for", "durations in ns"),
        ("severity", "bad", "severity", "expected one of info, warning, critical"),
        ("exec", "[1]", "exec", "no array of texts"),
        ("exec", "[]", "exec", "names no program"),
        ("exec", " ", "exec", "names no program"),
        ("webhook", "https://x", "webhook", "exec with curl"),
    ] {
        let fields: Vec<_> = good.iter().filter(|(k, _)| *k != field).copied().chain([(field, text)]).collect();
        let error = parse(&fields).unwrap_err();
        assert_eq!(error.key, key, "{error}");
        assert!(error.why.contains(said), "{field}={text}: {error}");
    }
    assert_eq!(Rule::parse("", &BTreeMap::new()).unwrap_err().key, "name");
    assert_eq!(Rule::parse("a\nb", &BTreeMap::new()).unwrap_err().key, "name");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(key in prop::sample::select(FIELDS.iter().map(|f| f.0).collect::<Vec<_>>()), text in ".{0,40}", unit in "[0-9.]{0,6}(%|ms|s|MiB)?") {
        for text in [text, unit] {
            let _ = parse(&[("metric", "latency-p50"), ("threshold", "1"), (key, &text)]);
            let _ = parse(&[("metric", "shed-share"), ("threshold", "1"), (key, &text)]);
        }
    }
}

#[test]
fn the_page_lists_every_field() {
    let page = include_str!("../../../../../../docs/MONITORING.md");
    let line = |(key, kind, default, doc): &SettingRow| format!("| `{key}` | {} | {default} | {doc} |\n", kind.replace('|', " \\| "));
    let missing: String = FIELDS.iter().map(line).filter(|line| !page.contains(line)).collect();
    assert!(missing.is_empty(), "docs/MONITORING.md lacks:\n{missing}");
}
