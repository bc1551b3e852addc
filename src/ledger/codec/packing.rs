//! Owns how a long body of fee lines is kept small: most of each line repeats the one before. What is packed is text too,
//! since bodies are kept, sealed and told as text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::ledger::codec::CodecError;

/// No JSON begins so.
const PACKED: &str = "lz4:";
/// A shorter text gains nothing.
const WORTH_BYTES: usize = 1024;
/// More than the lines of the longest call that a gateway takes: a damaged length must not ask for more memory.
const UNPACKED_MAX: usize = 64 * 1024 * 1024;

pub(super) fn pack(text: String) -> String {
    if text.len() < WORTH_BYTES {
        return text;
    }
    let packed = lz4_flex::compress_prepend_size(text.as_bytes());
    let mut kept = String::with_capacity(PACKED.len() + packed.len() * 4 / 3 + 4);
    kept.push_str(PACKED);
    STANDARD_NO_PAD.encode_string(packed, &mut kept);
    kept
}

/// A kept text as the JSON that it is.
///
/// # Errors
/// `Unpackable` when it was packed and is damaged.
pub fn unpack(text: &str) -> Result<Cow<'_, str>, CodecError> {
    let Some(packed) = text.strip_prefix(PACKED) else { return Ok(Cow::Borrowed(text)) };
    let packed = STANDARD_NO_PAD.decode(packed).map_err(|_| CodecError::Unpackable)?;
    let (size, block) = lz4_flex::block::uncompressed_size(&packed).map_err(|_| CodecError::Unpackable)?;
    if size > UNPACKED_MAX {
        return Err(CodecError::Unpackable);
    }
    let bytes = lz4_flex::decompress(block, size).map_err(|_| CodecError::Unpackable)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| CodecError::Unpackable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_kept_small_and_comes_back() {
        let long: String =
            (0..40).map(|at| format!(r#"{{"no":"{at}","code":"SBX-NURSING","名":"护理"}},"#)).collect();
        let kept = pack(long.clone());
        assert!(kept.len() * 4 < long.len(), "{} of {}", kept.len(), long.len());
        assert_eq!(unpack(&kept).unwrap(), long);
        assert_eq!(pack("[]".into()), "[]");
        assert_eq!(unpack("[]").unwrap(), "[]");
    }

    #[test]
    fn what_was_damaged_is_refused_and_asks_for_no_memory() {
        let kept = pack("x".repeat(5_000));
        let huge = format!("{PACKED}{}", STANDARD_NO_PAD.encode([0xff, 0xff, 0xff, 0xff, 0x10]));
        for damaged in [&kept[..kept.len() - 3], &kept.replace("lz4:", "lz4:!"), "lz4:", "lz4:AAAA", &huge] {
            assert!(matches!(unpack(damaged), Err(CodecError::Unpackable)), "{damaged}");
        }
    }
}
