//! What becomes of runs that are kept: cut short, continued elsewhere, merged, or of a doubtful build.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::hog::Hog;
use crate::run::{Judged, RUN, alone, judged, loud, open};
use crate::support::{PROGRAM, Place, Ran};

/// The run in `name` judged once more from its files.
fn again(place: &Place, name: &str) -> Judged {
    let ran = place.poolbench(&["report", name]);
    Judged::of(place, name, &ran)
}

/// Takes those records of the run away that do not fit.
fn lose(place: &Place, name: &str, keeps: impl Fn(&serde_json::Value) -> bool) {
    let file = format!("{name}/records.jsonl");
    let kept: String =
        place.read(&file).lines().filter(|line| keeps(&serde_json::from_str(line).unwrap())).map(|line| format!("{line}\n")).collect();
    place.write(&file, &kept);
}

/// Runs the place's scenario into `out`.
fn run_into(place: &Place, out: &str) {
    let args: Vec<&str> = RUN[..8].iter().copied().chain([out]).collect();
    let ran = place.poolbench(&args);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
}

/// Copies the files of a run.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten().filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Merges two runs and judges what comes of it.
fn merged(place: &Place, a: &str, b: &str) -> Judged {
    let _ = std::fs::remove_dir_all(place.path("merged"));
    let ran = place.poolbench(&["merge", a, b, "--out", "merged"]);
    Judged::of(place, "merged", &ran)
}

/// A directory on another filesystem than that of `dir`, if this system has one that can be written to.
fn elsewhere(dir: &Path) -> Option<TempDir> {
    let kind = |dir: &Path| {
        let out = Command::new("stat").args(["-f", "-c", "%T"]).arg(dir).output().ok()?;
        out.status.success().then_some(out.stdout)
    };
    let candidates = ["/dev/shm", "/var/tmp", "/run", env!("CARGO_TARGET_TMPDIR")];
    let other = candidates.into_iter().filter(|other| kind(Path::new(other)).is_some_and(|k| Some(k) != kind(dir)));
    other.into_iter().find_map(|other| tempfile::Builder::new().prefix("poolbench-provoke-").tempdir_in(other).ok())
}

#[test]
fn a_lost_record_leaves_a_run_incomplete() {
    let _alone = alone();
    let place = open("500/s", "200ms", &[("rounds   = 1", "rounds   = 2")]);
    assert!(!judged(&place, &[]).carries("incomplete"));
    lose(&place, "run", |record| record["round"] == 0);
    again(&place, "run").must_carry("incomplete", "note", "1 of 2 rounds were measured", "run --continue DIR");
}

#[test]
fn a_record_that_lost_a_request_breaks_conservation() {
    let _alone = alone();
    let place = open("500/s", "200ms", &[]);
    assert!(!judged(&place, &[]).carries("conservation-broken"));
    let whole = place.read("run/records.jsonl");
    let finished = |n: u64| format!("\"finished\":{n},");
    let count = place.records("run")[0]["counts"]["finished"].as_u64().unwrap();
    assert!(whole.contains(&finished(count)));
    place.write("run/records.jsonl", &whole.replace(&finished(count), &finished(count - 1)));
    let lost = again(&place, "run");
    lost.must_carry("conservation-broken", "invalid", "these must be equal", "do not quote these figures");
}

#[test]
fn rounds_and_runs_of_two_filesystems_are_told_apart() {
    let _alone = alone();
    let store = [
        ("target = \"pool\"", "target = \"coordinator\""),
        ("rounds   = 1", "rounds   = 2\nsessions = { count = 9, popularity = \"uniform\" }"),
    ];
    let place = open("300/s", "200ms", &store);
    let here = judged(&place, &[]);
    assert!(!here.carries("settings-differ"), "{here:?}");
    let Some(there) = elsewhere(&place.path("")) else {
        loud("settings-differ and hosts-differ NOT PROVOKED: no directory that can be written to is on another filesystem");
        return;
    };
    let other = there.path().join("run").display().to_string();
    // The second round is lost, the run moved to the other filesystem and continued there.
    run_into(&place, "moved");
    lose(&place, "moved", |record| record["round"] == 0);
    copy(&place.path("moved"), Path::new(&other));
    let ran = Ran::from(place.command(PROGRAM, &["run", "--quiet", "--continue", &other]).output().unwrap());
    Judged::of(&place, &other, &ran).must_carry("settings-differ", "degraded", "filesystem", "one filesystem for all rounds");
    // Two whole runs, one there.
    let whole = there.path().join("whole").display().to_string();
    run_into(&place, &whole);
    merged(&place, "run", &whole).must_carry("hosts-differ", "degraded", "filesystem", "poolbench compare");
    run_into(&place, "second");
    let same = merged(&place, "run", "second");
    assert!(!same.carries("hosts-differ") && !same.carries("settings-differ"), "{same:?}");
}

#[test]
fn capacities_apart_offer_rates_apart_and_loads_apart() {
    let _alone = alone();
    // Two values of an axis that has nothing to do with the load; spinning, so that a hog takes of the capacity.
    let spins = [
        ("service = \"constant 1ms\"", "service = \"constant 1ms\"\nwork = \"spin\""),
        ("[expect]", "[matrix]\n\"pool.hot.idle-ttl\" = [\"100s\", \"200s\"]\n\n[expect]"),
    ];
    let place = open("30% of capacity", "200ms", &spins);
    run_into(&place, "calm");
    let calm = again(&place, "calm");
    assert!(!calm.carries("different-load") && !calm.carries("rates-differ"), "{calm:?}");
    let hog = Hog::of_the_host();
    run_into(&place, "hogged");
    // Its calibration and second case are lost, and made again beside a hog.
    copy(&place.path("calm"), &place.path("again"));
    lose(&place, "again", |record| record["kind"] == "measured" && record["case"].as_str().unwrap().ends_with("=100s"));
    let ran = place.poolbench(&["run", "--quiet", "--continue", "again"]);
    drop(hog);
    Judged::of(&place, "again", &ran).must_carry(
        "different-load",
        "note",
        "the same seed gave another load",
        "compare these cases with care",
    );
    merged(&place, "calm", "hogged").must_carry("rates-differ", "degraded", "the merged runs offered", "load.arrivals.rate per second");
    let fixed = open("300/s", "200ms", &[]);
    run_into(&fixed, "a");
    run_into(&fixed, "b");
    assert!(!merged(&fixed, "a", "b").carries("rates-differ"));
}

#[test]
fn what_the_build_was_is_told() {
    let _alone = alone();
    let place = open("500/s", "100ms", &[]);
    let built = judged(&place, &[]);
    let facts = place.read("run/run.json");
    let dirty = place.json("run/run.json")["dirty"].as_bool().unwrap();
    assert_eq!(built.carries("dirty-tree"), dirty);
    // Building this program from a changed tree takes minutes, so the other kind of build is only told of the same run.
    let both = [true, false].map(|dirty| format!("\"dirty\": {dirty}"));
    assert!(both.iter().any(|text| facts.contains(text)), "{facts}");
    for (to, from) in [(0, 1), (1, 0)] {
        place.write("run/run.json", &facts.replace(&both[from], &both[to]));
        let told = again(&place, "run");
        assert_eq!(told.carries("dirty-tree"), to == 0);
        if to == 0 {
            told.must_carry("dirty-tree", "note", "the tree differed from its commit", "commit before a run");
        }
    }
}
