//! Owns anchors in the book: what the next one covers, how it is written, and how those that are there are read.

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::row::Row;
use crate::ledger::row::column;
use crate::ledger::seal::anchor;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;
use crate::vault::key_store::KeyStore;

use crate::ledger::books::of_lane;

type Read<T> = Result<T, LedgerError>;

/// Signs every block that no anchor covers, as of one instant. `None` when there is none.
pub(in crate::ledger) fn compose(db: &dyn Database, keys: &KeyStore, now: Instant) -> Read<Option<Signed>> {
    let Some(Gathered { number, previous, stretches, blocks }) = gather(db)? else { return Ok(None) };
    let key = keys.signing_key();
    let root = Anchor::root_of(&blocks);
    let anchor = Anchor { number, at_ms: now.0, previous, stretches, root, key: key.id().to_owned() };
    let signature = key.sign(&anchor.hash());
    Ok(Some(Signed { anchor, signature }))
}

struct Gathered {
    number: u64,
    previous: Hash,
    stretches: Vec<Stretch>,
    blocks: Vec<Hash>,
}

fn gather(db: &dyn Database) -> Read<Option<Gathered>> {
    const LANES: &str = "SELECT lane, covered FROM
             (SELECT lane, sequence,
                  COALESCE((SELECT MAX(last_sequence) FROM anchored a WHERE a.lane = l.lane), 0) AS covered
              FROM lane l) AS lanes
         WHERE sequence > covered ORDER BY lane";
    const BLOCKS: &str = concat!(
        "SELECT first_sequence, records, hash FROM block WHERE ",
        of_lane!(),
        " AND first_sequence > ?2 ORDER BY first_sequence"
    );
    const WHAT: &str = "read what is to be anchored";
    let (mut stretches, mut blocks) = (Vec::new(), Vec::new());
    let lanes = db.few(WHAT, LANES, &[], |row| Ok((column::<u32>(row, 0)?, column::<u64>(row, 1)?)))?;
    for (lane, covered) in lanes {
        let mut stretch: Option<Stretch> = None;
        db.each(WHAT, BLOCKS, values![lane, covered], |row| {
            let (first, records): (u64, u32) = (column(row, 0)?, column(row, 1)?);
            blocks.push(column(row, 2)?);
            let begun = stretch.map_or((first, 0), |stretch| (stretch.first, stretch.blocks));
            let last = first + u64::from(records) - 1;
            stretch = Some(Stretch { lane, first: begun.0, last, blocks: begun.1 + 1 });
            Ok(())
        })?;
        stretches.extend(stretch);
    }
    if stretches.is_empty() {
        return Ok(None);
    }
    let last = last(db)?;
    let (number, previous) = last.map_or((1, anchor::BEGINNING), |last| (last.number + 1, last.hash()));
    Ok(Some(Gathered { number, previous, stretches, blocks }))
}

/// The number of the newest anchor; 0 when there is none.
pub(in crate::ledger) fn newest(db: &dyn Database) -> Read<u64> {
    const SQL: &str = "SELECT COALESCE(MAX(number), 0) FROM anchor";
    db.the("read the anchors", SQL, &[], |row| column(row, 0))
}

/// The newest anchor.
pub(in crate::ledger) fn last(db: &dyn Database) -> Read<Option<Anchor>> {
    Ok(read(db, newest(db)?)?.map(|signed| signed.anchor))
}

/// An anchor as it is kept.
pub(in crate::ledger) fn read(db: &dyn Database, number: u64) -> Read<Option<Signed>> {
    const SQL: &str =
        "SELECT number, at_ms, previous, root, signing_key, signature FROM anchor WHERE number = ?1";
    const STRETCHES: &str = "SELECT lane, first_sequence, last_sequence, blocks FROM anchored
         WHERE anchor = ?1 ORDER BY lane";
    const WHAT: &str = "read an anchor";
    let Some(mut signed) = db.one(WHAT, SQL, values![number], kept)? else { return Ok(None) };
    signed.anchor.stretches = db.few(WHAT, STRETCHES, values![number], stretch)?;
    Ok(Some(signed))
}

/// The anchors of some numbers that are there, in order.
pub(in crate::ledger) fn read_all(db: &dyn Database, first: u64, last: u64) -> Read<Vec<Signed>> {
    const SQL: &str = "SELECT number, at_ms, previous, root, signing_key, signature FROM anchor
         WHERE number BETWEEN ?1 AND ?2 ORDER BY number";
    const STRETCHES: &str = "SELECT lane, first_sequence, last_sequence, blocks, anchor FROM anchored
         WHERE anchor BETWEEN ?1 AND ?2 ORDER BY anchor, lane";
    const WHAT: &str = "read the anchors";
    let mut all = db.few(WHAT, SQL, values![first, last], kept)?;
    let mut at = 0;
    db.each(WHAT, STRETCHES, values![first, last], |row| {
        let number: u64 = column(row, 4)?;
        at += all[at..].iter().take_while(|signed| signed.anchor.number < number).count();
        // One without its anchor is found where its blocks are: nothing covers them.
        if let Some(signed) = all.get_mut(at).filter(|signed| signed.anchor.number == number) {
            signed.anchor.stretches.push(stretch(row)?);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Without its stretches.
fn kept(row: &dyn Row) -> Read<Signed> {
    let (number, at_ms, previous, root, key) =
        (column(row, 0)?, column(row, 1)?, column(row, 2)?, column(row, 3)?, column(row, 4)?);
    let anchor = Anchor { number, at_ms, previous, stretches: Vec::new(), root, key };
    Ok(Signed { anchor, signature: column(row, 5)? })
}

fn stretch(row: &dyn Row) -> Read<Stretch> {
    let (lane, first, last) = (column(row, 0)?, column(row, 1)?, column(row, 2)?);
    Ok(Stretch { lane, first, last, blocks: column(row, 3)? })
}

/// Writes an anchor inside the running transaction, unless another node has written one since it was composed: then the
/// next one covers what this one would have. Gives whether it was written.
pub(in crate::ledger) fn insert(db: &dyn Database, signed: &Signed) -> Read<bool> {
    const ANCHOR: &str = "INSERT INTO anchor (number, at_ms, previous, root, signing_key, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (number) DO NOTHING";
    const STRETCH: &str = "INSERT INTO anchored (lane, last_sequence, first_sequence, blocks, anchor)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    const WHAT: &str = "write an anchor";
    let Signed { anchor: Anchor { number, at_ms, previous, stretches, root, key }, signature } = signed;
    if newest(db)? + 1 != *number {
        return Ok(false);
    }
    if db.run(WHAT, ANCHOR, values![*number, *at_ms, previous, root, key, signature])? == 0 {
        return Ok(false);
    }
    for Stretch { lane, first, last, blocks } in stretches {
        db.run(WHAT, STRETCH, values![*lane, *last, *first, *blocks, *number])?;
    }
    Ok(true)
}
