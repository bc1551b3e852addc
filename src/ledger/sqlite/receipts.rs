//! Owns how a receipt is put together: the record's row, its block, and the anchor above.

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::Row;
use rusqlite::params;

use crate::domain::ids::SettlementId;
use crate::ledger::LedgerError;
use crate::ledger::Receipted;
use crate::ledger::codec;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::seal::receipt;
use crate::ledger::seal::receipt::InBlock;
use crate::ledger::seal::receipt::Receipt;
use crate::ledger::seal::receipt::UnderAnchor;
use crate::ledger::sqlite::anchoring;
use crate::ledger::sqlite::read::find_settlement;
use crate::ledger::sqlite::read::snapshot;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;

type Read<T> = Result<T, LedgerError>;

pub(super) fn receipt(db: &Connection, id: &SettlementId) -> Read<Receipted> {
    snapshot(db, |db| {
        let Some((bucket, person, version)) = find_settlement(db, id)? else { return Ok(Receipted::Unknown) };
        let record = row(db, bucket.get(), &person, version)?;
        let Some(signed) = anchor_over(db, record.lane, record.sequence)? else {
            return Ok(Receipted::NotYet);
        };
        let (block, hash) = in_block(db, &record)?;
        let anchor = under_anchor(db, signed, record.lane, block.first, &hash)?;
        let receipt = Receipt { format: receipt::FORMAT.to_owned(), record, block, anchor };
        Ok(Receipted::Receipt(Box::new(receipt)))
    })
}

fn row(db: &Connection, bucket: u16, person: &str, version: i64) -> Read<receipt::Row> {
    const SQL: &str =
        "SELECT stay, stay_version, kind, at_ms, lane, lane_sequence, institution, infno, msgid, keyed,
             format, told, body
         FROM record WHERE bucket = ?1 AND person = ?2 AND version = ?3";
    let read = |row: &Row<'_>| {
        Ok(receipt::Row {
            bucket,
            person: person.to_owned(),
            version: version.unsigned_abs(),
            stay: column(row, 0)?,
            stay_version: column::<Option<i64>>(row, 1)?.map(i64::unsigned_abs),
            kind: column(row, 2)?,
            at_ms: column(row, 3)?,
            lane: column(row, 4)?,
            sequence: column(row, 5)?,
            institution: column(row, 6)?,
            infno: column(row, 7)?,
            msgid: column(row, 8)?,
            keyed: column(row, 9)?,
            format: column(row, 10)?,
            told: column(row, 11)?,
            body: column(row, 12)?,
        })
    };
    let failed = || storage("read a record");
    let mut statement = db.prepare_cached(SQL).map_err(failed())?;
    let mut rows = statement.query(params![bucket, person, version]).map_err(failed())?;
    let row = rows.next().map_err(failed())?;
    row.map_or_else(|| Err(damaged(person, "a settlement names a record that is not there")), read)
}

/// The anchor that covers a place in a lane, if one does yet.
fn anchor_over(db: &Connection, lane: u32, sequence: u64) -> Read<Option<Signed>> {
    const SQL: &str = "SELECT anchor FROM anchored WHERE lane = ?1 AND last_sequence >= ?2
         ORDER BY last_sequence LIMIT 1";
    let failed = || storage("read an anchor");
    let number: Option<i64> = db
        .prepare_cached(SQL)
        .and_then(|mut sql| sql.query_row(params![lane, whole(sequence)], |row| row.get(0)).optional())
        .map_err(failed())?;
    let Some(number) = number else { return Ok(None) };
    anchoring::read(db, number.unsigned_abs()).map_err(failed())
}

/// The record's block, and that block's hash.
fn in_block(db: &Connection, record: &receipt::Row) -> Read<(InBlock, Hash)> {
    const SQL: &str = "SELECT first_sequence, leaves FROM block
         WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
           AND lane = ?1 AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1";
    const BEFORE: &str = "SELECT hash FROM block
         WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
           AND lane = ?1 AND first_sequence < ?2 ORDER BY first_sequence DESC LIMIT 1";
    let failed = || storage("read a block");
    let found: Option<(i64, Vec<u8>)> = db
        .query_row(SQL, params![record.lane, whole(record.sequence)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failed())?;
    let previous: Option<Hash> = found
        .as_ref()
        .and_then(|(first, _)| {
            db.query_row(BEFORE, params![record.lane, first], |row| row.get(0)).optional().transpose()
        })
        .transpose()
        .map_err(failed())?;
    let unsealed = || damaged(&record.person, "a settlement was never sealed");
    let (first, leaves) = found.ok_or_else(unsealed)?;
    let (leaves, first) = (leaves.as_chunks::<32>().0, first.unsigned_abs());
    let at = usize::try_from(record.sequence - first).unwrap_or(usize::MAX);
    let path = merkle::path(leaves, at).ok_or_else(unsealed)?;
    let header = block::Header::of(record.lane, first, leaves, previous.unwrap_or(block::BEGINNING));
    let block = InBlock { first, records: header.records, previous: header.previous, path };
    Ok((block, header.hash()))
}

fn under_anchor(db: &Connection, signed: Signed, lane: u32, first: u64, hash: &Hash) -> Read<UnderAnchor> {
    const SQL: &str = "SELECT hash, lane, first_sequence FROM block
         WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
           AND lane = ?1 AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence";
    let failed = || storage("read the blocks under an anchor");
    let Signed { anchor, signature } = signed;
    let (mut blocks, mut at) = (Vec::new(), None);
    for stretch in &anchor.stretches {
        let mut statement = db.prepare_cached(SQL).map_err(failed())?;
        let range = params![stretch.lane, whole(stretch.first), whole(stretch.last)];
        let mut rows = statement.query(range).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            if (column::<u32>(row, 1)?, column(row, 2)?) == (lane, first) {
                at = Some(blocks.len());
            }
            blocks.push(column::<Hash>(row, 0)?);
        }
    }
    let found = at.filter(|at| blocks[*at] == *hash).and_then(|at| Some((at, merkle::path(&blocks, at)?)));
    let (at, path) =
        found.ok_or_else(|| damaged("a block", "it is not under its anchor; run banyan verify"))?;
    let parts = |stretch: &Stretch| (stretch.lane, stretch.first, stretch.last, stretch.blocks);
    Ok(UnderAnchor {
        number: anchor.number,
        at_ms: anchor.at_ms,
        previous: anchor.previous,
        stretches: anchor.stretches.iter().map(parts).collect(),
        root: anchor.root,
        at: at as u64,
        path,
        key: anchor.key,
        signature: codec::text_of_bytes(&signature),
    })
}
