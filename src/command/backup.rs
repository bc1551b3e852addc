//! `banyan backup`: copies what is new of the ledger into a folder, encrypted, while the gateway works.

use std::io;
use std::path::PathBuf;

use serde_json::json;

use crate::app::ledger_place;
use crate::command::Console;
use crate::command::Exit;
use crate::command::begin;
use crate::command::begin::stop;
use crate::command::exit_of_ledger;
use crate::command::progress::watched;
use crate::command::told;
use crate::command::witness::written;
use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::writing;
use crate::ledger::backup::writing::BackedUp;
use crate::ledger::backup::writing::Written;
use crate::service::seams::Clock;

/// Copy what is new of the ledger into a folder, encrypted, while the gateway works.
///
/// The first file has everything up to the last anchor; each later one goes on where the folder ends. Keys are not in
/// it: back the key store up apart. docs/backup.md tells what to keep where.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan backup --config gateway.toml --to /mnt/backup
  banyan verify --config gateway.toml --backup /mnt/backup

Exit codes: 0 done, or nothing new, 1 refused: a file is missing or damaged, another ledger's folder, a damaged ledger, 2
wrong arguments, settings or keys, 3 ledger or folder cannot be used.")]
pub struct Arguments {
    /// Where the files lie, of this ledger alone. Made where there is none.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// The gateway's settings; they name the ledger and its keys.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments, clock: &dyn Clock, console: &mut Console) -> io::Result<Exit> {
    let (config, secrets) = match begin::with_keys(&arguments.config, console) {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let progress = Progress::default();
    let done = ledger_place(&config).with_log(&secrets.lookup, |log| {
        watched(&progress, || writing::back_up(log, &arguments.to, &secrets.keys, clock.now(), &progress))
    });
    match done {
        Ok(done) => report(arguments, &done, console),
        Err(cause) => stop(console, exit_of(&cause), &told(&cause)),
    }
}

fn report(arguments: &Arguments, done: &BackedUp, console: &mut Console) -> io::Result<Exit> {
    let BackedUp { head, rewrapped, written: file } = done;
    if arguments.json {
        let object = json!({
            "file": file.as_ref().map(|written| &written.file),
            "from": file.as_ref().map(|written| written.header.from),
            "to": head.number,
            "records": file.as_ref().map_or(0, |written| written.header.records),
            "bytes": file.as_ref().map_or(0, |written| written.bytes),
            "rewrapped": rewrapped,
            "head": written(head),
        });
        console.say(&object.to_string())?;
        return Ok(Exit::Done);
    }
    if *rewrapped > 0 {
        console
            .say(&format!("the keys of {rewrapped} files are wrapped under the present master key now"))?;
    }
    match file {
        None => console.say(&format!("nothing is new since anchor {}", head.number))?,
        Some(Written { file, header, bytes }) => {
            let (first, last, records) = (header.from + 1, header.to, header.records);
            console.say(&format!("anchors {first} to {last}, {records} records, {bytes} bytes"))?;
            console.say(&format!("written: {}", file.display()))?;
        }
    }
    console.say(&format!("last anchor: {}", written(head)))?;
    Ok(Exit::Done)
}

/// What a script is told.
pub(super) fn exit_of(cause: &BackupError) -> Exit {
    match cause {
        BackupError::Empty { .. }
        | BackupError::OtherForm { .. }
        | BackupError::Key { .. }
        | BackupError::OtherLookUpKey { .. } => Exit::BadInput,
        BackupError::Gap { .. }
        | BackupError::NotABackup { .. }
        | BackupError::OtherLedger { .. }
        | BackupError::Apart { .. }
        | BackupError::Damaged { .. }
        | BackupError::NoSuchAnchor { .. }
        | BackupError::NotWitnessed { .. }
        | BackupError::LedgerDamaged { .. }
        | BackupError::NothingAnchored
        | BackupError::AlreadyThere { .. }
        | BackupError::NotEmpty { .. } => Exit::Refused,
        BackupError::Ledger(LedgerError::Damaged { .. }) => Exit::Refused,
        BackupError::Ledger(cause) => exit_of_ledger(cause),
        BackupError::Disk { .. } | BackupError::InUse { .. } => Exit::CannotReach,
    }
}
