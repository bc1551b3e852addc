//! Owns the shapes of what a pack may set: each type is the value of one dated parameter.

use rust_decimal::Decimal;

use crate::domain::bands::Bands;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::ByCategory;
use crate::domain::codes::ByLevel;
use crate::domain::codes::CareKind;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::WorkStatus;
use crate::domain::filing::PlaceRelation;
use crate::domain::money::Fen;
use crate::domain::money::Rate;

/// A yearly limit of a fund; `None` pays without one.
pub type Cap = Option<Fen>;

/// 起付标准: what the person bears before the pool pays anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deductible {
    pub amount: ByLevel<Fen>,
    /// Off the amount for retired persons; never below zero.
    pub retired_reduction: ByLevel<Fen>,
    pub basis: DeductibleBasis,
}

impl Deductible {
    /// Off the amount, for this person at this level.
    pub fn retired_reduction(&self, status: WorkStatus, level: HospitalLevel) -> Fen {
        match status {
            WorkStatus::Active => Fen::ZERO,
            WorkStatus::Retired => self.retired_reduction.at(level),
        }
    }
}

/// What the deductible is counted over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeductibleBasis {
    /// Each admission anew, times a factor by how many were settled this year before it.
    Admission(AdmissionFactors),
    /// Once a benefit year, over all institutions.
    Year,
    /// Once a benefit year at each institution.
    InstitutionYear,
}

/// Factors of the first, second, … admission of the year; the last repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionFactors {
    first: Decimal,
    later: Box<[Decimal]>,
}

impl AdmissionFactors {
    /// `None` for an empty list.
    pub fn new(factors: &[Decimal]) -> Option<AdmissionFactors> {
        let (first, later) = factors.split_first()?;
        Some(AdmissionFactors { first: *first, later: later.into() })
    }

    /// Every admission pays its own deductible in full.
    pub fn always_full() -> AdmissionFactors {
        AdmissionFactors { first: Decimal::ONE, later: Box::default() }
    }

    /// The factor of an admission before which `settled` others were settled this year.
    pub fn after(&self, settled: i64) -> Decimal {
        let repeats = self.later.last().copied().unwrap_or(self.first);
        match usize::try_from(settled) {
            Ok(0) | Err(_) => self.first,
            Ok(earlier) => self.later.get(earlier - 1).copied().unwrap_or(repeats),
        }
    }

    pub fn values(&self) -> impl Iterator<Item = Decimal> {
        [self.first].into_iter().chain(self.later.iter().copied())
    }
}

/// 支付比例 as segments over the in-scope axis of one admission, the deductible included in the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratios {
    pub active: Bands<ByLevel<Rate>>,
    /// Segments of retired persons, where the pack prints them apart instead of giving a bonus.
    pub retired: Option<Bands<ByLevel<Rate>>>,
    /// Added for retired persons. Zero where `retired` is given.
    pub retired_bonus: Rate,
    /// Added by age, retired or not.
    pub age_bonuses: AgeBonuses,
}

impl Ratios {
    pub fn segments(&self, status: WorkStatus) -> &Bands<ByLevel<Rate>> {
        match status {
            WorkStatus::Active => &self.active,
            WorkStatus::Retired => self.retired.as_ref().unwrap_or(&self.active),
        }
    }

    pub fn retired_bonus(&self, status: WorkStatus) -> Rate {
        match status {
            WorkStatus::Active => Rate::ZERO,
            WorkStatus::Retired => self.retired_bonus,
        }
    }
}

/// From an age in years on, that bonus in place of the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgeBonuses(Vec<(i32, Rate)>);

impl AgeBonuses {
    /// In any order; the highest age that she has reached counts.
    pub fn new(mut bonuses: Vec<(i32, Rate)>) -> AgeBonuses {
        bonuses.sort_by_key(|(from_age, _)| *from_age);
        AgeBonuses(bonuses)
    }

    pub fn at(&self, age: i32) -> Rate {
        let reached = self.0.partition_point(|(from_age, _)| *from_age <= age);
        self.0[..reached].last().map_or(Rate::ZERO, |(_, bonus)| *bonus)
    }

