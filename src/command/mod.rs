//! Owns the subcommands: each reads its arguments, connects what it needs, prints, and gives an exit code.
//!
//! Exit codes are the same everywhere: 0 done as asked; 1 the answer is no (a fault in a file, a difference, a refusal);
//! 2 wrong arguments or settings; 3 something of the machine failed (a disk, a port, the ledger); 4 not confirmed.

pub mod import;
pub mod sandbox;
pub mod sandbox_folder;
pub mod serve;

use std::io::Write as _;
use std::sync::Arc;

use crate::service::seams::Clock;
use crate::service::seams::SystemClock;

/// Banyan settles hospital stays away from home, in real time, right to the fen.
#[derive(Debug, clap::Parser)]
#[command(name = "banyan", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Begin with `banyan demo`: it makes a province, plays a hospital against it and explains each step.

Exit codes: 0 done, 1 the answer is no, 2 wrong arguments or settings, 3 the machine failed, 4 not confirmed."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Import(import::Arguments),
    Sandbox(sandbox::Arguments),
}

/// Runs a command to its end and gives its exit code.
pub fn run(arguments: Arguments) -> u8 {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut out = std::io::stdout();
    let code = match &arguments.command {
        Command::Serve(arguments) => waiting(serve::run(arguments, clock, &mut out)),
        Command::Import(arguments) => waiting(import::run(arguments, clock, &mut out)),
        Command::Sandbox(arguments) => sandbox::run(arguments, clock.as_ref(), &mut out),
    };
    if out.flush().is_err() { 3 } else { code }
}

/// Runs what waits on a runtime of its own.
fn waiting(command: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(_) => 3,
    }
}

/// An error with all its causes, one sentence a line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let sentence = deeper.to_string();
        if !text.contains(&sentence) {
            text = format!("{text}\n  because {sentence}");
        }
        cause = deeper.source();
    }
    text
}
