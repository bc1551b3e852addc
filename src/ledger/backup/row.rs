//! Owns the rows of the log as a backup carries them, byte for byte, and their leaves. Knows no database.

use crate::ledger::seal;
use crate::ledger::seal::Contents;
use crate::ledger::seal::RecordPlace;
use crate::ledger::seal::ReferencePlace;
use crate::ledger::seal::anchor::Anchor;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::seal::anchor::Stretch;
use crate::ledger::seal::block::Header;
use crate::ledger::seal::merkle::Hash;

/// In the order in which they stand in a backup: the blocks of an anchor, what they hold, the anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Block(BlockRow),
    Record(Box<RecordRow>),
    Reference(ReferenceRow),
    Anchor(Signed),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRow {
    pub lane: u32,
    pub first: u64,
    pub leaves: Vec<Hash>,
    pub hash: Hash,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordRow {
    pub bucket: u16,
    pub person: String,
    pub version: u64,
    pub stay: Option<(String, u64)>,
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
    /// Ciphertext and commitment.
    pub private: Option<(Vec<u8>, Hash)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferenceRow {
    pub version: u64,
    pub at_ms: i64,
    pub lane: u32,
    pub sequence: u64,
    pub source: String,
    pub kind: String,
    pub format: i64,
    pub body: String,
}

impl BlockRow {
    /// `previous` is the lane's block before it.
    pub fn header(&self, previous: Hash) -> Header {
        Header::of(self.lane, self.first, &self.leaves, previous)
    }

    pub fn last(&self) -> u64 {
        self.first + (self.leaves.len() as u64).saturating_sub(1)
    }
}

impl RecordRow {
    pub fn leaf(&self) -> Hash {
        let place = RecordPlace {
            bucket: self.bucket,
            person: &self.person,
            version: self.version,
            stay: self.stay.as_ref().map(|(stay, version)| (stay.as_str(), *version)),
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
        let private =
            self.private.as_ref().map(|(ciphertext, commitment)| (ciphertext.as_slice(), commitment));
        seal::record_leaf(&place, &Contents::new(&self.told, &self.body, private))
    }
}

impl ReferenceRow {
    pub fn leaf(&self) -> Hash {
        let place = ReferencePlace {
            version: self.version,
            at_ms: self.at_ms,
            lane: self.lane,
            sequence: self.sequence,
            source: &self.source,
            kind: &self.kind,
            format: self.format,
        };
        seal::reference_leaf(&place, &self.body)
    }
}

const BLOCK: u8 = 1;
const RECORD: u8 = 2;
const REFERENCE: u8 = 3;
const ANCHOR: u8 = 4;

/// Bytes before each row: what it is, and its length.
pub const FRAME: usize = 1 + 4;

/// Length of the row after a frame.
pub fn length(frame: [u8; FRAME]) -> usize {
    let [_, a, b, c, d] = frame;
    usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX)
}

/// Appends a row with its frame.
pub fn write(row: &Row, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    let kind = match row {
        Row::Block(block) => write_block(block, &mut Out(out)),
        Row::Record(record) => write_record(record, &mut Out(out)),
        Row::Reference(reference) => write_reference(reference, &mut Out(out)),
        Row::Anchor(anchor) => write_anchor(anchor, &mut Out(out)),
    };
    // SQLite's own limit of a row is below two gigabytes.
    let length = u32::try_from(out.len() - start - FRAME).unwrap_or(u32::MAX);
    out[start] = kind;
    out[start + 1..start + FRAME].copy_from_slice(&length.to_be_bytes());
}

/// Reads a row, frame and all. `None` when it is not one.
pub fn read(bytes: &[u8]) -> Option<Row> {
    let (frame, rest) = bytes.split_first_chunk::<FRAME>()?;
    let mut fields = Fields(rest);
    let row = match frame[0] {
        BLOCK => Row::Block(read_block(&mut fields)?),
        RECORD => Row::Record(Box::new(read_record(&mut fields)?)),
        REFERENCE => Row::Reference(read_reference(&mut fields)?),
        ANCHOR => Row::Anchor(read_anchor(&mut fields)?),
        _ => return None,
    };
    fields.0.is_empty().then_some(row)
}

fn write_block(block: &BlockRow, out: &mut Out<'_>) -> u8 {
    out.number(block.lane.into());
    out.number(block.first);
    out.bytes(block.leaves.as_flattened());
    out.raw(&block.hash);
    BLOCK
}

fn read_block(fields: &mut Fields<'_>) -> Option<BlockRow> {
    let (lane, first) = (fields.small()?, fields.number()?);
    let (leaves, rest) = fields.bytes()?.as_chunks::<32>();
    let leaves = Some(leaves.to_vec()).filter(|_| rest.is_empty())?;
    Some(BlockRow { lane, first, leaves, hash: fields.raw()? })
}

fn write_record(record: &RecordRow, out: &mut Out<'_>) -> u8 {
    out.number(record.bucket.into());
    out.text(&record.person);
    out.number(record.version);
    let (stay, stay_version) = record.stay.as_ref().map_or(("", 0), |(stay, version)| (stay, *version));
    out.text(stay);
    out.number(stay_version);
    out.text(&record.kind);
    out.number(record.at_ms.cast_unsigned());
    out.number(record.lane.into());
    out.number(record.sequence);
    out.text(&record.institution);
    out.number(record.infno.into());
    out.text(&record.msgid);
    out.number(record.keyed.into());
    out.number(record.format.cast_unsigned());
    out.text(&record.told);
    out.text(&record.body);
    out.number(record.private.is_some().into());
    if let Some((ciphertext, commitment)) = &record.private {
        out.bytes(ciphertext);
        out.raw(commitment);
    }
    RECORD
}

fn read_record(fields: &mut Fields<'_>) -> Option<RecordRow> {
    let (bucket, person, version) = (fields.small()?, fields.text()?, fields.number()?);
    // A stay's version begins at 1.
    let stay = Some((fields.text()?, fields.number()?)).filter(|(_, version)| *version > 0);
    Some(RecordRow {
        bucket,
        person,
        version,
        stay,
        kind: fields.text()?,
        at_ms: fields.number()?.cast_signed(),
        lane: fields.small()?,
        sequence: fields.number()?,
        institution: fields.text()?,
        infno: fields.small()?,
        msgid: fields.text()?,
        keyed: fields.number()? == 1,
        format: fields.number()?.cast_signed(),
        told: fields.text()?,
        body: fields.text()?,
        private: match fields.number()? {
            0 => None,
            _ => Some((fields.bytes()?.to_vec(), fields.raw()?)),
        },
    })
}

fn write_reference(reference: &ReferenceRow, out: &mut Out<'_>) -> u8 {
    out.number(reference.version);
    out.number(reference.at_ms.cast_unsigned());
    out.number(reference.lane.into());
    out.number(reference.sequence);
    out.text(&reference.source);
    out.text(&reference.kind);
    out.number(reference.format.cast_unsigned());
    out.text(&reference.body);
    REFERENCE
}

fn read_reference(fields: &mut Fields<'_>) -> Option<ReferenceRow> {
    Some(ReferenceRow {
        version: fields.number()?,
        at_ms: fields.number()?.cast_signed(),
        lane: fields.small()?,
        sequence: fields.number()?,
        source: fields.text()?,
        kind: fields.text()?,
        format: fields.number()?.cast_signed(),
        body: fields.text()?,
    })
}

fn write_anchor(row: &Signed, out: &mut Out<'_>) -> u8 {
    let anchor = &row.anchor;
    out.number(anchor.number);
    out.number(anchor.at_ms.cast_unsigned());
    out.raw(&anchor.previous);
    out.number(anchor.stretches.len() as u64);
    for stretch in &anchor.stretches {
        out.number(stretch.lane.into());
        out.number(stretch.first);
        out.number(stretch.last);
        out.number(stretch.blocks.into());
    }
    out.raw(&anchor.root);
    out.text(&anchor.key);
    out.raw(&row.signature);
    ANCHOR
}

fn read_anchor(fields: &mut Fields<'_>) -> Option<Signed> {
    let (number, at_ms, previous) = (fields.number()?, fields.number()?.cast_signed(), fields.raw()?);
    let stretches = (0..fields.number()?)
        .map(|_| {
            let (lane, first, last) = (fields.small()?, fields.number()?, fields.number()?);
            Some(Stretch { lane, first, last, blocks: fields.small()? })
        })
        .collect::<Option<Vec<_>>>()?;
    let anchor = Anchor { number, at_ms, previous, stretches, root: fields.raw()?, key: fields.text()? };
    Some(Signed { anchor, signature: fields.raw()? })
}

struct Out<'o>(&'o mut Vec<u8>);

impl Out<'_> {
    fn number(&mut self, number: u64) {
        self.raw(&number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

struct Fields<'f>(&'f [u8]);

impl<'f> Fields<'f> {
    fn number(&mut self) -> Option<u64> {
        self.raw().map(u64::from_be_bytes)
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        self.number().and_then(|number| number.try_into().ok())
    }

    fn bytes(&mut self) -> Option<&'f [u8]> {
        let length: usize = self.small()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let record = RecordRow {
            bucket: 4095,
            person: "440700/1".into(),
            version: 2,
            at_ms: -5,
            lane: 7,
            sequence: 9,
            kind: "settled".into(),
            infno: 2304,
            keyed: true,
            body: "{\"诊\":1}".into(),
            ..RecordRow::default()
        };
        let stay = Some(("S".to_owned(), 3));
        let private = Some((vec![0, 255], [9; 32]));
        let stretches = vec![Stretch { lane: 7, first: 9, last: 10, blocks: 1 }];
        let anchor =
            Anchor { number: 1, at_ms: 5, previous: [0; 32], stretches, root: [3; 32], key: "k".into() };
        vec![
            Row::Block(BlockRow { lane: 7, first: 9, leaves: vec![[1; 32], [2; 32]], hash: [4; 32] }),
            Row::Record(Box::new(RecordRow { stay, private, ..record.clone() })),
            Row::Record(Box::new(record)),
            Row::Reference(ReferenceRow { version: 1, body: "[]".into(), ..ReferenceRow::default() }),
            Row::Anchor(Signed { anchor, signature: [5; 64] }),
        ]
    }

    #[test]
    fn every_row_is_read_back_as_it_was_and_no_cut_of_it_is_a_row() {
        for row in rows() {
            let mut bytes = Vec::new();
            write(&row, &mut bytes);
            let (frame, rest) = bytes.split_first_chunk::<FRAME>().unwrap();
            assert_eq!(length(*frame), rest.len());
            assert_eq!(read(&bytes), Some(row));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), None);
            }
            bytes.push(0);
            assert_eq!(read(&bytes), None);
        }
    }
}
