//! Owns the arithmetic of the insured place: in-scope amount, year so far and policy in, a breakdown out.

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::BrokenIdentity;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::WorkStatus;
use crate::domain::explain::Trace;
use crate::domain::money::Fen;
use crate::domain::money::OutOfRange;
use crate::domain::pack::Policy;

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
        "no filing covers this stay and the insured region does not settle such claims: file first, or pay and claim by hand"
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

/// The breakdown of a claim; every step goes to `trace`.
pub fn compute(_claim: &Claim<'_>, _trace: &mut impl Trace) -> Result<Breakdown, NoBenefit> {
    unimplemented!()
}
