use pool::core::SlotId;

use super::*;

fn fault(kind: &str, with: &[(&str, &str)]) -> Kind {
    let at = |text: &str| Located::new(text, "pool/x.toml", 9);
    Kind { kind: at(kind), with: with.iter().map(|(k, v)| ((*k).to_owned(), at(v))).collect() }
}

fn read(kind: &str, with: &[(&str, &str)]) -> (What, When) {
    let fault = Fault::parse(&fault(kind, with), 4_000_000_000, true).unwrap();
    assert_eq!((fault.kind, fault.place.as_str()), (kind, "pool/x.toml:9"));
    (fault.what, fault.when)
}

#[test]
fn a_kill_repeats_and_a_stall_names_its_slot() {
    let kill = read("kill", &[("target", "busy"), ("at", "25%"), ("every", "100ms"), ("count", "3")]);
    let times = When::Times(vec![1_000_000_000, 1_100_000_000, 1_200_000_000]);
    assert_eq!(kill, (What::Disturb(DisturbTarget::AnyBusy, Disturbance::Kill), times));
    let stall = read("stall", &[("slot", "2"), ("at", "3s"), ("for", "1s")]);
    let what = What::Disturb(DisturbTarget::Slot(SlotId(2)), Disturbance::Stall(1_000_000_000));
    assert_eq!(stall, (what, When::Times(vec![3_000_000_000])));
}

#[test]
fn what_a_request_carries_is_read_with_its_schedule() {
    use RequestFault as F;
    for (kind, with, what, when) in [
        ("kill", vec![("request", "500")], F::Kill(Moment::After), When::Request(500)),
        ("kill", vec![("every-request", "50"), ("when", "before")], F::Kill(Moment::Before), When::EveryRequest(50)),
        ("exit", vec![("chance", "2%"), ("code", "9")], F::Exit(Moment::Before, 9), When::Chance(0.02)),
        ("hang", vec![("chance", "100%")], F::Hang(Moment::After), When::Chance(1.0)),
        ("hang", vec![("at", "1s"), ("when", "before")], F::Hang(Moment::Before), When::Times(vec![1_000_000_000])),
        ("stop", vec![("request", "1")], F::Stop, When::Request(1)),
        ("late", vec![("request", "1"), ("delay", "5ms")], F::Late(5_000_000), When::Request(1)),
        ("duplicate", vec![("request", "1")], F::Duplicate, When::Request(1)),
        ("garbage", vec![("request", "1")], F::Garbage, When::Request(1)),
        ("split", vec![("request", "1"), ("pieces", "9")], F::Split(9), When::Request(1)),
        ("flood-stdout", vec![("request", "1"), ("frames", "7")], F::FloodStdout(7), When::Request(1)),
        ("flood-stderr", vec![("request", "1"), ("bytes", "1KiB")], F::FloodStderr(1024), When::Request(1)),
        ("balloon", vec![("request", "1"), ("bytes", "8MiB"), ("for", "20ms")], F::Balloon { mib: 8, ms: 20 }, When::Request(1)),
    ] {
        assert_eq!(read(kind, &with), (What::Request(what), when), "{kind}");
    }
    assert_eq!(read("slow-start", &[("at", "1s"), ("delay", "1s")]).0, What::SlowStart(1_000_000_000));
    assert_eq!(read("reload", &[("at", "1s")]).0, What::Reload);
    assert_eq!(read("drain", &[("at", "1s")]).0, What::Drain);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (kind, with, says) in [
        ("kil", vec![], "'kill'"),
        ("kill", vec![("at", "1s")], "'target'"),
        ("kill", vec![("target", "bussy"), ("at", "1s")], "'busy'"),
        ("kill", vec![("target", "busy"), ("at", "soon")], "duration"),
        ("kill", vec![("target", "busy"), ("at", "1s"), ("every", "1s"), ("count", "99999")], "10000"),
        ("kill", vec![], "one of 'at', 'request', 'every-request' and 'chance'"),
        ("kill", vec![("target", "busy"), ("request", "5")], "'target' does not go with"),
        ("kill", vec![("target", "busy"), ("at", "1s"), ("when", "before")], "'when' does not go with"),
        ("stall", vec![("at", "1s")], "'for'"),
        ("stall", vec![("for", "1s")], "needs 'at'"),
        ("stall", vec![("at", "9s"), ("for", "1s")], "not within the window of 9.00 s"),
        ("kill", vec![("target", "busy"), ("at", "10%"), ("every", "20%"), ("count", "6")], "9.90 s is not within"),
        ("kill", vec![("target", "busy"), ("at", "1e30%"), ("every", "1h"), ("count", "9")], "not within"),
        ("late", vec![("request", "1")], "'delay'"),
        ("late", vec![("request", "0"), ("delay", "1ms")], "from 1 to 2000000"),
        ("late", vec![("request", "1"), ("chance", "1%"), ("delay", "1ms")], "'request' and 'chance' both say when"),
        ("late", vec![("request", "1"), ("every", "1s"), ("delay", "1ms")], "there is 'every-request'"),
        ("garbage", vec![("chance", "0%")], "above 0%"),
        ("garbage", vec![("chance", "101%")], "up to 100%"),
        ("garbage", vec![("chance", "often")], "not a share"),
        ("hang", vec![("request", "1"), ("when", "afterr")], "'after'"),
        ("exit", vec![("request", "1"), ("code", "256")], "from 0 to 255"),
        ("balloon", vec![("request", "1"), ("bytes", "2GiB"), ("for", "1s")], "up to 1.00 GiB"),
        ("balloon", vec![("request", "1"), ("bytes", "1MiB"), ("for", "1h")], "up to 60s"),
        ("flood-stderr", vec![("request", "1"), ("bytes", "1")], "size"),
    ] {
        let error = Fault::parse(&fault(kind, &with), 9_000_000_000, true).unwrap_err().to_string();
        assert!(error.starts_with("pool/x.toml:9: ") && error.contains(says), "{says}: {error}");
    }
    let closed = Fault::parse(&fault("garbage", &[("at", "1s")]), 9_000_000_000, false).unwrap_err().to_string();
    assert!(closed.contains("a closed loop plans none"), "{closed}");
    Fault::parse(&fault("kill", &[("at", "1s"), ("target", "busy")]), 9_000_000_000, false).unwrap();
}

#[test]
fn kinds_are_distinct_documented_and_have_one_schedule_each() {
    let names: std::collections::BTreeSet<_> = FAULTS.iter().map(|f| f.name).collect();
    assert_eq!(names.len(), FAULTS.len());
    assert!(FAULTS.iter().all(|f| f.doc.len() > 10 && f.params.contains(&"at")));
}
