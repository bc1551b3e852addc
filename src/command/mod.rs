//! Owns the command line: one file a subcommand, one table of exit codes, one door to the terminal.

pub mod backup;
mod begin;
pub mod bundle;
pub mod check;
pub mod clear;
pub mod database;
pub mod demo;
pub mod import;
pub mod keys;
pub mod migrate;
mod notify;
mod progress;
pub mod quote;
pub mod receipt;
pub mod restore;
pub mod sandbox;
pub mod sandbox_folder;
pub mod serve;
pub mod trace;
pub mod verify;
mod witness;

use std::ffi::OsString;
use std::io;
use std::io::IsTerminal as _;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::Subcommand;

use crate::app::AppError;
use crate::ledger::LedgerError;
use crate::service::seams::Clock;
use crate::service::seams::SystemClock;
use crate::transport::stand_back;

/// What a command ends with. Documented in `--help` and docs/quote.md; scripts rely on it. Of several, the highest counts;
/// of settings, what is wrong in them counts before what cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: all as wished.
    Done,
    /// 1: understood, but a rule refuses it, or something differs from what was expected.
    Refused,
    /// 2: the command or what was given to it is wrong.
    BadInput,
    /// 3: a file, a port or the ledger could not be used.
    CannotReach,
    /// 4: a fault of this program; nothing that it said should be used.
    OurFault,
    /// 5: nobody confirmed it, nothing was done.
    NotConfirmed,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::BadInput => 2,
            Exit::CannotReach => 3,
            Exit::OurFault => 4,
            Exit::NotConfirmed => 5,
        }
    }
}

/// Of a ledger that cannot be used: what the settings name wrongly does not mend by being tried again.
pub(crate) fn exit_of_ledger(cause: &LedgerError) -> Exit {
    match cause {
        LedgerError::OtherKey
        | LedgerError::Newer { .. }
        | LedgerError::Foreign { .. }
        | LedgerError::Occupied { .. }
        | LedgerError::Encoding { .. }
        | LedgerError::Address(_) => Exit::BadInput,
        LedgerError::Damaged { .. }
        | LedgerError::Full { .. }
        | LedgerError::Stopping
        | LedgerError::Unfit { .. }
        | LedgerError::Storage { .. }
        | LedgerError::Behind { .. }
        | LedgerError::Restoring => Exit::CannotReach,
    }
}

