//! 2601: settles a call of unknown outcome in one round trip.

use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::record::Reversal;
use crate::domain::refusal::Caution;
use crate::domain::refusal::Refusal;
use crate::domain::reverse::RevivalFacts;
use crate::domain::reverse::revive;
use crate::ledger::Message;
use crate::ledger::Who;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Begun;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::deed::name_of;
use crate::service::error::ServiceError;
use crate::service::reverse::Reverse;
use crate::service::settle::is_unfiled;

#[derive(Clone, Debug)]
pub struct Undo {
    /// `psn_no`
    pub number: String,
    /// `omsgid`
    pub message: MessageId,
    /// `oinfno`, four digits: 2304A counts as 2304.
    pub transaction: u16,
}

impl Service {
    /// The record is `Reversed`, `Revived`, `AdmissionCancelled`, `Fenced` or `UndoneWithoutEffect`.
    ///
    /// # Errors
    /// `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`, `NotUndoable`, `UndoOfAnother`,
    /// `UndoOfOtherTransaction`, `SettleAgain`,
    /// and those of `reverse` and `cancel_admission`.
    pub async fn undo(&self, call: &Call, order: Undo) -> Result<Answered, ServiceError> {
        check_undoable(order.transaction)?;
        let person = Who::Person(self.person_to_undo_for(call, &order).await?);
        for _ in 0..self.settings.attempts_max {
            match self.undo_once(call, &order, person.clone()).await {
                Err(ServiceError::Contended { .. }) => {}
                settled => return settled,
            }
        }
        Err(ServiceError::Contended { attempts: self.settings.attempts_max })
    }

    /// Where the envelope does not say where she is insured, the message itself does, if it arrived.
    async fn person_to_undo_for(&self, call: &Call, order: &Undo) -> Result<PersonKey, ServiceError> {
        if call.insured_region.is_some() {
            return self.person_key(&call.caller(), &order.number);
        }
        let known = self.ledger.trace(&order.message, Some(call.institution())).await?;
        let records = known.into_iter().filter_map(|(_, message)| match message {
            Message::Done { record, .. } | Message::Undone { record, .. } => Some(record),
            Message::Fenced { by } => Some(by),
            Message::Unknown => None,
        });
        let mut persons = records.map(|record| record.person.clone());
        let hers = persons.find(|person| person.number() == order.number);
        Ok(hers.ok_or(Refusal::InsuredRegionMissing)?)
    }

    /// What became of the other message decides which facts are needed; where that changes under way, `Contended`.
    async fn undo_once(&self, call: &Call, order: &Undo, person: Who) -> Result<Answered, ServiceError> {
        let about = about(call, order);
        let mut wanted = Wanted { about: Some(about.clone()), ..Wanted::of(person) };
        let mut load = match self.begin(call, &wanted).await? {
            Begun::Replay { record, facts } => return self.replay(record, facts).await,
            Begun::Fresh(load) => *load,
        };
        if let Some((stay, settlement)) = concerns(&load.about) {
            wanted.who = Who::Stay { stay, number: order.number.clone() };
            wanted.settlement = settlement;
            load = match self.begin(call, &wanted).await? {
                Begun::Replay { record, facts } => return self.replay(record, facts).await,
                Begun::Fresh(load) => *load,
            };
        }
        if matches!(load.about, Message::Unknown) {
            self.check_meant(&about, &load.facts.key).await?;
        }
        self.perform(call, &wanted, load, |load| self.decide_undo(call, order, &about, load)).await
    }

