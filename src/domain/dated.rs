//! Owns values that the law changes from a day on: each with its source, in force until the next.

use crate::domain::calendar::Day;

/// How far a number may be trusted, as its collector marked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Invented for tests; no region ever set it.
    Synthetic,
    Low,
    Fair,
    Good,
    /// A person compared it with the region's own notice.
    Verified,
}

/// One value of one parameter, in force from `from` until the next `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    pub from: Day,
    pub value: T,
    /// Document, number, article.
    pub source: Box<str>,
    /// When a person last compared it with the document.
    pub checked_on: Option<Day>,
    pub trust: Trust,
}

/// Two values of one parameter begin on the same day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two values begin on {0}: keep one of them")]
pub struct TwoFromOneDay(pub Day);

/// All values of one parameter, sorted by the day from which each is in force. May be empty: never set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline<T>(Vec<Dated<T>>);

impl<T> Timeline<T> {
    /// Sorts the values by their days.
    pub fn new(mut values: Vec<Dated<T>>) -> Result<Timeline<T>, TwoFromOneDay> {
        values.sort_by_key(|dated| dated.from);
        let twin = values.windows(2).find(|pair| pair[0].from == pair[1].from);
        match twin {
            Some(pair) => Err(TwoFromOneDay(pair[0].from)),
            None => Ok(Timeline(values)),
        }
    }

    pub fn never() -> Timeline<T> {
        Timeline(Vec::new())
    }

    pub fn is_never_set(&self) -> bool {
        self.0.is_empty()
    }

    /// The value in force on a day; `None` before the first.
    pub fn at(&self, day: Day) -> Option<&Dated<T>> {
        let begun = self.0.partition_point(|dated| dated.from <= day);
        self.0[..begun].last()
    }

    pub fn values(&self) -> impl Iterator<Item = &Dated<T>> {
        self.0.iter()
    }

    /// The days on which something changes.
    pub fn changes(&self) -> impl Iterator<Item = Day> {
        self.0.iter().map(|dated| dated.from)
    }
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Timeline::never()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(from: i32, value: u8) -> Dated<u8> {
        let from = Day::from_number(from).unwrap();
        Dated { from, value, source: "test".into(), checked_on: None, trust: Trust::Synthetic }
    }

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    #[test]
    fn a_value_holds_from_its_day_until_the_next() {
        let line = Timeline::new(vec![dated(20_250_101, 2), dated(20_240_701, 1)]).unwrap();
        for (on, value) in [
            (20_240_630, None),
            (20_240_701, Some(1)),
            (20_241_231, Some(1)),
            (20_250_101, Some(2)),
            (20_990_101, Some(2)),
        ] {
            assert_eq!(line.at(day(on)).map(|dated| dated.value), value, "{on}");
        }
        assert_eq!(line.changes().collect::<Vec<_>>(), [day(20_240_701), day(20_250_101)]);
        assert_eq!(line.values().map(|dated| dated.value).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn two_values_from_one_day_are_refused() {
        let twins = Timeline::new(vec![dated(20_240_701, 1), dated(20_250_101, 3), dated(20_240_701, 2)]);
        assert_eq!(twins, Err(TwoFromOneDay(day(20_240_701))));
    }

    #[test]
    fn a_parameter_that_was_never_set_has_no_value() {
        let never = Timeline::<u8>::default();
        assert!(never.is_never_set());
        assert_eq!(never.at(day(20_260_101)), None);
        assert!(!Timeline::new(vec![dated(20_240_701, 1)]).unwrap().is_never_set());
    }
}
