//! Directories that cannot be written and databases that cannot be read: the server says so and touches nothing.

use super::*;
use crate::support::{Ran, files, may_mount};

const CONFIG: &str = "[server]\ndata = \"data\"\nsession = \"argument:who\"\n[tools.echo]\ndescription = \"Says it again.\"\n[store]\n";

/// A place whose store has one session.
fn with_a_session(store: &str) -> Place {
    let place = Place::new();
    let mut server = Server::with(&place, &format!("{CONFIG}{store}"));
    assert_eq!(server.called("echo", json!({ "who": "ann" }))["result"]["isError"], false);
    server.ends_well(&place);
    place
}

#[test]
fn a_read_only_directory_is_refused_at_the_start() {
    if !may_mount("a server on a read-only filesystem") {
        return;
    }
    for store in ["kind = \"files\"", "kind = \"sqlite\""] {
        let place = with_a_session(store);
        let before = files(&place.path("data"));
        let script = "mount --bind data data && mount -o remount,ro,bind data && exec \"$0\" serve --config serve.toml";
        let ran = place.command("unshare", &["-rm", "sh", "-c", script, PROGRAM]).output().unwrap();
        Ran::from(ran).refuses(1, &["store.lock", "Read-only file system", "make it writable"]);
        assert_eq!(files(&place.path("data")), before);
        place.nobody_left(PATIENCE);
    }
}

#[test]
fn sessions_of_another_kind_are_named_and_left() {
    let place = with_a_session("kind = \"files\"");
    let before = files(&place.path("data"));
    // As someone does who takes the line away.
    place.write("serve.toml", CONFIG);
    place.poolbench(&["serve", "--config", "serve.toml"]).refuses(1, &["data", "kept as files", "set store.kind = files"]);
    assert_eq!(files(&place.path("data")), before);
}

#[test]
fn a_corrupt_database_is_refused_or_its_error_told_and_it_is_left_as_it_is() {
    let place = with_a_session("kind = \"sqlite\"");
    let sound = std::fs::read(place.path("data/sessions.sqlite3")).unwrap();
    assert!(sound.len() >= 3 * 4096, "a page beyond the schema: {}", sound.len());
    // The header.
    let mut bad = sound.clone();
    bad[..100].fill(b'x');
    std::fs::write(place.path("data/sessions.sqlite3"), &bad).unwrap();
    place.poolbench(&["serve", "--config", "serve.toml"]).refuses(1, &["sessions.sqlite3", "move the file away", ".recover"]);
    assert_eq!(std::fs::read(place.path("data/sessions.sqlite3")).unwrap(), bad);
    // The pages of rows: the server starts, and each call of a session is told.
    let mut bad = sound.clone();
    bad[4096..].fill(0xff);
    std::fs::write(place.path("data/sessions.sqlite3"), &bad).unwrap();
    let mut server = Server::start(&place, &["--config", "serve.toml"]);
    server.greet();
    for _ in 0..2 {
        let told = server.called("echo", json!({ "who": "ann" }));
        let said = told["error"]["message"].as_str().unwrap_or_else(|| panic!("{told}"));
        assert!(said.contains("session not loaded") && said.contains("move the file away"), "{said}");
    }
    assert_eq!(text(&server.called("echo", json!({ "n": 1 }))), r#"{"n":1}"#);
    server.ends_well(&place);
    std::fs::write(place.path("data/sessions.sqlite3"), sound).unwrap();
    let mut server = Server::start(&place, &["--config", "serve.toml"]);
    server.greet();
    assert_eq!(server.called("echo", json!({ "who": "ann" }))["result"]["_meta"]["poolbench"]["turn"], 2);
    server.ends_well(&place);
}
