//! Owns the policy pack of one pooling region: dated parameters in, one immutable policy for a scheme and day
//! out.

mod checks;
mod provenance;
mod resolve;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tp1;

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::calendar::YearStart;
use crate::domain::codes::CareKind;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::Scheme;
use crate::domain::dated::Timeline;
use crate::domain::dated::Trust;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::AccountScope;
use crate::domain::parameters::AssistanceTable;
use crate::domain::parameters::Cap;
use crate::domain::parameters::Deductible;
use crate::domain::parameters::FilingRows;
use crate::domain::parameters::FilingTerms;
use crate::domain::parameters::InjuryRules;
use crate::domain::parameters::LargeAmount;
use crate::domain::parameters::MaternityRules;
use crate::domain::parameters::Ratios;
use crate::domain::parameters::SeriousIllness;
use crate::domain::parameters::StayRules;

/// Whether a pack may decide about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackStatus {
    /// A person compared every number with the region's notices.
    Official,
    /// Gathered, not compared; refused in production unless allowed by name.
    Candidate,
    /// Invented, for tests and demonstrations.
    Synthetic,
}

/// Everything a pack says, before it is checked as a whole.
#[derive(Clone, Debug)]
pub struct PackParts {
    /// The pooling region whose insured it rules.
    pub region: RegionCode,
    pub name: Box<str>,
    pub status: PackStatus,
    /// Hash of the pack's text; given by whoever read it.
    pub hash: Arc<str>,
    pub year_start: Timeline<YearStart>,
    pub filing_terms: Timeline<FilingTerms>,
    pub stays: Timeline<StayRules>,
    pub employee: Option<BasicParameters>,
    pub resident: Option<BasicParameters>,
    pub maternity: Timeline<MaternityRules>,
    pub work_injury: Timeline<InjuryRules>,
}

/// The dated parameters of 310 or of 390. The first three must be set; each of the others, unset, gives
/// nothing, and an unset pool cap means no cap.
#[derive(Clone, Debug, Default)]
pub struct BasicParameters {
    pub deductible: Timeline<Deductible>,
    pub ratios: Timeline<Ratios>,
    pub filing: Timeline<FilingRows>,
    pub pool_cap: Timeline<Cap>,
    pub large_amount: Timeline<Option<LargeAmount>>,
    pub serious_illness: Timeline<Option<SeriousIllness>>,
    /// Share of the burden that the civil-servant subsidy pays.
    pub civil_servant: Timeline<Rate>,
    pub assistance: Timeline<AssistanceTable>,
    pub account: Timeline<AccountScope>,
}

/// What one scheme of one pool rules on one day. Immutable and shared.
#[derive(Clone, Debug)]
pub struct Policy {
    pub region: RegionCode,
    pub pack_hash: Arc<str>,
    pub scheme: Scheme,
    /// The day from which exactly these values are in force.
    pub from: Day,
    /// The day from which others are; `None`: none are known yet.
    pub until: Option<Day>,
    pub year_start: YearStart,
    pub filing_terms: FilingTerms,
    pub stays: StayRules,
    pub rules: SchemeRules,
}

/// The rules of money of a scheme.
#[derive(Clone, Debug)]
pub enum SchemeRules {
    Basic(Box<BasicRules>),
    Maternity(MaternityRules),
    WorkInjury(InjuryRules),
}

/// The values of 310 or 390 in force together.
#[derive(Clone, Debug)]
pub struct BasicRules {
    pub deductible: Deductible,
    pub ratios: Ratios,
    pub filing: FilingRows,
    pub pool_cap: Cap,
    pub large_amount: Option<LargeAmount>,
    pub serious_illness: Option<SeriousIllness>,
    pub civil_servant: Rate,
    pub assistance: AssistanceTable,
    pub account: AccountScope,
}

/// Why a pack gives no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPolicy {
    #[error("the pack of {region} has no rules for insurance code {insurance} with care kind {care}")]
    UnknownInsurance { region: RegionCode, insurance: InsuranceCode, care: CareKind },
    #[error("the pack of {region} does not rule the scheme {scheme}")]
    SchemeNotRuled { region: RegionCode, scheme: Scheme },
    #[error("the rules of {region} for {scheme} begin on {first} with {block}, after {day}")]
    NotYetInForce {
        region: RegionCode,
        scheme: Scheme,
        day: Day,
        first: Day,
        /// The block that begins last of those that must be there.
        block: &'static str,
    },
}

