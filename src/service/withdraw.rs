//! 2302: takes fee lines back.

use crate::domain::lines::Lines;
use crate::domain::record::Body;
use crate::domain::record::Withdrawal;
use crate::domain::settle::check_act;
use crate::domain::stay::Act;
use crate::domain::withdraw::withdraw;
use crate::service::deed::Begun;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::record::Record;
use crate::domain::withdraw::Which;
use crate::service::Service;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Withdraw {
    pub stay: StayRef,
    pub which: Which,
}

#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// Absent when "0000" found nothing to withdraw: then nothing changed.
    pub record: Option<Arc<Record>>,
    pub replayed: bool,
}

impl Service {
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `Lines` with every faulty line.
    pub async fn withdraw(&self, call: &Call, order: Withdraw) -> Result<Withdrawn, ServiceError> {
        let wanted = Wanted::with_lines(order.stay.who());
        let load = match self.begin(call, &wanted).await? {
            Begun::Replay { record, .. } => return Ok(Withdrawn { record: Some(record), replayed: true }),
            Begun::Fresh(load) => *load,
        };
        if self.withdrawal(call, &order, &load)?.is_none() {
            return Ok(Withdrawn { record: None, replayed: false });
        }
        let answered =
            self.perform(call, &wanted, load, |load| self.decide_withdrawal(call, &order, load)).await?;
        Ok(Withdrawn { record: Some(answered.record), replayed: answered.replayed })
    }

    fn withdrawal(
        &self,
        call: &Call,
        order: &Withdraw,
        load: &Load,
    ) -> Result<Option<Withdrawal>, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        check_act(&load.facts.person, &stay.id, &stay.state, Act::Withdraw)?;
        let nothing = Lines::default();
        Ok(withdraw(load.facts.lines.as_ref().unwrap_or(&nothing), &order.which)?)
    }

    /// An empty withdrawal is recorded only where another call emptied the stay between load and commit.
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
