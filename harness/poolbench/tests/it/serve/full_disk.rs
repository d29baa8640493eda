//! A server whose disk is full: what a client is told, and what of its sessions is there afterwards.

use std::collections::BTreeMap;

use super::*;

/// Calls after which a disk that is not full is no small one.
const CALLS: usize = 600;
const SESSIONS: usize = 40;

fn config(kind: &str) -> String {
    format!(
        "[server]\nsession = \"argument:who\"\ndata = \"kept\"\n[tools.echo]\ndescription = \"Says it again.\"\n[store]\nkind = \"{kind}\"\n[pool]\nbackoff = \"10ms\"\ndispatch = \"tiered\"\n\
         hot  = {{ min-ready = 1, spares = 0, max = 1 }}\nwarm = {{ max = 0 }}\ncold = {{ max = 0 }}\n"
    )
}

/// A server behind `sh -c SCRIPT`, which makes its disk small and runs it as `"$@"`.
fn small(place: &Place, kind: &str, wrapper: &[&str], script: &str) -> Server {
    place.write("serve.toml", &config(kind));
    let serve = [PROGRAM, "serve", "--log", "error", "--config", "serve.toml"];
    let args = [&wrapper[1..], &["sh", "-c", script, "sh"], &serve].concat();
    Server::run(place.command(wrapper[0], &args))
}

fn turn(answer: &Value) -> Option<u64> {
    answer["result"]["_meta"]["poolbench"]["turn"].as_u64()
}

/// Fills the disk with sessions until five calls were refused; the turns of each that were acknowledged.
fn fill(server: &mut Server, says: &str) -> BTreeMap<String, u64> {
    let (mut acknowledged, mut refused) = (BTreeMap::new(), 0);
    server.greet();
    for call in 0..CALLS {
        let who = format!("s{}", call % SESSIONS);
        let answer = server.called("echo", json!({ "who": who, "message": format!("{call}-").repeat(700) }));
        if let Some(turn) = turn(&answer) {
            acknowledged.insert(who, turn);
            continue;
        }
        let why = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("neither answered nor refused: {answer}"));
        assert!(why.contains("session not saved") && why.contains("kept/") && why.contains(says), "{why}");
        let data = &answer["error"]["data"];
        assert_eq!((&data["reason"], &data["phase"]), (&json!("outcome-unknown"), &json!("persist")), "{answer}");
        refused += 1;
        if refused == 5 {
            assert!(!acknowledged.is_empty());
            assert_eq!(text(&server.called("echo", json!({ "n": 1 }))), r#"{"n":1}"#, "what needs no disk is served");
            return acknowledged;
        }
    }
    panic!("{CALLS} calls did not fill the disk");
}

/// Another server, on a disk with room, has every turn that was acknowledged, and goes on.
fn nothing_is_lost(place: &Place, kind: &str, acknowledged: &BTreeMap<String, u64>) {
    let left: Vec<_> = std::fs::read_dir(place.path("kept")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.contains(".tmp")), "{left:?}");
    let mut server = Server::with(place, &config(kind));
    for (who, turns) in acknowledged {
        let answer = server.called("echo", json!({ "who": who }));
        assert_eq!(turn(&answer), Some(turns + 1), "{kind} {who}: {answer}");
    }
    server.ends_well(place);
}

#[test]
fn behind_a_limit_of_file_sizes_writes_are_refused_and_nothing_acknowledged_is_lost() {
    // In blocks of 512 or 1024 bytes, as the shell has it: some turns of a session's file; some commits of a log.
    for (kind, blocks, says) in [("files", 16, "ulimit -f"), ("sqlite", 256, "disk I/O error")] {
        let place = Place::new();
        let mut server = small(&place, kind, &["env"], &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""));
        let acknowledged = fill(&mut server, says);
        server.ends_well(&place);
        nothing_is_lost(&place, kind, &acknowledged);
    }
}

#[test]
fn on_a_full_filesystem_writes_are_refused_and_nothing_acknowledged_is_lost() {
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount"];
    let allowed = Command::new(wrapper[0]).args(&wrapper[1..]).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !allowed.as_ref().is_ok_and(|out| out.status.success()) {
        // Said past the capture of tests. The test above needs no leave and has run.
        let said = format!("NOT RUN: this system lets no user mount a tmpfs of its own ({allowed:?})\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return;
    }
    let script = "mkdir small && mount -t tmpfs -o size=128k none small && ln -s small kept && \"$@\"; code=$?
                  rm kept && cp -r small kept && exit $code";
    for kind in ["files", "sqlite"] {
        let place = Place::new();
        let mut server = small(&place, kind, &wrapper, script);
        let acknowledged = fill(&mut server, "free space on its filesystem");
        server.ends_well(&place);
        nothing_is_lost(&place, kind, &acknowledged);
    }
}
