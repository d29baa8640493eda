//! The pool's own tables: tiers and utilisation, tier selection, session affinity, deaths of workers.

use std::fmt::Write as _;

use analysis::summary::{CaseSummary, Confusion, ScenarioSummary};

use crate::doc::overview::axes;
use crate::doc::scenario::folded_if_long;
use crate::markdown::{BLANK, Column, Notes, Table, bar, code, escape};
use crate::show::{self, count, percent, percent_or_blank, plural};

/// A table whose first column is the case, left out where the scenario has one case only.
pub(crate) fn table_by_case(scenario: &ScenarioSummary, columns: &[(Column, &str)]) -> Table {
    let case = (Column::Left, "case");
    let head: Vec<(Column, &str)> = if scenario.cases.len() < 2 { columns.to_vec() } else { [&[case], columns].concat() };
    Table::new(&head)
}

/// The cells of a row with the case before them, as [`table_by_case`] has it.
pub(crate) fn row_by_case(scenario: &ScenarioSummary, case: &CaseSummary, mut cells: Vec<String>) -> Vec<String> {
    if scenario.cases.len() > 1 {
        cells.insert(0, escape(&axes(case)));
    }
    cells
}

/// Which tier served how much, how busy its workers were, how long its requests took.
pub(crate) fn tiers(scenario: &ScenarioSummary) -> String {
    let used = |case: &CaseSummary| case.tiers.iter().filter(|t| t.served > 0).count();
    // With one tier its response is the case's own, which other tables show.
    let several = scenario.cases.iter().any(|case| used(case) > 1);
    let mut columns: Vec<(Column, &str)> = vec![
        (Column::Left, "tier"),
        (Column::Right, "served"),
        (Column::Right, "slots"),
        (Column::Right, "busy"),
        (Column::Right, "live"),
        (Column::Right, "service p50"),
    ];
    if several {
        columns.extend(["response p50", "response p90", "response p99"].map(|name| (Column::Right, name)));
    }
    let mut notes = Notes::default();
    let mut table = table_by_case(scenario, &columns);
    for case in &scenario.cases {
        for tier in case.tiers.iter().filter(|t| t.served > 0 || t.slots > 0) {
            let share = tier.served_share.map_or(String::new(), |s| format!(" ({})", percent(s)));
            let mut cells = vec![
                escape(&tier.tier),
                format!("{}{share}", count(tier.served)),
                tier.slots.to_string(),
                percent_or_blank(tier.busy_share),
                percent_or_blank(tier.live_share),
                show::time(&tier.service.p50_ns, &mut notes),
            ];
            if several {
                cells.extend([&tier.response.p50_ns, &tier.response.p90_ns, &tier.response.p99_ns].map(|f| show::time(f, &mut notes)));
            }
            table.row(row_by_case(scenario, case, cells));
        }
    }
    let sentence = "**Tiers and pool utilisation**: *busy* by *live* slot time, *live* by all slot time.";
    folded_if_long(table.len(), sentence, &(table.render() + &notes.render()))
}

/// How well the tier was predicted, where there was more than one to choose from.
pub(crate) fn confusion(scenario: &ScenarioSummary) -> String {
    let told: Vec<(&CaseSummary, &Confusion)> =
        scenario.cases.iter().filter_map(|c| c.confusion.as_ref().map(|m| (c, m))).filter(|(_, m)| tiers_met(m) > 1).collect();
    let Some(((first, matrix), rest)) = told.split_first() else {
        return String::new();
    };
    let mut out = format!(
        "**Tier selection**{}: {} of {} requests were sent to the tier that their real cost belongs to. A row is what was predicted, a column \
         what it was; *recall* is the share of a tier's requests that were predicted rightly, *precision* the share of its predictions.\n\n",
        crate::doc::scenario::of_case(scenario, first),
        percent_or_blank(matrix.accuracy),
        count(matrix.total)
    );
    out.push_str(&matrix_table(matrix));
    if !rest.is_empty() {
        let mut table = Table::new(&[(Column::Left, "case"), (Column::Right, "accuracy"), (Column::Right, "recall per tier")]);
        for (case, matrix) in rest {
            let recall = matrix.tiers.iter().zip(&matrix.recall).map(|(t, r)| format!("{} {}", escape(t), percent_or_blank(*r)));
            table.row(vec![escape(&axes(case)), percent_or_blank(matrix.accuracy), recall.collect::<Vec<_>>().join(", ")]);
        }
        out.push_str(&folded_if_long(table.len(), "Tier selection of the other cases:", &table.render()));
    }
    out
}

