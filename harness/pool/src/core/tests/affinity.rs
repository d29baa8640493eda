//! Sessions and their workers.

use super::*;

fn with(affinity: AffinityMode, stateful: bool) -> Rig {
    let mut config = config();
    (config.affinity, config.stateful) = (affinity, stateful);
    Rig::ready(&config)
}

/// Serves a request of the session to its end and says how.
fn serve(rig: &mut Rig, submit: Submit) -> Placement {
    let id = submit.request.0;
    let actions = rig.submit(submit);
    let at = dispatched(&actions, id).expect("a free worker");
    placement(&rig.reply(at, id), id)
}

#[test]
fn a_strict_session_waits_for_its_worker_in_order() {
    let mut rig = with(AffinityMode::Strict, false);
    let first = serve(&mut rig, of_session(1, LIGHT, 7));
    assert_eq!((first.affinity, first.worker), (Affinity::Bound, Some(worker(0, 1))));
    rig.submit(request(2, LIGHT));
    assert_eq!(rig.submit(of_session(3, LIGHT, 7)), [], "the other hot worker is free, but not the session's");
    assert_eq!(rig.submit(of_session(4, MEDIUM, 7)), [], "whatever the tool's tier");
    assert_eq!(rig.core.view().slots[0].waiting, 2);
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 2), 3), Some(worker(0, 1)));
    let done = rig.reply(worker(0, 1), 3);
    assert_eq!(placement(&done, 3).affinity, Affinity::Hit);
    assert_eq!(dispatched(&done, 4), Some(worker(0, 1)));
}

#[test]
fn a_strict_sessions_queue_is_bounded() {
    let mut rig = with(AffinityMode::Strict, false);
    for id in 1..=5 {
        rig.submit(of_session(id, LIGHT, 7));
    }
    let shed = rig.submit(of_session(6, LIGHT, 7));
    assert_eq!(outcome(&shed, 6), Some(Outcome::Shed));
    assert!(dispatched(&rig.submit(of_session(7, LIGHT, 8)), 7).is_some(), "another session has a free worker");
}

#[test]
fn requests_queued_before_the_session_was_bound_follow_it() {
    let mut rig = with(AffinityMode::Strict, false);
    for id in 1..=2 {
        rig.submit(request(id, LIGHT));
    }
    rig.submit(of_session(3, LIGHT, 7));
    rig.submit(of_session(4, LIGHT, 7));
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 1), 3), Some(worker(0, 1)));
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 2), 4), None, "the session is bound to the other worker");
    assert_eq!(dispatched(&rig.reply(worker(0, 1), 3), 4), Some(worker(0, 1)));
}

#[test]
fn a_stateful_session_dies_with_its_worker() {
    let mut rig = with(AffinityMode::Strict, true);
    serve(&mut rig, of_session(1, LIGHT, 7));
    rig.submit(of_session(2, LIGHT, 7));
    rig.submit(of_session(3, LIGHT, 7));
    rig.written(worker(0, 1), 2);
    let dead = rig.exit(worker(0, 1));
    assert_eq!((outcome(&dead, 2), outcome(&dead, 3)), (Some(Outcome::OutcomeUnknown), Some(Outcome::SessionLost)));
    assert_eq!(outcome(&rig.submit(of_session(4, LIGHT, 7)), 4), Some(Outcome::SessionLost), "the next submit learns of it");
    assert_eq!(serve(&mut rig, of_session(5, LIGHT, 7)).affinity, Affinity::Bound, "then the session begins anew");
}

#[test]
fn a_stateful_session_that_never_ran_begins_elsewhere() {
    let mut rig = with(AffinityMode::Strict, true);
    rig.submit(of_session(1, LIGHT, 7));
    rig.submit(of_session(2, LIGHT, 7));
    let dead = rig.exit(worker(0, 1));
    assert_eq!(dispatched(&dead, 1), Some(worker(1, 1)), "nothing was written, so nothing is lost");
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 1), 2), Some(worker(1, 1)));
}

#[test]
fn a_stateless_strict_session_is_bound_again() {
    let mut rig = with(AffinityMode::Strict, false);
    serve(&mut rig, of_session(1, LIGHT, 7));
    rig.submit(of_session(2, LIGHT, 7));
    rig.submit(of_session(3, LIGHT, 7));
    let dead = rig.exit(worker(0, 1));
    assert_eq!(dispatched(&dead, 2), Some(worker(1, 1)));
    let done = rig.reply(worker(1, 1), 2);
    assert_eq!(placement(&done, 2).affinity, Affinity::ForcedMiss);
    assert_eq!(dispatched(&done, 3), Some(worker(1, 1)));
}

