//! Owns the receipt: one record, the way from it up to a signed anchor, and the check of both without any ledger.
//!
//! It says "was recorded". Whether it still stands, only the gateway can say: a later reversal is another record.

use serde::Deserialize;
use serde::Serialize;

use crate::ledger::codec;
use crate::ledger::seal::Contents;
use crate::ledger::seal::RecordPlace;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::block::Header;
use crate::ledger::seal::merkle;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::seal::record_leaf;
use crate::vault::signing::PublicKey;

/// Names the form and its algorithms: SM3 for every hash, SM2 for the signature. Another form gets another name.
pub const FORMAT: &str = "banyan-receipt-1";

/// Bytes of a receipt that is read: a settlement of thousands of lines stays far below.
pub const RECEIPT_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub format: String,
    pub record: Row,
    pub block: InBlock,
    pub anchor: UnderAnchor,
}

/// The record's row as it was sealed. `told` and `body` are texts in JSON and are hashed as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub bucket: u16,
    pub person: String,
    pub version: u64,
    pub stay: Option<String>,
    pub stay_version: Option<u64>,
    pub kind: String,
    pub at_ms: i64,
    pub lane: u32,
    pub sequence: u64,
    pub institution: String,
    pub infno: u16,
    pub msgid: String,
    pub keyed: bool,
    pub format: i64,
    pub told: String,
    pub body: String,
}

/// The record's place in the block of its group commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InBlock {
    /// Number of the block's first record in the lane.
    pub first: u64,
    pub records: u32,
    #[serde(with = "codec::hash_text")]
    pub previous: Hash,
    #[serde(with = "codec::hash_list")]
    pub path: Vec<Hash>,
}

/// The block's place under the anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnderAnchor {
    pub number: u64,
    pub at_ms: i64,
    #[serde(with = "codec::hash_text")]
    pub previous: Hash,
    /// Lane, first record, last record, blocks.
    pub stretches: Vec<(u32, u64, u64, u32)>,
    #[serde(with = "codec::hash_text")]
    pub root: Hash,
    /// Which of the anchor's blocks, counted from 0.
    pub at: u64,
    #[serde(with = "codec::hash_list")]
    pub path: Vec<Hash>,
    /// Names the signing key.
    pub key: String,
    /// SM2, r ‖ s, in hexadecimal digits.
    pub signature: String,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    #[error("is not a receipt: {0}")]
    Malformed(String),
    #[error("has the form {0}, this version reads {FORMAT}: use a newer version")]
    OtherForm(String),
    #[error(
        "is signed by key {0}, which is not the key given: it is another gateway's, or of an earlier key"
    )]
    OtherKey(String),
    #[error("was changed: the record does not lead to its block")]
    NotInBlock,
    #[error("was changed: the block does not lead to its anchor")]
    NotUnderAnchor,
    #[error("was changed: the anchor was not signed by key {0}")]
    NotSigned(String),
}

impl Receipt {
    /// # Errors
    /// `Malformed` or `OtherForm`.
    pub fn parse(text: &str) -> Result<Receipt, NotProven> {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        let malformed = |cause: serde_json::Error| NotProven::Malformed(cause.to_string());
        let form: Form = serde_json::from_str(text).map_err(malformed)?;
        if form.format != FORMAT {
            return Err(NotProven::OtherForm(form.format));
        }
        serde_json::from_str(text).map_err(malformed)
    }

    pub fn text(&self) -> String {
        // Its parts are texts, numbers and lists of them.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Climbs from the record to the signature.
    ///
    /// # Errors
    /// Where the way breaks.
    pub fn prove(&self, keys: &[PublicKey]) -> Result<(), NotProven> {
        let anchor = self.anchor();
        let Some(key) = keys.iter().find(|key| key.id() == anchor.key) else {
            return Err(NotProven::OtherKey(anchor.key));
        };
        let block = self.header().ok_or(NotProven::NotInBlock)?;
        if self.way_up(&anchor, &block) != Some(anchor.root) {
            return Err(NotProven::NotUnderAnchor);
        }
        let signature = codec::bytes_of_text(&self.anchor.signature);
        let signed = signature.is_some_and(|signature| key.verify(&anchor.hash(), &signature));
        if signed { Ok(()) } else { Err(NotProven::NotSigned(anchor.key)) }
    }

    /// The header of its block, with the root that the record leads to.
    fn header(&self) -> Option<Header> {
        let (row, block) = (&self.record, &self.block);
        let at = usize::try_from(row.sequence.checked_sub(block.first)?).ok()?;
        let records = usize::try_from(block.records).ok()?;
        let root = merkle::climb(self.record.leaf(), at, records, &block.path)?;
        Some(Header {
            lane: row.lane,
            first: block.first,
            records: block.records,
            root,
            previous: block.previous,
        })
    }

    fn way_up(&self, anchor: &Anchor, block: &Header) -> Option<Hash> {
        let covers = |s: &Stretch| s.lane == block.lane && s.first <= block.first && block.last() <= s.last;
        let covered = anchor.stretches.iter().any(covers);
        let blocks: u64 = anchor.stretches.iter().map(|stretch| u64::from(stretch.blocks)).sum();
        let (at, blocks) = (usize::try_from(self.anchor.at).ok()?, usize::try_from(blocks).ok()?);
        covered.then(|| merkle::climb(block.hash(), at, blocks, &self.anchor.path)).flatten()
    }

    fn anchor(&self) -> Anchor {
        let UnderAnchor { number, at_ms, previous, root, .. } = self.anchor;
        let stretch = |(lane, first, last, blocks): &(u32, u64, u64, u32)| Stretch {
            lane: *lane,
            first: *first,
            last: *last,
            blocks: *blocks,
        };
        let stretches = self.anchor.stretches.iter().map(stretch).collect();
        Anchor { number, at_ms, previous, stretches, root, key: self.anchor.key.clone() }
    }
}

impl Row {
    fn leaf(&self) -> Hash {
        let place = RecordPlace {
            bucket: self.bucket,
            person: &self.person,
            version: self.version,
            stay: self.stay.as_deref().zip(self.stay_version),
            kind: &self.kind,
            at_ms: self.at_ms,
            lane: self.lane,
            sequence: self.sequence,
            institution: &self.institution,
            infno: self.infno,
            msgid: &self.msgid,
            keyed: self.keyed,
            format: self.format,
        };
        // Settlements, their reversals and revivals hold no personal data of their own.
        record_leaf(&place, &Contents::new(&self.told, &self.body, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::codec::text_of_bytes;

    #[test]
    fn the_hashes_on_the_way_are_those_that_the_page_tells_other_vendors() {
        let receipt = Receipt::parse(include_str!("../../../docs/examples/receipt.json")).unwrap();
        let page = include_str!("../../../docs/seals.md");
        let row = &receipt.record;
        let way = [
            ("facts", Contents::new(&row.told, &row.body, None).facts),
            ("leaf", row.leaf()),
            ("block", receipt.header().unwrap().hash()),
            ("anchor", receipt.anchor().hash()),
        ];
        for (name, hash) in way {
            let line = format!("| {name} | `{}` |", text_of_bytes(&hash));
            assert!(page.contains(&line), "{line}");
        }
    }
}
