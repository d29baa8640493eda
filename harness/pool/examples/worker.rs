//! A `process` worker for the crate's own tests and examples: `worker [--fault FAULT] [--journal FILE]`.
use std::io;
use std::process::ExitCode;

use pool::{WorkerFault, WorkerOptions, worker_main};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut options = WorkerOptions::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next()) {
            ("--fault", Some(text)) => options.fault = Some(WorkerFault::parse(&text)?),
            ("--journal", Some(path)) => options.journal = Some(path.into()),
            _ => return Err(format!("unknown argument `{arg}`; use --fault FAULT or --journal FILE").into()),
        }
    }
    Ok(worker_main(io::stdin(), io::stdout(), &options)?.into())
}
