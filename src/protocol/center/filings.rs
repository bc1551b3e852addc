//! `POST /center/v1/filings`: filings reach the ledger from systems of the region.
//!
//! One JSON object: `id` (the sender's own, at most 30 characters; sent again it files nothing twice), `pool` and
//! `psn_no`, `category` (LT_RETIREE, LT_RESIDENT, LT_WORKER, TMP_REFERRAL, TMP_EMERGENCY, TMP_OTHER), `target` (city,
//! municipality or province), and where wanted `from`, `to` (YYYY-MM-DD), `proof` (documents or commitment), `phone`.
//! Answered 201 (200 when it was there already) with the filing.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use sm3::Digest as _;
use sm3::Sm3;

use crate::domain::calendar::Day;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::FilingPrivate;
use crate::domain::record::MessageKey;
use crate::domain::refusal::Refusal;
use crate::protocol::center::CenterFace;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form;
use crate::protocol::web::form::Said;
use crate::service::call::Call;
use crate::service::error::ServiceError;
use crate::service::file::Desk;
use crate::service::file::MakeFiling;
use crate::transport::Answer;

/// Stands for the desk as the sender of messages.
const SENDER: &str = "CENTER";
/// Filings key as 2501 does, whoever makes them.
const TRANSACTION: u16 = 2501;
const RECIPE: u8 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    id: String,
    pool: String,
    psn_no: String,
    category: String,
    target: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    proof: Option<String>,
    #[serde(default)]
    phone: String,
}

impl CenterFace {
    pub(super) async fn take_filing(&self, x: Exchange) -> Result<Answer, PageError> {
        let kind = x.header("content-type").unwrap_or_default();
        if !x.same_origin() || !kind.starts_with("application/json") {
            return Err(unreadable("请以application/json提交", "send application/json"));
        }
        let sent: Sent = serde_json::from_slice(&x.request.body).map_err(|fault| {
            unreadable("报文不是所要求的JSON", &format!("not the JSON that is wanted: {fault}"))
        })?;
        let (message, order) = read(&sent)?;
        let call = self.call(message, &order, &x);
        match self.service.make_filing(&call, order).await {
            Ok(answered) => match &answered.record.body {
                Body::FilingMade(filing) => Ok(made(filing, answered.replayed)),
                _ => Err(PageError::Unfinished),
            },
            Err(ServiceError::Refused(refusal)) => Ok(refused("refused", &words(&refusal))),
            Err(ServiceError::KeyReused { key, .. }) => Ok(refused(
                "key-reused",
                &format!("id {} was used for another filing: use a new one", key.message),
            )),
            Err(ServiceError::Undone { key, .. } | ServiceError::Fenced { key, .. }) => {
                Ok(refused("undone", &format!("id {} was undone: use a new one", key.message)))
            }
            Err(other) => Err(other.into()),
        }
    }

    fn call(&self, message: MessageId, order: &MakeFiling, x: &Exchange) -> Call {
        Call {
            key: MessageKey {
                institution: InstitutionCode::parse(SENDER).expect("a plain word"),
                transaction: TRANSACTION,
                message,
            },
            insured_region: Some(order.person.pool),
            // Everything that was sent but its spacing and order.
            content: ContentHash { recipe: RECIPE, digest: Sm3::digest(content(order).as_bytes()).into() },
            reference: String::new(),
            received_at: self.service.clock.now(),
            operator: x.header("x-operator").unwrap_or("desk").chars().take(30).collect(),
            writer: 1,
            noted: String::new(),
            words: |_| String::new(),
        }
    }
}

fn content(order: &MakeFiling) -> String {
    let MakeFiling { person, category, target, from, to, proof, private, .. } = order;
    let days = [from, to].map(|day| day.map_or(0, Day::number));
    let (number, code, phone) = (person.number(), category.code(), &private.phone);
    format!("{} {number} {code} {target} {days:?} {proof:?} {phone}", person.pool)
}

fn read(sent: &Sent) -> Result<(MessageId, MakeFiling), PageError> {
    let wrong =
        |field: &str, want: &str| unreadable(&format!("字段{field}有误"), &format!("{field}: {want}"));
    let message = MessageId::parse(&sent.id).map_err(|fault| wrong("id", &fault.to_string()))?;
    let pool = RegionCode::parse(&sent.pool).map_err(|fault| wrong("pool", &fault.to_string()))?;
    let person = PersonKey::parse(pool, &sent.psn_no).map_err(|fault| wrong("psn_no", &fault.to_string()))?;
    let category = FilingCategory::from_code(&sent.category).ok_or_else(|| {
        wrong("category", "one of LT_RETIREE, LT_RESIDENT, LT_WORKER, TMP_REFERRAL, TMP_EMERGENCY, TMP_OTHER")
    })?;
    let target = RegionCode::parse(&sent.target).map_err(|fault| wrong("target", &fault.to_string()))?;
    let day = |field, text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => form::day(text).map(Some).ok_or_else(|| wrong(field, "a day like 2026-11-24")),
    };
    let proof = match sent.proof.as_deref() {
        None | Some("documents") => FilingProof::Documents,
        Some("commitment") => FilingProof::Commitment,
        Some(_) => return Err(wrong("proof", "documents or commitment")),
    };
    if sent.phone.chars().count() > 20 {
        return Err(wrong("phone", "at most 20 characters"));
    }
    let private = FilingPrivate { phone: sent.phone.clone(), ..FilingPrivate::default() };
    let (from, to) = (day("from", &sent.from)?, day("to", &sent.to)?);
    Ok((message, MakeFiling { person, category, target, from, to, proof, by: Desk::Center, private }))
}

fn made(filing: &Filing, replayed: bool) -> Answer {
    let body = json!({
        "filing": filing.id.to_string(),
        "category": filing.category.code(),
        "target": filing.target.to_string(),
        "from": filing.from.to_string(),
        "to": filing.to.map(|day| day.to_string()),
        "replayed": replayed,
    });
    answer::json(if replayed { StatusCode::OK } else { StatusCode::CREATED }, &body)
}

fn refused(code: &str, message: &str) -> Answer {
    answer::json(StatusCode::CONFLICT, &json!({ "error": { "code": code, "message": message } }))
}

fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Filing(cause) => cause.to_string(),
        Refusal::PersonUnknown { pool } => format!("pool {pool} knows no such psn_no"),
        Refusal::RegionNotConnected { pool, .. } => format!("pool {pool} is not held here"),
        Refusal::RegionUnknown { region } => format!("the region table does not know {region}"),
        Refusal::FilingPlaceUnknown { region } => {
            format!("target {region}: name a city, a municipality or a province")
        }
        Refusal::FilingNotInsured { day } => format!("nothing insures her on {day}"),
        other => format!("{other:?}"),
    }
}

fn unreadable(zh: &str, en: &str) -> PageError {
    PageError::Unreadable(Said::new(zh, en))
}
