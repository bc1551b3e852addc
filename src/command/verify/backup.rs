//! Verifying a folder of backups, without restoring anything.

use std::io;
use std::path::Path;

use serde_json::json;

use crate::command::Console;
use crate::command::Exit;
use crate::command::backup::exit_of;
use crate::command::begin;
use crate::command::begin::stop;
use crate::command::progress::watched;
use crate::command::told;
use crate::command::verify::Arguments;
use crate::command::witness::written;
use crate::ledger::Progress;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::reading;
use crate::ledger::backup::reading::Proven;
use crate::ledger::backup::row::Row;
use crate::ledger::secrets::Secrets;

pub(super) fn run(arguments: &Arguments, path: &Path, console: &mut Console) -> io::Result<Exit> {
    let (_, secrets) = match begin::with_keys(&arguments.config, console) {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    match prove(path, &secrets, arguments.witness) {
        Ok((folder, proven)) => report(arguments, &folder, &proven, console),
        Err(cause) if arguments.json && exit_of(&cause) == Exit::Refused => {
            console.say(&json!({ "faults": [told(&cause)] }).to_string())?;
            Ok(Exit::Refused)
        }
        Err(cause) => stop(console, exit_of(&cause), &told(&cause)),
    }
}

fn prove(path: &Path, secrets: &Secrets, witness: Option<Witness>) -> Result<(Folder, Proven), BackupError> {
    let folder = Folder::read_some(path)?;
    let last = folder.end().map_or(0, |end| end.number);
    if let Some(witness) = witness.filter(|witness| witness.number > last) {
        return Err(BackupError::NoSuchAnchor { wanted: witness.number, last });
    }
    let mut witnessed = None;
    let progress = Progress::default();
    let proven = watched(&progress, || {
        reading::read(&folder, &secrets.keys, last, &progress, &mut |row| {
            if let (Row::Anchor(signed), Some(witness)) = (row, witness)
                && signed.anchor.number == witness.number
            {
                witnessed = Some(signed.anchor.hash());
            }
            Ok(())
        })
    })?;
    match witness {
        Some(Witness { number, hash }) if witnessed != Some(hash) => {
            Err(BackupError::NotWitnessed { number })
        }
        Some(_) | None => Ok((folder, proven)),
    }
}

fn report(
    arguments: &Arguments,
    folder: &Folder,
    proven: &Proven,
    console: &mut Console,
) -> io::Result<Exit> {
    let Proven { records, blocks, anchors, head } = proven;
    let files = folder.files.len();
    if arguments.json {
        let object = json!({
            "files": files,
            "records": records,
            "blocks": blocks,
            "anchors": anchors,
            "head": written(head),
            "faults": [],
        });
        console.say(&object.to_string())?;
        return Ok(Exit::Done);
    }
    console
        .say(&format!("{records} records in {blocks} blocks under {anchors} anchors, in {files} files"))?;
    console.say(&format!("last anchor: {}", written(head)))?;
    console.say("✓ whole: every record is what was sealed, every anchor is signed, no file is missing before the last")?;
    Ok(Exit::Done)
}
