//! A disk that fills up under a server: the client is told, nothing acknowledged is lost, and what needs no disk is served.

use super::*;
use crate::support::{files, may_mount};

/// Stores that keep sessions in different files: renamed, in a log, in place behind a rollback journal.
const STORES: [&str; 3] = [
    "kind = \"files\"",
    "kind = \"sqlite\"\nsqlite = { journal-mode = \"wal\", synchronous = \"full\" }",
    "kind = \"sqlite\"\nsqlite = { journal-mode = \"delete\", synchronous = \"extra\" }",
];
/// A turn of this many bytes.
const TURN: usize = 8 << 10;

fn config(store: &str) -> String {
    format!(
        r#"
        [server]
        session = "argument:who"
        data = "disk/data"
        [store]
        {store}
        [session]
        keep = 1000
        [tools.echo]
        description = "Says it again."
        [pool]
        dispatch = "tiered"
        hot  = {{ min-ready = 1, spares = 0, max = 1 }}
        warm = {{ max = 0 }}
        cold = {{ max = 0 }}
        "#
    )
}

/// The server, behind a script that ends with `exec` or with `"$0" "$@"`.
fn behind(place: &Place, program: &str, before: &[&str], script: &str) -> Server {
    let args = [before, &["-c", script, PROGRAM, "serve", "--log", "error", "--config", "serve.toml"]].concat();
    let mut server = Server::spawned(place.command(program, &args));
    server.greet();
    server
}

fn turn(server: &mut Server, who: &str, bytes: usize) -> Result<u64, Value> {
    let answer = server.called("echo", json!({ "who": who, "message": "x".repeat(bytes) }));
    answer["result"]["_meta"]["poolbench"]["turn"].as_u64().ok_or(answer)
}

/// Acknowledged turns of each session once the disk is full, which this sees to.
fn filled(server: &mut Server, store: &str, remedies: &[&str]) -> Vec<(&'static str, u64)> {
    for who in ["a", "b", "c"] {
        assert_eq!(turn(server, who, 10), Ok(1), "{store}");
    }
    let mut acknowledged = 0;
    let mut refused = None;
    while refused.is_none() {
        match turn(server, "big", TURN) {
            Ok(turn) => {
                assert_eq!(turn, acknowledged + 1);
                acknowledged = turn;
            }
            Err(answer) => refused = Some(answer),
        }
        assert!(acknowledged < 500, "{store}: the disk does not fill");
    }
    assert!(acknowledged > 1, "{store}: {refused:?}");
    // It stays so, and is said each time.
    for answer in [refused, turn(server, "big", TURN).err(), turn(server, "big", TURN).err()] {
        let answer = answer.unwrap_or_else(|| panic!("{store}: saved on a full disk"));
        let (error, said) = (&answer["error"], answer["error"]["message"].as_str().unwrap());
        assert_eq!((&error["code"], &error["data"]["reason"]), (&json!(-32000), &json!("outcome-unknown")), "{answer}");
        assert_eq!(error["data"]["phase"], "answered", "the tool had run: {answer}");
        assert!(said.contains("the tool ran") && said.contains("session not saved"), "{said}");
        assert!(remedies.iter().any(|remedy| said.contains(remedy)), "{store}: {said}");
    }
    // A call that needs no disk.
    let free = server.called("echo", json!({ "message": "still here" }));
    assert_eq!(text(&free), r#"{"message":"still here"}"#, "{store}");
    vec![("a", 1), ("b", 1), ("c", 1), ("big", acknowledged)]
}

/// No session is damaged or half written, and none waits in the way.
#[track_caller]
fn sound(place: &Place, data: &str, sessions: usize) {
    let names = files(&place.path(data));
    assert!(!names.iter().any(|name| name.contains(".tmp-") || name.contains(".corrupt-")), "{names:?}");
    if names.iter().any(|name| name == "sessions.sqlite3") {
        let file = rusqlite::Connection::open(place.path(data).join("sessions.sqlite3")).unwrap();
        let check: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        let rows: isize = file.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
        assert_eq!((check.as_str(), rows), ("ok", sessions as isize));
        return;
    }
    let documents: Vec<_> = names.iter().filter(|name| name.ends_with(".json")).collect();
    assert_eq!(documents.len(), sessions, "{names:?}");
    documents.iter().for_each(|name| assert!(place.json(&format!("{data}/{name}")).is_object()));
}

/// Another server on the same directory, with room: every session goes on where it was acknowledged.
fn found_again(place: &Place, config: &str, acknowledged: &[(&str, u64)]) {
    let mut server = Server::with(place, config);
    for (who, turns) in acknowledged {
        assert_eq!(turn(&mut server, who, 10), Ok(turns + 1), "{who}: {config}");
    }
    server.ends_well(place);
}

#[test]
fn past_the_limit_on_the_size_of_files_nothing_acknowledged_is_lost() {
    for store in STORES {
        let place = Place::new();
        place.write("serve.toml", &config(store));
        place.write("disk/readme", "");
        // 256 KiB in the blocks of dash, 512 KiB in those of others. SIGXFSZ ignored, so that the write fails.
        let mut server = behind(&place, "sh", &[], "trap '' XFSZ; ulimit -f 512; exec \"$0\" \"$@\"");
        let acknowledged = filled(&mut server, store, &["limit on the size of files", "free space"]);
        if store.contains("files") {
            assert_eq!(turn(&mut server, "a", 10), Ok(2), "a small file has room");
            sound(&place, "disk/data", 4);
        }
        server.signal(Signal::KILL);
        assert_eq!(server.ended().code(), None);
        place.nobody_left(PATIENCE);
        sound(&place, "disk/data", 4);
        let small = u64::from(store.contains("files"));
        let acknowledged: Vec<_> = acknowledged.into_iter().map(|(who, turns)| (who, turns + if who == "a" { small } else { 0 })).collect();
        found_again(&place, &config(store), &acknowledged);
    }
}

/// A filesystem of 768 KiB with a ballast of 128, which goes when `room` appears. What it holds at the end is copied to where it can be looked at.
const SMALL_DISK: &str = r#"
mount -t tmpfs -o size=768k none disk || exit 99
head -c 131072 /dev/zero > disk/ballast
( n=0; while [ ! -e room ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done; rm disk/ballast; : > made ) <&- >&- 2>&- &
"$0" "$@"; code=$?
cp -r disk/data kept
exit $code
"#;

#[test]
fn on_a_disk_that_is_full_nothing_is_lost_and_space_that_is_freed_is_used() {
    if !may_mount("a server on a small filesystem that fills up") {
        return;
    }
    for store in STORES {
        let place = Place::new();
        place.write("serve.toml", &config(store));
        place.write("disk/readme", "");
        let mut server = behind(&place, "unshare", &["-rm", "sh"], SMALL_DISK);
        let mut acknowledged = filled(&mut server, store, &["free space on its filesystem"]);
        place.write("room", "");
        let begun = std::time::Instant::now();
        while !place.path("made").exists() {
            assert!(begun.elapsed() < PATIENCE, "no room was made");
            a_moment();
        }
        for (who, turns) in &mut acknowledged {
            *turns += 1;
            assert_eq!(turn(&mut server, who, 10), Ok(*turns), "{store}: space that was freed is used, by the same server");
        }
        server.hang_up();
        assert!(server.silent_to_the_end());
        assert_eq!(server.ended().code(), Some(0));
        sound(&place, "kept", 4);
        found_again(&place, &config(store).replace("disk/data", "kept"), &acknowledged);
    }
}
