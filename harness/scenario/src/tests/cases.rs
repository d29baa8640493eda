//! What a good file becomes.

use model::plan::Size;
use model::units::Rate;

use super::*;

#[test]
fn a_file_becomes_a_case_with_canonical_values_and_their_places() {
    let text = GOOD.replace("max = 2 }", "max = 2, limit = \"1.5ms\" }\nqueue-bytes = \"2KiB\"\nstateful = false");
    let plan = plan(&text);
    let case = &plan.cases[0];
    assert_eq!((case.id.as_str(), case.scenario.as_str(), case.rounds), ("a/b", "a/b", 5));
    let settings: Vec<(&str, &str, String)> = case.settings.iter().map(|(k, v)| (k.as_str(), v.value.as_str(), v.place())).collect();
    assert_eq!(
        settings,
        [
            ("pool.hot.limit", "1500000", "a/b.toml:12".to_owned()),
            ("pool.hot.max", "2", "a/b.toml:12".to_owned()),
            ("pool.hot.worker", "process", "a/b.toml:12".to_owned()),
            ("pool.queue-bytes", "2048", "a/b.toml:13".to_owned()),
            ("pool.stateful", "false", "a/b.toml:14".to_owned()),
            ("pool.tools.echo.tier", "hot", "a/b.toml:16".to_owned()),
        ]
    );
    assert_eq!(case.load.rate, Some(Rate::PerSecond(800.0)));
    assert!(case.load.arrivals.with.is_empty(), "the rate has a field of its own");
    // Eight shared slots by default.
    assert_eq!((case.load.clients, case.load.warmup_ns, case.load.length_ns), (16, 500_000_000, 1_000_000_000));
    assert_eq!(case.timeout_ns, 35_000_000_000);
    assert_eq!((case.load.sessions, case.load.accept.as_str()), (0, "identity"));
    let mix = &case.load.mix[0];
    assert_eq!((mix.share, mix.payload_bytes, mix.deadline_ns), (1.0, 1024, None));
    assert_eq!((mix.service.value.as_str(), mix.work.value.as_str()), ("constant 0ns", "sleep"));
    // Two hot slots as given, three warm and two cold ones by default.
    let tiered = super::plan(&text.replace("stateful = false", "stateful = false\ndispatch = \"tiered\""));
    assert_eq!(tiered.cases[0].load.clients, 14);
}

#[test]
fn the_same_text_gives_the_same_plan_whatever_the_order_of_files() {
    let (a, b) = (source("a/b.toml", GOOD), source("a/c.toml", GOOD));
    let selection = Selection::default();
    assert_eq!(plan_of(&[a.clone(), b.clone()], &selection), plan_of(&[b, a], &selection));
}

#[test]
fn axes_multiply_in_file_order_and_name_the_cases() {
    let text = format!(
        "{GOOD}[matrix]\n\"store.kind\" = [\"none\", \"sqlite\"]\n\"load.accept\" = [\"zstd, gzip;q=0.5\", \"gzip\"]\n\"pool.hot.max\" = [1, 2]\n\"pool.warm.max\" = [0]\n"
    );
    let plan = plan(&text);
    let ids: Vec<&str> = plan.cases.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids.len(), 8);
    assert_eq!(ids[0], "a/b?kind=none&accept=zstd,gzip,q-0.5&hot.max=1&warm.max=0");
    assert_eq!(ids[1], "a/b?kind=none&accept=zstd,gzip,q-0.5&hot.max=2&warm.max=0");
    assert_eq!(ids[7], "a/b?kind=sqlite&accept=gzip&hot.max=2&warm.max=0");
    assert_eq!(plan.cases[0].load.accept, "zstd, gzip;q=0.5");
    assert_eq!(plan.cases[7].settings["pool.hot.max"].value, "2");
    assert_eq!(plan.cases[0].axes[1], ("accept".to_owned(), "zstd, gzip;q=0.5".to_owned()));
    let keys: Vec<&str> = plan.scenarios[0].axes.iter().map(|a| a.key.as_str()).collect();
    assert_eq!(keys, ["store.kind", "load.accept", "pool.hot.max", "pool.warm.max"]);
}

