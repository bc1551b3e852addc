//! Owns the arithmetic of the insured place: in-scope amount, year so far and policy in, a breakdown out.

mod basic;
mod injury;
mod maternity;
mod person;
mod pool;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::WorkStatus;
use crate::domain::explain::Rounded;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::identities::BrokenIdentity;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::money::Rate;
use crate::domain::pack::Policy;
use crate::domain::pack::SchemeRules;
use crate::domain::parameters::AccountScope;
use crate::domain::parameters::Cap;

/// What of a person her benefit goes by, as the register says for the day of admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insured {
    pub status: WorkStatus,
    /// In full years.
    pub age: i32,
    pub civil_servant: bool,
    pub assistance: Option<AssistanceCategory>,
}

/// Whether her personal account pays along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    NotUsed,
    /// She chose it; this much is available.
    Used {
        balance: Fen,
    },
}

/// All that decides one settlement, or one quote.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// In force on the day of discharge, or the last day of a part.
    pub policy: &'a Policy,
    /// Of the institution on the day of admission.
    pub hospital: HospitalLevel,
    pub insured: Insured,
    /// From `filing::decide`.
    pub level: BenefitLevel,
    pub totals: BillTotals,
    /// Accumulators of (pool, person, scheme, year) before this bill; `maf` over all schemes.
    pub year: Accumulators,
    /// Parts of this stay that were settled before on the same axis.
    pub earlier: Option<EarlierParts>,
    /// False for a part that leaves the stay open.
    pub closes_stay: bool,
    /// Deductible borne this year at this institution, for packs that count it so.
    pub institution_deductible: Fen,
    pub account: Account,
    /// 生育类别; needed by maternity only.
    pub maternity: Option<MaternityKind>,
}

/// Why a claim gives no breakdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBenefit {
    #[error(
        "no filing covers this stay and her region settles none without: file first, or pay and claim by hand"
    )]
    UnfiledRefused,
    #[error("maternity care needs matn_type")]
    MaternityKindMissing,
    #[error("the insured region has no maternity row for matn_type {0}")]
    MaternityKindNotRuled(MaternityKind),
    #[error("{field} is {amount}; a bill cannot be negative")]
    NegativeTotal { field: &'static str, amount: Fen },
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A fault of ours: nothing may be settled.
    #[error(transparent)]
    Broken(#[from] BrokenIdentity),
}

/// The breakdown of a claim; every step goes to `trace` (`NoTrace` where nobody asks).
///
/// # Errors
/// See [`NoBenefit`]. A breakdown that comes back holds I1–I10.
pub fn compute(claim: &Claim<'_>, trace: &mut impl Trace) -> Result<Breakdown, NoBenefit> {
    check_totals(&claim.totals)?;
    trace.step(|| Step::Bill { totals: claim.totals, level: claim.level });
    let shares = match &claim.policy.rules {
        SchemeRules::Basic(rules) => basic::shares(claim, rules, trace)?,
        SchemeRules::Maternity(rules) => maternity::shares(claim, rules, trace)?,
        SchemeRules::WorkInjury(_) => injury::shares(claim, trace),
    };
    let breakdown = person::part(claim, shares, trace);
    breakdown.check()?;
    Ok(breakdown)
}

fn check_totals(totals: &BillTotals) -> Result<(), NoBenefit> {
    let named = [
        ("fulamt_ownpay_amt", totals.full_own_pay),
        ("overlmt_selfpay", totals.over_limit),
        ("preselfpay_amt", totals.first_pay),
        ("inscp_scp_amt", totals.in_scope),
    ];
    let negative = named.into_iter().find(|(_, amount)| amount.is_negative());
    negative.map_or(Ok(()), |(field, amount)| Err(NoBenefit::NegativeTotal { field, amount }))
}

impl Claim<'_> {
    /// In-scope total of the earlier parts on the axis.
    fn in_scope_before(&self) -> Fen {
        self.earlier.map_or(Fen::ZERO, |earlier| earlier.in_scope)
    }

    /// Admissions that came before this stay in the year.
    fn admissions_before(&self) -> i64 {
        self.earlier.map_or(self.year.admissions, |earlier| earlier.admissions_before)
    }
}

/// What the funds pay, before the person's part is divided.
#[derive(Clone, Debug)]
struct Shares {
    extra_first_pay: Fen,
    dedc_std: Fen,
    act_pay_dedc: Fen,
    hifp: Fen,
    hifob: Fen,
    hifmi: Fen,
    cvlserv: Fen,
    maf: Fen,
    oth: Fen,
    pool_rate: Rate,
    owed_to_person: Fen,
    account: AccountScope,
    funds: Vec<FundRow>,
}

impl Shares {
    /// Nothing paid yet.
    fn none(account: AccountScope) -> Shares {
        Shares {
            extra_first_pay: Fen::ZERO,
            dedc_std: Fen::ZERO,
            act_pay_dedc: Fen::ZERO,
            hifp: Fen::ZERO,
            hifob: Fen::ZERO,
            hifmi: Fen::ZERO,
            cvlserv: Fen::ZERO,
            maf: Fen::ZERO,
            oth: Fen::ZERO,
            pool_rate: Rate::ZERO,
            owed_to_person: Fen::ZERO,
            account,
            funds: Vec::new(),
        }
    }

    /// Adds the row of a fund that pays something. `room`: under its cap, `None` without one.
    fn row(&mut self, fund: Fund, amount: Fen, in_scope: Fen, room: Cap) {
        if !amount.is_zero() {
            self.funds.push(FundRow { fund, amount, in_scope, payable_max: room.unwrap_or(in_scope) });
        }
    }
}

/// Room under a yearly cap; never negative, since a feed from outside can leave a total above it.
fn room(cap: Cap, used: Fen) -> Cap {
    cap.map(|cap| cap.less(used))
}

/// An amount cut to the room under a cap.
fn within(amount: Fen, room: Cap) -> Fen {
    room.map_or(amount, |room| amount.min(room))
}

/// An exact amount in yuan beside its rounding.
fn rounded(exact: Decimal) -> Result<Rounded, OutOfRange> {
    Ok(Rounded { exact, rounded: Fen::round(exact)? })
}

/// `amount × rate`, exact.
fn times(amount: Fen, rate: Rate) -> Result<Decimal, OutOfRange> {
    amount.yuan().checked_mul(rate.0).ok_or(OutOfRange)
}
