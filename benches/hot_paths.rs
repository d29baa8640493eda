//! The executable of the micro-benchmarks; what they measure and how to run them is said in the library beside it.
//!
//! It is its own worker too: the pool under test starts it again with [`benches::WORKER`].

use std::env;
use std::io;

fn main() -> Result<(), benches::Failure> {
    if env::args_os().nth(1).is_some_and(|first| first == benches::WORKER) {
        // No fault is asked for, so the loop ends with code 0 or an error.
        pool::worker_main(io::stdin(), io::stdout(), &pool::WorkerOptions::default())?;
        return Ok(());
    }
    benches::run()
}
