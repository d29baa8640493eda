use super::*;

fn costs() -> Costs {
    Costs { crashes: 200, ..Costs::default() }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn row(write: &str) -> Row {
    Row {
        id: format!("durability/files?write={write}&sync=none"),
        settings: map(&[("store.files.write", write), ("store.files.sync", "none")]),
        flushes_per_write: 0.0,
        kill: costs(),
        acknowledged: 9,
        power: costs(),
        power_ext4: costs(),
        points: [200, 10],
    }
}

fn durability() -> Durability {
    let text = || "x".to_owned();
    let (started, build, sqlite, kernel, filesystem) = (text(), text(), text(), text(), text());
    let rows = vec![row("rename"), row("truncate")];
    Durability { schema: SCHEMA, started, build, sqlite, kernel, filesystem, seed: 1, rows }
}

#[test]
fn what_is_written_is_read_again() {
    let whole = durability();
    assert_eq!(Durability::parse(whole.text().unwrap().as_bytes()), Ok(whole));
}

#[test]
fn what_is_not_a_result_is_refused_with_the_reason() {
    let text = durability().text().unwrap();
    let broken = |change: &dyn Fn(&mut Durability)| {
        let mut other = durability();
        change(&mut other);
        Durability::parse(other.text().unwrap().as_bytes()).unwrap_err()
    };
    for (says, got) in [
        ("schema 2", Durability::parse(text.replace("\"schema\": 1", "\"schema\": 2").as_bytes()).unwrap_err()),
        ("unknown field `colour`", Durability::parse(text.replace("\"seed\"", "\"colour\": 1, \"seed\"").as_bytes()).unwrap_err()),
        ("bytes", Durability::parse(&vec![b' '; BYTES_MAX + 1]).unwrap_err()),
        ("0 rows", broken(&|d| d.rows.clear())),
        ("row 2", broken(&|d| d.rows[1].settings = d.rows[0].settings.clone())),
        ("kill: 0 crashes", broken(&|d| d.rows[0].kill.crashes = 0)),
        ("power: 200 crashes", broken(&|d| d.rows[0].power.torn = 201)),
        ("power_ext4: losses contradict", broken(&|d| d.rows[0].power_ext4.lost_max = 1)),
        ("no settings", broken(&|d| d.rows[0].flushes_per_write = -1.0)),
    ] {
        assert!(got.contains(says), "{says}: {got}");
    }
    for cut in 0..text.len() - 1 {
        assert!(Durability::parse(&text.as_bytes()[..cut]).is_err());
    }
}

#[test]
fn the_class_is_the_worst_of_kill_and_power_loss() {
    let mut one = row("rename");
    assert_eq!(one.class(), Class::Durable);
    one.power = Costs { losing: 3, lost_max: 2, lost_mean: 0.1, ..costs() };
    assert_eq!(one.class(), Class::Consistent);
    one.kill.torn = 1;
    assert_eq!(one.class(), Class::Unsafe);
}

#[test]
fn a_case_is_joined_by_what_its_store_said_of_itself() {
    let all = durability();
    let seen = map(&[("kind", "files"), ("files.write", "truncate"), ("files.sync", "none"), ("files.api", "std")]);
    assert_eq!(all.row_of(&seen), Some(&all.rows[1]));
    let protocol = map(&[("protocol", "store.files.write=rename store.files.sync=none")]);
    assert_eq!(all.row_of(&protocol), Some(&all.rows[0]));
    let sqlite = map(&[("kind", "sqlite"), ("sqlite.journal_mode", "wal"), ("sqlite.synchronous", "2")]);
    assert_eq!(settings_of(&sqlite), Some(map(&[("store.sqlite.journal-mode", "wal"), ("store.sqlite.synchronous", "full")])));
    assert_eq!(all.row_of(&sqlite), None);
    for nothing in [map(&[]), map(&[("kind", "none")]), map(&[("protocol", "of my own")]), map(&[("kind", "files")])] {
        assert_eq!(settings_of(&nothing), None, "{nothing:?}");
    }
}
