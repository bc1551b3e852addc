//! Owns the forms in which fields are written: days, instants, yuan, flags, codes. What has no single clear meaning is
//! a fault with its line and column.

use core::fmt;
use std::str::FromStr as _;

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::protocol::files::columns::Column;
use crate::protocol::files::columns::Need;
use crate::protocol::files::columns::Seen;
use crate::protocol::files::faults::Fault;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;

/// Written in a field, it empties what the register holds; an empty field leaves it alone.
pub const EMPTIES: &str = "-";

/// Longest piece of a field that a fault shows.
const SHOWN_MAX: usize = 40;

/// `one of 1, 2, 3`, as a fault says it.
pub(crate) struct OneOf<'a>(pub(crate) &'a [&'static str]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.join(", "))
    }
}

/// One row being read. A method that gives `None` has either found nothing or pushed a fault.
pub struct Cells<'a> {
    header: &'a Header,
    row: &'a Row,
    findings: &'a mut Findings,
}

impl<'a> Cells<'a> {
    pub fn new(header: &'a Header, row: &'a Row, findings: &'a mut Findings) -> Cells<'a> {
        Cells { header, row, findings }
    }

    /// The field as written, blanks around it dropped.
    pub fn raw(&self, column: impl Column) -> &'a str {
        self.header.field(self.row, column.at())
    }

    pub fn is_empty(&self, column: impl Column) -> bool {
        self.raw(column).is_empty()
    }

    pub fn fault(&mut self, column: impl Column, expected: impl Into<String>) {
        let fault = self.about(column, expected.into());
        self.findings.faults.push(fault);
    }

    pub fn warn(&mut self, column: impl Column, expected: impl Into<String>) {
        let warning = self.about(column, expected.into());
        self.findings.warnings.push(warning);
    }

    fn about(&self, column: impl Column, expected: String) -> Fault {
        let at = column.at();
        let open = self.header.spec(at).seen == Seen::Open;
        let found = open.then(|| self.raw(column).chars().take(SHOWN_MAX).collect());
        Fault { line: self.row.line, column: Some(self.header.heading(at).to_owned()), expected, found }
    }

    /// The field of a column that a row must fill; a fault when it is empty.
    fn present(&mut self, column: impl Column) -> Option<&'a str> {
        let field = self.raw(column);
        if field.is_empty() && self.header.spec(column.at()).need == Need::Key {
            self.fault(column, "must be filled in");
        }
        Some(field).filter(|field| !field.is_empty())
    }

    /// Reads a field by `parse`; what `parse` does not take is a fault that says `expected` (written out only then).
    pub fn parsed<T>(
        &mut self,
        column: impl Column,
        expected: impl fmt::Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let field = self.present(column)?;
        let value = parse(field);
        if value.is_none() {
            self.fault(column, format!("expected {expected}"));
        }
        value
    }

    /// Text of at most `characters_max`.
    pub fn text(&mut self, column: impl Column, characters_max: usize) -> Option<String> {
        self.parsed(column, format_args!("at most {characters_max} characters"), |field| {
            let fits = field.chars().count() <= characters_max && !field.chars().any(char::is_control);
            fits.then(|| field.to_owned())
        })
    }

    /// Text that may be emptied: nothing leaves the held value alone, `-` empties it.
    pub fn said(&mut self, column: impl Column, characters_max: usize) -> Option<String> {
        let text = self.text(column, characters_max)?;
        Some(if text == EMPTIES { String::new() } else { text })
    }

    pub fn day(&mut self, column: impl Column) -> Option<Day> {
        self.parsed(column, "a day like 2026-11-24 or 20261124", day)
    }

    /// A last day: nothing, or the end of all days (9999-12-31), is open.
    pub fn last_day(&mut self, column: impl Column) -> Option<Day> {
        if self.raw(column).starts_with("9999") {
            return None;
        }
        self.day(column)
    }

    /// First and last day of an interval; a fault when it ends before it begins.
    pub fn interval(&mut self, from: impl Column, to: impl Column) -> Option<(Day, Option<Day>)> {
        let (first, last) = (self.day(from), self.last_day(to));
        let first = first?;
        if last.is_some_and(|last| last < first) {
            self.fault(to, format!("expected a day not before {first}, on which it begins"));
            return None;
        }
        Some((first, last))
    }

    pub fn flag(&mut self, column: impl Column) -> Option<bool> {
        self.parsed(column, "0 or 1 (否 or 是)", |field| match field {
            "0" | "否" => Some(false),
            "1" | "是" => Some(true),
            _ => None,
        })
    }

    /// A flag that is 0 where nothing is written.
    pub fn flag_or_no(&mut self, column: impl Column) -> bool {
        self.flag(column).unwrap_or(false)
    }

    pub fn yuan(&mut self, column: impl Column) -> Option<Fen> {
        self.parsed(column, "an amount in yuan like 128.50, at most two decimals", yuan)
    }

    pub fn decimal(&mut self, column: impl Column) -> Option<Decimal> {
        self.parsed(column, "a number like 0.10", |field| Decimal::from_str_exact(field).ok())
    }

    pub fn number<T: std::str::FromStr>(&mut self, column: impl Column, expected: &str) -> Option<T> {
        self.parsed(column, expected, |field| field.parse().ok())
    }

    pub fn instant(&mut self, column: impl Column) -> Option<Instant> {
        self.parsed(column, "a day and time like 2026-11-24 08:30:00 (China) or …T08:30:00+08:00", instant)
    }

    pub fn region(&mut self, column: impl Column) -> Option<RegionCode> {
        self.parsed(column, "a region code of six digits", |field| RegionCode::parse(field).ok())
    }

    /// One of a list of codes.
    pub fn code(&mut self, column: impl Column, codes: &[&'static str]) -> Option<&'static str> {
        self.parsed(column, OneOf(codes), |field| codes.iter().copied().find(|code| *code == field))
    }

    pub fn person(&mut self, pool: impl Column, number: impl Column) -> Option<PersonKey> {
        let in_pool = self.region(pool);
        let expected = "a person number of at most 30 characters without blanks";
        let text = self.parsed(number, expected, |field| {
            PersonKey::parse(RegionCode(0), field).ok().map(|key| key.number().to_owned())
        })?;
        PersonKey::parse(in_pool?, &text).ok()
    }

    pub fn source_id(&mut self, column: impl Column) -> Option<MessageId> {
        let expected = "the source's own id, at most 30 characters without blanks";
        self.parsed(column, expected, |field| MessageId::parse(field).ok())
    }
}

/// `2026-11-24`, `2026/11/24` or `20261124`, also with a midnight behind it.
fn day(field: &str) -> Option<Day> {
    let date = field.strip_suffix(" 00:00:00").unwrap_or(field);
    let digits: String = match date.len() {
        8 => date.to_owned(),
        10 => {
            let bytes = date.as_bytes();
            let separated = matches!((bytes[4], bytes[7]), (b'-', b'-') | (b'/', b'/'));
            separated.then(|| [&date[..4], &date[5..7], &date[8..]].concat())?
        }
        _ => return None,
    };
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten().and_then(Day::from_number)
}

/// A day and a time of day; China's time unless an offset says otherwise. A day alone is not an instant.
fn instant(field: &str) -> Option<Instant> {
    const MS_PER_MINUTE: i64 = 60_000;
    const CHINA_MINUTES: i64 = 480;
    let (date, rest) = field.split_once([' ', 'T'])?;
    let (time, minutes) = match rest.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => match rest.rfind(['+', '-']) {
            Some(at) => (&rest[..at], offset_minutes(&rest[at..])?),
            None => (rest, CHINA_MINUTES),
        },
    };
    let moment = moment(day(date)?, time)?;
    let (hour, minute, second) = moment.time();
    let ms_of_day = (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1000;
    let in_china = Instant::start_of(moment.day()).0 + ms_of_day;
    Some(Instant(in_china + (CHINA_MINUTES - minutes) * MS_PER_MINUTE))
}

fn moment(day: Day, time: &str) -> Option<Moment> {
    let whole = time.split_once('.').map_or(time, |(whole, _)| whole);
    let parts: Vec<i8> = whole.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = parts.try_into().ok()?;
    Moment::new(day, hour, minute, second)
}

fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = digits.split_once(':')?;
    let total = i64::from_str(hours).ok()? * 60 + i64::from_str(minutes).ok()?;
    Some(if sign == "-" { -total } else { total })
}

