//! A report is a function of its records: remade elsewhere it is the same, byte for byte.

use std::path::{Path, PathBuf};

use crate::support::{Place, files, root};

/// Every file that `poolbench report` writes for `run` is the one that lies in it.
#[track_caller]
fn remakes(place: &Place, run: &Path) -> usize {
    let out = place.path("again");
    if out.exists() {
        std::fs::remove_dir_all(&out).unwrap();
    }
    place.poolbench(&["report", &run.display().to_string(), "--out", "again"]).ends(0);
    let made = files(&out);
    assert!(made.iter().any(|f| f == "report.md") && made.iter().any(|f| f == "report.json"), "{made:?}");
    for name in &made {
        let kept = std::fs::read(run.join(name)).unwrap_or_default();
        assert!(kept == std::fs::read(out.join(name)).unwrap(), "{}/{name} is not what its records give", run.display());
    }
    // Nothing of the report lies there that would no longer be made.
    let inputs = ["plan.json", "run.json", "records.jsonl"];
    let extra: Vec<_> = files(run).into_iter().filter(|f| !made.contains(f) && !inputs.contains(&f.as_str()) && f.contains('/')).collect();
    assert!(extra.iter().all(|f| f.starts_with("profiles/") && f.ends_with(".folded")), "{}: {extra:?}", run.display());
    made.len()
}

/// What would tell where a record was made.
const TRACES: &[&str] =
    &["/work/", "/root/", "/home/", "/tmp/", "/Users/", ".cargo/registry", "/rustc/", "/target/release", "/target/debug"];

#[track_caller]
fn names_no_machine(dir: &Path) {
    let here = root().display().to_string();
    for name in files(dir) {
        let text = String::from_utf8_lossy(&std::fs::read(dir.join(&name)).unwrap()).into_owned();
        for trace in TRACES.iter().copied().chain([here.as_str()]) {
            let at = text.find(trace);
            assert!(at.is_none(), "{}/{name} holds {trace}: …{}…", dir.display(), around(&text, at.unwrap_or(0)));
        }
    }
}

fn around(text: &str, at: usize) -> String {
    text.chars().skip(text[..at].chars().count().saturating_sub(60)).take(140).collect()
}

#[test]
fn a_run_with_everything_is_remade_byte_for_byte_elsewhere() {
    let place = Place::new();
    let selection = ["-f", "^sqlite/session-writes.*synchronous=normal", "--size", "smoke", "--rounds", "2"];
    // An absolute path, so that a trace of it would be found.
    let run = place.path("run");
    place.poolbench(&[&["run", "--allow-debug", "-q", "--out", &run.display().to_string()], selection.as_slice()].concat()).succeeds();
    let names = files(&run);
    for kind in [".svg", ".folded", ".hlog", "report.md"] {
        assert!(names.iter().any(|n| n.ends_with(kind)), "no {kind} in {names:?}");
    }
    assert!(remakes(&place, &run) >= 5);
    names_no_machine(&run);
    // Read from another place, under another name, as a copy.
    let copy = place.path("moved/elsewhere");
    for name in &names {
        let to = copy.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(run.join(name), to).unwrap();
    }
    remakes(&place, &copy);
}

#[test]
fn what_survives_of_a_gain_is_told_of_both_scenarios_of_one_run_and_of_one_alone_what_to_run() {
    let place = Place::new();
    let whole = ["-f", "^sqlite/planned-writes"];
    let alone = ["-f", "^sqlite/commits.*=(delete-full|wal-normal-cache-10000)&way=autocommit-prepared$"];
    let run = |out: &str, rounds: &str, selection: &[&str]| {
        let fixed = ["run", "--allow-debug", "-q", "--out", out, "--size", "smoke", "--rounds", rounds];
        place.poolbench(&[fixed.as_slice(), selection].concat()).succeeds();
        let json: serde_json::Value = serde_json::from_str(&place.read(&format!("{out}/report.json"))).unwrap();
        (json["survives"][0].clone(), place.read(&format!("{out}/report.md")))
    };
    let (told, report) = run("both", "3", &[whole, alone].concat());
    assert!(report.contains("## What survives of a gain"), "{report}");
    for figure in ["isolated", "phase_p50", "p50"] {
        // A loaded host may make figures that are not to be compared: then the reason stands there.
        let (gain, why) = (&told[figure]["gain"], told[figure]["why"].as_str().unwrap());
        assert!(gain.as_f64().is_some_and(|g| g > 0.0) && told[figure]["rounds"] == 3 || !why.is_empty(), "{figure}: {told}");
        assert!(!why.starts_with("the run lacks"), "{told}");
    }
    let (told, report) = run("alone", "1", &whole);
    let remedy = "poolbench run -f '^sqlite/commits' -f '^sqlite/planned-writes' --rounds 8";
    assert!(told["isolated"]["why"].as_str().unwrap().contains(remedy) && report.contains(remedy), "{told}");
    assert_eq!(told["p50_share"]["share"], serde_json::Value::Null);
}

#[test]
fn pictures_and_files_that_the_report_links_exist() {
    let place = Place::with_tiny(&[("profile = false", "profile = true"), ("\"200ms\"", "\"500ms\"")]);
    place.run_tiny(&["--quiet"]).ends(0);
    let link = regex::Regex::new(r"\]\(([^)#]+)\)").unwrap();
    let report = place.read("run/report.md");
    let links: Vec<&str> = link.captures_iter(&report).map(|c| c.get(1).unwrap().as_str()).collect();
    assert!(links.len() >= 2, "{links:?}");
    for name in links.iter().filter(|l| !l.contains("://")) {
        assert!(place.path("run").join(name).is_file(), "{name} is linked but not there: {:?}", files(&place.path("run")));
    }
}

#[test]
fn committed_reports_are_remade_byte_for_byte_and_name_no_machine() {
    let place = Place::new();
    let reports = root().join("reports");
    let entries = std::fs::read_dir(&reports).map(|d| d.flatten().map(|e| e.path()).collect::<Vec<PathBuf>>()).unwrap_or_default();
    let runs: Vec<PathBuf> = entries.into_iter().filter(|p| p.join("records.jsonl").is_file()).collect();
    assert!(!runs.is_empty(), "no committed report in reports/ (expected reports/DATE-TOPIC/ with its records): nothing was checked");
    for run in runs {
        names_no_machine(&run);
        assert!(remakes(&place, &run) >= 3, "a report without a picture: {}", run.display());
    }
}
