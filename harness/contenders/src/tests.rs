//! Every way of every job, on small documents, twice; and that what is wrong is noticed.

use std::collections::BTreeSet;

use super::*;

/// Documents as the driver makes them: text of just the size, cut anywhere.
fn opening(dir: &std::path::Path, settings: &[(&str, &str)]) -> Opening {
    let document = |i: usize| {
        let message = format!(
            "{{\"id\":\"m{i}\",\"role\":\"user\",\"turn\":{i},\"text\":\"What of \\\"{i}\\\"?\"}},{{\"role\":\"assistant\",\"tool\":\"grep\",\"arguments\":{{\"path\":\"src/a{i}.rs\",\"line\":{i}}}}},{{\"role\":\"tool\",\"content\":\"fn a() {{\\n}}\"}},"
        );
        let mut text = format!("{{\"messages\":[{}", message.repeat(40));
        text.truncate(3000);
        text.into_bytes()
    };
    Opening {
        dir: dir.to_owned(),
        documents: (0..5).map(document).collect(),
        seed: 1,
        settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

/// Opens, runs a few batches, and gives what `finish` says; `None` where the host lacks something.
fn run(way: &Way, settings: &[(&str, &str)]) -> Option<Result<BTreeMap<String, String>, String>> {
    let dir = tempfile::tempdir().unwrap();
    let mut contender = match (way.open)(&opening(dir.path(), settings)) {
        Ok(contender) => contender,
        Err(Refusal::NotHere(why)) => {
            assert!(!why.is_empty());
            return None;
        }
        Err(Refusal::Failed(why)) => panic!("{}: {why}", way.name),
    };
    for _ in 0..3 {
        contender.between().unwrap();
        let batch = contender.batch().unwrap_or_else(|why| panic!("{}: {why}", way.name));
        assert!(batch.operations > 0 && batch.bytes_in > 0, "{}: {batch:?}", way.name);
    }
    assert!(contender.limit().is_some(), "{}", way.name);
    Some(contender.finish())
}

#[test]
fn every_way_of_every_job_gives_right_answers() {
    for job in JOBS {
        let measured = job.ways.iter().filter_map(|way| Some((way, run(way, &[("contender.files", "70")])?)));
        let measured: Vec<_> = measured.map(|(way, said)| (way, said.unwrap_or_else(|why| panic!("{}: {why}", way.name)))).collect();
        assert!(measured.len() * 2 > job.ways.len(), "{}: most ways work on any host", job.name);
    }
}

#[test]
fn names_are_unique_and_every_row_is_documented() {
    let mut names = BTreeSet::new();
    for job in JOBS {
        assert!(names.insert(job.name) && job.doc.len() > 10);
        let ways: BTreeSet<_> = job.ways.iter().map(|w| w.name).collect();
        assert_eq!(ways.len(), job.ways.len(), "{}", job.name);
        assert!(job.ways.iter().all(|w| w.doc.len() > 5 && !w.name.ends_with(AGAIN)), "{}", job.name);
        let first = job.ways[0].name;
        assert_eq!(job.way(&format!("{first}{AGAIN}")).map(|w| w.name), Some(first));
        assert!(job.way("no-such").is_none());
    }
}

fn way(job: &str, way: &str) -> &'static Way {
    JOBS.iter().find(|j| j.name == job).unwrap().way(way).unwrap()
}

#[test]
fn cold_files_are_proved_cold_or_said_not_to_be() {
    let said = run(way("file-read", "std-read"), &[("contender.cache", "cold")]).unwrap().unwrap();
    assert!(said["cache"].starts_with("cold: verified") || said["cache"].starts_with("not verified"), "{said:?}");
    assert_eq!(run(way("file-read", "std-read"), &[]).unwrap().unwrap()["cache"], "warm");
    assert!(run(way("file-read", "mapping-kept"), &[("contender.cache", "cold")]).is_none(), "its mapping pins its pages");
}

#[test]
fn every_save_names_the_protocol_of_the_product() {
    for sync in ["none", "file", "file-and-dir"] {
        for (name, write) in [("truncate", "truncate"), ("no-truncate", "in-place"), ("temp-rename", "rename"), ("tokio-write", "truncate")]
        {
            let said = run(way("file-write", name), &[("contender.sync", sync)]).unwrap().unwrap();
            assert_eq!(said["protocol"], format!("store.files.write={write} store.files.sync={sync}"));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let refused = (way("file-write", "truncate").open)(&opening(dir.path(), &[("contender.sync", "now")]));
    assert!(matches!(refused, Err(Refusal::Failed(why)) if why.contains("expected none, file or file-and-dir")));
}

/// What a session's file holds is changed behind the contender's back.
#[test]
fn a_file_that_is_not_what_it_was_fails_the_batch_or_the_end() {
    for (job, name) in [("file-read", "std-read"), ("file-write", "no-truncate"), ("file-append", "group-commit")] {
        let dir = tempfile::tempdir().unwrap();
        let mut contender = (way(job, name).open)(&opening(dir.path(), &[])).unwrap();
        contender.between().unwrap();
        contender.batch().unwrap();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            *bytes.get_mut(100).unwrap() ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
        let noticed = if job == "file-read" { contender.batch().err() } else { contender.finish().err() };
        assert!(noticed.is_some(), "{job}");
    }
}
