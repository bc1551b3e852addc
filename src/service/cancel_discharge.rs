//! 2405: takes a discharge back.

use crate::domain::admission;
use crate::domain::record::Body;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

impl Service {
    /// The record is `DischargeCancelled`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `OpenStay`.
    pub async fn cancel_discharge(&self, call: &Call, order: StayRef) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(order.who());
        self.done(call, &wanted, |load| {
            let stay = self.own_stay(call.institution(), call.insured_region, &order, &load.facts)?;
            let reference = self.reference.load();
            let facts = self.admission_facts(&reference, &load.facts);
            admission::cancel_discharge(&facts, stay.in_hand())?;
            Ok(Decision::at(Body::DischargeCancelled, &stay.id))
        })
        .await
    }
}
