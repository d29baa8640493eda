//! The recommendation: what was compared, what is best, the settings to paste, and what became of the prediction.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::Summary;
use analysis::recommend::{self, Advice, Candidate, Confirmation, Constraints, Decision, Measure, Part, Standing, Survive};
use model::Plan;
use model::durability::Durability;
use model::units::{show_bytes, show_ns};

use crate::markdown::{BLANK, Column, Table, code, escape};
use crate::show;

const HOW: &str = "`optimal`: no other of the same durability class is as good in every figure and better in one; classes are never mixed. Figures are \
                   medians over rounds, with no interval: candidates that are close may change places in another run. The time of a store is that of \
                   a request at capacity where whole requests were measured, else the median of a save; p99 is that of the scenario's own load, \
                   and `≤` the longest time where too few samples carry one.";
/// Settings in bytes, whose values need their unit.
const BYTES: [&str; 4] = ["store.dictionary-size", "store.session-max", "compress.min-size", "compress.decompressed-max"];

/// The answer of `poolbench recommend`, and the section of a report; nothing where the run compares no settings.
pub fn recommendation(advice: &Advice) -> String {
    if advice.decisions.is_empty() && advice.impossible.is_empty() {
        return String::new();
    }
    let mut out = format!("## Recommendation\n\nAsked for: {}. {HOW}\n\n", asked(&advice.constraints));
    for decision in &advice.decisions {
        out.push_str(&of_part(decision, advice.constraints.payload_bytes));
    }
    for why in &advice.impossible {
        let _ = writeln!(out, "Nothing is recommended. {}.\n", escape(why));
    }
    if !advice.decisions.is_empty() {
        let _ = writeln!(
            out,
            "To paste into a scenario, or into a server's file, which says where in `server.data`:\n\n```toml\n{}```\n",
            settings_block(&advice.decisions)
        );
    }
    out
}

/// The section of a report, for the default constraints. Of stores nothing is said before it is known what a crash costs them.
pub(crate) fn section(plan: &Plan, summary: &Summary, crashes: Option<&Durability>) -> String {
    let mut advice = recommend::advise(plan, summary, crashes, &Constraints::default());
    if plan.virtual_time {
        return String::new();
    }
    if crashes.is_none() {
        advice.decisions.retain(|decision| decision.contest.part != Part::Store);
        advice.impossible.clear();
    }
    recommendation(&advice)
}

