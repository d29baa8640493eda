use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn rule(fields: &[(&str, &str)]) -> Rule {
    let base = [("metric", "queue-depth"), ("threshold", "10"), ("clear", "5")];
    let fields: BTreeMap<String, String> = base.iter().chain(fields).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Rule::parse("r", &fields).unwrap()
}

/// The turns of one rule over values at these times.
fn turns(rule: &Rule, values: &[(Nanos, Option<f64>)]) -> Vec<(Nanos, Turn)> {
    let mut machine = Machine::new(1);
    let step = |(at, value): &(Nanos, Option<f64>)| {
        let turns = machine.step(*at, std::slice::from_ref(rule), &[*value]);
        assert!(turns.len() <= 1 && turns.iter().all(|t| t.rule == 0 && t.value == *value));
        assert_eq!(machine.is_firing(0), turns.first().map_or(machine.is_firing(0), |t| t.turn == Turn::Firing));
        turns.first().map(|t| (*at, t.turn))
    };
    values.iter().filter_map(step).collect()
}

#[test]
fn it_fires_once_after_its_time_and_recovers_once_below_clear() {
    let rule = rule(&[("for", "100")]);
    let values = [
        (0, 20.0),
        (50, 20.0),
        (60, 3.0),
        (70, 11.0),
        (169, 12.0),
        (170, 12.0),
        (200, 30.0),
        (210, 7.0),
        (220, 10.5),
        (230, 5.0),
        (240, 1.0),
    ];
    let values = values.map(|(at, v)| (at, Some(v)));
    assert_eq!(turns(&rule, &values), [(170, Turn::Firing), (230, Turn::Recovered)]);
}

#[test]
fn without_a_duration_it_fires_at_once_and_without_clear_the_threshold_is_both() {
    let at_most = rule(&[("compare", "<="), ("threshold", "2"), ("clear", "none")]);
    let values = [(0, 3.0), (1, 2.0), (2, 2.0), (3, 2.1), (4, 0.0)].map(|(at, v)| (at, Some(v)));
    assert_eq!(turns(&at_most, &values), [(1, Turn::Firing), (3, Turn::Recovered), (4, Turn::Firing)]);
}

#[test]
fn what_is_not_there_or_no_number_breaks_no_rule() {
    let values = [(0, Some(20.0)), (1, None), (2, Some(20.0)), (3, Some(f64::NAN)), (4, None)];
    let expected = [(0, Turn::Firing), (1, Turn::Recovered), (2, Turn::Firing), (3, Turn::Recovered)];
    let found = turns(&rule(&[]), &values[..3]);
    assert_eq!(found, expected[..3]);
    assert!(Machine::resumed([true].into_iter()).is_firing(0));
}

fn naive(rule: &Rule, values: &[(Nanos, Option<f64>)]) -> Vec<(Nanos, Turn)> {
    let breaks = |value: &Option<f64>, threshold| value.is_some_and(|v| rule.compare.breaks(v, threshold));
    let (mut firing, mut found) = (false, Vec::new());
    for (i, (at, value)) in values.iter().enumerate() {
        // Broken now and at every step since one that is long enough ago.
        let broken = values[..=i]
            .iter()
            .rev()
            .take_while(|(_, v)| breaks(v, rule.threshold))
            .last()
            .is_some_and(|(since, _)| at - since >= rule.for_ns);
        // What was broken before it recovered does not count again.
        let last = found.last().map_or(0, |(at, _): &(Nanos, Turn)| *at);
        let fresh =
            values[..=i].iter().rev().take_while(|(since, v)| breaks(v, rule.threshold) && (found.is_empty() || *since > last)).last();
        let broken = broken && fresh.is_some_and(|(since, _)| at - since >= rule.for_ns);
        if !firing && broken {
            firing = true;
            found.push((*at, Turn::Firing));
        } else if firing && !breaks(value, rule.clear) {
            firing = false;
            found.push((*at, Turn::Recovered));
        }
    }
    found
}

proptest! {
    #[test]
    fn it_agrees_with_a_look_at_the_whole_past(
        compare in prop::sample::select(vec![">", ">=", "<", "<="]),
        for_ns in 0u64..6,
        band in 0u8..4,
        values in prop::collection::vec((1u64..4, prop::option::weighted(0.9, 0u8..16)), 0..80),
    ) {
        let clear = if compare.starts_with('>') { 8 - band } else { 8 + band };
        let rule = rule(&[("compare", compare), ("threshold", "8"), ("clear", &clear.to_string()), ("for", &for_ns.to_string())]);
        let mut at = 0;
        let values: Vec<_> = values.into_iter().map(|(step, v)| { at += step; (at, v.map(f64::from)) }).collect();
        let found = turns(&rule, &values);
        prop_assert_eq!(&found, &naive(&rule, &values));
        // Firing and recovering alternate, and it begins with firing.
        for (i, (_, turn)) in found.iter().enumerate() {
            prop_assert_eq!(*turn, if i % 2 == 0 { Turn::Firing } else { Turn::Recovered });
        }
    }
}
