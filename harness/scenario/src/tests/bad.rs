//! Everything that is refused, with the very words.

use super::*;

/// Replaces `from` in the good file and returns all problems as printed.
fn after(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    said(&GOOD.replacen(from, to, 1))
}

fn said(text: &str) -> Vec<String> {
    let found = plan_of(&[source("a/b.toml", text)], &Selection::default()).expect_err("it is refused");
    found.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    assert_eq!(after(from, to).join("\n"), expected);
}

const END: &str = "echo = { tier = \"hot\" }\n";

/// Appends to the good file.
#[track_caller]
fn append(text: &str, expected: &str) {
    check(END, &format!("{END}{text}"), expected);
}

#[test]
fn unknown_keys_name_the_nearest_word() {
    check(
        "length",
        "lenght",
        "a/b.toml:5: 'load.length' is missing (expected such as { smoke = \"0.5s\", full = \"5s\" })\n\
         a/b.toml:7: unknown key 'load.lenght' (did you mean 'length'? expected one of arrivals, clients, warmup, length, rounds, timeout, time-scale, accept, sessions, mix)",
    );
    check("target", "matrx = 1\ntarget", "a/b.toml:4: unknown key 'matrx' (did you mean 'matrix'?)");
    check(
        "size = ",
        "siez = 1, size = ",
        "a/b.toml:10: unknown key 'load.mix.payload.siez' (did you mean 'size'? expected one of shape, size)",
    );
    check("max = 2", "mx = 2", "a/b.toml:12: unknown setting 'pool.hot.mx' (did you mean 'pool.hot.max'?)");
    append(
        "[store.sqlite]\njornal-mode = \"wal\"\n",
        "a/b.toml:16: unknown setting 'store.sqlite.jornal-mode' (did you mean 'store.sqlite.journal-mode'?)",
    );
    check("tier = ", "teir = ", "a/b.toml:14: unknown setting 'pool.tools.echo.teir' (did you mean 'pool.tools.echo.tier'?)");
    check(
        "hot = { worker = \"process\", max = 2 }",
        "hot = 2",
        "a/b.toml:12: 'pool.hot' is a table of settings (expected a table, such as { … })",
    );
    append("[matrix]\n\"pool.afinity\" = [\"soft\"]\n", "a/b.toml:16: unknown axis 'pool.afinity' (did you mean 'pool.affinity'?)");
    append("[matrix]\n\"load.servce\" = [\"x\"]\n", "a/b.toml:16: unknown axis 'load.servce' (did you mean 'load.service'?)");
}

#[test]
fn unknown_kinds_name_the_nearest_word() {
    check(
        "target = \"pool\"",
        "target = \"pol\"",
        "a/b.toml:4: unknown target 'pol' (did you mean 'pool'? expected one of coordinator, pool, store, codec, channel, pipe, contender)",
    );
    check(
        "poisson",
        "poison",
        "a/b.toml:6: unknown arrival process 'poison' (did you mean 'poisson'? expected one of constant, poisson, ramp, stages, burst, sine, trace, closed)",
    );
    check(
        "\"prose\"",
        "\"pros\"",
        "a/b.toml:10: unknown payload shape 'pros' (did you mean 'prose'? expected one of agent-session, json-records, prose, random, mdn-compat)",
    );
    check("\"process\"", "\"thread\"", "a/b.toml:12: unknown worker kind 'thread' (expected one of simulated, function, process)");
    check("tool = ", "work = \"spinn\"\ntool = ", "a/b.toml:9: unknown work 'spinn' (did you mean 'spin'? expected one of sleep, spin)");
    check(
        "\"hot\"",
        "\"hat\"",
        "a/b.toml:14: pool.tools.echo.tier: unknown choice 'hat' (did you mean 'hot'? expected one of hot, warm, cold)",
    );
    append("[[faults]]\nkind = \"kil\"\n", "a/b.toml:16: unknown fault 'kil' (did you mean 'kill'?)");
    append(
        "[[faults]]\nkind = \"stall\"\nslots = 1\n",
        "a/b.toml:17: 'stall' has no parameter 'slots' (did you mean 'slot'? expected one of slot, for, at, every, count)",
    );
    append("[[faults]]\nat = \"1s\"\n", "a/b.toml:15: a fault lacks 'kind' (expected such as kind = \"kill\")");
    check("rate = \"800/s\"", "rate = \"800/s\", on = \"1s\"", "a/b.toml:6: 'poisson' has no parameter 'on' (expected one of rate)");
    check(
        "echo = {",
        "ecko = {",
        "a/b.toml:14: pool.tools.ecko.tier: no request calls the tool 'ecko' (did you mean 'echo'? expected one of echo)",
    );
}

