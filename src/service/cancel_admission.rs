//! 2404: takes an admission back.

use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

impl Service {
    /// The record is `AdmissionCancelled`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `LinesStand`.
    pub async fn cancel_admission(&self, _call: &Call, _order: StayRef) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
