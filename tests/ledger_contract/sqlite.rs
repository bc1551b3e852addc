//! Owns the suite on SQLite, and what only a file can meet: kill -9, a full disk, an altered schema.

use std::path::Path;
use std::sync::Arc;

use banyan::ledger::Ledger;
use banyan::ledger::lane::Now;
use banyan::ledger::sqlite::Settings;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::vault::key_file::Secret;
use banyan::vault::lookup::LookupKey;
use tempfile::TempDir;

use crate::contract;
use crate::stage::Backend;

contract!(InFolder::new());

struct InFolder(TempDir);

impl InFolder {
    fn new() -> InFolder {
        InFolder(tempfile::tempdir().unwrap())
    }
}

impl Backend for InFolder {
    fn open(&self, now: Now) -> Arc<dyn Ledger> {
        Arc::new(open(&self.0.path().join("ledger.db"), Settings::default(), now))
    }
}

fn lookup_key() -> LookupKey {
    LookupKey::new(&Secret::new([7; 32]))
}

fn open(path: &Path, settings: Settings, now: Now) -> SqliteLedger {
    SqliteLedger::open(path, settings, lookup_key(), now).unwrap()
}