/// What guessing cost, beside how good it was: accuracy alone proves nothing.
pub(crate) fn guessing(scenario: &ScenarioSummary) -> String {
    let mut table = table_by_case(scenario, &[(Column::Right, "cost regret"), (Column::Right, "hot over-predicted")]);
    for case in &scenario.cases {
        let Some(guessing) = &case.guessing else { continue };
        let excess = |ratio: f64| format!("{:.2}", (ratio - 1.0) * 100.0);
        let found = &guessing.by_oracle;
        let regret = match (found.value, found.low, found.high) {
            (Some(value), Some(low), Some(high)) => format!("{} % [{}, {}]", excess(value), excess(low), excess(high)),
            (Some(value), ..) => format!("{} %", excess(value)),
            _ => BLANK.to_owned(),
        };
        table.row(row_by_case(scenario, case, vec![regret, percent_or_blank(guessing.over_predicted)]));
    }
    let sentence = "**Cost regret**: the mean response beyond that of a pool that knows every cost, simulated on the same arrivals; with it the share \
                    of really hot requests that were taken for heavier ones.";
    folded_if_long(table.len(), sentence, &table.render())
}

/// Tiers that were predicted or turned out to be right at least once: with one alone there was nothing to choose.
fn tiers_met(matrix: &Confusion) -> usize {
    let met = |tier: usize| {
        let predicted = matrix.counts.get(tier).is_some_and(|row| row.iter().any(|n| *n > 0));
        predicted || matrix.counts.iter().any(|row| row.get(tier).is_some_and(|n| *n > 0))
    };
    (0..matrix.tiers.len()).filter(|tier| met(*tier)).count()
}

fn matrix_table(matrix: &Confusion) -> String {
    let mut table = Table::new(&[(Column::Left, "predicted")]);
    for tier in &matrix.tiers {
        table.column(&format!("really {}", escape(tier)));
    }
    table.column("precision");
    for (index, tier) in matrix.tiers.iter().enumerate() {
        let mut cells = vec![escape(tier)];
        let counts = matrix.counts.get(index).map(Vec::as_slice).unwrap_or_default();
        cells.extend(counts.iter().enumerate().map(|(column, n)| if column == index { format!("**{}**", count(*n)) } else { count(*n) }));
        cells.push(percent_or_blank(matrix.precision.get(index).copied().flatten()));
        table.row(cells);
    }
    let mut recall = vec!["*recall*".to_owned()];
    recall.extend(matrix.recall.iter().map(|r| percent_or_blank(*r)));
    table.row(recall);
    table.render()
}

/// Whether sessions met their own worker.
pub(crate) fn affinity(scenario: &ScenarioSummary) -> String {
    let mut table = table_by_case(
        scenario,
        &[
            (Column::Right, "hit share"),
            (Column::Right, "hits"),
            (Column::Right, "misses"),
            (Column::Right, "forced misses"),
            (Column::Right, "bound"),
            (Column::Right, "no session"),
        ],
    );
    for case in &scenario.cases {
        let Some(a) = case.affinity.filter(|a| a.hits + a.missed + a.forced_misses + a.bound > 0) else { continue };
        let cells =
            vec![percent_or_blank(a.hit_share), count(a.hits), count(a.missed), count(a.forced_misses), count(a.bound), count(a.free)];
        table.row(row_by_case(scenario, case, cells));
    }
    let sentence = "**Session affinity**: a *hit* met its session's own worker, a *miss* another although that one lived, a *forced miss* \
                    came after its end.";
    folded_if_long(table.len(), sentence, &table.render())
}

