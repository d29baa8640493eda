//! One run of the program and the brands it gives; and the control, without the provocation.

use std::io::Write;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::support::{PROGRAM, Place, Ran};

/// How often a control is tried before this host itself must be to blame.
const TRIES: usize = 3;
/// Share of CPU time used by others from which on the host itself is disturbed; as in the brand `host-shared`.
const OTHERS: f64 = 0.05;

/// Held by each test for as long as it runs: a provocation of one is a disturbance of another.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // One that failed has killed its hogs when it was unwound.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says something that a passing test shows too.
pub(crate) fn loud(text: &str) {
    let _ = writeln!(std::io::stderr(), "\nprovoke: {text}");
}

/// A place with a scenario of `rate` requests per second and `length`, and these changes.
pub(crate) fn open(rate: &str, length: &str, changes: &[(&str, &str)]) -> Place {
    let arrivals = format!("kind = \"poisson\", rate = \"{rate}\"");
    let length = format!("\"{length}\"");
    let all = [&[("kind = \"closed\", clients = 2", arrivals.as_str()), ("\"200ms\"", &length)], changes].concat();
    Place::with_tiny(&all)
}

/// The arguments of a run into the directory `run` of its place.
pub(crate) const RUN: [&str; 9] = ["run", "--quiet", "--allow-debug", "--size", "smoke", "--scenarios", "scenarios", "--out", "run"];

/// What a run said of its cases.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) code: Option<i32>,
    /// All brands of all cases.
    brands: Vec<Value>,
    pub(crate) records: Vec<Value>,
    said: String,
}

impl Judged {
    /// What lies in the directory `name`.
    pub(crate) fn of(place: &Place, name: &str, ran: &Ran) -> Judged {
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        let report = place.json(&format!("{name}/report.json"));
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let cases = list(&report, "scenarios").into_iter().flat_map(|scenario| list(&scenario, "cases"));
        let brands = cases.flat_map(|case| list(&case, "brands")).collect();
        Judged { code: ran.code, brands, records: place.records(name), said: format!("{}{}", ran.out, ran.err) }
    }

    /// Whether any case carries it.
    pub(crate) fn carries(&self, brand: &str) -> bool {
        self.brands.iter().any(|b| b["name"] == brand)
    }

    /// Whether any case carries it for a reason that says `reason`.
    pub(crate) fn says(&self, brand: &str, reason: &str) -> bool {
        self.brands.iter().any(|b| b["name"] == brand && b["reason"].as_str().is_some_and(|said| said.contains(reason)))
    }

    /// Fails the test unless the brand is there with this grade, a reason that says `reason`, and a remedy that says `remedy`.
    #[track_caller]
    pub(crate) fn must_carry(&self, brand: &str, grade: &str, reason: &str, remedy: &str) {
        let all = self.brands.iter().filter(|b| b["name"] == brand);
        let says = |b: &Value, key: &str, text: &str| b[key].as_str().is_some_and(|said| said.contains(text));
        let fits = |b: &&Value| b["grade"] == grade && says(b, "reason", reason) && says(b, "remedy", remedy);
        let found = all.into_iter().any(|b| fits(&b));
        assert!(found, "no {grade} {brand} for {reason:?} with {remedy:?} in {:#?}\n{}\n{:#?}", self.brands, self.said, self.pacers());
    }

    /// What pacing threads and hosts did, for a test that fails.
    fn pacers(&self) -> Vec<(&Value, &Value, &Value)> {
        self.records.iter().map(|r| (&r["pacer"], &r["host"], &r["timing_class"])).collect()
    }

    /// A number of the last trial.
    #[track_caller]
    pub(crate) fn number(&self, at: &str) -> f64 {
        let last = self.records.last().unwrap();
        last.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {at} in {last}"))
    }
}

/// The command of a run, its files in `run`, which is emptied first.
pub(crate) fn command(place: &Place, more: &[&str]) -> Command {
    let _ = std::fs::remove_dir_all(place.path("run"));
    place.command(PROGRAM, &[&RUN, more].concat())
}

/// Runs the place's scenario and judges it.
pub(crate) fn judged(place: &Place, more: &[&str]) -> Judged {
    finish(place, &mut command(place, more))
}

/// The same with a command that was changed.
pub(crate) fn finish(place: &Place, command: &mut Command) -> Judged {
    let ran = Ran::from(command.output().unwrap());
    Judged::of(place, "run", &ran)
}

/// CPU time in ticks that all CPUs have spent at work, that they have had, and that this process and its ended children have used.
fn ticks() -> [f64; 3] {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let all: Vec<f64> = stat.lines().next().unwrap().split_whitespace().skip(1).take(8).map(|n| n.parse().unwrap()).collect();
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = own.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let own: f64 = fields[11..15].iter().map(|n| n.parse::<f64>().unwrap()).sum();
    [all.iter().sum::<f64>() - all[3] - all[4], all.iter().sum(), own]
}

/// The control: the same without the provocation does not carry these brands. One run in twenty may by chance, and what this host does to it
/// meanwhile is no fault of a brand, so it is tried up to three times; if one carries any each time, the host's own counters must say that others were
/// at work each time.
#[track_caller]
pub(crate) fn control(brands: &[&str], run: impl Fn() -> Judged) {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let before = ticks();
        let judged = run();
        let after = ticks();
        let [busy, all, own] = [0, 1, 2].map(|i| after[i] - before[i]);
        let found: Vec<&str> = brands.iter().copied().filter(|brand| judged.carries(brand)).collect();
        if found.is_empty() {
            return;
        }
        seen.push((found, (busy - own) / all.max(1.0), judged));
    }
    let calm = seen.iter().find(|(_, others, _)| *others <= OTHERS);
    assert!(calm.is_none(), "each of {TRIES} runs carried one, this one on a host of which others used little: {calm:#?}");
    let told = seen.iter().map(|(found, others, _)| format!("{found:?} beside {:.0} % of others", 100.0 * others));
    loud(&format!("this host is too busy for a control: {}", told.collect::<Vec<_>>().join("; ")));
}
