//! 2501, 2501A and 2502, and the filings of center and person: makes and ends 备案.

use crate::domain::calendar::Day;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::FilingId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::record::FilingPrivate;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::error::ServiceError;

/// 2501: a referral by a hospital of the insured region.
#[derive(Clone, Debug)]
pub struct Refer {
    /// `psn_no`
    pub number: String,
    /// `mdtrtarea_admdvs`; a district stands for its city.
    pub target: RegionCode,
    /// `refl_date`
    pub referred_on: Day,
    /// `begndate`
    pub from: Option<Day>,
    /// `enddate`
    pub to: Option<Day>,
    pub private: FilingPrivate,
}

/// A filing made by the center or by the person herself.
#[derive(Clone, Debug)]
pub struct MakeFiling {
    pub person: PersonKey,
    pub category: FilingCategory,
    pub target: RegionCode,
    /// `None`: today.
    pub from: Option<Day>,
    pub to: Option<Day>,
    pub proof: FilingProof,
    pub by: Desk,
    pub private: FilingPrivate,
}

/// Who files, other than a hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    Center,
    Person,
    Import,
}

#[derive(Clone, Debug)]
pub struct EndFilingOrder {
    pub person: PersonKey,
    pub filing: FilingId,
    /// The first day on which it stands no longer; `None`: today.
    pub from: Option<Day>,
    pub reason: String,
    pub by: Desk,
}

/// 2502.
#[derive(Clone, Debug)]
pub struct CancelReferral {
    /// `psn_no`
    pub number: String,
    /// `trt_dcla_detl_sn`
    pub filing: FilingId,
    /// `memo`
    pub reason: String,
}

impl Service {
    /// 2501. The record is `FilingMade`; its id is the `trt_dcla_detl_sn`.
    ///
    /// # Errors
    /// `InstitutionUnknown`, `NotDesignated` (suspension counts), region and person, `FilingPlaceUnknown`,
    /// `FilingNotInsured`, `Filing`.
    pub async fn refer(&self, _call: &Call, _order: Refer) -> Result<Answered, ServiceError> {
        unimplemented!()
    }

    /// 2502. The record is `FilingEnded`.
    ///
    /// # Errors
    /// Region and person, `FilingUnknown`, `FilingOfAnother`, `Filing`.
    pub async fn cancel_referral(
        &self,
        _call: &Call,
        _order: CancelReferral,
    ) -> Result<Answered, ServiceError> {
        unimplemented!()
    }

    /// A filing of any category. The record is `FilingMade`.
    ///
    /// # Errors
    /// As `refer`, the institution apart.
    pub async fn make_filing(&self, _call: &Call, _order: MakeFiling) -> Result<Answered, ServiceError> {
        unimplemented!()
    }

    /// The record is `FilingEnded`.
    ///
    /// # Errors
    /// As `cancel_referral`.
    pub async fn end_filing(&self, _call: &Call, _order: EndFilingOrder) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
