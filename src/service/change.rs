//! 2403: changes what an admission said.

use crate::domain::calendar::Moment;
use crate::domain::record::AdmissionPrivate;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

/// What 2403 may change. `None`, or empty text: as it was. Insurance, person and institution cannot be changed.
#[derive(Clone, Debug)]
pub struct Change {
    pub stay: StayRef,
    pub begun: Moment,
    pub med_type: String,
    /// Emergency flag. Each change is recorded and listed to the center, since it decides a rate.
    pub emergency: Option<bool>,
    pub third_party: Option<bool>,
    pub commitment: Option<bool>,
    pub work_injury: Option<bool>,
    pub matn_type: Option<String>,
    pub credential_type: String,
    pub inpatient_no: String,
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
    pub private: AdmissionPrivate,
}

impl Service {
    /// The record is `AdmissionChanged`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `InFuture`, `TooLate`, `ChangeAfterPart`, `ChangeWouldSplitAnew`,
    /// and of admission `NotDesignated`, `NotCovered`, `NoPolicy`, `NotRecognised` on the new day.
    pub async fn change(&self, _call: &Call, _order: Change) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