/// `no acknowledged save lost when the power fails, p99 at most 5.00 ms`.
fn asked(constraints: &Constraints) -> String {
    let survive = match constraints.survive {
        Survive::Nothing => "no durability",
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
    let store = contest.part == Part::Store;
    let mut head = vec![(Column::Left, "settings")];
    head.extend(store.then_some((Column::Left, "class")));
    head.extend([(Column::Right, "time"), (Column::Right, "p99"), (Column::Right, "CPU")]);
    head.extend((!store).then_some((Column::Right, "ratio")));
    head.extend([(Column::Right, "rounds"), (Column::Left, "standing")]);
    let mut table = Table::new(&head);
    let varied = varied(&contest.candidates);
    for (at, (one, standing)) in contest.candidates.iter().zip(&decision.standings).enumerate() {
        let mut cells = vec![code(&shown(one, &varied))];
        cells.extend(store.then(|| one.class.unwrap_or("not measured").to_owned()));
        let blank = |ns: Option<f64>| ns.map_or(BLANK.to_owned(), show_ns);
        let p99 = match (one.p99_ns, one.max_ns) {
            (None, Some(max)) => format!("≤ {}", show_ns(max)),
            (p99, _) => blank(p99),
        };
        cells.extend([blank(one.time_ns), p99, show_ns(one.cpu_ns)]);
        cells.extend((!store).then(|| one.bytes_ratio.map_or(BLANK.to_owned(), |ratio| format!("{ratio:.3}"))));
        let rounds =
            if one.time_rounds == one.rounds { one.rounds.to_string() } else { format!("{} (time {})", one.rounds, one.time_rounds) };
        cells.extend([rounds, standing_of(decision, at, standing, &varied)]);
        table.row(cells);
    }
    out.push_str(&table.render());
    out.push_str(&predicted(decision, &varied));
    out
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
    match standing {
        _ if at == decision.pick => "**recommended**".to_owned(),
        Standing::Optimal => "optimal".to_owned(),
        Standing::Beaten(by) => {
            format!("beaten by {}", code(&decision.contest.candidates.get(*by).map_or(String::new(), |one| shown(one, varied))))
        }
        Standing::Excluded(why) => format!("excluded: {}", escape(why)),
    }
}

fn predicted(decision: &Decision, varied: &[String]) -> String {
    let Some((_, base)) = decision.pair() else { return "There is nothing to compare it with.\n\n".to_owned() };
    let parts: Vec<String> =
        decision.predicted().iter().map(|(measure, ratio)| format!("{} {}", show::ratio(*ratio), measure.name())).collect();
    format!("Predicted, by {}: {}.\n\n", code(&shown(base, varied)), parts.join(", "))
}

/// The settings of the decisions as TOML. Compression of stored sessions stands in comments: it costs the store CPU time that its figures have not.
pub fn settings_block(decisions: &[Decision]) -> String {
    let of = |part: Part| decisions.iter().find(|d| d.contest.part == part).and_then(Decision::picked).map(|c| &c.settings);
    let mut out = String::new();
    let lines = |settings: &BTreeMap<String, String>, table: &str| -> Vec<String> {
        let own = settings.iter().filter_map(|(key, value)| Some((key.strip_prefix(table)?.strip_prefix('.')?, key, value)));
        own.map(|(short, key, value)| format!("{short} = {}\n", typed(key, value))).collect()
    };
    let (store, rest) = (of(Part::Store), of(Part::Rest));
    if store.is_some() || rest.is_some() {
        out.push_str("[store]\n");
        store.iter().for_each(|settings| out.extend(lines(settings, "store")));
        // What the store's own candidates said already is not said against.
        let unsaid = rest.map(|rest| rest.iter().filter(|(key, _)| store.is_none_or(|s| !s.contains_key(*key))));
        let unsaid: BTreeMap<String, String> = unsaid.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        out.extend(lines(&unsaid, "store").iter().map(|line| format!("# {line}")));
    }
    if let Some(settings) = of(Part::Responses) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("[compress]\n");
        out.extend(lines(settings, "compress"));
    }
    out
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

/// What became of the predictions, as Markdown; `on` says on what payload.
pub fn confirmation(all: &[Confirmation], on: &str) -> String {
    let mut out = format!(
        "## Confirmation\n\nMeasured anew, in turn, on {}: the recommended settings by the baseline, with the 95 % interval over rounds. The error is \
         that of the predicted ratio; absolute figures of two runs are no prediction of each other.\n\n",
        escape(on)
    );
    let mut table = Table::new(&[
        (Column::Left, "part"),
        (Column::Left, "figure"),
        (Column::Right, "predicted"),
        (Column::Right, "measured"),
        (Column::Right, "rounds"),
        (Column::Right, "error"),
        (Column::Right, "in the run"),
        (Column::Right, "now"),
    ]);
    for one in all {
        let measured = one.measured.value.map_or_else(
            || one.measured.why_blank.as_deref().map_or(BLANK.to_owned(), escape),
            |ratio| show::ratio_within(ratio, one.measured.low, one.measured.high),
        );
        let [before, now] = one.absolute.map(|value| value.map_or(BLANK.to_owned(), |value| absolute(one.measure, value)));
        table.row(vec![
            one.part.name().to_owned(),
            one.measure.name().to_owned(),
            show::ratio(one.predicted),
            measured,
            one.measured.rounds.to_string(),
            error(one),
            before,
            now,
        ]);
    }
    out.push_str(&table.render());
    out.extend(all.iter().filter(|one| is_lost(one)).map(lost));
    out
}

/// Whether what was to be better is worse, beyond doubt.
fn is_lost(one: &Confirmation) -> bool {
    one.predicted < 1.0 && one.measured.low.is_some_and(|low| low > 1.0)
}

fn lost(one: &Confirmation) -> String {
    format!(
        "**Not confirmed**: the settings recommended for the {} need more {} than the baseline on this payload, where less was predicted. Keep the \
         baseline, or choose among figures of your own payload: `poolbench run` with `-s load.payload.size=…`, then `recommend` on that run.\n\n",
        one.part.name(),
        one.measure.name()
    )
}

/// The error of a prediction, with the interval that the measured ratio's gives it: `+15.9 % [-2.4, +28.1]`.
fn error(one: &Confirmation) -> String {
    let Some(error) = one.error else { return BLANK.to_owned() };
    let at = |ratio: f64| (one.predicted / ratio - 1.0) * 100.0;
    let within = one.measured.low.zip(one.measured.high).filter(|(low, high)| *low > 0.0 && *high > 0.0);
    let within = within.map_or(String::new(), |(low, high)| format!(" [{:+.1}, {:+.1}]", at(high), at(low)));
    format!("{:+.1} %{within}", error * 100.0)
}

fn absolute(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Time | Measure::Cpu => show_ns(value),
        Measure::Size => show::percent(value),
    }
}

#[cfg(test)]
mod tests;
