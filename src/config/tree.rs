//! Owns the neutral form of a written file: TOML or JSON as a tree whose numbers are still text, so none is rounded.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::value::Datetime;

use crate::domain::calendar::Day;

/// Most significant digits of a JSON number that survive the way through a reader.
const EXACT_DIGITS_MAX: usize = 15;

/// What some editors put before a text.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// What is wrong with a file whose bytes are no text.
pub const NOT_UTF8: &str = "is not UTF-8: save the file as UTF-8";

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// From 1; `None` where the format does not tell (JSON).
    pub line: Option<usize>,
    pub node: Node,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(String),
    /// Digits as written.
    Number(String),
    Flag(bool),
    Day(Day),
    /// JSON null: as if the key were not there.
    Nothing,
    List(Vec<Spot>),
    Table(Vec<(String, Spot)>),
    /// Something that no file of ours holds, with what it is.
    Strange(String),
}

/// Why a text is not TOML or JSON at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct NotReadable {
    pub line: Option<usize>,
    pub message: String,
}

impl Node {
    /// The value as a person wrote it, for messages.
    pub fn shown(&self) -> String {
        match self {
            Node::Text(text) => format!("{text:?}"),
            Node::Number(digits) => digits.clone(),
            Node::Flag(flag) => flag.to_string(),
            Node::Day(day) => day.to_string(),
            Node::Nothing => "null".to_owned(),
            Node::List(items) => format!("a list of {}", items.len()),
            Node::Table(_) => "a table".to_owned(),
            Node::Strange(what) => what.clone(),
        }
    }
}

/// Reads TOML.
///
/// # Errors
/// The first place where it is not TOML.
pub fn from_toml(text: &str) -> Result<Spot, NotReadable> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| lines.number(&span));
        let written = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
        let message = match chinese_quote(written) {
            Some(quote) => format!("holds the Chinese quote {quote}: write straight quotes \"\""),
            None => error.message().to_owned(),
        };
        NotReadable { line, message }
    })?;
    Ok(Spot { line: Some(1), node: table_node(table.get_ref(), &lines) })
}

/// Reads JSON.
///
/// # Errors
/// The first place where it is not JSON, or a key that an object holds twice.
pub fn from_json(text: &str) -> Result<Spot, NotReadable> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    serde_json::from_str(text).map_err(|error| NotReadable { line: None, message: error.to_string() })
}

/// A Chinese quote of a line that no straight quotes hold, remarks apart.
fn chinese_quote(line: &str) -> Option<char> {
    let (mut inside, mut last) = (false, None);
    for letter in line.chars() {
        match letter {
            '"' => inside = !inside,
            '#' if !inside => return None,
            '“' | '”' | '‘' | '’' | '＂' if !inside => return Some(letter),
            '“' | '”' | '‘' | '’' | '＂' => last = Some(letter),
            _ => {}
        }
    }
    // Begun with a straight quote and ended with a Chinese one.
    last.filter(|_| inside)
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect())
    }

    fn number(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|start| *start <= span.start)
    }
}

fn table_node(table: &DeTable<'_>, lines: &Lines) -> Node {
    let entries = table.iter().map(|(key, value)| {
        let node = toml_node(value.get_ref(), lines);
        (key.get_ref().to_string(), Spot { line: Some(lines.number(&key.span())), node })
    });
    Node::Table(entries.collect())
}

fn toml_node(value: &DeValue<'_>, lines: &Lines) -> Node {
    match value {
        DeValue::String(text) => Node::Text(text.to_string()),
        DeValue::Integer(digits) if digits.radix() == 10 => Node::Number(digits.as_str().to_owned()),
        DeValue::Integer(digits) => Node::Strange(format!("the number {digits} not written in tens")),
        DeValue::Float(digits) => Node::Number(digits.as_str().to_owned()),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Datetime(when) => day_node(when),
        DeValue::Array(items) => {
            let item = |value: &toml::Spanned<DeValue<'_>>| Spot {
                line: Some(lines.number(&value.span())),
                node: toml_node(value.get_ref(), lines),
            };
            Node::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => table_node(table, lines),
    }
}

fn day_node(when: &Datetime) -> Node {
    let day = when.date.and_then(|date| {
        let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
        Day::new(i16::try_from(date.year).ok()?, month, day)
    });
    day.map_or_else(|| Node::Strange(format!("the time {when}")), Node::Day)
}

impl<'de> Deserialize<'de> for Spot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spot, D::Error> {
        let node = deserializer.deserialize_any(NodeVisitor)?;
        Ok(Spot { line: None, node })
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.to_string()))
    }

    /// The shortest text that means this number is the text that was written, as long as it has few enough digits.
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        let written = number.to_string();
        let digits = written.bytes().filter(u8::is_ascii_digit).count();
        if digits > EXACT_DIGITS_MAX {
            return Ok(Node::Strange(format!("{written}, which may have lost digits: write it as text")));
        }
        Ok(Node::Number(written))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table: Vec<(String, Spot)> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Spot>()? {
            if table.iter().any(|(seen, _)| *seen == key) {
                return Err(A::Error::custom(format!("the key {key} stands twice: keep one")));
            }
            table.push((key, value));
        }
        Ok(Node::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(spot: &'a Spot, key: &str) -> &'a Spot {
        match &spot.node {
            Node::Table(entries) => &entries.iter().find(|(name, _)| name == key).unwrap().1,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn toml_keeps_digits_lines_and_days() {
        let tree = from_toml("a = 900.10\n\nb = \"x\"\nc = 2026-11-24\nd = 0x10\n").unwrap();
        assert_eq!(entry(&tree, "a"), &Spot { line: Some(1), node: Node::Number("900.10".into()) });
        assert_eq!(entry(&tree, "b").line, Some(3));
        assert_eq!(entry(&tree, "c").node.shown(), "2026-11-24");
        assert!(matches!(entry(&tree, "d").node, Node::Strange(_)));
        assert_eq!(from_toml("a = 1\nb = = 2").unwrap_err().line, Some(2));
        assert!(from_toml("a = 1\na = 2").is_err());
    }

    #[test]
    fn chinese_quotes_are_named_where_they_break_a_line() {
        for wrong in ["name = “江门”", "name = \"江门”", "name = ‘江门’", "“name” = 1"] {
            let told = from_toml(&format!("a = 1\n{wrong}\n")).unwrap_err();
            assert_eq!(told.line, Some(2), "{wrong}");
            assert!(told.message.contains("write straight quotes"), "{wrong}: {told}");
        }
        assert!(from_toml("a = \"“x”\" # “y”").is_ok());
        assert!(!from_toml("a = \"“x”\" = # “y”").unwrap_err().message.contains("straight"));
        assert!(from_toml("\u{feff}a = 1").is_ok());
        assert!(from_json("\u{feff}{\"a\": 1}").is_ok());
    }

    #[test]
    fn json_keeps_what_was_written_or_says_that_it_cannot() {
        let tree = from_json(r#"{"a": 37029.50, "b": 1234567890.1234567, "c": null, "d": [true]}"#).unwrap();
        assert_eq!(entry(&tree, "a").node, Node::Number("37029.5".into()));
        assert!(matches!(entry(&tree, "b").node, Node::Strange(_)));
        assert_eq!(entry(&tree, "c").node, Node::Nothing);
        assert_eq!(entry(&tree, "d").node.shown(), "a list of 1");
        assert!(from_json(r#"{"a": 1, "a": 2}"#).unwrap_err().message.contains("stands twice"));
    }
}
