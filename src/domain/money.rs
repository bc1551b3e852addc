//! Owns money and rates: whole fen, exact rates, and the gateway's one rounding rule.

use core::fmt;
use core::iter::Sum;
use core::ops::Add;
use core::ops::AddAssign;
use core::ops::Neg;
use core::ops::Sub;

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;
use rust_decimal::prelude::ToPrimitive;

/// Whole fen; 1 yuan = 100 fen, so `Fen(12_850)` is 128.50 yuan. Negative only in refunds and reversals.
///
/// Amounts are bounded by [`Fen::LIMIT`] where they enter (`Fen::from_yuan`, `Fen::round`), so that sums of any bill
/// the gateway accepts stay far inside `i64`; arithmetic that leaves `i64` all the same is a broken invariant and
/// panics (overflow checks are on in every profile) instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(pub i64);

/// The amount does not fit: more than [`Fen::LIMIT`] away from zero, or the exact product overflowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("amount is out of range (at most 100 000 000 000.00 yuan)")]
pub struct OutOfRange;

/// Why a text is not an amount in yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    #[error("expected an amount in yuan like 128.50")]
    Malformed,
    #[error("expected at most two decimals")]
    TooManyDecimals,
    #[error("amount is out of range (at most 100 000 000 000.00 yuan)")]
    OutOfRange,
}

impl Fen {
    pub const ZERO: Fen = Fen(0);
    /// Largest absolute amount that enters: 100 billion yuan, more than any pool holds.
    pub const LIMIT: Fen = Fen(10_000_000_000_000);

    /// The only door from exact arithmetic (in yuan) back to money: half a fen goes away from zero.
    /// Sum the exact terms first, round once.
    pub fn round(yuan: Decimal) -> Result<Fen, OutOfRange> {
        let cents = yuan.checked_mul(Decimal::ONE_HUNDRED).ok_or(OutOfRange)?;
        let whole = cents.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        let fen = Fen(whole.to_i64().ok_or(OutOfRange)?);
        if fen.abs() > Fen::LIMIT { Err(OutOfRange) } else { Ok(fen) }
    }

    /// An exact amount in yuan, such as a pack or a written stay gives it. More than two decimals is an error,
    /// trailing zeros are not.
    pub fn from_yuan(yuan: Decimal) -> Result<Fen, NotMoney> {
        if yuan.normalize().scale() > 2 {
            return Err(NotMoney::TooManyDecimals);
        }
        Fen::round(yuan).map_err(|OutOfRange| NotMoney::OutOfRange)
    }

    /// The same amount as exact yuan.
    pub fn yuan(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    pub fn abs(self) -> Fen {
        Fen(self.0.abs())
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// `max(0, self)`: no fund, base or room under a cap is ever negative on a forward bill.
    pub fn or_zero(self) -> Fen {
        self.max(Fen::ZERO)
    }

    /// `max(0, self − other)`.
    pub fn less(self, other: Fen) -> Fen {
        (self - other).or_zero()
    }
}

impl Add for Fen {
    type Output = Fen;
    fn add(self, other: Fen) -> Fen {
        Fen(self.0 + other.0)
    }
}

impl Sub for Fen {
    type Output = Fen;
    fn sub(self, other: Fen) -> Fen {
        Fen(self.0 - other.0)
    }
}

impl Neg for Fen {
    type Output = Fen;
    fn neg(self) -> Fen {
        Fen(-self.0)
    }
}

impl AddAssign for Fen {
    fn add_assign(&mut self, other: Fen) {
        *self = *self + other;
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Fen>>(amounts: I) -> Fen {
        amounts.fold(Fen::ZERO, Add::add)
    }
}

/// Yuan with exactly two decimals: `-128.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        f.pad_integral(true, "", &format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100))
    }
}

/// An exact rate: 0.83 is 83 %. Between 0 and 1 unless the name of the field says otherwise (a multiplier, a factor).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub Decimal);

impl Rate {
    pub const ZERO: Rate = Rate(Decimal::ZERO);
    pub const ONE: Rate = Rate(Decimal::ONE);

    /// The rate forced between 0 and 1.
    pub fn clamped(self) -> Rate {
        Rate(self.0.clamp(Decimal::ZERO, Decimal::ONE))
    }

    /// `round2(amount × rate)`.
    pub fn of(self, amount: Fen) -> Result<Fen, OutOfRange> {
        Fen::round(amount.yuan().checked_mul(self.0).ok_or(OutOfRange)?)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Fen;
    use super::NotMoney;
    use super::Rate;
    use rust_decimal::Decimal;

    #[test]
    fn half_a_fen_goes_away_from_zero() {
        for (exact, fen) in
            [("29987.485", 2_998_749), ("-29987.485", -2_998_749), ("0.004", 0), ("-0.005", -1)]
        {
            let exact: Decimal = exact.parse().unwrap();
            assert_eq!(Fen::round(exact), Ok(Fen(fen)), "{exact}");
        }
    }

    #[test]
    fn amounts_print_as_yuan_with_two_decimals() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (12_850, "128.50"), (-12_850, "-128.50")]
        {
            assert_eq!(Fen(fen).to_string(), text);
        }
        assert_eq!(format!("{:>10}", Fen(12_850)), "    128.50");
    }

    #[test]
    fn a_third_decimal_is_refused_and_a_trailing_zero_is_not() {
        assert_eq!(Fen::from_yuan(Decimal::new(128_500, 3)), Ok(Fen(12_850)));
        assert_eq!(Fen::from_yuan(Decimal::new(128_505, 3)), Err(NotMoney::TooManyDecimals));
        assert_eq!(Fen::from_yuan(Decimal::new(100_000_000_001, 0)), Err(NotMoney::OutOfRange));
        assert_eq!(Fen::from_yuan(Decimal::new(-100_000_000_000, 0)), Ok(-Fen::LIMIT));
    }

    #[test]
    fn room_under_a_cap_is_never_negative() {
        assert_eq!(Fen(5).less(Fen(7)), Fen::ZERO);
        assert_eq!(Fen(7).less(Fen(5)), Fen(2));
    }

    #[test]
    fn a_rate_is_forced_between_nothing_and_everything() {
        assert_eq!(Rate(Decimal::new(-1, 1)).clamped(), Rate::ZERO);
        assert_eq!(Rate(Decimal::new(11, 1)).clamped(), Rate::ONE);
        assert_eq!(Rate(Decimal::new(83, 2)).of(Fen(3_612_950)), Ok(Fen(2_998_749)));
    }

    #[test]
    fn a_rate_is_written_as_it_is() {
        assert_eq!(Rate(Decimal::new(83, 2)).to_string(), "0.83");
    }
}
