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
            assert!(!has_children());
            bad_cycle(&deps).await;
            assert!(!has_children());
        }
        assert_eq!(descriptors(), before);
        eventually("all tasks are gone", || tasks() == 0).await;

        drop(Pool::start(config("process", 2, &[]), deps.clone()).await.unwrap());
        eventually("the workers of a dropped pool are gone", || !has_children() && tasks() == 0 && descriptors() == before).await;
    });
    let pool = runtime.block_on(Pool::start(config("process", 2, &[]), deps)).unwrap();
    drop(runtime);
    assert!(!has_children(), "a runtime that ends takes its children along");
    drop(pool);
}
