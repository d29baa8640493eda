//! Our sampler as criterion's profiler behind `--profile-time`.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use criterion::profiler::Profiler;
use inferno::flamegraph::{self, Options};
use profiler::{Profile, SAMPLERS, Session};

use crate::Failure;

/// Highest rate, Hz; the kernel's tick may allow less.
const HZ: u32 = 250;
/// Captured samples by expected ones: outside of this so many were lost or invented that nothing is known of the rest.
const CAPTURED: std::ops::RangeInclusive<f64> = 0.5..=1.5;
/// Share of samples without a named function at the leaf above which a picture hides too much.
const UNNAMED_MOST: f64 = 0.05;
/// Fewer samples than this show chance, not the program.
const SAMPLES_LEAST: u64 = 50;

/// What went wrong so far. Criterion's hooks return nothing, so it is told at the end of the run.
pub(crate) type Problems = Rc<RefCell<Vec<String>>>;

/// Samples the whole process while criterion iterates one benchmark.
#[derive(Default)]
pub(crate) struct Flame {
    running: Option<Box<dyn Session>>,
    problems: Problems,
}

impl Flame {
    pub(crate) fn problems(&self) -> Problems {
        Rc::clone(&self.problems)
    }

    fn note<T>(&self, id: &str, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|why| self.problems.borrow_mut().push(format!("profile of {id}: {why}"))).ok()
    }
}

impl Profiler for Flame {
    fn start_profiling(&mut self, id: &str, _dir: &Path) {
        let session = SAMPLERS[0].start(HZ.min(profiler::tick_hz()));
        self.running = self.note(id, session.map_err(Failure::from));
    }

    fn stop_profiling(&mut self, id: &str, dir: &Path) {
        if let Some(session) = self.running.take() {
            let profile = session.stop().map_err(Failure::from);
            self.note(id, profile.and_then(|profile| write(id, &profile, dir)));
        }
    }
}

/// Writes `profile.folded`, and `profile.svg` if the profile is good enough to be looked at.
fn write(id: &str, profile: &Profile, dir: &Path) -> Result<(), Failure> {
    fs::create_dir_all(dir)?;
    let folded = profile.stacks.to_string();
    fs::write(dir.join("profile.folded"), &folded)?;
    let picture = dir.join("profile.svg");
    if let Some(why) = refusal(profile) {
        // A picture of an earlier run must not pass for this one's.
        return fs::remove_file(picture).or(Ok(())).and(Err(why.into()));
    }
    let mut options = Options::default();
    options.title = id.to_owned();
    options.subtitle = Some(format!("{} samples at {} Hz of CPU time, {}", profile.samples, profile.hz, profile.sampler));
    options.count_name = "samples".to_owned();
    options.deterministic = true;
    flamegraph::from_lines(&mut options, folded.lines(), fs::File::create(picture)?)?;
    Ok(())
}

/// Why a profile must not be drawn; `None` if it may.
fn refusal(profile: &Profile) -> Option<String> {
    let captured = profile.samples as f64 / profile.expected;
    let unnamed = profile.unnamed as f64 / profile.samples as f64;
    if profile.samples < SAMPLES_LEAST {
        Some(format!("{} samples, and {SAMPLES_LEAST} are the least; profile for longer", profile.samples))
    } else if !CAPTURED.contains(&captured) {
        Some(format!("captured {captured:.2} of the expected samples, and 0.5 to 1.5 is trusted; run it on a quieter host"))
    } else if unnamed > UNNAMED_MOST {
        Some(format!("{:.0} % of its samples have no name, and 5 % are trusted; build with line tables", unnamed * 100.0))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let mut stacks = profiler::Folded::default();
        stacks.add(["main", "pool::core"].into_iter(), 90);
        Profile { sampler: "pprof", hz: 250, samples: 90, expected: 100.0, unnamed: 0, stacks }
    }

    #[test]
    fn a_good_profile_is_kept_as_text_and_picture() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("core/step/profile");
        write("core/step", &profile(), &deep).unwrap();
        assert_eq!(fs::read_to_string(deep.join("profile.folded")).unwrap(), "main;pool::core 90\n");
        let picture = fs::read_to_string(deep.join("profile.svg")).unwrap();
        assert!(picture.contains("pool::core") && picture.contains("core/step"));
    }

    #[test]
    fn a_poor_profile_is_refused_and_leaves_no_picture() {
        let dir = tempfile::tempdir().unwrap();
        let poor = [
            (Profile { samples: 49, expected: 49.0, ..profile() }, "49 samples"),
            (Profile { expected: 300.0, ..profile() }, "0.30"),
            (Profile { unnamed: 45, ..profile() }, "50 %"),
        ];
        for (poor, why) in poor {
            write("core", &profile(), dir.path()).unwrap();
            assert!(write("core", &poor, dir.path()).is_err_and(|e| e.to_string().contains(why)), "{why}");
            assert!(!dir.path().join("profile.svg").exists());
        }
    }

    #[test]
    fn what_the_hooks_cannot_return_is_kept() {
        let flame = Flame::default();
        assert_eq!(flame.note("core", Err::<(), _>("no".into())), None);
        assert_eq!(*flame.problems().borrow(), ["profile of core: no"]);
    }
}
