//! `recommend`: a small run, its crashes, the choice, the confirmation, and what is refused.

use std::fs;

use serde_json::Value;

use crate::support::{Place, TINY};

const DEBUG: [&str; 4] = ["--allow-debug", "--rounds", "3", "-q"];

/// A run of three file stores and four codecs.
fn measured() -> Place {
    let place = Place::new();
    let stores = TINY.replace("target = \"pool\"", "target = \"store\"").replace("[pool]\n", "[store]\nkind = \"files\"\n\n[pool]\n");
    let stores = stores.replace("clients = 2 }", "clients = 2 }\nsessions = { count = 4, popularity = \"uniform\" }");
    let stores = stores.replace(
        "[expect]",
        "[variants.safe]\nstore = { files = { write = \"rename\", sync = \"file-and-dir\" } }\n\n\
         [variants.unsafe]\nstore = { files = { write = \"truncate\", sync = \"none\" } }\n\n\
         [matrix]\n\"variant\" = [\"safe\", \"unsafe\"]\n\"store.files.api\" = [\"std\", \"tokio\"]\n\n[expect]",
    );
    place.write("scenarios/io/tiny.toml", &stores);
    let codecs = r#"what   = "Codecs"
why    = "Tests of the program drive it"
guards = ["cpu-per-request"]
target = "contender"
profile = false

[load]
arrivals = { kind = "closed", clients = 1 }
warmup   = "1ms"
length   = "20ms"
rounds   = 1

[[load.mix]]
tool    = "compress"
payload = { shape = "agent-session", size = "1KiB" }

[contender]
job       = "compress"
documents = 128

[matrix]
"contender.way" = ["gzip-6", "gzip-6-again", "zstd-3", "zstd-3-dict-16k"]
"#;
    place.write("scenarios/compression/tiny.toml", codecs);
    place.run_tiny(&["-q", "--rounds", "3"]).succeeds();
    place
}

/// The settings block, which has to be what a server's file and a scenario may hold.
fn accepted(place: &Place, block: &str) {
    let uncommented = block.replace("# ", "");
    for (name, text) in [("as.toml", block), ("all.toml", &uncommented)] {
        let served = place.poolbench(&["serve", "--example"]).ends(0).out.replacen("[server]\n", "[server]\ndata = \"kept\"\n", 1);
        place.write(name, &format!("{served}\n{text}"));
        place.poolbench(&["serve", "--check", "--config", name]).ends(0);
        let scenario = TINY.replace("[expect]", &format!("{text}\n[expect]"));
        place.write(&format!("{name}.d/it/tiny.toml"), &scenario);
        place.poolbench(&["run", "--plan", "--scenarios", &format!("{name}.d")]).ends(0);
    }
    pasted(place, &uncommented);
}

/// The settings block in the scenario of a user: it must run, and on what was recommended.
fn pasted(place: &Place, block: &str) {
    let stores = TINY.replace("target = \"pool\"", "target = \"coordinator\"");
    let stores = stores.replace("clients = 2 }", "clients = 2 }\nsessions = { count = 4, popularity = \"uniform\" }");
    let kind = if block.contains("kind = ") { block.to_owned() } else { block.replacen("[store]\n", "[store]\nkind = \"files\"\n", 1) };
    place.write("pasted/it/tiny.toml", &stores.replace("[expect]", &format!("{kind}\n[expect]\nsessions      = \"consistent\"")));
    place.poolbench(&["run", "--allow-debug", "--scenarios", "pasted", "--out", "pasted-run", "-q"]).succeeds();
    let plan: Value = serde_json::from_str(&place.read("pasted-run/plan.json")).unwrap();
    let set = |key: &str| plan["cases"][0]["settings"][key]["value"].as_str().unwrap_or_else(|| panic!("no {key} in {plan}")).to_owned();
    assert_eq!((set("store.files.write").as_str(), set("store.files.sync").as_str()), ("rename", "file-and-dir"));
    assert_eq!((set("store.compress").as_str(), set("store.dictionary-size").as_str()), ("zstd", "16384"));
}

