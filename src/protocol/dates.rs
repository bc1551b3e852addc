//! Owns how dates and times are spelled on the wire, and what each spelling means in Asia/Shanghai.
//!
//! Read are `yyyy-MM-dd`, `yyyy/M/d`, `yyyy.M.d`, `yyyy年M月d日`, each with or without `H:mm[:ss[.fraction]]`
//! behind a blank or a `T`, with `Z` or an offset when the time is whole; `yyyyMMdd`,
//! `yyyyMMddHHmm[ss[SSS]]`; and thirteen digits as milliseconds since 1970. Anything else could mean two
//! things and is refused by returning `None`.

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;

/// A date, with or without a time; a date alone is its midnight.
pub fn moment(text: &str) -> Option<Moment> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return compact(text);
    }
    let (date, time) = split(text);
    let day = separated_date(date)?;
    match time {
        None => Some(Moment::start_of(day)),
        Some(time) => timed(day, time),
    }
}

/// The day of a date with or without a time.
pub fn day(text: &str) -> Option<Day> {
    moment(text).map(Moment::day)
}

/// Whether nothing but its year keeps a text from being a date: what programs send for "never ends", for example.
pub fn is_outside_years(text: &str) -> bool {
    const LEAP_YEAR: &str = "2000";
    let is_instant = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((year, rest)) = text.split_at_checked(4).filter(|_| !is_instant) else { return false };
    digits(year, 4, 4).is_some_and(|year| !Day::YEARS.contains(&year))
        && moment(&format!("{LEAP_YEAR}{rest}")).is_some()
}

/// What programs send for a date that was never set: the first day of their calendar.
pub fn is_unset(text: &str) -> bool {
    ["0001-01-01", "0000-00-00", "0001/1/1", "0001/01/01", "00010101"]
        .iter()
        .any(|first| text.starts_with(first))
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time.trim_start())),
        None => (text, None),
    }
}

fn separated_date(date: &str) -> Option<Day> {
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return compact(date).map(Moment::day);
    }
    let parts = |separator: char| -> Option<[&str; 3]> {
        let mut parts = date.split(separator);
        let three = [parts.next()?, parts.next()?, parts.next()?];
        parts.next().is_none().then_some(three)
    };
    let [year, month, day] = match date.as_bytes().get(4)? {
        b'-' => parts('-')?,
        b'/' => parts('/')?,
        b'.' => parts('.')?,
        _ => chinese_parts(date)?,
    };
    Day::new(digits(year, 4, 4)?, small(month)?, small(day)?)
}

fn chinese_parts(date: &str) -> Option<[&str; 3]> {
    let (year, rest) = date.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    Some([year, month, rest.strip_suffix('日')?])
}

fn timed(day: Day, time: &str) -> Option<Moment> {
    let (clock, offset_minutes) = offset(time)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour = small(parts.next()?)?;
    let minute = exactly_two(parts.next()?)?;
    let second = parts.next().map_or(Some(0), exactly_two)?;
    if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let local = Moment::new(day, hour, minute, second)?;
    let Some(minutes) = offset_minutes else { return Some(local) };
    // The zone may move it past the last day that can be kept.
    let read = in_shanghai(local, minutes);
    Day::from_number(read.day().number()).map(|_| read)
}

/// Splits `Z`, `+08:00` or `-0500` off a time; the offset is in minutes east of UTC.
fn offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let (clock, zone) = time.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match zone.len() {
        6 if zone.as_bytes()[3] == b':' => (zone.get(1..3)?, zone.get(4..6)?),
        5 => (zone.get(1..3)?, zone.get(3..5)?),
        3 => (zone.get(1..3)?, "00"),
        _ => return None,
    };
    let minutes = i64::from(exactly_two(hours)?) * 60 + i64::from(exactly_two(minutes)?);
    Some((clock, Some(sign * minutes)))
}

fn in_shanghai(local: Moment, offset_minutes: i64) -> Moment {
    const MS_PER_MINUTE: i64 = 60_000;
    const SHANGHAI_MINUTES: i64 = 480;
    if offset_minutes == SHANGHAI_MINUTES {
        return local;
    }
    let (hour, minute, second) = local.time();
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let as_if_shanghai = Instant::start_of(local.day()).0 + seconds * 1000;
    Instant(as_if_shanghai + (SHANGHAI_MINUTES - offset_minutes) * MS_PER_MINUTE).moment()
}