fn yuan(field: &str) -> Option<Fen> {
    let plain = field.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let exact = plain.then(|| Decimal::from_str_exact(field).ok())??;
    Fen::from_yuan(exact).ok()
}

/// Writes an instant in China's time, so that it reads back.
pub fn write_instant(at: Instant) -> String {
    at.moment().to_string()
}

/// Writes a last day; an open one is empty.
pub fn write_last_day(to: Option<Day>) -> String {
    to.map(|day| day.to_string()).unwrap_or_default()
}

pub fn write_flag(flag: bool) -> String {
    if flag { "1" } else { "0" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_their_usual_forms() {
        let expected = Day::from_number(20_261_124);
        for text in ["2026-11-24", "2026/11/24", "20261124", "2026-11-24 00:00:00"] {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in
            ["2026-11-31", "2026-1-2", "26-11-24", "2026-11/24", "2026-11-24 08:00:00", "x", "二〇二六年十"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_needs_a_time_and_is_chinese_unless_it_says_otherwise() {
        let noon_in_china = instant("2026-11-24 12:00:00").unwrap();
        assert_eq!(noon_in_china.moment().to_string(), "2026-11-24 12:00:00");
        for same in ["2026-11-24T12:00:00", "2026-11-24T04:00:00Z", "20261124 12:00:00.500"] {
            assert_eq!(instant(same), Some(noon_in_china), "{same}");
        }
        assert_eq!(instant("2026-11-24T12:00:00+08:00"), Some(noon_in_china));
        assert_eq!(instant("2026-11-23T23:00:00-05:00"), Some(noon_in_china));
        for bad in ["2026-11-24", "2026-11-24 25:00:00", "2026-11-24 12:00", "12:00:00"] {
            assert_eq!(instant(bad), None, "{bad}");
        }
        assert_eq!(instant(&write_instant(noon_in_china)), Some(noon_in_china));
    }

    #[test]
    fn yuan_has_two_decimals_and_no_ornaments() {
        for (text, fen) in [("128.50", 12_850), ("128.5", 12_850), ("128", 12_800), ("-0.01", -1)] {
            assert_eq!(yuan(text), Some(Fen(fen)), "{text}");
        }
        for bad in ["128.505", "1,280.00", "¥128", "1e3", "--1", ".", "1_000", "9999999999999"] {
            assert_eq!(yuan(bad), None, "{bad}");
        }
    }
}
