//! Pools that cannot start.

use super::*;
use crate::workers::tests::shell;

async fn error(command: WorkerCommand) -> StartError {
    let config = config("process", 2, &[("pool.start-timeout", "300000000")]);
    let start = Pool::start(config, Deps { worker_command: command, ..deps() });
    tokio::time::timeout(Duration::from_secs(20), start).await.expect("it must give up").err().expect("it must fail")
}

fn faulty(fault: &str) -> WorkerCommand {
    WorkerCommand { program: worker_program(), args: vec!["--fault".into(), fault.into()] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_worker_has_its_clear_error() {
    let missing = error(WorkerCommand { program: "/nonesuch/worker".into(), args: vec![] }).await;
    assert!(matches!(&missing, StartError::Spawn { why } if why.contains("/nonesuch/worker")), "{missing}");
    let exits = error(faulty("exit=3")).await;
    assert!(matches!(&exits, StartError::Exited { status, stderr } if status == "exit 3" && stderr.contains("told to exit")), "{exits}");
    let silent = error(faulty("silent")).await;
    assert!(matches!(&silent, StartError::Silent { waited_ns: 300_000_000, .. }), "{silent}");
    let garbage = error(faulty("garbage")).await;
    assert!(matches!(&garbage, StartError::Protocol { .. }), "{garbage}");
    let huge = error(faulty("huge-frame")).await;
    assert!(matches!(&huge, StartError::Protocol { what, .. } if what.contains("4294967295")), "{huge}");
    let other_program = error(shell("cat")).await;
    assert!(matches!(&other_program, StartError::Silent { .. }), "{other_program}");
    for error in [missing, exits, silent, garbage, huge, other_program] {
        let text = error.to_string();
        assert!(text.contains("; ") && !text.ends_with('.'), "no remedy: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_kind_names_the_known_ones() {
    let error = Pool::start(config("goblin", 1, &[]), deps()).await.err().unwrap().to_string();
    assert!(error.contains("goblin") && error.contains("simulated, function, process"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tier_that_starts_on_demand_fails_its_calls_with_the_reason() {
    let more = [("pool.hot.min-ready", "0"), ("pool.hot.spares", "0"), ("pool.park-after", "2")];
    let deps = Deps { worker_command: faulty("exit=3"), ..deps() };
    let pool = Pool::start(config("process", 1, &more), deps).await.unwrap();
    let call = tokio::time::timeout(Duration::from_secs(20), pool.call(job(0, "x")));
    let reply = call.await.expect("it must not wait for ever");
    assert_eq!(reply.outcome, Outcome::Failed);
    assert!(reply.error.as_deref().is_some_and(|error| error.contains("exit 3")), "{:?}", reply.error);
    assert_eq!(pool.drain().await.len(), 2);
}
