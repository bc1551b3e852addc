//! `banyan restore`: makes a ledger out of a backup, as it stood at any anchor. What would be lost is told first.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::app::ledger_place;
use crate::command::Console;
use crate::command::Exit;
use crate::command::backup::exit_of;
use crate::command::begin;
use crate::command::begin::stop;
use crate::command::database::DatabaseFiles;
use crate::command::database::as_options;
use crate::command::keys::Confirmed;
use crate::command::keys::plan::Plan;
use crate::command::progress::watched;
use crate::command::told;
use crate::command::witness;
use crate::command::witness::written;
use crate::config::gateway::Gateway;
use crate::ledger::Progress;
use crate::ledger::Verified;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::reading::Wish;
use crate::ledger::backup::writing::Beyond;
use crate::ledger::place::Place;
use crate::ledger::secrets::Secrets;

/// Make a ledger out of a backup, as it stood at any anchor.
///
/// The new file gets its name only when it is whole and verified; a database is filled in one transaction, so that it is
/// whole or empty. Nothing is ever replaced: when it is to be served, name it in the settings. A ledger moves from a file
/// into a database this way. What the ledger of the settings has beyond it is counted first, and you are asked.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("made").required(true).args(["to", "ledger"])))]
#[command(after_help = "Examples:
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db --anchor 57
  banyan restore /mnt/backup --config gateway.toml --to data/restored.db --witness 60:5f0c…
  banyan restore /mnt/backup --config gateway.toml --ledger postgres://banyan@db1,db2/banyan --ca-file ca.pem

Exit codes: 0 restored, 1 refused: the backup is damaged, or something is there already, 2 wrong arguments, settings or keys,
3 folder, disk or server cannot be used, 5 not confirmed. But for 0, nothing was restored.")]
pub struct Arguments {
    /// The folder of the backup.
    pub folder: PathBuf,
    /// The gateway's settings; they name the keys, and the ledger to compare with.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// The file to make; nothing may be there.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The database to fill, which must be empty: `postgres://USER@HOST[,HOST…]/DATABASE`.
    #[arg(long, value_name = "URL", value_parser = address)]
    pub ledger: Option<String>,
    #[command(flatten)]
    pub database: DatabaseFiles,
    /// Leave out everything behind this anchor.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub anchor: Option<u64>,
    /// An anchor that was kept elsewhere, as `banyan verify --head` printed it.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = witness::parse)]
    pub witness: Option<Witness>,
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    fn place(&self, live: &Place) -> Result<Place, String> {
        match (&self.to, &self.ledger) {
            (Some(file), _) => Ok(live.instead_in(file)),
            (None, named) => self.database.place(live, named.as_deref().unwrap_or_default()),
        }
    }

    /// What is told of the ledger to be made.
    fn told(&self, cause: &dyn std::error::Error) -> String {
        if self.ledger.is_some() { as_options(&told(cause)) } else { told(cause) }
    }
}

fn address(text: &str) -> Result<String, String> {
    let is_one = Place::is_address(text).then(|| text.to_owned());
    is_one.ok_or_else(|| "expected postgres://USER@HOST[,HOST…]/DATABASE; a file is named by --to".into())
}

pub fn run(arguments: &Arguments, console: &mut Console) -> io::Result<Exit> {
    let (config, secrets) = match begin::with_keys(&arguments.config, console) {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let made = match arguments.place(&ledger_place(&config)) {
        Ok(made) => made,
        Err(what) => return stop(console, Exit::BadInput, &what),
    };
    match perform(arguments, made, &config, &secrets, console) {
        Ok(Some((made, verified))) => report(arguments, &made, &verified, console),
        Ok(None) => Ok(Exit::NotConfirmed),
        Err(cause) => stop(console, exit_of(&cause), &arguments.told(&cause)),
    }
}

/// Nothing when it was not confirmed.
fn perform(
    arguments: &Arguments,
    made: Place,
    config: &Gateway,
    secrets: &Secrets,
    console: &mut Console,
) -> Result<Option<(Place, Verified)>, BackupError> {
    let live = ledger_place(config);
    made.must_be_free()?;
    let folder = Folder::read_some(&arguments.folder)?;
    let last = folder.end().map_or(0, |end| end.number);
    let up_to = arguments.anchor.unwrap_or(last);
    if up_to > last {
        return Err(BackupError::NoSuchAnchor { wanted: up_to, last });
    }
    let asked = live.with_log(&secrets.lookup, |log| {
        Ok((log.beyond(up_to, &folder.known())?, log.lanes().unwrap_or_default()))
    });
    let (beyond, lanes) = match asked {
        Ok((beyond, lanes)) => (Ok(beyond), lanes),
        Err(cause) => (Err(told(&cause)), 0),
    };
    let lost = beyond.is_err() && live.is_nothing();
    if lost && arguments.witness.is_none() {
        console.tell(&format!(
            "{} is not there and no witness is given: nobody can say what came after the backup.",
            live.told()
        ));
    }
    // A ledger that is lost is why one restores; a witness says how far it had come.
    let beyond = if lost { Ok(Beyond::Records { settlements: 0, records: 0 }) } else { beyond };
    let losses = losses(arguments, &live.told(), (up_to, last), &beyond);
    if !confirmed(losses, arguments.confirmed, console) {
        return Ok(None);
    }
    let progress = Arc::new(Progress::default());
    let witness = arguments.witness.filter(|witness| witness.number <= up_to);
    let wish = Wish { folder: &folder, up_to, witness, lanes, progress: &progress };
    watched(&progress, || made.restore(secrets, &wish)).map(|verified| Some((made, verified)))
}

/// What the restored ledger would not have, a sentence each.
fn losses(
    arguments: &Arguments,
    ledger: &str,
    (up_to, last): (u64, u64),
    beyond: &Result<Beyond, String>,
) -> Vec<String> {
    let mut losses = Vec::new();
    match beyond {
        Ok(Beyond::Records { records: 0, .. }) => {}
        Ok(Beyond::Records { settlements, records }) => losses.push(format!(
            "{ledger} has {settlements} settlements, reversals and revivals behind anchor {up_to}, among {records} records, all acknowledged: the restored ledger will lack them."
        )),
        Ok(Beyond::Apart) => losses.push(format!(
            "{ledger} does not lead to the anchors of this backup: it is another ledger, or went another way since. What it has and the restored ledger will lack cannot be counted."
        )),
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

fn report(
    arguments: &Arguments,
    made: &Place,
    verified: &Verified,
    console: &mut Console,
) -> io::Result<Exit> {
    let exit = if verified.faults.is_empty() { Exit::Done } else { Exit::Refused };
    let head = verified.head.as_ref().map(written);
    if arguments.json {
        let object = json!({
            "file": made.file().filter(|_| exit == Exit::Done),
            "ledger": (exit == Exit::Done).then(|| made.told()),
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
    console.say(&format!("restored: {}", made.told()))?;
    console.say(&format!("{records} records under {anchors} anchors"))?;
    console.say("✓ verified: every record is what was sealed, every table what its records make")?;
    if let Some(head) = head {
        console.say(&format!("last anchor: {head}"))?;
    }
    Ok(exit)
}
