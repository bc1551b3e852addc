//! Owns the meaning of one raw value under its table line: text, code, flag, number, date, or why it is none.

use std::borrow::Cow;

use crate::domain::ids::RegionCode;
use crate::protocol::dates;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::codes::CodeTable;
use crate::protocol::hospital::field::Class;
use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Kind;
use crate::protocol::hospital::row::Value;
use crate::protocol::wire;

/// Longest value that a sentence repeats, in characters.
const ECHO_MAX: usize = 16;
/// Identifiers of the gateway and of institutions: no blanks inside up to this length (`domain::ids`).
const IDENTIFIER_LENGTH: u16 = 30;

/// What a raw JSON value is.
enum Leaf<'m> {
    Nothing,
    Text(Cow<'m, str>),
    Number(&'m str),
    Bool(bool),
    Nested(&'m str),
}

/// `None` for text with an escape that means nothing.
fn leaf(raw: &str) -> Option<Leaf<'_>> {
    Some(match raw.as_bytes().first() {
        Some(b'"') => text_leaf(unquoted(raw)?),
        Some(b'{' | b'[') => Leaf::Nested(raw),
        Some(b't') => Leaf::Bool(true),
        Some(b'f') => Leaf::Bool(false),
        Some(b'n') | None => Leaf::Nothing,
        Some(_) => Leaf::Number(raw),
    })
}

fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    if inner.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

fn text_leaf(text: Cow<'_, str>) -> Leaf<'_> {
    let text = trim(text);
    if wire::is_nothing(&text) { Leaf::Nothing } else { Leaf::Text(text) }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(wire::trimmed(text)),
        Cow::Owned(text) => Cow::Owned(wire::trimmed(&text).to_owned()),
    }
}

/// Text or number as text, half-width, without blanks around it. `None` for what is neither.
pub(crate) fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    match leaf(raw)? {
        Leaf::Text(text) => Some(trim(wire::half_width(text))),
        Leaf::Number(number) => Some(Cow::Borrowed(number)),
        Leaf::Nothing | Leaf::Bool(_) | Leaf::Nested(_) => None,
    }
}

/// Reads a raw value as its field has it. `Absent` for what says nothing.
pub(crate) fn decode<'m>(field: &Field, raw: &'m str) -> Result<Value<'m>, Trouble> {
    let leaf = match leaf(raw).ok_or(Trouble::BrokenEscape)? {
        Leaf::Nothing => return Ok(Value::Absent),
        leaf => leaf,
    };
    match field.kind {
        Kind::Text(max) => text(field, leaf, max),
        Kind::Code(table) => code(leaf, table),
        Kind::Flag => flag(leaf),
        Kind::Json(max) => json(leaf, max),
        Kind::Money | Kind::Exact(..) | Kind::Whole(_) | Kind::Day | Kind::Moment | Kind::Region => {
            plain(field, leaf)
        }
    }
}

fn text<'m>(field: &Field, leaf: Leaf<'m>, max: u16) -> Result<Value<'m>, Trouble> {
    let text = match leaf {
        Leaf::Text(text) => text,
        // 1.0E10 is how a spreadsheet spells an identifier that it has spoilt.
        Leaf::Number(number) if field.class.is_strict() && number.contains(['.', 'e', 'E']) => {
            return Err(Trouble::NotText);
        }
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(_) | Leaf::Nested(_) | Leaf::Nothing => return Err(Trouble::NotText),
    };
    let text = if field.class.is_strict() { identifier(text) } else { text };
    if text.len() > usize::from(max) && text.chars().count() > usize::from(max) {
        return Err(Trouble::TooLong { max: usize::from(max) });
    }
    let is_identifier = field.class == Class::Key && max <= IDENTIFIER_LENGTH || field.wire == "psn_no";
    if is_identifier && text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Trouble::Blank);
    }
    Ok(Value::Text(text))
}

