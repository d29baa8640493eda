//! Configurations: what they say, and what cannot be said.

use super::*;

fn serve(place: &Place, config: &str, more: &[&str]) -> crate::support::Ran {
    place.write("serve.toml", config);
    place.poolbench(&[&["serve", "--config", "serve.toml"], more].concat())
}

#[track_caller]
fn refused(config: &str, says: &[&str]) {
    let place = Place::new();
    for more in [&["--check"][..], &[]] {
        serve(&place, config, more).refuses(2, says);
    }
    place.nobody_left(Duration::ZERO);
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    refused(
        "[pool]\nqueue-lenn = 3\n[tools.echo]\ndeadline = \"soon\"\n",
        &[
            "serve.toml:2: unknown setting 'pool.queue-lenn' (did you mean 'pool.queue-len'?",
            "serve.toml:4: tools.echo.deadline: 'soon'",
            "docs/SERVING.md",
        ],
    );
    refused("[server]\nname = \"x\"\n", &["there is no tool", "[tools.NAME]"]);
    refused(
        "[tools.echo]\ntier = \"hot\"\n[server]\nsession = \"arguments\"\n",
        &["serve.toml:4: server.session: 'arguments'", "argument:NAME"],
    );
    refused("[tools.echo]\ntier = \"hot\"\n[store]\nkind = \"sqlite\"\n", &["serve.toml:4: store.kind", "server.data"]);
    refused(
        "[tools.echo]\ntier = \"hot\"\n[pool]\ndispatch = \"tiered\"\n[pool.hot]\nworker = \"proces\"\n",
        &["serve.toml:6: pool.hot.worker", "'proces'", "process"],
    );
    refused(
        "[tools.echo]\ntier = \"hot\"\n[pool]\ndispatch = \"tiered\"\n[pool.hot]\nmin-ready = 9\nmax = 2\n",
        &["pool.hot.min-ready", "above"],
    );
    refused(
        "[tools.echo]\ntier = \"hot\"\n[pool]\nhot = { max = 2 }\n",
        &["serve.toml:4: pool.hot.max", "set pool.dispatch = tiered, or pool.shared.max"],
    );
    refused("[tools.echo]\ninput-schema = '{\"type\": \"array\"}'\n", &["serve.toml:2: tools.echo.input-schema"]);
    refused("[tools.\"a b\"]\ntier = \"hot\"\n", &["'a b' is no tool's name"]);
    refused("[tools.echo\n", &["serve.toml:1: not TOML"]);
    Place::new().poolbench(&["serve", "--config", "no-such.toml"]).refuses(2, &["no-such.toml", "cannot be read"]);
}

#[test]
fn check_says_what_would_be_served_and_the_example_is_one() {
    let place = Place::new();
    let example = place.poolbench(&["serve", "--example"]).ends(0);
    let own = serve(&place, &example.out, &["--check"]).ends(0);
    let built_in = place.poolbench(&["serve", "--check"]).ends(0);
    assert_eq!(own.out, built_in.out);
    assert!(own.out.contains("tool     echo (hot, replayable") && own.out.contains("shared   3 to 8 process workers"), "{}", own.out);
    let named =
        serve(&place, "[tools.x]\ndescription = \"y\"\n[worker]\ncommand = \"my worker\"\n[server]\ndata = \"kept\"\n", &["--check"])
            .ends(0);
    assert!(named.out.contains("workers  my") && named.out.contains("kept     kept"), "{}", named.out);
}

#[test]
fn a_worker_program_that_is_missing_or_none_is_said_at_once() {
    for (command, says) in [("/no/such/worker", "/no/such/worker"), ("/bin/false", "ended before it was ready")] {
        let place = Place::new();
        let config = format!("{ONE_WORKER}\n[worker]\ncommand = \"{command}\"\n");
        serve(&place, &config, &[]).refuses(1, &[says, "worker.command"]);
        place.nobody_left(PATIENCE);
    }
}

#[test]
fn a_worker_of_ones_own_is_told_the_tool() {
    let place = Place::new();
    let config = ONE_WORKER.replace("[pool]", "payload = \"call\"\n[pool]");
    let mut server = Server::with(&place, &format!("{config}\n[worker]\ncommand = \"{PROGRAM} worker\"\n"));
    let answer = server.called("wait", json!({ "ms": 1 }));
    let given: Value = serde_json::from_str(text(&answer)).unwrap();
    assert_eq!(given, json!({ "tool": "wait", "arguments": { "ms": 1 } }));
    server.ends_well(&place);
}

/// docs/SERVING.md has a row for every key of the server's own, with its type, its default and what it does.
#[test]
fn every_key_is_in_the_manual() {
    let page = std::fs::read_to_string(crate::support::root().join("docs/SERVING.md")).unwrap();
    let keys = Place::new().poolbench(&["serve", "--keys"]).ends(0).out;
    let mut count = 0;
    for line in keys.lines().filter(|line| line.starts_with("server.") || line.starts_with("tools.")) {
        let cell = |from: usize, to: usize| line[from..to].trim().replace('|', "\\|");
        let key = cell(0, 32).replace('*', "NAME");
        let default = Some(cell(74, 92)).filter(|text| !text.is_empty()).map_or(String::new(), |text| format!("`{text}`"));
        let row = format!("| `{key}` | {} | {default} | {} |", cell(33, 73), line[93..].trim());
        assert!(page.contains(&row), "docs/SERVING.md lacks the row\n{row}");
        count += 1;
    }
    assert!(count >= 16, "{keys}");
}
