//! The top of the report: headline, what to be careful with, what ran and on what, how to read the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::Summary;
use analysis::summary::{Brand, Grade, Headline};
use model::facts::Facts;
use model::units::show_bytes;

use crate::markdown::{Column, Table, code, details, escape};
use crate::parts;
use crate::show::{count, plural};

/// Failures and brands listed at the top; the rest is counted there and listed with its scenario.
const MOST_LISTED: usize = 12;

/// The rules that all tables share.
pub(crate) const HOW_TO_READ: &str = "\
<details><summary>How to read this</summary>

- **Latency** counts from the *intended* start of each request, so a stall is charged to every request that it delayed. It is of `ok` \
requests only; read it beside **goodput**, the `ok` requests within their deadline per second. In a closed loop it counts from the send.
- A case's **figure** is the median over rounds of the round's own figure ({rounds}); percentiles are never averaged. A percentile with \
fewer than 10 samples beyond it is left blank (–), with the reason under the table.
- A **ratio** compares a value of an axis with the axis' first value: the geometric mean over all pairs of cases that agree in every other \
axis. `[low, high]` is its 95 % interval over rounds; **bold** where the interval excludes 1. Without an interval a ratio is an impression.
- **CPU per request** is of the process and its workers, without the thread that sends. **Busy** is slot time in use by slot time with \
a live worker, **live** the share of slot time with one.
- **Time by phase** is a mean over the requests whose response lies between p45 and p55, and over those at or beyond p99; phases of one \
request add up to its response, save what is *unexplained*.
- **Lag** is how late after its intended start a request was handed over: the generator's own fault, part of every latency here.
- **Brands** mark figures: `note` is worth knowing, `degraded` means less trustworthy than it looks, `invalid` means do not quote.
- **Capacity** is what a closed loop got through before the rounds; an offered rate may be a share of it.

</details>

";

/// Title, then the sentences that the figures carry.
pub(crate) fn title_and_headline(summary: &Summary) -> String {
    let day = summary.facts.started.get(..10).unwrap_or(&summary.facts.started);
    let mut out = format!("# poolbench report, {}\n\n", escape(day));
    out.push_str(&sentences(&summary.headlines, ""));
    out
}