#[test]
fn axes_reach_every_entry_of_the_mix_and_the_arrivals() {
    let mix = "[[load.mix]]\ntool = \"echo\"\nshare = 0.5\npayload = { shape = \"prose\", size = \"1KiB\" }\n";
    let text = GOOD.replace("[[load.mix]]\n", &format!("{mix}[[load.mix]]\nshare = \"50%\"\n"));
    let text = format!(
        "{text}[matrix]\n\"load.payload.size\" = [\"1B\", \"2KiB\"]\n\"load.arrivals.rate\" = [\"5/s\", \"90% of capacity\"]\n\"load.service\" = [\"constant 1ms\"]\n"
    );
    let plan = plan(&text);
    let last = &plan.cases[3];
    assert_eq!(last.id, "a/b?size=2KiB&rate=90%-of-capacity&service=constant-1ms");
    assert_eq!(last.load.rate, Some(Rate::OfCapacity(0.9)));
    assert!(last.load.mix.iter().all(|m| m.payload_bytes == 2048 && m.service.value == "constant 1ms"));
}

#[test]
fn sizes_and_rounds_follow_the_options() {
    let text = GOOD.replace("length = \"1s\"", "length = { smoke = \"0.1s\", full = \"4s\" }\nrounds = { smoke = 2, full = 9 }");
    let of = |size, rounds| {
        let options = Options { size, rounds, ..options() };
        let plan = expand(&[source("a/b.toml", &text)], &catalogue(), &kinds(), &Selection::default(), &options).unwrap();
        (plan.cases[0].load.length_ns / 1_000_000, plan.cases[0].rounds)
    };
    assert_eq!(of(Size::Smoke, None), (100, 2));
    assert_eq!(of(Size::Full, None), (4000, 9));
    assert_eq!(of(Size::Full, Some(1)), (4000, 1));
}

#[test]
fn a_closed_loop_has_clients_and_no_rate() {
    let plan = plan(&GOOD.replace("kind = \"poisson\", rate = \"800/s\"", "kind = \"closed\", clients = 3"));
    assert_eq!((plan.cases[0].load.rate, plan.cases[0].load.clients), (None, 3));
}

#[test]
fn expectations_become_bounds() {
    let text = format!(
        "{GOOD}[expect]\noutcomes = {{ ok = \"100%\", shed = \">= 1%, <= 20%\", failed = 0 }}\ndeaths = \">= 5\"\naccuracy = \"<= 99%\"\nserved = {{ hot = \"<= 7\" }}\ndigest = \"input\"\nsessions = \"consistent\"\n"
    );
    let plan = plan(&text);
    let seen: Vec<(&str, Option<f64>, Option<f64>, bool)> =
        plan.cases[0].expect.iter().map(|e| (e.figure.as_str(), e.at_least, e.at_most, e.share)).collect();
    assert_eq!(
        seen,
        [
            ("outcomes.ok", Some(1.0), Some(1.0), true),
            ("outcomes.shed", Some(0.01), Some(0.2), true),
            ("outcomes.failed", Some(0.0), Some(0.0), false),
            ("deaths", Some(5.0), None, false),
            ("accuracy", None, Some(0.99), true),
            ("served.hot", None, Some(7.0), false),
            ("digest", None, None, false),
            ("sessions", None, None, false),
        ]
    );
}

#[test]
fn an_expectation_may_differ_by_size() {
    let text = format!("{GOOD}[expect]\nfaults = {{ smoke = \">= 5\", full = \">= 2000\" }}\n\"faults.kill\" = \">= 1\"\n");
    let of = |size| {
        let options = Options { size, ..options() };
        let plan = expand(&[source("a/b.toml", &text)], &catalogue(), &kinds(), &Selection::default(), &options).unwrap();
        plan.cases[0].expect.iter().map(|e| (e.figure.clone(), e.at_least)).collect::<Vec<_>>()
    };
    assert_eq!(of(Size::Smoke), [("faults".to_owned(), Some(5.0)), ("faults.kill".to_owned(), Some(1.0))]);
    assert_eq!(of(Size::Full)[0].1, Some(2000.0));
}

#[test]
fn faults_keep_their_parameters_for_their_owner() {
    let plan = plan(&format!("{GOOD}[[faults]]\nkind = \"stall\"\nslot = 0\nat = \"1s\"\nfor = \"1s\"\n"));
    let fault = &plan.cases[0].faults[0];
    assert_eq!((fault.kind.value.as_str(), fault.kind.line, fault.with["for"].value.as_str()), ("stall", 16, "1s"));
}

