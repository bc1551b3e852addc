//! The program: arguments → command → exit code.

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = banyan::command::Arguments::parse();
    ExitCode::from(banyan::command::run(arguments))
}
