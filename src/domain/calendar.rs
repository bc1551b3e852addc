//! Owns time as the law reads it: civil days, instants, benefit years and settlement months.

use core::fmt;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;

/// A civil day in China.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The years in which a day may lie.
    pub const YEARS: core::ops::RangeInclusive<i16> = 1900..=2199;

    /// `None` for a day that the calendar does not have, or one outside [`Day::YEARS`].
    pub fn new(year: i16, month: i8, day: i8) -> Option<Day> {
        let plausible = Self::YEARS.contains(&year);
        Date::new(year, month, day).ok().filter(|_| plausible).map(Day)
    }

    /// From `20261124`, the form in which ledgers and files keep days.
    pub fn from_number(yyyymmdd: i32) -> Option<Day> {
        let year = i16::try_from(yyyymmdd / 10_000).ok()?;
        let month = i8::try_from(yyyymmdd / 100 % 100).ok()?;
        let day = i8::try_from(yyyymmdd % 100).ok()?;
        Day::new(year, month, day)
    }

    pub fn number(self) -> i32 {
        i32::from(self.0.year()) * 10_000 + i32::from(self.0.month()) * 100 + i32::from(self.0.day())
    }

    pub fn year(self) -> i32 {
        i32::from(self.0.year())
    }

    pub fn month(self) -> Month {
        Month { year: self.0.year(), month: self.0.month() }
    }

    pub fn next(self) -> Day {
        self.plus_days(1)
    }

    pub fn previous(self) -> Day {
        self.plus_days(-1)
    }

    pub fn plus_days(self, days: i32) -> Day {
        Day(self.0.saturating_add(days.days()))
    }

    /// The same day some months later; the last day of that month where it has fewer days.
    pub fn plus_months(self, months: i32) -> Day {
        Day(self.0.saturating_add(months.months()))
    }

    /// Whole days from `earlier` to `self`.
    pub fn days_since(self, earlier: Day) -> i32 {
        let hours = self.0.duration_since(earlier.0).as_hours();
        i32::try_from(hours / 24).unwrap_or(i32::MAX)
    }

    /// Full years from `birth` to `self`: the age in years.
    pub fn years_since(self, birth: Day) -> i32 {
        let years = self.year() - birth.year();
        let had_birthday = (self.0.month(), self.0.day()) >= (birth.0.month(), birth.0.day());
        if had_birthday { years } else { years - 1 }
    }

    pub fn date(self) -> Date {
        self.0
    }
}

/// `2026-11-24`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A civil date and time in China, to the second, as a hospital writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime);

impl Moment {
    pub fn new(day: Day, hour: i8, minute: i8, second: i8) -> Option<Moment> {
        jiff::civil::Time::new(hour, minute, second, 0).ok().map(|time| Moment(day.0.to_datetime(time)))
    }

    /// Midnight at the beginning of the day: what a date without a time means.
    pub fn start_of(day: Day) -> Moment {
        Moment(day.0.to_datetime(jiff::civil::Time::midnight()))
    }

    pub fn day(self) -> Day {
        Day(self.0.date())
    }

    /// `(hour, minute, second)`.
    pub fn time(self) -> (i8, i8, i8) {
        (self.0.hour(), self.0.minute(), self.0.second())
    }

    /// yyyymmddhhmmss
    pub fn number(self) -> i64 {
        let (hour, minute, second) = self.time();
        let clock = i64::from(hour) * 10_000 + i64::from(minute) * 100 + i64::from(second);
        i64::from(self.day().number()) * 1_000_000 + clock
    }
}

/// `2026-11-24 08:30:00`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.date(), self.0.time())
    }
}

/// Milliseconds since 1970-01-01 UTC. Read from a clock only at the edge and, for a settlement, in the ledger's lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// Asia/Shanghai has kept UTC+8 without summer time since 1991.
const SHANGHAI_OFFSET_MS: i64 = 8 * 3_600_000;
const MS_PER_DAY: i64 = 86_400_000;

impl Instant {
    /// What `moment` drops: 0–999.
    pub fn millisecond(self) -> u16 {
        u16::try_from(self.0.rem_euclid(1000)).unwrap_or_default()
    }

    /// Date and time in Asia/Shanghai, milliseconds dropped.
    pub fn moment(self) -> Moment {
        let local = self.0.saturating_add(SHANGHAI_OFFSET_MS);
        let days = i32::try_from(local.div_euclid(MS_PER_DAY)).unwrap_or(i32::MAX);
        let second_of_day = local.rem_euclid(MS_PER_DAY) / 1000;
        let part = |seconds: i64, within: i64| {
            i8::try_from(second_of_day / seconds % within).expect("a part of a day is below 60")
        };
        let time = Time::constant(part(3600, 24), part(60, 60), part(1, 60), 0);
        Moment(Date::constant(1970, 1, 1).saturating_add(days.days()).to_datetime(time))
    }

    pub fn day(self) -> Day {
        self.moment().day()
    }

