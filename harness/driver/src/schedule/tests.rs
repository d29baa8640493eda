use super::*;

fn sorts() -> Vec<Sort> {
    let sort = |share_up_to, bytes| Sort {
        tool: ToolId(0),
        share_up_to,
        service: ServiceTime::Exponential { mean_ns: 1_000_000 },
        how: pool::How::Sleep,
        payloads: Sort::payloads("prose", bytes, 1).unwrap(),
        deadline_ns: None,
    };
    vec![sort(0.9, 100), sort(1.0, 1000)]
}

fn make(seed: u64, sorts: &[Sort], popularity: Popularity) -> Schedule {
    let from = Ingredients { arrivals: Arrivals::Poisson, per_s: 2000.0, span_ns: 5_000_000_000, sessions: 50, popularity, sorts };
    Schedule::make(&from, seed)
}

#[test]
fn the_seed_decides_the_whole_load() {
    let sorts = sorts();
    let print = |seed| make(seed, &sorts, Popularity::Zipf(1.1)).fingerprint(&sorts);
    assert_eq!(print(1), print(1));
    assert_ne!(print(1), print(2));
}

#[test]
fn the_fingerprint_of_a_known_load_does_not_drift() {
    let sorts = sorts();
    let print = make(42, &sorts, Popularity::Zipf(1.1)).fingerprint(&sorts);
    assert_eq!(format!("{print:016x}"), "57ebba7c80211a8f", "a change here is a mistake or a new load, never an accident");
}

#[test]
fn shares_and_popularity_are_as_asked() {
    let sorts = sorts();
    let schedule = make(3, &sorts, Popularity::Zipf(1.1));
    let n = schedule.intents.len() as f64;
    let first = schedule.intents.iter().filter(|i| i.sort == 0).count() as f64;
    assert!((first / n - 0.9).abs() < 0.02, "{}", first / n);
    let hottest = schedule.intents.iter().filter(|i| i.session == 0).count();
    let coldest = schedule.intents.iter().filter(|i| i.session == 49).count();
    assert!(hottest > 5 * coldest, "{hottest} against {coldest}");
    assert!(schedule.intents.iter().all(|i| i.session < 50));
}
