use super::*;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

fn ms(text: &str) -> Option<u64> {
    text.strip_suffix("ms")?.parse::<u64>().ok().map(|n| n * 1_000_000)
}

fn parsed(text: &str) -> ServiceTime {
    ServiceTime::parse(text, &ms).unwrap()
}

#[test]
fn every_kind_of_the_table_parses_by_its_syntax() {
    for (name, syntax, doc) in SERVICE_TIMES {
        assert!(syntax.starts_with(name) && !doc.is_empty());
        let mut text = String::from(*name);
        for word in syntax.split_whitespace().skip(1) {
            text += match word {
                "SIGMA" | "SHARE" => " 0.5",
                "ALPHA" => " 1.5",
                _ => " 3ms",
            };
        }
        parsed(&text);
    }
}

#[test]
fn errors_name_the_nearest_kind_or_the_syntax() {
    let error = |text| ServiceTime::parse(text, &ms).unwrap_err();
    assert!(error("exponental 2ms").contains("did you mean 'exponential'?"));
    assert!(error("pareto 2ms 1").contains("pareto MIN ALPHA"));
    assert!(error("pareto 2ms NaN").contains("pareto MIN ALPHA"));
    assert!(error("bimodal 1ms 2ms 1.5").contains("from 0 to 1"));
    assert!(error("uniform 3ms 2ms").contains("LOW at most HIGH"));
    assert!(error("constant soon").contains("'soon'"));
    assert!(error("constant").contains("wrong number of words"));
    assert!(error("lognormal 1ms 1 1").contains("wrong number of words"));
    assert!(error("  ").contains("no service time"));
}

#[test]
fn the_mean_of_many_samples_is_the_stated_mean() {
    for text in [
        "constant 2ms",
        "uniform 1ms 3ms",
        "exponential 2ms",
        "lognormal 2ms 0.8",
        "bimodal 1ms 50ms 0.1",
        "pareto 1ms 1.5",
        "pareto 1ms 3",
    ] {
        let time = parsed(text);
        let mut rng = Pcg64Mcg::seed_from_u64(7);
        let n = 400_000;
        let mean = (0..n).map(|_| time.sample(&mut rng) as f64).sum::<f64>() / f64::from(n);
        assert!((mean / time.mean_ns() - 1.0).abs() < 0.05, "{text}: {mean} against {}", time.mean_ns());
    }
}

#[test]
fn samples_stay_in_their_range_and_repeat_with_the_seed() {
    let pareto = parsed("pareto 1ms 1.01");
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let draws: Vec<u64> = (0..100_000).map(|_| pareto.sample(&mut rng)).collect();
    assert!(draws.iter().all(|ns| (1_000_000..=1_000_000_000).contains(ns)));
    assert!(draws.contains(&1_000_000_000), "a tail this heavy reaches the cut");
    let uniform = parsed("uniform 10ms 11ms");
    assert!((0..1000).map(|_| uniform.sample(&mut rng)).all(|ns| (10_000_000..=11_000_000).contains(&ns)));
    let mut again = Pcg64Mcg::seed_from_u64(1);
    assert!(draws.iter().all(|ns| *ns == pareto.sample(&mut again)));
    let mut rng = Pcg64Mcg::seed_from_u64(2);
    let half = parsed("bimodal 1ms 3ms 0.5");
    assert!((0..1000).map(|_| half.sample(&mut rng)).all(|ns| ns == 1_000_000 || ns == 3_000_000));
}
