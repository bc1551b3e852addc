//! Owns what makes the book of record tamper-evident, whatever database holds it.
//!
//! Three levels, each hashed with SM3 under a name of its own, all whole numbers big-endian, every text after its length
//! in four bytes:
//! - a **leaf** for each record, over everything in its row ([`record_leaf`], [`reference_leaf`]);
//! - a **block** for each group commit of a lane: the Merkle root of its leaves, linked to the lane's block before;
//! - an **anchor** about once a second: the Merkle root of all blocks since the anchor before, linked to it, signed.
//!
//! A changed, missing, moved or added record changes a leaf, hence a block, hence an anchor, and anchors are signed.
//! `docs/seals.md` describes the same for other vendors, with test vectors.

pub mod anchor;
pub mod block;
pub mod merkle;
pub mod receipt;

use sm3::Digest as _;
use sm3::Sm3;

use crate::ledger::seal::merkle::Hash;

/// Hashes named parts so that no two different sequences of parts are hashed alike.
struct Hasher(Sm3);

impl Hasher {
    fn new(name: &str) -> Hasher {
        Hasher(Sm3::new()).text(name)
    }

    fn text(self, text: &str) -> Hasher {
        self.bytes(text.as_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Hasher {
        // Far below four gigabytes: the body limit of a call and the chunks of an import see to it.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn number(mut self, number: u64) -> Hasher {
        self.0.update(number.to_be_bytes());
        self
    }

    fn hash(mut self, hash: &Hash) -> Hasher {
        self.0.update(hash);
        self
    }

    fn end(self) -> Hash {
        self.0.finalize().into()
    }
}

/// The part of a record that is known before the lane gives it its place: hashed where the call is served, so that the
/// one writer hashes little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Over what is kept in clear.
    pub facts: Hash,
    /// Over the ciphertext of what names a person or a disease, and the commitment to its plain text.
    pub private: Option<Hash>,
}

impl Contents {
    pub fn new(told: &str, body: &str, private: Option<(&[u8], &Hash)>) -> Contents {
        Contents {
            facts: Hasher::new("banyan facts 1").text(told).text(body).end(),
            private: private.map(|(ciphertext, commitment)| {
                Hasher::new("banyan private 1").bytes(ciphertext).hash(commitment).end()
            }),
        }
    }
}

/// Ties personal data to a record without telling them: nobody can try values against it who has not the salt.
pub fn commitment(salt: &[u8; 16], plain: &[u8]) -> Hash {
    Hasher::new("banyan commitment 1").bytes(salt).bytes(plain).end()
}

/// A record's row beside its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPlace<'r> {
    pub bucket: u16,
    pub person: &'r str,
    pub version: u64,
    /// The stay and its version.
    pub stay: Option<(&'r str, u64)>,
    pub kind: &'r str,
    pub at_ms: i64,
    pub lane: u32,
    pub sequence: u64,
    pub institution: &'r str,
    pub infno: u16,
    pub msgid: &'r str,
    pub keyed: bool,
    pub format: i64,
}

/// The leaf of a deed.
pub fn record_leaf(place: &RecordPlace<'_>, contents: &Contents) -> Hash {
    let (stay, stay_version) = place.stay.unwrap_or_default();
    let hasher = Hasher::new("banyan record 1")
        .number(place.bucket.into())
        .text(place.person)
        .number(place.version)
        .text(stay)
        .number(stay_version)
        .text(place.kind)
        .number(place.at_ms.cast_unsigned())
        .number(place.lane.into())
        .number(place.sequence)
        .text(place.institution)
        .number(place.infno.into())
        .text(place.msgid)
        .number(place.keyed.into())
        .number(place.format.cast_unsigned())
        .hash(&contents.facts);
    match &contents.private {
        Some(private) => hasher.hash(private).end(),
        None => hasher.end(),
    }
}

/// A row of the shared tables' records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferencePlace<'r> {
    pub version: u64,
    pub at_ms: i64,
    pub lane: u32,
    pub sequence: u64,
    pub source: &'r str,
    pub kind: &'r str,
    pub format: i64,
}

/// The leaf of a change of the shared tables.
pub fn reference_leaf(place: &ReferencePlace<'_>, body: &str) -> Hash {
    Hasher::new("banyan reference 1")
        .number(place.version)
        .number(place.at_ms.cast_unsigned())
        .number(place.lane.into())
        .number(place.sequence)
        .text(place.source)
        .text(place.kind)
        .number(place.format.cast_unsigned())
        .text(body)
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> RecordPlace<'static> {
        RecordPlace {
            bucket: 17,
            person: "440700/1",
            version: 3,
            stay: Some(("S1", 2)),
            kind: "settled",
            at_ms: 1_795_480_200_000,
            lane: 2,
            sequence: 9,
            institution: "H44070300001",
            infno: 2304,
            msgid: "M1",
            keyed: true,
            format: 1,
        }
    }

    #[test]
    fn whatever_changes_in_a_row_changes_its_leaf() {
        let contents = Contents::new("{}", r#"{"a":1}"#, Some((b"secret", &[7; 32])));
        let leaf = record_leaf(&place(), &contents);
        let others = [
            RecordPlace { bucket: 18, ..place() },
            RecordPlace { person: "440700/2", ..place() },
            RecordPlace { version: 4, ..place() },
            RecordPlace { stay: Some(("S1", 3)), ..place() },
            RecordPlace { stay: Some(("S2", 2)), ..place() },
            RecordPlace { stay: None, ..place() },
            RecordPlace { kind: "reversed", ..place() },
            RecordPlace { at_ms: 1, ..place() },
            RecordPlace { lane: 3, ..place() },
            RecordPlace { sequence: 8, ..place() },
            RecordPlace { institution: "H44070300002", ..place() },
            RecordPlace { infno: 2305, ..place() },
            RecordPlace { msgid: "M2", ..place() },
            RecordPlace { keyed: false, ..place() },
            RecordPlace { format: 2, ..place() },
        ];
        for other in others {
            assert_ne!(record_leaf(&other, &contents), leaf, "{other:?}");
        }
        let contents = [
            Contents::new("{ }", r#"{"a":1}"#, Some((b"secret", &[7; 32]))),
            Contents::new("{}", r#"{"a":2}"#, Some((b"secret", &[7; 32]))),
            Contents::new("{}", r#"{"a":1}"#, Some((b"Secret", &[7; 32]))),
            Contents::new("{}", r#"{"a":1}"#, Some((b"secret", &[8; 32]))),
            Contents::new("{}", r#"{"a":1}"#, None),
            Contents::new("{}{", r#""a":1}"#, Some((b"secret", &[7; 32]))),
        ];
        for other in contents {
            assert_ne!(record_leaf(&place(), &other), leaf, "{other:?}");
        }
    }
}
