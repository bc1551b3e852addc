//! 2001: what she would get here on a day, fund by fund, and whether a filing covers it.

use std::sync::Arc;

use crate::domain::breakdown::Fund;
use crate::domain::calendar::Day;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing::Filing;
use crate::domain::filing::Reason;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::refusal::Refusal;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Entitle {
    /// `psn_no`
    pub number: String,
    pub insutype: String,
    pub med_type: String,
    /// `begntime`: the day of admission, or the day that is asked about.
    pub day: Day,
    /// Emergency flag, where the hospital sends one; `med_type` 24 counts by itself.
    pub emergency: bool,
    pub work_injury: bool,
}

/// What a stay that began on that day would be settled by.
#[derive(Clone, Debug)]
pub struct Entitlement {
    pub person: Arc<PersonPrivate>,
    pub funds: Vec<FundEntitlement>,
    /// Absent when no fund pays at all; the refusal in every row says why.
    pub filing: Option<FilingSeen>,
}

/// One row of `trtinfo`.
#[derive(Clone, Debug)]
pub struct FundEntitlement {
    pub fund: Fund,
    /// Why this fund pays nothing; `None`: it pays.
    pub denied: Option<Denied>,
    pub from: Day,
    pub to: Option<Day>,
    /// Room under this year's cap, where there is one.
    pub room: Option<Fen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The claim as a whole would be refused.
    Refused(Box<Refusal>),
    /// Not a civil servant, or not in an assistance category on that day.
    NotInGroup,
    /// The pack gives nothing under this fund.
    NotRuled,
    /// The year's cap is used up.
    CapReached,
}

/// The filing that would count.
#[derive(Clone, Debug)]
pub struct FilingSeen {
    pub scheme: Scheme,
    pub level: BenefitLevel,
    pub reason: Reason,
    pub filing: Option<Filing>,
    /// Where she would be treated, for the sentence that tells her what to file.
    pub place: RegionCode,
    pub place_name: String,
}

impl Service {
    /// # Errors
    /// Only who and where: `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`,
    /// `InstitutionUnknown`. Everything else stands in the rows.
    pub async fn entitle(&self, _caller: &Caller, _order: Entitle) -> Result<Entitlement, ServiceError> {
        unimplemented!()
    }
}
