//! 2402: ends a stay.

use crate::domain::admission;
use crate::domain::calendar::Moment;
use crate::domain::record::Body;
use crate::domain::record::Discharge;
use crate::domain::record::DischargePrivate;
use crate::domain::record::Private;
use crate::domain::settle::check_insurance;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
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
    pub async fn discharge(&self, call: &Call, order: DischargeOrder) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(order.stay.who());
        self.done(call, &wanted, |load| self.decide_discharge(call, &order, load)).await
    }

    fn decide_discharge(
        &self,
        call: &Call,
        order: &DischargeOrder,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        check_insurance(&stay.state, &order.insutype)?;
        let discharge = order.discharge();
        admission::discharge(stay.in_hand(), &discharge, self.today())?;
        let private = Private::Discharge(order.private.clone());
        Ok(Decision { private, ..Decision::at(Body::Discharged(discharge), &stay.id) })
    }
}

impl DischargeOrder {
    fn discharge(&self) -> Discharge {
        Discharge {
            ended: self.ended,
            way: self.way.clone(),
            department: self.department.clone(),
            department_name: self.department_name.clone(),
            bed: self.bed.clone(),
            matn_type: self.matn_type.clone(),
            raw: self.raw.clone(),
        }
    }
}
