//! Owns the check of the chain: anchors and their signatures, blocks and their links, and which records were met.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::ledger::LedgerError;
use crate::ledger::Witness;
use crate::ledger::seal::anchor;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::SIGNATURES_AT_ONCE;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sqlite::anchoring;
use crate::ledger::sqlite::storage;
use crate::ledger::sqlite::whole;
use crate::vault::signing::PublicKey;

type Read<T> = Result<T, LedgerError>;

/// A record's place in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    pub(super) lane: u32,
    pub(super) sequence: u64,
}

/// What is wrong, in the order in which it was written: chain first, then records, then tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    rank: u8,
    place: Option<Placed>,
    pub(super) what: String,
}

impl Fault {
    pub(super) fn of_chain(what: String) -> Fault {
        Fault { rank: 0, place: None, what }
    }

    pub(super) fn of_record(place: Placed, what: String) -> Fault {
        Fault {
            rank: 1,
            place: Some(place),
            what: format!("{what} (lane {}, place {})", place.lane, place.sequence),
        }
    }

    pub(super) fn of_tables(what: String) -> Fault {
        Fault { rank: 2, place: None, what }
    }
}

/// The chain as it was found, and which of its records have been met.
#[derive(Debug, Default)]
pub(super) struct Seals {
    pub(super) faults: Vec<Fault>,
    pub(super) blocks: u64,
    pub(super) anchors: u64,
    pub(super) head: Option<Witness>,
    /// Records that no anchor covers yet.
    pub(super) tail: u64,
    lanes: BTreeMap<u32, Lane>,
    leaves_kept: usize,
}

#[derive(Debug)]
struct Lane {
    /// Records that its blocks hold.
    records: u64,
    head: Hash,
    /// What was sealed at each place, as long as it fits in memory ([`LEAVES_KEPT_MAX`]).
    leaves: Vec<Hash>,
    /// A bit for each record that was met.
    met: Vec<AtomicU64>,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane { records: 0, head: block::BEGINNING, leaves: Vec::new(), met: Vec::new() }
    }
}

impl Seals {
    /// Walks all anchors, the blocks under each, and then the blocks that none covers.
    pub(super) fn read(db: &Connection, keys: &[PublicKey], witness: Option<&Witness>) -> Read<Seals> {
        let mut seals = Seals::default();
        seals.anchors(db, keys)?;
        let anchored = seals.records();
        seals.rest(db)?;
        seals.tail = seals.records() - anchored;
        seals.heads(db)?;
        if let Some(witness) = witness {
            seals.hold_to(db, witness)?;
        }
        for lane in seals.lanes.values_mut() {
            let words = usize::try_from(lane.records / 64 + 1).unwrap_or(usize::MAX);
            lane.met = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        }
        Ok(seals)
    }

    pub(super) fn records(&self) -> u64 {
        self.lanes.values().map(|lane| lane.records).sum()
    }

    fn tell(&mut self, what: String) {
        self.faults.push(Fault::of_chain(what));
    }

    fn anchors(&mut self, db: &Connection, keys: &[PublicKey]) -> Read<()> {
        let failed = || storage("read the anchors");
        let newest: Option<i64> =
            db.query_row("SELECT MAX(number) FROM anchor", [], |row| row.get(0)).map_err(failed())?;
        let mut previous = anchor::BEGINNING;
        let mut signed = Vec::new();
        for number in 1..=newest.unwrap_or(0).unsigned_abs() {
            let Some(found) = anchoring::read(db, number).map_err(failed())? else {
                self.tell(format!("anchor {number} is missing"));
                continue;
            };
            if found.anchor.previous != previous {
                self.tell(format!("anchor {number} is not linked to the anchor before it"));
            }
            self.blocks_under(db, &found.anchor)?;
            previous = found.anchor.hash();
            self.head = Some(Witness { number, hash: previous });
            self.anchors += 1;
            signed.push((previous, found));
            if signed.len() == SIGNATURES_AT_ONCE {
                self.signatures(keys, &std::mem::take(&mut signed));
            }
        }
        self.signatures(keys, &signed);
        Ok(())
    }

