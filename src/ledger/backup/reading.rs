//! Owns how the log is read out of a folder, proven on the way.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::ledger::Progress;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::chunk::RowReader;
use crate::ledger::backup::folder::Folder;
use crate::ledger::backup::header::Header;
use crate::ledger::backup::header::Part;
use crate::ledger::backup::proof::Proof;
use crate::ledger::backup::proof::Standing;
use crate::ledger::backup::row::Row;
use crate::vault::key_store::KeyStore;

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

impl Wish<'_> {
    /// Whether the backup was made of a ledger with that look-up key, given by its fingerprint.
    ///
    /// # Errors
    /// `OtherLookUpKey`.
    pub(in crate::ledger) fn must_be_of(&self, lookup: &str) -> Result<(), BackupError> {
        match self.folder.files.iter().find(|(_, header)| header.lookup != lookup) {
            Some((path, _)) => Err(BackupError::OtherLookUpKey { path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// What was read and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    pub records: u64,
    pub blocks: u64,
    pub anchors: u64,
    pub head: Witness,
}

/// Reads every row up to an anchor, from the beginning. A row is given once it is known to be what its block holds; what
/// an anchor covers is proven when the anchor itself has been given, signatures at the very end.
///
/// # Errors
/// The first thing that is wrong, with the file in which it is; and whatever `take` says.
pub fn read(
    folder: &Folder,
    keys: &KeyStore,
    up_to: u64,
    progress: &Progress,
    take: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
) -> Result<Proven, BackupError> {
    let files: Vec<_> = folder.files.iter().filter(|(_, header)| header.from < up_to).collect();
    progress.total.store(files.iter().map(|(_, header)| header.records).sum(), Ordering::Relaxed);
    let proof = Proof::from(Standing::beginning(), Some(keys.public_keys()));
    let mut reading = Reading { keys, up_to, progress, proof };
    for (path, known) in files {
        reading.file(path, known, take)?;
    }
    let Proof { records, blocks, anchors, .. } = reading.proof;
    Ok(Proven { records, blocks, anchors, head: reading.proof.head() })
}

struct Reading<'r> {
    keys: &'r KeyStore,
    up_to: u64,
    progress: &'r Progress,
    proof: Proof,
}

impl Reading<'_> {
    fn file(
        &mut self,
        path: &Path,
        known: &Header,
        take: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let damaged = |what: &dyn Display| BackupError::damaged(path, what.to_string());
        let not_whole = |what: String| damaged(&format!("is not whole: {what}"));
        let (part, body) = Part::open(path)?;
        if part.header != *known {
            return Err(damaged(&"was replaced while it was read"));
        }
        let key = self.keys.open_stream_key(part.header.file.as_bytes(), &part.key);
        let key = key.map_err(|cause| BackupError::Key { path: path.to_owned(), cause })?;
        let mut rows = RowReader::new(body, key, part.facts);
        let last = self.up_to.min(known.to);
        while self.proof.head().number < last {
            let row = rows.next_row().map_err(|cause| damaged(&cause))?;
            let row = row.ok_or_else(|| damaged(&format!("does not reach anchor {last}")))?;
            self.proof.take(&row).map_err(not_whole)?;
            if matches!(row, Row::Record(_) | Row::Reference(_)) {
                self.progress.done.fetch_add(1, Ordering::Relaxed);
            }
            take(&row)?;
        }
        if last == known.to {
            let more = rows.next_row().map_err(|cause| damaged(&cause))?;
            if more.is_some() || self.proof.head() != known.end() {
                return Err(damaged(&format!("does not end with anchor {last}, as it says")));
            }
        }
        self.proof.end().map_err(not_whole)
    }
}
