//! Relative links of Markdown, pictures too, lead to a file, and their anchors to a heading.
//!
//! Limits: links in one line only; reference links and HTML attributes other than `src` and `href` are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, files, must_hold};

/// The lines of a page that are not in a fence of code.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    page.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fence && !fenced).then_some((index + 1, line))
    })
}

/// A line without its `code`.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Targets of links and pictures, with their lines.
fn targets(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(page) {
        let line = without_code(line);
        for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            let links = line.split(open).skip(1).filter_map(|rest| rest.split_once(close));
            found.extend(links.map(|(target, _)| (number, target.split(' ').next().unwrap_or_default().to_owned())));
        }
    }
    found
}

/// The anchors that GitHub gives to the headings of a page, and those set by hand.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (_, line) in prose(page) {
        for by_hand in line.split("id=\"").skip(1) {
            found.extend(by_hand.split_once('"').map(|(id, _)| id.to_owned()));
        }
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        let slug = kept.replace(' ', "-");
        let times = seen.entry(slug.clone()).or_default();
        found.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    found
}

/// `target` as seen from the folder of `path`; `None` if it leads out of the tree.
fn resolve(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn dead(files: &[File], file: &File) -> Vec<String> {
    let mut found = Vec::new();
    for (line, target) in targets(&file.text) {
        if target.contains("://") || target.starts_with("mailto:") || target.is_empty() {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let path = if path.is_empty() { Some(file.path.clone()) } else { resolve(&file.path, path) };
        let there = |f: &&File| path.as_ref().is_some_and(|p| f.path == *p || (anchor.is_empty() && f.path.starts_with(&format!("{p}/"))));
        match files.iter().find(there) {
            None => found.push(format!("{}:{line}: '{target}' leads nowhere", file.path)),
            Some(page) if !anchor.is_empty() && !anchors(&page.text).contains(anchor) => {
                found.push(format!("{}:{line}: '{target}' names no heading", file.path));
            }
            Some(_) => {}
        }
    }
    found
}

/// Pages that people read: not golden files, whose neighbours are written elsewhere.
fn is_page(file: &File) -> bool {
    file.is("md") && !file.path.contains("tests-data/") || file.path.starts_with("scenarios/") && file.is("toml")
}

#[test]
fn no_link_is_dead() {
    let pages: Vec<&File> = files().iter().filter(|f| is_page(f)).collect();
    let links: usize = pages.iter().map(|f| targets(&f.text).len()).sum();
    assert!(links > 30, "only {links} links were found");
    must_hold(&pages.iter().flat_map(|f| dead(files(), f)).collect::<Vec<_>>());
}

#[test]
fn dead_links_are_found() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let page = "# A *b*, c!\n## a b c\n[x](../a.md) [y](e.md#f) ![z](p.svg) [w](#a-b-c-1)\n```\n[n](no.md)\n```\n`[m](no.md)` [u](https://x.y/z)\n";
    let dead_ones = "[1](no.md) [2](e.md#g) ![3](q.svg)\n[4](#d) [5](../../out.md)\n";
    let all = [file("a.md", ""), file("d/e.md", "# F\n"), file("d/p.svg", ""), file("d/x.md", page), file("d/y.md", dead_ones)];
    assert_eq!(dead(&all, &all[3]), Vec::<String>::new());
    assert_eq!(dead(&all, &all[4]).len(), 5);
}
