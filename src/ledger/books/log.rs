//! Owns how the log is read for a backup, whatever database holds it. In which order its records lie, and how they are
//! come by without a search, each database says itself ([`Records`]).

use std::collections::BTreeMap;

use crate::ledger::LedgerError;
use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::proof::Standing;
use crate::ledger::backup::row::BlockRow;
use crate::ledger::backup::row::RecordRow;
use crate::ledger::backup::row::ReferenceRow;
use crate::ledger::backup::row::Row as LogRow;
use crate::ledger::backup::writing::Beyond;
use crate::ledger::backup::writing::Extent;
use crate::ledger::books::anchors;
use crate::ledger::row::Row;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

use crate::ledger::books::of_lane;

type Read<T> = Result<T, LedgerError>;

/// Anchors read at once.
const ANCHORS_AT_ONCE: u64 = 256;

/// The columns of a record, in the order in which [`record`] takes them.
pub(in crate::ledger) const RECORD: &str = "bucket, person, version, stay, stay_version, kind, at_ms, lane, \
     lane_sequence, institution, infno, msgid, keyed, format, told, body, private, commitment";

/// Records in an order in which everything that an anchor covers comes before what the next one covers.
pub(in crate::ledger) trait Records {
    /// The next one that the anchor covers, until there is none.
    fn next_under(&mut self, anchor: &Anchor) -> Read<Option<RecordRow>>;
}

pub(in crate::ledger) fn record(row: &dyn Row) -> Read<RecordRow> {
    let stay: Option<String> = column(row, 3)?;
    let private: Option<Vec<u8>> = column(row, 16)?;
    Ok(RecordRow {
        bucket: column(row, 0)?,
        person: column(row, 1)?,
        version: column(row, 2)?,
        stay: stay.map(|stay| Ok::<_, LedgerError>((stay, column(row, 4)?))).transpose()?,
        kind: column(row, 5)?,
        at_ms: column(row, 6)?,
        lane: column(row, 7)?,
        sequence: column(row, 8)?,
        institution: column(row, 9)?,
        infno: column(row, 10)?,
        msgid: column(row, 11)?,
        keyed: column(row, 12)?,
        format: column(row, 13)?,
        told: column(row, 14)?,
        body: column(row, 15)?,
        private: private.map(|hidden| Ok::<_, LedgerError>((hidden, column(row, 17)?))).transpose()?,
    })
}

pub(in crate::ledger) fn within(anchor: &Anchor, lane: u32, sequence: u64) -> bool {
    let mut stretches = anchor.stretches.iter();
    stretches.any(|stretch| stretch.lane == lane && (stretch.first..=stretch.last).contains(&sequence))
}

/// The first anchor's hash.
pub(in crate::ledger) fn identity(db: &dyn Database) -> Read<Option<Hash>> {
    Ok(anchors::read(db, 1)?.map(|first| first.anchor.hash()))
}

/// The highest lane that was ever taken.
pub(in crate::ledger) fn lanes(db: &dyn Database) -> Read<u32> {
    const SQL: &str = "SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'lanes'";
    db.the("read the lanes", SQL, &[], |row| column(row, 0))
}

/// What there is after an anchor, as of one instant. `None` when the log does not lead to it.
pub(in crate::ledger) fn extent(db: &dyn Database, after: Witness) -> Read<Option<Extent>> {
    const FLOOR: &str = "SELECT COALESCE(MAX(floor_ms), 0) FROM lane";
    const LOOKUP: &str = "SELECT value FROM meta WHERE name = 'lookup_key'";
    const WHAT: &str = "read what there is to back up";
    let (first, last) = (anchors::read(db, 1)?, anchors::last(db)?);
    let (Some(first), Some(last), Some(from)) = (first, last, standing(db, after)?) else {
        return Ok(None);
    };
    let to = Witness { number: last.number, hash: last.hash() };
    let Some(end) = standing(db, to)? else { return Ok(None) };
    let covered = |standing: &Standing| standing.lanes.values().map(|(covered, _)| covered).sum::<u64>();
    let records = covered(&end) - covered(&from);
    Ok(Some(Extent {
        ledger: first.anchor.hash(),
        lookup: db.one(WHAT, LOOKUP, &[], |row| column(row, 0))?.unwrap_or_default(),
        from,
        to,
        records,
        lanes: lanes(db)?,
        floor_ms: db.the(WHAT, FLOOR, &[], |row| column(row, 0))?,
    }))
}