    pub fn values(&self) -> &[(i32, Rate)] {
        &self.0
    }
}

/// How care outside the home level lowers the ratio. Three forms that are in use and are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    None,
    /// `pp`: points off the ratio, 0.10 turns .83 into .73.
    Points(Rate),
    /// `mul`: a share of the ratio, 0.80 turns .83 into .664.
    Multiply(Rate),
    /// `prepay`: this share of the in-scope amount is hers before the deductible; the ratio stays.
    FirstPay(Rate),
}

/// One row of the filing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilingRow {
    pub reduction: Reduction,
    /// Times the deductible.
    pub deductible_factor: Decimal,
}

impl FilingRow {
    /// No reduction, the plain deductible.
    pub const FULL: FilingRow = FilingRow { reduction: Reduction::None, deductible_factor: Decimal::ONE };
}

/// A row for each benefit level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilingTable {
    pub local: FilingRow,
    pub long_term_home: FilingRow,
    pub in_province: FilingRow,
    pub long_term: FilingRow,
    pub referral: FilingRow,
    pub emergency: FilingRow,
    pub other_temporary: FilingRow,
    pub unfiled: FilingRow,
}

impl FilingTable {
    pub fn row(&self, level: BenefitLevel) -> FilingRow {
        match level {
            BenefitLevel::Local => self.local,
            BenefitLevel::LongTermHome => self.long_term_home,
            BenefitLevel::InProvince => self.in_province,
            BenefitLevel::LongTerm => self.long_term,
            BenefitLevel::Referral => self.referral,
            BenefitLevel::Emergency => self.emergency,
            BenefitLevel::OtherTemporary => self.other_temporary,
            BenefitLevel::Unfiled => self.unfiled,
        }
    }
}

/// The filing table of a scheme, retired persons apart where the pack says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilingRows {
    pub active: FilingTable,
    pub retired: Option<FilingTable>,
}

impl FilingRows {
    pub fn row(&self, status: WorkStatus, level: BenefitLevel) -> FilingRow {
        match status {
            WorkStatus::Active => self.active.row(level),
            WorkStatus::Retired => self.retired.as_ref().unwrap_or(&self.active).row(level),
        }
    }
}

/// 大额: a share of what the pool's cap cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargeAmount {
    pub ratio: Rate,
    pub cap: Cap,
}

/// 大病: a share, by tiers, of the year's in-scope burden above a start line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriousIllness {
    pub general: IllnessScale,
    /// What an assistance category gets in place of `general`, whole.
    pub overrides: Vec<(AssistanceCategory, IllnessScale)>,
}

impl SeriousIllness {
    pub fn scale(&self, category: Option<AssistanceCategory>) -> &IllnessScale {
        let own = self.overrides.iter().find(|(of, _)| Some(*of) == category);
        own.map_or(&self.general, |(_, scale)| scale)
    }
}

/// One scale of 大病.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IllnessScale {
    pub start: Fen,
    /// Edges lie on the axis of the year's burden, so the first tier begins at `start`.
    pub tiers: Bands<Rate>,
    pub cap: Cap,
}

/// 医疗救助 of one category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assistance {
    pub ratio: Rate,
    /// Per person and year over all schemes.
    pub cap: Cap,
}

/// 医疗救助 by category; a category without an entry gets none.
pub type AssistanceTable = ByCategory<Assistance>;

/// What the personal account may pay, once she has chosen to use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountScope {
    /// 先行自付.
    pub first_pay: bool,
    /// What the funds leave of the in-scope amount, deductible included.
    pub in_scope: bool,
    /// 全自费.
    pub class_c: bool,
    /// 超限价.
    pub over_limit: bool,
}

impl AccountScope {
    pub const NOTHING: AccountScope =
        AccountScope { first_pay: false, in_scope: false, class_c: false, over_limit: false };
    /// First-pay and in-scope burden: TP-1.
    pub const IN_SCOPE: AccountScope =
        AccountScope { first_pay: true, in_scope: true, ..AccountScope::NOTHING };
}

/// What the gateway does with a claim that no filing covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnfiledClaims {
    /// They settle by the row `unfiled`.
    Settle,
    /// They are refused; she pays and claims by hand.
    Refuse,
}

