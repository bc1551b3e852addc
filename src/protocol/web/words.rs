//! Owns small pieces of pages: two languages side by side, amounts, days, masked names.

use maud::Markup;
use maud::html;

use crate::domain::calendar::Day;
use crate::domain::calendar::Month;
use crate::domain::money::Fen;
use crate::protocol::web::form::Said;

/// Chinese first, English after it.
pub fn both(said: &Said) -> Markup {
    pair(&said.zh, &said.en)
}

pub fn pair(zh: &str, en: &str) -> Markup {
    html! { span.zh { (zh) } " " span.en lang="en" { (en) } }
}

/// `¥29,987.49`; a negative amount with a true minus sign.
pub fn yuan(amount: Fen) -> String {
    let sign = if amount.is_negative() { "−" } else { "" };
    format!("{sign}¥{}", grouped(&amount.abs().to_string()))
}

/// The same without the currency, for table columns.
pub fn plain(amount: Fen) -> String {
    let sign = if amount.is_negative() { "−" } else { "" };
    format!("{sign}{}", grouped(&amount.abs().to_string()))
}

fn grouped(text: &str) -> String {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{cents}")
}

/// An amount before it is rounded: `¥29,987.485`.
pub fn exact_yuan(amount: rust_decimal::Decimal) -> String {
    let amount = amount.normalize();
    let sign = if amount.is_sign_negative() { "−" } else { "" };
    let text = format!("{:.1$}", amount.abs(), usize::try_from(amount.scale().max(2)).unwrap_or(2));
    format!("{sign}¥{}", grouped(&text))
}

/// `2026年11月24日`
pub fn day_zh(day: Day) -> String {
    let number = day.number();
    format!("{}年{}月{}日", number / 10_000, number / 100 % 100, number % 100)
}

/// `2026年11月`
pub fn month_zh(month: Month) -> String {
    format!("{}年{}月", month.number() / 100, month.number() % 100)
}

/// `2026-11`
pub fn month_en(month: Month) -> String {
    format!("{:04}-{:02}", month.number() / 100, month.number() % 100)
}

/// A number of which only the ends are shown: `4407**********1234`. Short ones are hidden whole.
pub fn masked(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    let shown = if characters.len() >= 10 { 4 } else { 0 };
    let hidden = |at: usize| at >= shown && at + shown < characters.len();
    characters.iter().enumerate().map(|(at, c)| if hidden(at) { '*' } else { *c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (fen, text) in
            [(0, "¥0.00"), (99_999, "¥999.99"), (100_000, "¥1,000.00"), (-123_456_789, "−¥1,234,567.89")]
        {
            assert_eq!(yuan(Fen(fen)), text);
        }
        assert_eq!(plain(Fen(-100_000_000)), "−1,000,000.00");
    }

    #[test]
    fn what_is_rounded_shows_all_its_decimals_and_two_at_least() {
        for (exact, text) in
            [("29987.485", "¥29,987.485"), ("23911.470", "¥23,911.47"), ("0", "¥0.00"), ("1000", "¥1,000.00")]
        {
            assert_eq!(exact_yuan(exact.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_masked_number_shows_its_ends_only() {
        assert_eq!(masked("440703199001011234"), "4407**********1234");
        assert_eq!(masked("123456789"), "*********");
    }
}
