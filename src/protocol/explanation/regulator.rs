//! Owns the trace as JSON for whoever checks: each step with its clause, its figures, exact and rounded.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::domain::accumulators::Accumulators;
use crate::domain::explain::DeductibleCount;
use crate::domain::explain::Rounded;
use crate::domain::explain::SegmentWalked;
use crate::domain::explain::ShareStep;
use crate::domain::explain::Step;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::Cap;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::Reduction;

/// Steps in the order in which they were taken. Amounts and rates are decimal text.
pub fn steps(steps: &[Step]) -> Value {
    Value::Array(steps.iter().map(step).collect())
}

/// Totals of a year; admissions are a number, amounts are decimal text.
pub fn year(year: &Accumulators) -> Value {
    json!({
        "admissions": year.admissions,
        "deductible": money(year.deductible),
        "hifp": money(year.hifp),
        "hifob": money(year.hifob),
        "hifmi": money(year.hifmi),
        "burden": money(year.burden),
        "maf": money(year.maf),
    })
}

/// `128.50` as text.
pub fn money(amount: Fen) -> Value {
    Value::String(amount.to_string())
}

/// `0.83` as text.
pub fn rate(rate: Rate) -> Value {
    Value::String(rate.0.normalize().to_string())
}

fn step(step: &Step) -> Value {
    let (name, clause, figures) = parts(step);
    let mut object = Map::new();
    object.insert("step".to_owned(), json!(name));
    object.insert("clause".to_owned(), json!(clause));
    if let Value::Object(figures) = figures {
        object.extend(figures);
    }
    Value::Object(object)
}

fn parts(step: &Step) -> (&'static str, &'static str, Value) {
    match step {
        Step::Bill { totals: t, level } => (
            "bill",
            "2.1",
            json!({
                "benefit_level": level.name(),
                "medfee_sumamt": money(t.fee()),
                "fulamt_ownpay_amt": money(t.full_own_pay),
                "overlmt_selfpay": money(t.over_limit),
                "preselfpay_amt": money(t.first_pay),
                "inscp_scp_amt": money(t.in_scope),
            }),
        ),
        Step::ExtraFirstPay(s) => (
            "extra_first_pay",
            "2.2-3",
            json!({ "rate": rate(s.rate), "through": rounded(s.through), "earlier": money(s.earlier), "amount": money(s.amount) }),
        ),
        Step::Deductible(s) => (
            "deductible",
            "2.2-1",
            json!({
                "base": money(s.base),
                "retired_reduction": money(s.retired_reduction),
                "counted": counted(s.counted),
                "filing_factor": s.filing_factor.normalize().to_string(),
                "whole": rounded(s.whole),
                "borne_by_stay": money(s.borne_by_stay),
                "dedc_std": money(s.standard),
                "act_pay_dedc": money(s.paid),
            }),
        ),
        Step::Rate(s) => (
            "rate",
            "2.2-3",
            json!({
                "base": rate(s.base),
                "retired_bonus": rate(s.retired_bonus),
                "age_bonus": rate(s.age_bonus),
                "reduction": reduction(s.reduction),
                "applied": rate(s.applied),
            }),
        ),
        Step::Pool(s) => (
            "pool",
            "2.2-4",
            json!({
                "through": rounded(s.through),
                "earlier": rounded(s.earlier),
                "segments": walked(&s.segments),
                "uncapped": money(s.uncapped),
                "cap": cap(s.cap),
                "room": cap(s.room),
                "paid": money(s.paid),
            }),
        ),
        Step::PoolCapReached(s) => (
            "pool_cap_reached",
            "2.2-4",
            json!({ "bought": rounded(s.bought), "over_base": money(s.over_base) }),
        ),
        Step::LargeAmount(s) => ("large_amount", "2.2-5", share(s)),
        Step::SeriousIllness(s) => (
            "serious_illness",
            "2.2-7",
            json!({
                "start": money(s.start),
                "burden_before": money(s.burden_before),
                "burden_after": money(s.burden_after),
                "tiers": walked(&s.tiers),
                "before": rounded(s.before),
                "after": rounded(s.after),
                "uncapped": money(s.uncapped),
                "room": cap(s.room),
                "paid": money(s.paid),
            }),
        ),
        Step::CivilServant(s) => ("civil_servant", "2.2-8", share(s)),
        Step::Assistance { category, share: s } => {
            let mut figures = share(s);
            figures["category"] = json!(category.code().to_string());
            ("assistance", "2.2-8", figures)
        }
        Step::Maternity(s) => (
            "maternity",
            "2.8",
            json!({
                "matn_type": s.kind.to_string(),
                "pay": maternity_pay(s.pay),
                "through": money(s.through),
                "earlier": money(s.earlier),
                "paid": money(s.paid),
                "owed_to_person": money(s.owed_to_person),
            }),
        ),
        Step::WorkInjury { paid } => ("work_injury", "2.8", json!({ "paid": money(*paid) })),
        Step::Account(s) => (
            "account",
            "2.2-9",
            json!({ "balance": money(s.balance), "payable": money(s.payable), "paid": money(s.paid) }),
        ),
        Step::Cash(s) => (
            "cash",
            "2.2-9",
            json!({
                "fee": money(s.fee),
                "funds": money(s.funds),
                "person": money(s.person),
                "account": money(s.account),
                "cash": money(s.cash),
            }),
        ),
        Step::Accumulators { before, after } => {
            ("accumulators", "2.2-10", json!({ "before": year(before), "after": year(after) }))
        }
    }
}

fn rounded(figure: Rounded) -> Value {
    json!({ "exact": figure.exact.normalize().to_string(), "rounded": money(figure.rounded) })
}

fn cap(cap: Cap) -> Value {
    cap.map_or(Value::Null, money)
}

fn counted(count: DeductibleCount) -> Value {
    match count {
        DeductibleCount::Admission { settled, factor } => {
            json!({ "by": "admission", "settled": settled, "factor": factor.normalize().to_string() })
        }
        DeductibleCount::Year { borne } => json!({ "by": "year", "borne": money(borne) }),
        DeductibleCount::InstitutionYear { borne } => {
            json!({ "by": "institution_year", "borne": money(borne) })
        }
    }
}

fn reduction(reduction: Reduction) -> Value {
    match reduction {
        Reduction::None => json!({}),
        Reduction::Points(by) => json!({ "points": rate(by) }),
        Reduction::Multiply(by) => json!({ "multiply": rate(by) }),
        Reduction::FirstPay(by) => json!({ "first_pay": rate(by) }),
    }
}

fn maternity_pay(pay: MaternityPay) -> Value {
    match pay {
        MaternityPay::Ratio(share) => json!({ "ratio": rate(share) }),
        MaternityPay::Limit(sum) => json!({ "limit": money(sum) }),
        MaternityPay::Fixed(sum) => json!({ "fixed": money(sum) }),
    }
}

fn walked(segments: &[SegmentWalked]) -> Value {
    let piece = |s: &SegmentWalked| json!({ "from": money(s.from), "to": money(s.to), "rate": rate(s.rate), "exact": s.exact.normalize().to_string() });
    Value::Array(segments.iter().map(piece).collect())
}

fn share(s: &ShareStep) -> Value {
    json!({ "base": money(s.base), "rate": rate(s.rate), "share": rounded(s.share), "room": cap(s.room), "paid": money(s.paid) })
}