#[test]
fn quantities_need_units_and_sense() {
    let rate = |text: &str| {
        format!(
            "a/b.toml:6: load.arrivals.rate: '{text}' is not a rate (expected such as '800/s', '2k/s' or '60% of capacity', above zero)"
        )
    };
    for text in ["800", "-1/s", "0/s", "0% of capacity", "nan/s", "60%"] {
        check("800/s", text, &rate(text));
    }
    let units = "(expected a number and one of ns, us, ms, s, m, h, such as '500ms')";
    check("\"1s\"", "1", &format!("a/b.toml:7: load.length: '1' is not a duration {units}"));
    check("\"1s\"", "\"-1s\"", &format!("a/b.toml:7: load.length: '-1s' is not a duration {units}"));
    check("\"1s\"", "\"0s\"", "a/b.toml:7: load.length: '0s' is out of range (expected above zero and at most 1h)");
    check("\"1s\"", "\"2h\"", "a/b.toml:7: load.length: '2h' is out of range (expected above zero and at most 1h)");
    check(
        "\"1KiB\"",
        "1024",
        "a/b.toml:10: load.mix.payload.size: '1024' is not a size (expected a number and one of B, KiB, MiB, GiB, such as '64KiB')",
    );
    check("\"1KiB\"", "\"0B\"", "a/b.toml:10: load.mix.payload.size: '0B' is out of range (expected 1B to 64MiB)");
    check("[pool]", "[pool]\ndeadline = 5", &format!("a/b.toml:12: pool.deadline: '5' is not a duration {units}"));
    check("max = 2", "max = 2000", "a/b.toml:12: pool.hot.max: 2000 is out of range (expected an integer from 0 to 1024)");
    check("max = 2", "max = 2.5", "a/b.toml:12: pool.hot.max: '2.5' is not an integer (expected an integer from 0 to 1024)");
    check("[pool]", "[pool]\nstateful = 1", "a/b.toml:12: pool.stateful: '1' is not a boolean (expected true or false)");
    check("length = ", "rounds = 0\nlength = ", "a/b.toml:7: load.rounds: '0' is not an integer from 1 to 1000");
    check("length = ", "clients = -3\nlength = ", "a/b.toml:7: load.clients: '-3' is not an integer from 1 to 10000");
    check(
        "800/s",
        "20k/s\" }\nwarmup = \"30m\" #",
        "a/b.toml:6: 36020000 requests in a trial (expected at most 2000000: lower the rate or the length)",
    );
}

#[test]
fn the_mix_adds_up() {
    let share = |text: &str| format!("a/b.toml:9: load.mix.share: '{text}' is out of range (expected above 0 and at most 1)");
    check("tool = ", "share = 0\ntool = ", &share("0"));
    check("tool = ", "share = \"120%\"\ntool = ", &share("120%"));
    check("tool = ", "share = -0.5\ntool = ", "a/b.toml:9: load.mix.share: '-0.5' is not a share (expected such as '90%' or 0.9)");
    check("tool = ", "share = 0.5\ntool = ", "a/b.toml:8: the shares of the mix sum to 0.5 (expected 1)");
    check("tool = \"echo\"\n", "", "a/b.toml:8: 'load.mix.tool' is missing (expected the name of a tool)");
    append(
        "[[load.mix]]\ntool = \"Echo 1\"\nshare = 1\npayload = { shape = \"prose\", size = \"1B\" }\n",
        "a/b.toml:8: 'load.mix.share' is missing (expected such as 0.9 or '90%')\n\
         a/b.toml:16: 'Echo 1' is not a tool's name (expected 1 to 64 of a-z, 0-9, - and _)",
    );
    check(
        "[[load.mix]]\ntool = \"echo\"\npayload = { shape = \"prose\", size = \"1KiB\" }\n",
        "",
        "a/b.toml:5: the mix is empty (expected at least one [[load.mix]] with tool and payload)",
    );
}

