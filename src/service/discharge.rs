//! 2402: ends a stay.

use crate::domain::calendar::Moment;
use crate::domain::record::DischargePrivate;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct DischargeOrder {
    pub stay: StayRef,
    /// Empty: not told.
    pub insutype: String,
    pub ended: Moment,
    pub way: String,
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Empty leaves what the admission said.
    pub matn_type: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
    pub private: DischargePrivate,
}

impl Service {
    /// The record is `Discharged`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `InsuranceDiffers`, `OutOfOrder`, `InFuture`, `TooEarly`.
    pub async fn discharge(&self, _call: &Call, _order: DischargeOrder) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
