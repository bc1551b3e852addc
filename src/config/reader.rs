//! Owns the reading of a tree key by key: each fault is kept with its line and key path, and reading goes on.

use std::cell::RefCell;
use std::fmt;

use rust_decimal::Decimal;

use crate::config::nearest::nearest;
use crate::config::tree::Node;
use crate::config::tree::Spot;
use crate::domain::calendar::Day;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::NotMoney;
use crate::domain::money::Rate;

/// One fault of a file: where, what stands there, what should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: Option<usize>,
    /// As `employee.deductible[2].level3`; blocks count from 1.
    pub path: String,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Where readers put what is wrong.
#[derive(Debug, Default)]
pub struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub fn push(&self, line: Option<usize>, path: &str, message: impl Into<String>) {
        self.0.borrow_mut().push(Fault { line, path: path.to_owned(), message: message.into() });
    }

    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// In the order of the file.
    pub fn into_list(self) -> Vec<Fault> {
        let mut list = self.0.into_inner();
        list.sort_by_key(|fault| fault.line);
        list
    }
}

/// What a single value may be read as.
pub trait Reads: Sized {
    /// The sentence says what was expected.
    fn read(node: &Node) -> Result<Self, String>;
}

/// A table that is being read. Every key that is asked for is a known one; [`Table::close`] reports the others.
pub struct Table<'a> {
    pub path: String,
    pub line: Option<usize>,
    entries: &'a [(String, Spot)],
    known: RefCell<Vec<&'static str>>,
    faults: &'a Faults,
}

