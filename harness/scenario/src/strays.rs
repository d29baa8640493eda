//! Words of a claim that its own file does not have: where they are, so that whoever wrote them finds the file that they belong to.

use crate::matrix;
use crate::problem::Problem;
use crate::reading::Read;
use crate::wire::WireAxis;

/// Most scenarios that are named.
const NAMED: usize = 3;
/// What holds for every claim.
const OWN: &str = "a claim chooses among the cases of its own file";

/// A word that a claim's own file does not have.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    /// Which of the problems it is.
    pub(crate) problem: usize,
    /// Scenario that has it not.
    pub(crate) file: String,
    /// Short key of the axis.
    pub(crate) axis: String,
    /// The value of it; `None` where the axis itself is unknown.
    pub(crate) value: Option<String>,
}

impl Stray {
    /// With this many problems before its own.
    pub(crate) fn behind(self, before: usize) -> Self {
        Self { problem: self.problem.saturating_add(before), ..self }
    }

    fn is_in(&self, axes: &[WireAxis]) -> bool {
        let own = matrix::shorts(axes).into_iter().zip(axes).filter(|(short, _)| *short == self.axis);
        own.into_iter().any(|(_, axis)| self.value.as_ref().is_none_or(|value| axis.values.iter().any(|v| v.value == *value)))
    }

    /// The axis of its own file that has the value.
    fn beside(&self, axes: &[WireAxis]) -> Option<String> {
        let value = self.value.as_ref()?;
        let own = matrix::shorts(axes).into_iter().zip(axes);
        own.into_iter().find(|(_, axis)| axis.values.iter().any(|v| v.value == *value)).map(|(short, _)| short)
    }
}

/// Says of each where it is, and what to do.
pub(crate) fn point(strays: &[Stray], read: &[Read], found: &mut [Problem]) {
    for stray in strays {
        let Some(problem) = found.get_mut(stray.problem) else { continue };
        let own = read.iter().find(|one| one.wire.file == stray.file);
        if let Some(axis) = own.and_then(|one| stray.beside(&one.axes)) {
            let (given, value) = (&stray.axis, stray.value.as_deref().unwrap_or_default());
            problem.help = Some(format!("'{value}' is a value of '{axis}', not of '{given}': write {axis} = \"{value}\""));
            continue;
        }
        let others: Vec<&str> =
            read.iter().filter(|one| one.wire.file != stray.file && stray.is_in(&one.axes)).map(|one| one.wire.name.as_str()).collect();
        problem.help = Some(match others.split_first() {
            None => format!("{OWN}: `poolbench list --cases` shows them"),
            Some((first, _)) => {
                let what = if stray.value.is_some() { "value" } else { "axis" };
                let is_of = others.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
                let more = others.len().saturating_sub(NAMED);
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(
                    "the {what} is of {is_of}{rest}, and {OWN}: move the claim to {first}.toml, or, where a gain there is to be found again here, \
                     write [[survives]]"
                )
            }
        });
    }
}
