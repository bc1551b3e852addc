//! Owns the answer to one written stay, and its JSON: the shape that docs/quote.md promises.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::command::Exit;
use crate::config::packs::status_word;
use crate::config::reader::Fault;
use crate::config::stay;
use crate::config::stay::Outcome;
use crate::config::stay::PlaceChoice;
use crate::config::stay::Refused;
use crate::config::stay::Settled;
use crate::config::stay::SettledKind;
use crate::config::stay::SplitLine;
use crate::config::stay::WrittenFiling;
use crate::config::stay::WrittenStay;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::FundRow;
use crate::domain::catalogue::Catalogue;
use crate::domain::codes::BenefitLevel;
use crate::domain::money::Fen;
use crate::domain::pack::Pack;
use crate::protocol::explanation::regulator;
use crate::protocol::explanation::words;

/// What came of one stay.
pub(super) struct Answer {
    pub(super) id: Option<String>,
    /// Of the file, where there are many.
    pub(super) line: Option<u64>,
    pub(super) result: AnswerResult,
}

pub(super) enum AnswerResult {
    Settled(Box<SettledStay>),
    Refused(Refused),
    /// Field and what is wrong with it.
    Bad(Vec<(String, String)>),
}

pub(super) struct SettledStay {
    pub(super) stay: WrittenStay,
    pub(super) outcome: Outcome,
    /// The same stay with a filing, where it has none.
    pub(super) otherwise: Vec<(BenefitLevel, Breakdown)>,
}

/// What the stay would have cost with a filing: only where it was settled once, as unfiled.
pub(super) fn otherwise(
    stay: &WrittenStay,
    outcome: &Outcome,
    pack: &Pack,
    catalogue: Option<&Catalogue>,
) -> Vec<(BenefitLevel, Breakdown)> {
    let unfiled = matches!(&outcome.settlements[..], [only] if only.level == BenefitLevel::Unfiled);
    if !unfiled {
        return Vec::new();
    }
    let as_filed = |level| {
        let filed = WrittenStay { place: PlaceChoice::Level(level), ..stay.clone() };
        let settled = stay::settle(&filed, pack, catalogue).ok()?.settlements.pop()?;
        Some((level, settled.breakdown))
    };
    let levels = [BenefitLevel::OtherTemporary, BenefitLevel::Referral, BenefitLevel::LongTerm];
    levels.into_iter().filter_map(as_filed).collect()
}

impl Answer {
    pub(super) fn bad(id: Option<String>, line: Option<u64>, faults: &[Fault]) -> Answer {
        let faults = faults.iter().map(|fault| {
            let at = fault.line.map(|line| format!(" (line {line})")).unwrap_or_default();
            (fault.path.clone(), format!("{}{at}", fault.message))
        });
        Answer { id, line, result: AnswerResult::Bad(faults.collect()) }
    }

    pub(super) fn refused(id: Option<String>, line: Option<u64>, refused: Refused) -> Answer {
        if refused.is_bad_input() {
            let fault = (refused.field().unwrap_or_default(), refused.message());
            return Answer { id, line, result: AnswerResult::Bad(vec![fault]) };
        }
        Answer { id, line, result: AnswerResult::Refused(refused) }
    }

    pub(super) fn settled(
        line: Option<u64>,
        stay: WrittenStay,
        outcome: Outcome,
        otherwise: Vec<(BenefitLevel, Breakdown)>,
    ) -> Answer {
        let id = stay.id.clone();
        let settled = Box::new(SettledStay { stay, outcome, otherwise });
        Answer { id, line, result: AnswerResult::Settled(settled) }
    }

    pub(super) fn exit(&self) -> Exit {
        match &self.result {
            AnswerResult::Settled(_) => Exit::Done,
            AnswerResult::Refused(refused) if refused.is_ours() => Exit::OurFault,
            AnswerResult::Refused(_) => Exit::Refused,
            AnswerResult::Bad(_) => Exit::BadInput,
        }
    }

    pub(super) fn to_json(&self, pack: &Pack, brief: bool) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), json!(self.id));
        if let Some(line) = self.line {
            object.insert("line".to_owned(), json!(line));
        }
        let rest = match &self.result {
            AnswerResult::Settled(settled) => settled.to_json(pack, brief),
            AnswerResult::Refused(refused) => {
                json!({ "status": "refused", "code": refused.code(), "field": refused.field(), "message": refused.to_string() })
            }
            AnswerResult::Bad(faults) => {
                let faults =
                    faults.iter().map(|(field, message)| json!({ "field": field, "message": message }));
                json!({ "status": "bad_input", "faults": faults.collect::<Vec<_>>() })
            }
        };
        if let Value::Object(rest) = rest {
            object.extend(rest);
        }
        Value::Object(object)
    }
}

