//! A `process` worker for the crate's own tests and examples: `worker [--fault FAULT]`.
use std::io;
use std::process::ExitCode;

use pool::{WorkerFault, worker_main};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut fault = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next()) {
            ("--fault", Some(text)) => fault = Some(WorkerFault::parse(&text)?),
            _ => return Err(format!("unknown argument `{arg}`; use --fault FAULT").into()),
        }
    }
    Ok(worker_main(io::stdin(), io::stdout(), fault)?.into())
}
