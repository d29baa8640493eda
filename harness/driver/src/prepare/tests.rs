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
    assert_eq!((sorts.len(), sorts[0].payloads.len(), sorts[0].payloads[0].0.len()), (1, crate::payload::VARIANTS, 64));
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
