//! Owns how a file is made out of a log: its rows as they are, then every other table as the fold of them.
//!
//! The file is made under another name beside the one that is wanted, held to everything that `verify` holds it to, and
//! only then linked to its name: cut at any instant, nothing has that name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::params;

use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::folder;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::reading;
use crate::ledger::backup::row::RecordRow;
use crate::ledger::backup::row::ReferenceRow;
use crate::ledger::backup::row::Row;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::anchoring;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::folds;
use crate::ledger::sqlite::reference;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::verify;
use crate::ledger::sqlite::whole;
use crate::vault::key_file::sync_folder_of;

type Read<T> = Result<T, LedgerError>;

/// What to restore.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    pub folder: &'w Folder,
    pub up_to: u64,
    /// An anchor that somebody kept elsewhere, not behind `up_to`.
    pub witness: Option<Witness>,
    /// A lane that must not be used again, although the backup does not know it.
    pub lanes: u32,
    /// Told about the log, then about the tables, then about the verification.
    pub progress: &'w Arc<Progress>,
}

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
    let lookup = connection::fingerprint(&secrets.lookup);
    if let Some((path, _)) = wish.folder.files.iter().find(|(_, header)| header.lookup != lookup) {
        return Err(BackupError::OtherLookUpKey { path: path.clone() });
    }
    let building = Building::begin(path)?;
    let mut db = connection::open_building(&building.path, settings, &secrets.lookup)?;
    let all = db.transaction().map_err(storage("begin the new file"))?;
    let mut log = LogRows { db: &all, lanes: BTreeMap::new() };
    reading::read(wish.folder, &secrets.keys, wish.up_to, wish.progress, &mut |row| Ok(log.put(row)?))?;
    let lanes = log.lanes;
    put_lanes(&all, wish, &lanes)?;
    folds::make(&all, secrets, wish.progress)?;
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

/// The log's own tables.
struct LogRows<'d> {
    db: &'d Connection,
    /// Time of each lane's last record.
    lanes: BTreeMap<u32, i64>,
}

impl LogRows<'_> {
    fn put(&mut self, row: &Row) -> Read<()> {
        match row {
            Row::Block(block) => {
                const SQL: &str = "INSERT INTO block (bucket, lane, first_sequence, records, leaves, hash)
                     VALUES (0, ?1, ?2, ?3, ?4, ?5)";
                let first = whole(block.first);
                let (records, leaves) = (block.leaves.len() as u64, block.leaves.as_flattened());
                self.run(SQL, params![block.lane, first, whole(records), leaves, block.hash])
            }
            Row::Record(record) => self.record(record),
            Row::Reference(change) => self.reference(change),
            Row::Anchor(signed) => self.anchor(signed),
        }
    }

    fn record(&mut self, record: &RecordRow) -> Read<()> {
        const SQL: &str = "INSERT INTO record
                 (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence,
                  institution, infno, msgid, keyed, format, told, body, private, commitment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        self.run(
            SQL,
            params![
                record.bucket,
                record.person,
                whole(record.version),
                record.stay.as_ref().map(|(stay, _)| stay),
                record.stay.as_ref().map(|(_, version)| whole(*version)),
                record.kind,
                record.at_ms,
                record.lane,
                whole(record.sequence),
                record.institution,
                record.infno,
                record.msgid,
                record.keyed,
                record.format,
                record.told,
                record.body,
                record.private.as_ref().map(|(hidden, _)| hidden),
                record.private.as_ref().map(|(_, commitment)| commitment),
            ],
        )?;
        self.lanes.insert(record.lane, record.at_ms);
        Ok(())
    }

    /// The change, and what it makes of the shared tables.
    fn reference(&self, change: &ReferenceRow) -> Read<()> {
        const SQL: &str = "INSERT INTO reference_record
                 (version, at_ms, lane, lane_sequence, source, kind, format, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let version = whole(change.version);
        let sequence = whole(change.sequence);
        let ReferenceRow { at_ms, lane, source, kind, format, body, .. } = change;
        self.run(SQL, params![version, at_ms, lane, sequence, source, kind, format, body])?;
        let decoded = reference::decode(kind, body).map_err(|cause| LedgerError::Damaged {
            at: format!("change {} of the shared tables", change.version),
            what: cause.to_string(),
        })?;
        reference::fold(self.db, &decoded, version).map_err(storage("make the shared tables"))
    }

    fn anchor(&self, signed: &Signed) -> Read<()> {
        anchoring::insert(self.db, signed).map_err(storage("write the log"))
    }

    fn run(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Read<()> {
        let failed = || storage("write the log");
        self.db.prepare_cached(sql).map_err(failed())?.execute(values).map(|_| ()).map_err(failed())
    }
}

/// A row for each lane that was ever taken, so that none is taken again; where it stands, its last block says.
fn put_lanes(db: &Connection, wish: &Wish<'_>, last_ms: &BTreeMap<u32, i64>) -> Read<()> {
    const SQL: &str = "INSERT INTO lane (bucket, lane, epoch, sequence, chain, last_ms, floor_ms)
         VALUES (0, ?1, 1,
             COALESCE((SELECT MAX(first_sequence + records - 1) FROM block WHERE bucket = 0 AND lane = ?1), 0),
             (SELECT hash FROM block WHERE bucket = 0 AND lane = ?1 ORDER BY first_sequence DESC LIMIT 1), ?2, ?3)";
    const TAKEN: &str = "UPDATE meta SET value = CAST(CAST(?1 AS BIGINT) AS TEXT) WHERE name = 'lanes'";
    let headers = || wish.folder.files.iter().map(|(_, header)| header);
    let floor = headers().map(|header| header.floor_ms).max().unwrap_or(0);
    let lanes = headers().map(|header| header.lanes).max().unwrap_or(0).max(wish.lanes);
    let failed = || storage("write the lanes");
    let mut put = db.prepare(SQL).map_err(failed())?;
    for lane in 1..=lanes {
        let last = last_ms.get(&lane).copied().unwrap_or(0);
        put.execute(params![lane, last, floor]).map_err(failed())?;
    }
    db.execute(TAKEN, [lanes]).map_err(failed())?;
    Ok(())
}