#[test]
fn what_is_missing_or_misplaced_is_said() {
    check("why = \"Why\"\n", "", "a/b.toml:1: 'why' is missing (expected a sentence for the reader of the report)");
    check("\"Why\"", "\" \"", "a/b.toml:2: 'why' is empty (expected a sentence)");
    check("[\"response.p99\"]", "[]", "a/b.toml:3: 'guards' is empty (expected a list such as [\"response.p99\"])");
    check("target = \"pool\"", "suite = \"no\"", "a/b.toml:4: 'no' for 'suite' is not a boolean (expected true or false)");
    check(", rate = \"800/s\"", "", "a/b.toml:6: 'load.arrivals.rate' is missing (expected such as '800/s' or '60% of capacity')");
    check("\"1s\"", "{ full = \"1s\" }", "a/b.toml:7: 'load.length' lacks a size (expected both smoke and full)");
    check("max = 2", "max = [1, 2]", "a/b.toml:12: 'pool.hot.max' is a list (expected one value; several values belong in [matrix])");
    check("[pool]", "[pool]\n\"hot.max\" = 1", "a/b.toml:13: setting 'pool.hot.max' is given twice (first at a/b.toml:12)");
    check("length = ", "sessions = 5\nlength = ", "a/b.toml:7: 'sessions' is a number or boolean (expected a table)");
    check(
        "length = ",
        "sessions = { popularity = \"zip 1\" }\nlength = ",
        "a/b.toml:7: unknown popularity 'zip 1' (expected 'uniform', 'zipf EXPONENT' such as 'zipf 1.1', or 'in-turn REQUESTS' such as 'in-turn 3')",
    );
}

#[test]
fn axes_that_cannot_be_are_refused() {
    append(
        "[matrix]\npool.affinity = [\"soft\"]\n",
        "a/b.toml:16: axis 'pool' is a table (expected a dotted path in quotes, such as \"pool.affinity\" = [...])",
    );
    append("[matrix]\n\"pool.affinity\" = \"soft\"\n", "a/b.toml:16: axis 'pool.affinity' is a string (expected a list of values)");
    append("[matrix]\n\"load.length\" = [\"1s\"]\n", "a/b.toml:16: 'load.length' cannot be an axis (the cases of a scenario share it)");
    append("[matrix]\n\"pool.affinity\" = []\n", "a/b.toml:16: axis 'pool.affinity' has 0 values (expected 1 to 100)");
    append("[matrix]\n\"pool.affinity\" = [[1]]\n", "a/b.toml:16: axis 'pool.affinity' holds a list (expected plain values)");
    append("[matrix]\n\"pool.hot.max\" = [1, 1]\n", "a/b.toml:16: axis 'pool.hot.max' has the value '1' twice (case ids must differ)");
    append(
        "[matrix]\n\"pool.hot.max\" = [1,\n 2,\n 2000]\n",
        "a/b.toml:18: pool.hot.max: 2000 is out of range (expected an integer from 0 to 1024)",
    );
    append(
        "[matrix]\n\"load.accept\" = [\"\"]\n",
        "a/b.toml:16: axis 'load.accept': the value has to be part of a name (expected 1 to 80 characters)",
    );
    let many: String = (0..13).map(|n| format!("\"pool.tools.t{n}.tier\" = [\"hot\"]\n")).collect();
    append(&format!("[matrix]\n{many}"), "a/b.toml:15: [matrix] has 13 axes (expected at most 12)");
    let numbers = (0..50).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    append(
        &format!("[matrix]\n\"pool.hot.max\" = [{numbers}]\n\"pool.warm.max\" = [{numbers}]\n\"pool.cold.max\" = [{numbers}]\n"),
        "a/b.toml:16: [matrix] has 125000 combinations (expected at most 100000; take values or axes away)",
    );
}

#[test]
fn expectations_that_cannot_be_are_refused() {
    append("[expect]\ndeath = 0\n", "a/b.toml:16: unknown figure 'death' (did you mean 'deaths'?)");
    append("[expect]\ndeaths = \"5%\"\n", "a/b.toml:16: expect deaths: '5%' is a share (expected a count such as '0' or '>= 5')");
    append("[expect]\naccuracy = 0.9\n", "a/b.toml:16: expect accuracy: '0.9' is not a share (expected such as '>= 90%')");
    append("[expect]\ndigest = \"output\"\n", "a/b.toml:16: expect digest: unknown word 'output' (expected 'input')");
    let bounds = "(expected such as '100%', '>= 90%', '<= 5%', '>= 1%, <= 20%', '0' or '>= 5')";
    append("[expect]\noutcomes.ok = \"all\"\n", &format!("a/b.toml:16: expect outcomes.ok: 'all' is not a bound {bounds}"));
    append("[expect]\noutcomes.ok = \"101%\"\n", &format!("a/b.toml:16: expect outcomes.ok: '101%' is not a bound {bounds}"));
    append("[expect]\noutcomes.ok = \"> 5\"\n", &format!("a/b.toml:16: expect outcomes.ok: '> 5' is not a bound {bounds}"));
    append(
        "[expect]\noutcomes.ok = \">= 9, <= 2\"\n",
        "a/b.toml:16: expect outcomes.ok: '>= 9, <= 2' holds for nothing (expected the lower bound below the upper one)",
    );
}

