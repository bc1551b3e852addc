//! Owns the meaning of single values on the wire: amounts, numbers, flags, and text as people and programs
//! type it.
//!
//! A value is taken when it has one clear meaning, however it is spelled; otherwise it is refused by
//! returning `None`. Thousands separators are refused, since `1,234` may also be meant as a decimal comma.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::domain::money::Fen;

/// Whole digits and a power of ten: `mantissa / 10^scale`, without trailing zeros behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exact {
    mantissa: i64,
    scale: u32,
}

/// Most digits that an exact number of the interface needs (16), with room for zeros.
const DIGITS_MAX: u32 = 18;

/// An amount in yuan with at most two decimals that are not zero: `128.5`, `"128.50"`, `1.285E2`.
pub fn money(text: &str) -> Option<Fen> {
    let exact = number(text)?;
    let factor = [100, 10, 1].get(exact.scale as usize)?;
    let fen = Fen(exact.mantissa.checked_mul(*factor)?);
    (fen.abs() <= Fen::LIMIT).then_some(fen)
}

/// Whether a text has the form of an amount and is none only since it is too large: `1000000000000.00`.
pub fn is_too_large(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (before, behind) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_the_form = !before.is_empty() && are_digits(before) && are_digits(behind);
    has_the_form && behind.trim_end_matches('0').len() <= 2 && money(text).is_none()
}

/// N(precision, scale): at most `scale` decimals and `precision − scale` digits before the point.
pub fn exact(text: &str, precision: u8, scale: u8) -> Option<Decimal> {
    let exact = number(text)?;
    let room = u32::from(precision - scale) + exact.scale;
    let fits = exact.scale <= u32::from(scale) && exact.mantissa.unsigned_abs() < 10_u64.checked_pow(room)?;
    fits.then(|| Decimal::new(exact.mantissa, exact.scale))
}

/// N(precision): a whole number; `2.0` is one.
pub fn whole(text: &str, precision: u8) -> Option<i64> {
    let exact = number(text)?;
    let fits = exact.scale == 0 && exact.mantissa.unsigned_abs() < 10_u64.pow(u32::from(precision));
    fits.then_some(exact.mantissa)
}

fn number(text: &str) -> Option<Exact> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, small_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    if before.is_empty() && behind.is_empty() {
        return None;
    }
    let behind = behind.trim_end_matches('0');
    let magnitude = add_digits(add_digits(0, before)?, behind)?;
    let mantissa = if negative { -magnitude } else { magnitude };
    let scale = i32::try_from(behind.len()).ok()? - exponent;
    scaled(mantissa, scale)
}

fn add_digits(start: i64, digits: &str) -> Option<i64> {
    digits.bytes().try_fold(start, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// An exponent that a program may write for an ordinary amount; larger ones mean something else went wrong.
fn small_exponent(text: &str) -> Option<i32> {
    const EXPONENT_MAX: i32 = 18;
    let exponent: i32 = text.parse().ok()?;
    (exponent.abs() <= EXPONENT_MAX).then_some(exponent)
}

fn scaled(mut mantissa: i64, mut scale: i32) -> Option<Exact> {
    if mantissa == 0 {
        return Some(Exact { mantissa: 0, scale: 0 });
    }
    while scale < 0 {
        mantissa = mantissa.checked_mul(10)?;
        scale += 1;
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    let scale = u32::try_from(scale).ok()?;
    (scale <= DIGITS_MAX).then_some(Exact { mantissa, scale })
}

/// 0 no, 1 yes, in the spellings of the field.
pub fn flag(text: &str) -> Option<bool> {
    const YES: [&str; 5] = ["1", "true", "y", "yes", "是"];
    const NO: [&str; 5] = ["0", "false", "n", "no", "否"];
    let said = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if said(&YES) {
        return Some(true);
    }
    said(&NO).then_some(false)
}

/// Without blanks around it, also those that a Chinese keyboard makes.
pub fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    let plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic());
    if plain(bytes.first()) && plain(bytes.last()) {
        return text;
    }
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0')
}

/// What says "nothing" in a place for a value.
pub fn is_nothing(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("null")
}

/// Full-width letters, digits and signs as their ASCII twins: `４４０７` is `4407`.
pub fn half_width(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_full_width) {
        return text;
    }
    Cow::Owned(text.chars().map(narrow).collect())
}

