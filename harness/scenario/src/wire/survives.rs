//! `[[survives]]`: a gain in isolation and the same settings end to end; each side is one case, checked once all files were read.

use model::Located;
use model::survives::{Pick, Sides, Survives};

use super::fields::{self, Fields};
use super::{Known, WireAxis, tree_leaves};
use crate::matrix;
use crate::problem::Problems;
use crate::tree::{Entry, Value};
use crate::words;

pub(crate) const SURVIVES: [&str; 5] = ["says", "phase", "of", "over", "isolated"];
pub(crate) const ISOLATED: [&str; 3] = ["scenario", "of", "over"];
/// Most of them in one scenario.
const MOST: usize = 50;

/// One side as written: its line, and a value per short key.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireSide {
    line: u32,
    values: Vec<(String, Located)>,
}

/// Two sides of one scenario.
#[derive(Clone, Debug)]
pub(crate) struct WireSides {
    /// Before the names of its keys in messages.
    path: &'static str,
    scenario: Located,
    of: WireSide,
    over: WireSide,
}

/// One `[[survives]]`.
#[derive(Clone, Debug)]
pub(crate) struct WireSurvives {
    says: Located,
    phase: String,
    whole: WireSides,
    isolated: WireSides,
}

/// Takes all of a file; what is wrong is reported and left out.
pub(super) fn read(entry: Entry, file: &str, name: &str, known: &Known<'_>, problems: &mut Problems) -> Vec<WireSurvives> {
    let line = entry.line;
    let tables = fields::tables("survives", entry, problems);
    if tables.len() > MOST {
        problems.at(line, format!("'survives' is given {} times (expected at most {MOST})", tables.len()));
        return Vec::new();
    }
    tables.into_iter().filter_map(|(line, table)| one(Fields::new("survives", file, line, table), file, name, known, problems)).collect()
}

fn one(mut fields: Fields, file: &str, name: &str, known: &Known<'_>, problems: &mut Problems) -> Option<WireSurvives> {
    let (before, line) = (problems.count(), fields.line);
    let (says, phase) = (fields.leaf("says", problems), fields.leaf("phase", problems));
    let own = Located::new(name, file, line);
    let whole = sides("", line, own, &mut fields, file, problems);
    let isolated = match fields.table("isolated") {
        Some(mut inner) => {
            let at = inner.line;
            let scenario = inner.leaf("scenario", problems);
            if scenario.is_none() {
                problems.at(at, "'survives.isolated' lacks 'scenario' (expected the name of one, such as \"sqlite/commits\")");
            }
            let scenario = scenario.unwrap_or_else(|| Located::new("", file, at));
            let found = sides("isolated.", at, scenario, &mut inner, file, problems);
            inner.finish(&ISOLATED, problems);
            Some(found)
        }
        None => {
            problems.at(line, "'survives.isolated' is missing (expected { scenario = \"…\", of = { … }, over = { … } })");
            None
        }
    };
    fields.finish(&SURVIVES, problems);
    match &phase {
        Some(phase) => problems.one_of("phase", phase, &known.kinds.phases),
        None => problems.at(line, "'survives.phase' is missing (expected the phase that the settings change, such as phase = \"persist\")"),
    }
    let said = says.filter(|says| !says.value.trim().is_empty());
    if said.is_none() {
        problems.at(line, "'survives.says' is missing (expected which settings are better than which)");
    }
    (problems.count() == before).then(|| Some(WireSurvives { says: said?, phase: phase?.value, whole, isolated: isolated? })).flatten()
}

fn sides(path: &'static str, line: u32, scenario: Located, fields: &mut Fields, file: &str, problems: &mut Problems) -> WireSides {
    let mut side = |name: &str| match fields.entry(name) {
        Some(entry) if matches!(entry.node.value, Value::Table(_)) => {
            WireSide { line: entry.line, values: tree_leaves("", entry, file, problems) }
        }
        given => {
            let line = given.map_or(line, |entry| entry.line);
            problems
                .at(line, format!("'survives.{path}{name}' is no case (expected a value of every axis, such as {{ way = \"std-read\" }})"));
            WireSide::default()
        }
    };
    let of = side("of");
    WireSides { path, scenario, of, over: side("over") }
}

impl WireSurvives {
    /// Holds both scenarios against what exists: names with their axes as written.
    pub(crate) fn check(&self, all: &[(&str, &[WireAxis])], problems: &mut Problems) {
        self.whole.check(all, problems);
        self.isolated.check(all, problems);
    }

    /// As the plan has it.
    pub(crate) fn told(&self) -> Survives {
        Survives { says: self.says.clone(), phase: self.phase.clone(), whole: self.whole.told(), isolated: self.isolated.told() }
    }
}

impl WireSides {
    fn told(&self) -> Sides {
        let pick = |side: &WireSide| -> Pick { side.values.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect() };
        Sides { scenario: self.scenario.value.clone(), of: pick(&self.of), over: pick(&self.over) }
    }

    fn check(&self, all: &[(&str, &[WireAxis])], problems: &mut Problems) {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        problems.one_of("scenario", &self.scenario, &names);
        let Some((_, axes)) = all.iter().find(|(name, _)| *name == self.scenario.value) else { return };
        let before = problems.count();
        self.side("of", &self.of, axes, problems);
        self.side("over", &self.over, axes, problems);
        let told = self.told();
        if problems.count() == before && told.of.iter().all(|pair| told.over.contains(pair)) {
            let path = self.path;
            problems
                .at(self.of.line, format!("'survives.{path}of' and '{path}over' are the same case (expected them to differ in an axis)"));
        }
    }

    fn side(&self, name: &str, side: &WireSide, axes: &[WireAxis], problems: &mut Problems) {
        let (path, shorts) = (self.path, matrix::shorts(axes));
        for (axis, value) in &side.values {
            let Some(at) = shorts.iter().position(|short| short == axis) else {
                let expected = words::expected(axis, &shorts);
                problems.with(value, format!("survives.{path}{name}: {} has no axis '{axis}' {expected}", self.scenario.value));
                continue;
            };
            let values: Vec<&str> = axes.get(at).iter().flat_map(|a| &a.values).map(|v| v.value.as_str()).collect();
            problems.one_of(&format!("value of '{axis}'"), value, &values);
        }
        if let Some(open) = shorts.iter().find(|short| !side.values.iter().any(|(axis, _)| axis == *short)) {
            problems.at(
                side.line,
                format!("'survives.{path}{name}' leaves '{open}' open (expected one value of every axis of {})", self.scenario.value),
            );
        }
    }
}
