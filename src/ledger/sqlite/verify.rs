//! Owns how a file is verified: by connections that all see it as of one instant.

use std::path::Path;

use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::books;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::connection;
use crate::ledger::storage;

type Read<T> = Result<T, LedgerError>;

/// Verifies everything as of one instant, on all cores.
pub(super) fn verify(path: &Path, settings: &Settings, secrets: &Secrets, wish: &Verify) -> Read<Verified> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (db, readers) = same_instant(path, settings, cores)?;
    books::verify::verify(&db, readers, secrets, wish)
}

/// Connections that all see the file as of the same instant: nothing is committed while they begin to read.
fn same_instant(path: &Path, settings: &Settings, count: usize) -> Read<(Connection, Vec<Connection>)> {
    let failed = || storage("begin to verify");
    let held = connection::reopen_writer(path, settings).map_err(failed())?;
    held.execute_batch("BEGIN IMMEDIATE").map_err(failed())?;
    let open = || {
        let reader = connection::open_reader(path, settings)?;
        reader.execute_batch("BEGIN")?;
        // The instant is that of the first read.
        reader.query_row("SELECT COUNT(*) FROM meta", [], |_| Ok(()))?;
        Ok(reader)
    };
    let one = open().map_err(failed())?;
    let others = (0..count).map(|_| open()).collect::<rusqlite::Result<Vec<_>>>().map_err(failed())?;
    held.execute_batch("ROLLBACK").map_err(failed())?;
    Ok((one, others))
}
