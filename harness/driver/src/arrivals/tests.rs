use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::*;

fn offsets(arrivals: Arrivals, seed: u64) -> Vec<u64> {
    arrivals.offsets(1000.0, 20_000_000_000, &mut Pcg64Mcg::seed_from_u64(seed))
}

#[test]
fn the_mean_rate_is_the_one_asked_for() {
    let burst = Arrivals::Burst { on_ns: 100_000_000, off_ns: 300_000_000 };
    for (arrivals, slack) in [(Arrivals::Constant, 0), (Arrivals::Poisson, 1000), (burst, 1000)] {
        let n = offsets(arrivals, 7).len() as i64;
        // 20,000 arrivals: seven standard deviations of a Poisson count are 990.
        assert!((n - 20_000).abs() <= slack, "{arrivals:?}: {n}");
    }
}

#[test]
fn offsets_ascend_and_the_seed_decides_them() {
    for arrivals in [Arrivals::Poisson, Arrivals::Burst { on_ns: 50_000_000, off_ns: 50_000_000 }] {
        let a = offsets(arrivals, 1);
        assert!(a.is_sorted());
        assert_eq!(a, offsets(arrivals, 1));
        assert_ne!(a, offsets(arrivals, 2));
    }
}

#[test]
fn a_burst_is_silent_while_off() {
    let all = offsets(Arrivals::Burst { on_ns: 100_000_000, off_ns: 300_000_000 }, 3);
    assert!(all.iter().all(|t| t % 400_000_000 <= 100_000_000));
}

#[test]
fn every_kind_in_the_table_parses_and_others_get_the_nearest_name() {
    let with = |name: &str| (name.to_owned(), Located::new("20ms", "a.toml", 4));
    let all = BTreeMap::from([with("on"), with("off")]);
    for row in ARRIVALS {
        Arrivals::parse(&Located::new(row.name, "a.toml", 3), &all).unwrap();
    }
    let error = Arrivals::parse(&Located::new("poison", "a.toml", 3), &all).unwrap_err();
    assert!(error.to_string().contains("a.toml:3") && error.to_string().contains("'poisson'"), "{error}");
    assert!(Arrivals::parse(&Located::new("burst", "a.toml", 3), &BTreeMap::new()).is_err());
}
