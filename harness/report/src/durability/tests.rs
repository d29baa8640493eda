use std::collections::BTreeMap;

use super::*;

fn row(write: &str, power: Costs) -> Row {
    let settings = [("store.files.write", write), ("store.files.sync", "none")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    Row {
        id: format!("durability/files?write={write}&sync=none"),
        settings: BTreeMap::from(settings),
        flushes_per_write: 2.0,
        kill: Costs { crashes: 200, ..Costs::default() },
        acknowledged: 5000,
        power: power.clone(),
        power_ext4: power,
        points: [200, 3],
    }
}

/// Given with the worst first, so that an order must be made.
fn all() -> Durability {
    let text = |text: &str| text.to_owned();
    let losing = || Costs { crashes: 1600, losing: 100, lost_max: 3, lost_mean: 0.25, ..Costs::default() };
    let torn = Costs { torn: 400, first: Some(text("a | b")), ..losing() };
    Durability {
        schema: model::durability::SCHEMA,
        started: text("2026-01-31T12:00:00Z"),
        build: text("1 a"),
        sqlite: text("3"),
        kernel: text("Linux"),
        filesystem: text("ext4"),
        seed: 1,
        rows: vec![row("truncate", torn), row("in-place", losing()), row("rename", Costs { crashes: 1600, ..Costs::default() })],
    }
}

#[test]
fn the_page_has_the_classes_in_order_with_losses_and_damage() {
    let page = durability_page(&all());
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `files")).collect();
    assert_eq!(rows.len(), 3, "{page}");
    for (row, class) in rows.iter().zip(["| durable |", "| consistent |", "| unsafe |"]) {
        assert!(row.contains(class), "{row}");
    }
    assert!(rows[0].contains("none lost") && rows[0].contains("always"), "{}", rows[0]);
    assert!(rows[1].contains("lost max 3, mean 0.25"), "{}", rows[1]);
    assert!(rows[2].contains("torn 25") && rows[2].contains("not after power loss"), "{}", rows[2]);
    assert!(page.contains("200 times per row") && page.contains("1,600 states"), "{page}");
    assert!(page.contains("a \\| b"), "the first damage is told, escaped: {page}");
}

fn summary(names: &[(&str, &str)]) -> Summary {
    let mut summary = crate::tests::summary();
    for (scenario, (name, write)) in summary.scenarios.iter_mut().zip(names) {
        scenario.name = (*name).to_owned();
        for (index, case) in scenario.cases.iter_mut().enumerate() {
            let write = if index == 0 { "truncate" } else { write };
            case.seen =
                [("kind", "files"), ("files.write", write), ("files.sync", "none")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        }
    }
    summary
}

#[test]
fn a_run_of_stores_shows_its_cases_by_class_or_says_what_is_missing() {
    let summary = summary(&[("io/x", "rename"), ("io/y", "rename")]);
    assert!(summary.scenarios[0].cases.len() > 1 || summary.scenarios[1].cases.len() > 1);
    let without = section(&summary, None);
    assert!(without.contains("poolbench durability --into"), "{without}");
    let with = section(&summary, Some(&all()));
    let (durable, damaged) = (with.find("| durable |").unwrap(), with.find("| unsafe |").unwrap());
    assert!(durable < damaged || with.matches("io/y").count() > 0, "{with}");
    assert!(with.contains("are the price of the better class"), "{with}");
}

#[test]
fn runs_that_are_not_about_stores_have_no_such_section() {
    assert_eq!(section(&summary(&[("pool/x", "rename"), ("pool/y", "rename")]), Some(&all())), "");
    assert_eq!(section(&crate::tests::summary(), None), "");
}

#[test]
fn settings_that_were_not_put_to_it_are_said_to_be_unmeasured() {
    let summary = summary(&[("io/x", "elsewhere"), ("io/y", "elsewhere")]);
    assert!(section(&summary, Some(&all())).contains("| not measured |"));
}