/// Where the log stood at an anchor; `None` when that anchor is not in it.
pub(in crate::ledger) fn standing(db: &dyn Database, at: Witness) -> Read<Option<Standing>> {
    const COVERED: &str = "SELECT lane, MAX(last_sequence) FROM anchored WHERE anchor <= ?1 GROUP BY lane";
    const LAST: &str = concat!(
        "SELECT hash FROM block WHERE ",
        of_lane!(),
        " AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1"
    );
    const WHAT: &str = "read where the log stood";
    if at == Standing::beginning().head {
        return Ok(Some(Standing::beginning()));
    }
    if anchors::read(db, at.number)?.is_none_or(|kept| kept.anchor.hash() != at.hash) {
        return Ok(None);
    }
    let covered: Vec<(u32, u64)> =
        db.few(WHAT, COVERED, values![at.number], |row| Ok((column(row, 0)?, column(row, 1)?)))?;
    let mut lanes = BTreeMap::new();
    for (lane, covered) in covered {
        let hash = db.one(WHAT, LAST, values![lane, covered], |row| column(row, 0))?;
        let hash = hash.ok_or_else(|| damaged("an anchor", "a block under it is missing"))?;
        lanes.insert(lane, (covered, hash));
    }
    Ok(Some(Standing { head: at, lanes }))
}

pub(in crate::ledger) fn covers(standing: &Standing, lane: u32, sequence: u64) -> bool {
    standing.lanes.get(&lane).is_some_and(|(covered, _)| sequence <= *covered)
}

/// What would be lost if the log were put back to an anchor of a backup. `known` are anchors of that backup: the newest
/// that the log has reached tells whether both have the same history. `after` counts what lies behind where it stood.
pub(in crate::ledger) fn beyond(
    db: &dyn Database,
    number: u64,
    known: &[Witness],
    after: impl FnOnce(&Standing) -> Read<Beyond>,
) -> Read<Beyond> {
    let last = anchors::newest(db)?;
    let shared = known.iter().filter(|anchor| anchor.number <= last).max_by_key(|anchor| anchor.number);
    if let Some(shared) = shared
        && standing(db, *shared)?.is_none()
    {
        return Ok(Beyond::Apart);
    }
    if number > last {
        return Ok(Beyond::Records { settlements: 0, records: 0 });
    }
    let own = match number {
        0 => Some(Standing::beginning().head),
        number => anchors::read(db, number)?.map(|signed| Witness { number, hash: signed.anchor.hash() }),
    };
    match own.map(|own| standing(db, own)).transpose()?.flatten() {
        Some(standing) => after(&standing),
        None => Ok(Beyond::Apart),
    }
}

/// Rows in the order of [`LogRow`].
pub(in crate::ledger) fn rows(
    db: &dyn Database,
    extent: &Extent,
    records: &mut dyn Records,
    give: &mut dyn FnMut(&LogRow) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut change = reference_after(db, last_reference_covered(db, &extent.from)?)?;
    let mut number = extent.from.head.number + 1;
    while number <= extent.to.number {
        let chunk = anchors::read_all(db, number, extent.to.number.min(number + ANCHORS_AT_ONCE - 1))?;
        let missing = || BackupError::LedgerDamaged { what: format!("anchor {number} is missing") };
        // One that is missing further on, the proof of the log finds.
        chunk.first().filter(|signed| signed.anchor.number == number).ok_or_else(missing)?;
        for signed in chunk {
            number = signed.anchor.number + 1;
            for stretch in &signed.anchor.stretches {
                for block in blocks(db, stretch)? {
                    give(&LogRow::Block(block))?;
                }
            }
            // Whether it is what should be there, the proof finds as well.
            while let Some(row) = change.take_if(|row| within(&signed.anchor, row.lane, row.sequence)) {
                change = reference_after(db, row.version)?;
                give(&LogRow::Reference(row))?;
            }
            while let Some(row) = records.next_under(&signed.anchor)? {
                give(&LogRow::Record(Box::new(row)))?;
            }
            give(&LogRow::Anchor(signed))?;
        }
    }
    Ok(())
}

fn blocks(db: &dyn Database, stretch: &Stretch) -> Read<Vec<BlockRow>> {
    const SQL: &str = concat!(
        "SELECT lane, first_sequence, leaves, hash FROM block WHERE ",
        of_lane!(),
        " AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence"
    );
    let range = values![stretch.lane, stretch.first, stretch.last];
    db.few("read the log", SQL, range, |row| {
        let leaves = row.bytes(2)?.unwrap_or_default().as_chunks::<32>().0.to_vec();
        Ok(BlockRow { lane: column(row, 0)?, first: column(row, 1)?, leaves, hash: column(row, 3)? })
    })
}

fn reference_after(db: &dyn Database, version: u64) -> Read<Option<ReferenceRow>> {
    const SQL: &str = "SELECT version, at_ms, lane, lane_sequence, source, kind, format, body
         FROM reference_record WHERE version > ?1 ORDER BY version LIMIT 1";
    db.one("read the log", SQL, values![version], |row| {
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
    })
}

/// Version of the last change of the shared tables that is covered.
fn last_reference_covered(db: &dyn Database, standing: &Standing) -> Read<u64> {
    const SQL: &str = "SELECT version, lane, lane_sequence FROM reference_record ORDER BY version";
    let places: Vec<(u64, u32, u64)> =
        db.few("read the log", SQL, &[], |row| Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?)))?;
    let covered = places.iter().take_while(|(_, lane, sequence)| covers(standing, *lane, *sequence));
    Ok(covered.last().map_or(0, |(version, ..)| *version))
}