#[test]
fn files_that_are_no_scenarios_are_refused() {
    assert_eq!(said("what = \n")[0], "a/b.toml:1: not TOML: string values must be quoted, expected literal string");
    assert_eq!(
        said(&format!("{GOOD}#{}", "x".repeat(300_000))),
        [format!("a/b.toml: the file has {} bytes (expected at most 262144)", GOOD.len() + 300_001)]
    );
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(said(&format!("what = {deep}"))[0].contains("recur"), "{:?}", said(&format!("what = {deep}")));
    for name in ["b.toml", "a/b/c.toml", "a/B.toml", "a/.toml", "a/b.txt", "../b.toml"] {
        let found = plan_of(&[source(name, GOOD)], &Selection::default()).unwrap_err();
        assert_eq!(
            found[0].to_string(),
            format!("{name}: the file's name gives no scenario (expected GROUP/NAME.toml, both of a-z, 0-9 and -)")
        );
    }
    let twice = plan_of(&[source("a/b.toml", GOOD), source("a/b.toml", GOOD)], &Selection::default()).unwrap_err();
    assert_eq!(twice[0].to_string(), "a/b.toml: the file is given twice (names of scenarios must differ)");
}

#[test]
fn a_message_is_one_line_of_bounded_length() {
    let long = "x\\n".repeat(5000);
    let found = after("800/s", &long);
    assert!(found[0].starts_with("a/b.toml:6: load.arrivals.rate: 'x\\nx\\n") && found[0].ends_with('…'), "{}", found[0]);
    assert!(!found[0].contains('\n') && found[0].len() < 2000);
}

#[test]
fn all_problems_of_all_files_come_at_once_in_order() {
    let broken = GOOD.replace("max = 2", "max = 2000").replace("\"1s\"", "1").replace("poisson", "poison");
    let found = plan_of(&[source("z/z.toml", &broken), source("a/a.toml", &broken)], &Selection::default()).unwrap_err();
    let places: Vec<String> = found.iter().map(|p| format!("{}:{}", p.file, p.line)).collect();
    assert_eq!(places, ["a/a.toml:6", "a/a.toml:7", "a/a.toml:12", "z/z.toml:6", "z/z.toml:7", "z/z.toml:12"]);
}

#[test]
fn variants_that_cannot_be_are_refused() {
    let axis = "[matrix]\n\"variant\" = [\"shard\"]\n";
    append(
        &format!("[variants.shared]\npool.queue-len = 1\n{axis}"),
        "a/b.toml:18: unknown variant 'shard' (did you mean 'shared'? expected one of shared)",
    );
    append(axis, "a/b.toml:16: unknown variant 'shard' (the scenario has no [variants.shard])");
    append(
        "[variants.a]\npool.afinity = \"soft\"\n",
        "a/b.toml:16: variant 'a': unknown setting 'pool.afinity' (did you mean 'pool.affinity'?)",
    );
    append(
        "[variants.a]\nonly = \"virtul\"\n",
        "a/b.toml:16: unknown word for 'only' 'virtul' (did you mean 'virtual'? expected one of virtual, live)",
    );
    append(
        "[variants.a]\n\"load.length\" = \"1s\"\n",
        "a/b.toml:16: variant 'a': 'load.length' cannot be set here (the variants of a scenario share it)",
    );
    append(
        "[variants.a]\npool.queue-len = 1\n[matrix]\n\"pool.queue-len\" = [1, 2]\n",
        "a/b.toml:16: variant 'a' sets 'pool.queue-len', which line 18 makes an axis (expected one of them)",
    );
    append("[variants]\na = 1\n", "a/b.toml:16: 'a' is a number or boolean (expected a table)");
    check(
        "length = \"1s\"",
        "length = \"1s\"\ntime-scale = 2",
        "a/b.toml:8: load.time-scale: '2' is not a factor (expected above 0 and at most 1, such as 0.05)",
    );
}

#[test]
fn a_selection_that_exists_only_in_the_other_kind_of_time_is_refused() {
    let text = format!("{GOOD}[variants.a]\nonly = \"virtual\"\n[matrix]\n\"variant\" = [\"a\"]\n");
    let found = plan_of(&[source("a/b.toml", &text)], &Selection::default()).unwrap_err();
    assert_eq!(found[0].to_string(), "a/b?variant=a is left out: it exists only in virtual time");
    assert_eq!(found[0].help.as_deref(), Some("run it with --virtual"));
}