#[test]
fn an_ended_session_is_forgotten_with_its_last_request() {
    let mut rig = with(AffinityMode::Strict, false);
    serve(&mut rig, of_session(1, LIGHT, 7));
    assert_eq!(rig.core.view().slots[0].bound, 1);
    rig.step(Event::EndSession(SessionKey(7)));
    assert_eq!(rig.core.view().slots[0].bound, 0);
    rig.submit(of_session(2, LIGHT, 7));
    rig.step(Event::EndSession(SessionKey(7)));
    assert_eq!(rig.core.view().slots[0].bound, 1, "one of its requests is under way");
    rig.reply(worker(0, 1), 2);
    assert_eq!(rig.core.view().slots[0].bound, 0);
}

#[test]
fn a_soft_session_prefers_its_worker_tier_by_tier() {
    let mut rig = with(AffinityMode::Soft, false);
    serve(&mut rig, of_session(1, LIGHT, 7));
    assert_eq!(serve(&mut rig, of_session(2, LIGHT, 7)).affinity, Affinity::Hit);
    rig.submit(request(3, LIGHT));
    let missed = serve(&mut rig, of_session(4, LIGHT, 7));
    assert_eq!((missed.affinity, missed.worker), (Affinity::Missed, Some(worker(1, 1))), "no worker idles while a request waits");
    rig.reply(worker(0, 1), 3);
    let back = serve(&mut rig, of_session(5, LIGHT, 7));
    assert_eq!((back.affinity, back.worker), (Affinity::Hit, Some(worker(0, 1))), "a miss does not bind");
    rig.submit(of_session(6, MEDIUM, 7));
    let warm = rig.step(Event::Ready(worker(2, 1)));
    assert_eq!(dispatched(&warm, 6), Some(worker(2, 1)));
    assert_eq!(placement(&rig.reply(worker(2, 1), 6), 6).affinity, Affinity::Bound, "another tier, another binding");
}

#[test]
fn a_soft_session_waits_for_its_worker_only_while_that_is_not_overloaded() {
    let mut rig = with(AffinityMode::Soft, false);
    serve(&mut rig, of_session(1, LIGHT, 7));
    rig.submit(request(2, LIGHT));
    rig.submit(request(3, LIGHT));
    rig.submit(of_session(4, LIGHT, 7));
    assert_eq!(rig.core.view().slots[0].waiting, 1, "both workers have load 1: the preferred one is as good");
    rig.submit(of_session(5, LIGHT, 7));
    assert_eq!(rig.core.view().slots[0].waiting, 1, "load 2 against a mean of 1.5 is too much");
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 3), 5), Some(worker(1, 1)));
    assert_eq!(dispatched(&rig.reply(worker(1, 1), 5), 4), Some(worker(1, 1)), "rather missed than idle");
}

#[test]
fn a_soft_session_is_bound_again_when_its_worker_is_gone() {
    let mut rig = with(AffinityMode::Soft, false);
    serve(&mut rig, of_session(1, LIGHT, 7));
    rig.exit(worker(0, 1));
    assert_eq!(serve(&mut rig, of_session(2, LIGHT, 7)).affinity, Affinity::ForcedMiss);
    assert_eq!(serve(&mut rig, of_session(3, LIGHT, 7)).affinity, Affinity::Hit);
}

#[test]
fn without_affinity_sessions_do_not_matter() {
    let mut rig = with(AffinityMode::None, false);
    assert_eq!(serve(&mut rig, of_session(1, LIGHT, 7)).affinity, Affinity::Free);
    assert!(rig.core.view().slots.iter().all(|s| s.bound == 0));
}

#[test]
fn the_table_of_sessions_is_bounded() {
    use super::super::sessions::Sessions;
    let mut strict = with(AffinityMode::Strict, false);
    strict.core.sessions = Sessions::new(2);
    serve(&mut strict, of_session(1, LIGHT, 1));
    serve(&mut strict, of_session(2, LIGHT, 2));
    assert_eq!(outcome(&strict.submit(of_session(3, LIGHT, 3)), 3), Some(Outcome::Shed), "no living strict binding is given up");
    strict.step(Event::EndSession(SessionKey(1)));
    serve(&mut strict, of_session(4, LIGHT, 3));
    let mut soft = with(AffinityMode::Soft, false);
    soft.core.sessions = Sessions::new(2);
    for (id, session) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
        serve(&mut soft, of_session(id, LIGHT, session));
    }
    assert_eq!(serve(&mut soft, of_session(5, LIGHT, 1)).affinity, Affinity::Hit);
    assert_eq!(serve(&mut soft, of_session(6, LIGHT, 2)).affinity, Affinity::Bound, "the least recently used one was forgotten");
}
