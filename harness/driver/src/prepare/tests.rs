use std::collections::BTreeMap;

use coordinator::WORKER_COMMAND;
use model::plan::{Kind, Load, Mix};
use model::units::Rate;

use super::*;

fn at(text: &str, line: u32) -> Located {
    Located::new(text, "pool/x.toml", line)
}

fn case() -> Case {
    let mix = Mix {
        tool: at("echo", 10),
        share: 1.0,
        shape: at("prose", 11),
        payload_bytes: 64,
        service: at("constant 1ms", 12),
        work: at("sleep", 13),
        deadline_ns: None,
    };
    let load = Load {
        arrivals: Kind { kind: at("poisson", 5), with: BTreeMap::new() },
        rate: Some(Rate::PerSecond(100.0)),
        clients: 2,
        warmup_ns: 0,
        length_ns: 1_000_000_000,
        sessions: 4,
        trace: None,
        popularity: at("zipf 1.1", 6),
        time_scale: None,
        accept: String::new(),
        mix: vec![mix],
    };
    Case {
        id: "pool/x".to_owned(),
        scenario: "pool/x".to_owned(),
        axes: Vec::new(),
        target: at("coordinator", 3),
        settings: BTreeMap::new(),
        load,
        faults: Vec::new(),
        expect: Vec::new(),
        rounds: 1,
        timeout_ns: 1,
    }
}

fn problem(spoil: impl FnOnce(&mut Case)) -> String {
    let mut case = case();
    spoil(&mut case);
    prepare_case(&case).unwrap_err().to_string()
}

#[test]
fn a_right_case_is_prepared_with_payloads_and_a_tool() {
    let prepared = prepare_case(&case()).unwrap();
    let sorts = prepared.sorts(1);
    assert_eq!((sorts.len(), sorts[0].payloads.len(), sorts[0].payloads[0].0.len()), (1, payload::VARIANTS, 64));
    assert_eq!(prepared.popularity, Popularity::Zipf(1.1));
}

#[test]
fn every_knob_is_refused_by_its_owner_with_its_place() {
    for (message, says) in [
        (problem(|c| c.target = at("coordinater", 3)), "pool/x.toml:3: unknown target 'coordinater' (did you mean 'coordinator'?)"),
        (problem(|c| c.load.mix[0].shape = at("proze", 11)), "pool/x.toml:11: unknown payload shape 'proze' (did you mean 'prose'?)"),
        (problem(|c| c.load.mix[0].work = at("spinn", 13)), "pool/x.toml:13: unknown kind of work 'spinn'"),
        (problem(|c| c.load.mix[0].service = at("constant soon", 12)), "pool/x.toml:12: "),
        (problem(|c| c.load.popularity = at("zipf -x", 6)), "pool/x.toml:6: 'zipf -x' is not a popularity"),
        (problem(|c| c.load.rate = None), "pool/x.toml:5: open-loop arrivals need a 'rate'"),
        (problem(|c| c.load.rate = Some(Rate::PerSecond(1e7))), "are too many"),
        (problem(|c| drop(c.settings.insert("pool.shared.min-ready".to_owned(), at("9", 20)))), "pool/x.toml:20: setting 'pool.shared"),
        (problem(|c| drop(c.settings.insert("pool.hot.max".to_owned(), at("9", 20)))), "set pool.dispatch = tiered, or pool.shared.max"),
        (
            problem(|c| drop(c.settings.insert(WORKER_COMMAND.to_owned(), at(" ", 21)))),
            "pool/x.toml:21: setting 'worker.command': the command is empty",
        ),
    ] {
        assert!(message.contains(says), "{message}\nshould say\n{says}");
    }
}

#[test]
fn the_catalogue_has_every_owner_and_no_key_twice() {
    let rows = catalogue();
    let keys: std::collections::BTreeSet<_> = rows.iter().map(|r| r.key).collect();
    assert_eq!(keys.len(), rows.len());
    for key in ["pool.affinity", "store.kind", "compress.offer", "session.keep", WORKER_COMMAND] {
        assert!(keys.contains(key), "{key}");
    }
    assert!(rows.iter().all(|r| r.doc.len() > 10));
}

/// A case of a contender, from the case above.
fn contender(case: &mut Case, job: &str, way: &str) {
    case.target = at("contender", 3);
    case.load.arrivals.kind = at("closed", 5);
    (case.load.rate, case.load.clients, case.load.sessions) = (None, 1, 0);
    case.settings.insert("contender.job".to_owned(), at(job, 14));
    case.settings.insert("contender.way".to_owned(), at(way, 15));
}

#[test]
fn a_contender_is_one_client_and_a_way_of_a_job() {
    let problem = |spoil: &dyn Fn(&mut Case)| {
        let mut case = case();
        contender(&mut case, "file-read", "std-read-again");
        spoil(&mut case);
        prepare_case(&case).map(|prepared| prepared.contender.map(|c| c.way.name)).map_err(|p| p.to_string())
    };
    assert_eq!(problem(&|_| ()), Ok(Some("std-read")), "a repeat is the way itself");
    let set = |case: &mut Case, key: &str, value: &str| case.settings.insert(key.to_owned(), at(value, 15));
    let refused: [(&dyn Fn(&mut Case), &str); 7] = [
        (&|case| drop(set(case, "contender.job", "file-raed")), "pool/x.toml:15: unknown job 'file-raed' (did you mean 'file-read'?)"),
        (
            &|case| drop(set(case, "contender.way", "std-raed")),
            "pool/x.toml:15: unknown way of 'file-read' 'std-raed' (did you mean 'std-read'?)",
        ),
        (&|case| drop(case.settings.remove("contender.way")), "the target 'contender' needs the setting contender.way"),
        (
            &|case| (case.load.arrivals.kind, case.load.rate) = (at("poisson", 5), Some(Rate::PerSecond(1.0))),
            "x.toml:5: a contender has one client",
        ),
        (&|case| case.load.clients = 8, "8 clients (expected clients = 1)"),
        (&|case| case.load.sessions = 4, "it knows no sessions"),
        (&|case| case.load.mix.push(case.load.mix[0].clone()), "2 sorts of request"),
    ];
    for (spoil, says) in refused {
        let why = problem(spoil).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    let pool = prepare_case(&case()).unwrap();
    assert!(pool.contender.is_none(), "what is no contender has none");
}

#[test]
fn a_payload_that_there_is_not_is_refused_with_a_remedy() {
    let mut case = case();
    (case.load.mix[0].shape, case.load.mix[0].payload_bytes) = (at("mdn-compat", 11), 64 << 20);
    assert!(prepare_case(&case).unwrap_err().what.contains("the sample has"));
    // The tests run where no corpora were fetched.
    case.load.mix[0].shape = at("corpus-twitter", 11);
    let problem = prepare_case(&case).unwrap_err();
    assert!(problem.what.contains("twitter.json cannot be read") && problem.help.unwrap().contains("scripts/corpora"));
}
