//! 2305: the exact negative of a settlement, in the month of its commit.

use crate::domain::ids::SettlementId;
use crate::domain::record::Body;
use crate::domain::refusal::Refusal;
use crate::domain::reverse::ReversalFacts;
use crate::domain::reverse::reverse;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Reverse {
    pub stay: StayRef,
    pub settlement: SettlementId,
}

impl Service {
    /// The record is `Reversed`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`, `IsReversal`, `AlreadyReversed`, `OutOfOrder`,
    /// `LaterPartStands`, `LaterStands`.
    pub async fn reverse(&self, call: &Call, order: Reverse) -> Result<Answered, ServiceError> {
        let wanted = Wanted { settlement: Some(order.settlement.clone()), ..Wanted::of(order.stay.who()) };
        self.done(call, &wanted, |load| self.decide_reversal(call, &order, load)).await
    }

    /// Also 2601 of 2304.
    pub(crate) fn decide_reversal(
        &self,
        call: &Call,
        order: &Reverse,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        let unknown = || Refusal::SettlementUnknown { settlement: order.settlement.clone() };
        let record = load.facts.settlement.as_ref().ok_or_else(unknown)?;
        if record.person != load.facts.key {
            return Err(unknown().into());
        }
        let reference = self.reference.load();
        let facts = ReversalFacts {
            reference: &reference,
            person: &load.facts.person,
            stay: stay.in_hand(),
            record,
            today: self.today(),
        };
        let id = self.new_settlement_id(load.facts.bucket);
        let reversal = reverse(&facts, &order.settlement, id)?;
        let body = Body::Reversed(Box::new(reversal));
        Ok(Decision::at(body, &stay.id))
    }
}
