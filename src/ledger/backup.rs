//! Owns the form of a backup: the log of a ledger, whatever database holds it, as encrypted files that follow each other.
//!
//! A backup is the log and nothing else: records, blocks, anchors. What the log makes is made again when it is restored.
//! A folder holds one ledger: a first file from the beginning, then files that each go on where the one before ended,
//! each named by its anchors. The log never changes behind an anchor, so it is read piece by piece beside a gateway that
//! works, and is the same as if it had been read at one instant.

pub mod chunk;
pub mod folder;
pub mod header;
pub mod proof;
pub mod reading;
pub mod row;
pub mod writing;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::ledger::LedgerError;

/// Why there is no backup, or none to restore from. Each says what is wrong with which file.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{path} cannot be {what}")]
    Disk {
        path: PathBuf,
        what: &'static str,
        #[source]
        cause: io::Error,
    },
    #[error("{path} is being written by another backup or restore")]
    InUse { path: PathBuf },
    #[error("{folder} holds no backup; `banyan backup --to` makes one")]
    Empty { folder: PathBuf },
    #[error("{folder} lacks the file of anchors {first} to {last}")]
    Gap { folder: PathBuf, first: u64, last: u64 },
    #[error("{path} is not a backup, or its beginning was changed")]
    NotABackup { path: PathBuf },
    #[error("{path} has the form {form}, this version reads {known}: use a newer version", known = header::FORMAT)]
    OtherForm { path: PathBuf, form: String },
    #[error("{path} {cause}", cause = cause.to_string())]
    Key { path: PathBuf, cause: crate::vault::key_store::stream::BadStreamKey },
    #[error("{path} was made of a ledger with another look-up key: name the settings that belong to it")]
    OtherLookUpKey { path: PathBuf },
    #[error("{path} is of another ledger; each ledger has a folder of its own")]
    OtherLedger { path: PathBuf },
    #[error(
        "{folder} goes on to anchor {number}, to which this ledger does not lead: it was restored to an earlier one; begin a new folder"
    )]
    Apart { folder: PathBuf, number: u64 },
    #[error("{path} {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("there is no anchor {wanted} in the backup, its last is {last}")]
    NoSuchAnchor { wanted: u64, last: u64 },
    #[error(
        "the backup has at anchor {number} another one than the witnessed: it was rewritten, or is another ledger's"
    )]
    NotWitnessed { number: u64 },
    #[error("the ledger is damaged, nothing was written: {what}; run banyan verify")]
    LedgerDamaged { what: String },
    #[error("nothing is anchored yet: there is nothing to back up")]
    NothingAnchored,
    #[error("{path} is there already; a ledger is never replaced: name a file that is not there")]
    AlreadyThere { path: PathBuf },
    #[error("{place} holds a ledger already; a ledger is never replaced: name a database that is empty")]
    NotEmpty { place: String },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl BackupError {
    pub(crate) fn disk(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> BackupError {
        move |cause| BackupError::Disk { path: path.to_owned(), what, cause }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> BackupError {
        BackupError::Damaged { path: path.to_owned(), what: what.into() }
    }
}
