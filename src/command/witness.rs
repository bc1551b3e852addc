//! Owns how an anchor is written to be kept elsewhere, and read again.

use crate::ledger::Witness;
use crate::ledger::codec;

pub(super) fn parse(text: &str) -> Result<Witness, String> {
    let parts = text.split_once(':');
    let witness = parts.and_then(|(number, hash)| {
        Some(Witness { number: number.parse().ok()?, hash: codec::hash_of_text(hash)? })
    });
    witness
        .ok_or_else(|| "expected a number, a colon and 64 hexadecimal digits, as --head prints them".into())
}

pub(super) fn written(witness: &Witness) -> String {
    format!("{}:{}", witness.number, codec::text_of_bytes(&witness.hash))
}