/// Care in another pool of the insured person's province.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InProvinceCare {
    /// Needs no filing: always the row `in_province`.
    NoFilingNeeded,
    /// Needs one; with it the row `in_province` applies, without it `unfiled`.
    FiledAsInProvince,
    /// Needs one; everything goes as across provinces.
    AsCrossProvince,
}

/// How filings are made, changed and judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilingTerms {
    pub unfiled: UnfiledClaims,
    pub in_province: InProvinceCare,
    /// How long a temporary filing lasts when it names no end.
    pub temporary_months: u16,
    /// How long a long-term filing may neither be changed nor ended after it was made.
    pub long_term_lock_months: u16,
    /// How long a long-term filing made on her own word (承诺) lasts; `None`: as one with documents, without
    /// end.
    pub commitment_months: Option<u16>,
    /// Old local variant, inside the province only: an emergency counts only if filed within that many days of
    /// admission. `None`: its flag suffices.
    pub emergency_window_days: Option<u16>,
}

impl FilingTerms {
    /// The days in which an emergency must be filed there. Across provinces the hospital's flag suffices, whatever a
    /// region says (rules.md §1.3).
    pub fn emergency_window(&self, relation: PlaceRelation) -> Option<u16> {
        self.emergency_window_days.filter(|_| relation == PlaceRelation::SameProvince)
    }
}

/// How stays are cut and undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StayRules {
    /// A mid-stay part in a new benefit year begins anew: axis, deductible, admission.
    pub new_year_is_new_axis: bool,
    /// A settlement may be reversed while a later one of the same year stands.
    pub reversal_out_of_order: bool,
    /// A settlement may be reversed after its month was cleared.
    pub reversal_after_clearing: bool,
}

impl StayRules {
    /// TP-1: new axis with the year; last in, first out; reversal whatever was cleared.
    pub const USUAL: StayRules =
        StayRules { new_year_is_new_axis: true, reversal_out_of_order: false, reversal_after_clearing: true };
}

/// How maternity pays one kind of care at one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaternityPay {
    /// A share of the in-scope amount, without deductible.
    Ratio(Rate),
    /// The in-scope amount up to this.
    Limit(Fen),
    /// The in-scope amount up to this sum; what is left of the sum is owed to the person outside the bill.
    Fixed(Fen),
}

/// 生育: which claims it takes, and what it pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaternityRules {
    /// Claims with one of these 险种 and 医疗类别 are maternity; an entry without a care kind takes them all.
    pub claims: Vec<(InsuranceCode, Option<CareKind>)>,
    pub rows: Vec<(MaternityKind, ByLevel<MaternityPay>)>,
    pub account: AccountScope,
}

impl MaternityRules {
    pub fn takes(&self, insurance: InsuranceCode, care: CareKind) -> bool {
        self.claims.iter().any(|(code, kind)| *code == insurance && kind.is_none_or(|kind| kind == care))
    }

    /// `None`: the pack has no row for this kind of care.
    pub fn pay(&self, kind: MaternityKind, level: HospitalLevel) -> Option<MaternityPay> {
        self.rows.iter().find(|(of, _)| *of == kind).map(|(_, by_level)| by_level.at(level))
    }
}

