//! `[load]` and `[[load.mix]]`.

use super::fields::{self, Fields};
use super::{WireKind, WireLoad, WireMix};
use crate::KnownKinds;
use crate::problem::Problems;
use crate::tree::Entry;

pub(crate) const LOAD: [&str; 10] =
    ["arrivals", "clients", "warmup", "length", "rounds", "timeout", "time-scale", "accept", "sessions", "mix"];
const SESSIONS: [&str; 2] = ["count", "popularity"];
pub(crate) const MIX: [&str; 6] = ["tool", "share", "payload", "service", "work", "deadline"];
const PAYLOAD: [&str; 2] = ["shape", "size"];

/// Takes `load` from the file's keys.
pub(super) fn read(top: &mut Fields, kinds: &KnownKinds, problems: &mut Problems) -> WireLoad {
    let Some(mut load) = top.table("load") else {
        let line = top.entry("load").map_or(1, |entry| entry.line);
        problems.at(line, "the table [load] is missing (expected arrivals, length and at least one [[load.mix]])");
        return WireLoad { line, ..WireLoad::default() };
    };
    let mut found = WireLoad { line: load.line, ..WireLoad::default() };
    found.arrivals = match load.table("arrivals") {
        Some(inner) => fields::kind("arrival process", inner, &kinds.arrivals, problems),
        None => WireKind { kind: load.leaf("arrivals", problems), line: load.line, ..WireKind::default() },
    };
    found.clients = load.leaf("clients", problems);
    found.warmup = load.sizes("warmup", problems);
    found.length = load.sizes("length", problems);
    found.rounds = load.sizes("rounds", problems);
    found.timeout = load.leaf("timeout", problems);
    found.time_scale = load.leaf("time-scale", problems);
    found.accept = load.leaf("accept", problems);
    if let Some(mut sessions) = inner_table(&mut load, "sessions", problems) {
        found.session_count = sessions.leaf("count", problems);
        found.popularity = sessions.leaf("popularity", problems);
        sessions.finish(&SESSIONS, problems);
    }
    if let Some(entry) = load.entry("mix") {
        let tables = fields::tables("load.mix", entry, problems);
        found.mix = tables.into_iter().map(|(line, table)| mix(top, line, table, problems)).collect();
    }
    load.finish(&LOAD, problems);
    found
}

fn mix(top: &Fields, line: u32, table: Vec<Entry>, problems: &mut Problems) -> WireMix {
    let mut fields = top.sibling("load.mix", line, table);
    let mut found = WireMix { line, ..WireMix::default() };
    found.tool = fields.leaf("tool", problems);
    found.share = fields.leaf("share", problems);
    if let Some(mut payload) = inner_table(&mut fields, "payload", problems) {
        found.shape = payload.leaf("shape", problems);
        found.size = payload.leaf("size", problems);
        payload.finish(&PAYLOAD, problems);
    }
    found.service = fields.leaf("service", problems);
    found.work = fields.leaf("work", problems);
    found.deadline = fields.leaf("deadline", problems);
    fields.finish(&MIX, problems);
    found
}

/// Takes a table; anything else under that key is reported.
fn inner_table(fields: &mut Fields, key: &str, problems: &mut Problems) -> Option<Fields> {
    if let Some(table) = fields.table(key) {
        return Some(table);
    }
    let entry = fields.entry(key)?;
    problems.at(entry.line, format!("'{key}' is {} (expected a table)", entry.node.noun()));
    None
}
