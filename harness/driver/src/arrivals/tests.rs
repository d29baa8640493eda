use std::collections::BTreeMap;

use model::plan::Kind;
use model::settings::Located;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::*;

const SECOND: u64 = 1_000_000_000;
const LENGTHS: Lengths = Lengths { warmup_ns: SECOND, length_ns: 20 * SECOND };

/// A load of that kind with those parameters; a rate among them is the reference.
fn load(kind: &str, with: &[(&str, &str)], rate: Option<&str>) -> Load {
    let at = |text: &str| Located::new(text, "a.toml", 3);
    Load {
        arrivals: Kind { kind: at(kind), with: with.iter().map(|(k, v)| ((*k).to_owned(), at(v))).collect::<BTreeMap<_, _>>() },
        rate: rate.map(|text| units::Rate::parse(text).unwrap()),
        trace: (kind == "trace").then(|| Trace::parse("0\n1000\n1500000000\n1500000000\n2000000001\n40000000000\n").unwrap()),
        clients: 2,
        warmup_ns: LENGTHS.warmup_ns,
        length_ns: LENGTHS.length_ns,
        sessions: 0,
        popularity: at("uniform"),
        time_scale: None,
        accept: String::new(),
        mix: Vec::new(),
    }
}

fn read(kind: &str, with: &[(&str, &str)], rate: Option<&str>) -> Arrivals {
    Arrivals::parse(&load(kind, with, rate)).unwrap()
}

/// One of each kind that is random, all with a reference rate of 1000/s.
fn random_kinds() -> Vec<Arrivals> {
    let stages =
        [("stages.0.rate", "400/s"), ("stages.0.for", "4s"), ("stages.1.rate", "100/s"), ("stages.1.to", "1k/s"), ("stages.1.for", "50%")];
    vec![
        read("poisson", &[], Some("1k/s")),
        read("ramp", &[("from", "200/s"), ("to", "1000/s")], Some("1000/s")),
        read("ramp", &[("from", "1000/s"), ("to", "1/s")], Some("1000/s")),
        read("stages", &stages, Some("1000/s")),
        read("burst", &[("on", "100ms"), ("off", "300ms")], Some("1000/s")),
        read("burst", &[("on-rate", "1000/s"), ("off-rate", "50/s"), ("on", "1s"), ("off", "500ms")], Some("1000/s")),
        read("sine", &[("amplitude", "100%"), ("period", "3s")], Some("1000/s")),
    ]
}

fn offsets(arrivals: &Arrivals, seed: u64) -> Vec<u64> {
    arrivals.offsets(1000.0, LENGTHS, &mut Pcg64Mcg::seed_from_u64(seed))
}

#[test]
fn as_many_come_as_the_rate_function_says_in_every_part_of_the_window() {
    for arrivals in random_kinds() {
        let all = offsets(&arrivals, 7);
        for second in 0..21 {
            let until = |at| arrivals.cumulative(1000.0, LENGTHS, at).unwrap();
            let expected = until((second + 1) * SECOND) - until(second * SECOND);
            let n = all.iter().filter(|at| **at / SECOND == second).count() as f64;
            // Five standard deviations of a Poisson count, over 147 counts.
            assert!((n - expected).abs() <= 5.0 * expected.sqrt() + 1.0, "{arrivals:?}: {n} of {expected} in second {second}");
        }
    }
}

#[test]
fn the_rate_function_makes_the_gaps_exponential() {
    for arrivals in random_kinds() {
        let rescaled: Vec<f64> = offsets(&arrivals, 11).iter().map(|at| arrivals.cumulative(1000.0, LENGTHS, *at).unwrap()).collect();
        let mut gaps: Vec<f64> = rescaled.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        // Kolmogorov-Smirnov against 1 - e^-x; 2.2 is passed by chance once in ten thousand times.
        let n = gaps.len() as f64;
        let apart = |(i, gap): (usize, &f64)| {
            let share = 1.0 - (-gap).exp();
            (share - i as f64 / n).abs().max(((i + 1) as f64 / n - share).abs())
        };
        let worst = gaps.iter().enumerate().map(apart).fold(0.0, f64::max) * n.sqrt();
        assert!(worst < 2.2, "{arrivals:?}: {worst}");
    }
}

