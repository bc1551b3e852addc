//! Owns bytes written as lower-case hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of an even number of digits; nothing when there is anything else in the text.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(pair).collect()
}

/// Exactly `N` bytes, into a place that the caller wipes.
pub fn decode_into<const N: usize>(text: &str, bytes: &mut [u8; N]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair(digits)?;
    }
    Some(())
}

fn pair(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_reads() {
        let bytes = [0, 1, 0x7f, 0xab, 0xff];
        assert_eq!(encode(&bytes), "00017fabff");
        assert_eq!(decode("00017fABff").as_deref(), Some(bytes.as_slice()));
        for wrong in ["0", "0g", "+1", " 1", "字"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        let mut place = [0; 2];
        assert_eq!(decode_into("0102", &mut place), Some(()));
        assert_eq!(place, [1, 2]);
        assert_eq!(decode_into("010203", &mut place), None);
    }
}
