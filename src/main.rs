//! The program: arguments in, exit code out.

use std::io;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (out, errors) = (io::stdout(), io::stderr());
    let mut console = banyan::command::Console::new(Box::new(io::BufWriter::new(out)), Box::new(errors));
    banyan::command::run(std::env::args_os(), &mut console).into()
}
