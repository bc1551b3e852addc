//! Owns how the log is read out of a folder, proven on the way.

use std::path::Path;
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
    let mut proof = Proof::from(Standing::beginning(), Some(keys.public_keys()));
    for (path, known) in files {
        read_file(path, known, keys, up_to, progress, &mut proof, take)?;
        proof.end().map_err(|what| BackupError::damaged(path, format!("is not whole: {what}")))?;
    }
    let Proof { records, blocks, anchors, .. } = proof;
    Ok(Proven { records, blocks, anchors, head: proof.head() })
}

fn read_file(
    path: &Path,
    known: &Header,
    keys: &KeyStore,
    up_to: u64,
    progress: &Progress,
    proof: &mut Proof,
    take: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let (part, body) = Part::open(path)?;
    if part.header != *known {
        return Err(BackupError::damaged(path, "was replaced while it was read"));
    }
    let key = keys.open_stream_key(part.header.file.as_bytes(), &part.key);
    let key = key.map_err(|cause| BackupError::Key { path: path.to_owned(), cause })?;
    let mut rows = RowReader::new(body, key, part.facts);
    while let Some(row) = rows.next_row().map_err(|cause| BackupError::damaged(path, cause.to_string()))? {
        proof.take(&row).map_err(|what| BackupError::damaged(path, format!("is not whole: {what}")))?;
        if matches!(row, Row::Record(_) | Row::Reference(_)) {
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        take(&row)?;
        if matches!(row, Row::Anchor(_)) && proof.head().number == up_to {
            break;
        }
    }
    let expected = if up_to < part.header.to { up_to } else { part.header.to };
    let head = proof.head();
    if head.number != expected || (expected == part.header.to && head.hash != part.header.to_hash) {
        return Err(BackupError::damaged(path, format!("does not end with anchor {expected}")));
    }
    if up_to >= part.header.to
        && rows.next_row().map_err(|cause| BackupError::damaged(path, cause.to_string()))?.is_some()
    {
        return Err(BackupError::damaged(path, "goes on behind its last anchor"));
    }
    Ok(())
}
