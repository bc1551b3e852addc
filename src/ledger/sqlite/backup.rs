//! Owns how the log is read out of the file for a backup, in pieces so short that checkpoints go on beside it.
//!
//! Records are read in the order in which they were inserted, which is the order of their commits; an anchor covers
//! everything that was committed before it was composed. So what an anchor covers is one stretch of that order. Should a
//! file be in another order, the proof that the rows pass through ends the backup.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::Row as SqlRow;
use rusqlite::params;

use crate::ledger::LedgerError;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::proof::Standing;
use crate::ledger::backup::row::BlockRow;
use crate::ledger::backup::row::RecordRow;
use crate::ledger::backup::row::ReferenceRow;
use crate::ledger::backup::row::Row;
use crate::ledger::backup::writing::Extent;
use crate::ledger::backup::writing::Log;
use crate::ledger::row::column;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::Settings;
use crate::ledger::sqlite::anchoring;
use crate::ledger::sqlite::at_rest;
use crate::ledger::sqlite::connection;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// Records read at once: bounds memory, and how long a checkpoint waits.
const RECORDS_AT_ONCE: i64 = 64;

/// The log of a file, live or at rest.
pub struct SqliteLog {
    db: Connection,
}

/// What a file has beyond an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Settlements, reversals and revivals, and records of any kind.
    Records { settlements: u64, records: u64 },
    /// It does not lead to that anchor at all.
    Apart,
}

impl SqliteLog {
    /// # Errors
    /// `Storage` when there is no such file or it cannot be read; `Newer`, `OtherKey` or `Damaged` when it is not ours.
    pub fn open(path: &Path, settings: &Settings, lookup: &LookupKey) -> Read<SqliteLog> {
        at_rest(path)?;
        connection::open_as_it_stands(path, settings, lookup).map(|db| SqliteLog { db })
    }

    /// The highest lane that was ever taken.
    pub fn lanes(&self) -> Read<u32> {
        let lanes = self.db.query_row("SELECT COALESCE(MAX(lane), 0) FROM lane", [], |row| row.get(0));
        lanes.map_err(storage("read the lanes"))
    }

    /// What would be lost if this file were put back to an anchor of a backup. `known` are anchors of that backup: the
    /// newest that the file has reached tells whether both have the same history.
    pub fn beyond(&self, number: u64, known: &[Witness]) -> Read<Beyond> {
        const SQL: &str = "SELECT COUNT(*), COALESCE(SUM(kind IN ('settled', 'reversed', 'revived')), 0)
             FROM record WHERE rowid > ?1";
        snapshot(&self.db, |db| {
            let failed = || storage("count what would be lost");
            let last = anchoring::last(db).map_err(failed())?.map_or(0, |last| last.number);
            let shared =
                known.iter().filter(|anchor| anchor.number <= last).max_by_key(|anchor| anchor.number);
            if let Some(shared) = shared
                && standing(db, *shared)?.is_none()
            {
                return Ok(Beyond::Apart);
            }
            if number > last {
                return Ok(Beyond::Records { settlements: 0, records: 0 });
            }
            let own = anchoring::read(db, number).map_err(failed())?;
            let own = own.map(|signed| Witness { number, hash: signed.anchor.hash() });
            let Some(standing) = own.map(|own| standing(db, own)).transpose()?.flatten() else {
                return Ok(Beyond::Apart);
            };
            let after = last_covered(db, &standing)?;
            let counts = db.query_row(SQL, [after], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
            let (records, settlements) = counts.map_err(failed())?;
            Ok(Beyond::Records { settlements: settlements.unsigned_abs(), records: records.unsigned_abs() })
        })
    }

    fn records(&self, after: i64) -> Read<VecDeque<(i64, RecordRow)>> {
        const SQL: &str = "SELECT rowid, bucket, person, version, stay, stay_version, kind, at_ms, lane,
                 lane_sequence, institution, infno, msgid, keyed, format, told, body, private, commitment
             FROM record WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
        rows(&self.db, SQL, params![after, RECORDS_AT_ONCE], |row| Ok((column(row, 0)?, record(row)?)))
    }

    fn references(&self, after: u64) -> Read<Option<ReferenceRow>> {
        const SQL: &str = "SELECT version, at_ms, lane, lane_sequence, source, kind, format, body
             FROM reference_record WHERE version > ?1 ORDER BY version LIMIT 1";
        let read = |row: &SqlRow<'_>| {
            Ok(ReferenceRow {
                version: column(row, 0)?,
                at_ms: column(row, 1)?,
                lane: column(row, 2)?,
                sequence: column(row, 3)?,
                source: column(row, 4)?,
                kind: column(row, 5)?,
                format: column(row, 6)?,
                body: column(row, 7)?,
            })
        };
        Ok(rows(&self.db, SQL, params![whole(after)], read)?.pop_front())
    }

