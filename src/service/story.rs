//! The story of one message: when, by whom, what was decided and why, what undid it, what to do next. No personal data.

use std::sync::Arc;

use crate::domain::calendar::Instant;
use crate::domain::filing::Filing;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::record::Admission;
use crate::domain::record::Body;
use crate::domain::record::Line;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::record::Reversal;
use crate::domain::record::Settlement;
use crate::ledger::Message;
use crate::service::Service;
use crate::service::deed::name_of;
use crate::service::error::ServiceError;

/// What is known of one message key.
#[derive(Clone, Debug)]
pub struct Story {
    pub key: MessageKey,
    pub deed: Option<Told>,
    pub ended: Option<Ended>,
    pub next: NextStep,
}

/// A deed without personal data.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Instant,
    pub received_at: Instant,
    pub operator: String,
    pub reference: String,
    pub stay: Option<StayId>,
    /// The settlement, reversal or revival that it made.
    pub settlement: Option<SettlementId>,
    pub warning: String,
    /// What was decided and why, one fact a line, English.
    pub facts: Vec<String>,
    /// The record, for those who may see more.
    pub record: Arc<Record>,
}

/// What ended it.
#[derive(Clone, Debug)]
pub enum Ended {
    Undone(Told),
    /// It never was done, and may not be any more.
    Fenced(Told),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It stands: sending it again is answered with the same bytes.
    Nothing,
    /// Undone or fenced: send the order under a new msgid if it is still wanted.
    SendUnderNewId,
}

impl Service {
    /// Every message with that id, of one institution or of all. Empty: never arrived, or was refused.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn story(
        &self,
        message: &MessageId,
        institution: Option<&InstitutionCode>,
    ) -> Result<Vec<Story>, ServiceError> {
        let known = self.ledger.trace(message, institution).await?;
        Ok(known.into_iter().filter_map(|(key, message)| tell(key, message)).collect())
    }
}

fn tell(key: MessageKey, message: Message) -> Option<Story> {
    let (deed, ended) = match message {
        Message::Unknown => return None,
        Message::Done { record, .. } => (Some(told(record)), None),
        Message::Undone { record, by, .. } => (Some(told(record)), Some(Ended::Undone(told(by)))),
        Message::Fenced { by } => (None, Some(Ended::Fenced(told(by)))),
    };
    let next = if ended.is_some() { NextStep::SendUnderNewId } else { NextStep::Nothing };
    Some(Story { key, deed, ended, next })
}

fn told(record: Arc<Record>) -> Told {
    let settlement = match &record.body {
        Body::Settled(settlement) => Some(settlement.id.clone()),
        Body::Reversed(reversal) => Some(reversal.id.clone()),
        Body::Revived(revival) => Some(revival.id.clone()),
        _ => None,
    };
    Told {
        at: record.at,
        received_at: record.meta.received_at,
        operator: record.meta.operator.clone(),
        reference: record.meta.reference.clone(),
        stay: record.stay.as_ref().map(|(id, _)| id.clone()),
        settlement,
        warning: record.meta.warning.clone(),
        facts: facts(&record.body),
        record,
    }
}

/// What was decided and why. Nothing that names a person or a disease.
fn facts(body: &Body) -> Vec<String> {
    let mut facts = vec![name_of(body).to_owned()];
    facts.extend(match body {
        Body::Admitted(a) | Body::AdmissionChanged(a) => admission_facts(a),
        Body::Discharged(discharge) => vec![format!("discharged at {}", discharge.ended)],
        Body::LinesUploaded(lines) => lines_facts(lines),
        Body::LinesWithdrawn(withdrawal) => vec![format!("{} lines", withdrawal.lines.len())],
        Body::Settled(settlement) => settlement_facts(settlement),
        Body::Reversed(reversal) => reversed_facts(reversal),
        Body::Revived(revival) => {
            vec![format!("settlement {} stands again", revival.settlement.id)]
        }
        Body::FilingMade(filing) => filing_facts(filing),
        Body::FilingEnded(ended) => {
            vec![format!("filing {} stands until {}", ended.filing, ended.last_day)]
        }
        Body::Fenced(key) | Body::UndoneWithoutEffect(key) => {
            vec![format!("about message {} of transaction {}", key.message, key.transaction)]
        }
        Body::OutsideEvent(event) => vec![format!("{:?} of {} on {}", event.kind, event.year, event.on)],
        Body::Registered(_) | Body::BalanceTaken(_) | Body::AdmissionCancelled | Body::DischargeCancelled => {
            Vec::new()
        }
    });
    facts
}

fn admission_facts(admission: &Admission) -> Vec<String> {
    let flags = [
        (admission.emergency, "emergency"),
        (admission.third_party, "third party liable"),
        (!admission.injury_cleared, "injury without commitment"),
        (admission.work_injury, "work injury"),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    let (insutype, med_type) = (&admission.insutype, &admission.med_type);
    let first = format!(
        "at {} from {}, insutype {insutype}, med_type {med_type}",
        admission.institution, admission.begun
    );
    std::iter::once(first).chain(flags).collect()
}

fn lines_facts(lines: &[Line]) -> Vec<String> {
    let amount: Fen = lines.iter().map(|line| line.amount).sum();
    let in_scope: Fen = lines.iter().map(|line| line.split.parts.in_scope).sum();
    vec![format!("{} lines, {amount} yuan, of it in scope {in_scope}", lines.len())]
}

fn settlement_facts(settlement: &Settlement) -> Vec<String> {
    let b = &settlement.breakdown;
    let what = if settlement.part { "part of a stay" } else { "whole stay" };
    let filing = settlement.filing.as_ref().map_or_else(|| "no filing".into(), |id| format!("filing {id}"));
    vec![
        format!("{what} up to {}, scheme {}, year {}", settlement.up_to, settlement.scheme, settlement.year),
        format!("level {} by {filing}", settlement.facts.level),
        format!(
            "policy of {} on {}, pack {}",
            settlement.insured_pool, settlement.policy_day, settlement.pack
        ),
        format!("fee {}, in scope {}, deductible {}", b.medfee_sumamt, b.inscp_scp_amt, b.act_pay_dedc),
        format!("funds {}, account {}, cash {}", b.fund_pay_sumamt, b.acct_pay, b.psn_cash_pay),
    ]
}

fn reversed_facts(reversal: &Reversal) -> Vec<String> {
    let b = &reversal.settlement.breakdown;
    vec![
        format!("settlement {} of {}", reversal.original, reversal.original_at.moment()),
        format!("funds {}, account {}, cash {}", -b.fund_pay_sumamt, -b.acct_pay, -b.psn_cash_pay),
    ]
}

fn filing_facts(filing: &Filing) -> Vec<String> {
    let end = filing.to.map_or_else(|| "without end".into(), |to| format!("to {to}"));
    vec![format!("{} for {} from {} {end}", filing.category.code(), filing.target, filing.from)]
}
