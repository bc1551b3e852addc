//! 2404: takes an admission back.

use crate::domain::admission;
use crate::domain::record::Body;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

impl Service {
    /// The record is `AdmissionCancelled`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `LinesStand`.
    pub async fn cancel_admission(&self, call: &Call, order: StayRef) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(order.who());
        self.done(call, &wanted, |load| self.decide_cancel_admission(call, &order, load)).await
    }

    /// Also 2601 of 2401.
    pub(crate) fn decide_cancel_admission(
        &self,
        call: &Call,
        order: &StayRef,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, order, &load.facts)?;
        admission::cancel(stay.in_hand())?;
        Ok(Decision::at(Body::AdmissionCancelled, &stay.id))
    }
}
