//! What survives of a gain: in isolation, in the phase, and in the request's percentiles.

use analysis::Summary;
use analysis::summary::{Gain, Share, Survival};

use crate::markdown::{BLANK, Column, Table, code, escape};
use crate::show;

const HOW: &str = "The same settings measured alone and end to end, under load through the pool, in one run. **In isolation** is the gain in time per operation (CPU time where \
                   the CPU bounds the job), then come those of the phase's p50 and of the response's p50 and p99, each with its 99 % interval over rounds. \
                   **Survives** is `ln(gain end to end) / ln(gain in isolation)`: 100 % is all of it, 0 % none, below 0 % a loss; its range is what both \
                   intervals permit. `inconclusive`: the interval holds no gain, so perhaps nothing survived. A p99 needs some \
                   1,000 requests in each round, for which `-s load.length=10s` serves.";

/// The section of the report; nothing where no scenario asks.
pub(crate) fn section(summary: &Summary) -> String {
    if summary.survives.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        (Column::Left, "settings"),
        (Column::Right, "in isolation"),
        (Column::Right, "phase p50"),
        (Column::Right, "response p50"),
        (Column::Right, "response p99"),
        (Column::Right, "survives to p50"),
        (Column::Right, "survives to p99"),
        (Column::Left, "beside it"),
    ]);
    for survival in &summary.survives {
        table.row(row(survival));
    }
    format!("## What survives of a gain\n\n{HOW}\n\n{}", table.render())
}

fn row(survival: &Survival) -> Vec<String> {
    vec![
        format!("{} ({})", escape(&survival.says), escape(&survival.scenario)),
        gain(&survival.isolated),
        format!("{}: {}", escape(&survival.phase), gain(&survival.phase_p50)),
        gain(&survival.p50),
        gain(&survival.p99),
        share(&survival.p50_share),
        share(&survival.p99_share),
        beside(survival),
    ]
}

fn gain(gain: &Gain) -> String {
    let Some(value) = gain.gain else { return BLANK.to_owned() };
    let shown = show::ratio_within(value, gain.low, gain.high);
    if gain.inconclusive { format!("{shown} inconclusive") } else { shown }
}

/// `42 % [30, 61]`.
fn share(share: &Share) -> String {
    let (Some(value), Some(low), Some(high)) = (share.share, share.low, share.high) else { return BLANK.to_owned() };
    let whole = |x: f64| format!("{:.0}", (x * 100.0).clamp(-9999.0, 9999.0) + 0.0);
    let shown = format!("{} % [{}, {}]", whole(value), whole(low), whole(high));
    if share.inconclusive { format!("{shown} inconclusive") } else { shown }
}

/// The contenders, durability, and why cells are blank, each reason once.
fn beside(survival: &Survival) -> String {
    let contenders =
        format!("alone: {} {} over {}", escape(&survival.isolated_scenario), code(&survival.isolated_of), code(&survival.isolated_over));
    let mut said = vec![contenders];
    said.extend(survival.durability.iter().map(|(a, b)| format!("{} against {}", escape(a), escape(b))));
    said.extend(survival.beside.iter().map(|b| escape(b)));
    let gains = [&survival.isolated, &survival.phase_p50, &survival.p50, &survival.p99].map(|gain| &gain.why);
    for why in gains.into_iter().chain([&survival.p50_share.why]) {
        let why = escape(why);
        if !why.is_empty() && !said.contains(&why) {
            said.push(why);
        }
    }
    said.join("; ")
}