/// 工伤: pays the in-scope amount by the injury catalogue in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjuryRules {
    /// The `insutype` under which this region's wire carries it; lists disagree.
    pub insurance: InsuranceCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hundredths: i64) -> Rate {
        Rate(Decimal::new(hundredths, 2))
    }

    #[test]
    fn the_last_admission_factor_repeats() {
        let factors = AdmissionFactors::new(&[Decimal::ONE, Decimal::new(5, 1), Decimal::new(2, 1)]).unwrap();
        for (settled, factor) in [(-1, "1"), (0, "1"), (1, "0.5"), (2, "0.2"), (3, "0.2"), (900, "0.2")] {
            assert_eq!(factors.after(settled).to_string(), factor, "{settled}");
        }
        assert_eq!(AdmissionFactors::new(&[]), None);
        assert_eq!(AdmissionFactors::always_full().after(7), Decimal::ONE);
        assert_eq!(AdmissionFactors::new(&[Decimal::TWO]).unwrap().after(1), Decimal::TWO);
        assert_eq!(factors.values().count(), 3);
    }

    #[test]
    fn the_highest_age_reached_counts() {
        let bonuses = AgeBonuses::new(vec![(60, rate(4)), (50, rate(2))]);
        for (age, bonus) in [(49, 0), (50, 2), (59, 2), (60, 4), (99, 4)] {
            assert_eq!(bonuses.at(age), rate(bonus), "{age}");
        }
        assert_eq!(bonuses.values().len(), 2);
    }

    #[test]
    fn retired_persons_have_their_own_segments_or_a_bonus() {
        let flat = |hundredths| Bands::flat(ByLevel::all(rate(hundredths)));
        let mut ratios = Ratios {
            active: flat(80),
            retired: None,
            retired_bonus: rate(3),
            age_bonuses: AgeBonuses::default(),
        };
        assert_eq!(ratios.segments(WorkStatus::Retired), &flat(80));
        assert_eq!(
            [WorkStatus::Active, WorkStatus::Retired].map(|s| ratios.retired_bonus(s)),
            [rate(0), rate(3)]
        );
        ratios.retired = Some(flat(95));
        assert_eq!(ratios.segments(WorkStatus::Retired), &flat(95));
        assert_eq!(ratios.segments(WorkStatus::Active), &flat(80));
    }

    #[test]
    fn each_benefit_level_has_its_own_row() {
        let row = |factor: i64| FilingRow { deductible_factor: Decimal::from(factor), ..FilingRow::FULL };
        let table = FilingTable {
            local: row(0),
            long_term_home: row(1),
            in_province: row(2),
            long_term: row(3),
            referral: row(4),
            emergency: row(5),
            other_temporary: row(6),
            unfiled: row(7),
        };
        let shifted = FilingTable { local: row(9), ..table };
        let mut rows = FilingRows { active: table, retired: None };
        for (level, factor) in BenefitLevel::ALL.into_iter().zip(0..) {
            assert_eq!(rows.row(WorkStatus::Active, level), row(factor));
            assert_eq!(rows.row(WorkStatus::Retired, level), row(factor));
        }
        rows.retired = Some(shifted);
        assert_eq!(rows.row(WorkStatus::Retired, BenefitLevel::Local), row(9));
        assert_eq!(rows.row(WorkStatus::Active, BenefitLevel::Local), row(0));
    }

    #[test]
    fn a_category_may_have_its_own_scale() {
        let scale = |start| IllnessScale { start: Fen(start), tiers: Bands::flat(rate(60)), cap: None };
        let hardship = AssistanceCategory::ExtremeHardship;
        let illness = SeriousIllness { general: scale(1200), overrides: vec![(hardship, scale(600))] };
        assert_eq!(illness.scale(None).start, Fen(1200));
        assert_eq!(illness.scale(Some(AssistanceCategory::LowIncome)).start, Fen(1200));
        assert_eq!(illness.scale(Some(hardship)).start, Fen(600));
    }

    #[test]
    fn maternity_takes_what_the_pack_names() {
        let natural = MaternityKind(1);
        let rules = MaternityRules {
            claims: vec![
                (InsuranceCode::MATERNITY, None),
                (InsuranceCode::RESIDENT, Some(CareKind::DELIVERY)),
            ],
            rows: vec![(
                natural,
                ByLevel::new(
                    MaternityPay::Limit(Fen(1)),
                    MaternityPay::Limit(Fen(2)),
                    MaternityPay::Limit(Fen(3)),
                ),
            )],
            account: AccountScope::NOTHING,
        };
        for (insurance, care, takes) in
            [(510, 21, true), (510, 52, true), (390, 52, true), (390, 21, false), (310, 52, false)]
        {
            assert_eq!(rules.takes(InsuranceCode(insurance), CareKind(care)), takes, "{insurance} {care}");
        }
        assert_eq!(rules.pay(natural, HospitalLevel::Two), Some(MaternityPay::Limit(Fen(2))));
        assert_eq!(rules.pay(MaternityKind(3), HospitalLevel::Two), None);
    }
}
