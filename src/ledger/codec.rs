//! Owns the form in which records and states are kept: JSON with field names that never change their meaning.
//!
//! The domain knows no serde, so the forms of its types are written here, beside each other. A field that is absent
//! has its default: what an older version did not write reads as nothing, and zeroes and empty texts take no room.
//! A new field must have such a default; a field whose meaning changes gets a new name. What is short and many is a list,
//! whose places are its names: a new one comes last.

#[macro_use]
mod shapes;
mod amounts;
mod breakdown;
mod deeds;
mod entries;
mod packing;
#[cfg(test)]
pub(super) mod sample;
mod settled;
mod states;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod values;

use serde::de::DeserializeOwned;

pub use deeds::decode_body;
pub use deeds::decode_told;
pub use deeds::encode_body;
pub use deeds::encode_told;
pub use deeds::kind;
pub use packing::unpack as plain;
pub use text::Keep;

pub use crate::vault::hex::decode as bytes_of_text;
pub use crate::vault::hex::encode as text_of_bytes;

/// Version of these forms. Written beside every record; a reader refuses a newer one.
pub const FORMAT: i64 = 1;

/// What is kept cannot be read, or a value cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("is not the form of a {what}")]
    Malformed {
        what: &'static str,
        #[source]
        cause: serde_json::Error,
    },
    #[error("packed text cannot be unpacked")]
    Unpackable,
    #[error("kind {0} of a record is not known to this version")]
    UnknownKind(String),
    #[error("format {0} is newer than this version: upgrade first")]
    NewerFormat(i64),
}

/// A value as it is kept.
pub fn encode(value: &(impl Keep + ?Sized)) -> String {
    text::Text::of(value)
}

/// A value read back.
pub fn decode<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, CodecError> {
    serde_json::from_str(text).map_err(|cause| CodecError::Malformed { what, cause })
}

/// Reads what is shared in memory.
mod shared {
    use serde::Deserialize;
    use serde::Deserializer;
    use std::sync::Arc;

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// Reads bytes in Base64.
mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::de::Error as _;

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let bytes = STANDARD_NO_PAD.decode(&*text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| D::Error::custom(format_args!("{N} bytes in Base64 are expected")))
    }
}

/// A hash as hexadecimal text, for what leaves the ledger.
pub mod hash_text {
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::Serializer;

    pub fn serialize<S: Serializer>(hash: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::text_of_bytes(hash))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        super::hash_of_text(&text)
            .ok_or_else(|| serde::de::Error::custom("64 hexadecimal digits are expected"))
    }
}

/// A list of them.
pub mod hash_list {
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::Serializer;
    use serde::ser::SerializeSeq as _;

    pub fn serialize<S: Serializer>(hashes: &[[u8; 32]], to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(hashes.len()))?;
        hashes.iter().try_for_each(|hash| list.serialize_element(&super::text_of_bytes(hash)))?;
        list.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<[u8; 32]>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let hashes = texts.iter().map(|text| super::hash_of_text(text)).collect::<Option<_>>();
        hashes.ok_or_else(|| serde::de::Error::custom("lists of 64 hexadecimal digits are expected"))
    }
}

pub fn hash_of_text(text: &str) -> Option<[u8; 32]> {
    bytes_of_text(text)?.try_into().ok()
}

/// Reads exact decimals from text, with the digits that they were given with.
mod decimal {
    use rust_decimal::Decimal;
    use serde::Deserialize as _;
    use serde::Deserializer;
    use serde::de::Error as _;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The same where there may be none.
mod decimal_option {
    use rust_decimal::Decimal;
    use serde::Deserializer;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
        super::decimal::deserialize(from).map(Some)
    }
}
