//! Whatever is wrong is said with its place, what was expected and the remedy, and nothing runs.

use std::process::Stdio;

use crate::support::{PROGRAM, Place, Ran, TINY};

#[track_caller]
fn refused(changes: &[(&str, &str)], says: &[&str]) {
    let place = Place::with_tiny(changes);
    place.run_tiny(&[]).refuses(2, says);
    assert!(!place.path("run").exists(), "a refusal leaves nothing");
}

#[test]
fn unknown_keys_are_named_with_the_nearest_word() {
    refused(&[("warmup ", "warmpu ")], &["error: it/tiny.toml:9: ", "'load.warmpu'", "'warmup'"]);
    refused(&[("min-ready", "min-redy")], &["error: it/tiny.toml:20: ", "min-redy", "'pool.hot.min-ready'"]);
    refused(&[("[expect]", "[expects]")], &["error: it/tiny.toml:27: ", "'expects'", "'expect'"]);
    refused(&[("ok = ", "okay = ")], &["error: it/tiny.toml:28: ", "'outcomes.okay'", "'outcomes.ok'"]);
    refused(&[("target = \"pool\"", "target = \"pol\"")], &["error: it/tiny.toml:4: ", "'pol'", "'pool'"]);
    refused(&[("kind = \"closed\"", "kind = \"close\"")], &["error: it/tiny.toml:8: ", "'close'", "'closed'"]);
    refused(&[("\"function\"", "\"functoin\"")], &["error: it/tiny.toml:20: ", "'functoin'", "'function'"]);
    refused(&[("\"prose\"", "\"prosa\"")], &["error: it/tiny.toml:15: ", "'prosa'", "'prose'"]);
}

#[test]
fn values_need_their_units() {
    refused(&[("\"200ms\"", "\"100\"")], &["error: it/tiny.toml:10: ", "'100'", "ms"]);
    refused(&[("\"200ms\"", "100")], &["error: it/tiny.toml:10: "]);
    refused(&[("\"200ms\"", "\"100 parsecs\"")], &["error: it/tiny.toml:10: ", "parsecs"]);
    refused(&[("\"64B\"", "\"64 bites\"")], &["error: it/tiny.toml:15: ", "64 bites"]);
    refused(&[("constant 1ms", "constant soon")], &["error: it/tiny.toml:16: ", "soon"]);
    refused(&[("constant 1ms", "constnat 1ms")], &["error: it/tiny.toml:16: ", "'constnat'", "'constant'"]);
}

#[test]
fn rates_are_above_zero() {
    for rate in ["-5/s", "0/s", "0", "-10% of capacity", "NaN/s", "inf/s"] {
        let arrivals = format!("kind = \"poisson\", rate = \"{rate}\"");
        refused(&[("kind = \"closed\", clients = 2", &arrivals)], &["error: it/tiny.toml:8: ", rate, "above zero"]);
    }
    let place = Place::new();
    place
        .poolbench(&["run", "--plan", "-s", "load.arrivals.rate=-5/s"])
        .refuses(2, &["error: -s: load.arrivals.rate: '-5/s'", "above zero"]);
}

#[test]
fn sizes_stay_within_their_limits() {
    refused(&[("\"200ms\"", "\"2h\"")], &["error: it/tiny.toml:10: ", "1h"]);
    refused(&[("\"64B\"", "\"1GiB\"")], &["error: it/tiny.toml:15: ", "64MiB"]);
    refused(&[("rounds   = 1", "rounds   = 0")], &["error: it/tiny.toml:11: ", "1"]);
    let fast = [("kind = \"closed\", clients = 2", "kind = \"constant\", rate = \"20M/s\""), ("\"200ms\"", "\"10s\"")];
    let place = Place::with_tiny(&fast);
    let ran = place.run_tiny(&[]);
    assert!(ran.code == Some(2) && ran.err.starts_with("error: it/tiny.toml:8: "), "a load beyond the limit of requests: {ran:?}");
}