/// Workers that died, and how.
pub(crate) fn deaths(scenario: &ScenarioSummary) -> String {
    let cases = &scenario.cases;
    let sum = |of: fn(&CaseSummary) -> u64| cases.iter().map(of).fold(0, u64::saturating_add);
    let (died, spawns) = (sum(|c| c.deaths.unexpected), sum(|c| c.deaths.spawns));
    let (closed, left) = (sum(|c| c.deaths.closed), sum(|c| c.deaths.children_left));
    if died == 0 && left == 0 {
        return if spawns == 0 {
            String::new()
        } else {
            format!("**Workers**: {} started, {} closed by the pool, none died, no child was left.\n\n", count(spawns), count(closed))
        };
    }
    let mut table = table_by_case(
        scenario,
        &[
            (Column::Right, "died"),
            (Column::Right, "while busy"),
            (Column::Left, "exit status"),
            (Column::Right, "started"),
            (Column::Right, "closed"),
            (Column::Right, "left over"),
        ],
    );
    for case in cases {
        let d = &case.deaths;
        let statuses: Vec<String> = d.by_status.iter().map(|(status, n)| format!("{} × {}", count(*n), escape(status))).collect();
        let statuses = if statuses.is_empty() { BLANK.to_owned() } else { statuses.join(", ") };
        let cells = vec![count(d.unexpected), count(d.while_busy), statuses, count(d.spawns), count(d.closed), count(d.children_left)];
        table.row(row_by_case(scenario, case, cells));
    }
    let mut out = String::new();
    let verb = if left == 0 { "no child was left behind".to_owned() } else { format!("**{} left behind**", plural(left, "child process")) };
    let _ = write!(out, "**Workers**: {} died without being asked to; {verb}. Sums over rounds.", count(died));
    folded_if_long(table.len(), &out, &table.render())
}

/// What went wrong on purpose, and what the workers noted of it.
pub(crate) fn faults(scenario: &ScenarioSummary) -> String {
    let mut table = table_by_case(scenario, &[(Column::Right, "faults"), (Column::Left, "by kind"), (Column::Left, "workers' journal")]);
    for case in scenario.cases.iter().filter(|case| !case.faults.is_empty() || case.journal.is_some()) {
        let kinds: Vec<String> = case.faults.iter().map(|(kind, n)| format!("{} × {}", count(*n), escape(kind))).collect();
        let all = case.faults.values().fold(0u64, |sum, n| sum.saturating_add(*n));
        let journal = case.journal.map_or(BLANK.to_owned(), |j| {
            let (twice, never) = (count(j.twice), count(j.never));
            format!(
                "{} executions; {twice} twice, {never} never, {} unsaid, {} replayed",
                count(j.executions),
                count(j.unsaid),
                count(j.replayed)
            )
        });
        let kinds = if kinds.is_empty() { BLANK.to_owned() } else { kinds.join(", ") };
        table.row(row_by_case(scenario, case, vec![count(all), kinds, journal]));
    }
    if table.len() == 0 {
        return String::new();
    }
    let sentence = "**Faults** that struck, and requests by what the workers noted: executed *twice* without leave, *never* although \
                    answered `ok`, although the outcome says *unsaid* (`failed`, `shed`), twice because the tool may be *replayed*. Sums over rounds.";
    folded_if_long(table.len(), sentence, &table.render())
}

/// A share as text and bar, for the phase table.
pub(crate) fn share_with_bar(share: Option<f64>) -> String {
    share.map_or(BLANK.to_owned(), |s| format!("{} {}", bar(s), percent(s)))
}

/// The name of a case as code, for sentences.
pub(crate) fn case_code(scenario: &ScenarioSummary, case: &CaseSummary) -> String {
    if scenario.cases.len() < 2 { code(&scenario.name) } else { code(&axes(case)) }
}
