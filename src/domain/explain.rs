//! Owns the steps of a settlement as figures, so that renderers explain it to anyone without doing
//! arithmetic.

use rust_decimal::Decimal;

use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::BillTotals;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::Cap;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::Reduction;

/// Whoever listens to a computation.
pub trait Trace {
    /// The step is made only when someone listens.
    fn step(&mut self, step: impl FnOnce() -> Step);
}

/// Nobody listens; costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrace;

impl Trace for NoTrace {
    fn step(&mut self, _step: impl FnOnce() -> Step) {}
}

/// Keeps every step in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub Vec<Step>);

impl Trace for Steps {
    fn step(&mut self, step: impl FnOnce() -> Step) {
        self.0.push(step());
    }
}

/// An exact figure in yuan and the money that it was rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounded {
    pub exact: Decimal,
    pub rounded: Fen,
}

/// One step of rules.md §2.2 or §2.8 with all its figures, in the order in which they are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// §2.1 sums of the lines, and the benefit level that her filing led to.
    Bill { totals: BillTotals, level: BenefitLevel },
    /// §2.2-3 x of a `prepay` row.
    ExtraFirstPay(ExtraFirstPayStep),
    /// §2.2-1 and 2.
    Deductible(DeductibleStep),
    /// §2.2-3 the rate of a segment that the bill touches.
    Rate(RateStep),
    /// §2.2-4.
    Pool(PoolStep),
    /// §2.2-4 where the cap cut the pool: what it bought and what is left for 大额.
    PoolCapReached(PoolCapStep),
    /// §2.2-5.
    LargeAmount(ShareStep),
    /// §2.2-7.
    SeriousIllness(SeriousIllnessStep),
    /// §2.2-8.
    CivilServant(ShareStep),
    /// §2.2-8.
    Assistance { category: AssistanceCategory, share: ShareStep },
    /// §2.8.
    Maternity(MaternityStep),
    /// §2.8: the injury fund pays all of it.
    WorkInjury { paid: Fen },
    /// §2.2-9.
    Account(AccountStep),
    /// §2.2-9 what is left to pay at the desk.
    Cash(CashStep),
    /// §2.2-10.
    Accumulators { before: Accumulators, after: Accumulators },
}

impl Step {
    /// The paragraph of the rules that it follows.
    pub fn clause(&self) -> &'static str {
        match self {
            Step::Bill { .. } => "2.1",
            Step::Deductible(_) => "2.2-1, 2.2-2",
            Step::ExtraFirstPay(_) | Step::Rate(_) => "2.2-3",
            Step::Pool(_) | Step::PoolCapReached(_) => "2.2-4",
            Step::LargeAmount(_) => "2.2-5",
            Step::SeriousIllness(_) => "2.2-6, 2.2-7",
            Step::CivilServant(_) | Step::Assistance { .. } => "2.2-8",
            Step::Account(_) | Step::Cash(_) => "2.2-9",
            Step::Accumulators { .. } => "2.2-10",
            Step::Maternity(_) | Step::WorkInjury { .. } => "2.8",
        }
    }
}

/// What a `prepay` row makes hers before the deductible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtraFirstPayStep {
    pub rate: Rate,
    /// Up to the end of this part of the stay; the rounding step.
    pub through: Rounded,
    /// Of the earlier parts of the stay.
    pub earlier: Fen,
    pub amount: Fen,
}

/// How the deductible came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeductibleStep {
    pub base: Fen,
    pub retired_reduction: Fen,
    pub counted: DeductibleCount,
    pub filing_factor: Decimal,
    /// (base − reduction) × factors; the rounding step.
    pub whole: Rounded,
    /// Borne by earlier parts of this stay.
    pub borne_by_stay: Fen,
    /// What this bill bears at most, `dedc_std`.
    pub standard: Fen,
    /// `act_pay_dedc`.
    pub paid: Fen,
}

/// What a deductible was counted over, with the figure that this brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeductibleCount {
    /// `settled` admissions this year before the stay led to `factor`.
    Admission { settled: i64, factor: Decimal },
    /// Borne by other stays of the year.
    Year { borne: Fen },
    /// Borne by other stays of the year at this institution.
    InstitutionYear { borne: Fen },
}

/// How the rate of one segment came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStep {
    pub base: Rate,
    pub retired_bonus: Rate,
    pub age_bonus: Rate,
    pub reduction: Reduction,
    /// After bonuses and reduction, forced between 0 and 1.
    pub applied: Rate,
}

/// The stretch of the axis that a segment pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentWalked {
    pub from: Fen,
    pub to: Fen,
    pub rate: Rate,
    pub exact: Decimal,
}

/// What the pool pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStep {
    /// From the deductible to the end of this part; the rounding step.
    pub through: Rounded,
    /// Of it, what belongs to the earlier parts of the stay.
    pub earlier: Rounded,
    /// Segments of this part.
    pub segments: Vec<SegmentWalked>,
    /// `through − earlier`.
    pub uncapped: Fen,
    pub cap: Cap,
    /// Room under the cap; `None` without a cap.
    pub room: Cap,
    pub paid: Fen,
}

/// How far the room under the pool cap reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCapStep {
    /// In-scope width that the room under the cap paid for; the rounding step.
    pub bought: Rounded,
    pub over_base: Fen,
}

/// A share of a base under a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareStep {
    pub base: Fen,
    pub rate: Rate,
    /// The rounding step.
    pub share: Rounded,
    /// Room under the cap; `None` without a cap.
    pub room: Cap,
    pub paid: Fen,
}

/// What 大病 pays: the tiers of the year's burden after this bill minus those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriousIllnessStep {
    pub start: Fen,
    pub burden_before: Fen,
    pub burden_after: Fen,
    /// Tiers of the burden after this bill, from the start line up.
    pub tiers: Vec<SegmentWalked>,
    /// T of the burden before; a rounding step.
    pub before: Rounded,
    /// T of the burden after; a rounding step.
    pub after: Rounded,
    /// `after − before`.
    pub uncapped: Fen,
    /// Room under the cap; `None` without a cap.
    pub room: Cap,
    pub paid: Fen,
}

/// What maternity pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaternityStep {
    pub kind: MaternityKind,
    pub pay: MaternityPay,
    /// Up to the end of this part of the stay.
    pub through: Fen,
    /// Of the earlier parts.
    pub earlier: Fen,
    pub paid: Fen,
    pub owed_to_person: Fen,
}

/// What the personal account pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountStep {
    pub balance: Fen,
    /// What the account may pay of this bill.
    pub payable: Fen,
    pub paid: Fen,
}

/// Who pays the fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashStep {
    pub fee: Fen,
    pub funds: Fen,
    pub person: Fen,
    pub account: Fen,
    pub cash: Fen,
}
