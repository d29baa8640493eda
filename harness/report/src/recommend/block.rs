//! The settings of a recommendation as a person pastes them.

use std::collections::BTreeMap;

use analysis::recommend::{Candidate, Decision, Part};

/// Settings in bytes, whose values need their unit.
const BYTES: [&str; 4] = ["store.dictionary-size", "store.session-max", "compress.min-size", "compress.decompressed-max"];
/// The settings of one kind of store.
const SQLITE: &str = "store.sqlite.";

type Settings = BTreeMap<String, String>;

/// The settings of the decisions as TOML. In comments stand compression of stored sessions, which costs the store CPU time that its figures have
/// not, and settings of a kind of store that was not chosen.
pub fn settings_block(decisions: &[Decision]) -> String {
    let of = |part: Part| decisions.iter().find(|d| d.contest.part == part).and_then(Decision::picked).map(|c: &Candidate| &c.settings);
    let mut blocks = Vec::new();
    blocks.extend(stores(of(Part::Store), of(Part::Group), of(Part::Rest)));
    blocks.extend(of(Part::Responses).map(|settings| format!("[compress]\n{}", lines(settings, "compress."))));
    blocks.join("\n")
}

fn stores(store: Option<&Settings>, group: Option<&Settings>, rest: Option<&Settings>) -> Option<String> {
    if store.is_none() && group.is_none() && rest.is_none() {
        return None;
    }
    // What the store's own candidates said already is not said against.
    let unsaid = |of: Option<&Settings>| -> Settings {
        let new = of.into_iter().flatten().filter(|(key, _)| store.is_none_or(|said| !said.contains_key(*key)));
        new.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let kind = store.and_then(|said| said.get("store.kind")).map_or("sqlite", String::as_str);
    let (used, unused): (Settings, Settings) = unsaid(group).into_iter().partition(|(key, _)| !key.starts_with(SQLITE) || kind == "sqlite");
    let commented = lines(&unused, "store.") + &lines(&unsaid(rest), "store.");
    let commented: String = commented.lines().map(|line| format!("# {line}\n")).collect();
    Some(format!("[store]\n{}{}{commented}", store.map_or(String::new(), |said| lines(said, "store.")), lines(&used, "store.")))
}

fn lines(settings: &Settings, table: &str) -> String {
    let own = settings.iter().filter_map(|(key, value)| Some((key.strip_prefix(table)?, key, value)));
    own.map(|(short, key, value)| format!("{short} = {}\n", typed(key, value))).collect()
}

/// A canonical value as a person writes it in TOML.
fn typed(key: &str, value: &str) -> String {
    match value {
        _ if BYTES.contains(&key) => format!("\"{value}B\""),
        "true" | "false" => value.to_owned(),
        _ if value.parse::<i64>().is_ok() => value.to_owned(),
        _ => format!("\"{}\"", value.replace(['"', '\\'], "").chars().filter(|c| !c.is_control()).collect::<String>()),
    }
}
