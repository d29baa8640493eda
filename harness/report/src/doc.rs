//! `report.md`: the order of its parts. Each part is a function from the summary to Markdown.

use std::fmt::Write as _;

use analysis::Summary;
use model::durability::Durability;

use crate::pictures::ScenarioPictures;
use crate::{claims, durability, survives};

mod axes;
mod checks;
mod classes;
mod contenders;
mod generator;
mod head;
mod overview;
mod pool;
mod profile;
pub(crate) mod scenario;
mod sure;
mod time;

pub(crate) use classes::{ratio_within, within};
pub(crate) use overview::axes as axes_of;

/// The document; `pictures` holds one entry per scenario, in order, `crashes` what a crash costs where that was measured, `advice` the
/// recommendation.
pub(crate) fn report(summary: &Summary, pictures: &[ScenarioPictures], crashes: Option<&Durability>, advice: &str) -> String {
    let mut out = head::title_and_headline(summary);
    out.push_str(&head::alerts(summary));
    out.push_str(&head::facts(summary));
    out.push_str(&head::HOW_TO_READ.replace("{rounds}", &head::rounds(summary)));
    out.push_str(&overview::table(summary));
    out.push_str(&durability::section(summary, crashes));
    out.push_str(advice);
    out.push_str(&claims::section(summary));
    out.push_str(&survives::section(summary));
    let everywhere = head::brands_everywhere(summary);
    for (index, scenario) in summary.scenarios.iter().enumerate() {
        let none = ScenarioPictures::default();
        out.push_str(&scenario::section(scenario, pictures.get(index).unwrap_or(&none), &everywhere));
    }
    out.push_str(&generator::table(summary));
    let _ = writeln!(
        out,
        "---\n\nEvery figure above is in `report.json` (`schema` {}), computed from `records.jsonl`; `hlog/` holds each case's \
         response histogram for the usual HDR tools.",
        summary.schema
    );
    out
}
