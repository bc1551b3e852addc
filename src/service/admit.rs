//! 2401: begins a stay.

use crate::domain::calendar::Moment;
use crate::domain::record::AdmissionPrivate;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::credential::Credential;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Admit {
    /// `psn_no`
    pub number: String,
    pub credential: Credential,
    pub insutype: String,
    pub med_type: String,
    pub begun: Moment,
    /// Emergency flag; `med_type` 24 counts by itself.
    pub emergency: bool,
    /// `ttp_resp` 1
    pub third_party: bool,
    /// The signed commitment that no third party is liable is on file; needed with `med_type` 22.
    pub commitment: bool,
    pub matn_type: String,
    /// `recer_sys_code` GSXT
    pub work_injury: bool,
    pub inpatient_no: String,
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
    pub private: AdmissionPrivate,
}

impl Service {
    /// The record is `Admitted`; its stay is the `mdtrt_id`.
    ///
    /// # Errors
    /// In this order: `InstitutionUnknown`, `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`,
    /// `PersonUnknown`, credential refusals, `InFuture`, `NotDesignated`, `LevelUnknown`, `OpenStay`, `NotCovered`,
    /// `NoPolicy`, `NotRecognised`.
    pub async fn admit(&self, _call: &Call, _order: Admit) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
