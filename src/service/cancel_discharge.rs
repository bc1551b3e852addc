//! 2405: takes a discharge back.

use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

impl Service {
    /// The record is `DischargeCancelled`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `OpenStay`.
    pub async fn cancel_discharge(&self, _call: &Call, _order: StayRef) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
