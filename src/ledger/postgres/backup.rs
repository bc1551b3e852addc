//! Owns how the log is read out of a database for a backup: all of it as of one instant, lane by lane side by side.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::collections::btree_map::Entry;

use tokio_postgres::Portal;

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
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::quiet::Line;
use crate::ledger::postgres::schema;
use crate::ledger::row::column;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Database;
use crate::ledger::sql::Postgres;
use crate::ledger::sql::values;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// Lets `work` read the log of a database as it stands, on a thread that may block.
///
/// # Errors
/// `Storage` when the server cannot be used; `Behind`, `Newer`, `OtherKey` or `Damaged` when the database is not one of
/// ours; whatever `work` says.
pub fn with_log<T>(
    settings: &Settings,
    lookup: &LookupKey,
    work: impl FnOnce(&dyn Log) -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let target = Target::new(settings).map_err(LedgerError::Address)?;
    let mut line = Line::open(&target)?;
    line.run(async |client| schema::check(client, lookup).await)?;
    line.read(|db| Ok(work(&PostgresLog { db })))?
}

struct PostgresLog<'l> {
    db: &'l Postgres<'l>,
}

impl Log for PostgresLog<'_> {
    fn identity(&self) -> Result<Option<Hash>, BackupError> {
        Ok(log::identity(self.db)?)
    }

    fn extent(&self, after: Witness) -> Result<Option<Extent>, BackupError> {
        Ok(log::extent(self.db, after)?)
    }

    fn rows(
        &self,
        extent: &Extent,
        give: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let end = log::standing(self.db, extent.to)?.unwrap_or_else(Standing::beginning);
        let mut records = ByLane { db: self.db, from: &extent.from, to: &end, lanes: BTreeMap::new() };
        log::rows(self.db, extent, &mut records, give)
    }

    fn lanes(&self) -> Read<u32> {
        log::lanes(self.db)
    }

    fn beyond(&self, number: u64, known: &[Witness]) -> Read<Beyond> {
        log::beyond(self.db, number, known, |standing| after(self.db, standing))
    }
}

fn after(db: &dyn Database, standing: &Standing) -> Read<Beyond> {
    const LANES: &str = "SELECT lane FROM lane";
    const SQL: &str =
        "SELECT COUNT(*), COUNT(CASE WHEN kind IN ('settled', 'reversed', 'revived') THEN 1 END)
         FROM record WHERE lane = ?1 AND lane_sequence > ?2";
    const WHAT: &str = "count what would be lost";
    let lanes: Vec<u32> = db.few(WHAT, LANES, &[], |row| column(row, 0))?;
    let (mut settlements, mut records) = (0, 0);
    for lane in lanes {
        let covered = standing.lanes.get(&lane).map_or(0, |(covered, _)| *covered);
        let more: (u64, u64) =
            db.the(WHAT, SQL, values![lane, covered], |row| Ok((column(row, 0)?, column(row, 1)?)))?;
        records += more.0;
        settlements += more.1;
    }
    Ok(Beyond::Records { settlements, records })
}

/// Records lane by lane, each lane in its order: what an anchor covers is one stretch of each.
struct ByLane<'d> {
    db: &'d Postgres<'d>,
    from: &'d Standing,
    to: &'d Standing,
    /// Those that were begun. One that has given all it has is closed.
    lanes: BTreeMap<u32, Option<LaneRecords>>,
}

struct LaneRecords {
    portal: Portal,
    waiting: VecDeque<RecordRow>,
}

impl Records for ByLane<'_> {
    fn next_under(&mut self, anchor: &Anchor) -> Read<Option<RecordRow>> {
        for stretch in &anchor.stretches {
            if let Some(record) = self.next_of(stretch.lane, stretch.last)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

impl ByLane<'_> {
    fn next_of(&mut self, lane: u32, last: u64) -> Read<Option<RecordRow>> {
        let place = |standing: &Standing| standing.lanes.get(&lane).map_or(0, |(covered, _)| *covered);
        let (from, to) = (place(self.from), place(self.to));
        let reading = match self.lanes.entry(lane) {
            Entry::Occupied(begun) => begun.into_mut(),
            Entry::Vacant(free) => {
                let sql = format!(
                    "SELECT {} FROM record WHERE lane = ?1 AND lane_sequence > ?2 AND lane_sequence <= ?3
                     ORDER BY lane_sequence",
                    log::RECORD
                );
                let portal = self.db.open("read the log", &sql, values![lane, from, to])?;
                free.insert(Some(LaneRecords { portal, waiting: VecDeque::new() }))
            }
        };
        let Some(LaneRecords { portal, waiting }) = reading else { return Ok(None) };
        if waiting.is_empty() {
            let page = self.db.page("read the log", portal)?;
            *waiting = page.iter().map(|row| log::record(row)).collect::<Read<_>>()?;
        }
        let next = waiting.pop_front_if(|record| record.sequence <= last);
        if next.as_ref().is_some_and(|record| record.sequence == to) {
            *reading = None;
        }
        Ok(next)
    }
}
