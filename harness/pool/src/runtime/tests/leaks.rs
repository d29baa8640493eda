//! Nothing is left behind. Descriptors and children can only be counted in a process of one's own, so the counting test is
//! ignored and run by another one.

use std::process::Command;

use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::*;

#[test]
fn drained_and_failed_pools_leave_nothing_behind() {
    let tests = std::env::current_exe().unwrap();
    let args = ["--ignored", "--exact", "--nocapture", "runtime::tests::leaks::alone"];
    let output = Command::new(tests).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

const PID_FILE: &str = "POOL_TEST_PID_FILE";

/// A worker that would outlive the end of its pipes dies with the pool's process all the same.
#[test]
fn a_killed_pool_leaves_no_orphan() {
    let folder = tempfile::tempdir().unwrap();
    let (pid_file, tests) = (folder.path().join("pid"), std::env::current_exe().unwrap());
    let args = ["--ignored", "--exact", "runtime::tests::leaks::parent_to_be_killed"];
    let mut parent = Command::new(tests).args(args).env(PID_FILE, &pid_file).stdout(std::process::Stdio::null()).spawn().unwrap();
    let wait_for = |what: &str, done: &dyn Fn() -> bool| {
        let waited = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(if done() { 0 } else { 10 }));
            done()
        });
        assert!(waited, "never: {what}");
    };
    wait_for("the worker's pid", &|| std::fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n')));
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    let alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    assert!(alive());
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for("the worker's end", &|| !alive());
}

#[tokio::test]
#[ignore = "waits to be killed by the test above"]
async fn parent_to_be_killed() {
    let Some(pid_file) = std::env::var_os(PID_FILE) else { return };
    let script = format!("trap '' TERM HUP; echo $$ > '{}'; exec sleep 60", pid_file.display());
    let worker_command = crate::workers::tests::shell(&script);
    assert!(Pool::start(config("process", 1, &[]), Deps { worker_command, ..deps() }).await.is_err());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn has_children() -> bool {
    let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, only_look), Err(rustix::io::Errno::CHILD))
}

async fn good_cycle(deps: &Deps) {
    let pool = Pool::start(config("process", 2, &[]), deps.clone()).await.unwrap();
    assert!(has_children());
    let calls: Vec<_> = (0..20)
        .map(|n| {
            tokio::spawn({
                let pool = pool.clone();
                async move { pool.call(job(1_000_000, vec![n; 100_000])).await.outcome }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(5)).await;
    pool.disturb(DisturbTarget::AnyBusy, Disturbance::Kill);
    for call in calls {
        call.await.unwrap();
    }
    pool.drain().await;
}

async fn bad_cycle(deps: &Deps) {
    for fault in ["silent", "exit=1", "garbage"] {
        let worker_command = WorkerCommand { program: worker_program(), args: vec!["--fault".into(), fault.into()] };
        let config = config("process", 2, &[("pool.start-timeout", "50000000")]);
        assert!(Pool::start(config, Deps { worker_command, ..deps.clone() }).await.is_err());
    }
}

#[test]
#[ignore = "counts this process's descriptors and children: run alone, by the test above"]
fn alone() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let deps = deps();
    runtime.block_on(async {
        good_cycle(&deps).await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        // A task counts for a moment after its handle has resolved.
        eventually("the first pool's tasks are gone", || tasks() == 0).await;
        let before = descriptors();
        for _ in 0..3 {
            good_cycle(&deps).await;
            assert!(!has_children(), "I11: a child is left");
            bad_cycle(&deps).await;
            assert!(!has_children(), "I11: a child of a pool that could not start is left");
        }
        assert_eq!(descriptors(), before, "I11: a descriptor is left");
        eventually("all tasks are gone", || tasks() == 0).await;

        drop(Pool::start(config("process", 2, &[]), deps.clone()).await.unwrap());
        eventually("the workers of a dropped pool are gone", || !has_children() && tasks() == 0 && descriptors() == before).await;
    });
    let pool = runtime.block_on(Pool::start(config("process", 2, &[]), deps)).unwrap();
    drop(runtime);
    assert!(!has_children(), "a runtime that ends takes its children along");
    drop(pool);
}