    fn blocks(&self, stretch: &Stretch) -> Read<VecDeque<BlockRow>> {
        const SQL: &str = "SELECT lane, first_sequence, leaves, hash FROM block
             WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
               AND lane = ?1 AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence";
        let range = params![stretch.lane, whole(stretch.first), whole(stretch.last)];
        rows(&self.db, SQL, range, |row| {
            let leaves: Vec<u8> = column(row, 2)?;
            let leaves = leaves.as_chunks::<32>().0.to_vec();
            Ok(BlockRow { lane: column(row, 0)?, first: column(row, 1)?, leaves, hash: column(row, 3)? })
        })
    }
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    asked: &[&dyn rusqlite::ToSql],
    read: impl Fn(&SqlRow<'_>) -> Read<T>,
) -> Read<VecDeque<T>> {
    let failed = || storage("read the log");
    let mut statement = db.prepare_cached(sql).map_err(failed())?;
    let mut rows = statement.query(asked).map_err(failed())?;
    let mut all = VecDeque::new();
    while let Some(row) = rows.next().map_err(failed())? {
        all.push_back(read(row)?);
    }
    Ok(all)
}

fn record(row: &SqlRow<'_>) -> Read<RecordRow> {
    let stay: Option<String> = column(row, 4)?;
    let private: Option<Vec<u8>> = column(row, 17)?;
    Ok(RecordRow {
        bucket: column(row, 1)?,
        person: column(row, 2)?,
        version: column(row, 3)?,
        stay: stay.map(|stay| Ok::<_, LedgerError>((stay, column(row, 5)?))).transpose()?,
        kind: column(row, 6)?,
        at_ms: column(row, 7)?,
        lane: column(row, 8)?,
        sequence: column(row, 9)?,
        institution: column(row, 10)?,
        infno: column(row, 11)?,
        msgid: column(row, 12)?,
        keyed: column(row, 13)?,
        format: column(row, 14)?,
        told: column(row, 15)?,
        body: column(row, 16)?,
        private: private.map(|hidden| Ok::<_, LedgerError>((hidden, column(row, 18)?))).transpose()?,
    })
}

/// Where the log stood at an anchor; `None` when that anchor is not in it.
fn standing(db: &Connection, at: Witness) -> Read<Option<Standing>> {
    const COVERED: &str = "SELECT last_sequence FROM anchored WHERE lane = ?1 AND anchor <= ?2
         ORDER BY last_sequence DESC LIMIT 1";
    const LAST: &str = "SELECT hash FROM block WHERE lane = ?1 AND first_sequence <= ?2
         ORDER BY first_sequence DESC LIMIT 1";
    if at == Standing::beginning().head {
        return Ok(Some(Standing::beginning()));
    }
    let failed = || storage("read where the log stood");
    let kept = anchoring::read(db, at.number).map_err(failed())?;
    if kept.is_none_or(|kept| kept.anchor.hash() != at.hash) {
        return Ok(None);
    }
    let newest: u32 =
        db.query_row("SELECT COALESCE(MAX(lane), 0) FROM lane", [], |row| row.get(0)).map_err(failed())?;
    let mut lanes = BTreeMap::new();
    for lane in 1..=newest {
        let covered: Option<i64> = db
            .query_row(COVERED, params![lane, whole(at.number)], |row| row.get(0))
            .optional()
            .map_err(failed())?;
        if let Some(covered) = covered {
            let hash: Hash = db.query_row(LAST, params![lane, covered], |row| row.get(0)).map_err(failed())?;
            lanes.insert(lane, (covered.unsigned_abs(), hash));
        }
    }
    Ok(Some(Standing { head: at, lanes }))
}

fn covers(standing: &Standing, lane: u32, sequence: u64) -> bool {
    standing.lanes.get(&lane).is_some_and(|(covered, _)| sequence <= *covered)
}

/// Row number of the last record that is covered: they come first.
fn last_covered(db: &Connection, standing: &Standing) -> Read<i64> {
    const SQL: &str =
        "SELECT rowid, lane, lane_sequence FROM record WHERE rowid >= ?1 ORDER BY rowid LIMIT 1";
    let failed = || storage("find where the log stood");
    let newest: i64 =
        db.query_row("SELECT COALESCE(MAX(rowid), 0) FROM record", [], |row| row.get(0)).map_err(failed())?;
    let (mut covered, mut beyond) = (0, newest + 1);
    while covered + 1 < beyond {
        let middle = covered + (beyond - covered) / 2;
        let found: Option<(i64, u32, i64)> = db
            .query_row(SQL, [middle], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .map_err(failed())?;
        match found.filter(|(row, ..)| *row < beyond) {
            Some((row, lane, sequence)) if covers(standing, lane, sequence.unsigned_abs()) => covered = row,
            Some(_) | None => beyond = middle,
        }
    }
    Ok(covered)
}

/// Version of the last change of the shared tables that is covered.
fn last_reference_covered(db: &Connection, standing: &Standing) -> Read<u64> {
    const SQL: &str = "SELECT version, lane, lane_sequence FROM reference_record ORDER BY version";
    let places = rows(db, SQL, &[], |row| Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?)))?;
    let covered = places.iter().take_while(|(_, lane, sequence)| covers(standing, *lane, *sequence));
    Ok(covered.last().map_or(0, |(version, ..)| *version))
}

