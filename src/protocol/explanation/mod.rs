//! Owns the wording of a settlement's steps: one trace, told to the insured person, to a hospital, to a regulator.
//!
//! Every figure comes from the trace or the breakdown; nothing is computed here.

pub mod hospital;
pub mod person;
pub mod regulator;
pub mod saving;
pub mod words;

use rust_decimal::Decimal;

use crate::domain::money::Rate;

/// One thing said in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it is about, for headings and styles: `deductible`, `rate`, …
    pub topic: &'static str,
    pub zh: String,
    pub en: String,
}

impl Sentence {
    fn new(topic: &'static str, zh: String, en: String) -> Sentence {
        Sentence { topic, zh, en }
    }
}

/// `0.83` as `83%`, `0.895` as `89.5%`.
pub fn percent(rate: Rate) -> String {
    format!("{}%", points(rate))
}

/// `0.20` as `20`, of percentage points: what is added to a rate or taken off it.
pub fn points(rate: Rate) -> String {
    (rate.0 * Decimal::ONE_HUNDRED).normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_percent_without_idle_zeros() {
        for (rate, text) in [("0.83", "83%"), ("0.664", "66.4%"), ("1", "100%"), ("0.10", "10%"), ("0", "0%")]
        {
            assert_eq!(percent(Rate(rate.parse().unwrap())), text);
        }
    }
}
