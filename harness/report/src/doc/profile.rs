//! The profile: picture, hottest functions, and how far both can be trusted.

use std::fmt::Write as _;

use analysis::summary::{ProfileSummary, ScenarioSummary};
use model::units::show_ns;

use crate::doc::scenario::image;
use crate::flame;
use crate::markdown::{Column, Table, code, escape};
use crate::pictures::Flame;
use crate::show::{count, ns_or_blank, percent, percent_or_blank, ratio};

/// The section; nothing where nothing was profiled.
pub(crate) fn section(scenario: &ScenarioSummary, flame: Option<&Flame>) -> String {
    let (Some(profile), Some(flame)) = (&scenario.profile, flame) else {
        return String::new();
    };
    let mut out = format!(
        "**CPU profile** of {}, from a trial of its own whose latencies are quoted nowhere else. {}\n\n",
        code(&profile.case),
        quality(profile)
    );
    match flame {
        Flame::Refused(why) => {
            let _ = write!(out, "> [!WARNING]\n> The profile is refused, not drawn: {}.\n\n", escape(why));
        }
        Flame::Drawn { path, hotspots } => {
            out.extend(flame::caution(profile).map(|caution| format!("{caution}\n\n")));
            out.push_str(&image(Some(path), &format!("Flamegraph of {}", scenario.name)));
            let mut table = Table::new(&[(Column::Left, "function"), (Column::Right, "self"), (Column::Right, "total")]);
            for spot in hotspots {
                table.row(vec![code(&spot.function), percent(spot.self_share), percent(spot.total_share)]);
            }
            out.push_str("Hotspots: *self* is the share of samples in the function itself, *total* with all that it called.\n\n");
            out.push_str(&table.render());
        }
    }
    out
}

/// The profile's own quality, in one line.
fn quality(profile: &ProfileSummary) -> String {
    let captured = profile.captured_share.map_or("an unknown share".to_owned(), percent);
    let mut out = format!(
        "Quality: {} at {} Hz, {} samples, {captured} of those expected, {} unnamed",
        escape(&profile.sampler),
        profile.hz,
        count(profile.samples),
        percent_or_blank(profile.unnamed_share)
    );
    if profile.outside_ns > 0 {
        let _ = write!(out, "; **not in the picture**: {} of CPU time in worker processes", show_ns(profile.outside_ns as f64));
    }
    let overhead = |r: Option<f64>| r.map_or(String::new(), |r| format!(" ({} of without)", ratio(r)));
    let _ = write!(
        out,
        ". Response with the profiler on: p50 {}{}, p99 {}{}.",
        ns_or_blank(profile.p50_ns),
        overhead(profile.p50_ratio),
        ns_or_blank(profile.p99_ns),
        overhead(profile.p99_ratio)
    );
    out
}
