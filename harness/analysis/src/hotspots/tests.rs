use proptest::prelude::*;

use super::*;

#[test]
fn self_is_of_the_leaf_and_total_counts_recursion_once() {
    let folded = "main;a;b 6\nmain;a;a;b 1\nmain;a;a 2\nmain;c 1\nnot a stack\n\n";
    let rows = hotspots(folded, 10);
    let short: Vec<_> = rows.iter().map(|h| (h.function.as_str(), h.self_samples, h.total_samples)).collect();
    assert_eq!(short, [("b", 7, 7), ("a", 2, 9), ("c", 1, 1), ("main", 0, 10)]);
    assert_eq!((rows[0].self_share, rows[1].total_share), (0.7, 0.9));
    assert_eq!(hotspots(folded, 1).len(), 1);
    assert_eq!(hotspots("", 5), []);
}

#[test]
fn ties_are_broken_by_name() {
    let names: Vec<String> = hotspots("z 1\na 1\nm 1\n", 3).into_iter().map(|h| h.function).collect();
    assert_eq!(names, ["a", "m", "z"]);
}

#[test]
fn names_lose_hashes_and_long_generics() {
    for (long, short) in [
        ("pool::core::Core::step::h0123456789abcdef", "pool::core::Core::step"),
        ("serde_json[0123456789abcdef]::to_vec", "serde_json::to_vec"),
        ("serde_json::ser::to_vec::<alloc::vec::Vec<u8>>", "serde_json::ser::to_vec"),
        ("<pool::Slot as core::future::future::Future>::poll", "<pool::Slot as Future>::poll"),
        ("<pool::Slot<u8> as core::ops::Fn<(u8,)>>::call", "<pool::Slot<u8> as Fn>::call"),
        ("store::Cache<alloc::string::String, alloc::vec::Vec<u8>>::get", "store::Cache<…>::get"),
        ("a::b<fn() -> u8>::c", "a::b<fn() -> u8>::c"),
        ("a::b<fn(alloc::string::String) -> u8>::c", "a::b<…>::c"),
        ("operator<", "operator<"),
        ("[unknown]", "[unknown]"),
        ("a::{closure#0}", "a::{closure#0}"),
    ] {
        assert_eq!(shorten(long), short);
    }
}

#[test]
fn the_runtime_below_the_application_is_one_frame() {
    let folded = "clone3;start_thread;std::sys::thread_start;tokio::runtime::task::poll;coordinator::serve;core::ptr::read 2\n\
                  clone3;start_thread;<alloc::boxed::Box<F> as core::ops::FnOnce>::call_once;coordinator::serve;core::ptr::read 3\n\
                  clone3;start_thread;std::park 1\n\
                  pool::step 4\n";
    assert_eq!(prune(folded), "[runtime];coordinator::serve;core::ptr::read 5\n[runtime];std::park 1\npool::step 4\n");
}

proptest! {
    #[test]
    fn pruning_keeps_every_sample_and_is_stable(stacks in proptest::collection::vec(("[a-c<>:;\\[\\] -]{1,24}", 1u64..9), 0..12)) {
        let folded: String = stacks.iter().map(|(s, n)| format!("{s} {n}\n")).collect();
        let samples = |text: &str| super::stacks(text).map(|s| s.1).sum::<u64>();
        prop_assert_eq!(samples(&prune(&folded)), samples(&folded));
        prop_assert_eq!(prune(&folded), prune(&folded));
    }
}
