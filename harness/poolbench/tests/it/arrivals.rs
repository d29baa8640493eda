//! Loads as data: recorded and replayed, fingerprinted, and what is refused of them.

use crate::support::{Place, Ran, root};

/// A little load in virtual time whose arrivals are `arrivals`; in the folder `it`, so that traces lie beside it.
fn place(arrivals: &str) -> Place {
    Place::with_tiny(&[("{ kind = \"closed\", clients = 2 }", arrivals), ("\"200ms\"", "\"1s\"")])
}

fn simulate(place: &Place, out: &str, more: &[&str]) -> Ran {
    place.poolbench(&[&["run", "--virtual", "--scenarios", "scenarios", "--out", out], more].concat())
}

/// The offsets of a trace file.
fn offsets(place: &Place, name: &str) -> Vec<u64> {
    place.read(name).lines().filter(|line| !line.starts_with('#')).map(|line| line.parse().unwrap()).collect()
}

fn gaps(offsets: &[u64]) -> Vec<u64> {
    offsets.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn what_is_recorded_comes_back_at_every_speed() {
    let place = place("{ kind = \"sine\", rate = \"400/s\", amplitude = \"80%\", period = \"500ms\" }");
    simulate(&place, "one", &["--record-arrivals", "scenarios/it/one.trace"]).ends(0);
    let recorded = offsets(&place, "scenarios/it/one.trace");
    assert!(recorded.is_sorted() && (200..700).contains(&recorded.len()), "{}", recorded.len());
    let sent = place.records("one")[0]["counts"]["sent"].as_u64().unwrap() as usize;
    assert_eq!(recorded.iter().filter(|at| **at >= 10_000_000).count(), sent, "the window's and the warm-up's");
    let replay = place.read("scenarios/it/tiny.toml").replace(
        "{ kind = \"sine\", rate = \"400/s\", amplitude = \"80%\", period = \"500ms\" }",
        "{ kind = \"trace\", file = \"one.trace\" }",
    );
    // Half as fast takes twice as long.
    place.write("scenarios/it/tiny.toml", &replay.replace("\"10ms\"", "\"20ms\"").replace("length   = \"1s\"", "length   = \"2s\""));
    for (speed, name) in [(1.0, "1"), (0.5, "0.5"), (2.0, "2"), (4.0, "4")] {
        let set = format!("load.arrivals.speed={name}");
        simulate(&place, name, &["-s", &set, "--record-arrivals", "again.trace"]).ends(0);
        let again = offsets(&place, "again.trace");
        let expected: Vec<u64> = recorded.iter().map(|at| (*at as f64 / speed).round() as u64).collect();
        assert_eq!(again, expected, "at {name}x");
        if name == "1" {
            assert_eq!(gaps(&again), gaps(&recorded), "to the nanosecond");
        }
    }
}

#[test]
fn a_live_run_records_the_load_that_it_had() {
    let place = place("{ kind = \"poisson\", rate = \"50% of capacity\" }");
    place.run_tiny(&["--record-arrivals", "live.trace", "--rounds", "2"]).succeeds();
    let recorded = offsets(&place, "live.trace");
    let records = place.records("run");
    let first = records.iter().find(|r| r["kind"] == "measured" && r["round"] == 0).unwrap();
    let window = recorded.iter().filter(|at| **at >= 10_000_000).count() as u64;
    assert_eq!(first["counts"]["intended"], window);
    let points = first["lag_over_time"].as_array().unwrap();
    assert!((2..=100).contains(&points.len()), "{points:?}");
    assert_eq!(points.iter().map(|p| p["requests"].as_u64().unwrap()).sum::<u64>(), window, "each request is in one part of the window");
    assert!(place.read("live.trace").starts_with("# Intended starts in ns"));
}

#[test]
fn one_case_with_planned_arrivals_can_be_recorded() {
    let place = Place::with_tiny(&[]);
    simulate(&place, "run", &["--record-arrivals", "x.trace"]).refuses(2, &["it/tiny: a closed loop has no intended starts"]);
    place
        .poolbench(&["run", "--record-arrivals", "x.trace", "--virtual", "-f", "^pool/burst", "-f", "^pool/stall"])
        .refuses(2, &["--record-arrivals records one case, and 3 cases are selected", "select one with -f"]);
    let open = self::place("{ kind = \"poisson\", rate = \"400/s\" }");
    simulate(&open, "run", &["--record-arrivals", "nowhere/x.trace"]).refuses(2, &["no file can be written at 'nowhere/x.trace'"]);
    assert!(!open.path("run").exists(), "it is told before anything runs");
    assert!(!place.path("x.trace").exists() && !place.path("run").exists());
}

#[test]
fn a_bad_trace_is_named_with_its_line() {
    let place = place("{ kind = \"trace\", file = \"peak.trace\" }");
    simulate(&place, "run", &[]).refuses(2, &["it/tiny.toml:8: there is no trace 'peak.trace' beside this file"]);
    place.write("scenarios/it/peak.trace", "# seconds are refused\n0\n0.5\n");
    simulate(&place, "run", &[]).refuses(2, &["it/peak.trace:3: '0.5' is no arrival (expected whole nanoseconds"]);
    place.write("scenarios/it/peek.trace", "5\n");
    place.write("scenarios/it/peak.trace", "7\n6\n");
    simulate(&place, "run", &[]).refuses(2, &["it/peak.trace:2: the arrival at 6 ns is earlier than the one before"]);
    // A trace that ends in the warm-up leaves nothing to measure.
    place.write("scenarios/it/peak.trace", "0\n5000\n");
    let ran = simulate(&place, "short", &[]).ends(3);
    assert!(ran.err.contains("the trace ends before the window begins"), "{}", ran.err);
}

#[test]
fn a_client_that_thinks_sends_less_and_the_loop_is_called_closed() {
    let place = Place::with_tiny(&[("clients = 2", "clients = 2, think = \"constant 4ms\""), ("\"200ms\"", "\"2s\"")]);
    simulate(&place, "thinks", &[]).ends(0);
    let record = &place.records("thinks")[0];
    // Two clients, a request of 1 ms each 5 ms.
    let finished = record["counts"]["finished"].as_u64().unwrap();
    assert!((790..=810).contains(&finished), "{finished}");
    assert_eq!(record["open_loop"], false);
    let report = place.read("thinks/report.md");
    assert!(report.contains("`closed`") && report.contains("closed"), "{report}");
}

#[test]
fn the_fingerprints_of_all_loads_are_those_on_file() {
    let place = Place::new();
    let listed = place.poolbench(&["list", "--fingerprints"]).ends(0).out;
    assert_eq!(place.poolbench(&["list", "--fingerprints"]).ends(0).out, listed, "the seed decides them");
    let path = root().join("scenarios/fingerprints.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &listed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (kept, now) in kept.lines().zip(listed.lines()) {
        assert_eq!(kept, now, "the load of a scenario has changed; if it was meant to, write the file anew with UPDATE_GOLDEN=1");
    }
    assert_eq!(kept, listed, "scenarios/fingerprints.txt has other lines; write it anew with UPDATE_GOLDEN=1");
}

#[test]
fn a_changed_byte_of_a_load_changes_its_fingerprint() {
    let print = |arrivals: &str, changes: &[(&str, &str)]| {
        let place = Place::with_tiny(&[&[("{ kind = \"closed\", clients = 2 }", arrivals)], changes].concat());
        let listed = place.poolbench(&["list", "--fingerprints", "--scenarios", "scenarios"]).ends(0).out;
        listed.lines().last().unwrap().to_owned()
    };
    let closed = "{ kind = \"closed\", clients = 2 }";
    let poisson = "{ kind = \"poisson\", rate = \"40% of capacity\" }";
    let all = [
        print(closed, &[]),
        print("{ kind = \"closed\", clients = 2, think = \"exponential 5ms\" }", &[]),
        print(poisson, &[]),
        print("{ kind = \"constant\", rate = \"400/s\" }", &[]),
        print(poisson, &[("64B", "65B")]),
        print(poisson, &[("constant 1ms", "constant 2ms")]),
        print(poisson, &[("[expect]", "[[faults]]\nkind = \"kill\"\ntarget = \"busy\"\nat = \"50%\"\n[expect]")]),
        print(poisson, &[("[expect]", "[[faults]]\nkind = \"kill\"\ntarget = \"busy\"\nat = \"60%\"\n[expect]")]),
        print(poisson, &[("[expect]", "[[faults]]\nkind = \"late\"\ndelay = \"1ms\"\nrequest = 3\n[expect]")]),
    ];
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:#?}");
    assert_eq!(print(poisson, &[]), print("{ kind = \"poisson\", rate = \"400/s\" }", &[]), "the stand-in capacity is 1000/s");
}
