//! Who imports whom: the manifests against the table in docs/ARCHITECTURE.md, in both directions.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, files, must_hold, text};

type Edges = BTreeMap<String, BTreeSet<String>>;

/// The mark above the table.
const MARK: &str = "<!-- tidy:edges -->";

/// The table's rows behind the mark: crate -> what it imports.
fn tabled(page: &str) -> Edges {
    let rows = page.split_once(MARK).map_or("", |(_, rest)| rest).trim_start().lines().skip(2).take_while(|l| l.starts_with('|'));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, imports] = cells.as_slice() else { return None };
        let imports = imports.split(',').map(|i| i.trim().to_owned()).filter(|i| i != "nothing of ours").collect();
        Some(((*name).to_owned(), imports))
    })
    .collect()
}

/// The manifests of our crates: crate -> which of ours it imports, also for its tests and its build.
fn of_manifests(files: &[File]) -> Edges {
    let ours: Vec<&File> = files.iter().filter(|f| f.path.ends_with("/Cargo.toml")).collect();
    let names: BTreeSet<&str> = ours.iter().filter_map(|f| name(&f.text)).collect();
    let imports = |f: &&File| {
        let keys = dependencies(&f.text).into_iter().filter(|d| names.contains(d.as_str())).collect();
        Some((name(&f.text)?.to_owned(), keys))
    };
    ours.iter().filter_map(imports).collect()
}

fn name(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|l| l.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// Keys of every table of dependencies.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((key, _)) = line.split_once('=').filter(|_| inside && !line.starts_with('#')) {
            found.extend(key.split('.').next().map(|k| k.trim().to_owned()));
        }
    }
    found
}

fn differences(table: &Edges, manifests: &Edges) -> Vec<String> {
    let pairs = |edges: &Edges| -> BTreeSet<(String, String)> {
        // The crate itself is a pair too, so that one without imports must be in the table.
        edges.iter().flat_map(|(a, to)| to.iter().chain([&String::new()]).map(|b| (a.clone(), b.clone())).collect::<Vec<_>>()).collect()
    };
    let (said, real) = (pairs(table), pairs(manifests));
    let forbidden = real.difference(&said).map(|(a, b)| format!("{a} imports '{b}', which docs/ARCHITECTURE.md does not permit"));
    let stale = said.difference(&real).map(|(a, b)| format!("docs/ARCHITECTURE.md says that {a} imports '{b}', and no manifest does"));
    forbidden.chain(stale).collect()
}

#[test]
fn crates_import_what_the_architecture_says() {
    let manifests = of_manifests(files());
    assert!(manifests.len() >= 11, "{manifests:?}");
    must_hold(&differences(&tabled(text("docs/ARCHITECTURE.md")), &manifests));
}

#[test]
fn a_wrong_edge_is_found_in_either_direction() {
    let page = format!(
        "text\n{MARK}\n| crate | imports |\n| --- | --- |\n| a | nothing of ours |\n| b | a, c |\n| c | nothing of ours |\n\n| d | a |"
    );
    let manifest =
        |name: &str, rest: &str| File { path: format!("{name}/Cargo.toml"), text: format!("[package]\nname = \"{name}\"\n{rest}") };
    let mut all = vec![
        manifest("a", "[dependencies]\nserde.workspace = true\n"),
        manifest("b", "[dependencies]\na.workspace = true\n[dev-dependencies]\nc = { workspace = true }\n"),
        manifest("c", "[lints]\nworkspace = true\n"),
    ];
    assert_eq!(differences(&tabled(&page), &of_manifests(&all)), Vec::<String>::new());
    all[0].text.push_str("[dev-dependencies]\nb.workspace = true\n");
    all[1].text = all[1].text.replace("c = {", "d = {");
    all.push(manifest("e", ""));
    assert_eq!(differences(&tabled(&page), &of_manifests(&all)).len(), 3);
}