impl<'a> Table<'a> {
    /// The root of a file. `None` (and a fault) where it is no table.
    pub fn root(spot: &'a Spot, faults: &'a Faults) -> Option<Table<'a>> {
        Table::at(String::new(), spot, faults)
    }

    fn at(path: String, spot: &'a Spot, faults: &'a Faults) -> Option<Table<'a>> {
        match &spot.node {
            Node::Table(entries) => {
                Some(Table { path, line: spot.line, entries, known: RefCell::default(), faults })
            }
            other => {
                faults.push(spot.line, &path, format!("is {}: expected a table of keys", other.shown()));
                None
            }
        }
    }

    /// The entry of a key, `null` apart; the key is a known one from now on.
    pub fn spot(&self, key: &'static str) -> Option<&'a Spot> {
        self.known.borrow_mut().push(key);
        let found = self.entries.iter().find(|(name, _)| name == key);
        found.map(|(_, spot)| spot).filter(|spot| spot.node != Node::Nothing)
    }

    pub fn has(&self, key: &'static str) -> bool {
        self.spot(key).is_some()
    }

    /// A value, if it is there and sound.
    pub fn get<T: Reads>(&self, key: &'static str) -> Option<T> {
        self.get_with(key, T::read)
    }

    /// The same under its own name or under the wire's.
    pub fn get_either<T: Reads>(&self, key: &'static str, wire: &'static str) -> Option<T> {
        match (self.spot(key), self.spot(wire)) {
            (Some(_), Some(spot)) => {
                self.fault_at(spot, wire, format!("says the same as {key}: keep one"));
                None
            }
            (Some(_), None) => self.get(key),
            (None, _) => self.get(wire),
        }
    }

    pub fn get_with<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, String>) -> Option<T> {
        let spot = self.spot(key)?;
        match read(&spot.node) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.fault_at(spot, key, format!("is {}: expected {expected}", spot.node.shown()));
                None
            }
        }
    }

    /// A value that must be there. `what` says what for, where it is not.
    pub fn need<T: Reads>(&self, key: &'static str, what: &str) -> Option<T> {
        if !self.has(key) {
            self.missing(key, what);
        }
        self.get(key)
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.get_with(key, |node| read_word(node, words))
    }

    pub fn flag(&self, key: &'static str) -> bool {
        self.get(key).unwrap_or(false)
    }

    /// A table below this one.
    pub fn table(&self, key: &'static str) -> Option<Table<'a>> {
        let spot = self.spot(key)?;
        Table::at(self.path_of(key), spot, self.faults)
    }

    /// The blocks under a key: `[[key]]`, or one `[key]`.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let Some(spot) = self.spot(key) else {
            return Vec::new();
        };
        let path = self.path_of(key);
        match &spot.node {
            Node::List(items) => {
                let numbered = items.iter().zip(1..);
                numbered
                    .filter_map(|(item, n)| Table::at(format!("{path}[{n}]"), item, self.faults))
                    .collect()
            }
            _ => Table::at(path, spot, self.faults).into_iter().collect(),
        }
    }

    /// A list of values.
    pub fn list<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, String>) -> Option<Vec<T>> {
        let spot = self.spot(key)?;
        let Node::List(items) = &spot.node else {
            self.fault_at(spot, key, format!("is {}: expected a list in [ ]", spot.node.shown()));
            return None;
        };
        let mut values = Vec::new();
        for (item, n) in items.iter().zip(1..) {
            match read(&item.node) {
                Ok(value) => values.push(value),
                Err(expected) => {
                    let message = format!("is {}: expected {expected}", item.node.shown());
                    self.faults.push(item.line, &format!("{}[{n}]", self.path_of(key)), message);
                }
            }
        }
        Some(values)
    }

    /// To find out whether something that was just read was sound.
    pub fn faults_so_far(&self) -> usize {
        self.faults.count()
    }

    /// Keys whose names the reader does not know beforehand, such as years.
    pub fn free_entries(&self) -> impl Iterator<Item = (&'a str, Option<Table<'a>>)> {
        self.entries.iter().map(|(name, spot)| {
            (name.as_str(), Table::at(format!("{}.{name}", self.path), spot, self.faults))
        })
    }

    pub fn fault(&self, key: &str, message: impl Into<String>) {
        let line = self.entries.iter().find(|(name, _)| name == key).and_then(|(_, spot)| spot.line);
        self.faults.push(line.or(self.line), &self.path_of(key), message);
    }

    /// A fault of the table as a whole.
    pub fn fault_here(&self, message: impl Into<String>) {
        self.faults.push(self.line, &self.path, message);
    }

    pub fn missing(&self, key: &str, what: &str) {
        self.fault(key, format!("is missing: {what}"));
    }

    /// Reports the keys that nobody asked for.
    pub fn close(self) {
        let known = self.known.borrow();
        for (name, spot) in self.entries {
            if known.contains(&name.as_str()) {
                continue;
            }
            let message = match nearest(name, &known) {
                Some(near) => format!("is not a key here: did you mean {near}?"),
                None => format!("is not a key here: known are {}", listed(&known)),
            };
            self.faults.push(spot.line, &self.path_of(name), message);
        }
    }

    fn fault_at(&self, spot: &Spot, key: &str, message: String) {
        self.faults.push(spot.line, &self.path_of(key), message);
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn listed(known: &[&'static str]) -> String {
    let mut names = known.to_vec();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// One of a few words, for values in lists too.
pub fn read_word<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, String> {
    let found = match node {
        Node::Text(text) => words.iter().find(|(word, _)| word == text),
        Node::Number(digits) => words.iter().find(|(word, _)| word == digits),
        _ => None,
    };
    let names: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    found.map(|(_, value)| *value).ok_or_else(|| format!("one of {}", names.join(", ")))
}

/// Text or a bare number, as written.
fn written(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) => Some(text.trim()),
        Node::Number(digits) => Some(digits),
        Node::Flag(_) | Node::Day(_) | Node::Nothing | Node::List(_) | Node::Table(_) | Node::Strange(_) => {
            None
        }
    }
}

/// A plain decimal: an optional sign, digits, at most one point. No exponent, no separators.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && unsigned.starts_with(|c: char| c.is_ascii_digit())
        && !unsigned.ends_with('.');
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}

