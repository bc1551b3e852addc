//! Owns how a database is filled out of a backup: in one transaction, which is held to everything that `verify` holds it to
//! before it is committed. Cut at any instant, the
//! database is as empty as it was, and marked until a restore has ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;

use crate::ledger::LedgerError;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::reading::Wish;
use crate::ledger::books::restoring;
use crate::ledger::books::verify;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::quiet::Line;
use crate::ledger::postgres::quiet::SameInstant;
use crate::ledger::postgres::schema;
use crate::ledger::row::column;
use crate::ledger::schema::fingerprint;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::ANSWER_WAIT_MAX;
use crate::ledger::sql::Database;

/// Makes a ledger of an empty database, whose schema is made if it has none. Blocks the thread.
///
/// # Errors
/// When the database is not empty, when the backup is not whole, or the server fails. Nothing of the ledger is left.
pub fn restore(settings: &Settings, secrets: &Secrets, wish: &Wish<'_>) -> Result<Verified, BackupError> {
    wish.must_be_of(&fingerprint(&secrets.lookup))?;
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    let mut line = Line::open(&target)?;
    let within = settings.answer_within;
    let migrated = line
        .run(async |client| timeout(ANSWER_WAIT_MAX, schema::migrate(client, &secrets.lookup, within)).await);
    migrated.map_err(|_| fault("make the schema")(Fault::SilentFor(ANSWER_WAIT_MAX)))??;
    line.write_within(within, |db| begin(db, &target))?;
    let filled = line.write(|db| {
        must_be_empty(db, &target)?;
        restoring::fill(db, secrets, wish)?;
        // Without it the server would guess how to find what has only just come.
        let db: &dyn Database = db;
        db.run("count the new rows", "ANALYZE", &[])?;
        let verified = verified(db, secrets, wish)?;
        if !verified.faults.is_empty() {
            return Err(NotFilled::Faulty(verified));
        }
        db.run("end the restore", END, &[])?;
        Ok(verified)
    });
    if filled.is_err() {
        // Where this fails too, no node starts before a restore has been run to its end.
        let _marked = line.write_within(within, |db| db.run("end the restore", END, &[]).map(drop));
    }
    match filled {
        Ok(verified) | Err(NotFilled::Faulty(verified)) => Ok(verified),
        Err(NotFilled::Failed(cause)) => Err(cause),
    }
}

/// Takes the mark away that [`begin`] has made.
const END: &str = "DELETE FROM meta WHERE name = 'restoring'";

/// Marks the empty database, so that no node begins a ledger of its own in it before it is filled, also when this
/// process is killed.
fn begin(db: &dyn Database, target: &Target) -> Result<(), BackupError> {
    const MARK: &str = "INSERT INTO meta (name, value) VALUES ('restoring', '1')
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    must_be_empty(db, target)?;
    db.run("mark the database", MARK, &[])?;
    Ok(())
}

enum NotFilled {
    Failed(BackupError),
    Faulty(Verified),
}

impl From<BackupError> for NotFilled {
    fn from(cause: BackupError) -> NotFilled {
        NotFilled::Failed(cause)
    }
}

impl From<LedgerError> for NotFilled {
    fn from(cause: LedgerError) -> NotFilled {
        NotFilled::Failed(cause.into())
    }
}

/// Whether a database may be restored into, before anybody is asked whether to.
///
/// # Errors
/// `NotEmpty`, or when the server cannot be used.
pub fn must_be_free(settings: &Settings) -> Result<(), BackupError> {
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    let mut line = Line::open(&target)?;
    let made = line.run(async |client| schema::found(client).await)?;
    if made == 0 { Ok(()) } else { line.write(|db| must_be_empty(db, &target)) }
}

/// No node may begin meanwhile: to take a lane it changes the table that is locked first.
fn must_be_empty(db: &dyn Database, target: &Target) -> Result<(), BackupError> {
    const WHAT: &str = "look whether the database is empty";
    db.run(WHAT, "LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE", &[])?;
    for table in ["lane", "record", "reference_record", "anchor"] {
        let sql = format!("SELECT COUNT(*) FROM (SELECT * FROM {table} LIMIT 1) AS found");
        if db.the(WHAT, &sql, &[], |row| column::<i64>(row, 0))? > 0 {
            return Err(BackupError::NotEmpty { place: target.place() });
        }
    }
    Ok(())
}

/// Inside the transaction, which nobody else can see into.
fn verified(db: &dyn Database, secrets: &Secrets, wish: &Wish<'_>) -> Result<Verified, LedgerError> {
    let progress = Arc::clone(wish.progress);
    progress.done.store(0, Ordering::Relaxed);
    let wish = Verify { faults_max: 20, witness: wish.witness, progress };
    verify::verify(db, Vec::<SameInstant>::new(), secrets, &wish)
}
