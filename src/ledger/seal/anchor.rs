//! Owns the anchor: one signature over every block since the anchor before.

use crate::ledger::seal::Hasher;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;
use crate::vault::signing::PublicKey;

/// What the first anchor is linked to.
pub const BEGINNING: Hash = [0; 32];

/// How long what was recorded may wait for its anchor: the tail that nothing signed covers yet.
pub const ANCHOR_EVERY_MS: u64 = 1_000;

/// Blocks of one lane that an anchor covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub lane: u32,
    /// First and last record.
    pub first: u64,
    pub last: u64,
    pub blocks: u32,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// From 1 on, without a gap.
    pub number: u64,
    pub at_ms: i64,
    /// The anchor before it, or [`BEGINNING`].
    pub previous: Hash,
    /// In the order of their lanes.
    pub stretches: Vec<Stretch>,
    /// Over the hashes of all blocks of the stretches, in their order.
    pub root: Hash,
    /// Names the signing key.
    pub key: String,
}

impl Anchor {
    /// Of the blocks of some stretches, in order.
    pub fn root_of(blocks: &[Hash]) -> Hash {
        merkle::root(blocks)
    }

    /// What is signed, and what the next anchor is linked to.
    pub fn hash(&self) -> Hash {
        let hasher = Hasher::new("banyan anchor 1")
            .number(self.number)
            .number(self.at_ms.cast_unsigned())
            .hash(&self.previous)
            .number(self.stretches.len() as u64);
        let hasher = self.stretches.iter().fold(hasher, |hasher, stretch| {
            hasher
                .number(stretch.lane.into())
                .number(stretch.first)
                .number(stretch.last)
                .number(stretch.blocks.into())
        });
        hasher.hash(&self.root).text(&self.key).end()
    }
}

/// An anchor and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub anchor: Anchor,
    pub signature: [u8; 64],
}

/// What is wrong with the signatures of some anchors, each given with its hash. They cost the most of an anchor: all
/// cores share them.
pub fn badly_signed(keys: &[PublicKey], signed: &[(Hash, Signed)]) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = signed.len().div_ceil(cores).max(1);
    let wrong = |(hash, signed): &(Hash, Signed)| {
        let Anchor { number, key: id, .. } = &signed.anchor;
        let Some(key) = keys.iter().find(|key| key.id() == id) else {
            return Some(format!("anchor {number} is signed by key {id}, which is not ours"));
        };
        let holds = key.verify(hash, &signed.signature);
        (!holds).then(|| format!("anchor {number} was not signed by key {id}"))
    };
    std::thread::scope(|scope| {
        let work = signed
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().filter_map(wrong).collect::<Vec<_>>()))
            .collect::<Vec<_>>();
        work.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect()
    })
}

/// Signatures checked in one go: bounds what is kept of the anchors.
pub const SIGNATURES_AT_ONCE: usize = 4_096;