    fn signatures(&mut self, keys: &[PublicKey], signed: &[(Hash, Signed)]) {
        anchor::badly_signed(keys, signed).into_iter().for_each(|what| self.tell(what));
    }

    fn blocks_under(&mut self, db: &Connection, anchor: &Anchor) -> Read<()> {
        let mut hashes = Vec::new();
        for stretch in &anchor.stretches {
            let Stretch { lane, first, last, blocks } = *stretch;
            let before = hashes.len();
            self.stretch(db, lane, (first, last), &mut hashes)?;
            if hashes.len() - before != usize::try_from(blocks).unwrap_or(usize::MAX) {
                self.tell(format!(
                    "anchor {} covers {blocks} blocks of lane {lane}, {} are there",
                    anchor.number,
                    hashes.len() - before
                ));
            }
        }
        if anchor.root != merkle::root(&hashes) {
            self.tell(format!("anchor {} does not cover the blocks that are there", anchor.number));
        }
        Ok(())
    }

    /// The blocks of a lane that hold some of its records, each linked to the one before.
    fn stretch(
        &mut self,
        db: &Connection,
        lane: u32,
        (first, last): (u64, u64),
        hashes: &mut Vec<Hash>,
    ) -> Read<()> {
        const SQL: &str = "SELECT first_sequence, records, leaves, hash FROM block
             WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
               AND lane = ?1 AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence";
        let failed = || storage("read the blocks");
        let mut statement = db.prepare_cached(SQL).map_err(failed())?;
        let mut rows = statement.query(params![lane, whole(first), whole(last)]).map_err(failed())?;
        while let Some(row) = rows.next().map_err(failed())? {
            let first = row.get::<_, i64>(0).map_err(failed())?.unsigned_abs();
            let records: u32 = row.get(1).map_err(failed())?;
            let leaves: Vec<u8> = row.get(2).map_err(failed())?;
            let hash: Hash = row.get(3).map_err(failed())?;
            let (leaves, rest) = leaves.as_chunks::<32>();
            let room = self.leaves_kept + leaves.len() <= LEAVES_KEPT_MAX;
            let known = self.lanes.entry(lane).or_default();
            // Without a gap from the first place on: the others are read when they are asked for.
            if room && known.leaves.len() as u64 + 1 == first {
                known.leaves.extend_from_slice(leaves);
                self.leaves_kept += leaves.len();
            }
            let (expected, previous) = (known.records + 1, known.head);
            let header = block::Header::of(lane, first, leaves, previous);
            (known.records, known.head) = (header.last(), hash);
            if first != expected {
                self.tell(format!("lane {lane}: records {expected} to {} are in no block", first - 1));
            }
            if !rest.is_empty() || header.records != records || header.hash() != hash {
                self.tell(format!(
                    "lane {lane}: the block of records {first} to {} was changed or moved",
                    header.last()
                ));
            }
            self.blocks += 1;
            hashes.push(hash);
        }
        Ok(())
    }

    /// Blocks after the last anchored one of each lane: the tail.
    fn rest(&mut self, db: &Connection) -> Read<()> {
        for lane in self.lanes_kept(db)?.into_keys() {
            let begin = self.lanes.get(&lane).map_or(0, |lane| lane.records) + 1;
            self.stretch(db, lane, (begin, i64::MAX.unsigned_abs()), &mut Vec::new())?;
        }
        Ok(())
    }

    /// Each lane ends where its row says.
    fn heads(&mut self, db: &Connection) -> Read<()> {
        let kept = self.lanes_kept(db)?;
        for lane in 1..=kept.keys().next_back().copied().unwrap_or(0) {
            let found = self.lanes.entry(lane).or_default();
            let (records, head) = (found.records, found.head);
            match kept.get(&lane) {
                None => self.tell(format!("lane {lane} is missing")),
                Some((sequence, _)) if *sequence != records => {
                    self.tell(format!("lane {lane} has recorded {sequence}, its blocks hold {records}"));
                }
                Some((_, chain)) if chain.unwrap_or(block::BEGINNING) != head => {
                    self.tell(format!("lane {lane} does not end with its last block"));
                }
                Some(_) => {}
            }
        }
        let unknown: Vec<u32> = self.lanes.keys().filter(|lane| !kept.contains_key(lane)).copied().collect();
        for lane in unknown {
            self.tell(format!("lane {lane} has blocks and no row"));
        }
        Ok(())
    }

