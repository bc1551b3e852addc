//! Owns the content hash: what a message says, whatever its spelling, as 32 bytes of SM3.
//!
//! It covers the typed, known fields of the business and the routing fields, and neither the sender's desk
//! and clock nor the credential, which may be a fresh token at each try. So a message sent again in other
//! spelling is the same one, and the same message key with another content is not.

use sm3::Digest as _;
use sm3::Sm3;

use crate::domain::record;
use crate::domain::record::RowDigest;
use crate::protocol::hospital::field::NodeTable;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::row::Rows;
use crate::protocol::hospital::row::Value;

/// The hash and the recipe by which it was made. Hashes of different recipes cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash {
    pub recipe: u8,
    pub digest: [u8; 32],
}

/// Raise it whenever the bytes below change for a message that was valid before: another order of a table's
/// fields, another set of left-out fields, another canonical form.
pub const RECIPE: u8 = 3;

/// Credential and desk; the insured region, which is hashed once for the message; the extension as a whole,
/// since what it decides is lifted into fields of its own.
const LEFT_OUT: [&str; 6] =
    ["mdtrt_cert_no", "card_sn", "exp_content", "insuplc_admdvs", "opter_no", "sign_no"];

/// Marks a field that is absent in a row while another row of the node has it; longer than any text.
const ABSENT: u32 = u32::MAX;

impl ContentHash {
    /// As the ledger keeps it.
    pub fn recorded(self) -> record::ContentHash {
        record::ContentHash { recipe: self.recipe, digest: self.digest }
    }

    pub fn of(message: &Message<'_>) -> ContentHash {
        let mut bytes = Vec::with_capacity(1024);
        let envelope = &message.envelope;
        put(&mut bytes, message.transaction.number().as_bytes());
        put(&mut bytes, envelope.institution.as_str().as_bytes());
        put_number(&mut bytes, i64::from(envelope.place_of_care.0));
        put_number(&mut bytes, envelope.insured_region.map_or(-1, |region| i64::from(region.0)));
        bytes.push(u8::from(envelope.is_work_injury()));
        for rows in &message.nodes {
            // Rows of a list are told from each other by their digests, which are made in any case.
            if rows.len() > 1 { put_digests(&mut bytes, rows) } else { put_rows(&mut bytes, rows) }
        }
        ContentHash { recipe: RECIPE, digest: Sm3::digest(&bytes).into() }
    }
}

/// What each row says, by the same recipe: tells a row that is sent again from another one under the same number.
pub(super) fn row_digests(rows: &Rows<'_>) -> Vec<RowDigest> {
    let columns: Vec<(usize, [u8; 4])> = hashed(rows.table).collect();
    let mut bytes = Vec::with_capacity(256);
    let digest = |values: &[Value<'_>]| {
        bytes.clear();
        for (column, mark) in &columns {
            if values[*column] != Value::Absent {
                bytes.extend_from_slice(mark);
                put_value(&mut bytes, &values[*column]);
            }
        }
        let whole: [u8; 32] = Sm3::digest(&bytes).into();
        let mut half = RowDigest::default();
        half.iter_mut().zip(whole).for_each(|(to, byte)| *to = byte);
        half
    };
    rows.iter().map(digest).collect()
}

/// The columns that count, each with its mark.
fn hashed(table: &NodeTable) -> impl Iterator<Item = (usize, [u8; 4])> {
    let fields = table.fields.iter().enumerate();
    fields.filter(|(_, field)| !LEFT_OUT.contains(&field.wire)).map(|(at, field)| (at, mark(field.wire)))
}

/// Stands for a name, which would be most of what is hashed: 32 bits of FNV-1a, unlike those of the other fields of its
/// table. By the name and not by the place, so that hashes stay as they are when a table gets a further optional field.
fn mark(wire: &str) -> [u8; 4] {
    let begun = 0x811C_9DC5_u32;
    let hash = wire.bytes().fold(begun, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_be_bytes()
}

fn put_digests(bytes: &mut Vec<u8>, rows: &Rows<'_>) {
    put(bytes, rows.table.wire.as_bytes());
    put_number(bytes, i64::try_from(rows.len()).unwrap_or(i64::MAX));
    rows.digests().iter().for_each(|digest| bytes.extend_from_slice(digest));
}

/// The node's name, the marks of the columns that any row fills, then the rows.
fn put_rows(bytes: &mut Vec<u8>, rows: &Rows<'_>) {
    let filled = |(column, _): &(usize, [u8; 4])| rows.iter().any(|values| values[*column] != Value::Absent);
    let columns: Vec<(usize, [u8; 4])> = hashed(rows.table).filter(filled).collect();
    put(bytes, rows.table.wire.as_bytes());
    put_number(bytes, i64::try_from(columns.len()).unwrap_or(i64::MAX));
    for (_, mark) in &columns {
        bytes.extend_from_slice(mark);
    }
    put_number(bytes, i64::try_from(rows.len()).unwrap_or(i64::MAX));
    for values in rows.iter() {
        for (column, _) in &columns {
            put_value(bytes, &values[*column]);
        }
    }
}

fn put_value(bytes: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Absent => bytes.extend_from_slice(&ABSENT.to_be_bytes()),
        Value::Text(text) => put(bytes, text.as_bytes()),
        Value::Flag(yes) => bytes.push(u8::from(*yes)),
        Value::Money(fen) => put_number(bytes, fen.0),
        Value::Exact(number) => {
            let number = number.normalize();
            // A scale is 28 at most, and what a table lets pass fits 64 bits.
            let scale = u8::try_from(number.scale()).unwrap_or(u8::MAX);
            match i64::try_from(number.mantissa()) {
                Ok(mantissa) => {
                    bytes.push(scale);
                    put_number(bytes, mantissa);
                }
                Err(_) => {
                    bytes.push(scale | 0x80);
                    bytes.extend_from_slice(&number.mantissa().to_be_bytes());
                }
            }
        }
        Value::Whole(number) => put_number(bytes, *number),
        Value::Day(day) => put_number(bytes, i64::from(day.number())),
        Value::Moment(moment) => {
            let (hour, minute, second) = moment.time();
            bytes.extend_from_slice(&moment.day().number().to_be_bytes());
            bytes.extend([hour, minute, second].map(|part| part.unsigned_abs()));
        }
        Value::Region(region) => put_number(bytes, i64::from(region.0)),
    }
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(ABSENT - 1).to_be_bytes());
    bytes.extend_from_slice(text);
}

fn put_number(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hospital::transaction::Transaction;
    use std::collections::HashMap;

    #[test]
    fn no_two_fields_of_a_table_have_one_mark() {
        for slot in Transaction::ALL.into_iter().flat_map(|one| one.slots()) {
            let table = (slot.table)();
            let mut marks = HashMap::new();
            for field in table.fields {
                let other = marks.insert(mark(field.wire), field.wire);
                assert_eq!(other, None, "{} of {}", field.wire, table.wire);
            }
        }
    }
}