impl Log for SqliteLog {
    fn identity(&self) -> Result<Option<Hash>, BackupError> {
        let first = anchoring::read(&self.db, 1).map_err(storage("read the first anchor"))?;
        Ok(first.map(|first| first.anchor.hash()))
    }

    fn extent(&self, after: Witness) -> Result<Option<Extent>, BackupError> {
        const FLOOR: &str = "SELECT COALESCE(MAX(lane), 0), COALESCE(MAX(floor_ms), 0) FROM lane";
        let extent = snapshot(&self.db, |db| {
            let failed = || storage("read what there is to back up");
            let first = anchoring::read(db, 1).map_err(failed())?;
            let last = anchoring::last(db).map_err(failed())?;
            let (Some(first), Some(last), Some(from)) = (first, last, standing(db, after)?) else {
                return Ok(None);
            };
            let to = Witness { number: last.number, hash: last.hash() };
            let Some(end) = standing(db, to)? else { return Ok(None) };
            let covered =
                |standing: &Standing| standing.lanes.values().map(|(covered, _)| covered).sum::<u64>();
            let (lanes, floor_ms) =
                db.query_row(FLOOR, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed())?;
            let lookup = connection::meta(db, "lookup_key").map_err(failed())?.unwrap_or_default();
            let records = covered(&end) - covered(&from);
            Ok(Some(Extent { ledger: first.anchor.hash(), lookup, from, to, records, lanes, floor_ms }))
        })?;
        Ok(extent)
    }

    fn rows(
        &self,
        extent: &Extent,
        give: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let mut cursor = Cursor::after(self, &extent.from)?;
        for number in extent.from.head.number + 1..=extent.to.number {
            let missing = || BackupError::LedgerDamaged { what: format!("anchor {number} is missing") };
            let signed = anchoring::read(&self.db, number).map_err(storage("read an anchor"))?;
            let signed = signed.ok_or_else(missing)?;
            for stretch in &signed.anchor.stretches {
                for block in self.blocks(stretch)? {
                    give(&Row::Block(block))?;
                }
            }
            cursor.under(&signed.anchor, give)?;
            give(&Row::Anchor(signed))?;
        }
        Ok(())
    }
}

/// Where reading has come in the order of commits.
struct Cursor<'l> {
    log: &'l SqliteLog,
    /// The last record that was read from the file.
    record: i64,
    records: VecDeque<(i64, RecordRow)>,
    reference: Option<ReferenceRow>,
}

impl<'l> Cursor<'l> {
    fn after(log: &'l SqliteLog, standing: &Standing) -> Read<Cursor<'l>> {
        let record = last_covered(&log.db, standing)?;
        let reference = log.references(last_reference_covered(&log.db, standing)?)?;
        Ok(Cursor { log, record, records: VecDeque::new(), reference })
    }

    /// Gives everything that an anchor covers. Whether it is what should be there, the proof of the log finds.
    fn under(
        &mut self,
        anchor: &Anchor,
        give: &mut dyn FnMut(&Row) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let within = |lane: u32, sequence: u64| {
            let mut stretches = anchor.stretches.iter();
            stretches
                .any(|stretch| stretch.lane == lane && (stretch.first..=stretch.last).contains(&sequence))
        };
        while let Some(change) = self.reference.take_if(|change| within(change.lane, change.sequence)) {
            self.reference = self.log.references(change.version)?;
            give(&Row::Reference(change))?;
        }
        while let Some(record) = self.next_if(within)? {
            give(&Row::Record(Box::new(record)))?;
        }
        Ok(())
    }

    fn next_if(&mut self, within: impl Fn(u32, u64) -> bool) -> Read<Option<RecordRow>> {
        if self.records.is_empty() {
            self.records = self.log.records(self.record)?;
            self.record = self.records.back().map_or(self.record, |(row, _)| *row);
        }
        let next = self.records.pop_front_if(|(_, record)| within(record.lane, record.sequence));
        Ok(next.map(|(_, record)| record))
    }
}
