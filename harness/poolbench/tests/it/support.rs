//! A place of its own for each test: an empty directory, the program run in it, and whoever it left behind.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_poolbench");
/// Marks every process that a test has started; children inherit it.
const MARK: &str = "POOLBENCH_TEST_PLACE";
/// After which a wait is a failure: far beyond what any step takes on a busy host.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The scenario that most tests change a line of. Nothing calibrated and no profile, so that it runs in a fraction of a second.
pub(crate) const TINY: &str = r#"what   = "A little load"
why    = "Tests of the program drive it"
guards = ["response.p50"]
target = "pool"
profile = false

[load]
arrivals = { kind = "closed", clients = 2 }
warmup   = "10ms"
length   = "200ms"
rounds   = 1

[[load.mix]]
tool    = "echo"
payload = { shape = "prose", size = "64B" }
service = "constant 1ms"

[pool]
dispatch = "tiered"
hot  = { worker = "function", min-ready = 2, spares = 0, max = 2 }
warm = { max = 0 }
cold = { max = 0 }

[pool.tools]
echo = { tier = "hot" }

[expect]
outcomes      = { ok = "100%" }
digest        = "input"
children-left = "0"
"#;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Whether this host lets us mount in a namespace of our own, without being root. Where it does not, says loudly what was not tested.
pub(crate) fn may_mount(what: &str) -> bool {
    let tried = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        // Past the test runner's capture, which shows what a test prints only where it fails.
        let _ = writeln!(std::io::stderr(), "NOT TESTED HERE: {what}: `unshare -rm mount -t tmpfs` is not granted");
    }
    may
}

/// What a finished program said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program speaks UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails the test, with all that was said, unless it ended with `code`.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "\n-- stdout\n{}\n-- stderr\n{}", self.out, self.err);
        self
    }

    /// Ended well, but for what a busy host does to the load generator's timing, which is no matter of these tests.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Ran {
        let said = format!("{}{}", self.out, self.err);
        let mut failures = said.lines().filter(|l| l.starts_with("failed: ")).peekable();
        let only_noise = failures.peek().is_some() && failures.all(|l| l.contains(": generator-late: "));
        let code = if only_noise { 3 } else { 0 };
        self.ends(code)
    }

    /// Refused: exit code, nothing on stdout, `error:` with `says`, and a remedy on the last line.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, says: &[&str]) -> Ran {
        let ran = self.ends(code);
        assert_eq!(ran.out, "", "a refusal prints no result");
        assert!(ran.err.lines().any(|l| l.starts_with("error: ")), "no error line in\n{}", ran.err);
        assert!(ran.err.lines().last().is_some_and(|l| l.starts_with("help: ")), "no help line ends\n{}", ran.err);
        for text in says {
            assert!(ran.err.contains(text), "{text:?} is not in\n{}", ran.err);
        }
        ran
    }
}

/// An empty directory below a space-free path, gone when the test ends.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::Builder::new().prefix("poolbench-it-").tempdir().unwrap())
    }

    /// A place with one scenario `it/tiny` in `scenarios/`, made of [`TINY`] with each `(old, new)` replaced.
    pub(crate) fn with_tiny(changes: &[(&str, &str)]) -> Place {
        let place = Place::new();
        let mut text = TINY.to_owned();
        for (old, new) in changes {
            assert!(text.contains(old), "{old:?} is not in the scenario");
            text = text.replace(old, new);
        }
        place.write("scenarios/it/tiny.toml", &text);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The records of the run in `name`.
    pub(crate) fn records(&self, name: &str) -> Vec<Value> {
        self.read(&format!("{name}/records.jsonl")).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// A command in this place. A program of another name gets the same surroundings.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path()).env(MARK, self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn poolbench(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(PROGRAM, args).output().unwrap())
    }

    /// `run --allow-debug --scenarios scenarios --out run` and more.
    pub(crate) fn run_tiny(&self, more: &[&str]) -> Ran {
        self.poolbench(&[&["run", "--allow-debug", "--scenarios", "scenarios", "--out", "run"], more].concat())
    }

    /// Processes alive that were started here: id and command line.
    pub(crate) fn alive(&self) -> Vec<(i32, String)> {
        let mark = format!("{MARK}={}", self.0.path().display());
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let of = |pid: i32, what: &str| std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let pids = entries.filter_map(|e| e.file_name().to_str()?.parse().ok());
        // One that has just ended has no environment any more.
        let ours = pids.filter(|pid| of(*pid, "environ").split(|b| *b == 0).any(|variable| variable == mark.as_bytes()));
        ours.map(|pid| (pid, String::from_utf8_lossy(&of(pid, "cmdline")).trim_end_matches('\0').replace('\0', " "))).collect()
    }

    /// Fails the test if anything started here outlives `grace`.
    #[track_caller]
    pub(crate) fn nobody_left(&self, grace: Duration) {
        let begun = Instant::now();
        while !self.alive().is_empty() {
            assert!(begun.elapsed() < grace, "still alive: {:#?}", self.alive());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// All files below `dir` by relative name.
pub(crate) fn files(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(dir, dir, &mut found);
    found.sort();
    found
}
