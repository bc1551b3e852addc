//! Owns the check of the chain: anchors and their signatures, blocks and their links, and which records were met.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::ledger::LedgerError;
use crate::ledger::Witness;
use crate::ledger::books::anchors;
use crate::ledger::row::column;
use crate::ledger::seal::anchor;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::SIGNATURES_AT_ONCE;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::sql::Database;
use crate::ledger::sql::values;
use crate::vault::signing::PublicKey;

use crate::ledger::books::of_lane;

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

/// By lane: where its blocks begin, and their hashes.
type Blocks = BTreeMap<u32, Vec<(u64, Hash)>>;

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
    pub(super) fn read(db: &dyn Database, keys: &[PublicKey], witness: Option<&Witness>) -> Read<Seals> {
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

    /// In chunks: a question for each anchor would cost a round trip each.
    fn anchors(&mut self, db: &dyn Database, keys: &[PublicKey]) -> Read<()> {
        let newest = anchors::newest(db)?;
        let (mut previous, mut expected) = (anchor::BEGINNING, 1);
        for first in (1..=newest).step_by(SIGNATURES_AT_ONCE) {
            let last = newest.min(first + SIGNATURES_AT_ONCE as u64 - 1);
            let found = anchors::read_all(db, first, last)?;
            let blocks = self.blocks_under(db, &found)?;
            let mut signed = Vec::with_capacity(found.len());
            for found in found {
                self.missing_before(&mut expected, found.anchor.number);
                if found.anchor.previous != previous {
                    self.tell(format!(
                        "anchor {} is not linked to the anchor before it",
                        found.anchor.number
                    ));
                }
                self.covers(&found.anchor, &blocks);
                previous = found.anchor.hash();
                self.head = Some(Witness { number: found.anchor.number, hash: previous });
                self.anchors += 1;
                signed.push((previous, found));
            }
            self.missing_before(&mut expected, last + 1);
            anchor::badly_signed(keys, &signed).into_iter().for_each(|what| self.tell(what));
        }
        Ok(())
    }

    fn missing_before(&mut self, expected: &mut u64, number: u64) {
        (*expected..number).for_each(|missing| self.tell(format!("anchor {missing} is missing")));
        *expected = number + 1;
    }

    /// Walks the blocks of each lane from the first to the last that some anchors name.
    fn blocks_under(&mut self, db: &dyn Database, found: &[Signed]) -> Read<Blocks> {
        let mut ranges: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for Stretch { lane, first, last, .. } in found.iter().flat_map(|found| &found.anchor.stretches) {
            let range = ranges.entry(*lane).or_insert((*first, *last));
            *range = (range.0.min(*first), range.1.max(*last));
        }
        let mut blocks = Blocks::new();
        for (lane, range) in ranges {
            // What an earlier chunk has walked is not walked twice, whatever the stretches say.
            let walked = self.lanes.get(&lane).map_or(0, |lane| lane.records);
            blocks.insert(lane, self.stretch(db, lane, (range.0.max(walked + 1), range.1))?);
        }
        Ok(blocks)
    }

    fn covers(&mut self, anchor: &Anchor, blocks: &Blocks) {
        let mut hashes = Vec::new();
        for Stretch { lane, first, last, blocks: count } in &anchor.stretches {
            let walked = blocks.get(lane).map_or(&[][..], Vec::as_slice);
            let from = walked.partition_point(|(begin, _)| begin < first);
            let to = walked.partition_point(|(begin, _)| begin <= last).max(from);
            if to - from != usize::try_from(*count).unwrap_or(usize::MAX) {
                self.tell(format!(
                    "anchor {} covers {count} blocks of lane {lane}, {} are there",
                    anchor.number,
                    to - from
                ));
            }
            hashes.extend(walked[from..to].iter().map(|(_, hash)| *hash));
        }
        if anchor.root != merkle::root(&hashes) {
            self.tell(format!("anchor {} does not cover the blocks that are there", anchor.number));
        }
    }

    /// The blocks of a lane that hold some of its records, each linked to the one before.
    fn stretch(&mut self, db: &dyn Database, lane: u32, (first, last): (u64, u64)) -> Read<Vec<(u64, Hash)>> {
        const SQL: &str = concat!(
            "SELECT first_sequence, records, leaves, hash FROM block WHERE ",
            of_lane!(),
            " AND first_sequence BETWEEN ?2 AND ?3 ORDER BY first_sequence"
        );
        let mut found = Vec::new();
        db.each("read the blocks", SQL, values![lane, first, last], |row| {
            let (first, records, hash): (u64, u32, Hash) =
                (column(row, 0)?, column(row, 1)?, column(row, 3)?);
            let leaves = row.bytes(2)?.unwrap_or_default();
            self.block(lane, first, records, leaves, hash);
            found.push((first, hash));
            Ok(())
        })?;
        Ok(found)
    }

    fn block(&mut self, lane: u32, first: u64, records: u32, leaves: &[u8], hash: Hash) {
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
    }

    /// Blocks after the last anchored one of each lane: the tail.
    fn rest(&mut self, db: &dyn Database) -> Read<()> {
        for lane in self.lanes_kept(db)?.into_keys() {
            let begin = self.lanes.get(&lane).map_or(0, |lane| lane.records) + 1;
            self.stretch(db, lane, (begin, i64::MAX.unsigned_abs()))?;
        }
        Ok(())
    }

    /// Each lane ends where its row says.
    fn heads(&mut self, db: &dyn Database) -> Read<()> {
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

    fn lanes_kept(&self, db: &dyn Database) -> Read<BTreeMap<u32, (u64, Option<Hash>)>> {
        const SQL: &str = "SELECT lane, sequence, chain FROM lane";
        let lanes = db.few("read the lanes", SQL, &[], |row| {
            Ok((column(row, 0)?, (column(row, 1)?, column(row, 2)?)))
        })?;
        Ok(lanes.into_iter().collect())
    }

    /// The anchor that somebody kept elsewhere must still be there as it was.
    fn hold_to(&mut self, db: &dyn Database, witness: &Witness) -> Read<()> {
        let kept = anchors::read(db, witness.number)?;
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
    pub(super) fn meet(
        &self,
        db: &dyn Database,
        place: Placed,
        leaf: &Hash,
    ) -> Read<Result<(), &'static str>> {
        const SQL: &str = concat!(
            "SELECT first_sequence, leaves FROM block WHERE ",
            of_lane!(),
            " AND first_sequence <= ?2 ORDER BY first_sequence DESC LIMIT 1"
        );
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
        let sealed = db.one("read a block", SQL, values![place.lane, place.sequence], |row| {
            let first: u64 = column(row, 0)?;
            let leaves = row.bytes(1)?.unwrap_or_default();
            let at = usize::try_from(place.sequence - first).unwrap_or(usize::MAX);
            Ok(leaves.as_chunks::<32>().0.get(at) == Some(leaf))
        })?;
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
