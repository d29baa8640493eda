//! Which cases run: expressions over case ids, the suite, values set on the command line.

use model::{Located, SettingRow};
use regex::Regex;

use crate::matrix::Combination;
use crate::problem::Problem;
use crate::wire::{Known, Wire, WireAxis, unknown_setting};
use crate::{Pick, paths, tree, words};

/// The expressions, in the order typed; the last that matches an id decides.
pub(crate) struct Filters(Vec<(bool, Regex)>);

impl Filters {
    pub(crate) fn compile(picks: &[Pick], problems: &mut Vec<Problem>) -> Self {
        let mut compiled = Vec::new();
        for pick in picks {
            let (include, option, text) = match pick {
                Pick::Include(text) => (true, "-f", text),
                Pick::Exclude(text) => (false, "-F", text),
            };
            match Regex::new(text) {
                Ok(regex) => compiled.push((include, regex)),
                Err(error) => {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    problems.push(from_command_line(option, &format!("'{text}' is not a regular expression ({why})")));
                }
            }
        }
        Self(compiled)
    }

    pub(crate) fn selects(&self, id: &str) -> bool {
        let at_first = self.0.first().is_none_or(|(include, _)| !include);
        self.0.iter().rev().find(|(_, regex)| regex.is_match(id)).map_or(at_first, |(include, _)| *include)
    }

    /// Nothing was selected: says how many cases there are and which id comes nearest to what was asked for.
    pub(crate) fn nothing(&self, all: &[Vec<Combination>]) -> Problem {
        let ids: Vec<&str> = all.iter().flatten().map(|c| c.id.as_str()).collect();
        let asked = self.0.iter().rev().find(|(include, _)| *include).map(|(_, regex)| regex.as_str());
        let asked = asked.map(|text| text.trim_start_matches('^').trim_end_matches('$').replace('\\', ""));
        let near = asked.and_then(|word| words::closest(&word, &ids)).map(|(id, _)| format!(", the nearest is '{id}'")).unwrap_or_default();
        let help = "the expressions of -f and -F are searched for in whole case ids; `poolbench list` shows them";
        Problem { help: Some(help.to_owned()), ..Problem::new("", 0, &format!("no case is selected ({} exist{near})", ids.len())) }
    }
}

fn from_command_line(option: &str, what: &str) -> Problem {
    Problem::new(option, 0, what)
}

/// Refuses keys of `-s` that nothing declares.
pub(crate) fn check_keys(set: &[(String, String)], known: &Known<'_>, problems: &mut Vec<Problem>) {
    let paths = paths::all();
    for (key, _) in set {
        if !paths.contains(&key.as_str()) && !known.catalogue.iter().any(|row: &SettingRow| row.declares(key)) {
            problems.push(from_command_line("-s", &unknown_setting(key, known.catalogue, &paths)));
        }
    }
}

/// Applies `-s` to a scenario: an axis is left with that one value, any other key is set where the scenario can have it.
pub(crate) fn apply(set: &[(String, String)], wire: &mut Wire, known: &Known<'_>) {
    for (key, text) in set {
        let value = Located::new(tree::command_line_value(text), "-s", 0);
        if let Some(axis) = wire.axes.iter_mut().find(|axis| axis.key == *key) {
            *axis = WireAxis { key: key.clone(), line: axis.line, values: vec![value] };
        } else if makes_sense(wire, key, &value.value, known) {
            // What is typed outranks what a variant says.
            wire.variants.iter_mut().for_each(|variant| variant.set.retain(|(set, _)| set != key));
            paths::set(wire, key, value);
        }
    }
}

/// A closed loop has no rate, only a trace has a speed, and a tool's setting means nothing to a scenario that never calls the tool.
fn makes_sense(wire: &Wire, key: &str, value: &str, known: &Known<'_>) -> bool {
    if let ("load.arrivals", parameter @ ("rate" | "speed")) = key.rsplit_once('.').unwrap_or_default() {
        let has = |kind: &Located| known.kinds.parameters(&kind.value).iter().any(|name| name == parameter);
        // What has another rate instead, such as bursts with a rate of their own, has no use for this one.
        let other = parameter == "rate" && wire.load.arrivals.with.keys().any(|given| given != "rate" && known.kinds.is_rate(given));
        return wire.load.arrivals.kind.as_ref().is_none_or(has) && !other;
    }
    if key == paths::VARIANT {
        return wire.variants.iter().any(|variant| variant.name == value);
    }
    match key.strip_prefix("pool.tools.").and_then(|rest| rest.split('.').next()) {
        Some(tool) => wire.load.mix.iter().any(|m| m.tool.as_ref().is_some_and(|t| t.value == tool)),
        None => true,
    }
}
