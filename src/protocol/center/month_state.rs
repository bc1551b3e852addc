//! Owns how far a month is: whether its figures are the last ones.

use std::cmp::Ordering;

use crate::domain::calendar::Month;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthState {
    NotBegun,
    Open,
    Ended,
}

impl MonthState {
    pub fn of(month: Month, running: Month) -> MonthState {
        match month.cmp(&running) {
            Ordering::Less => MonthState::Ended,
            Ordering::Equal => MonthState::Open,
            Ordering::Greater => MonthState::NotBegun,
        }
    }

    /// Stable, for programs.
    pub fn code(self) -> &'static str {
        match self {
            MonthState::NotBegun => "not begun",
            MonthState::Open => "open",
            MonthState::Ended => "ended",
        }
    }

    /// Why the figures of a month are not the last ones.
    pub fn hint(self) -> Option<(&'static str, &'static str)> {
        match self {
            MonthState::NotBegun => Some(("本月尚未开始。", "The month has not begun yet.")),
            MonthState::Open => Some((
                "本月尚未结束，数字会随新的结算变化。",
                "The month is still running; figures move with every settlement.",
            )),
            MonthState::Ended => None,
        }
    }
}