impl SettledStay {
    fn to_json(&self, pack: &Pack, brief: bool) -> Value {
        let settlements = self.outcome.settlements.iter().map(|settled| self.settlement_json(settled, brief));
        let standing = self.outcome.standing().map(|settled| &settled.breakdown);
        let otherwise = self.otherwise.iter().map(|(level, breakdown)| {
            json!({
                "benefit_level": level.name(),
                "fund_pay_sumamt": regulator::money(breakdown.fund_pay_sumamt),
                "psn_part_amt": regulator::money(breakdown.psn_part_amt),
                "psn_cash_pay": regulator::money(breakdown.psn_cash_pay),
            })
        });
        let mut object = json!({
            "status": "settled",
            "pack": {
                "region": pack.region().to_string(),
                "name": pack.name(),
                "status": status_word(pack.status()),
                "hash": &**pack.hash(),
            },
            "scheme": self.outcome.scheme.to_string(),
            "settlements": settlements.collect::<Vec<_>>(),
            "total": named(&stay::total(standing)),
            "otherwise": otherwise.collect::<Vec<_>>(),
        });
        if !brief {
            object["lines"] = Value::Array(self.outcome.lines.iter().map(line).collect());
        }
        object
    }

    fn settlement_json(&self, settled: &Settled, brief: bool) -> Value {
        let (kind, reverses) = match settled.kind {
            SettledKind::Part => ("part", None),
            SettledKind::Final => ("final", None),
            SettledKind::Reversal(of) => ("reversal", Some(of + 1)),
        };
        let b = &settled.breakdown;
        let mut breakdown = named(&stay::amounts(b));
        breakdown["pool_rate"] = regulator::rate(b.pool_rate);
        let filing = settled.filing.and_then(|at| self.stay.filings.get(at));
        let mut object = json!({
            "kind": kind,
            "reverses": reverses,
            "stands": settled.stands,
            "day": settled.day.to_string(),
            "benefit_year": settled.year.0,
            "policy_from": settled.policy.from.to_string(),
            "benefit_level": settled.level.name(),
            "why": settled.reason.map(|reason| words::reason(reason).1),
            "filing": filing.map(filing_json),
            "breakdown": breakdown,
            "funds": b.funds.iter().map(fund).collect::<Vec<_>>(),
            "year_before": regulator::year(&b.before),
            "year_after": regulator::year(&b.after()),
        });
        if !brief {
            object["steps"] = regulator::steps(&settled.steps);
        }
        object
    }
}

fn named(amounts: &[(&'static str, Fen)]) -> Value {
    Value::Object(
        amounts.iter().map(|(name, amount)| ((*name).to_owned(), regulator::money(*amount))).collect(),
    )
}

fn filing_json(filing: &WrittenFiling) -> Value {
    json!({
        "category": filing.category.code(),
        "from": filing.from.to_string(),
        "to": filing.to.map(|day| day.to_string()),
        "made_on": filing.made_on.to_string(),
    })
}

fn fund(row: &FundRow) -> Value {
    let (zh, en) = words::fund(row.fund);
    json!({
        "fund_pay_type": row.fund.code().to_string(),
        "name": zh,
        "name_en": en,
        "fund_payamt": regulator::money(row.amount),
        "inscp_scp_amt": regulator::money(row.in_scope),
        "crt_payb_lmt_amt": regulator::money(row.payable_max),
    })
}

fn line(line: &SplitLine) -> Value {
    json!({
        "no": line.no,
        "date": line.day.to_string(),
        "amount": regulator::money(line.amount),
        "fulamt_ownpay_amt": regulator::money(line.parts.full_own_pay),
        "overlmt_amt": regulator::money(line.parts.over_limit),
        "preselfpay_amt": regulator::money(line.parts.first_pay),
        "inscp_scp_amt": regulator::money(line.parts.in_scope),
        "why_own_pay": line.full_own_pay.map(|reason| words::full_own_pay(reason).1),
        "refund_of": line.refund_of,
    })
}
