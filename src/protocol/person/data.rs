//! `/me/v1`: the same views as JSON. Amounts are texts in yuan with two decimals, days `YYYY-MM-DD`, rates exact
//! decimals as text.

use hyper::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::domain::accumulators::Accumulators;
use crate::protocol::person::PersonFace;
use crate::protocol::person::claim::ClaimView;
use crate::protocol::person::claim::Otherwise;
use crate::protocol::person::claims;
use crate::protocol::person::claims::ClaimRow;
use crate::protocol::person::claims::Status;
use crate::protocol::person::names;
use crate::protocol::person::next;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::transport::Answer;

impl PersonFace {
    pub(super) async fn claims_as_data(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let seen = self.seen(&session).await?;
        let rows = claims::rows(&seen, &self.service.reference.load(), self.service.today());
        let claims: Vec<Value> = rows.iter().map(row).collect();
        Ok(answer::json(StatusCode::OK, &json!({ "claims": claims })))
    }

    pub(super) async fn claim_as_data(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let (claim, view) = self.claim(&session, x.place(0)).await?;
        let steps = next::steps(&claim, view.as_ref());
        let mut value = row(&claim);
        value["next"] = steps.iter().map(|step| said(&step.said)).collect();
        value["explanation"] = view.as_ref().map_or(Value::Null, explanation);
        Ok(answer::json(StatusCode::OK, &value))
    }
}

fn said(said: &Said) -> Value {
    json!({ "zh": said.zh, "en": said.en })
}

fn row(row: &ClaimRow) -> Value {
    let (reversed_on, replaced_by) = match &row.status {
        Status::Reversed { on, .. } => (Some(on.to_string()), None),
        Status::Replaced { on, by } => (Some(on.to_string()), Some(by)),
        Status::InHospital | Status::AwaitsSettlement | Status::Settled => (None, None),
    };
    let settled = row.settled.as_ref();
    json!({
        "id": row.id,
        "hospital": row.hospital,
        "place": { "code": row.place_code.to_string(), "name": row.place },
        "admitted": row.admitted.to_string(),
        "until": row.until.map(|day| day.to_string()),
        "part": row.part,
        "status": row.status.code(),
        "reversed_on": reversed_on,
        "replaced_by": replaced_by,
        "settled_on": settled.map(|s| s.on.to_string()),
        "clearing_month": settled.map(|s| s.month.to_string()),
        "filing_so_far": row.coming.as_ref().map(|coming| json!({
            "level": { "code": coming.level.name(), "words": said(&names::coming(coming.level)) },
            "filing": coming.filing.as_ref().map(|id| id.to_string()),
        })),
        "fee": settled.map(|s| s.fee.to_string()),
        "funds": settled.map(|s| s.funds.to_string()),
        "person": settled.map(|s| s.person.to_string()),
    })
}

fn explanation(view: &ClaimView) -> Value {
    let breakdown = &view.breakdown;
    let shares: Vec<Value> = view
        .shares
        .iter()
        .map(|share| json!({ "payer": said(&share.label), "amount": share.amount.to_string() }))
        .collect();
    json!({
        "differs_when_recomputed": view.mismatch,
        "scheme": view.settlement.scheme.to_string(),
        "level": { "code": view.level.name(), "words": said(&names::level(view.level)) },
        "filing": view.settlement.filing.as_ref().map(|id| id.to_string()),
        "who_pays": shares,
        "split": {
            "full_own_pay": breakdown.fulamt_ownpay_amt.to_string(),
            "over_limit": breakdown.overlmt_selfpay.to_string(),
            "first_pay": breakdown.preselfpay_amt.to_string(),
            "in_scope": breakdown.inscp_scp_amt.to_string(),
        },
        "deductible": breakdown.act_pay_dedc.to_string(),
        "rates": rates(view),
        "funds_beside_the_pool": funds(view),
        "caps": caps(view),
        "year": { "name": view.settlement.year.to_string(), "before": year(&view.before), "after": year(&view.after) },
        "filing_made": otherwise(view),
        "account": breakdown.acct_pay.to_string(),
        "cash": breakdown.psn_cash_pay.to_string(),
        "owed_to_person": breakdown.owed_to_person.to_string(),
    })
}

fn rates(view: &ClaimView) -> Value {
    let one = |step: &crate::domain::explain::RateStep| {
        json!({
            "base": step.base.to_string(),
            "retired_bonus": step.retired_bonus.to_string(),
            "age_bonus": step.age_bonus.to_string(),
            "applied": step.applied.to_string(),
        })
    };
    view.steps.rates.iter().map(one).collect()
}

fn funds(view: &ClaimView) -> Value {
    let one = |seen: &crate::protocol::person::claim::FundSeen| {
        json!({ "fund": said(&names::fund(seen.fund)), "paid": seen.paid.to_string(),
                "why": { "zh": seen.why.zh, "en": seen.why.en } })
    };
    view.steps.funds.iter().map(one).collect()
}

fn caps(view: &ClaimView) -> Value {
    let one = |cap: &crate::protocol::person::claim::CapSeen| {
        json!({ "fund": said(&names::fund(cap.fund)), "left_before": cap.room.to_string(),
                "left_after": cap.left().to_string() })
    };
    view.caps.iter().map(one).collect()
}

fn year(year: &Accumulators) -> Value {
    json!({
        "admissions": year.admissions,
        "deductible": year.deductible.to_string(),
        "pool": year.hifp.to_string(),
        "large_amount": year.hifob.to_string(),
        "serious_illness": year.hifmi.to_string(),
        "assistance": year.maf.to_string(),
        "burden": year.burden.to_string(),
    })
}

/// What the filing saved, or one would have saved.
fn otherwise(view: &ClaimView) -> Value {
    match view.other {
        Some(Otherwise::Saved(amount) | Otherwise::SavedAll(amount)) => {
            json!({ "saved": amount.to_string() })
        }
        Some(Otherwise::WouldHaveSaved { by, amount }) => {
            json!({ "would_have_saved": amount.to_string(), "by": by.name() })
        }
        None => Value::Null,
    }
}
