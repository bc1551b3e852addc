//! Owns how a log out of a backup becomes a book again: its rows as they are, then every other table as the fold of them.

use std::collections::BTreeMap;

use crate::ledger::LedgerError;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::reading;
use crate::ledger::backup::reading::Wish;
use crate::ledger::backup::row::BlockRow;
use crate::ledger::backup::row::RecordRow;
use crate::ledger::backup::row::ReferenceRow;
use crate::ledger::backup::row::Row;
use crate::ledger::books::folds;
use crate::ledger::books::log;
use crate::ledger::books::reference;
use crate::ledger::row::damaged;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Bulk;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

type Read<T> = Result<T, LedgerError>;

/// Fills a book inside the running transaction; it is empty.
pub(in crate::ledger) fn fill(
    db: &dyn Database,
    secrets: &Secrets,
    wish: &Wish<'_>,
) -> Result<(), BackupError> {
    let mut log = LogRows::of(db);
    reading::read(wish.folder, &secrets.keys, wish.up_to, wish.progress, &mut |row| Ok(log.put(row)?))?;
    let last_ms = log.end()?;
    put_lanes(db, wish, &last_ms)?;
    db.place_records()?;
    Ok(folds::make(db, secrets, wish.progress)?)
}

/// The log's own tables.
struct LogRows<'d> {
    db: &'d dyn Database,
    records: Bulk<'d>,
    blocks: Bulk<'d>,
    anchors: Bulk<'d>,
    anchored: Bulk<'d>,
    /// Time of each lane's last record.
    last_ms: BTreeMap<u32, i64>,
}

impl<'d> LogRows<'d> {
    fn of(db: &'d dyn Database) -> LogRows<'d> {
        const BLOCK: &str = "bucket, lane, first_sequence, records, leaves, hash";
        const ANCHOR: &str = "number, at_ms, previous, root, signing_key, signature";
        const ANCHORED: &str = "lane, last_sequence, first_sequence, blocks, anchor";
        LogRows {
            db,
            records: Bulk::into(db, "record", log::RECORD),
            blocks: Bulk::into(db, "block", BLOCK),
            anchors: Bulk::into(db, "anchor", ANCHOR),
            anchored: Bulk::into(db, "anchored", ANCHORED),
            last_ms: BTreeMap::new(),
        }
    }

    fn put(&mut self, row: &Row) -> Read<()> {
        match row {
            Row::Block(BlockRow { lane, first, leaves, hash }) => {
                let (records, leaves) = (leaves.len() as u64, leaves.as_flattened());
                self.blocks.put(values![0_i64, *lane, *first, records, leaves, hash])
            }
            Row::Record(record) => self.record(record),
            Row::Reference(change) => self.reference(change),
            Row::Anchor(signed) => self.anchor(signed),
        }
    }

    fn record(&mut self, record: &RecordRow) -> Read<()> {
        self.last_ms.insert(record.lane, record.at_ms);
        let (stay, private) = (record.stay.as_ref(), record.private.as_ref());
        self.records.put(values![
            record.bucket,
            &record.person,
            record.version,
            stay.map(|(stay, _)| stay),
            stay.map(|(_, version)| *version),
            &record.kind,
            record.at_ms,
            record.lane,
            record.sequence,
            &record.institution,
            record.infno,
            &record.msgid,
            record.keyed,
            record.format,
            &record.told,
            &record.body,
            private.map(|(hidden, _)| hidden.as_slice()),
            private.map(|(_, commitment)| commitment),
        ])
    }

    /// The change, and what it makes of the shared tables.
    fn reference(&self, change: &ReferenceRow) -> Read<()> {
        let ReferenceRow { version, at_ms, lane, sequence, source, kind, format, body } = change;
        let place = ReferencePlace {
            version: *version,
            at_ms: *at_ms,
            lane: *lane,
            sequence: *sequence,
            source,
            kind,
            format: *format,
        };
        reference::insert(self.db, &place, body)?;
        let decoded = reference::decode(kind, body).map_err(|cause| {
            damaged(&format!("change {version} of the shared tables"), &cause.to_string())
        })?;
        reference::fold(self.db, &decoded, *version)
    }

    fn anchor(&mut self, Signed { anchor, signature }: &Signed) -> Read<()> {
        for stretch in &anchor.stretches {
            let (last, first) = (stretch.last, stretch.first);
            self.anchored.put(values![stretch.lane, last, first, stretch.blocks, anchor.number])?;
        }
        let (number, at_ms, key) = (anchor.number, anchor.at_ms, &anchor.key);
        self.anchors.put(values![number, at_ms, &anchor.previous, &anchor.root, key, signature])
    }

    fn end(self) -> Read<BTreeMap<u32, i64>> {
        let LogRows { records, blocks, anchors, anchored, .. } = self;
        [records, blocks, anchors, anchored].into_iter().try_for_each(Bulk::end)?;
        Ok(self.last_ms)
    }
}

/// A row for each lane that was ever taken, so that none is taken again; where it stands, its last block says.
fn put_lanes(db: &dyn Database, wish: &Wish<'_>, last_ms: &BTreeMap<u32, i64>) -> Read<()> {
    // Those to come are beside what they write; these only say where theirs end.
    const SQL: &str = "INSERT INTO lane (bucket, lane, epoch, sequence, chain, last_ms, floor_ms)
         VALUES (0, ?1, 1,
             COALESCE((SELECT MAX(first_sequence + records - 1) FROM block WHERE bucket = 0 AND lane = ?1), 0),
             (SELECT hash FROM block WHERE bucket = 0 AND lane = ?1 ORDER BY first_sequence DESC LIMIT 1),
             ?2, ?3)";
    const TAKEN: &str = "UPDATE meta SET value = ?1 WHERE name = 'lanes'";
    let headers = || wish.folder.files.iter().map(|(_, header)| header);
    let floor = headers().map(|header| header.floor_ms).max().unwrap_or(0);
    let lanes = headers().map(|header| header.lanes).max().unwrap_or(0).max(wish.lanes);
    for lane in 1..=lanes {
        let last = last_ms.get(&lane).copied().unwrap_or(0);
        db.run("write the lanes", SQL, values![lane, last, floor])?;
    }
    db.run("write the lanes", TAKEN, values![&lanes.to_string()])?;
    Ok(())
}
