//! Flamegraph of a profile, drawn by inferno without its script; a profile of poor quality is refused, not drawn.

use analysis::summary::ProfileSummary;
use inferno::flamegraph::color::{BackgroundColor, BasicPalette};
use inferno::flamegraph::{self, Options, Palette};

use crate::ReportError;
use crate::show::percent;

/// Captured samples by expected ones: outside of this so many were lost or invented that nothing is known of the rest.
const CAPTURED: std::ops::RangeInclusive<f64> = 0.5..=1.5;
/// Captured samples by expected ones: outside of this the reader is told. SIGPROF under a tick-driven timer gave 0.36 to 1.11 in pools that sleep
/// much, with the right function at the leaf in 99 % (profiling research, 4.1): it thins the samples without looking at the function.
const CAPTURED_WELL: std::ops::RangeInclusive<f64> = 0.8..=1.2;
/// Samples without a named function at the leaf: above this the picture hides too much.
const UNNAMED_MOST: f64 = 0.05;
/// Fewer samples than this show chance, not the program.
const SAMPLES_LEAST: u64 = 50;
/// Frames narrower than this share of the picture, in percent, are left out of it (they stay in the folded file).
const NARROWEST_PERCENT: f64 = 0.1;

/// Why a profile must not be drawn; `None` if it may.
pub(crate) fn refusal(profile: &ProfileSummary) -> Option<String> {
    let Some(captured) = profile.captured_share else {
        return Some("how many samples the CPU time used should have given is not known".to_owned());
    };
    if profile.samples < SAMPLES_LEAST {
        return Some(format!("it holds {} samples and {SAMPLES_LEAST} are the least; profile for longer", profile.samples));
    }
    if !CAPTURED.contains(&captured) {
        return Some(format!(
            "the sampler captured {captured:.2} of the samples that the CPU time used should have given (0.5 to 1.5 is drawn); lower its rate"
        ));
    }
    match profile.unnamed_share {
        Some(unnamed) if unnamed <= UNNAMED_MOST => None,
        Some(unnamed) => {
            Some(format!("{} of its samples have no named function (5 % at most is trusted); build with line tables", percent(unnamed)))
        }
        None => Some("how many of its samples have a named function is not known".to_owned()),
    }
}

/// What to bear in mind with a profile that is drawn; `None` if nothing.
pub(crate) fn caution(profile: &ProfileSummary) -> Option<&'static str> {
    let captured = profile.captured_share.filter(|share| !CAPTURED_WELL.contains(share))?;
    Some(if captured < 1.0 {
        "Samples are missing: compare shares with each other, do not turn them into CPU time."
    } else {
        "There are more samples than CPU time explains: compare shares with each other, do not turn them into CPU time."
    })
}

/// Draws pruned folded stacks.
///
/// # Errors
/// inferno's reason, such as that no line holds a count.
pub(crate) fn draw(title: &str, subtitle: &str, folded: &str) -> Result<Vec<u8>, ReportError> {
    let mut options = Options::default();
    options.title = title.to_owned();
    options.subtitle = Some(subtitle.to_owned());
    options.colors = Palette::Basic(BasicPalette::Orange);
    options.bgcolors = Some(BackgroundColor::Grey);
    options.deterministic = true;
    options.no_javascript = true;
    options.image_width = Some(1200);
    options.min_width = NARROWEST_PERCENT;
    options.font_type = "sans-serif".to_owned();
    options.count_name = "samples".to_owned();
    let lines: Vec<String> = folded.lines().map(without_folders).collect();
    let mut out = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut out)
        .map_err(|e| ReportError::Flamegraph { title: title.to_owned(), why: e.to_string() })?;
    Ok(still(&String::from_utf8_lossy(&out)).into_bytes())
}

/// A frame that is a file, such as an unnamed one of a shared library, keeps its name and loses its folders.
fn without_folders(line: &str) -> String {
    let frame = |f: &str| if f.starts_with('/') { f.rsplit('/').next().unwrap_or_default().to_owned() } else { f.to_owned() };
    line.split(';').map(frame).collect::<Vec<_>>().join(";")
}

/// Removes what only a script could use: the script itself, its hook, its buttons.
fn still(svg: &str) -> String {
    let mut out = svg.replace(" onload=\"init(evt)\"", "");
    for (from, to) in [("<script", "</script>"), ("<!--", "-->"), ("<text id=\"search\"", "</text>"), ("<text id=\"unzoom\"", "</text>")] {
        while let Some(begin) = out.find(from) {
            let Some(length) = out[begin..].find(to) else { break };
            out.replace_range(begin..begin + length + to.len(), "");
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> ProfileSummary {
        ProfileSummary {
            case: "pool/steady".to_owned(),
            sampler: "pprof".to_owned(),
            hz: 99,
            samples: 400,
            captured_share: Some(0.97),
            unnamed_share: Some(0.01),
            folded: "profiles/pool-steady.folded".to_owned(),
            outside_ns: 0,
            p50_ns: None,
            p99_ns: None,
            p50_ratio: None,
            p99_ratio: None,
        }
    }

    #[test]
    fn a_poor_profile_is_refused_with_its_reason() {
        assert_eq!(refusal(&profile()), None);
        let cases: [(ProfileSummary, &str); 4] = [
            (ProfileSummary { samples: 49, ..profile() }, "49 samples"),
            (ProfileSummary { captured_share: Some(0.26), ..profile() }, "0.26"),
            (ProfileSummary { captured_share: None, ..profile() }, "not known"),
            (ProfileSummary { unnamed_share: Some(0.4), ..profile() }, "40.0 %"),
        ];
        for (poor, why) in cases {
            assert!(refusal(&poor).is_some_and(|r| r.contains(why)), "{why}");
        }
    }

    #[test]
    fn a_thinned_profile_is_drawn_with_a_caution() {
        assert_eq!(caution(&profile()), None);
        let thin = ProfileSummary { captured_share: Some(0.7), ..profile() };
        assert_eq!(refusal(&thin), None);
        assert!(caution(&thin).is_some_and(|c| c.starts_with("Samples are missing")));
    }

    #[test]
    fn the_picture_has_labels_and_no_script_and_no_folder() {
        let folded = "main;pool::core::step<u8>;/home/someone/lib/libz.so.1 60\nmain;coordinator::handle 40\n";
        let drawn = draw("pool/steady & more", "99 Hz", folded).unwrap();
        let text = String::from_utf8(drawn.clone()).unwrap();
        for gone in ["<script", "onload", "/home", "Search", "<!--"] {
            assert!(!text.contains(gone), "{gone}");
        }
        for there in ["coordinator::handle", "libz.so.1", "pool/steady &amp; more", "<title>"] {
            assert!(text.contains(there), "{there}");
        }
        assert_eq!(drawn, draw("pool/steady & more", "99 Hz", folded).unwrap());
    }

    #[test]
    fn stacks_without_a_count_are_an_error() {
        assert!(draw("t", "s", "").is_err());
    }
}