/// One fault of a pack: which parameter, from which day, what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}{}: {cause}", from.map(|day| format!(" from {day}")).unwrap_or_default())]
pub struct PackFault {
    /// As `employee.deductible`.
    pub parameter: String,
    pub from: Option<Day>,
    pub cause: PackFaultCause,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackFaultCause {
    #[error("must be set")]
    Missing,
    #[error("{0} is not a rate between 0 and 1")]
    NotARate(Decimal),
    #[error("{0} must not be negative")]
    NegativeFactor(Decimal),
    #[error("{0} must not be negative")]
    NegativeAmount(Fen),
    #[error("a retired bonus and separate retired segments say the same thing twice: keep one")]
    RetiredTwice,
    #[error("an assistance category has two scales")]
    CategoryTwice,
    #[error("kind of maternity care {0} has two rows")]
    MaternityTwice(MaternityKind),
    #[error("insurance code {0} belongs to a basic scheme or to maternity already")]
    InsuranceTaken(InsuranceCode),
}

/// A number of the pack with its pedigree, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance<'a> {
    /// As `employee.deductible`.
    pub parameter: &'a str,
    pub from: Day,
    pub source: &'a str,
    pub checked_on: Option<Day>,
    pub trust: Trust,
}

/// A whole pack, checked and resolved into the stretches of days on which nothing changes.
#[derive(Clone, Debug)]
pub struct Pack {
    parts: PackParts,
    employee: Vec<Arc<Policy>>,
    resident: Vec<Arc<Policy>>,
    maternity: Vec<Arc<Policy>>,
    work_injury: Vec<Arc<Policy>>,
}

impl Pack {
    /// Checks every value and resolves every stretch.
    ///
    /// # Errors
    /// All faults at once.
    pub fn new(parts: PackParts) -> Result<Pack, Vec<PackFault>> {
        let faults = checks::faults(&parts);
        if !faults.is_empty() {
            return Err(faults);
        }
        let resolved = |scheme| resolve::periods(&parts, scheme);
        let (employee, resident) = (resolved(Scheme::Employee), resolved(Scheme::Resident));
        let (maternity, work_injury) = (resolved(Scheme::Maternity), resolved(Scheme::WorkInjury));
        Ok(Pack { parts, employee, resident, maternity, work_injury })
    }

    pub fn region(&self) -> RegionCode {
        self.parts.region
    }

    pub fn name(&self) -> &str {
        &self.parts.name
    }

    pub fn status(&self) -> PackStatus {
        self.parts.status
    }

    /// Hash of the pack's text.
    pub fn hash(&self) -> &Arc<str> {
        &self.parts.hash
    }

    /// Which scheme a claim with this 险种 and 医疗类别 runs on, that day. Maternity and work injury come first,
    /// since a pack may carry either under a code of a basic scheme.
    pub fn scheme_of(&self, insurance: InsuranceCode, care: CareKind, day: Day) -> Result<Scheme, NoPolicy> {
        if self.parts.maternity.at(day).is_some_and(|dated| dated.value.takes(insurance, care)) {
            return Ok(Scheme::Maternity);
        }
        if self.parts.work_injury.at(day).is_some_and(|dated| dated.value.insurance == insurance) {
            return Ok(Scheme::WorkInjury);
        }
        match insurance {
            InsuranceCode::EMPLOYEE => Ok(Scheme::Employee),
            InsuranceCode::RESIDENT => Ok(Scheme::Resident),
            InsuranceCode(_) => Err(NoPolicy::UnknownInsurance { region: self.region(), insurance, care }),
        }
    }

    /// The policy in force on a day (the day of discharge).
    pub fn policy(&self, scheme: Scheme, day: Day) -> Result<Arc<Policy>, NoPolicy> {
        let periods = self.periods(scheme);
        let begun = periods.partition_point(|policy| policy.from <= day);
        let region = self.region();
        match (begun.checked_sub(1), periods.first()) {
            (Some(current), _) => Ok(Arc::clone(&periods[current])),
            (None, Some(first)) => {
                let (first, block) = (first.from, provenance::last_to_begin(&self.parts, scheme));
                Err(NoPolicy::NotYetInForce { region, scheme, day, first, block })
            }
            (None, None) => Err(NoPolicy::SchemeNotRuled { region, scheme }),
        }
    }

    /// Every stretch of days of a scheme, oldest first.
    pub fn periods(&self, scheme: Scheme) -> &[Arc<Policy>] {
        match scheme {
            Scheme::Employee => &self.employee,
            Scheme::Resident => &self.resident,
            Scheme::Maternity => &self.maternity,
            Scheme::WorkInjury => &self.work_injury,
        }
    }

    /// Every dated value with source, day of check and trust.
    pub fn provenance(&self) -> Vec<Provenance<'_>> {
        provenance::of(&self.parts)
    }
}
