//! The recommendation: what was compared, what is best, the settings to paste.

mod block;
mod confirmed;

use std::fmt::Write as _;

use analysis::recommend::{self, Advice, Candidate, Constraints, Decision, Evidence, Measure, Part, Standing, Survive};
use analysis::summary::Interval;
use model::units::{show_bytes, show_ns, show_rate};

pub use block::settings_block;
pub use confirmed::confirmation;

use crate::markdown::{BLANK, Column, Table, code, escape};
use crate::show;

const HOW: &str = "How to read the tables. `optimal`: no other of the same durability class is as good in every figure and better in one; classes are never mixed. Figures are \
                   medians over rounds, all under the scenario's own load: the time is the median of a request where whole requests were measured, \
                   else of an operation; `≤` is the longest time, where too few samples carry a p99. `close`: rounds do not tell it from the \
                   recommended in the figure that decides, so the two may change places in another run.";
/// Why settings are in comments.
const COMMENTS: &str = "\nIn comments stands what the store's figures do not have: compression costs each save CPU time, and settings of another kind of store do \
                        nothing in this one.\n";
/// What the times of saves at once are.
const SHARES: &str = "64 saves at once: a time is each one's share of them, which no limit on p99 is held against.\n\n";
/// What a prediction of a store leaves out.
const DISK: &str = " The intervals are over rounds of one run: a disk that is faster or slower at another hour is not in them.";

/// The answer of `poolbench recommend`, and the section of a report; nothing where the run compares no settings.
pub fn recommendation(advice: &Advice) -> String {
    if advice.decisions.is_empty() && advice.impossible.is_empty() {
        return String::new();
    }
    let mut out = format!("## Recommendation\n\nAsked for: {}.\n\n", asked(&advice.constraints));
    if !advice.decisions.is_empty() {
        let block = settings_block(&advice.decisions);
        let apart = if block.contains("# ") { COMMENTS } else { "" };
        let _ = writeln!(
            out,
            "To paste into a scenario, or into a server's file, which says where in `server.data`:\n\n```toml\n{block}```\n{apart}"
        );
    }
    for why in &advice.impossible {
        let _ = writeln!(out, "Nothing is recommended. {}.\n", escape(why));
    }
    for decision in &advice.decisions {
        out.push_str(&of_part(decision, advice.constraints.payload_bytes));
    }
    for what in &advice.left_out {
        let _ = writeln!(out, "Left out: {}.\n", escape(what));
    }
    if !advice.decisions.is_empty() {
        let _ = writeln!(out, "{HOW}\n");
    }
    out
}

/// The section of a report, for the default constraints. Of stores nothing is said before it is known what a crash costs them.
pub(crate) fn section(evidence: &Evidence<'_>) -> String {
    let mut advice = recommend::advise(evidence, &Constraints::default());
    if evidence.plan.virtual_time {
        return String::new();
    }
    if evidence.durability.is_none() {
        advice.decisions.retain(|decision| !decision.contest.part.keeps());
        advice.impossible.clear();
    }
    recommendation(&advice)
}

/// `no acknowledged save lost when the power fails, p99 at most 5.00 ms`.
fn asked(constraints: &Constraints) -> String {
    let survive = match constraints.survive {
        Survive::Nothing => "any durability",
        Survive::Kill => "no acknowledged save lost when the process is killed",
        Survive::PowerLoss => "no acknowledged save lost when the power fails",
    };
    let p99 = constraints.p99_ns.map_or("no limit on p99".to_owned(), |ns| format!("p99 at most {}", show_ns(ns as f64)));
    format!("{survive}, {p99}")
}

/// What is said of a choice among figures of one size for a payload of another: beyond this factor the prediction was seen to be off by half.
const OTHER_SIZE: u64 = 2;

fn other_size(measured: u64, given: Option<u64>) -> String {
    let far = |given: &u64| *given > measured.saturating_mul(OTHER_SIZE) || measured > given.saturating_mul(OTHER_SIZE);
    let Some(given) = given.filter(far) else { return String::new() };
    let (measured, yours) = (show_bytes(measured as f64), show_bytes(given as f64));
    format!(
        "**Measured with {measured}, and yours has {yours}**: neither predictions nor the order of settings need hold. Run the scenarios again with \
         `-s load.payload.size={}KiB` to choose among figures of your size.\n\n",
        given.div_ceil(1024)
    )
}

