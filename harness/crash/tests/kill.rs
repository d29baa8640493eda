//! Real writers, really killed. Called as `writer ID DIR SEED`, this program is such a writer.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use crash::{Class, Subject, kills, serve_writer};

const KILLS: u32 = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, id, dir, seed] = arguments.as_slice()
        && role == "writer"
    {
        let subject = Subject::named(id).ok_or("no such subject")?;
        return Ok(serve_writer(subject, Path::new(dir), seed.parse()?, std::io::stdout())?);
    }
    acknowledged_writes_survive_a_kill()?;
    a_writer_that_fails_by_itself_is_told()
}

fn own_program(id: &str) -> Result<impl Fn(&Path, u64) -> Command + use<>, Box<dyn Error>> {
    let (program, id) = (std::env::current_exe()?, id.to_owned());
    Ok(move |dir: &Path, seed: u64| {
        let mut command = Command::new(&program);
        command.args(["writer", &id]).arg(dir).arg(seed.to_string());
        command
    })
}

fn acknowledged_writes_survive_a_kill() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let scratch = tempfile::tempdir()?;
    for id in [
        "durability/files?write=rename&sync=none",
        "durability/sqlite?journal-mode=wal&synchronous=off",
        "durability/sqlite?journal-mode=delete&synchronous=full",
    ] {
        let subject = Subject::named(id).ok_or("no such subject")?;
        let kills = kills(&runtime, subject, &own_program(id)?, scratch.path(), KILLS, 7)?;
        assert_eq!((kills.tally.crashes, kills.tally.class()), (u64::from(KILLS), Class::Durable), "{id}: {kills:?}");
        assert!(kills.acknowledged > 0, "{id}: nothing was ever acknowledged");
    }
    assert_eq!(std::fs::read_dir(scratch.path())?.count(), 0, "directories stay behind");
    Ok(())
}

fn a_writer_that_fails_by_itself_is_told() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let scratch = tempfile::tempdir()?;
    let start = own_program("no such id")?;
    // The first kill may come before the writer fails; a later one waits for its opening.
    let failed = kills(&runtime, Subject::named("durability/files?write=rename&sync=none").ok_or("?")?, &start, scratch.path(), 5, 7);
    let said = failed.err().map(|why| why.to_string()).unwrap_or_default();
    assert!(said.contains("no such subject"), "{said}");
    Ok(())
}
