//! `banyan restore`: makes a ledger out of a backup, as it stood at any anchor. What would be lost is told first.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::app::ledger_settings;
use crate::app::secrets;
use crate::command::Console;
use crate::command::Exit;
use crate::command::backup::exit_of;
use crate::command::keys::Confirmed;
use crate::command::keys::plan::Plan;
use crate::command::progress::watched;
use crate::command::told;
use crate::command::verify::stop;
use crate::command::verify::witness;
use crate::command::verify::written;
use crate::config::gateway::Gateway;
use crate::ledger::Progress;
use crate::ledger::Verified;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::reading::Wish;
use crate::ledger::backup::writing::Beyond;
use crate::ledger::backup::writing::Log as _;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::backup::SqliteLog;
use crate::ledger::sqlite::restore;

/// Make a ledger out of a backup, as it stood at any anchor.
///
/// The new file gets its name only when it is whole and verified. Nothing is ever replaced: when it is to be served, name
/// it in the settings. What the ledger of the settings has beyond it is counted first, and you are asked.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db --anchor 57
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db --witness 60:5f0c…

Exit codes: 0 restored, 1 refused: the backup is damaged, or a file is there already, 2 wrong arguments, settings or keys,
3 folder or disk cannot be used, 5 not confirmed. But for 0, nothing was restored.")]
pub struct Arguments {
    /// The folder of the backup.
    pub folder: PathBuf,
    /// The gateway's settings; they name the keys, and the ledger to compare with.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// The file to make; nothing may be there.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Leave out everything behind this anchor.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub anchor: Option<u64>,
    /// An anchor that was kept elsewhere, as `banyan verify --head` printed it.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = witness)]
    pub witness: Option<Witness>,
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &Arguments, console: &mut Console) -> io::Result<Exit> {
    let config = match Gateway::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => return stop(console, Exit::BadInput, &faults.to_string()),
    };
    let secrets = match secrets(&config) {
        Ok(secrets) => secrets,
        Err(cause) => return stop(console, Exit::BadInput, &told(&cause)),
    };
    match perform(arguments, &config, &secrets, console) {
        Ok(Some(verified)) => report(arguments, &verified, console),
        Ok(None) => Ok(Exit::NotConfirmed),
        Err(cause) => stop(console, exit_of(&cause), &told(&cause)),
    }
}

/// Nothing when it was not confirmed.
fn perform(
    arguments: &Arguments,
    config: &Gateway,
    secrets: &Secrets,
    console: &mut Console,
) -> Result<Option<Verified>, BackupError> {
    restore::must_be_free(&arguments.to)?;
    let folder = Folder::read_some(&arguments.folder)?;
    let last = folder.end().map_or(0, |end| end.number);
    let up_to = arguments.anchor.unwrap_or(last);
    if up_to > last {
        return Err(BackupError::NoSuchAnchor { wanted: up_to, last });
    }
    let settings = ledger_settings(config);
    let live = SqliteLog::open(config.ledger.file().unwrap_or(Path::new("")), &settings, &secrets.lookup);
    let beyond = match &live {
        Ok(live) => live.beyond(up_to, &folder.known()).map_err(|cause| told(&cause)),
        Err(cause) => Err(told(cause)),
    };
    if !config.ledger.file().unwrap_or(Path::new("")).exists() && arguments.witness.is_none() {
        let ledger = config.ledger.file().unwrap_or(Path::new("")).display();
        console.tell(&format!(
            "{ledger} is not there and no witness is given: nobody can say what came after the backup."
        ));
    }
    let losses = losses(arguments, config, (up_to, last), &beyond);
    if !confirmed(losses, arguments.confirmed, console) {
        return Ok(None);
    }
    let lanes = live.as_ref().ok().and_then(|live| live.lanes().ok()).unwrap_or(0);
    drop(live);
    let progress = Arc::new(Progress::default());
    let witness = arguments.witness.filter(|witness| witness.number <= up_to);
    let wish = Wish { folder: &folder, up_to, witness, lanes, progress: &progress };
    watched(&progress, || restore::restore(&arguments.to, &settings, secrets, &wish)).map(Some)
}

/// What the restored ledger would not have, a sentence each.
fn losses(
    arguments: &Arguments,
    config: &Gateway,
    (up_to, last): (u64, u64),
    beyond: &Result<Beyond, String>,
) -> Vec<String> {
    let ledger = config.ledger.file().unwrap_or(Path::new("")).display();
    let mut losses = Vec::new();
    match beyond {
        Ok(Beyond::Records { records: 0, .. }) => {}
        Ok(Beyond::Records { settlements, records }) => losses.push(format!(
            "{ledger} has {settlements} settlements, reversals and revivals behind anchor {up_to}, among {records} records, all acknowledged: the restored ledger will lack them."
        )),
        Ok(Beyond::Apart) => losses.push(format!(
            "{ledger} does not lead to the anchors of this backup: it is another ledger, or went another way since. What it has and the restored ledger will lack cannot be counted."
        )),
        // A ledger that is lost is why one restores; a witness says how far it had come.
        Err(_) if !config.ledger.file().unwrap_or(Path::new("")).exists() => {}
        Err(cause) => losses.push(format!(
            "{ledger} cannot be read, so nobody can say what the restored ledger will lack: {cause}"
        )),
    }
    if up_to < last {
        losses
            .push(format!("The backup goes on to anchor {last}: what it holds behind {up_to} is left out."));
    }
    if let Some(witness) = arguments.witness.filter(|witness| witness.number > up_to) {
        losses.push(format!(
            "The witness is anchor {}: what {} anchors behind {up_to} cover will be lacking.",
            witness.number,
            witness.number - up_to
        ));
    }
    losses
}

fn confirmed(losses: Vec<String>, confirmed: Confirmed, console: &mut Console) -> bool {
    let mut lines = losses.into_iter();
    let Some(first) = lines.next() else { return true };
    lines.fold(Plan::new(first), Plan::and).confirm(confirmed, console)
}

fn report(arguments: &Arguments, verified: &Verified, console: &mut Console) -> io::Result<Exit> {
    let exit = if verified.faults.is_empty() { Exit::Done } else { Exit::Refused };
    let head = verified.head.as_ref().map(written);
    if arguments.json {
        let object = json!({
            "file": (exit == Exit::Done).then_some(&arguments.to),
            "records": verified.records,
            "anchors": verified.anchors,
            "head": head,
            "faults": verified.faults,
        });
        console.say(&object.to_string())?;
        return Ok(exit);
    }
    for fault in &verified.faults {
        console.say(&format!("✗ {fault}"))?;
    }
    if exit != Exit::Done {
        console.tell("banyan: what the backup holds does not verify; nothing was restored");
        return Ok(exit);
    }
    let Verified { records, anchors, .. } = verified;
    console.say(&format!("restored: {}", arguments.to.display()))?;
    console.say(&format!("{records} records under {anchors} anchors"))?;
    console.say("✓ verified: every record is what was sealed, every table what its records make")?;
    if let Some(head) = head {
        console.say(&format!("last anchor: {head}"))?;
    }
    Ok(exit)
}
