//! Owns forms: reads urlencoded fields, and keeps what was typed beside every fault, so that both are shown again.

use std::collections::HashMap;

use crate::domain::calendar::Day;

/// Fields of a form or a query.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: HashMap<String, String>,
}

impl Form {
    /// More fields than any form of ours has are not read.
    const FIELDS_MAX: usize = 64;

    /// Of a field that comes twice the first counts.
    pub fn read(urlencoded: &[u8]) -> Form {
        let mut fields = HashMap::new();
        for (key, value) in form_urlencoded::parse(urlencoded).take(Form::FIELDS_MAX) {
            fields.entry(key.into_owned()).or_insert_with(|| value.into_owned());
        }
        Form { fields }
    }

    /// Trimmed; empty when absent.
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }

    pub fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// The rest of what was typed.
    pub fn without(&self, name: &str) -> Form {
        let mut fields = self.fields.clone();
        fields.remove(name);
        Form { fields }
    }

    /// A day as `<input type=date>` sends it.
    pub fn day(&self, name: &str) -> Option<Day> {
        day(self.get(name))
    }
}

/// `2026-11-24`, also `20261124` and `2026/11/24`, as people type it where the browser has no calendar.
pub fn day(text: &str) -> Option<Day> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '/' | '.')).collect();
    let whole = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| digits.parse().ok().and_then(Day::from_number)).flatten()
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub zh: String,
    pub en: String,
}

impl Said {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Said {
        Said { zh: zh.into(), en: en.into() }
    }
}

/// What is wrong with a form, by field, in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<(&'static str, Said)>);

impl Faults {
    pub fn tell(&mut self, field: &'static str, zh: impl Into<String>, en: impl Into<String>) {
        self.0.push((field, Said::new(zh, en)));
    }

    pub fn of(&self, field: &str) -> Option<&Said> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, said)| said)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Said)> {
        self.0.iter().map(|(field, said)| (*field, said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_trimmed_and_the_first_counts() {
        let form = Form::read("name=%E6%9D%8E+%E5%9B%9B&day=2026-11-24&name=x&blank=+".as_bytes());
        assert_eq!(form.get("name"), "李 四");
        assert_eq!(form.day("day"), Day::new(2026, 11, 24));
        assert!(!form.has("blank") && !form.has("absent"));
    }

    #[test]
    fn a_day_is_read_as_people_type_it() {
        for (text, day_of_month) in [("20261124", 24), ("2026/11/05", 5), ("2026.11.06", 6)] {
            assert_eq!(day(text), Day::new(2026, 11, day_of_month), "{text}");
        }
        for bad in ["", "2026-13-01", "24.11.2026", "2026-11", "tomorrow", "２０２６１１２４"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