#[test]
fn the_wrong_rate_function_does_not() {
    let (poisson, sine) = (Arrivals::Poisson, read("sine", &[("amplitude", "80%"), ("period", "3s")], Some("1000/s")));
    let counts = |process: &Arrivals| offsets(process, 11).iter().filter(|at| (**at % (3 * SECOND)) < 3 * SECOND / 2).count() as f64;
    let (flat, waving) = (counts(&poisson), counts(&sine));
    assert!(waving > 1.3 * flat, "more than half of a swing's requests come in its upper half: {waving} against {flat}");
}

#[test]
fn rates_are_those_given_at_the_times_given() {
    let rate_at = |arrivals: &Arrivals, ms: u64| {
        let until = |at| arrivals.cumulative(1000.0, LENGTHS, at).unwrap();
        (until(ms * 1_000_000 + 1_000) - until(ms * 1_000_000)) * 1e6
    };
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1.0, "{got} for {expected}");
    let ramp = read("ramp", &[("from", "200/s"), ("to", "1000/s")], Some("1000/s"));
    for (ms, rate) in [(0, 200.0), (900, 200.0), (1_000, 200.0), (11_000, 600.0), (21_000, 1000.0), (25_000, 1000.0)] {
        close(rate_at(&ramp, ms), rate);
    }
    let stages = &random_kinds()[3];
    for (ms, rate) in [(500, 400.0), (4_900, 400.0), (5_100, 109.0), (10_000, 550.0), (14_999, 1000.0), (20_000, 1000.0)] {
        close(rate_at(stages, ms), rate);
    }
    let burst = &random_kinds()[5];
    for (ms, rate) in [(0, 1000.0), (999, 1000.0), (1_100, 50.0), (1_600, 1000.0)] {
        close(rate_at(burst, ms), rate);
    }
    let sine = read("sine", &[("amplitude", "50%"), ("period", "4s")], Some("1000/s"));
    for (ms, rate) in [(0, 1000.0), (1_000, 1500.0), (2_000, 1000.0), (3_000, 500.0), (9_000, 1500.0)] {
        close(rate_at(&sine, ms), rate);
    }
}

#[test]
fn the_mean_is_of_the_window() {
    let mean = |arrivals: &Arrivals| arrivals.mean_per_s(Some(1000.0), LENGTHS, 7).unwrap();
    let kinds = random_kinds();
    for (index, expected) in [(0, 1000.0), (1, 600.0), (3, 0.2 * 400.0 + 0.5 * 550.0 + 0.3 * 1000.0), (4, 1000.0)] {
        assert!((mean(&kinds[index]) - expected).abs() < 1e-6, "{:?}: {}", kinds[index], mean(&kinds[index]));
    }
    assert!((mean(&read("trace", &[("file", "x")], None)) - 7.0 / 20.0).abs() < 1e-12);
    assert_eq!(Arrivals::CLOSED.mean_per_s(None, LENGTHS, 7), None);
}

#[test]
fn a_burst_is_silent_while_off() {
    let all = offsets(&random_kinds()[4], 3);
    assert!(all.iter().all(|t| t % 400_000_000 <= 100_000_000));
}

