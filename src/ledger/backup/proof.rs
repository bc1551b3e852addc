//! Owns the check of a log as it streams by: each record is what its block holds, each block is linked, each anchor covers
//! the blocks before it, is linked and signed. Holds the records of one anchor at a time.

use std::collections::BTreeMap;

use crate::ledger::Witness;
use crate::ledger::backup::row::BlockRow;
use crate::ledger::backup::row::Row;
use crate::ledger::seal::anchor;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::SIGNATURES_AT_ONCE;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle::Hash;
use crate::vault::signing::PublicKey;

/// Where a log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last anchor; number 0 at the beginning.
    pub head: Witness,
    /// By lane: its records, and its last block.
    pub lanes: BTreeMap<u32, (u64, Hash)>,
}

impl Standing {
    pub fn beginning() -> Standing {
        Standing { head: Witness { number: 0, hash: anchor::BEGINNING }, lanes: BTreeMap::new() }
    }
}

#[derive(Debug)]
pub struct Proof {
    /// Whose signatures count. With none, signatures are left to whoever reads the log again.
    keys: Option<Vec<PublicKey>>,
    standing: Standing,
    /// Blocks since the last anchor, by lane and first record.
    open: BTreeMap<(u32, u64), Open>,
    signed: Vec<(Hash, Signed)>,
    pub records: u64,
    pub blocks: u64,
    pub anchors: u64,
}

#[derive(Debug)]
struct Open {
    block: BlockRow,
    met: Vec<bool>,
}

impl Proof {
    /// Of a log that goes on from where it stands.
    pub fn from(standing: Standing, keys: Option<Vec<PublicKey>>) -> Proof {
        let (open, signed) = (BTreeMap::new(), Vec::new());
        Proof { keys, standing, open, signed, records: 0, blocks: 0, anchors: 0 }
    }

    pub fn head(&self) -> Witness {
        self.standing.head
    }

    /// # Errors
    /// What is wrong with the row, or with what came before it. Nothing after it can be trusted.
    pub fn take(&mut self, row: &Row) -> Result<(), String> {
        match row {
            Row::Block(block) => self.block(block),
            Row::Record(record) => {
                let named = || format!("record {} of {}", record.version, record.person);
                self.meet(record.lane, record.sequence, &record.leaf(), &named)
            }
            Row::Reference(change) => {
                let named = || format!("change {} of the shared tables", change.version);
                self.meet(change.lane, change.sequence, &change.leaf(), &named)
            }
            Row::Anchor(signed) => self.anchor(signed),
        }
    }

    /// The log ends here: at an anchor, and all signatures hold.
    ///
    /// # Errors
    /// What is wrong.
    pub fn end(&mut self) -> Result<(), String> {
        if let Some((lane, first)) = self.open.keys().next() {
            return Err(format!("no anchor covers the block of lane {lane} from record {first} on"));
        }
        self.signatures()
    }

    fn block(&mut self, row: &BlockRow) -> Result<(), String> {
        let (records, head) = self.standing.lanes.entry(row.lane).or_insert((0, block::BEGINNING));
        let (lane, first, expected) = (row.lane, row.first, *records + 1);
        if first != expected || row.leaves.is_empty() {
            return Err(format!("lane {lane}: a block begins at record {first}, not at {expected}"));
        }
        if row.header(*head).hash() != row.hash {
            return Err(format!("lane {lane}: the block from record {first} on was changed or moved"));
        }
        (*records, *head) = (row.last(), row.hash);
        self.blocks += 1;
        let met = vec![false; row.leaves.len()];
        self.open.insert((lane, first), Open { block: row.clone(), met });
        Ok(())
    }

    fn meet(
        &mut self,
        lane: u32,
        sequence: u64,
        leaf: &Hash,
        named: &dyn Fn() -> String,
    ) -> Result<(), String> {
        let fault = |what: &str| Err(format!("{}: {what} (lane {lane}, place {sequence})", named()));
        let found = self.open.range_mut(..=(lane, sequence)).next_back();
        let open = found.filter(|((of, _), open)| *of == lane && sequence <= open.block.last());
        let Some(((_, first), open)) = open else { return fault("it is under no anchor here") };
        let at = usize::try_from(sequence - first).unwrap_or(usize::MAX);
        if open.block.leaves.get(at) != Some(leaf) {
            return fault("it is not what was sealed");
        }
        if std::mem::replace(&mut open.met[at], true) {
            return fault("its place is taken twice");
        }
        self.records += 1;
        Ok(())
    }

    fn anchor(&mut self, signed: &Signed) -> Result<(), String> {
        let Anchor { number, previous, .. } = signed.anchor;
        let open = std::mem::take(&mut self.open);
        for ((lane, first), open) in &open {
            if let Some(at) = open.met.iter().position(|met| !met) {
                let place = first + at as u64;
                return Err(format!("a record was sealed and is missing (lane {lane}, place {place})"));
            }
        }
        if number != self.standing.head.number + 1 || previous != self.standing.head.hash {
            return Err(format!("anchor {number} is not linked to the anchor before it"));
        }
        if !covers(&signed.anchor, &open) {
            return Err(format!("anchor {number} does not cover the blocks that are there"));
        }
        let hash = signed.anchor.hash();
        self.standing.head = Witness { number, hash };
        self.anchors += 1;
        if self.keys.is_some() {
            self.signed.push((hash, signed.clone()));
        }
        if self.signed.len() >= SIGNATURES_AT_ONCE { self.signatures() } else { Ok(()) }
    }

    fn signatures(&mut self) -> Result<(), String> {
        let signed = std::mem::take(&mut self.signed);
        let wrong = self.keys.as_ref().map(|keys| anchor::badly_signed(keys, &signed)).unwrap_or_default();
        wrong.into_iter().next().map_or(Ok(()), Err)
    }
}

/// Whether an anchor is over just these blocks.
fn covers(anchor: &Anchor, open: &BTreeMap<(u32, u64), Open>) -> bool {
    let mut stretches: Vec<anchor::Stretch> = Vec::new();
    for ((lane, first), open) in open {
        let last = open.block.last();
        match stretches.last_mut().filter(|stretch| stretch.lane == *lane) {
            Some(stretch) => (stretch.last, stretch.blocks) = (last, stretch.blocks + 1),
            None => stretches.push(anchor::Stretch { lane: *lane, first: *first, last, blocks: 1 }),
        }
    }
    let hashes: Vec<Hash> = open.values().map(|open| open.block.hash).collect();
    anchor.stretches == stretches && anchor.root == Anchor::root_of(&hashes)
}
