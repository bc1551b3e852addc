//! Owns what a person has used of her benefits in a year: the totals, and what one bill changes in them.

use core::ops::Add;
use core::ops::Neg;
use core::ops::Sub;

use crate::domain::calendar::BenefitYear;
use crate::domain::money::Fen;

/// Totals of one (pool, person, scheme, benefit year), or a change of them: a total is the sum of its
/// changes, so both are the same vector and the year so far is a fold of opening totals, outside events and
/// live settlements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accumulators {
    /// Settled admissions; the parts of one stay count once.
    pub admissions: i64,
    /// Deductible borne (起付线), for packs that count it by the year.
    pub deductible: Fen,
    /// 统筹 paid, against the pool cap.
    pub hifp: Fen,
    /// 大额 paid.
    pub hifob: Fen,
    /// 大病 paid.
    pub hifmi: Fen,
    /// In-scope burden left by pool and 大额, the base of 大病.
    pub burden: Fen,
    /// 医疗救助 paid, over all schemes of the pool: kept per person and year, not per scheme.
    pub maf: Fen,
}

impl Accumulators {
    pub const ZERO: Accumulators = Accumulators {
        admissions: 0,
        deductible: Fen::ZERO,
        hifp: Fen::ZERO,
        hifob: Fen::ZERO,
        hifmi: Fen::ZERO,
        burden: Fen::ZERO,
        maf: Fen::ZERO,
    };
}

impl Add for Accumulators {
    type Output = Accumulators;
    fn add(self, change: Accumulators) -> Accumulators {
        Accumulators {
            admissions: self.admissions + change.admissions,
            deductible: self.deductible + change.deductible,
            hifp: self.hifp + change.hifp,
            hifob: self.hifob + change.hifob,
            hifmi: self.hifmi + change.hifmi,
            burden: self.burden + change.burden,
            maf: self.maf + change.maf,
        }
    }
}

impl Neg for Accumulators {
    type Output = Accumulators;
    fn neg(self) -> Accumulators {
        Accumulators {
            admissions: -self.admissions,
            deductible: -self.deductible,
            hifp: -self.hifp,
            hifob: -self.hifob,
            hifmi: -self.hifmi,
            burden: -self.burden,
            maf: -self.maf,
        }
    }
}

impl Sub for Accumulators {
    type Output = Accumulators;
    fn sub(self, change: Accumulators) -> Accumulators {
        self + -change
    }
}

/// What one earlier part of the same stay left behind, as its settlement recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledPart {
    pub year: BenefitYear,
    pub in_scope: Fen,
    /// 实际支付起付线 of the part.
    pub act_pay_dedc: Fen,
    /// Admissions of the year before the part.
    pub admissions_before: i64,
}

/// The earlier parts of a stay that stand on the same axis as the part being settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierParts {
    /// In-scope total of those parts: where on the axis this part begins.
    pub in_scope: Fen,
    /// Deductible that those parts bore and that the year's accumulators hold already.
    pub deductible: Fen,
    /// Admissions settled before the first of those parts: the whole stay is one admission.
    pub admissions_before: i64,
}

impl EarlierParts {
    /// Of all live parts of the stay, oldest first, those on the axis of `year`. `None`: this part begins the
    /// axis.
    pub fn on_axis(
        parts: &[SettledPart],
        year: BenefitYear,
        new_year_is_new_axis: bool,
    ) -> Option<EarlierParts> {
        let on_axis = parts.iter().filter(|part| part.year == year || !new_year_is_new_axis);
        let first = on_axis.clone().next()?;
        let in_year = on_axis.clone().filter(|part| part.year == year);
        Some(EarlierParts {
            in_scope: on_axis.map(|part| part.in_scope).sum(),
            deductible: in_year.map(|part| part.act_pay_dedc).sum(),
            admissions_before: first.admissions_before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Accumulators = Accumulators {
        admissions: 1,
        deductible: Fen(2),
        hifp: Fen(3),
        hifob: Fen(4),
        hifmi: Fen(5),
        burden: Fen(6),
        maf: Fen(7),
    };

    #[test]
    fn a_total_is_the_sum_of_its_changes() {
        let twice = Accumulators {
            admissions: 2,
            deductible: Fen(4),
            hifp: Fen(6),
            hifob: Fen(8),
            hifmi: Fen(10),
            burden: Fen(12),
            maf: Fen(14),
        };
        assert_eq!(ONE + ONE, twice);
        assert_eq!(twice - ONE, ONE);
        assert_eq!(-ONE + ONE, Accumulators::ZERO);
        assert_eq!(Accumulators::default(), Accumulators::ZERO);
    }

    fn part(year: i32, in_scope: i64, deductible: i64, admissions_before: i64) -> SettledPart {
        let year = BenefitYear(year);
        SettledPart { year, in_scope: Fen(in_scope), act_pay_dedc: Fen(deductible), admissions_before }
    }

    #[test]
    fn a_new_year_is_a_new_axis_unless_the_pack_says_otherwise() {
        let parts = [part(2025, 100, 10, 3), part(2026, 20, 7, 0), part(2026, 3, 1, 1)];
        let this_year = EarlierParts { in_scope: Fen(23), deductible: Fen(8), admissions_before: 0 };
        let whole_stay = EarlierParts { in_scope: Fen(123), deductible: Fen(8), admissions_before: 3 };
        assert_eq!(EarlierParts::on_axis(&parts, BenefitYear(2026), true), Some(this_year));
        assert_eq!(EarlierParts::on_axis(&parts, BenefitYear(2026), false), Some(whole_stay));
        assert_eq!(EarlierParts::on_axis(&parts[..1], BenefitYear(2026), true), None);
        let carried = EarlierParts { in_scope: Fen(100), deductible: Fen(0), admissions_before: 3 };
        assert_eq!(EarlierParts::on_axis(&parts[..1], BenefitYear(2026), false), Some(carried));
        assert_eq!(EarlierParts::on_axis(&[], BenefitYear(2026), false), None);
    }
}
