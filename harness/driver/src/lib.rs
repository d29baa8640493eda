//! Plan -> records: load, pacer, targets, child process.
