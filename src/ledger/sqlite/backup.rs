//! Owns how the log is read out of the file for a backup, in pieces so short that checkpoints go on beside it.
//!
//! Records are read in the order in which they were inserted, which is the order of their commits; an anchor covers
//! everything that was committed before it was composed. So what an anchor covers is one stretch of that order. Should a
//! file be in another order, the proof that the rows pass through ends the backup.

use std::collections::VecDeque;
use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::proof::Standing;
use crate::ledger::backup::row::RecordRow;
use crate::ledger::backup::row::Row;
use crate::ledger::backup::writing::Beyond;
use crate::ledger::backup::writing::Extent;
use crate::ledger::backup::writing::Log;
use crate::ledger::books::log;
use crate::ledger::books::log::Records;
use crate::ledger::row::Shifted;
use crate::ledger::row::column;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::at_rest;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::durable::sync_log;
use crate::ledger::sqlite::read::snapshot;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// Records read at once: bounds memory, and how long a checkpoint waits.
const RECORDS_AT_ONCE: u64 = 64;

/// The log of a file, live or at rest.
pub struct SqliteLog {
    db: Connection,
    path: PathBuf,
}

impl SqliteLog {
    /// # Errors
    /// `Storage` when there is no such file or it cannot be read; `Newer`, `OtherKey` or `Damaged` when it is not ours.
    pub fn open(path: &Path, settings: &Settings, lookup: &LookupKey) -> Read<SqliteLog> {
        at_rest(path)?;
        connection::open_as_it_stands(path, settings, lookup)
            .map(|db| SqliteLog { db, path: path.to_owned() })
    }
}

impl Log for SqliteLog {
    fn identity(&self) -> Result<Option<Hash>, BackupError> {
        Ok(log::identity(&self.db)?)
    }

    fn extent(&self, after: Witness) -> Result<Option<Extent>, BackupError> {
        let extent = snapshot(&self.db, |db| log::extent(db, after))?;
        // The ledger must never stand behind its backup.
        sync_log(&self.path)?;
        Ok(extent)
    }

    fn rows(
        &self,
        extent: &Extent,
        give: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let after = last_covered(&self.db, &extent.from)?;
        let mut records = InOrder { db: &self.db, after, waiting: VecDeque::new() };
        log::rows(&self.db, extent, &mut records, give)
    }

    fn lanes(&self) -> Read<u32> {
        log::lanes(&self.db)
    }

    fn beyond(&self, number: u64, known: &[Witness]) -> Read<Beyond> {
        snapshot(&self.db, |db| log::beyond(db, number, known, |standing| after(db, standing)))
    }
}

fn after(db: &dyn Database, standing: &Standing) -> Read<Beyond> {
    const SQL: &str = "SELECT COUNT(*), COALESCE(SUM(kind IN ('settled', 'reversed', 'revived')), 0)
         FROM record WHERE record_place > ?1";
    let covered = last_covered(db, standing)?;
    db.the("count what would be lost", SQL, values![covered], |row| {
        Ok(Beyond::Records { records: column(row, 0)?, settlements: column(row, 1)? })
    })
}

/// Place of the last record that is covered: they come first.
fn last_covered(db: &dyn Database, standing: &Standing) -> Read<i64> {
    const NEWEST: &str = "SELECT COALESCE(MAX(record_place), 0) FROM record";
    const SQL: &str = "SELECT record_place, lane, lane_sequence FROM record WHERE record_place >= ?1
         ORDER BY record_place LIMIT 1";
    const WHAT: &str = "find where the log stood";
    let newest: i64 = db.the(WHAT, NEWEST, &[], |row| column(row, 0))?;
    let (mut covered, mut beyond) = (0, newest + 1);
    while covered + 1 < beyond {
        let middle = covered + (beyond - covered) / 2;
        let found: Option<(i64, u32, u64)> = db
            .one(WHAT, SQL, values![middle], |row| Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?)))?;
        match found.filter(|(row, ..)| *row < beyond) {
            Some((row, lane, sequence)) if log::covers(standing, lane, sequence) => covered = row,
            Some(_) | None => beyond = middle,
        }
    }
    Ok(covered)
}

/// Records in the order of their commits.
struct InOrder<'d> {
    db: &'d dyn Database,
    /// The last record that was read from the file.
    after: i64,
    waiting: VecDeque<(i64, RecordRow)>,
}

impl Records for InOrder<'_> {
    fn next_under(&mut self, anchor: &Anchor) -> Read<Option<RecordRow>> {
        if self.waiting.is_empty() {
            let sql = format!(
                "SELECT record_place, {} FROM record WHERE record_place > ?1 ORDER BY record_place LIMIT ?2",
                log::RECORD
            );
            let next = self.db.few("read the log", &sql, values![self.after, RECORDS_AT_ONCE], |row| {
                Ok((column(row, 0)?, log::record(&Shifted(row, 1))?))
            })?;
            self.after = next.last().map_or(self.after, |(row, _)| *row);
            self.waiting = next.into();
        }
        let next = self.waiting.pop_front_if(|(_, record)| log::within(anchor, record.lane, record.sequence));
        Ok(next.map(|(_, record)| record))
    }
}
