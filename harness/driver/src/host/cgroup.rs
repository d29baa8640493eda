//! Quotas of the control groups that this process is in: both versions, and the groups above, whose quota stops it as well.

use super::read;

/// Where the hierarchies are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// Time for which a CPU quota stopped this process's group or one above it, summed over CPUs, microseconds.
pub(super) fn throttled_us() -> u64 {
    let groups = read("/proc/self/cgroup");
    groups.lines().filter_map(quota_of).map(|(mounts, group)| mounts.iter().map(|mount| above(mount, group)).max().unwrap_or(0)).sum()
}

/// The mounts at which the hierarchy of one line of `/proc/self/cgroup` may be, and the group in it; `None` where it has no CPU quota.
fn quota_of(line: &str) -> Option<(Vec<String>, &str)> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    if number == "0" {
        // Version 2; beside version 1 it is mounted one level down.
        return Some((vec![ROOT.to_owned(), format!("{ROOT}/unified")], group));
    }
    let has_quota = controllers.split(',').any(|controller| controller == "cpu");
    // Where several controllers share a hierarchy it is mounted under all their names, in this order or with a link of the one.
    has_quota.then(|| (vec![format!("{ROOT}/{controllers}"), format!("{ROOT}/cpu")], group))
}

/// The sum over a group and those above it. A group that is not to be seen, as in a container without a namespace of its own, adds nothing; the
/// root of what is to be seen is then its own.
fn above(mount: &str, group: &str) -> u64 {
    let mut group = group.trim_end_matches('/');
    let mut sum = throttled_in(&read(&format!("{mount}{group}/cpu.stat")));
    while let Some((parent, _)) = group.rsplit_once('/') {
        sum += throttled_in(&read(&format!("{mount}{parent}/cpu.stat")));
        group = parent;
    }
    sum
}

/// Microseconds by a `cpu.stat`: version 2 counts in those, version 1 in ns.
fn throttled_in(stat: &str) -> u64 {
    let value = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    value("throttled_usec ").or_else(|| value("throttled_time ").map(|ns| ns / 1000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        assert_eq!(throttled_in("usage_usec 5\nnr_throttled 3\nthrottled_usec 7\n"), 7);
        assert_eq!(throttled_in("nr_periods 9\nnr_throttled 3\nthrottled_time 7000999\n"), 7000);
        assert_eq!(throttled_in(""), 0, "a root has no quota");
    }

    #[test]
    fn hierarchies_with_a_quota_are_known() {
        let text = |line| quota_of(line).map(|(mounts, group)| (mounts.join(" "), group.to_owned()));
        assert_eq!(text("0::/a/b"), Some(("/sys/fs/cgroup /sys/fs/cgroup/unified".to_owned(), "/a/b".to_owned())));
        assert_eq!(text("4:cpu,cpuacct:/x"), Some(("/sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup/cpu".to_owned(), "/x".to_owned())));
        assert_eq!(text("1:cpu:/"), Some(("/sys/fs/cgroup/cpu /sys/fs/cgroup/cpu".to_owned(), "/".to_owned())));
        assert_eq!(text("2:cpuacct:/"), None);
        assert_eq!(text("3:cpuset:/x"), None);
        assert_eq!(text("nonsense"), None);
    }

    #[test]
    fn a_group_and_those_above_it_are_summed() {
        let dir = tempfile::tempdir().unwrap();
        let mount = dir.path().display().to_string();
        for (group, us) in [("", 1), ("/a", 10), ("/a/b", 100)] {
            std::fs::create_dir_all(format!("{mount}{group}")).unwrap();
            std::fs::write(format!("{mount}{group}/cpu.stat"), format!("throttled_usec {us}\n")).unwrap();
        }
        assert_eq!((above(&mount, "/a/b"), above(&mount, "/a"), above(&mount, "/")), (111, 11, 1));
        assert_eq!(above(&mount, "/docker/unseen"), 1);
    }
}