#[test]
fn a_trace_keeps_its_order_and_its_gaps_at_every_speed() {
    let at = |speed: &str| read("trace", &[("file", "x"), ("speed", speed)], None).offsets(0.0, LENGTHS, &mut Pcg64Mcg::seed_from_u64(1));
    assert_eq!(at("1"), [0, 1_000, 1_500_000_000, 1_500_000_000, 2_000_000_001]);
    assert_eq!(at("2"), [0, 500, 750_000_000, 750_000_000, 1_000_000_001, 20_000_000_000], "to the nearest ns");
    assert_eq!(at("0.5"), [0, 2_000, 3_000_000_000, 3_000_000_000, 4_000_000_002]);
    for speed in ["0.4", "4.1", "nan", "fast"] {
        let problem = Arrivals::parse(&load("trace", &[("speed", speed)], None)).unwrap_err();
        assert!(problem.to_string().contains("a.toml:3") && problem.what.contains("from 0.5 to 4"), "{problem}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (kind, with, rate, says) in [
        ("poison", vec![], None, "(did you mean 'poisson'?)"),
        ("poisson", vec![], None, "need a 'rate'"),
        ("ramp", vec![("from", "1/s")], Some("1/s"), "need 'to' (a rate"),
        ("ramp", vec![("from", "1/s"), ("to", "50% of capacity")], Some("1/s"), "expected one or the other"),
        ("ramp", vec![("from", "1"), ("to", "5/s")], Some("5/s"), "'1' is not a rate"),
        ("stages", vec![], Some("1/s"), "need 'stages'"),
        ("stages", vec![("stages.0.rate", "1/s")], Some("1/s"), "need 'stages.0.for'"),
        ("stages", vec![("stages.0.rate", "1/s"), ("stages.0.for", "21s")], Some("1/s"), "the stages take 21.0 s, the window 20.0 s"),
        ("stages", vec![("stages.0.rate", "1/s"), ("stages.0.for", "101%")], Some("1/s"), "no part of the window"),
        ("burst", vec![("on", "1s")], Some("1/s"), "need 'off' (a duration"),
        ("burst", vec![("on", "1s"), ("off", "1s"), ("off-rate", "1/s")], Some("1/s"), "need 'on-rate'"),
        ("sine", vec![("amplitude", "101%"), ("period", "1s")], Some("1/s"), "at most 100%"),
        ("sine", vec![("amplitude", "10%"), ("period", "0s")], Some("1/s"), "above zero"),
        ("closed", vec![("think", "expo 5ms")], None, "think: "),
    ] {
        let problem = Arrivals::parse(&load(kind, &with, rate)).unwrap_err().to_string();
        assert!(problem.starts_with("a.toml:3: ") && problem.contains(says), "{problem}\nshould say\n{says}");
    }
    let without = Load { trace: None, ..load("trace", &[], None) };
    assert!(Arrivals::parse(&without).unwrap_err().what.contains("need 'file'"));
}

#[test]
fn every_kind_in_the_table_parses_with_its_own_parameters() {
    let value = |name: &str| match name.rsplit('.').next().unwrap() {
        "amplitude" => "50%",
        "speed" => "2",
        "think" => "exponential 5ms",
        "on" | "off" | "period" | "for" => "20ms",
        _ => "100/s",
    };
    for row in ARRIVALS {
        let names: Vec<String> =
            row.params.iter().filter(|name| !["rate", "clients"].contains(name)).map(|name| name.replace('*', "0")).collect();
        let with: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value(name))).collect();
        let rated = row.params.iter().any(|name| RATES.contains(name));
        let arrivals = read(row.name, &with, rated.then_some("100/s"));
        assert_eq!(arrivals.is_open(), row.name != "closed");
        assert_eq!(arrivals.cumulative(100.0, LENGTHS, SECOND).is_some(), rated, "{}", row.name);
    }
}

proptest! {
    #[test]
    fn offsets_ascend_lie_within_the_slice_and_are_of_the_seed(pick in 0usize..7, seed in any::<u64>(), warmup_ms in 0u64..500, length_ms in 400u64..2_000) {
        let arrivals = &random_kinds()[pick];
        let lengths = Lengths { warmup_ns: warmup_ms * 1_000_000, length_ns: length_ms * 1_000_000 };
        let make = |seed| arrivals.offsets(2000.0, lengths, &mut Pcg64Mcg::seed_from_u64(seed));
        let all = make(seed);
        prop_assert!(all.is_sorted() && all.last().is_none_or(|last| *last < lengths.span_ns()));
        prop_assert_eq!(&all, &make(seed));
        prop_assert_ne!(&all, &make(seed ^ 1));
        let expected = arrivals.cumulative(2000.0, lengths, lengths.span_ns()).unwrap();
        prop_assert!((all.len() as f64 - expected).abs() <= 6.0 * expected.sqrt() + 6.0, "{} of {expected}", all.len());
    }
}