/// Headlines as a list, without the name of the scenario in whose section they stand.
pub(crate) fn sentences(headlines: &[Headline], section: &str) -> String {
    let mut out = String::new();
    for headline in headlines {
        let text = headline.text.trim_end_matches('.');
        let text = text.strip_prefix(section).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(text);
        let _ = writeln!(out, "- {}.", escape(text));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What failed and what must not be quoted, worst first; nothing if all is well.
pub(crate) fn alerts(summary: &Summary) -> String {
    let mut groups: BTreeMap<(Grade, &str), Vec<Marked<'_>>> = BTreeMap::new();
    for case in summary.scenarios.iter().flat_map(|s| &s.cases) {
        for brand in &case.brands {
            groups.entry((brand.grade, &brand.name)).or_default().push((&case.id, brand));
        }
    }
    let of = |grade: Grade| groups.iter().filter(move |g| g.0.0 == grade).map(|g| brand_line(g.0.1, g.1));
    let invalid: Vec<String> = of(Grade::Invalid).collect();
    let failed: Vec<String> = summary.failures.iter().map(|f| format!("failed: {}: {}", code(&f.case), escape(&f.why))).collect();
    let stop = invalid.into_iter().map(|line| format!("invalid: {line}")).chain(failed).collect();
    let mut out = alert("CAUTION", "These figures must not be quoted, or the run failed:", stop);
    out.push_str(&alert("WARNING", "These figures are less trustworthy than they look:", of(Grade::Degraded).collect()));
    let notes: Vec<String> = of(Grade::Note).collect();
    if !notes.is_empty() {
        let lines: Vec<String> = notes.iter().map(|line| format!("- {line}")).collect();
        out.push_str(&details(&format!("{} on the figures", plural(notes.len() as u64, "note")), &lines.join("\n")));
    }
    out
}

/// Brands that every case of the run has for the same reason: the top says them once.
pub(crate) fn brands_everywhere(summary: &Summary) -> Vec<&Brand> {
    let mut cases = summary.scenarios.iter().flat_map(|s| &s.cases);
    let Some(first) = cases.next() else {
        return Vec::new();
    };
    let rest: Vec<_> = cases.collect();
    first.brands.iter().filter(|brand| !rest.is_empty() && rest.iter().all(|case| case.brands.contains(brand))).collect()
}

/// A case with one of its brands.
type Marked<'a> = (&'a str, &'a Brand);

fn brand_line(name: &str, marked: &[Marked<'_>]) -> String {
    let Some((case, brand)) = marked.first() else {
        return String::new();
    };
    let more = if marked.len() > 1 { format!(" and {}", plural(marked.len() as u64 - 1, "more case")) } else { String::new() };
    format!("{} in {}{more}: {}; {}", code(name), code(case), escape(&brand.reason), escape(&brand.remedy))
}

fn alert(kind: &str, first: &str, mut lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let rest = lines.len().saturating_sub(MOST_LISTED);
    lines.truncate(MOST_LISTED);
    if rest > 0 {
        lines.push(format!("and {rest} more, listed with their scenarios"));
    }
    let list: Vec<String> = lines.iter().map(|line| format!("> - {line}\n")).collect();
    format!("> [!{kind}]\n> {first}\n>\n{}\n", list.concat())
}

/// `3 rounds`, or the range.
pub(crate) fn rounds(summary: &Summary) -> String {
    let planned = || summary.scenarios.iter().flat_map(|s| &s.cases).map(|c| c.rounds_planned);
    match (planned().min().unwrap_or(0), planned().max().unwrap_or(0)) {
        (low, high) if low == high => plural(u64::from(high), "round"),
        (low, high) => format!("{low} to {high} rounds"),
    }
}

/// What ran and on what, without which figures mean nothing.
pub(crate) fn facts(summary: &Summary) -> String {
    let facts = &summary.facts;
    let mut table = Table::new(&[(Column::Left, "What ran"), (Column::Left, "")]);
    let mut row = |name: &str, text: String| table.row(vec![name.to_owned(), text]);
    row("Plan", plan(summary));
    if !summary.left_out.is_empty() {
        row("Left out", escape(&summary.left_out.join("; ")));
    }
    if !facts.parts.is_empty() {
        row("Merged from", parts::list(&facts.parts));
    }
    let said = |of: &dyn Fn(&Facts, u64) -> String| parts::said(facts, summary.seed, of);
    row("Began", said(&|facts, _| escape(&facts.started)));
    row("Build", said(&|facts, _| build(facts)));
    row("Host", said(&|facts, _| host(facts)));
    row("Filesystem", said(&|facts, _| escape(&facts.filesystem)));
    let libraries = |f: &Facts, _| format!("SQLite {}, zstd {}, zlib {}", escape(&f.sqlite), escape(&f.zstd), escape(&f.zlib));
    row("Libraries", said(&libraries));
    row("Timing class", timing_class(&summary.timing_class));
    if let Some(per_s) = facts.generator_per_s {
        row(
            "Generator",
            format!("with nobody behind it, it kept {}/s on this host with a lag p99 of at most 100 us", count(u64::from(per_s))),
        );
    }
    row("Measure again", said(&|facts, seed| code(&format!("poolbench {}", command(&facts.arguments, seed)))));
    row("Remake this page", "`poolbench report DIR` on the run's directory".to_owned());
    table.render()
}

fn build(facts: &Facts) -> String {
    let dirty = if facts.dirty { ", **with uncommitted changes**" } else { "" };
    let [version, commit, profile, rustc] = [&facts.version, &facts.commit, &facts.profile, &facts.rustc].map(|text| escape(text));
    format!("poolbench {version}, commit {commit}{dirty}, {profile}, {rustc}")
}

fn host(facts: &Facts) -> String {
    let ticks = if facts.tick_hz == 0 { String::new() } else { format!(", {} ticks/s", facts.tick_hz) };
    let cpu = format!("{}, {}", escape(&facts.cpu), plural(u64::from(facts.cpus), "CPU"));
    format!("{cpu}, {} memory, {}{ticks}", show_bytes(facts.memory_bytes as f64), escape(&facts.kernel))
}

fn plan(summary: &Summary) -> String {
    let ran = &summary.ran;
    let repeated = match ran.trials_repeated {
        0 => String::new(),
        n => format!(", {n} run again because the host had held up the generator"),
    };
    let failed = if ran.trials_failed == 0 { String::new() } else { format!(", {} failed", ran.trials_failed) };
    format!(
        "{}, {}, size {}, {}; {} of {} measured{failed}{repeated}; {}, {} profiled",
        plural(u64::from(ran.scenarios), "scenario"),
        plural(u64::from(ran.cases), "case"),
        summary.size.name(),
        parts::seeds(&summary.facts, summary.seed),
        ran.trials_measured,
        plural(u64::from(ran.trials_planned), "trial"),
        plural(u64::from(ran.calibrations), "calibration"),
        ran.profiled
    )
}

fn timing_class(class: &str) -> String {
    let says = match class {
        "fifo" => "the sending thread had real-time priority",
        "other" => "the sending thread had no real-time priority; sends may be late on a busy host",
        "virtual" => "under a virtual clock",
        "none" => "closed loops only, nothing was paced",
        _ => "trials differ; compare only those of one class",
    };
    format!("{}: {says}", code(class))
}

/// The arguments as a shell takes them, with the seed that was used.
fn command(arguments: &[String], seed: u64) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
    let quoted = |a: &String| if !a.is_empty() && a.chars().all(safe) { a.clone() } else { format!("'{}'", a.replace('\'', "'\\''")) };
    let mut words: Vec<String> = arguments.iter().map(quoted).collect();
    if !arguments.iter().any(|a| a == "--seed" || a.starts_with("--seed=")) {
        words.push(format!("--seed {seed}"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let typed = |words: &[&str]| command(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), 9);
        assert_eq!(typed(&["run", "-f", "^pool/(a|b)$"]), "run -f '^pool/(a|b)$' --seed 9");
        assert_eq!(typed(&["run", "--seed", "7", "it's", ""]), "run --seed 7 'it'\\''s' ''");
    }
}