    fn lanes_kept(&self, db: &Connection) -> Read<BTreeMap<u32, (u64, Option<Hash>)>> {
        let failed = || storage("read the lanes");
        let mut statement = db.prepare("SELECT lane, sequence, chain FROM lane").map_err(failed())?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, (row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?))))
            .map_err(failed())?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed())
    }

    /// The anchor that somebody kept elsewhere must still be there as it was.
    fn hold_to(&mut self, db: &Connection, witness: &Witness) -> Read<()> {
        let kept = anchoring::read(db, witness.number).map_err(storage("read an anchor"))?;
        match kept {
            None => {
                self.tell(format!("the witnessed anchor {} is missing: the end was cut off", witness.number))
            }
            Some(kept) if kept.anchor.hash() != witness.hash => {
                self.tell(format!(
                    "anchor {} is not the witnessed one: what is here was rewritten",
                    witness.number
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// A record that stands: is it what was sealed at its place?
    pub(super) fn meet(&self, db: &Connection, place: Placed, leaf: &Hash) -> Read<Result<(), &'static str>> {
        const SQL: &str = "SELECT first_sequence, leaves FROM block
             WHERE bucket = COALESCE((SELECT MIN(bucket) FROM lane WHERE lane = ?1), 0)
               AND lane = ?1 AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1";
        let failed = || storage("read a block");
        let Some(lane) =
            self.lanes.get(&place.lane).filter(|lane| (1..=lane.records).contains(&place.sequence))
        else {
            return Ok(Err("it was never sealed"));
        };
        let at = place.sequence - 1;
        let (word, bit) = (usize::try_from(at / 64).unwrap_or(usize::MAX), 1_u64 << (at % 64));
        if lane.met.get(word).is_none_or(|met| met.fetch_or(bit, Ordering::Relaxed) & bit != 0) {
            return Ok(Err("its place is taken twice"));
        }
        if let Some(sealed) = usize::try_from(at).ok().and_then(|at| lane.leaves.get(at)) {
            return Ok(if sealed == leaf { Ok(()) } else { Err("it is not what was sealed") });
        }
        let mut statement = db.prepare_cached(SQL).map_err(failed())?;
        let sealed = statement
            .query_row(params![place.lane, whole(place.sequence)], |row| {
                let first = row.get::<_, i64>(0)?.unsigned_abs();
                let leaves = row.get_ref(1)?.as_blob()?;
                let at = usize::try_from(place.sequence - first).unwrap_or(usize::MAX);
                Ok(leaves.as_chunks::<32>().0.get(at) == Some(leaf))
            })
            .optional()
            .map_err(failed())?;
        Ok(if sealed == Some(true) { Ok(()) } else { Err("it is not what was sealed") })
    }

    /// Records that were sealed and are not there any more.
    pub(super) fn missing(&self, limit: usize) -> Vec<Fault> {
        let lanes = self.lanes.iter().flat_map(|(lane, kept)| {
            let met = |sequence: &u64| {
                let at = sequence - 1;
                let word = kept.met.get(usize::try_from(at / 64).unwrap_or(usize::MAX));
                word.is_some_and(|word| word.load(Ordering::Relaxed) & 1 << (at % 64) != 0)
            };
            (1..=kept.records)
                .filter(move |sequence| !met(sequence))
                .map(|sequence| Placed { lane: *lane, sequence })
        });
        lanes
            .map(|place| Fault::of_record(place, "a record was sealed and is missing".into()))
            .take(limit)
            .collect()
    }
}

/// Leaves held in memory: 128 MiB of them.
const LEAVES_KEPT_MAX: usize = 4 * 1024 * 1024;
