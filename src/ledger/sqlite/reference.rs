//! Owns how a change of the shared tables is written inside the writer's own transaction.

use rusqlite::Connection;

use crate::ledger::ReferenceChange;
use crate::ledger::books::reference;
use crate::ledger::books::reference::Place;
use crate::ledger::books::reference::Written;
use crate::ledger::sqlite::of_the_file;
use crate::ledger::sqlite::write::Moment;

/// Records a change inside the running transaction at its place in the lane.
pub(super) fn write(
    db: &Connection,
    source: &str,
    change: &ReferenceChange,
    moment: Moment,
    sequence: u64,
) -> rusqlite::Result<Written> {
    let place = Place { at_ms: moment.clock.0, lane: moment.lane, sequence };
    reference::write(db, source, change, place).map_err(of_the_file)
}