#[test]
fn faults_strike_within_the_window() {
    let fault = |text: &str| format!("[[faults]]\nkind = \"kill\"\n{text}\n\n[expect]");
    for (text, says) in [
        ("target = \"busy\"\nat = \"1s\"", "1.00 s is not within the window of 200 ms"),
        ("target = \"busy\"\nat = \"1e30%\"\nevery = \"1h\"\ncount = 9", "is not within the window"),
        ("target = \"bussy\"\nat = \"10%\"", "'busy'"),
        ("target = \"busy\"", "'at'"),
    ] {
        refused(&[("[expect]", &fault(text))], &["error: it/tiny.toml:2", says]);
    }
}

/// No value of any key may end in a panic: it is planned or refused with its place and a remedy.
#[test]
fn odd_values_are_planned_or_refused() {
    let place = Place::new();
    let odd = ["-1", "18446744073709551615", "1e308", "\"\"", "[]", "\"nan\"", "\"1e30%\"", "\"9999999999999999999s\"", "\"\\u0000\""];
    let value = regex::Regex::new("\"[^\"\n]*\"|= [0-9]+").unwrap();
    let text = format!("{TINY}\n[[faults]]\nkind = \"stall\"\nslot = 0\nat = \"10%\"\nfor = \"10ms\"\n");
    let (mut planned, mut refused) = (0, 0);
    for found in value.find_iter(&text) {
        for odd in odd {
            let equals = if found.as_str().starts_with('=') { "= " } else { "" };
            place.write("scenarios/it/tiny.toml", &format!("{}{equals}{odd}{}", &text[..found.start()], &text[found.end()..]));
            let ran = place.run_tiny(&["--plan"]);
            if ran.code == Some(0) {
                planned += 1;
            } else {
                refused += 1;
                ran.refuses(2, &["error: it/tiny.toml"]);
            }
        }
    }
    assert!(planned > 10 && refused > 100, "{planned} planned, {refused} refused");
}

#[test]
fn all_problems_are_said_at_once() {
    let place = Place::with_tiny(&[("warmup ", "warmpu ")]);
    place.write("scenarios/it/other.toml", &TINY.replace("64B", "sixty"));
    place.run_tiny(&[]).refuses(2, &["error: it/other.toml:15: ", "error: it/tiny.toml:9: "]);
    place.write("scenarios/it/tiny.toml", "what = \"unclosed");
    place.run_tiny(&[]).refuses(2, &["error: it/tiny.toml:1: ", "error: it/other.toml:15: "]);
}

#[test]
fn duplicate_ids_are_refused() {
    let axes = |values: &str| format!("[matrix]\n\"load.clients\" = [{values}]\n\n[expect]");
    refused(&[("[expect]", &axes("\"1\", \"2\", \"1\""))], &["error: it/tiny.toml:28: ", "'1'", "twice"]);
}

#[test]
fn a_selection_must_select_something() {
    let place = Place::with_tiny(&[]);
    place.run_tiny(&["-f", "it/tyni"]).refuses(2, &["no case is selected", "'it/tiny'", "poolbench list"]);
    place.run_tiny(&["-F", "."]).refuses(2, &["no case is selected (1 exist"]);
    place.run_tiny(&["-f", "("]).refuses(2, &["error: -f: '('", "regular expression"]);
    place.run_tiny(&["-s", "store.kid=sqlite"]).refuses(2, &["error: -s: ", "'store.kid'", "'store.kind'"]);
    place.run_tiny(&["-s", "store.kind"]).refuses(2, &["'store.kind' has no '='", "KEY=VALUE"]);
    place.run_tiny(&["-s", "pool.affinity=strikt"]).refuses(2, &["error: -s: ", "'strikt'", "strict"]);
}

