//! Owns the block: what one group commit of a lane wrote, linked to what the lane wrote before.

use crate::ledger::seal::Hasher;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;

/// What the first block of a lane is linked to.
pub const BEGINNING: Hash = [0; 32];

/// A block without its leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub lane: u32,
    /// Number of its first record in the lane.
    pub first: u64,
    pub records: u32,
    pub root: Hash,
    /// The lane's block before it, or [`BEGINNING`].
    pub previous: Hash,
}

impl Header {
    pub fn of(lane: u32, first: u64, leaves: &[Hash], previous: Hash) -> Header {
        // A batch is bounded by the lane's settings.
        let records = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        Header { lane, first, records, root: merkle::root(leaves), previous }
    }

    pub fn hash(&self) -> Hash {
        Hasher::new("banyan block 1")
            .number(self.lane.into())
            .number(self.first)
            .number(self.records.into())
            .hash(&self.root)
            .hash(&self.previous)
            .end()
    }

    /// Number of its last record in the lane.
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.records) - 1
    }
}
