//! Owns how a database is verified: by connections that all see it as of one instant.

use crate::ledger::LedgerError;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::books;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::quiet::Line;
use crate::ledger::postgres::quiet::SameInstant;
use crate::ledger::secrets::Secrets;

/// Verifies everything, on all cores, on a thread that may block.
pub(super) fn verify(target: &Target, secrets: &Secrets, wish: &Verify) -> Result<Verified, LedgerError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Line::open(target)?.read(|db| {
        let readers = SameInstant::of(db, target, cores)?;
        books::verify::verify(db, readers, secrets, wish)
    })
}
