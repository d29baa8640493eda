//! The sixteen promises of the pool, by number and name, and where each is asserted.
//!
//! An assertion's message begins with the number (`I7: ...`), so that a failure names what was promised; the tests here look for
//! these messages, so that none of the sixteen goes unchecked.

/// One promise.
pub(super) struct Invariant {
    pub(super) number: u8,
    /// What it is called.
    name: &'static str,
    /// What is promised.
    statement: &'static str,
    /// The places that assert it, of [`PLACES`].
    asserted: &'static [&'static str],
}

/// Files that assert invariants, by the names that the table uses.
const PLACES: &[(&str, &str)] = &[
    (
        "checker",
        concat!(
            include_str!("checker.rs"),
            include_str!("checker/actions.rs"),
            include_str!("checker/events.rs"),
            include_str!("checker/inside.rs"),
            include_str!("checker/order.rs")
        ),
    ),
    ("model", concat!(include_str!("model/world.rs"), include_str!("model/explore.rs"))),
    ("random", include_str!("random.rs")),
    ("leaks", include_str!("../../runtime/tests/leaks.rs")),
];

const fn promise(number: u8, name: &'static str, statement: &'static str, asserted: &'static [&'static str]) -> Invariant {
    Invariant { number, name, statement, asserted }
}

const CHECKER: &[&str] = &["checker"];

/// All of them, as numbered in the design.
pub(super) const INVARIANTS: &[Invariant] = &[
    promise(1, "one outcome", "each admitted request gets exactly one terminal outcome", &["checker", "model", "random"]),
    promise(2, "written once", "a request that is not replayable is fully written to at most one worker", CHECKER),
    promise(3, "bounded concurrency", "a worker has at most one request, and classes of requests keep below their caps", CHECKER),
    promise(4, "one spawn per slot", "a slot has one process at most, and no partition has more than its maximum", CHECKER),
    promise(5, "one home", "a strict session never has two living workers", CHECKER),
    promise(6, "clean state", "a stateful worker never serves a second session without a reset between them", CHECKER),
    promise(7, "no work for the leaving", "nothing is dispatched to a worker that is not ready, is stopping or is gone", CHECKER),
    promise(8, "own answers", "an answer is delivered only for the worker's generation and the request that it was asked for", CHECKER),
    promise(9, "bounded queues", "queues keep within their bounds, and what does not fit is refused at once", CHECKER),
    promise(
        10,
        "deadline is final",
        "a request is answered in the step in which its deadline has come, and never with success after it",
        CHECKER,
    ),
    promise(
        11,
        "nothing left behind",
        "every pool can be brought to its end, and then no child, descriptor or timer is left",
        &["checker", "model", "leaks"],
    ),
    promise(12, "no starvation", "a heavier request is passed over only by lighter ones, and by these only until it has aged", CHECKER),
    promise(13, "idle time spares the needed", "idle time never closes a busy, a bound or a minimum worker", CHECKER),
    promise(14, "monotone backoff", "the backoff grows with each death until the slot has been healthy for long enough", CHECKER),
    promise(15, "work conserving", "no request that a worker may serve waits while that worker idles", CHECKER),
    promise(16, "conservation", "admitted = finished + queued + in flight", CHECKER),
];

/// Whether the text holds a message that begins with the number.
fn asserts(text: &str, number: u8) -> bool {
    text.contains(&format!("\"I{number}: "))
}

#[test]
fn there_are_sixteen_each_with_a_name_and_a_statement_of_its_own() {
    let numbers: Vec<u8> = INVARIANTS.iter().map(|i| i.number).collect();
    assert_eq!(numbers, (1..=16).collect::<Vec<u8>>());
    for (n, invariant) in INVARIANTS.iter().enumerate() {
        assert!(!invariant.name.is_empty() && invariant.statement.len() > invariant.name.len(), "I{}", invariant.number);
        assert!(INVARIANTS[..n].iter().all(|other| other.name != invariant.name && other.statement != invariant.statement));
    }
}

#[test]
fn every_invariant_is_asserted_where_the_table_says_and_nowhere_else() {
    for invariant in INVARIANTS {
        assert!(!invariant.asserted.is_empty(), "I{}: {} is asserted nowhere", invariant.number, invariant.name);
        for (place, text) in PLACES {
            let listed = invariant.asserted.contains(place);
            assert_eq!(asserts(text, invariant.number), listed, "I{}: {} in {place}", invariant.number, invariant.name);
        }
        assert!(invariant.asserted.iter().all(|place| PLACES.iter().any(|p| p.0 == *place)), "I{}", invariant.number);
    }
    assert!(PLACES.iter().all(|(_, text)| (17..100).all(|n| !asserts(text, n))), "an assertion names what is not promised");
}