/// Half-width, and an identity number of eighteen digits with its check letter in upper case.
fn identifier(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = trim(wire::half_width(text));
    let is_identity_number =
        text.len() == 18 && text.ends_with('x') && text.bytes().take(17).all(|byte| byte.is_ascii_digit());
    if is_identity_number { Cow::Owned(text.to_ascii_uppercase()) } else { text }
}

fn code<'m>(leaf: Leaf<'m>, table: &'static CodeTable) -> Result<Value<'m>, Trouble> {
    let sent = match leaf {
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(yes) => Cow::Borrowed(if yes { "1" } else { "0" }),
        Leaf::Nested(_) | Leaf::Nothing => return Err(Trouble::NotText),
    };
    let known = table.canonical(&sent);
    known
        .map(|code| Value::Text(Cow::Borrowed(code)))
        .ok_or_else(|| Trouble::UnknownCode { table, got: echo(&sent) })
}

fn flag(leaf: Leaf<'_>) -> Result<Value<'_>, Trouble> {
    let sent = match leaf {
        Leaf::Bool(yes) => return Ok(Value::Flag(yes)),
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Nested(_) | Leaf::Nothing => return Err(Trouble::NotText),
    };
    wire::flag(&sent).map(Value::Flag).ok_or_else(|| Trouble::NotFlag { got: echo(&sent) })
}

fn json(leaf: Leaf<'_>, max: u16) -> Result<Value<'_>, Trouble> {
    let content = match leaf {
        Leaf::Text(text) => text,
        Leaf::Number(raw) | Leaf::Nested(raw) => Cow::Borrowed(raw),
        Leaf::Bool(_) | Leaf::Nothing => return Ok(Value::Absent),
    };
    if content.chars().count() > usize::from(max) {
        return Err(Trouble::TooLong { max: usize::from(max) });
    }
    Ok(Value::Text(content))
}

/// Numbers, dates and regions: text or number, read by `wire` and `dates`.
fn plain<'m>(field: &Field, leaf: Leaf<'m>) -> Result<Value<'m>, Trouble> {
    let sent = match leaf {
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(_) | Leaf::Nested(_) | Leaf::Nothing => Cow::Borrowed(""),
    };
    let read = match field.kind {
        Kind::Money => wire::money(&sent).map(Value::Money),
        Kind::Exact(precision, scale) => wire::exact(&sent, precision, scale).map(Value::Exact),
        Kind::Whole(precision) => wire::whole(&sent, precision).map(Value::Whole),
        Kind::Day | Kind::Moment if dates::is_unset(&sent) => Some(Value::Absent),
        Kind::Day => dates::day(&sent).map(Value::Day),
        Kind::Moment => dates::moment(&sent).map(Value::Moment),
        Kind::Region => RegionCode::parse(&sent).ok().map(Value::Region),
        Kind::Text(_) | Kind::Code(_) | Kind::Flag | Kind::Json(_) => None,
    };
    read.ok_or_else(|| not_plain(field.kind, &sent))
}

fn not_plain(kind: Kind, sent: &str) -> Trouble {
    let got = echo(sent);
    match kind {
        Kind::Money if wire::is_too_large(sent) => Trouble::AmountTooLarge { got },
        Kind::Money => Trouble::NotMoney { got },
        Kind::Exact(digits, decimals) => Trouble::NotNumber { digits, decimals, got },
        Kind::Whole(digits) => Trouble::NotNumber { digits, decimals: 0, got },
        Kind::Day | Kind::Moment if dates::is_outside_years(sent) => Trouble::OutsideYears { got },
        Kind::Day => Trouble::NotDay { got },
        Kind::Moment => Trouble::NotMoment { got },
        Kind::Region => Trouble::NotRegion { got },
        Kind::Text(_) | Kind::Code(_) | Kind::Flag | Kind::Json(_) => Trouble::NotText,
    }
}

fn echo(sent: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = sent.chars().take(ECHO_MAX).map(clean).collect();
    if sent.chars().count() > ECHO_MAX {
        short.push('…');
    }
    short
}
