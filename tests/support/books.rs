//! What the ledger holds, told in facts: identifiers and times left out, so that two stories can be compared.

use std::sync::Arc;

use banyan::domain::accumulators::Accumulators;
use banyan::domain::calendar::BenefitYear;
use banyan::domain::calendar::Month;
use banyan::domain::codes::Scheme;
use banyan::domain::ids::FilingId;
use banyan::domain::ids::MessageId;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::SettlementId;
use banyan::domain::record::Body;
use banyan::domain::record::Private;
use banyan::domain::record::Record;
use banyan::ledger::ClearingRow;
use banyan::ledger::Ledger;
use banyan::ledger::LookUp;
use banyan::ledger::Who;

pub(crate) async fn records(ledger: &dyn Ledger, person: &PersonKey) -> Vec<Arc<Record>> {
    ledger.records(person, 0, 10_000).await.unwrap()
}

/// Her accumulators of a year.
pub(crate) async fn year(ledger: &dyn Ledger, person: &PersonKey, scheme: Scheme, year: i32) -> Accumulators {
    let wanted = LookUp::of(Who::Person(person.clone()));
    let facts = ledger.look_up(wanted).await.unwrap().facts.unwrap();
    facts.person.used(scheme, BenefitYear(year))
}

/// Every row of a month.
pub(crate) async fn month(ledger: &dyn Ledger, month: Month) -> Vec<ClearingRow> {
    let mut rows: Vec<ClearingRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.settlement.clone());
        let more = ledger.month(month, after.as_ref(), 500).await.unwrap();
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// The facts of a record: what it says without the names that one telling of it gave to things.
pub(crate) fn facts(record: &Record, names: &[(&str, &str)]) -> (Body, Private) {
    let mut body = record.body.clone();
    let id = SettlementId::parse("SETTLEMENT").unwrap();
    let message = MessageId::parse("MESSAGE").unwrap();
    match &mut body {
        Body::Settled(settled) => {
            settled.id = id;
            settled.filing = settled.filing.take().map(|_| FilingId::parse("FILING").unwrap());
        }
        Body::Reversed(reversal) => {
            (reversal.id, reversal.original, reversal.settlement.id) = (id.clone(), id.clone(), id);
            reversal.undoes.message = message;
            (reversal.original_at, reversal.original_version) = Default::default();
            let filing = &mut reversal.settlement.filing;
            *filing = filing.take().map(|_| FilingId::parse("FILING").unwrap());
        }
        Body::FilingMade(filing) => filing.id = FilingId::parse("FILING").unwrap(),
        Body::FilingEnded(ended) => {
            ended.filing = FilingId::parse("FILING").unwrap();
            if let Some(key) = &mut ended.cancels {
                key.message = message;
            }
        }
        Body::LinesWithdrawn(withdrawal) => {
            withdrawal.uploads.iter_mut().for_each(|key| key.message = message.clone());
        }
        Body::LinesUploaded(lines) => {
            for line in lines {
                // The digest covers the ids that `raw` names.
                line.content = [0; 16];
                line.raw = renamed(&line.raw, names).into();
            }
        }
        Body::Admitted(admission) | Body::AdmissionChanged(admission) => {
            admission.raw = renamed(&admission.raw, names);
        }
        Body::Discharged(discharge) => discharge.raw = renamed(&discharge.raw, names),
        Body::Fenced(key) | Body::UndoneWithoutEffect(key) => key.message = message,
        Body::Registered(_)
        | Body::BalanceTaken(_)
        | Body::OutsideEvent(_)
        | Body::AdmissionCancelled
        | Body::DischargeCancelled
        | Body::Revived(_) => {}
    }
    let mut private = record.private.clone();
    match &mut private {
        Private::Admission(admission) => {
            admission.diagnoses = renamed(&admission.diagnoses, names);
            admission.raw = renamed(&admission.raw, names);
        }
        Private::Discharge(discharge) => {
            discharge.diagnoses = renamed(&discharge.diagnoses, names);
            discharge.raw = renamed(&discharge.raw, names);
        }
        Private::Filing(filing) => filing.raw = renamed(&filing.raw, names),
        Private::None | Private::Erased | Private::Person(_) => {}
    }
    (body, private)
}

/// Fields kept as sent, without names. An extension's own text is kept as it came; what it decides stands elsewhere.
fn renamed(text: &str, names: &[(&str, &str)]) -> String {
    let text = names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(mut fields)) => {
            fields.remove("exp_content");
            serde_json::Value::Object(fields).to_string()
        }
        Ok(_) | Err(_) => text,
    }
}

/// Where two tellings part, with a little of what stands around it.
pub(crate) fn first_difference(one: &impl std::fmt::Debug, other: &impl std::fmt::Debug) -> String {
    const AROUND: usize = 60;
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let part =
        |text: &str| text.chars().skip(same.saturating_sub(AROUND)).take(2 * AROUND).collect::<String>();
    format!("…{}…\n…{}…", part(&one), part(&other))
}
