//! Owns how the log is written into a folder, proven on the way, so that no damaged ledger makes a backup.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::Progress;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::chunk::RowWriter;
use crate::ledger::backup::folder::Adding;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::header;
use crate::ledger::backup::header::Header;
use crate::ledger::backup::header::Part;
use crate::ledger::backup::proof::Proof;
use crate::ledger::backup::proof::Standing;
use crate::ledger::backup::row::Row;
use crate::ledger::codec;
use crate::ledger::seal::merkle::Hash;
use crate::vault::key_store::KeyStore;
use crate::vault::random_id;

/// What a ledger has to back up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first anchor's hash.
    pub ledger: Hash,
    /// Fingerprint of the look-up key.
    pub lookup: String,
    /// Where the log stands at the anchor after which the backup begins.
    pub from: Standing,
    /// The last anchor.
    pub to: Witness,
    pub records: u64,
    pub lanes: u32,
    pub floor_ms: i64,
}

/// What a ledger has beyond an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Settlements, reversals and revivals, and records of any kind.
    Records { settlements: u64, records: u64 },
    /// It does not lead to that anchor at all.
    Apart,
}

/// A ledger whose log can be read, whatever database holds it.
pub trait Log {
    /// What it has after an anchor of its own; number 0 for everything. `None` when it does not lead to that anchor.
    fn extent(&self, after: Witness) -> Result<Option<Extent>, BackupError>;

    /// Its rows, in the order of [`Row`].
    fn rows(
        &self,
        extent: &Extent,
        give: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError>;

    /// The first anchor's hash; `None` when nothing is anchored yet.
    fn identity(&self) -> Result<Option<Hash>, BackupError>;

    /// The highest lane that was ever taken.
    fn lanes(&self) -> Result<u32, LedgerError>;

    /// What would be lost if this ledger were put back to an anchor of a backup. `known` are anchors of that backup.
    fn beyond(&self, number: u64, known: &[Witness]) -> Result<Beyond, LedgerError>;
}

/// What a backup did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The last anchor of the folder.
    pub head: Witness,
    /// Files whose key is now wrapped under the present master.
    pub rewrapped: usize,
    /// Nothing when the folder had everything already.
    pub written: Option<Written>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub file: PathBuf,
    pub header: Header,
    pub bytes: u64,
}

/// Adds to a folder what the ledger has beyond it.
///
/// # Errors
/// When the folder is of another ledger, has a gap, or cannot be written; when the ledger is damaged. The folder's files
/// stay as they are.
pub fn back_up(
    log: &dyn Log,
    path: &Path,
    keys: &KeyStore,
    now: Instant,
    progress: &Progress,
) -> Result<BackedUp, BackupError> {
    let identity = log.identity()?.ok_or(BackupError::NothingAnchored)?;
    // Before anything is made: a folder that is not ours stays as it is.
    ours(&Folder::read(path)?, identity)?;
    let adding = Adding::begin(path)?;
    let folder = Folder::read(path)?;
    ours(&folder, identity)?;
    let after = folder.end().unwrap_or(Standing::beginning().head);
    let apart = || BackupError::Apart { folder: path.to_owned(), number: after.number };
    let extent = log.extent(after)?.ok_or_else(apart)?;
    let rewrapped = adding.rewrap(&folder, keys)?;
    if extent.to == after {
        return Ok(BackedUp { head: after, rewrapped, written: None });
    }
    if let Some((file, _)) = folder.files.first().filter(|(_, header)| header.lookup != extent.lookup) {
        return Err(BackupError::OtherLookUpKey { path: file.clone() });
    }
    let header = header_of(&extent, after, now);
    progress.total.store(extent.records, Ordering::Relaxed);
    let file =
        adding.add(&header, |name, file| write(log, &extent, &header, keys, (name, file), progress))?;
    let bytes = std::fs::metadata(&file).map_err(BackupError::disk(&file, "read"))?.len();
    let (head, written) = (header.end(), Some(Written { file, header, bytes }));
    Ok(BackedUp { head, rewrapped, written })
}

fn ours(folder: &Folder, identity: Hash) -> Result<(), BackupError> {
    match folder.files.first() {
        Some((path, header)) if header.ledger != identity => {
            Err(BackupError::OtherLedger { path: path.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

fn header_of(extent: &Extent, after: Witness, now: Instant) -> Header {
    Header {
        format: header::FORMAT.to_owned(),
        file: codec::text_of_bytes(&random_id()),
        ledger: extent.ledger,
        lookup: extent.lookup.clone(),
        from: after.number,
        from_hash: after.hash,
        to: extent.to.number,
        to_hash: extent.to.hash,
        records: extent.records,
        lanes: extent.lanes,
        floor_ms: extent.floor_ms,
        made_ms: now.0,
    }
}

fn write(
    log: &dyn Log,
    extent: &Extent,
    header: &Header,
    keys: &KeyStore,
    (name, file): (&Path, &mut File),
    progress: &Progress,
) -> Result<(), BackupError> {
    let (key, wrapped) = keys.make_stream_key(header.file.as_bytes());
    let (lines, facts) = Part::lines(header, &wrapped);
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.write_all(lines.as_bytes()).map_err(BackupError::disk(name, "written"))?;
    let mut rows = RowWriter::new(out, key, facts);
    let mut proof = Proof::from(extent.from.clone(), None);
    let damaged = |what| BackupError::LedgerDamaged { what };
    log.rows(extent, &mut |row| {
        proof.take(row).map_err(damaged)?;
        if matches!(row, Row::Record(_) | Row::Reference(_)) {
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        rows.write(row).map_err(BackupError::disk(name, "written"))
    })?;
    proof.end().map_err(damaged)?;
    if proof.head() != extent.to || proof.records != extent.records {
        return Err(damaged(format!("its records do not lead to anchor {}", extent.to.number)));
    }
    rows.finish().map(|_| ()).map_err(BackupError::disk(name, "written"))
}