fn compact(text: &str) -> Option<Moment> {
    let two = |from: usize| text.get(from..from + 2).and_then(exactly_two);
    let day = || Day::new(digits(&text[..4], 4, 4)?, two(4)?, two(6)?);
    match text.len() {
        8 => day().map(Moment::start_of),
        12 => Moment::new(day()?, two(8)?, two(10)?, 0),
        14 | 17 => Moment::new(day()?, two(8)?, two(10)?, two(12)?),
        13 => since_1970(text),
        _ => None,
    }
}

/// Thirteen digits are milliseconds only where they fall into years in which someone could have sent them.
fn since_1970(text: &str) -> Option<Moment> {
    let moment = Instant(text.parse().ok()?).moment();
    (1990..2100).contains(&moment.day().year()).then_some(moment)
}

fn digits(text: &str, least: usize, most: usize) -> Option<i16> {
    let plain = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn small(text: &str) -> Option<i8> {
    digits(text, 1, 2).and_then(|number| i8::try_from(number).ok())
}

fn exactly_two(text: &str) -> Option<i8> {
    digits(text, 2, 2).and_then(|number| i8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_has_many_spellings() {
        let spellings = [
            "2026-11-24 08:30:05",
            "2026-11-24T08:30:05",
            "2026-11-24T08:30:05+08:00",
            "2026-11-24T08:30:05+0800",
            "2026-11-24T00:30:05Z",
            "2026-11-23T19:30:05.000-05:00",
            "2026-11-24 08:30:05.123",
            "2026/11/24 8:30:05",
            "2026.11.24 08:30:05",
            "2026年11月24日 08:30:05",
            "20261124083005",
            "20261124 08:30:05",
            "20261124083005123",
            "1795480205000",
        ];
        for text in spellings {
            let read = moment(text).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), Some("2026-11-24 08:30:05"), "{text}");
        }
    }

    #[test]
    fn a_date_alone_is_its_midnight_and_a_time_does_not_hide_the_day() {
        for text in ["2026-1-5", "2026/01/05", "20260105", "2026年1月5日", "2026-01-05 00:00", "202601050000"]
        {
            assert_eq!(moment(text).map(|m| m.to_string()).as_deref(), Some("2026-01-05 00:00:00"), "{text}");
        }
        assert_eq!(day("2026-01-05 23:59:59"), Day::new(2026, 1, 5));
    }

    #[test]
    fn another_zone_may_mean_another_day() {
        for (text, shanghai) in [
            ("2026-11-27T15:59:59Z", "2026-11-27 23:59:59"),
            ("2026-11-27T16:00:00Z", "2026-11-28 00:00:00"),
            ("2026-11-28 00:30:00+09:00", "2026-11-27 23:30:00"),
            ("2026-12-31T18:00:00-05:00", "2027-01-01 07:00:00"),
        ] {
            assert_eq!(moment(text).map(|m| m.to_string()).as_deref(), Some(shanghai), "{text}");
        }
    }

    #[test]
    fn a_year_that_no_date_has_is_told_from_a_date_of_no_form() {
        for text in
            ["9999-12-31 00:00:00", "2999-01-01", "2200/1/1", "1066年10月14日", "9996-02-29", "99991231"]
        {
            assert!(moment(text).is_none() && is_outside_years(text), "{text}");
        }
        for text in ["2199-12-31", "1900-01-01", "9999-13-01", "9999", "x999-12-31", "0000000000000", "中文"]
        {
            assert!(!is_outside_years(text), "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        let refused = [
            "24/11/2026",
            "11-24-2026",
            "26-11-24",
            "2026-11",
            "2026-02-30",
            "2026-11-24 24:00:00",
            "2026-11-24 8:3",
            "2026-11-24 08:30:05 PM",
            "2026/11/24 上午 8:30:05",
            "1795480205",
            "2026112",
            "0000000000000",
            "now",
            "T",
            "2026-11/24",
            "2026-11-24 08:30:05+8",
            "Tue Nov 24 08:30:05 CST 2026",
            "2026-11-24 08:30:05.",
            "2026111",
            "２０２６",
            "-2026-1-1",
            "2026-11-24T08:30:05+99:9x",
            "2199-12-31T16:00:00Z",
            "1900-01-01T00:00:00+09:00",
        ];
        for text in refused {
            assert_eq!(moment(text), None, "{text}");
        }
        assert!(is_unset("0001-01-01 00:00:00") && !is_unset("2026-01-01"));
    }
}