fn is_full_width(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3000}')
}

fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_too_large_only_when_its_form_is_right() {
        for text in ["1000000000000", "12345678901234567.00", "-12345678901234567.5", "100000000001"] {
            assert!(money(text).is_none() && is_too_large(text), "{text}");
        }
        for text in
            ["100000000000", "000000000000000001.50", "", "-", ".", "1.555", "1234567890123.555", "1元", "x"]
        {
            assert!(!is_too_large(text), "{text}");
        }
    }

    #[test]
    fn an_amount_is_taken_when_it_is_exact() {
        let cases = [
            ("128.5", Some(12_850)),
            ("128.50", Some(12_850)),
            ("12.340", Some(1_234)),
            ("12.34000000000000000000000000", Some(1_234)),
            ("0", Some(0)),
            ("-0.00", Some(0)),
            (".5", Some(50)),
            ("5.", Some(500)),
            ("+5", Some(500)),
            ("-1.05", Some(-105)),
            ("1.285E2", Some(12_850)),
            ("12850e-2", Some(12_850)),
            ("000123", Some(12_300)),
            ("100000000000", Some(10_000_000_000_000)),
            ("100000000000.01", None),
            ("12.345", None),
            ("1E-3", None),
            ("1,234.56", None),
            ("NaN", None),
            ("Infinity", None),
            ("1e400", None),
            ("99999999999999999999", None),
            ("", None),
            (".", None),
            ("-", None),
            ("1.2.3", None),
            ("0x10", None),
            ("1 2", None),
            ("12元", None),
        ];
        for (text, fen) in cases {
            assert_eq!(money(text), fen.map(Fen), "{text}");
        }
    }

    #[test]
    fn a_number_keeps_to_its_digits() {
        let cases = [
            ("1.5", 16, 4, Some("1.5")),
            ("1.50000", 16, 4, Some("1.5")),
            ("1.50001", 16, 4, None),
            ("-3", 16, 4, Some("-3")),
            ("999999999999.9999", 16, 4, Some("999999999999.9999")),
            ("1000000000000", 16, 4, None),
            ("0.123456", 16, 6, Some("0.123456")),
            ("1", 5, 4, Some("1")),
            ("10", 5, 4, None),
        ];
        for (text, precision, scale, read) in cases {
            let read: Option<Decimal> = read.map(|read| read.parse().unwrap());
            assert_eq!(exact(text, precision, scale), read, "{text}");
        }
        assert_eq!((whole("2.0", 2), whole("2.5", 2), whole("100", 2)), (Some(2), None, None));
    }

    #[test]
    fn flags_come_in_many_spellings() {
        for yes in ["1", "true", "True", "Y", "是"] {
            assert_eq!(flag(yes), Some(true), "{yes}");
        }
        for no in ["0", "false", "N", "否"] {
            assert_eq!(flag(no), Some(false), "{no}");
        }
        for neither in ["2", "01", "有", "on"] {
            assert_eq!(flag(neither), None, "{neither}");
        }
    }

    #[test]
    fn keyboards_and_blanks_do_not_change_a_value() {
        assert_eq!(half_width("４４０７Ｘ．５".into()), "4407X.5");
        assert_eq!(half_width("张三".into()), "张三");
        assert_eq!(trimmed("\u{3000} 4407 \t\r\n"), "4407");
        assert!(is_nothing("NULL") && is_nothing("") && !is_nothing("0"));
    }
}