#[test]
fn the_best_durable_settings_are_named_confirmed_and_accepted_by_our_parsers() {
    let place = measured();
    place.poolbench(&["recommend", "run", "--no-confirm"]).refuses(2, &["what a crash costs", "poolbench durability --into run"]);
    let any = place.poolbench(&["recommend", "run", "--no-confirm", "--durable", "none"]).ends(0);
    assert!(any.out.contains("| not measured |") && !any.out.contains("## Confirmation"), "{}", any.out);
    let filter = "durability/files.*(truncate&sync=none|rename&sync=file-and-dir)";
    place.poolbench(&["durability", "--into", "run", "-f", filter, "--kills", "2", "--states", "320", "-q"]).ends(0);
    let report = fs::read_to_string(place.path("run/report.md")).unwrap();
    assert!(report.contains("## Recommendation") && report.contains("excluded: unsafe after power loss"), "{report}");

    let said = place.poolbench(&[["recommend", "run", "--json"].as_slice(), &DEBUG].concat()).ends(0);
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let decisions = said["advice"]["decisions"].as_array().unwrap();
    assert_eq!(decisions.iter().map(|d| d["contest"]["part"].as_str().unwrap()).collect::<Vec<_>>(), ["store", "responses", "rest"]);
    let pick = &decisions[0]["contest"]["candidates"][decisions[0]["pick"].as_u64().unwrap() as usize];
    assert_eq!((pick["class"].as_str(), pick["settings"]["store.files.sync"].as_str()), (Some("durable"), Some("file-and-dir")), "{said}");
    let figures = said["confirmed"]["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 6, "two figures of each part: {said}");
    for figure in figures {
        let number = |of: &str| figure[of]["value"].as_f64().unwrap_or_else(|| panic!("no {of} in {figure}"));
        assert_eq!((&figure["measured"]["rounds"], &figure["predicted"]["rounds"]), (&3.into(), &3.into()), "{figure}");
        assert!((number("predicted") / number("measured") - 1.0 - number("error")).abs() < 1e-9, "{figure}");
        assert!(figure["error"]["holds"].is_boolean(), "two intervals say: {figure}");
    }
    // Sizes have no noise, and documents of another seed are of the same kind.
    let size = figures.iter().find(|f| f["part"] == "rest" && f["measure"] == "size").unwrap();
    assert!(size["measured"]["value"].as_f64().unwrap() < 0.9 && size["error"]["value"].as_f64().unwrap().abs() < 0.2, "{size}");
    let block = said["settings"].as_str().unwrap();
    assert!(
        block.contains("files.sync = \"file-and-dir\"") && block.contains("# dictionary-size = \"16384B\"") && block.contains("[compress]")
    );
    accepted(&place, block);

    place.write("given.txt", &"a payload of somebody's own ".repeat(40));
    let own = place.poolbench(&[["recommend", "run", "--payload", "given.txt"].as_slice(), &DEBUG].concat()).ends(0);
    assert!(own.out.contains(" of `given.txt` (") && own.out.contains("## Confirmation"), "{}", own.out);
    let root = place.path("given.txt").display().to_string();
    assert!(root.starts_with('/'));
    let absolute = place.poolbench(&[["recommend", "run", "--payload", &root].as_slice(), &DEBUG].concat()).ends(0);
    assert!(absolute.out.contains(" of `given.txt` (") && !absolute.out.contains(root.trim_end_matches("given.txt")), "{}", absolute.out);
    let hidden = fs::read_dir(place.path("run")).unwrap().flatten().any(|e| e.file_name().to_string_lossy().starts_with(".confirm"));
    assert!(!hidden, "the directory of the confirmation is gone");
}

#[test]
fn what_cannot_be_recommended_is_refused_with_a_remedy() {
    let place = measured();
    let recommend = |more: &[&str]| place.poolbench(&[["recommend", "run", "--durable", "none"].as_slice(), more].concat());
    recommend(&["--no-confirm", "--p99", "1ns"]).refuses(2, &["--p99 1 ns excludes all", "session store"]);
    recommend(&["--no-confirm", "--p99", "soon"]).refuses(2, &["'soon' is not a duration"]);
    place.poolbench(&["recommend", "run", "--durable", "kill", "--no-confirm"]).refuses(2, &["what a crash costs", "--durable none"]);
    recommend(&[]).refuses(2, &["debug build", "--no-confirm"]);
    recommend(&["--no-confirm", "--payload", "nowhere"]).refuses(2, &["--payload: 'nowhere' cannot be read"]);
    fs::write(place.path("large"), vec![b'a'; (1 << 20) + 1]).unwrap();
    recommend(&["--no-confirm", "--payload", "large"]).refuses(2, &["more than 1048576 bytes"]);
    fs::write(place.path("binary"), [0xff, 0xfe]).unwrap();
    recommend(&["--no-confirm", "--payload", "binary"]).refuses(2, &["no UTF-8"]);
    place.write("empty", "");
    recommend(&["--no-confirm", "--payload", "empty"]).refuses(2, &["is empty"]);
    place.poolbench(&["recommend", "nowhere", "--no-confirm"]).refuses(2, &["is not a run"]);
    let plan = place.read("run/plan.json");
    place.write("run/plan.json", &plan.replacen("\"seed\"", "\"virtual_time\": true,\n  \"seed\"", 1));
    recommend(&["--no-confirm"]).refuses(2, &["virtual time", "without --virtual"]);

    let other = Place::with_tiny(&[]);
    other.run_tiny(&["-q"]).succeeds();
    other.poolbench(&["recommend", "run", "--no-confirm"]).refuses(2, &["no two settings", "poolbench run -f"]);
}
