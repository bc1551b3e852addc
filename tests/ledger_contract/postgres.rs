//! Owns the suite on PostgreSQL.

use std::sync::Arc;
use std::sync::OnceLock;

use banyan::ledger::Ledger;
use banyan::ledger::lane::Now;
use banyan::ledger::postgres;
use banyan::ledger::postgres::PostgresLedger;
use banyan::ledger::postgres::Settings;
use banyan::ledger::secrets::Secrets;
use banyan::sandbox::postgres::Server;
use tempfile::TempDir;

use crate::contract;
use crate::sqlite::secrets;
use crate::stage::Backend;

contract!(InDatabase::new());

/// One for all tests; it ends with the program.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start().unwrap())
}

/// A database of its own, and the keys to it.
pub(crate) struct InDatabase {
    pub(crate) settings: Settings,
    folder: TempDir,
}

impl InDatabase {
    pub(crate) fn new() -> InDatabase {
        let here = InDatabase::empty();
        postgres::migrate(&here.settings, &here.secrets()).unwrap();
        here
    }

    pub(crate) fn empty() -> InDatabase {
        let url = server().create_database().unwrap();
        let settings = Settings { url, lanes: 2, ..Settings::default() };
        InDatabase { settings, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn secrets(&self) -> Secrets {
        secrets(&self.folder.path().join("ledger.db"))
    }
}

impl Backend for InDatabase {
    fn open(&self, now: Now) -> Arc<dyn Ledger> {
        Arc::new(PostgresLedger::open(self.settings.clone(), self.secrets(), now).unwrap())
    }
}