#[test]
fn a_plan_has_a_limit() {
    let place = Place::new();
    place.poolbench(&["run", "--plan", "--max-cases", "3"]).refuses(2, &["cases (expected at most 3)", "[matrix]"]);
    let many: Vec<String> = (1..=90).map(|n| format!("\"{n}\"")).collect();
    let axes = format!("[matrix]\n\"load.clients\" = [{0}]\n\"session.keep\" = [{0}]\n\n[expect]", many.join(", "));
    refused(&[("[expect]", &axes)], &["the plan has 8100 cases (expected at most 500)"]);
}

#[test]
fn directories_that_are_not_what_they_should_be() {
    let place = Place::with_tiny(&[]);
    place.poolbench(&["run", "--plan", "--scenarios", "nowhere"]).refuses(2, &["cannot read scenarios from 'nowhere'", "GROUP/NAME.toml"]);
    place.poolbench(&["list", "--scenarios", "scenarios/it"]).refuses(2, &["'scenarios/it' holds no GROUP/NAME.toml"]);
    place.poolbench(&["report", "nowhere"]).refuses(2, &["'nowhere' is not a run", "poolbench run"]);
    let resume = ["run", "--allow-debug", "--continue", "nowhere"];
    place.poolbench(&resume).refuses(2, &["'nowhere' is not a run"]);
    assert!(!place.path("nowhere").exists());
    place.write("full/notes.txt", "mine");
    place.run_tiny(&["--quiet"]).ends(0);
    for (out, next) in [("full", "--out"), ("run", "poolbench run --continue run")] {
        let args = ["run", "--allow-debug", "--scenarios", "scenarios", "--out", out];
        place.poolbench(&args).refuses(2, &[&format!("'{out}' is not empty"), next]);
    }
    assert_eq!(crate::support::files(&place.path("full")), ["notes.txt"], "what was there is untouched");
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_of_the_system() {
    let place = Place::with_tiny(&[]);
    place.write("file", "");
    for out in ["file", "file/below", "/proc/poolbench"] {
        let args = ["run", "--allow-debug", "--scenarios", "scenarios", "--out", out];
        place.poolbench(&args).refuses(1, &[&format!("'{out}"), "--out"]);
    }
    place.run_tiny(&["--quiet"]).ends(0);
    place.poolbench(&["report", "run", "--out", "file/below"]).refuses(1, &["'file/below", "--out"]);
}

/// Runs with every file limited to some KiB, as a full disk would end it: SIGXFSZ ignored, a longer write fails.
fn on_a_full_disk(place: &Place, blocks: u32, args: &[&str]) -> Ran {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    Ran::from(place.command("sh", &[&["-c", &script, PROGRAM], args].concat()).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_full_disk_ends_the_run_and_keeps_what_was_whole() {
    let place = Place::with_tiny(&[]);
    let args = ["run", "--allow-debug", "--scenarios", "scenarios", "--out", "run", "--rounds", "12"];
    // Blocks of 512 or 1024 bytes, as the shell has it: room for two to five records.
    let ran = on_a_full_disk(&place, 24, &args).refuses(1, &["cannot write a record to 'run/records.jsonl'", "free space"]);
    assert!(ran.err.contains("poolbench run --continue run"), "the next command is named\n{}", ran.err);
    let text = place.read("run/records.jsonl");
    let whole = text.matches('\n').count();
    assert!(whole >= 1 && !text.ends_with('\n'), "some whole records and a torn one: {whole}");
    let partly = place.poolbench(&["report", "run", "--out", "partly"]).ends(0);
    assert!(partly.err.is_empty() && place.json("partly/report.json")["ran"]["trials_measured"] == whole, "{whole}");
    place.poolbench(&["run", "--allow-debug", "--continue", "run"]).ends(0);
    let rounds: Vec<_> = place.records("run").iter().map(|r| r["round"].as_u64().unwrap()).collect();
    assert_eq!(rounds, (0..12).collect::<Vec<_>>(), "each round is there once");
    place.nobody_left(crate::support::PATIENCE);
}

/// The same where the disk itself is full: no room for a record, then none for anything.
#[test]
fn a_run_on_a_small_filesystem_says_so_and_keeps_what_was_whole() {
    if !crate::support::may_mount("a run on a small filesystem that fills up") {
        return;
    }
    for (size, says) in [("40k", "cannot write a record to 'disk/run/records.jsonl'"), ("4k", "cannot write 'disk/run/")] {
        let place = Place::with_tiny(&[]);
        place.write("disk/readme", "");
        let script = format!(
            "mount -t tmpfs -o size={size} none disk || exit 99
            \"$0\" run --allow-debug --scenarios scenarios --out disk/run --rounds 40; code=$?
            cp -r disk/run kept; exit $code"
        );
        let ran = place.command("unshare", &["-rm", "sh", "-c", &script, PROGRAM]).output().unwrap();
        Ran::from(ran).refuses(1, &[says, "free space"]);
        place.nobody_left(crate::support::PATIENCE);
        let records = std::fs::read_to_string(place.path("kept/records.jsonl")).unwrap_or_default();
        if size == "40k" {
            let whole = records.matches('\n').count();
            assert!(whole >= 1, "some records were whole");
            place.poolbench(&["report", "kept", "--out", "partly"]).ends(0);
            assert_eq!(place.json("partly/report.json")["ran"]["trials_measured"], whole);
        } else {
            assert_eq!(records, "", "nothing that looks like a result");
        }
    }
}

#[test]
fn a_disk_full_from_the_start_is_said() {
    let place = Place::with_tiny(&[]);
    on_a_full_disk(&place, 1, &["run", "--allow-debug", "--scenarios", "scenarios", "--out", "run"])
        .refuses(1, &["cannot write 'run/plan.json'", "free space"]);
}

#[test]
fn damaged_runs_are_named_by_line_and_torn_ones_read() {
    let place = Place::with_tiny(&[]);
    place.run_tiny(&["--quiet", "--rounds", "3"]).ends(0);
    let good = place.read("run/records.jsonl");
    let lines: Vec<&str> = good.lines().collect();
    let report = || place.poolbench(&["report", "run", "--out", "again"]);

    place.write("run/records.jsonl", &format!("{good}{}", &lines[0][..lines[0].len() / 2]));
    report().ends(0);
    assert_eq!(place.read("again/report.md"), place.read("run/report.md"), "a torn last line is no record");

    for bad in ["{\"schema\":1}", "not json", &lines[1].replace("\"round\":1", "\"round\":-1"), &lines[1].replace("\"seed\"", "\"sead\"")] {
        place.write("run/records.jsonl", &format!("{}\n{bad}\n{}\n", lines[0], lines[2]));
        report().refuses(2, &["'run' is not a run that can be read: records.jsonl:2: "]);
        place.poolbench(&["run", "--allow-debug", "--continue", "run"]).refuses(2, &["records.jsonl:2: "]);
    }
    place.write("run/records.jsonl", &good.replacen("{\"schema\":1", "{\"schema\":99", 1));
    report().refuses(2, &["records.jsonl:1: ", "schema 99", "schema 1"]);
    place.write("run/records.jsonl", &good);

    for (file, is) in [("plan.json", place.read("run/plan.json")), ("run.json", place.read("run/run.json"))] {
        place.write(&format!("run/{file}"), &is.replacen("\"schema\": 1", "\"schema\": 99", 1));
        report().refuses(2, &[file, "schema 99", "schema 1"]);
        place.write(&format!("run/{file}"), "{");
        report().refuses(2, &[file]);
        std::fs::remove_file(place.path(&format!("run/{file}"))).unwrap();
        report().refuses(2, &[file]);
        place.write(&format!("run/{file}"), &is);
    }
    report().ends(0);
}
