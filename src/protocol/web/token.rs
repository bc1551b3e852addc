//! Owns what must not be guessed: session names, form tokens, one-time codes.

use core::fmt::Write as _;

use ring::rand::SecureRandom as _;
use ring::rand::SystemRandom;

/// 32 random bytes from the system, in hexadecimal.
pub fn secret() -> String {
    hex(&random::<32>())
}

/// Six decimal digits, every code as likely as every other (to one in ten million million).
pub fn code() -> String {
    format!("{:06}", u64::from_be_bytes(random()) % 1_000_000)
}

/// Compared in the same time wherever they differ.
pub fn same(left: &str, right: &str) -> bool {
    let differences = left.bytes().zip(right.bytes()).fold(0, |seen, (l, r)| seen | (l ^ r));
    !left.is_empty() && left.len() == right.len() && differences == 0
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_codes_have_six_digits() {
        let (one, other) = (secret(), secret());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
        let code = code();
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    }

    #[test]
    fn only_equal_texts_are_the_same() {
        let table = [("ab", "ab", true), ("ab", "ac", false), ("ab", "abc", false), ("", "", false)];
        for (left, right, equal) in table {
            assert_eq!(same(left, right), equal, "{left} {right}");
        }
    }
}