impl Reads for String {
    fn read(node: &Node) -> Result<String, String> {
        match node {
            Node::Text(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            _ => Err("some text in quotes".to_owned()),
        }
    }
}

impl Reads for bool {
    fn read(node: &Node) -> Result<bool, String> {
        match node {
            Node::Flag(flag) => Ok(*flag),
            _ => Err("true or false, without quotes".to_owned()),
        }
    }
}

impl Reads for Decimal {
    fn read(node: &Node) -> Result<Decimal, String> {
        let number = written(node).and_then(plain_decimal);
        number.ok_or_else(|| "a number such as \"1.50\"".to_owned())
    }
}

impl Reads for i64 {
    fn read(node: &Node) -> Result<i64, String> {
        let number = written(node).and_then(|text| text.parse::<i64>().ok());
        number
            .filter(|n| (0..1_000_000_000).contains(n))
            .ok_or_else(|| "a whole number from 0 to 999999999".to_owned())
    }
}

impl Reads for u32 {
    fn read(node: &Node) -> Result<u32, String> {
        i64::read(node).and_then(|n| u32::try_from(n).map_err(|_| "a smaller number".to_owned()))
    }
}

impl Reads for u16 {
    fn read(node: &Node) -> Result<u16, String> {
        i64::read(node)
            .and_then(|n| u16::try_from(n).map_err(|_| "a whole number from 0 to 65535".to_owned()))
    }
}

impl Reads for Day {
    fn read(node: &Node) -> Result<Day, String> {
        match node {
            Node::Day(day) => Ok(*day),
            Node::Text(text) => day_of(text.trim()).ok_or_else(|| A_DAY.to_owned()),
            _ => Err(A_DAY.to_owned()),
        }
    }
}

const A_DAY: &str = "a day of the calendar from 1900 to 2199, such as 2024-07-01";

/// `2026-11-24`, with or without a time of day after it, or `20261124`.
fn day_of(text: &str) -> Option<Day> {
    let date =
        text.get(..10).filter(|_| text.len() == 10 || text[10..].starts_with([' ', 'T'])).unwrap_or(text);
    let digits: String = match date.split('-').collect::<Vec<_>>()[..] {
        [y, m, d] if (y.len(), m.len(), d.len()) == (4, 2, 2) => [y, m, d].concat(),
        [whole] if whole.len() == 8 => whole.to_owned(),
        _ => return None,
    };
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?.and_then(Day::from_number)
}

/// An amount in yuan, not below zero.
impl Reads for Fen {
    fn read(node: &Node) -> Result<Fen, String> {
        let amount = SignedFen::read(node)?.0;
        if amount.is_negative() { Err("an amount of zero or more".to_owned()) } else { Ok(amount) }
    }
}

/// An amount in yuan of either sign: refunds have one.
#[derive(Clone, Copy, Debug)]
pub struct SignedFen(pub Fen);

impl Reads for SignedFen {
    fn read(node: &Node) -> Result<SignedFen, String> {
        const EXAMPLE: &str = "an amount in yuan such as \"900.00\", without separators or unit";
        let exact = written(node).and_then(plain_decimal).ok_or_else(|| EXAMPLE.to_owned())?;
        Fen::from_yuan(exact).map(SignedFen).map_err(|cause| match cause {
            NotMoney::Malformed => EXAMPLE.to_owned(),
            NotMoney::TooManyDecimals => "an amount in yuan with at most two decimals".to_owned(),
            NotMoney::OutOfRange => "an amount of at most 100000000000.00 yuan".to_owned(),
        })
    }
}

/// A price of one unit in yuan, of which a limit may have as many decimals as a price.
#[derive(Clone, Copy, Debug)]
pub struct UnitPrice(pub Decimal);

impl Reads for UnitPrice {
    fn read(node: &Node) -> Result<UnitPrice, String> {
        const EXPECTED: &str = "a price of zero or more with at most six decimals, such as \"8500.00\"";
        let price = written(node).and_then(plain_decimal);
        let sound = price.filter(|price| !price.is_sign_negative() && price.normalize().scale() <= 6);
        sound.map(UnitPrice).ok_or_else(|| EXPECTED.to_owned())
    }
}

/// A share between 0 and 1, as `0.83` or as `83%`.
impl Reads for Rate {
    fn read(node: &Node) -> Result<Rate, String> {
        let text = written(node).unwrap_or_default();
        let rate = match text.strip_suffix('%') {
            Some(percent) => plain_decimal(percent.trim()).map(|percent| percent / Decimal::ONE_HUNDRED),
            None => plain_decimal(text),
        };
        let sound = rate.filter(|rate| (Decimal::ZERO..=Decimal::ONE).contains(rate));
        sound
            .map(Rate)
            .ok_or_else(|| "a share between 0 and 1 such as \"0.83\", or in percent \"83%\"".to_owned())
    }
}

impl Reads for RegionCode {
    fn read(node: &Node) -> Result<RegionCode, String> {
        let region = written(node).and_then(|text| RegionCode::parse(text).ok());
        region.ok_or_else(|| "a region code of six digits such as \"440700\"".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::from_toml;

    fn read<T: Reads>(value: &str) -> Result<T, String> {
        let tree = from_toml(&format!("a = {value}")).unwrap();
        let faults = Faults::default();
        T::read(&Table::root(&tree, &faults).unwrap().spot("a").unwrap().node)
    }

    #[test]
    fn values_are_read_as_a_notice_prints_them() {
        assert_eq!(read::<Fen>("\"900.00\""), Ok(Fen(90_000)));
        assert_eq!(read::<Fen>("900.5"), Ok(Fen(90_050)));
        assert_eq!(
            read::<Rate>("\"83%\"").unwrap().to_string(),
            read::<Rate>("\"0.83\"").unwrap().to_string()
        );
        assert_eq!(read::<Rate>("\"89.5 %\"").unwrap().0.to_string(), "0.895");
        for day in ["2024-07-01", "\"2024-07-01\"", "\"20240701\"", "\"2024-07-01 08:30:00\""] {
            assert_eq!(read::<Day>(day).map(Day::number), Ok(20_240_701), "{day}");
        }
        assert_eq!(read::<RegionCode>("\"440700\""), Ok(RegionCode(440_700)));
    }

    #[test]
    fn values_with_no_clear_meaning_are_refused() {
        for bad in [
            "\"900,00\"",
            "\"-1\"",
            "\"1e3\"",
            "\"9.001\"",
            "true",
            "\"900元\"",
            "\".5\"",
            "\"5.\"",
            "\"+5\"",
        ] {
            assert!(read::<Fen>(bad).is_err(), "{bad}");
        }
        for bad in ["83", "\"1.01\"", "\"101%\"", "\"%\"", "\"-0.1\"", "\"\""] {
            assert!(read::<Rate>(bad).is_err(), "{bad}");
        }
        for bad in
            ["\"2024-7-1\"", "\"2024-02-30\"", "20240701", "\"2024\"", "07:30:00", "\"二〇二四年七月\""]
        {
            assert!(read::<Day>(bad).is_err(), "{bad}");
        }
        assert!(read::<i64>("-1").is_err() && read::<i64>("1.5").is_err());
        assert!(read::<String>("\"  \"").is_err());
    }

    #[test]
    fn every_fault_is_kept_with_line_and_path() {
        let tree = from_toml("amont = 1\n[[part]]\nrate = \"0.1\"\n[[part]]\nrate = 5\nzzzzzz = 1").unwrap();
        let faults = Faults::default();
        let root = Table::root(&tree, &faults).unwrap();
        root.need::<Fen>("amount", "the fee in yuan");
        for part in root.tables("part") {
            part.get::<Rate>("rate");
            part.close();
        }
        root.close();
        let told: Vec<String> = faults.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 1: amount: is missing: the fee in yuan",
                "line 1: amont: is not a key here: did you mean amount?",
                "line 5: part[2].rate: is 5: expected a share between 0 and 1 such as \"0.83\", or in percent \"83%\"",
                "line 6: part[2].zzzzzz: is not a key here: known are rate",
            ]
        );
    }
}
