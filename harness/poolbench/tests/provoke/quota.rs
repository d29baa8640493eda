//! A control group with a CPU quota, of either version.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Period of the quota, microseconds.
const PERIOD_US: u32 = 20_000;

/// A group that is removed when this is dropped.
pub(crate) struct Quota(PathBuf);

impl Quota {
    /// A group that may use `percent` of one CPU; else why this system gives none.
    pub(crate) fn new(percent: u32) -> Result<Quota, String> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").map_err(|e| format!("/proc/self/cgroup: {e}"))?;
        let tried = groups.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
            match (number, controllers.split(',').any(|name| name == "cpu")) {
                ("0", _) => Some(Quota::second(&format!("/sys/fs/cgroup{group}"), percent)),
                (_, true) => Some(Quota::first(&format!("/sys/fs/cgroup/{controllers}{group}"), percent)),
                _ => None,
            }
        });
        let mut why = String::from("no hierarchy has a CPU controller");
        for quota in tried {
            match quota {
                Ok(quota) => return Ok(quota),
                Err(error) => why = format!("{why}; {error}"),
            }
        }
        Err(why)
    }

    fn make(within: &str) -> Result<Quota, String> {
        let path = Path::new(within).join(format!("poolbench-provoke-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Quota(path))
    }

    fn put(&self, file: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.0.join(file), text).map_err(|e| format!("{}/{file}: {e}", self.0.display()))
    }

    fn first(within: &str, percent: u32) -> Result<Quota, String> {
        let quota = Quota::make(within)?;
        quota.put("cpu.cfs_period_us", &PERIOD_US.to_string())?;
        quota.put("cpu.cfs_quota_us", &(PERIOD_US * percent / 100).to_string())?;
        Ok(quota)
    }

    fn second(within: &str, percent: u32) -> Result<Quota, String> {
        let control = format!("{within}/cgroup.subtree_control");
        let given = std::fs::read_to_string(&control).map_err(|e| format!("{control}: {e}"))?;
        if !given.split_whitespace().any(|name| name == "cpu") {
            std::fs::write(&control, "+cpu").map_err(|e| format!("{control}: {e}"))?;
        }
        let quota = Quota::make(within)?;
        quota.put("cpu.max", &format!("{} {PERIOD_US}", PERIOD_US * percent / 100))?;
        Ok(quota)
    }

    /// The same command within the group.
    pub(crate) fn around(&self, inner: &Command) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo $$ >\"$0\"/cgroup.procs && exec \"$@\""]).arg(&self.0).arg(inner.get_program()).args(inner.get_args());
        shell.envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
        if let Some(dir) = inner.get_current_dir() {
            shell.current_dir(dir);
        }
        shell
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Empty once its processes are gone, which ended runs have waited for.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
