//! The settings of jobs.

/// One setting: key, type, default value, doc. Types are `integer MIN..=MAX`, `choice a|b|c`, `text`.
pub type SettingRow = (&'static str, &'static str, &'static str, &'static str);

/// Every setting of the jobs; beside these they read those of the product that are about their job.
pub const SETTINGS: &[SettingRow] = &[
    ("contender.job", "text", "none", "what is done in several ways with the target `contender`; `poolbench list --jobs` prints the jobs"),
    (
        "contender.way",
        "text",
        "none",
        "the way of doing it, usually an axis; with `-again` behind it the same way once more, whose distance from itself is the noise",
    ),
    (
        "contender.cache",
        "choice warm|cold",
        "warm",
        "whether files are read from the page cache or from the device: `cold` drops their pages before each batch and asks the kernel that none is left",
    ),
    (
        "contender.sync",
        "choice none|file|file-and-dir",
        "none",
        "what a saved file flushes before it counts as saved, in the words of `store.files.sync`",
    ),
    (
        "contender.documents",
        "integer 1..=4096",
        "32",
        "documents that the job is given, at most 16 MiB of them; compression measures up to 32, and trains dictionaries on the others",
    ),
    ("contender.files", "integer 1..=4096", "256", "files of a `file-scan`, all read in one batch"),
];