fn of_part(decision: &Decision, given: Option<u64>) -> String {
    let contest = &decision.contest;
    let mut out = format!("### {}\n\n{}.\n\n", heading(contest.part), escape(&contest.at));
    out.push_str(&other_size(contest.payload_bytes, given));
    if contest.part == Part::Group {
        out.push_str(SHARES);
    }
    let (keeps, paced) = (contest.part.keeps(), contest.candidates.iter().any(|one| one.per_s.is_some()));
    let mut head = vec![(Column::Left, "settings")];
    head.extend(keeps.then_some((Column::Left, "class")));
    head.extend(paced.then_some((Column::Right, "rate")));
    head.extend([(Column::Right, "time"), (Column::Right, "p99"), (Column::Right, "CPU")]);
    head.extend((!keeps).then_some((Column::Right, "ratio")));
    head.extend([(Column::Right, "rounds"), (Column::Left, "standing")]);
    let mut table = Table::new(&head);
    let varied = varied(&contest.candidates);
    for (at, (one, standing)) in contest.candidates.iter().zip(&decision.standings).enumerate() {
        let mut cells = vec![code(&shown(one, &varied))];
        cells.extend(keeps.then(|| one.class.unwrap_or("not measured").to_owned()));
        cells.extend(paced.then(|| one.per_s.map_or(BLANK.to_owned(), show_rate)));
        cells.extend([show::ns_or_blank(one.time_ns), tail(one), show_ns(one.cpu_ns)]);
        cells.extend((!keeps).then(|| one.bytes_ratio.map_or(BLANK.to_owned(), |ratio| format!("{ratio:.3}"))));
        cells.extend([one.rounds.to_string(), standing_of(decision, at, standing, &varied)]);
        table.row(cells);
    }
    out.push_str(&table.render());
    out.push_str(&rates(&contest.candidates));
    out.push_str(&predicted(decision, &varied));
    out
}

fn tail(one: &Candidate) -> String {
    match (one.p99_ns, one.max_ns) {
        (None, Some(max)) => format!("≤ {}", show_ns(max)),
        (p99, _) => show::ns_or_blank(p99),
    }
}

/// That not all had the same to do, where it is so.
fn rates(all: &[Candidate]) -> String {
    let rates = || all.iter().filter_map(|one| one.per_s);
    match rates().reduce(f64::min).zip(rates().reduce(f64::max)) {
        Some((low, high)) if high > low * 1.001 => format!(
            "Not all were sent the same: {} to {}, since each scenario's rate follows the capacity of its slowest case. At a lower rate a request waits \
             less.\n\n",
            show_rate(low),
            show_rate(high)
        ),
        _ => String::new(),
    }
}

fn heading(part: Part) -> String {
    let name = part.name();
    name.get(..1).unwrap_or_default().to_uppercase() + name.get(1..).unwrap_or_default()
}

/// Settings that not all candidates share.
fn varied(all: &[Candidate]) -> Vec<String> {
    let differs = |key: &&String| all.iter().any(|one| one.settings.get(*key) != all.first().and_then(|first| first.settings.get(*key)));
    let mut varied: Vec<String> = all.iter().flat_map(|one| one.settings.keys()).filter(differs).cloned().collect();
    varied.sort();
    varied.dedup();
    varied
}

fn shown(one: &Candidate, varied: &[String]) -> String {
    // What says nothing of what others vary is called by all that it says.
    let any = one.settings.keys().any(|key| varied.contains(key));
    let own = one.settings.iter().filter(|(key, _)| !any || varied.contains(key));
    own.map(|(key, value)| format!("{}={value}", key.rsplit('.').next().unwrap_or(key))).collect::<Vec<_>>().join(" ")
}

fn standing_of(decision: &Decision, at: usize, standing: &Standing, varied: &[String]) -> String {
    let said = match standing {
        _ if at == decision.pick => "**recommended**".to_owned(),
        Standing::Optimal => "optimal".to_owned(),
        Standing::Beaten(by) => {
            format!("beaten by {}", code(&decision.contest.candidates.get(*by).map_or(String::new(), |one| shown(one, varied))))
        }
        Standing::Excluded(why) => return format!("excluded: {}", escape(why)),
    };
    if decision.is_close(at) { format!("{said}, close") } else { said }
}

fn predicted(decision: &Decision, varied: &[String]) -> String {
    let Some((_, base)) = decision.pair() else { return "There is nothing to compare it with.\n\n".to_owned() };
    let of = |(measure, ratio): &(Measure, Interval)| {
        ratio.value.map(|value| format!("{} {}", show::ratio_within(value, ratio.low, ratio.high), measure.name()))
    };
    let all = decision.predicted();
    let parts: Vec<String> = all.iter().filter_map(of).collect();
    if parts.is_empty() {
        return format!("By {} nothing is predicted: no round has figures of both.\n\n", code(&shown(base, varied)));
    }
    let rounds = all.iter().map(|(_, ratio)| ratio.rounds).min().unwrap_or(0);
    let few = if rounds < 2 { " One round has no interval: run with `--rounds 5`." } else { "" };
    let disk = if decision.contest.part.keeps() && rounds > 1 { DISK } else { "" };
    format!(
        "Predicted, by {}, paired over {}: {}.{few}{disk}\n\n",
        code(&shown(base, varied)),
        show::plural(rounds.into(), "round"),
        parts.join(", ")
    )
}

#[cfg(test)]
mod tests;
