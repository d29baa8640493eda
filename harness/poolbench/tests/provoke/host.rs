//! What others do to the host.

use std::path::Path;

use crate::hog::Hog;
use crate::quota::Quota;
use crate::run::{alone, command, control, finish, judged, loud, open};

#[test]
fn busy_processes_share_the_host() {
    let _alone = alone();
    let place = open("500/s", "600ms", &[]);
    let hog = Hog::of_the_host();
    let shared = judged(&place, &[]);
    drop(hog);
    shared.must_carry("host-shared", "degraded", "other programs used", "stop other programs");
    let others = shared.number("/host/others/share");
    assert!(others > 0.5, "two busy threads for each CPU, and a load that sleeps: {others}");
    if Path::new("/proc/pressure/cpu").exists() {
        shared.must_carry("cpu-pressure", "note", "some task waited for a CPU", "fewer workers than CPUs");
    } else {
        loud("cpu-pressure NOT PROVOKED: this kernel counts no pressure (/proc/pressure/cpu is not there)");
        assert!(!shared.carries("cpu-pressure"));
    }
    control(&["host-shared", "cpu-pressure"], || judged(&place, &[]));
}

#[test]
fn a_quota_disturbs_the_host() {
    let _alone = alone();
    // Each of 300 requests a second spins for a millisecond: thrice of what the quota allows.
    let place = open("300/s", "400ms", &[("service = \"constant 1ms\"", "service = \"constant 1ms\"\nwork = \"spin\"")]);
    match Quota::new(10) {
        Ok(quota) => {
            let held = finish(&place, &mut quota.around(&command(&place, &[])));
            held.must_carry("host-disturbed", "degraded", "a CPU quota stopped the trial for", "raise the cgroup's CPU quota");
            assert!(held.number("/host/throttled_ns") > 4e6);
        }
        Err(why) => {
            loud(&format!("host-disturbed by a quota NOT PROVOKED: {why}"));
            let lacking = ["ermission denied", "not permitted", "ead-only", "No such file", "busy"];
            assert!(lacking.iter().any(|text| why.contains(text)), "not for lack of permission: {why}");
        }
    }
    control(&["host-disturbed"], || judged(&place, &[]));
}