    /// A fence would be answered with success, and what was meant would stand.
    async fn check_meant(&self, about: &MessageKey, person: &PersonKey) -> Result<(), ServiceError> {
        let known = self.ledger.trace(&about.message, Some(&about.institution)).await?;
        for (key, message) in known {
            let (Message::Done { record, .. } | Message::Undone { record, .. }) = &message else { continue };
            let stands = matches!(message, Message::Done { .. });
            let (hers, same) = (record.person == *person, key.transaction == about.transaction);
            if hers && !same {
                // Told the right number, it would be refused for what it is.
                check_undoable(key.transaction)?;
                let (given, was) = (about.transaction, key.transaction);
                return Err(Refusal::UndoOfOtherTransaction { given, was, message: key.message }.into());
            }
            if same && !hers && stands {
                return Err(
                    Refusal::UndoOfAnother { transaction: key.transaction, message: key.message }.into()
                );
            }
        }
        Ok(())
    }

    fn decide_undo(
        &self,
        call: &Call,
        order: &Undo,
        about: &MessageKey,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let record = match &load.about {
            Message::Unknown => return Ok(noting(Body::Fenced(about.clone()), Caution::NeverDone)),
            Message::Undone { record, .. } if matches!(record.body, Body::Reversed(_)) => {
                return Ok(noting(Body::UndoneWithoutEffect(about.clone()), Caution::ReversalUndone));
            }
            Message::Undone { .. } | Message::Fenced { .. } => {
                return Ok(noting(Body::UndoneWithoutEffect(about.clone()), Caution::NothingToUndo));
            }
            Message::Done { record, .. } => record,
        };
        // It was done after the facts were chosen: choose again.
        let stay = load.facts.stay.as_ref().ok_or(ServiceError::Contended { attempts: 1 })?;
        let stay = StayRef { stay: stay.id.clone(), number: order.number.clone() };
        match &record.body {
            Body::Settled(settlement) => {
                let order = Reverse { stay, settlement: settlement.id.clone() };
                self.decide_reversal(call, &order, load)
            }
            Body::Reversed(reversal) => self.decide_revival(call, &stay, reversal, record, load),
            Body::Admitted(_) => self.decide_cancel_admission(call, &stay, load),
            other => {
                Err(Refusal::Broken { what: format!("2601 of a message that {}", name_of(other)) }.into())
            }
        }
    }

    fn decide_revival(
        &self,
        call: &Call,
        order: &StayRef,
        reversal: &Reversal,
        record: &Record,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, order, &load.facts)?;
        let facts = RevivalFacts {
            person: &load.facts.person,
            stay: stay.in_hand(),
            stay_version: stay.version,
            record,
        };
        let revival = revive(&facts, reversal, self.new_settlement_id(load.facts.bucket))?;
        // A filing made since does not change what stood before.
        let cautions = is_unfiled(&revival.settlement).then_some(Caution::SettledUnfiled);
        let body = Body::Revived(Box::new(revival));
        Ok(Decision { cautions: cautions.into_iter().collect(), ..Decision::at(body, &stay.id) })
    }
}

/// All ends of 2601 are a success: which it was is told beside it.
fn noting(body: Body, caution: Caution) -> Decision {
    Decision { cautions: vec![caution], ..Decision::of(body) }
}

fn about(call: &Call, order: &Undo) -> MessageKey {
    MessageKey {
        institution: call.institution().clone(),
        transaction: order.transaction,
        message: order.message.clone(),
    }
}

/// The stay and settlement that a deed to undo is about.
fn concerns(about: &Message) -> Option<(StayId, Option<SettlementId>)> {
    let Message::Done { record, .. } = about else { return None };
    let (stay, _) = record.stay.clone()?;
    let settlement = match &record.body {
        Body::Settled(settlement) => Some(settlement.id.clone()),
        _ => None,
    };
    Some((stay, settlement))
}

/// 2601 undoes 2304, 2305 and 2401. Everything else is sent again, or has a cancel of its own.
fn check_undoable(transaction: u16) -> Result<(), Refusal> {
    let cancel = match transaction {
        2304 | 2305 | 2401 => return Ok(()),
        2301 => Some(2302),
        2402 => Some(2405),
        2405 => Some(2402),
        2501 => Some(2502),
        _ => None,
    };
    Err(Refusal::NotUndoable { transaction, cancel })
}
