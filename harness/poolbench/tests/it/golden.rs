//! docs/CLI.md is what the program says: `UPDATE_GOLDEN=1 cargo test -p poolbench golden` writes it anew.

use std::fmt::Write;

use crate::support::{Place, root};

const BEGIN: &str = "\
# The command line

Made from the program itself by `UPDATE_GOLDEN=1 cargo test -p poolbench golden`; a test fails when the two differ.

Results go to stdout, everything else to stderr: progress is a live line on a terminal and one plain line per trial elsewhere. `poolbench`
works from any directory, inside a git checkout or not; the standard scenarios are in the binary. `-h` prints a short help, `--help` this one.

## Exit codes

";

const ERRORS: &str = "
The numbers are stable. A reader that closes the pipe early (`poolbench list | head -1`) is no error.

## Errors

An error names the file and the line, what is wrong, and in brackets what was expected or the nearest valid word; all problems of all
files are said at once, before anything runs. The last line begins with `help:` and says what to do.

";

const INTERRUPTS: &str = "
## Interrupting

Ctrl-C or SIGTERM ends the trial that runs, with its worker processes, and keeps all trials before it. The program exits with 130 and
names the command that goes on from there, `poolbench run --continue DIR`. A second Ctrl-C ends it at once. A run that died with the machine or
for lack of space is resumed in the same way: a torn last record is cut off, and its trial runs again.
";

fn help(place: &Place, args: &[&str]) -> String {
    let ran = place.poolbench(&[args, &["--help"]].concat()).ends(0);
    ran.out.lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

/// The subcommands that the help lists, so that a new one cannot be forgotten.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    listed.map(|l| l.split_whitespace().next().unwrap().to_owned()).collect()
}

/// The lines `CODE  meaning` of the help as a table.
fn exit_codes(help: &str) -> String {
    let listed = help.lines().skip_while(|l| *l != "Exit codes:").skip(1).take_while(|l| !l.is_empty());
    let rows = listed.map(|l| {
        let (code, meaning) = l.trim().split_once(' ').unwrap();
        format!("| {} | {} |\n", code.parse::<u8>().expect("an exit code"), meaning.trim())
    });
    format!("| exit | when |\n| --- | --- |\n{}", rows.collect::<String>())
}

/// A real error, so that the page cannot show one that the program never prints.
fn example(place: &Place) -> String {
    let ran = place.run_tiny(&[]).refuses(2, &[]);
    format!("```text\n$ poolbench run --scenarios scenarios\n{}```\n", ran.err)
}

#[test]
fn golden_cli_page() {
    let place = Place::with_tiny(&[("clients = 2", "clientz = 2"), ("200ms", "100 parsecs")]);
    let whole = help(&place, &[]);
    let names = subcommands(&whole);
    assert!(names.iter().any(|n| n == "run") && names.len() >= 5, "{names:?}");
    let mut page = format!("{BEGIN}{}{ERRORS}{}{INTERRUPTS}", exit_codes(&whole), example(&place));
    let _ = write!(page, "\n## poolbench\n\n```text\n{whole}```\n");
    for name in &names {
        let _ = write!(page, "\n## poolbench {name}\n\n```text\n{}```\n", help(&place, &[name]));
    }
    let path = root().join("docs/CLI.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(page.lines()).position(|(a, b)| a != b).unwrap_or(0) + 1;
    assert!(kept == page, "docs/CLI.md:{differs} is not what the program says; write it anew with UPDATE_GOLDEN=1");
}
