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
    let lengths = Lengths { warmup_ns: 0, length_ns: 5_000_000_000 };
    let from = Ingredients { arrivals: &Arrivals::Poisson, per_s: 2000.0, lengths, sessions: 50, popularity, sorts };
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

fn fault(kind: &str, with: &[(&str, &str)]) -> Fault {
    let at = |text: &str| model::settings::Located::new(text, "pool/x.toml", 9);
    let kind = model::plan::Kind { kind: at(kind), with: with.iter().map(|(k, v)| ((*k).to_owned(), at(v))).collect() };
    Fault::parse(&kind, 4_000_000_000, true).unwrap()
}

#[test]
fn faults_of_requests_are_of_the_window_and_from_the_seed() {
    let (sorts, warmup) = (sorts(), 1_000_000_000);
    let faults = [
        fault("garbage", &[("request", "500")]),
        fault("kill", &[("target", "busy"), ("at", "1s")]),
        fault("late", &[("every-request", "50"), ("delay", "1ms")]),
        fault("duplicate", &[("chance", "2%")]),
        fault("hang", &[("at", "2s")]),
    ];
    let plain = make(1, &sorts, Popularity::Uniform);
    let marked = |seed| {
        let mut schedule = plain.clone();
        schedule.mark(&faults, warmup, seed).unwrap();
        schedule
    };
    let schedule = marked(7);
    let first = plain.intents.iter().position(|i| i.at_ns >= warmup).unwrap();
    let of = |index: u16| schedule.intents.iter().enumerate().filter(move |(_, i)| i.fault == index).map(|(at, _)| at);
    assert!(schedule.intents[..first].iter().all(|i| i.fault == NO_FAULT), "none in the warm-up");
    assert_eq!(of(0).collect::<Vec<_>>(), [first + 499]);
    assert_eq!(of(1).count(), 0, "the pool does that one");
    let window = plain.intents.len() - first;
    assert_eq!(of(2).count(), window / 50, "the one that met another fault went to the next request");
    assert!(of(2).all(|at| (at + 1 - first) % 50 <= 1));
    let share = of(3).count() as f64 / window as f64;
    assert!((share - 0.02).abs() < 0.01, "{share}");
    let hang = of(4).next().unwrap();
    assert!(schedule.intents[hang].at_ns >= warmup + 2_000_000_000 && schedule.intents[hang - 2].at_ns < warmup + 2_000_000_000);
    assert_eq!(marked(7).fingerprint(&sorts), schedule.fingerprint(&sorts));
    assert_ne!(marked(8).fingerprint(&sorts), schedule.fingerprint(&sorts), "chance is of the seed");
    assert_ne!(plain.fingerprint(&sorts), schedule.fingerprint(&sorts));
    let mut none = plain.clone();
    none.mark(&[], warmup, 7).unwrap();
    assert_eq!(plain.fingerprint(&sorts), none.fingerprint(&sorts), "a load without faults keeps its name");
}

#[test]
fn a_fault_that_no_request_reaches_is_told() {
    let mut schedule = make(1, &sorts(), Popularity::Uniform);
    let error = schedule.mark(&[fault("garbage", &[("request", "1000000")])], 0, 1).unwrap_err();
    assert!(error.starts_with("pool/x.toml:9: the fault 'garbage' never strikes") && error.contains("lengthen"), "{error}");
}

#[test]
fn sessions_in_turn_come_one_after_the_other() {
    let schedule = make(3, &sorts(), Popularity::InTurn(3));
    for (at, intent) in schedule.intents.iter().enumerate() {
        assert_eq!(intent.session, (at / 3 % 50) as u32);
    }
}
