//! Owns why an import did not come to its end.

use std::path::PathBuf;

use crate::command::Exit;
use crate::command::exit_of_ledger;
use crate::domain::ids::NotAnId;
use crate::ledger::LedgerError;
use crate::service::import::apply::ImportError;

#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("--source: {0}; use a short name without blanks, e.g. register or bureau-3")]
    Source(NotAnId),
    #[error("--source {name} owns no columns of a persons file: use one of {known}")]
    NoSuchAuthority { name: String, known: String },
    #[error("{0}")]
    Settings(String),
    #[error("file {path} cannot be read")]
    File {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("file {path} changed while it was imported; what was applied stands: run the import again")]
    FileMoved { path: PathBuf },
    #[error("the ledger could not take part; run the import again, it resumes")]
    Ledger(#[source] LedgerError),
    #[error("the import stopped: {0}")]
    Import(#[source] ImportError),
    #[error("differences cannot be written into {path}")]
    Differences {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("a part of the import broke off; what was applied stands: run the import again")]
    Broken,
}

impl Failed {
    /// 2: wrong arguments, nothing was applied. 3: stopped, perhaps midway; the same command resumes.
    pub fn exit_code(&self) -> Exit {
        match self {
            Failed::Source(_)
            | Failed::NoSuchAuthority { .. }
            | Failed::Settings(_)
            | Failed::File { .. } => Exit::BadInput,
            Failed::Ledger(cause) => exit_of_ledger(cause),
            Failed::FileMoved { .. } | Failed::Import(_) | Failed::Differences { .. } | Failed::Broken => {
                Exit::CannotReach
            }
        }
    }

    /// The whole chain of causes in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            let said = next.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = next.source();
        }
        text
    }
}
