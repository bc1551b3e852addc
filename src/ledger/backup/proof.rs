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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::backup::row::RecordRow;
    use crate::ledger::seal::anchor::Stretch;
    use crate::vault::signing::SigningKey;

    fn record(lane: u32, sequence: u64) -> RecordRow {
        let person = format!("440700/{lane}{sequence}");
        RecordRow { person, version: 1, lane, sequence, kind: "settled".into(), ..RecordRow::default() }
    }

    fn block(lane: u32, first: u64, records: u64, previous: Hash) -> BlockRow {
        let leaves = (first..first + records).map(|sequence| record(lane, sequence).leaf()).collect();
        let row = BlockRow { lane, first, leaves, hash: [0; 32] };
        BlockRow { hash: row.header(previous).hash(), ..row }
    }

    /// An anchor with its blocks and their records before it.
    fn anchored(key: &SigningKey, number: u64, previous: Hash, blocks: &[BlockRow]) -> Vec<Row> {
        let stretches = blocks.chunk_by(|a, b| a.lane == b.lane).map(|lane| Stretch {
            lane: lane[0].lane,
            first: lane[0].first,
            last: lane[lane.len() - 1].last(),
            blocks: u32::try_from(lane.len()).unwrap(),
        });
        let stretches = stretches.collect();
        let root = Anchor::root_of(&blocks.iter().map(|block| block.hash).collect::<Vec<_>>());
        let anchor = Anchor { number, at_ms: 5, previous, stretches, root, key: key.id().to_owned() };
        let signature = key.sign(&anchor.hash());
        let places =
            blocks.iter().flat_map(|block| (block.first..=block.last()).map(|place| (block.lane, place)));
        let records = places.map(|(lane, sequence)| Row::Record(Box::new(record(lane, sequence))));
        let blocks = blocks.iter().cloned().map(Row::Block);
        blocks.chain(records).chain([Row::Anchor(Signed { anchor, signature })]).collect()
    }

    /// Two anchors: the first over two blocks of lane 1, the second over one of each lane.
    fn log(key: &SigningKey) -> Vec<Row> {
        let one = block(1, 1, 2, block::BEGINNING);
        let two = block(1, 3, 1, one.hash);
        let mut rows = anchored(key, 1, anchor::BEGINNING, &[one, two.clone()]);
        let Some(Row::Anchor(first)) = rows.last() else { panic!("an anchor ends it") };
        let previous = first.anchor.hash();
        let blocks = [block(1, 4, 1, two.hash), block(2, 1, 2, block::BEGINNING)];
        rows.extend(anchored(key, 2, previous, &blocks));
        rows
    }

    fn proven(rows: &[Row], key: &SigningKey) -> Result<Proof, String> {
        let mut proof = Proof::from(Standing::beginning(), Some(vec![key.public().clone()]));
        rows.iter().try_for_each(|row| proof.take(row))?;
        proof.end().map(|()| proof)
    }

    fn anchors(rows: &[Row]) -> Vec<usize> {
        (0..rows.len()).filter(|at| matches!(rows[*at], Row::Anchor(_))).collect()
    }

    /// Something that is done to a log.
    type Harm = fn(&mut Vec<Row>);

    #[test]
    fn an_honest_log_is_proven_and_whatever_is_done_to_it_is_told() {
        let key = SigningKey::make();
        let proof = proven(&log(&key), &key).unwrap();
        assert_eq!((proof.records, proof.blocks, proof.anchors, proof.head().number), (6, 4, 2, 2));
        let table: [(&str, Harm, &str); 11] = [
            (
                "a record changed",
                |rows| edit(&mut rows[3], |record| record.msgid.push('0')),
                "(lane 1, place 2)",
            ),
            ("a record dropped", |rows| drop(rows.remove(3)), "is missing (lane 1, place 2)"),
            ("a record twice", |rows| rows.insert(3, rows[2].clone()), "is taken twice (lane 1, place 1)"),
            (
                "a record more",
                |rows| rows.insert(3, Row::Record(Box::new(record(3, 1)))),
                "under no anchor here",
            ),
            ("a record too late", |rows| rows.swap(4, 5), "is missing (lane 1, place 3)"),
            ("a block dropped", |rows| drop(rows.remove(0)), "a block begins at record 3, not at 1"),
            ("blocks exchanged", |rows| rows.swap(0, 1), "a block begins at record 3, not at 1"),
            (
                "a block changed",
                |rows| {
                    let Row::Block(block) = &mut rows[1] else { panic!("a block") };
                    block.leaves[0] = [9; 32];
                },
                "from record 3 on was changed or moved",
            ),
            (
                "an anchor dropped",
                |rows| drop(rows.remove(anchors(rows)[0])),
                "is not linked to the anchor before",
            ),
            ("the last anchor dropped", |rows| drop(rows.pop()), "no anchor covers the block of lane 1"),
            (
                "an anchor forged",
                |rows| {
                    let at = anchors(rows)[1];
                    let Row::Anchor(signed) = &mut rows[at] else { panic!("an anchor") };
                    signed.anchor.at_ms += 1;
                },
                "anchor 2 was not signed by key",
            ),
        ];
        for (what, harm, words) in table {
            let mut rows = log(&key);
            harm(&mut rows);
            let told = proven(&rows, &key).unwrap_err();
            assert!(told.contains(words), "{what}: {told}");
        }
        let told = proven(&log(&key), &SigningKey::make()).unwrap_err();
        assert!(told.contains("which is not ours"), "{told}");
    }

    fn edit(row: &mut Row, edit: impl FnOnce(&mut RecordRow)) {
        let Row::Record(record) = row else { panic!("a record") };
        edit(record);
    }

    #[test]
    fn a_log_goes_on_from_where_it_stood_and_from_nowhere_else() {
        let key = SigningKey::make();
        let rows = log(&key);
        let middle = anchors(&rows)[0] + 1;
        let first = proven(&rows[..middle], &key).unwrap();
        let mut second = Proof::from(first.standing, None);
        rows[middle..].iter().try_for_each(|row| second.take(row)).unwrap();
        assert_eq!((second.end(), second.head().number, second.records), (Ok(()), 2, 3));
        assert!(proven(&rows[middle..], &key).is_err());
    }
}
