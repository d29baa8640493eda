use super::*;

/// What is called the default must be it.
#[test]
fn the_defaults_are_those_of_the_catalogue() {
    let rows = driver::catalogue();
    for (key, value) in recommend::DEFAULTS {
        let row = rows.iter().find(|row| row.key == *key).unwrap_or_else(|| panic!("no setting {key}"));
        assert_eq!(row.default, *value, "{key}");
    }
}
