//! In what two plans differ, found in their JSON, so that no field can be forgotten.

use std::collections::BTreeSet;

use model::plan::Plan;
use serde::Serialize;
use serde_json::Value;

/// The first difference between two plans but for seed and rounds, and for the files and lines where values were written; `None` if there is
/// none. `here` is the plan that is expected.
pub(super) fn difference(here: &Plan, there: &Plan) -> Option<String> {
    if here.size != there.size {
        return Some(format!("its size is {}, not {}", there.size.name(), here.size.name()));
    }
    if here.virtual_time != there.virtual_time {
        let kind = |plan: &Plan| if plan.virtual_time { "in virtual time" } else { "live" };
        return Some(format!("it ran {}, not {}", kind(there), kind(here)));
    }
    let ids = |plan: &Plan| -> BTreeSet<String> { plan.cases.iter().map(|c| c.id.clone()).collect() };
    let (ours, theirs) = (ids(here), ids(there));
    if let Some(case) = ours.difference(&theirs).next() {
        return Some(format!("it lacks the case {case}"));
    }
    if let Some(case) = theirs.difference(&ours).next() {
        return Some(format!("it has one case more, {case}"));
    }
    let scenario = here.scenarios.iter().find_map(|a| Some((a, there.scenario(&a.name)?))).and_then(|(a, b)| first(a, b, &a.name));
    let of_case = |a: &model::Case| first(a, there.cases.iter().find(|c| c.id == a.id)?, &a.id);
    scenario.or_else(|| here.cases.iter().find_map(of_case)).or_else(|| first(&here.left_out, &there.left_out, "left out"))
}

fn first<T: Serialize>(here: &T, there: &T, what: &str) -> Option<String> {
    let json = |value: &T| serde_json::to_value(value).map(plain).unwrap_or_default();
    let (path, is, expected) = walk(&json(here), &json(there))?;
    Some(format!("{what}: {path} is {is}, not {expected}"))
}

/// Without what may differ: a value with its place becomes the value, and rounds are not looked at.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.len() == 3 && ["value", "file", "line"].iter().all(|key| fields.contains_key(*key)) => {
            fields.get("value").cloned().unwrap_or_default()
        }
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter(|(key, _)| key != "rounds").map(|(key, value)| (key, plain(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

/// The path of the first difference, what is there and what is here.
fn walk(here: &Value, there: &Value) -> Option<(String, String, String)> {
    let below = |key: String, a: &Value, b: &Value| {
        let (path, is, expected) = walk(a, b)?;
        Some((if path.is_empty() { key } else { format!("{key}.{path}") }, is, expected))
    };
    match (here, there) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let of = |map: &serde_json::Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or_default();
            keys.into_iter().find_map(|key| below(key.clone(), &of(a, key), &of(b, key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(place, (a, b))| below(place.to_string(), a, b))
        }
        _ if here == there => None,
        _ => Some((String::new(), short(there), short(here))),
    }
}

/// Longest value that is shown whole, characters.
const SHOWN: usize = 80;

fn short(value: &Value) -> String {
    let text = if value.is_null() { "not given".to_owned() } else { value.to_string() };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}
