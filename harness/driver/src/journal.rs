//! What the workers noted beside what was answered: a request that ran twice, or ran although its outcome says that it did not.

use std::collections::HashMap;
use std::path::Path;

use model::record::JournalCheck;
use pool::core::Outcome;
use pool::read_journal;

use crate::rows::Row;
use crate::schedule::Sort;

/// Name of the journal in a trial's directory.
pub(crate) const FILE: &str = "executions.journal";

/// Compares the journal with all rows. `replayable` tells which tools may run twice.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn compare(path: &Path, rows: &[Row], sorts: &[Sort], replayable: impl Fn(&Sort) -> bool) -> Result<JournalCheck, String> {
    let mut runs: HashMap<u64, u32> = HashMap::with_capacity(rows.len());
    let mut check = JournalCheck::default();
    let read = read_journal(path, |execution| {
        check.executions += 1;
        *runs.entry(execution.request).or_default() += 1;
    });
    read.map_err(|error| format!("the workers' journal cannot be read: {error}; leave room on the disk of the run directory"))?;
    for row in rows {
        let count = row.request.and_then(|id| runs.remove(&id.0)).unwrap_or(0);
        let may_repeat = sorts.get(usize::from(row.intent.sort)).is_some_and(&replayable);
        match count {
            0 => check.never += u64::from(row.outcome == Outcome::Ok),
            _ if matches!(row.outcome, Outcome::Failed | Outcome::Shed) => check.unsaid += 1,
            1 => {}
            _ if may_repeat => check.replayed += 1,
            _ => check.twice += 1,
        }
    }
    // What is left are executions of requests that nobody sent.
    check.unsaid += runs.len() as u64;
    Ok(check)
}

#[cfg(test)]
mod tests {
    use pool::core::{RequestId, ToolId};
    use pool::{How, ServiceTime};

    use super::*;
    use crate::figures::tests::row;

    fn journal(requests: &[u64]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let records: Vec<u8> = requests.iter().flat_map(|id| [id.to_le_bytes(), 7u64.to_le_bytes(), 9u64.to_le_bytes()].concat()).collect();
        std::fs::write(file.path(), records).unwrap();
        file
    }

    #[test]
    fn each_kind_of_lie_is_counted_apart() {
        let sort = |tool| Sort {
            tool: ToolId(tool),
            share_up_to: 1.0,
            service: ServiceTime::Constant { ns: 0 },
            how: How::Sleep,
            payloads: Vec::new(),
            deadline_ns: None,
        };
        let sorts = [sort(0), sort(1)];
        let rows: Vec<Row> = [
            (1, 0, Outcome::Ok),
            (2, 0, Outcome::OutcomeUnknown),
            (3, 1, Outcome::Ok),
            (4, 0, Outcome::Failed),
            (5, 0, Outcome::Shed),
            (6, 0, Outcome::Ok),
            (7, 0, Outcome::Expired),
        ]
        .into_iter()
        .map(|(id, sort, outcome)| {
            let mut row = Row { request: Some(RequestId(id)), outcome, ..row(1, 2, 3) };
            row.intent.sort = sort;
            row
        })
        .collect();
        let file = journal(&[1, 2, 2, 3, 3, 4, 99]);
        let check = compare(file.path(), &rows, &sorts, |sort| sort.tool == ToolId(1)).unwrap();
        assert_eq!(check, JournalCheck { executions: 7, twice: 1, replayed: 1, unsaid: 2, never: 1 });
        std::fs::write(file.path(), [1; 5]).unwrap();
        assert!(compare(file.path(), &rows, &sorts, |_| false).unwrap_err().contains("within a record"));
    }
}
