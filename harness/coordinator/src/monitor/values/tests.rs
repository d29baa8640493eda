use super::*;
use crate::monitor::health::tests::Scene;

const PAGE: &str = include_str!("../../../../../docs/MONITORING.md");

#[test]
fn the_page_lists_every_value_and_no_other() {
    let unit = |unit| match unit {
        ValueUnit::Number => "number",
        ValueUnit::Share => "share",
        ValueUnit::Seconds => "seconds",
        ValueUnit::Bytes => "bytes",
    };
    let by = |by| match by {
        By::Nothing => "-",
        By::Tier => "tier",
        By::Partition => "partition",
    };
    let lines: Vec<String> = VALUES.iter().map(|r| format!("| `{}` | {} | {} | {} |", r.name, unit(r.unit), by(r.by), r.doc)).collect();
    let missing: String = lines.iter().filter(|line| !PAGE.contains(*line)).map(|l| format!("{l}\n")).collect();
    assert!(missing.is_empty(), "docs/MONITORING.md lacks:\n{missing}");
}

#[test]
fn every_value_can_be_read_for_every_part_and_names_are_distinct() {
    let scene = Scene::new(&[]);
    let mut names = std::collections::BTreeSet::new();
    for row in VALUES {
        assert!(names.insert(row.name.to_owned()), "{}", row.name);
        for (name, part) in row.parts() {
            assert!(names.insert(name.clone()), "{name}");
            assert!(scene.value(row.name, part).is_none_or(f64::is_finite), "{name}");
        }
    }
    assert!(names.contains("queue-depth.hot") && names.contains("ready-workers.shared") && !names.contains("queue-depth.shared"));
}

#[test]
fn gauges_are_of_now_and_of_their_part() {
    let mut scene = Scene::new(&[]);
    (scene.pool.core.tiers[0].queued, scene.pool.core.tiers[2].queued) = (3, 4);
    scene.fill(1, Residency::Backoff, 1);
    let all = |name| scene.value(name, Part::All).unwrap();
    assert_eq!((all("queue-depth"), scene.value("queue-depth", Part::Tier(Tier::Cold))), (7.0, Some(4.0)));
    assert_eq!((all("queue-share"), scene.value("queue-share", Part::Tier(Tier::Hot))), (0.4, Some(0.3)));
    assert_eq!((all("ready-workers"), all("backoff-slots"), all("parked-slots")), (1.0, 1.0, 0.0));
    assert_eq!(
        (scene.value("ready-workers", Part::Partition(0)), scene.value("ready-workers", Part::Partition(1))),
        (Some(1.0), Some(0.0))
    );
}

#[test]
fn rates_and_shares_are_of_the_window() {
    let mut scene = Scene::new(&[]);
    (scene.then.busy_ns[0], scene.then.existing_ns[0]) = (5, 10);
    (scene.now.busy_ns[0], scene.now.existing_ns[0], scene.now.deaths) = (8, 20, 5);
    scene.now.affinity = [50, 50, 6, 1, 1];
    scene.now.predictions[0] = [6, 2, 0];
    let all = |name| scene.value(name, Part::All);
    assert_eq!((all("utilisation"), all("death-rate"), all("affinity-miss-share")), (Some(0.3), Some(0.5), Some(0.25)));
    assert_eq!((all("misprediction-share"), all("ok-share"), all("latency-p99")), (Some(0.25), None, None), "a share of nothing is none");
    assert_eq!(scene.value("utilisation", Part::Partition(1)), None);
}

#[test]
fn a_quantile_is_interpolated_in_its_bucket() {
    let mut scene = Scene::new(&[]);
    scene.then.latencies[0][3] = 7;
    scene.now.latencies[0][3] = 7;
    (scene.now.latencies[0][5], scene.now.latencies[1][10]) = (90, 10);
    let at = |scene: &Scene, name, part| scene.value(name, part).unwrap();
    // 16 to 32 us, of which 50 of 90; then 512 to 1024 us, of which 5 of 10.
    assert!((at(&scene, "latency-p50", Part::All) - (16.0 + 16.0 * 50.0 / 90.0) / 1e6).abs() < 1e-12);
    assert!((at(&scene, "latency-p95", Part::All) - (512.0 + 512.0 * 0.5) / 1e6).abs() < 1e-12);
    assert!(at(&scene, "latency-p99", Part::Tier(Tier::Hot)) < 32e-6);
    scene.now.latencies[2][BUCKETS - 1] = 1_000;
    assert_eq!(at(&scene, "latency-p99", Part::Tier(Tier::Cold)), 33.554432, "beyond the last bound nothing is known");
}