/// Of a gateway, or a report, that does not begin.
pub(crate) fn exit_of_start(cause: &AppError) -> Exit {
    match cause {
        AppError::Ledger { cause, .. } => exit_of_ledger(cause),
        _ => Exit::CannotReach,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Where commands write: answers to `out`, everything about them to `errors`.
pub struct Console {
    out: Box<dyn Write + Send>,
    errors: Box<dyn Write + Send>,
}

impl Console {
    pub fn new(out: Box<dyn Write + Send>, errors: Box<dyn Write + Send>) -> Console {
        Console { out, errors }
    }

    /// A line of the answer.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// A line about the answer. A terminal that is gone is no reason to stop.
    pub fn tell(&mut self, line: &str) {
        let _gone = writeln!(self.errors, "{line}");
    }

    /// Asks who sits at the terminal, after a question that was told. Nothing when nobody does.
    pub fn hear(&mut self) -> Option<String> {
        let input = io::stdin();
        let mut answer = String::new();
        let heard = input.is_terminal() && input.read_line(&mut answer).is_ok();
        heard.then(|| answer.trim().to_owned())
    }

    /// The answer's writer, for commands that write more than lines.
    pub fn out(&mut self) -> &mut (dyn Write + Send) {
        self.out.as_mut()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  refused by a rule, or something differs from what was expected
  2  the command or its input is wrong
  3  a file, a port or the ledger could not be used
  4  a fault of this program
  5  not confirmed, nothing was done

Try:
  banyan demo
  banyan quote --pack config/packs/sandbox/440700.toml --stay docs/examples/bill-m.toml
  banyan check --packs config/packs

One gateway keeps its ledger in a file; many share one in PostgreSQL:
  banyan check --config gateway.toml      what is wrong with [ledger] and [cache]
  banyan migrate --config gateway.toml    make the tables, once and with each new version
  banyan restore BACKUP --config gateway.toml --ledger postgres://USER@HOST/DATABASE    move a ledger there
docs/postgres.md and docs/redis.md tell the rest.";

#[derive(Debug, Parser)]
#[command(
    name = "banyan",
    version,
    about = "Real-time, cross-region medical settlement gateway 异地就医直接结算网关"
)]
#[command(after_help = AFTER_HELP, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Each with its line in the list. What its own help says stands at its arguments: a comment here would hide it.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(about = "See it all at once: a province, its hospitals, every step explained 演示")]
    Demo(demo::Arguments),
    #[command(about = "Compute the settlement of a written stay offline, and explain it 试算")]
    Quote(quote::QuoteArguments),
    #[command(
        about = "Check policy packs (do they load, do their cases come out, which numbers has nobody verified) or settings 检查政策包与配置"
    )]
    Check(check::CheckArguments),
    #[command(about = "Run a gateway 运行网关")]
    Serve(serve::Arguments),
    #[command(about = "Take a file in: check it whole, show what would change, apply it 导入")]
    Import(import::Arguments),
    #[command(about = "Tell what regions owe each other for a month 月度清算")]
    Clear(clear::Arguments),
    #[command(about = "Write a synthetic province as files 生成沙盒数据")]
    Sandbox(sandbox::Arguments),
    #[command(about = "Tell what became of a message 追踪报文")]
    Trace(trace::Arguments),
    #[command(
        about = "Make, list, change, retire, destroy and export the keys of encryption and signatures 密钥管理"
    )]
    Keys(keys::Arguments),
    #[command(
        about = "Make the tables of a ledger in PostgreSQL, or bring them to what this version needs 升级数据库"
    )]
    Migrate(migrate::Arguments),
    #[command(about = "Prove that nothing was changed: a ledger, a copy, a receipt 验真")]
    Verify(verify::Arguments),
    #[command(about = "Give the proof that a settlement was recorded 结算凭证")]
    Receipt(receipt::Arguments),
    #[command(
        about = "Copy what is new of the ledger into a folder, encrypted, while the gateway works 备份"
    )]
    Backup(backup::Arguments),
    #[command(
        about = "Pack program, unit, settings and packs into a Debian package that installs without a network 打包"
    )]
    Bundle(bundle::Arguments),
    #[command(about = "Make a ledger out of a backup, as it stood at any anchor 恢复")]
    Restore(restore::Arguments),
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: &mut Console) -> Exit {
    let command = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments.command,
        Err(usage) => return explain_usage(&usage, console),
    };
    let ended = match command {
        Command::Demo(arguments) => waiting(demo::run(&arguments, clock(), console.out())),
        Command::Quote(arguments) => quote::run(&arguments, console),
        Command::Check(arguments) => check::run(&arguments, clock().as_ref(), console),
        Command::Serve(arguments) => waiting(serve::run(&arguments, clock(), console.out())),
        Command::Import(arguments) => waiting(import::run(&arguments, clock(), console.out())),
        Command::Clear(arguments) => {
            // A million settlements take a processor for two seconds, which those who wait for an answer notice and who draws
            // up a month does not. Before anything else starts, so that all threads follow.
            stand_back();
            waiting(clear::run(&arguments, clock(), console.out()))
        }
        Command::Sandbox(arguments) => Ok(sandbox::run(&arguments, clock().as_ref(), console.out())),
        Command::Trace(arguments) => waiting(trace::run(&arguments, clock(), console.out())),
        Command::Keys(arguments) => keys::run(&arguments, clock().as_ref(), console),
        Command::Migrate(arguments) => migrate::run(&arguments, console),
        Command::Verify(arguments) => verify::run(&arguments, clock().as_ref(), console),
        Command::Receipt(arguments) => receipt::run(&arguments, console),
        Command::Backup(arguments) => backup::run(&arguments, clock().as_ref(), console),
        Command::Bundle(arguments) => bundle::run(&arguments, console),
        Command::Restore(arguments) => restore::run(&arguments, console),
    };
    let flushed = console.flush();
    ended.and_then(|exit| flushed.map(|()| exit)).unwrap_or_else(|cause| cannot_write(&cause, console))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Runs what waits on a runtime of its own.
fn waiting(command: impl Future<Output = Exit>) -> io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(command))
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

/// Help goes to the answer, a mistake to the errors.
fn explain_usage(usage: &clap::Error, console: &mut Console) -> Exit {
    let text = usage.render().to_string();
    if usage.use_stderr() {
        console.tell(text.trim_end());
        return Exit::BadInput;
    }
    let written = console.say(text.trim_end()).and_then(|()| console.flush());
    written.map_or_else(|cause| cannot_write(&cause, console), |()| Exit::Done)
}

/// A reader that has seen enough (`| head`) is no fault.
fn cannot_write(cause: &io::Error, console: &mut Console) -> Exit {
    if cause.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    console.tell(&format!("cannot write the answer: {cause}"));
    Exit::CannotReach
}
