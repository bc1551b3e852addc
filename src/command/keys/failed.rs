//! Owns why a deed with keys was not done, and the exit code of each reason.

use std::io;
use std::path::PathBuf;

use crate::command::Exit;
use crate::config::gateway::MasterSource;
use crate::vault::key_file::BadKeyFile;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStoreError;
use crate::vault::master::BadMaster;

#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Master(#[from] BadMaster),
    #[error(transparent)]
    KeyFile(#[from] BadKeyFile),
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    #[error("the folder {path} cannot be made")]
    Folder {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "{store} is there, but no master key is in {master}; a new one could not open it: put the old one back"
    )]
    MasterLost { store: PathBuf, master: MasterSource },
    #[error(
        "{store} is there, but no look-up key is in {lookup}; a new one would find nobody in the ledger: put the old one back"
    )]
    LookupLost { store: PathBuf, lookup: PathBuf },
    #[error(
        "{master} cannot be set from here: put 64 random hexadecimal digits into it (openssl rand -hex 32), then run this again"
    )]
    VariableIsYours { master: MasterSource },
    #[error("{place} holds a key already; one that is there is never replaced")]
    NextIsThere { place: MasterSource },
    #[error(
        "the settings name no next_master; set it in [keys] to the place where the next master key shall be put"
    )]
    NoNextSetting,
    #[error("there is no next master key in {place}; `banyan keys make --next` makes one")]
    NoNext { place: MasterSource },
    #[error(
        "there is no {class} key of month {month} with which this could be done; `banyan keys list` shows what there is"
    )]
    NothingToDo { class: Class, month: u32 },
    #[error(
        "the {class} keys of month {month} must be kept until the end of month {until}; nothing was destroyed"
    )]
    WithinTerm { class: Class, month: u32, until: u32 },
    #[error("there is no signing key {id}; `banyan keys list` shows what there is")]
    NoSuchSigningKey { id: String },
    #[error("the terminal is gone")]
    Terminal(#[from] io::Error),
}

impl Failed {
    pub fn exit_code(&self) -> Exit {
        match self {
            Failed::Settings(_)
            | Failed::Master(_)
            | Failed::MasterLost { .. }
            | Failed::LookupLost { .. }
            | Failed::VariableIsYours { .. }
            | Failed::NoNextSetting
            | Failed::NoNext { .. } => Exit::BadInput,
            Failed::NextIsThere { .. }
            | Failed::NothingToDo { .. }
            | Failed::WithinTerm { .. }
            | Failed::NoSuchSigningKey { .. } => Exit::Refused,
            Failed::KeyFile(_) | Failed::Folder { .. } | Failed::Terminal(_) => Exit::CannotReach,
            Failed::Store(cause) => match cause {
                KeyStoreError::Master(_)
                | KeyStoreError::Missing { .. }
                | KeyStoreError::OpenToOthers { .. }
                | KeyStoreError::OtherMaster { .. }
                | KeyStoreError::NotAMonth { .. } => Exit::BadInput,
                KeyStoreError::AlreadyThere { .. }
                | KeyStoreError::NoSuchKey { .. }
                | KeyStoreError::NotMadeAhead { .. }
                | KeyStoreError::Destroyed { .. } => Exit::Refused,
                KeyStoreError::Unusable { .. }
                | KeyStoreError::Damaged { .. }
                | KeyStoreError::OtherVersion { .. }
                | KeyStoreError::UnknownKey { .. }
                | KeyStoreError::NotReadable(_) => Exit::CannotReach,
            },
        }
    }
}
