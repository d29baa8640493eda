use super::*;

#[test]
fn durations_and_sizes_as_people_write_them() {
    for (text, ns) in [("5ms", 5_000_000), ("0.5s", 500_000_000), ("20us", 20_000), ("2m", 120_000_000_000), ("7 ns", 7)] {
        assert_eq!(parse_duration(text), Ok(ns), "{text}");
    }
    for (text, bytes) in [("4KiB", 4096), ("100B", 100), ("1.5MiB", 1_572_864)] {
        assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
    }
}

#[test]
fn a_bare_number_or_a_wrong_unit_says_what_was_expected() {
    for text in ["5", "", "ms", "-5ms", "5 parsecs", "5MS", "1e400s", "99999999999999h"] {
        let error = parse_duration(text).unwrap_err();
        assert!(error.contains(text) && (error.contains("expected") || error.contains("too large")), "{error}");
    }
    assert!(parse_bytes("4kb").unwrap_err().contains("KiB"));
}

#[test]
fn rates_absolute_and_of_capacity() {
    assert_eq!(Rate::parse("800/s"), Ok(Rate::PerSecond(800.0)));
    assert_eq!(Rate::parse("2k/s"), Ok(Rate::PerSecond(2000.0)));
    assert_eq!(Rate::parse("60% of capacity"), Ok(Rate::OfCapacity(0.6)));
    for text in ["0/s", "-3/s", "800", "0% of capacity", "nan/s", "inf/s", "-1% of capacity"] {
        assert!(Rate::parse(text).unwrap_err().contains("above zero"), "{text}");
    }
}

#[test]
fn figures_are_shown_with_three_digits() {
    for (ns, shown) in
        [(789.0, "789 ns"), (1234.0, "1.23 us"), (45_600.0, "45.6 us"), (999_600.0, "1.00 ms"), (2.5e9, "2.50 s"), (99_960.0, "100 us")]
    {
        assert_eq!(show_ns(ns), shown);
    }
    assert_eq!(show_bytes(1536.0), "1.50 KiB");
    assert_eq!(show_rate(812.0), "812/s");
    assert_eq!(show_rate(12_345.0), "12.3k/s");
}