#[test]
fn a_setting_may_be_none_where_that_means_absent() {
    let plan = plan(&GOOD.replace("[pool]\n", "[pool]\ndeadline = \"none\"\n"));
    assert_eq!(plan.cases[0].settings["pool.deadline"].value, "none");
}

/// Two variants, one of them for virtual time alone.
const VARIANTS: &str = r#"[variants.one]
pool = { hot = { max = 3 }, queue-len = 7 }
[variants.two]
only = "virtual"
"load.work" = "spin"
[matrix]
"variant" = ["one", "two"]
"load.accept" = ["gzip", "zstd"]
"#;

fn variants(virtual_time: bool, set: &[(&str, &str)]) -> Plan {
    let set = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let selection = Selection { set, ..Selection::default() };
    let options = Options { virtual_time, ..options() };
    expand(&[source("a/b.toml", &format!("{GOOD}{VARIANTS}"))], &catalogue(), &kinds(), &selection, &options).unwrap()
}

#[test]
fn a_variant_sets_several_values_under_one_name() {
    let plan = variants(true, &[]);
    let ids: Vec<&str> = plan.cases.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(
        ids,
        ["a/b?variant=one&accept=gzip", "a/b?variant=one&accept=zstd", "a/b?variant=two&accept=gzip", "a/b?variant=two&accept=zstd"]
    );
    let of = |at: usize, key: &str| plan.cases[at].settings.get(key).map(|v| v.value.clone());
    assert_eq!((of(0, "pool.hot.max").as_deref(), of(0, "pool.queue-len").as_deref()), (Some("3"), Some("7")));
    assert_eq!((of(2, "pool.hot.max").as_deref(), of(2, "pool.queue-len")), (Some("2"), None));
    assert_eq!((plan.cases[0].load.mix[0].work.value.as_str(), plan.cases[2].load.mix[0].work.value.as_str()), ("sleep", "spin"));
    assert!(plan.virtual_time && plan.left_out.is_empty());
}

#[test]
fn a_live_run_leaves_virtual_variants_out_and_says_so() {
    let plan = variants(false, &[]);
    assert_eq!((plan.cases.len(), plan.scenarios[0].axes[0].values.as_slice()), (2, ["one".to_owned()].as_slice()));
    assert_eq!(plan.left_out, ["a/b?variant=two is left out: it exists only in virtual time"]);
}

#[test]
fn what_is_typed_outranks_a_variant() {
    let plan = variants(true, &[("pool.hot.max", "9"), ("variant", "one")]);
    assert_eq!(plan.cases.len(), 2);
    assert!(plan.cases.iter().all(|c| c.settings["pool.hot.max"].value == "9" && c.settings["pool.queue-len"].value == "7"));
}

#[test]
fn a_time_scale_keeps_the_proportions_of_load_and_policies() {
    let text = GOOD
        .replace("length = \"1s\"", "length = \"100s\"\nwarmup = \"10s\"\ntime-scale = 0.05")
        .replace("size = \"1KiB\" }", "size = \"1KiB\" }\nservice = \"lognormal 20ms 0.4\"\ndeadline = \"2s\"")
        .replace("max = 2 }", "max = 2, limit = \"60ms\" }")
        + "[[faults]]\nkind = \"kill\"\ntarget = \"busy\"\nat = \"20s\"\nevery = \"10%\"\ncount = 2\n";
    let plan = plan(&text);
    let case = &plan.cases[0];
    assert_eq!((case.load.warmup_ns, case.load.length_ns, case.load.time_scale), (500_000_000, 5_000_000_000, Some(0.05)));
    assert_eq!(case.load.rate, Some(Rate::PerSecond(16_000.0)));
    let mix = &case.load.mix[0];
    assert_eq!((mix.service.value.as_str(), mix.deadline_ns), ("lognormal 1000000ns 0.4", Some(100_000_000)));
    let of = |key: &str| case.settings.get(key).map(|v| v.value.as_str());
    assert_eq!((of("pool.hot.limit"), of("pool.warm.limit")), (Some("3000000"), Some("35000000")), "defaults too");
    assert_eq!((of("pool.backoff"), of("pool.deadline")), (None, None), "no process gets faster, and nothing stays none");
    let with = &case.faults[0].with;
    assert_eq!((with["at"].value.as_str(), with["every"].value.as_str()), ("1000000000ns", "10%"));
}
