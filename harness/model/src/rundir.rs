//! Names inside a run directory.

/// The plan.
pub const PLAN: &str = "plan.json";
/// The facts.
pub const FACTS: &str = "run.json";
/// One record per line, flushed per trial.
pub const RECORDS: &str = "records.jsonl";
/// Folder of folded stacks.
pub const PROFILES: &str = "profiles";
/// Folder of `.hlog` exports.
pub const HLOGS: &str = "hlog";
/// What a crash costs under each setting, where it was measured.
pub const DURABILITY: &str = "durability.json";
/// The report for people.
pub const REPORT: &str = "report.md";
/// The report for programs.
pub const REPORT_JSON: &str = "report.json";

/// A case id as a file name: letters, digits, `.`, `-` and `_` stay, the rest becomes `-`; cut at 120 characters with a digest so that it stays unique.
pub fn file_stem(case: &str) -> String {
    let clean: String = case.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' }).collect();
    if clean.len() <= 120 {
        return clean;
    }
    format!("{}-{:016x}", &clean[..100], xxhash_rust::xxh3::xxh3_64(case.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_hold_no_separator_and_stay_unique_when_cut() {
        assert_eq!(file_stem("io/x?api=std&sync=none"), "io-x-api-std-sync-none");
        let (a, b) = (format!("{}a", "é/".repeat(99)), format!("{}b", "é/".repeat(99)));
        assert!(file_stem(&a).len() <= 120);
        assert_ne!(file_stem(&a), file_stem(&b));
    }
}
