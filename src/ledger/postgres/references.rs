//! Owns how a change of the shared tables is written in a lane: a transaction and a block of its own.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::ReferenceChange;
use crate::ledger::books::reference;
use crate::ledger::postgres::batch::Lane;
use crate::ledger::postgres::batch::Stand;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::seal::block;
use crate::ledger::sql;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;
use crate::ledger::storage;

#[derive(Debug)]
pub(super) struct Written {
    /// Of the shared tables.
    pub(super) version: u64,
    pub(super) after: Stand,
}

#[derive(Debug)]
pub(super) struct Refused {
    pub(super) cause: LedgerError,
    pub(super) meaning: Meaning,
    /// Where the lane stands if it was committed all the same.
    pub(super) committing: Option<Box<Stand>>,
}

/// Blocks the lane's thread, no longer than `limit` for each answer of the server: deeds wait behind it.
pub(super) fn write(
    (client, runtime, limit): (&mut Client, &Runtime, Duration),
    source: &str,
    change: &ReferenceChange,
    before: Stand,
    clock: Instant,
) -> Result<Written, Refused> {
    let begun = sql::wait(runtime, limit, "begin to record a change", client.transaction());
    let db = sql::Postgres::of(begun.map_err(refused)?, runtime).within(limit);
    match within(&db, source, change, &before, clock) {
        Ok(written) => {
            let committed = db.commit("record a change");
            let committing = Some(Box::new(written.after));
            committed.map(|()| written).map_err(|cause| Refused { committing, ..refused(cause) })
        }
        Err(refused) => {
            // What cannot be undone ends with its connection.
            if refused.meaning != Meaning::Broken {
                let _ended = db.roll_back("record a change");
            }
            Err(refused)
        }
    }
}

fn within(
    db: &dyn Database,
    source: &str,
    change: &ReferenceChange,
    before: &Stand,
    clock: Instant,
) -> Result<Written, Refused> {
    let mut after = *before;
    let sequence = after.standing.next_place();
    let place = reference::Place { at_ms: clock.0, lane: before.lane.number, sequence };
    let written = reference::write(db, source, change, place).map_err(refused)?;
    let leaves = [written.leaf];
    after.chain = block::Header::of(before.lane.number, sequence, &leaves, before.chain).hash();
    if close(db, before, &after, leaves.as_flattened()).map_err(refused)? {
        return Ok(Written { version: written.version, after });
    }
    let cause = storage("record a change")(std::io::Error::other("its lane has moved"));
    Err(Refused { cause, meaning: Meaning::Moved, committing: None })
}

/// The block and the lane's row. Gives whether the lane stood as it must.
fn close(db: &dyn Database, before: &Stand, after: &Stand, leaves: &[u8]) -> Result<bool, LedgerError> {
    const BLOCK: &str = "INSERT INTO block (bucket, lane, first_sequence, records, leaves, hash)
         VALUES (?1, ?2, ?3, 1, ?4, ?5)";
    const LANE: &str = "UPDATE lane SET sequence = ?4, chain = ?5
         WHERE bucket = ?1 AND lane = ?2 AND epoch = ?3 AND sequence = ?6";
    let Lane { bucket, number, epoch } = before.lane;
    let sequence = after.standing.sequence;
    db.run("seal a change", BLOCK, values![bucket, number, sequence, leaves, &after.chain])?;
    let lane = values![bucket, number, epoch, sequence, &after.chain, before.standing.sequence];
    Ok(db.run("seal a change", LANE, lane)? == 1)
}

fn refused(cause: LedgerError) -> Refused {
    let meaning = match &cause {
        LedgerError::Storage { cause, .. } => cause.downcast_ref().map_or(Meaning::Broken, Fault::meaning),
        _ => Meaning::Unfit,
    };
    Refused { cause, meaning, committing: None }
}
