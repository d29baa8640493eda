use std::collections::BTreeMap;

use pool::Snapshot;
use pool::core::{Core, Outcome};

use super::*;
use crate::monitor::counters::{Counters, NO_TIER, PARTITIONS};
use crate::monitor::sample::Mark;

/// A made-up pool: two hot slots that should be ready and one warm slot on demand.
pub(in crate::monitor) struct Scene {
    pub(in crate::monitor) config: pool::Config,
    pub(in crate::monitor) pool: Snapshot,
    pub(in crate::monitor) then: Mark,
    pub(in crate::monitor) now: Mark,
}

pub(in crate::monitor) const BOUNDS: Bounds = Bounds { window_ns: 10_000_000_000, queue: 0.8, shed: 0.01, failed: 0.01 };

impl Scene {
    pub(in crate::monitor) fn new(extra: &[(&str, &str)]) -> Scene {
        let base = [
            ("pool.tools.echo.tier", "hot"),
            ("pool.dispatch", "tiered"),
            ("pool.hot.min-ready", "2"),
            ("pool.hot.max", "2"),
            ("pool.warm.max", "1"),
            ("pool.cold.max", "0"),
            ("pool.queue-len", "10"),
        ];
        let settings: BTreeMap<String, String> = base.iter().chain(extra).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let config = pool::Config::from_settings(&settings).unwrap();
        let core = Core::new(&config).view();
        let mut pool = Snapshot {
            at: 10_000_000_000,
            core,
            deaths: 0,
            deaths_by: Default::default(),
            live_pids: Vec::new(),
            busy_ns: [0; PARTITIONS],
            existing_ns: [0; PARTITIONS],
            in_flight: 0,
            queued: 0,
        };
        for slot in &mut pool.core.slots[..2] {
            slot.residency = Residency::Ready;
        }
        let now = Mark::take(&pool, &Counters::new(&config));
        Scene { then: Mark { at: 0, ..now.clone() }, now, config, pool }
    }

    pub(in crate::monitor) fn fill(&mut self, slot: usize, residency: Residency, failures: u32) {
        (self.pool.core.slots[slot].residency, self.pool.core.slots[slot].failures) = (residency, failures);
    }

    pub(in crate::monitor) fn value(&self, name: &str, part: Part) -> Option<f64> {
        let slots = Slots::count(&self.pool);
        Between { config: &self.config, pool: &self.pool, slots: &slots, then: &self.then, now: &self.now }.value(name, part)
    }

    fn judge(&self) -> Health {
        let slots = Slots::count(&self.pool);
        judge(&BOUNDS, &Between { config: &self.config, pool: &self.pool, slots: &slots, then: &self.then, now: &self.now })
    }

    /// Whether it is ready, and the reasons with their parts.
    fn verdict(&self) -> (bool, Vec<String>) {
        let health = self.judge();
        assert_eq!(health.degraded, !health.reasons.is_empty());
        assert!(health.reasons.iter().all(|r| REASONS.contains(&r.reason) && r.why.len() > 10));
        (health.ready, health.reasons.iter().map(|r| format!("{} {}", r.reason, r.part.unwrap_or("-"))).collect())
    }
}

#[test]
fn a_pool_with_what_it_should_have_is_well() {
    assert_eq!(Scene::new(&[]).verdict(), (true, Vec::new()));
}

#[test]
fn a_dead_tier_degrades_and_a_dead_pool_is_not_ready() {
    let mut scene = Scene::new(&[]);
    scene.fill(0, Residency::Backoff, 1);
    assert_eq!(scene.verdict(), (true, vec!["backing-off hot".to_owned()]));
    scene.fill(1, Residency::Parked, 3);
    let (ready, reasons) = scene.verdict();
    assert_eq!(reasons, ["no-ready-worker hot", "parked-slots hot", "backing-off hot"]);
    assert!(ready, "warm can start one on demand");
    scene.fill(2, Residency::Parked, 3);
    assert!(!scene.verdict().0);
    scene.fill(2, Residency::Starting, 1);
    assert!(!scene.verdict().0, "a start after a death is a hope");
    scene.fill(2, Residency::Starting, 0);
    assert!(scene.verdict().0);
}

#[test]
fn with_shared_dispatch_the_one_partition_counts() {
    let shared = [("pool.dispatch", "shared"), ("pool.shared.min-ready", "1"), ("pool.shared.max", "2")];
    let mut scene = Scene::new(&shared);
    assert_eq!(scene.pool.core.slots.len(), 2);
    assert_eq!(scene.verdict(), (true, Vec::new()));
    scene.fill(0, Residency::Parked, 3);
    scene.fill(1, Residency::Backoff, 3);
    assert_eq!(scene.verdict(), (false, ["no-ready-worker", "parked-slots", "backing-off"].map(|r| format!("{r} shared")).to_vec()));
}

#[test]
fn a_queue_above_its_share_degrades_by_requests_or_by_bytes() {
    let mut scene = Scene::new(&[]);
    scene.pool.core.tiers[0].queued = 8;
    assert_eq!(scene.verdict(), (true, Vec::new()), "at the bound is within it");
    scene.pool.core.tiers[0].queued = 9;
    assert_eq!(scene.verdict(), (true, vec!["queue-filling hot".to_owned()]));
    (scene.pool.core.tiers[0].queued, scene.pool.core.tiers[1].queued_bytes) = (1, 63 << 20);
    assert_eq!(scene.verdict(), (true, vec!["queue-filling warm".to_owned()]));
}

#[test]
fn shares_are_of_the_window_and_of_nothing_else() {
    let mut scene = Scene::new(&[]);
    scene.then.outcomes[0][Outcome::Shed as usize] = 1_000;
    scene.now.outcomes[0][Outcome::Shed as usize] = 1_000;
    assert_eq!(scene.verdict(), (true, Vec::new()), "what was shed before the window is past");
    scene.now.outcomes[0][Outcome::Ok as usize] = 97;
    scene.now.outcomes[NO_TIER][Outcome::Shed as usize] = 2;
    scene.now.outcomes[0][Outcome::OutcomeUnknown as usize] = 1;
    assert_eq!(scene.verdict(), (true, vec!["shedding -".to_owned()]), "2 % shed, 1 % failed");
    scene.now.outcomes[0][Outcome::SessionLost as usize] = 1;
    assert_eq!(scene.verdict().1, ["shedding -", "failing -"]);
}

#[test]
fn a_drain_and_a_reload_are_told_apart() {
    let mut scene = Scene::new(&[]);
    scene.fill(0, Residency::Ejected, 0);
    assert_eq!(scene.verdict(), (true, vec!["ejected-workers hot".to_owned()]));
    scene.pool.core.reloading = true;
    assert_eq!(scene.verdict(), (true, Vec::new()));
    scene.pool.core.draining = true;
    scene.fill(1, Residency::Closing, 0);
    assert_eq!(scene.verdict(), (false, vec!["draining -".to_owned()]));
}

#[test]
fn health_is_told_in_json() {
    let mut scene = Scene::new(&[]);
    scene.fill(0, Residency::Backoff, 1);
    let json = serde_json::to_value(scene.judge()).unwrap();
    assert_eq!((&json["live"], &json["ready"], &json["degraded"]), (&true.into(), &true.into(), &true.into()));
    assert_eq!(json["reasons"][0]["reason"], "backing-off");
    assert_eq!(json["reasons"][0]["part"], "hot");
}
