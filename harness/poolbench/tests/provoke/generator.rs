//! What goes wrong with the load generator.

use std::time::Duration;

use crate::disturb::{stopped, without_fifo};
use crate::hog::Hog;
use crate::run::{alone, control, judged, open};

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn a_hog_makes_the_generator_late() {
    let _alone = alone();
    let place = open("500/s", "600ms", &[]);
    let hog = Hog::of_the_pacer();
    let hogged = judged(&place, &[]);
    let fifo = hog.is_fifo;
    drop(hog);
    hogged.must_carry("generator-late", "invalid", "is over 10.0 % of the quoted", "free a CPU, lower the rate, or allow SCHED_FIFO");
    assert_eq!(hogged.code, Some(3), "figures that must not be quoted fail the run");
    if fifo {
        // 40 of each 100 ms: the stream falls behind by more than 6 of 600 ms, and the thread waits though it goes before all that is ordinary.
        hogged.must_carry("rate-not-achieved", "degraded", "behind in a window of 600 ms", "lower the rate");
        hogged.must_carry("host-disturbed", "degraded", "in spite of SCHED_FIFO", "real-time priority");
        let waited = hogged.number("/pacer/run_queue_ns") / hogged.number("/pacer/wall_ns");
        assert!((0.1..0.9).contains(&waited), "40 of each 100 ms are taken: {waited}");
    }
    control(&["generator-late", "rate-not-achieved", "host-disturbed"], || judged(&place, &[]));
}

#[test]
fn a_rate_at_the_limit_keeps_the_generator_busy() {
    let _alone = alone();
    // The highest rate that can be asked for, which it keeps; but no two sends are as far apart as planned. What is beyond the pool is shed.
    let place = open("10000000/s", "40ms", &[("ok = \"100%\"", "ok = \">= 1\", shed = \">= 0\""), ("constant 1ms", "constant 0ns")]);
    // About one window in four was seen with gaps that pass for those planned.
    let busy = (0..3).map(|_| judged(&place, &[])).find(|run| run.carries("generator-busy") && run.carries("arrivals-differ"));
    let busy = busy.unwrap_or_else(|| judged(&place, &[]));
    busy.must_carry("generator-busy", "degraded", "the pacing thread used", "poolbench doctor");
    busy.must_carry("arrivals-differ", "degraded", "Anderson-Darling", "lower the rate");
    let calm = open("1000/s", "100ms", &[]);
    control(&["generator-busy", "arrivals-differ"], || judged(&calm, &[]));
}

#[test]
fn a_pacer_that_is_stopped_again_and_again_sends_other_arrivals() {
    let _alone = alone();
    let place = open("1000/s", "600ms", &[("constant 1ms", "constant 200us")]);
    let stopped = stopped(&place, MS(6), MS(4));
    stopped.must_carry("arrivals-differ", "degraded", "the gaps of", "let the pacing thread keep its plan");
    // A stop of all threads is in no slot's time, so no queue explains it.
    stopped.must_carry("twin-apart", "degraded", "from those of a queue with the same arrivals and services", "free a CPU");
    control(&["arrivals-differ", "twin-apart"], || judged(&place, &[]));
}

#[test]
fn a_pacer_without_real_time_priority_is_of_another_class() {
    let _alone = alone();
    let place = open("500/s", "200ms", &[]);
    let ordinary = without_fifo(&place);
    ordinary.must_carry("timing-class", "note", "timing class `other`", "allow SCHED_FIFO");
    // Waiting for a CPU is then no sign of others: it may be for the trial's own threads.
    assert_eq!(ordinary.records[0]["timing_class"], "other");
    let free = judged(&place, &[]);
    let allowed = free.records[0]["timing_class"] == "fifo";
    assert_eq!(free.carries("timing-class"), !allowed, "{free:?}");
}
