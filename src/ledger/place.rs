//! Owns where a ledger is: in a file or in a database. What commands do with a ledger is asked for here, whatever it is.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::ids::SettlementId;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::Receipted;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::reading::Wish;
use crate::ledger::backup::writing::Log;
use crate::ledger::event::Observer;
use crate::ledger::lane::Now;
use crate::ledger::postgres;
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::postgres::Target;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::sqlite::backup::SqliteLog;
use crate::vault::lookup::LookupKey;

/// How the address of a database begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// A ledger that is there, or is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File { path: PathBuf, settings: sqlite::Settings },
    Database(postgres::Settings),
}

impl Place {
    pub fn is_address(named: &str) -> bool {
        SCHEMES.iter().any(|scheme| named.starts_with(scheme))
    }

    /// Another one than the settings name, with their limits: a file, or a database by its address.
    pub fn instead(&self, named: &str) -> Place {
        if !Place::is_address(named) {
            return self.instead_in(Path::new(named));
        }
        let limits = match self {
            Place::Database(settings) => settings.clone(),
            Place::File { .. } => postgres::Settings::default(),
        };
        Place::Database(postgres::Settings { url: named.to_owned(), ..limits })
    }

    /// The same, always a file.
    pub fn instead_in(&self, path: &Path) -> Place {
        let settings = match self {
            Place::File { settings, .. } => settings.clone(),
            Place::Database(_) => sqlite::Settings::default(),
        };
        Place::File { path: path.to_owned(), settings }
    }

    /// One that no settings name, with the usual limits: a file, or a database by its address.
    pub fn at(named: &Path) -> Place {
        let place = Place::File { path: named.to_owned(), settings: sqlite::Settings::default() };
        named.to_str().map_or_else(|| place.clone(), |named| place.instead(named))
    }

    /// For an import, which wants throughput where a gateway wants low latency: large batches, and a long write-ahead
    /// log, in which a page that many batches touch is moved into the file once.
    pub fn in_bulk(self) -> Place {
        const BATCH_MAX: usize = 2048;
        const CHECKPOINT_PAGES: u32 = 65_536; // 256 MiB
        const LIMIT_PAGES: u32 = 262_144; // 1 GiB
        match self {
            Place::File { path, settings } => {
                let settings = sqlite::Settings {
                    batch_max: settings.batch_max.max(BATCH_MAX),
                    wal_checkpoint_pages: settings.wal_checkpoint_pages.max(CHECKPOINT_PAGES),
                    wal_limit_pages: settings.wal_limit_pages.max(LIMIT_PAGES),
                    ..settings
                };
                Place::File { path, settings }
            }
            Place::Database(settings) => {
                let batch_max = settings.batch_max.max(BATCH_MAX);
                Place::Database(postgres::Settings { batch_max, ..settings })
            }
        }
    }

    /// The same, telling what happens in it.
    #[must_use]
    pub fn observed(mut self, observer: Observer) -> Place {
        match &mut self {
            Place::File { settings, .. } => settings.observer = observer,
            Place::Database(settings) => settings.observer = observer,
        }
        self
    }

    /// To be told: no user, no password.
    pub fn told(&self) -> String {
        match self {
            Place::File { path, .. } => path.display().to_string(),
            Place::Database(settings) => {
                Target::new(settings).map_or_else(|_| "the database".into(), |target| target.place())
            }
        }
    }

    /// Whether nothing is there at all. What cannot be asked is taken to be there.
    pub fn is_nothing(&self) -> bool {
        match self {
            Place::File { path, .. } => !path.exists(),
            Place::Database(settings) => postgres::restore::must_be_free(settings).is_ok(),
        }
    }

    /// Opens it to write.
    ///
    /// # Errors
    /// As [`SqliteLedger::open`] and [`PostgresLedger::open`].
    pub fn open(&self, secrets: Secrets, now: Now) -> Result<Arc<dyn Ledger>, LedgerError> {
        Ok(match self {
            Place::File { path, settings } => {
                Arc::new(SqliteLedger::open(path, settings.clone(), secrets, now)?)
            }
            Place::Database(settings) => Arc::new(PostgresLedger::open(settings.clone(), secrets, now)?),
        })
    }

    /// Opens it to read and nothing else.
    ///
    /// # Errors
    /// As [`SqliteLedger::open_to_read`] and [`PostgresLedger::open_to_read`].
    pub fn open_to_read(&self, secrets: Secrets) -> Result<Arc<dyn Ledger>, LedgerError> {
        Ok(match self {
            Place::File { path, settings } => {
                Arc::new(SqliteLedger::open_to_read(path, settings.clone(), secrets)?)
            }
            Place::Database(settings) => Arc::new(PostgresLedger::open_to_read(settings.clone(), secrets)?),
        })
    }

    /// Verifies it without becoming one of its nodes. Blocks the thread, as all that follows.
    ///
    /// # Errors
    /// As [`sqlite::verify_file`] and [`postgres::verify_database`].
    pub fn verify(&self, secrets: &Secrets, wish: &Verify) -> Result<Verified, LedgerError> {
        match self {
            Place::File { path, settings } => sqlite::verify_file(path, settings, secrets, wish),
            Place::Database(settings) => postgres::verify_database(settings, secrets, wish),
        }
    }

    /// Its newest anchor, to be kept elsewhere.
    ///
    /// # Errors
    /// `Storage` when it is not there or cannot be read.
    pub fn head(&self) -> Result<Option<Witness>, LedgerError> {
        match self {
            Place::File { path, settings } => sqlite::head_of(path, settings),
            Place::Database(settings) => postgres::head_of(settings),
        }
    }

    /// The receipt of a settlement in it.
    ///
    /// # Errors
    /// `Storage` when it is not there or cannot be read.
    pub fn receipt(&self, id: &SettlementId) -> Result<Receipted, LedgerError> {
        match self {
            Place::File { path, settings } => sqlite::receipt_of(path, settings, id),
            Place::Database(settings) => postgres::receipt_of(settings, id),
        }
    }

    /// Lets `work` read its log.
    ///
    /// # Errors
    /// When it is not a ledger of ours that can be read; whatever `work` says.
    pub fn with_log<T>(
        &self,
        lookup: &LookupKey,
        work: impl FnOnce(&dyn Log) -> Result<T, BackupError>,
    ) -> Result<T, BackupError> {
        match self {
            Place::File { path, settings } => work(&SqliteLog::open(path, settings, lookup)?),
            Place::Database(settings) => postgres::backup::with_log(settings, lookup, work),
        }
    }

    /// Whether it may be restored into: nothing is ever replaced.
    ///
    /// # Errors
    /// `AlreadyThere` or `NotEmpty`.
    pub fn must_be_free(&self) -> Result<(), BackupError> {
        match self {
            Place::File { path, .. } => sqlite::restore::must_be_free(path),
            Place::Database(settings) => postgres::restore::must_be_free(settings),
        }
    }

    /// Makes a ledger of a backup there. With faults, or with an error, nothing was made.
    ///
    /// # Errors
    /// When something is there, when the backup is not whole, or the disk or the server fails.
    pub fn restore(&self, secrets: &Secrets, wish: &Wish<'_>) -> Result<Verified, BackupError> {
        match self {
            Place::File { path, settings } => sqlite::restore::restore(path, settings, secrets, wish),
            Place::Database(settings) => postgres::restore::restore(settings, secrets, wish),
        }
    }

    /// Its file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Place::File { path, .. } => Some(path),
            Place::Database(_) => None,
        }
    }
}
