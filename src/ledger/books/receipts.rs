//! Owns how a receipt is put together: the record's row, its block, and the anchor above.

use crate::domain::ids::SettlementId;
use crate::ledger::LedgerError;
use crate::ledger::Receipted;
use crate::ledger::books::anchors;
use crate::ledger::books::questions;
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
use crate::ledger::sql::Database;
use crate::ledger::sql::values;

use crate::ledger::books::of_lane;

type Read<T> = Result<T, LedgerError>;

/// As of one instant.
pub(in crate::ledger) fn receipt(db: &dyn Database, id: &SettlementId) -> Read<Receipted> {
    let Some((bucket, person, version)) = questions::find_settlement(db, id)? else {
        return Ok(Receipted::Unknown);
    };
    let record = row(db, bucket.get(), &person, version)?;
    let Some(signed) = anchor_over(db, record.lane, record.sequence)? else {
        return Ok(Receipted::NotYet);
    };
    let (block, hash) = in_block(db, &record)?;
    let anchor = under_anchor(db, signed, record.lane, block.first, &hash)?;
    let receipt = Receipt { format: receipt::FORMAT.to_owned(), record, block, anchor };
    Ok(Receipted::Receipt(Box::new(receipt)))
}

fn row(db: &dyn Database, bucket: u16, person: &str, version: i64) -> Read<receipt::Row> {
    const SQL: &str =
        "SELECT stay, stay_version, kind, at_ms, lane, lane_sequence, institution, infno, msgid, keyed,
             format, told, body
         FROM record_of WHERE at_bucket = ?1 AND at_person = ?2 AND at_version = ?3";
    let found = db.one("read a record", SQL, values![bucket, person, version], |row| {
        Ok(receipt::Row {
            bucket,
            person: person.to_owned(),
            version: version.unsigned_abs(),
            stay: column(row, 0)?,
            stay_version: column(row, 1)?,
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
    })?;
    found.ok_or_else(|| damaged(person, "a settlement names a record that is not there"))
}

/// The anchor that covers a place in a lane, if one does yet.
fn anchor_over(db: &dyn Database, lane: u32, sequence: u64) -> Read<Option<Signed>> {
    const SQL: &str = "SELECT anchor FROM anchored WHERE lane = ?1 AND last_sequence >= ?2
         ORDER BY last_sequence LIMIT 1";
    let number = db.one("read an anchor", SQL, values![lane, sequence], |row| column(row, 0))?;
    let Some(number) = number else { return Ok(None) };
    anchors::read(db, number)
}

/// The record's block, and that block's hash.
fn in_block(db: &dyn Database, record: &receipt::Row) -> Read<(InBlock, Hash)> {
    const SQL: &str = concat!(
        "SELECT first_sequence, leaves FROM block WHERE ",
        of_lane!(),
        " AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1"
    );
    const BEFORE: &str = concat!(
        "SELECT hash FROM block WHERE ",
        of_lane!(),
        " AND first_sequence < ?2 ORDER BY first_sequence DESC LIMIT 1"
    );
    const WHAT: &str = "read a block";
    let unsealed = || damaged(&record.person, "a settlement was never sealed");
    let found = db.one(WHAT, SQL, values![record.lane, record.sequence], |row| {
        Ok((column::<u64>(row, 0)?, column::<Vec<u8>>(row, 1)?))
    })?;
    let (first, leaves) = found.ok_or_else(unsealed)?;
    let previous = db.one(WHAT, BEFORE, values![record.lane, first], |row| column::<Hash>(row, 0))?;
    let leaves = leaves.as_chunks::<32>().0;
    let at = usize::try_from(record.sequence - first).unwrap_or(usize::MAX);
    let path = merkle::path(leaves, at).ok_or_else(unsealed)?;
    let header = block::Header::of(record.lane, first, leaves, previous.unwrap_or(block::BEGINNING));
    let block = InBlock { first, records: header.records, previous: header.previous, path };
    Ok((block, header.hash()))
}

fn under_anchor(db: &dyn Database, signed: Signed, lane: u32, first: u64, hash: &Hash) -> Read<UnderAnchor> {
    const SQL: &str = concat!(
        "SELECT hash, lane, first_sequence FROM block WHERE ",
        of_lane!(),
        " AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence"
    );
    let Signed { anchor, signature } = signed;
    let (mut blocks, mut at) = (Vec::new(), None);
    for stretch in &anchor.stretches {
        let range = values![stretch.lane, stretch.first, stretch.last];
        db.each("read the blocks under an anchor", SQL, range, |row| {
            if (column::<u32>(row, 1)?, column::<u64>(row, 2)?) == (lane, first) {
                at = Some(blocks.len());
            }
            blocks.push(column::<Hash>(row, 0)?);
            Ok(())
        })?;
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
