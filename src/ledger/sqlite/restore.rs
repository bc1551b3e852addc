//! Owns how a file is made out of a log: its rows as they are, then every other table as the fold of them.
//!
//! The file is made under another name beside the one that is wanted, held to everything that `verify` holds it to, and
//! only then linked to its name: cut at any instant, nothing has that name.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::folder;
use crate::ledger::backup::reading::Wish;
use crate::ledger::books::restoring;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::verify;
use crate::ledger::storage;
use crate::vault::key_file::sync_folder_of;

/// Makes a ledger at `path`, where nothing may be.
///
/// # Errors
/// When something is there, when the backup is not whole, or the disk fails. Nothing is left at `path`.
pub fn restore(
    path: &Path,
    settings: &Settings,
    secrets: &Secrets,
    wish: &Wish<'_>,
) -> Result<Verified, BackupError> {
    must_be_free(path)?;
    wish.must_be_of(&connection::fingerprint(&secrets.lookup))?;
    let building = Building::begin(path)?;
    let mut db = connection::open_building(&building.path, settings, &secrets.lookup)?;
    let all = db.transaction().map_err(storage("begin the new file"))?;
    restoring::fill(&*all, secrets, wish)?;
    all.commit().map_err(storage("end the new file"))?;
    db.close().map_err(|(_, cause)| storage("close the new file")(cause))?;
    let progress = Arc::clone(wish.progress);
    progress.done.store(0, Ordering::Relaxed);
    let verified = verify::verify(
        &building.path,
        settings,
        secrets,
        &Verify { faults_max: 20, witness: wish.witness, progress },
    )?;
    if verified.faults.is_empty() {
        building.end(path, settings)?;
    }
    Ok(verified)
}

/// Nothing may be at the name, nor beside it what SQLite would take for a part of it.
pub fn must_be_free(path: &Path) -> Result<(), BackupError> {
    let taken = ["", "-wal", "-shm", "-journal"].map(|ending| beside(path, ending));
    match taken.into_iter().find(|path| fs::symlink_metadata(path).is_ok()) {
        Some(path) => Err(BackupError::AlreadyThere { path }),
        None => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// The file under its other name; what is left of it goes when it is dropped.
struct Building {
    path: PathBuf,
    _lock: File,
}

impl Building {
    fn begin(wanted: &Path) -> Result<Building, BackupError> {
        let path = beside(wanted, ".restoring");
        let lock = folder::locked(&beside(wanted, ".restoring.lock"))?;
        let building = Building { path, _lock: lock };
        building.clear();
        if fs::symlink_metadata(&building.path).is_ok() {
            return Err(BackupError::AlreadyThere { path: building.path.clone() });
        }
        Ok(building)
    }

    /// Durable, then named. Linking never replaces what came there meanwhile.
    fn end(self, wanted: &Path, settings: &Settings) -> Result<(), BackupError> {
        let db = connection::reopen_writer(&self.path, settings).map_err(storage("close the new file"))?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(storage("close the new file"))?;
        db.close().map_err(|(_, cause)| storage("close the new file")(cause))?;
        let durable = File::open(&self.path).and_then(|file| file.sync_all());
        let named = durable.and_then(|()| fs::hard_link(&self.path, wanted));
        named.and_then(|()| sync_folder_of(wanted)).map_err(BackupError::disk(wanted, "written"))
    }

    fn clear(&self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            let _absent = fs::remove_file(beside(&self.path, ending));
        }
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.clear();
        let lock = format!("{}.lock", self.path.display());
        let _absent = fs::remove_file(lock);
    }
}