    /// The first instant of a day in Asia/Shanghai.
    pub fn start_of(day: Day) -> Instant {
        let epoch = Day(Date::constant(1970, 1, 1));
        Instant(i64::from(day.days_since(epoch)) * MS_PER_DAY - SHANGHAI_OFFSET_MS)
    }
}

/// A calendar month, e.g. a settlement month (`setlym`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    pub fn from_number(yyyymm: i32) -> Option<Month> {
        let first = Day::from_number(yyyymm.checked_mul(100)?.checked_add(1)?)?;
        Some(first.month())
    }

    pub fn number(self) -> i32 {
        i32::from(self.year) * 100 + i32::from(self.month)
    }

    pub fn first_day(self) -> Day {
        Day(Date::constant(self.year, self.month, 1))
    }

    pub fn next(self) -> Month {
        self.first_day().plus_months(1).month()
    }
}

/// `202611`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.number())
    }
}

/// The day on which a pool's benefit year begins: 1 January in most, 1 July in some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct YearStart {
    month: i8,
    day: i8,
}

impl YearStart {
    pub const JANUARY: YearStart = YearStart { month: 1, day: 1 };

    /// `None` unless every year has that day (29 February is not a beginning).
    pub fn new(month: i8, day: i8) -> Option<YearStart> {
        Day::new(2001, month, day).map(|_| YearStart { month, day })
    }

    pub fn month_and_day(self) -> (i8, i8) {
        (self.month, self.day)
    }

    /// The benefit year that holds a day.
    pub fn year_of(self, day: Day) -> BenefitYear {
        let begun = (day.0.month(), day.0.day()) >= (self.month, self.day);
        BenefitYear(if begun { day.year() } else { day.year() - 1 })
    }

    /// First and last day of a benefit year.
    pub fn bounds(self, year: BenefitYear) -> Option<(Day, Day)> {
        let first = |y: i32| i16::try_from(y).ok().and_then(|y| Day::new(y, self.month, self.day));
        Some((first(year.0)?, first(year.0 + 1)?.previous()))
    }
}

/// A benefit year (待遇年度), named by the calendar year in which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BenefitYear(pub i32);

impl fmt::Display for BenefitYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    #[test]
    fn days_read_back_as_numbers() {
        assert_eq!(day(20_261_124).number(), 20_261_124);
        assert_eq!(day(20_261_124).to_string(), "2026-11-24");
        for bad in [20_260_229, 20_261_301, 0, -1, i32::MAX, 18_991_231, 22_000_101] {
            assert_eq!(Day::from_number(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_instant_is_a_day_in_shanghai() {
        let first_of_2026 = Instant(1_767_196_800_000);
        assert_eq!(first_of_2026.moment().to_string(), "2026-01-01 00:00:00");
        assert_eq!(Instant(first_of_2026.0 - 1).moment().to_string(), "2025-12-31 23:59:59");
        assert_eq!(Instant::start_of(day(20_260_101)), first_of_2026);
    }

    #[test]
    fn months_later_ends_on_a_day_that_exists() {
        assert_eq!(day(20_260_831).plus_months(6), day(20_270_228));
        assert_eq!(day(20_261_231).next(), day(20_270_101));
        assert_eq!(day(20_260_301).days_since(day(20_260_201)), 28);
    }

    #[test]
    fn age_counts_birthdays() {
        assert_eq!(day(20_261_123).years_since(day(19_561_124)), 69);
        assert_eq!(day(20_261_124).years_since(day(19_561_124)), 70);
    }

    #[test]
    fn a_benefit_year_may_begin_in_july() {
        let july = YearStart::new(7, 1).unwrap();
        assert_eq!(july.year_of(day(20_260_630)), BenefitYear(2025));
        assert_eq!(july.year_of(day(20_260_701)), BenefitYear(2026));
        assert_eq!(july.bounds(BenefitYear(2025)), Some((day(20_250_701), day(20_260_630))));
        assert_eq!(YearStart::new(2, 29), None);
        assert_eq!(YearStart::JANUARY.year_of(day(20_260_101)), BenefitYear(2026));
    }

    #[test]
    fn months_read_back_as_numbers() {
        assert_eq!(Month::from_number(202_612).unwrap().next().number(), 202_701);
        assert_eq!(Month::from_number(202_613), None);
        assert_eq!(Month::from_number(202_611).unwrap().to_string(), "202611");
    }

    #[test]
    fn days_moments_and_beginnings_of_years_give_back_what_they_were_made_of() {
        let moment = Moment::new(day(20_261_124), 8, 30, 59).unwrap();
        assert_eq!((moment.day(), moment.time()), (day(20_261_124), (8, 30, 59)));
        assert_eq!(day(20_261_124).date(), Date::constant(2026, 11, 24));
        assert_eq!(YearStart::new(7, 2).unwrap().month_and_day(), (7, 2));
        assert_eq!(BenefitYear(2026).to_string(), "2026");
    }
}
