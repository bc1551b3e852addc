//! Owns what a person has used of her benefits in a year: the totals, and what one bill changes in them.

use core::ops::Add;
use core::ops::Neg;
use core::ops::Sub;

use crate::domain::calendar::BenefitYear;
use crate::domain::money::Fen;

/// Totals of one (pool, person, scheme, benefit year), or a change of them: a total is the sum of its changes, so
/// both are the same vector and the year so far is a fold of opening totals, outside events and live settlements.
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
    /// Of all live parts of the stay, oldest first, those on the axis of `year`. `None`: this part begins the axis.
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
