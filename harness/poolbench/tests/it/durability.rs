//! `durability`: real kills and simulated power loss, alone and beside the figures of a run.

use std::fs;

use serde_json::Value;

use crate::support::{Place, TINY};

const FILTER: &str = "durability/files.*(truncate&sync=none|rename&sync=file-and-dir)";

#[test]
fn a_safe_and_an_unsafe_setting_are_told_apart_by_power_loss() {
    let place = Place::new();
    let ran = place.poolbench(&["durability", "--out", "d", "-f", FILTER, "--kills", "4", "--states", "320"]).ends(0);
    let kept: Value = serde_json::from_slice(&fs::read(place.path("d/durability.json")).unwrap()).unwrap();
    let rows = kept["rows"].as_array().unwrap();
    assert_eq!((kept["schema"].as_u64(), rows.len()), (Some(1), 2), "{kept}");
    assert!(rows.iter().all(|row| row["kill"]["crashes"] == 4 && row["acknowledged"].as_u64() > Some(0)), "{kept}");
    assert_eq!(fs::read_to_string(place.path("d/report.md")).unwrap(), ran.out);
    let (safe, damaged) = (ran.out.find("| durable |").unwrap(), ran.out.find("| unsafe |").unwrap());
    assert!(safe < damaged && ran.out.contains("| always |"), "{}", ran.out);
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    let left: Vec<_> = fs::read_dir(place.path("d")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    place.poolbench(&["durability", "--out", "d"]).refuses(2, &["not empty"]);
}

#[test]
fn a_run_of_stores_asks_for_it_and_shows_it_once_it_is_there() {
    let place = Place::new();
    let stores = TINY.replace("target = \"pool\"", "target = \"store\"").replace("[pool]\n", "[store]\nkind = \"files\"\n\n[pool]\n");
    let stores = stores.replace("clients = 2 }", "clients = 2 }\nsessions = { count = 4, popularity = \"uniform\" }");
    fs::create_dir_all(place.path("scenarios/io")).unwrap();
    fs::write(place.path("scenarios/io/tiny.toml"), stores).unwrap();
    place.poolbench(&["run", "--scenarios", "scenarios", "--out", "run", "--allow-debug", "-q"]).succeeds();
    let report = || fs::read_to_string(place.path("run/report.md")).unwrap();
    assert!(report().contains("poolbench durability --into"), "{}", report());
    let add = ["durability", "--into", "run", "-f", "rename&sync=file-and-dir", "--kills", "2", "--states", "160", "-q"];
    assert!(place.poolbench(&add).ends(0).err.is_empty());
    let whole = report();
    let section = whole.split("## What a crash costs").nth(1).unwrap().split("\n## ").next().unwrap();
    assert!(section.contains("| io/tiny |") && section.contains("| durable |") && section.contains("none lost"), "{section}");
    place.poolbench(&add).refuses(2, &["never overwritten", "--out"]);
    place.poolbench(&["report", "run"]).ends(0);
    assert_eq!(report(), whole);
    fs::write(place.path("run/durability.json"), "{\"schema\": 7}").unwrap();
    place.poolbench(&["report", "run"]).refuses(2, &["durability.json", "schema 7"]);
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_runs() {
    let place = Place::new();
    for (args, says) in [
        (["durability", "-f", "nothing"].as_slice(), "ids are such as 'durability/files?write="),
        (&["durability", "-f", "("], "regular expression"),
        (&["durability", "--kills", "0"], "--kills"),
        (&["durability", "--states", "15"], "--states"),
        (&["durability", "--into", "a", "--out", "b"], "--into"),
        (&["durability", "--into", "nowhere"], "is not a run"),
    ] {
        place.poolbench(args).refuses(2, &[says]);
    }
}
