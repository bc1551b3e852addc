//! 2302: takes fee lines back.

use crate::domain::lines::Lines;
use crate::domain::record::Body;
use crate::domain::record::Withdrawal;
use crate::domain::settle::check_act;
use crate::domain::stay::Act;
use crate::domain::withdraw::Which;
use crate::domain::withdraw::withdraw;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Withdraw {
    pub stay: StayRef,
    pub which: Which,
}

impl Service {
    /// The record is `LinesWithdrawn`. One that found nothing to withdraw is recorded too: sent again when lines have
    /// come since, it must not take those.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `Lines` with every faulty line.
    pub async fn withdraw(&self, call: &Call, order: Withdraw) -> Result<Answered, ServiceError> {
        let wanted = Wanted::with_lines(order.stay.who());
        self.done(call, &wanted, |load| self.decide_withdrawal(call, &order, load)).await
    }

    fn withdrawal(
        &self,
        call: &Call,
        order: &Withdraw,
        load: &Load,
    ) -> Result<Option<Withdrawal>, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        check_act(&stay.id, &stay.state, Act::Withdraw)?;
        let nothing = Lines::default();
        Ok(withdraw(load.facts.lines.as_deref().unwrap_or(&nothing), &order.which)?)
    }

    fn decide_withdrawal(
        &self,
        call: &Call,
        order: &Withdraw,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let none = Withdrawal { lines: Vec::new(), days: Vec::new(), uploads: Vec::new() };
        let withdrawal = self.withdrawal(call, order, load)?.unwrap_or(none);
        let body = Body::LinesWithdrawn(withdrawal);
        Ok(Decision { guards_person: false, ..Decision::at(body, &order.stay.stay) })
    }
}
