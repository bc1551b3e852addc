//! Owns what is done with a database without becoming one of its nodes, and how any of it waits.

use std::future::Future;

use tokio::time::timeout;
use tokio::time::timeout_at;

use crate::domain::ids::SettlementId;
use crate::ledger::LedgerError;
use crate::ledger::Receipted;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::Witness;
use crate::ledger::books::anchors;
use crate::ledger::books::receipts;
use crate::ledger::postgres::Climbed;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::Target;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::late;
use crate::ledger::postgres::quiet::Line;
use crate::ledger::postgres::schema;
use crate::ledger::postgres::verify;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::ANSWER_WAIT_MAX;
use crate::ledger::sql::Database;
use crate::ledger::storage;

/// Makes or moves the schema forward, and says from which step to which.
///
/// # Errors
/// `Newer` when a newer node has moved on; `OtherKey`, `Foreign`, `Occupied`, `Encoding` or `Damaged` when the database is
/// not ours; `Restoring` before a restore into it has ended; `Storage` when the
/// server cannot be used.
pub fn migrate(settings: &Settings, secrets: &Secrets) -> Result<Climbed, LedgerError> {
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    apart(|| async {
        let mut link = target.connect_by("", settings.deadline()()).await?;
        // It would be waited for.
        if schema::found(&link.client).await? > 0 {
            schema::no_restore_runs(&link.client).await?;
        }
        let work = schema::migrate(&mut link.client, &secrets.lookup, settings.answer_within);
        let climbed = timeout(ANSWER_WAIT_MAX, work).await;
        climbed.map_err(|_| fault("make the schema")(Fault::SilentFor(ANSWER_WAIT_MAX)))?
    })
}

/// Verifies a database without becoming one of its nodes.
///
/// # Errors
/// `Storage` when the server cannot be used; `Behind`, `Newer`, `OtherKey` or `Damaged` when the database is not one of
/// ours; what is wrong in it is in [`Verified::faults`].
pub fn verify_database(
    settings: &Settings,
    secrets: &Secrets,
    wish: &Verify,
) -> Result<Verified, LedgerError> {
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    apart(|| async {
        let deadline = settings.deadline()();
        let link = target.connect_by("", deadline).await?;
        let looked = schema::check(&link.client, &secrets.lookup);
        timeout_at(deadline, looked).await.map_err(late("look at the schema"))?
    })?;
    verify::verify(&target, secrets, wish)
}

/// The newest anchor of a database, to be kept elsewhere.
///
/// # Errors
/// `Storage` when the server cannot be used.
pub fn head_of(settings: &Settings) -> Result<Option<Witness>, LedgerError> {
    let last = ask_once(settings, |db| anchors::last(db))?;
    Ok(last.map(|anchor| Witness { number: anchor.number, hash: anchor.hash() }))
}

/// The receipt of a settlement in a database.
///
/// # Errors
/// `Storage` when the server cannot be used.
pub fn receipt_of(settings: &Settings, id: &SettlementId) -> Result<Receipted, LedgerError> {
    ask_once(settings, |db| receipts::receipt(db, id))
}

/// On a thread that may block.
fn ask_once<T>(
    settings: &Settings,
    question: impl FnOnce(&dyn Database) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    let mut line = Line::open(&target)?;
    line.run(async |client| schema::must_be_made(client).await)?;
    line.read(|db| question(db))
}

/// Waits for what must be known before anything starts, on a thread and a runtime of its own: the caller's may not be
/// blocked, or there may be none.
pub(super) fn apart<T: Send, F: Future<Output = Result<T, LedgerError>>>(
    work: impl FnOnce() -> F + Send,
) -> Result<T, LedgerError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(storage("start"))?.block_on(work())
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
