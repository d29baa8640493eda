use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

mod confirmed;
mod runs;

fn candidate(at: usize, time: u32, cpu: u32, p99: u32, class: Option<(Class, Class)>) -> Candidate {
    let crashes = class.map(|(kill, all)| Crashes { kill, all: all.max(kill) });
    Candidate {
        case: format!("a/b?x={at}"),
        settings: BTreeMap::from([("store.kind".to_owned(), "files".to_owned()), ("x".to_owned(), at.to_string())]),
        time_ns: Some(f64::from(time)),
        p99_ns: (!p99.is_multiple_of(3)).then_some(f64::from(p99)),
        max_ns: Some(f64::from(p99)),
        cpu_ns: f64::from(cpu),
        bytes_ratio: Some(1.0 + f64::from(cpu % 7)),
        per_s: None,
        rounds: 3,
        by_round: BTreeMap::new(),
        crashes,
        class: crashes.map(|c| c.all.word()),
    }
}

fn contest(part: Part, candidates: Vec<Candidate>) -> Contest {
    Contest { part, at: "2 KiB of prose, a/b".to_owned(), payload_bytes: 2048, candidates }
}

const CLASSES: [Class; 3] = [Class::Durable, Class::Consistent, Class::Unsafe];

fn any_contest() -> impl Strategy<Value = Contest> {
    let class = || (0usize..3).prop_map(|at| CLASSES[at]);
    let one = (1u32..20, 1u32..20, 1u32..20, proptest::option::weighted(0.9, (class(), class())));
    let part = prop_oneof![Just(Part::Store), Just(Part::Group), Just(Part::Responses), Just(Part::Rest)];
    (part, proptest::collection::vec(one, 1..12)).prop_map(|(part, all)| {
        let all = all.into_iter().enumerate().map(|(at, (time, cpu, p99, class))| candidate(at, time, cpu, p99, class)).collect();
        contest(part, all)
    })
}

fn any_constraints() -> impl Strategy<Value = Constraints> {
    let survive = prop_oneof![Just(Survive::Nothing), Just(Survive::Kill), Just(Survive::PowerLoss)];
    (survive, proptest::option::of(1u64..20)).prop_map(|(survive, p99_ns)| Constraints { survive, p99_ns, payload_bytes: None })
}

/// The best that is allowed, by going through all: what `decide` must find.
fn best(contest: &Contest, constraints: &Constraints) -> Option<f64> {
    let part = contest.part;
    let allowed = contest.candidates.iter().filter(|c| {
        let safe = match (contest.part, constraints.survive, c.crashes) {
            (Part::Store | Part::Group, Survive::Kill, crashes) => crashes.is_some_and(|c| c.kill == Class::Durable),
            (Part::Store | Part::Group, Survive::PowerLoss, crashes) => crashes.is_some_and(|c| c.all == Class::Durable),
            _ => true,
        };
        let limit = constraints.p99_ns.filter(|_| part != Part::Group);
        safe && limit
            .is_none_or(|limit| (if part == Part::Store || c.p99_ns.is_some() { c.max_ns.unwrap() } else { c.cpu_ns }) <= limit as f64)
    });
    allowed.map(|c| c.objectives(contest.part)[0]).min_by(f64::total_cmp)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recommended_is_allowed_best_and_beaten_by_nothing_of_its_class(one in any_contest(), asked in any_constraints()) {
        let part = one.part;
        let expected = best(&one, &asked);
        let Ok(decided) = decide(one, &asked) else { prop_assert!(expected.is_none()); return Ok(()) };
        let all = &decided.contest.candidates;
        prop_assert_eq!(&decided.standings[decided.pick], &Standing::Optimal);
        prop_assert_eq!(Some(all[decided.pick].objectives(part)[0]), expected);
        prop_assert_ne!(decided.baseline, Some(decided.pick));
        for (at, standing) in decided.standings.iter().enumerate() {
            let [own, class] = [at; 2].map(|at| &all[at]);
            match standing {
                Standing::Beaten(by) => {
                    prop_assert_eq!(class.class, all[*by].class, "classes are never mixed");
                    prop_assert!(beats(all[*by].objectives(part), own.objectives(part)));
                    prop_assert_eq!(&decided.standings[*by], &Standing::Optimal);
                }
                Standing::Optimal => for (other, standing) in decided.standings.iter().enumerate() {
                    let allowed = !matches!(standing, Standing::Excluded(_));
                    let same = all[other].class == own.class;
                    prop_assert!(!(allowed && same && beats(all[other].objectives(part), own.objectives(part))));
                },
                Standing::Excluded(_) => {}
            }
        }
    }

    #[test]
    fn a_tighter_constraint_never_gives_a_better_one(one in any_contest(), loose in any_constraints(), by in 0u64..20) {
        let part = one.part;
        let first = |asked: &Constraints| decide(one.clone(), asked).map(|d| d.contest.candidates[d.pick].objectives(part)[0]);
        let before = first(&loose);
        for survive in [Survive::Nothing, Survive::Kill, Survive::PowerLoss].into_iter().filter(|s| *s >= loose.survive) {
            let tight = Constraints { survive, p99_ns: Some(loose.p99_ns.unwrap_or(20).saturating_sub(by)), ..loose };
            if let Ok(after) = first(&tight) {
                prop_assert!(before.as_ref().is_ok_and(|before| *before <= after), "{before:?} {after}");
            }
        }
    }
}

#[test]
fn what_cannot_be_met_says_which_constraint_excludes_what_and_what_could_be() {
    let durable = Some((Class::Durable, Class::Durable));
    let lossy = Some((Class::Durable, Class::Consistent));
    let all = vec![candidate(0, 1, 1, 3_000_001, lossy), candidate(1, 9, 9, 8_000_000, durable), candidate(2, 8, 9, 9_000_000, durable)];
    let asked = |survive, p99_ns| decide(contest(Part::Store, all.clone()), &Constraints { survive, p99_ns, payload_bytes: None });
    let why = asked(Survive::PowerLoss, Some(5_000_000)).unwrap_err();
    assert!(why.contains("--durable power-loss excludes 1 (such as consistent after power loss)"), "{why}");
    assert!(why.contains("--p99 5.00 ms excludes the other 2; the nearest that can be met is --p99 8ms"), "{why}");
    let odd = decide(
        contest(Part::Store, vec![candidate(0, 1, 1, 4_941_823, durable)]),
        &Constraints { p99_ns: Some(9), ..Constraints::default() },
    );
    assert!(odd.as_ref().unwrap_err().contains("--p99 4.95ms"), "rounded up, or it could not be met: {odd:?}");
    assert_eq!(asked(Survive::Kill, Some(5_000_000)).unwrap().pick, 0);
    assert_eq!(asked(Survive::PowerLoss, None).unwrap().pick, 2);
    let excluded = asked(Survive::PowerLoss, Some(8_000_000)).unwrap().standings.pop().unwrap();
    assert_eq!(excluded, Standing::Excluded("too few samples carry a p99, and the longest was 9.00 ms".to_owned()));
    let none = decide(contest(Part::Store, all[..1].to_vec()), &Constraints::default()).unwrap_err();
    assert!(none.contains("and the best of them is consistent"), "{none}");
}
