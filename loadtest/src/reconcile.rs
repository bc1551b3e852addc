//! Owns the gate after every run: the ledger must hold what the hospitals saw, each once, and nothing else.

use std::collections::BTreeSet;
use std::collections::HashMap;

use banyan::domain::calendar::Instant;
use banyan::domain::money::Fen;
use banyan::ledger::ClearingRow;
use banyan::ledger::Ledger;
use banyan::protocol::wire;
use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::failed::Failed;
use crate::failed::cannot;

/// Faults that are told; of more only the number.
const TOLD_MAX: usize = 10;
/// Rows of a month that are read at once.
const PAGE: usize = 10_000;

/// Amounts of a settlement that clearing sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub medfee: Fen,
    pub fund: Fen,
    pub account: Fen,
    pub cash: Fen,
}

/// What the loader saw of settlements, over all that it did to one ledger.
#[derive(Debug, Default)]
pub struct Seen {
    /// In the order of the answers.
    acknowledged: Vec<(String, Amounts)>,
    /// Calls of 2304 without an answer: each may be there or not.
    unknown: usize,
}

/// What the gate has counted when it is passed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Books {
    pub settlements: usize,
    /// Of these, answers that never arrived.
    pub unanswered: usize,
    pub medfee_fen: i64,
    pub fund_fen: i64,
    pub cash_fen: i64,
}

impl Seen {
    /// Takes in an answer of 2304.
    pub fn settled(&mut self, answer: &[u8]) -> Result<(), Failed> {
        self.acknowledged.push(read(answer)?);
        Ok(())
    }

    pub fn unanswered(&mut self) {
        self.unknown += 1;
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    output: Output<'a>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    setlinfo: Info<'a>,
}

/// Amounts as they are written: no float on the way.
#[derive(Deserialize)]
struct Info<'a> {
    setl_id: String,
    #[serde(borrow)]
    medfee_sumamt: &'a RawValue,
    #[serde(borrow)]
    fund_pay_sumamt: &'a RawValue,
    #[serde(borrow)]
    acct_pay: &'a RawValue,
    #[serde(borrow)]
    psn_cash_pay: &'a RawValue,
}

fn read(answer: &[u8]) -> Result<(String, Amounts), Failed> {
    let Answer { output: Output { setlinfo: info } } =
        serde_json::from_slice(answer).map_err(cannot("read a settlement"))?;
    let fen = |value: &RawValue| {
        wire::money(value.get())
            .ok_or_else(|| Failed::Said(format!("{value} is no amount: {}", info.setl_id)))
    };
    let amounts = Amounts {
        medfee: fen(info.medfee_sumamt)?,
        fund: fen(info.fund_pay_sumamt)?,
        account: fen(info.acct_pay)?,
        cash: fen(info.psn_cash_pay)?,
    };
    Ok((info.setl_id, amounts))
}

/// Holds the ledger against what was seen. `from` and `to` are the times between which the loader ran.
///
/// # Errors
/// `NotReconciled` with the first differences.
pub async fn reconcile(
    ledger: &dyn Ledger,
    (from, to): (Instant, Instant),
    seen: &Seen,
) -> Result<Books, Failed> {
    let rows = settlements(ledger, from, to).await?;
    let mut faults = compare(&rows, seen);
    let folds = ledger.check(TOLD_MAX).await.map_err(cannot("check the ledger"))?;
    faults.extend(folds);
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(TOLD_MAX);
        faults.truncate(TOLD_MAX);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        return Err(Failed::NotReconciled(faults));
    }
    let sum = |amount: fn(&ClearingRow) -> Fen| rows.iter().map(amount).sum::<Fen>().0;
    Ok(Books {
        settlements: rows.len(),
        unanswered: rows.len() - seen.acknowledged.len(),
        medfee_fen: sum(|row| row.row.medfee),
        fund_fen: sum(|row| row.row.fund),
        cash_fen: sum(|row| row.row.cash),
    })
}

/// Every row of the months that the run touched.
async fn settlements(ledger: &dyn Ledger, from: Instant, to: Instant) -> Result<Vec<ClearingRow>, Failed> {
    let months = BTreeSet::from([from, to].map(|at| at.day().month()));
    let mut rows = Vec::new();
    for month in months {
        let mut after = None;
        loop {
            let page = ledger.month(month, after.as_ref(), PAGE).await.map_err(cannot("read a month"))?;
            let Some(last) = page.last() else { break };
            after = Some(last.settlement.clone());
            rows.extend(page);
        }
    }
    Ok(rows)
}

fn compare(rows: &[ClearingRow], seen: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expected: HashMap<&str, Amounts> = HashMap::new();
    for (id, amounts) in &seen.acknowledged {
        if expected.insert(id, *amounts).is_some() {
            faults.push(format!("{id} was acknowledged twice"));
        }
    }
    let mut extra = 0;
    for row in rows {
        let kept = amounts(row);
        match expected.remove(row.settlement.as_str()) {
            Some(amounts) if amounts == kept => {}
            Some(amounts) => {
                faults.push(format!("{}: answered {amounts:?}, recorded {kept:?}", row.settlement));
            }
            None => extra += 1,
        }
    }
    faults.extend(expected.keys().map(|id| format!("{id} was acknowledged and is not in the ledger")));
    if extra > seen.unknown {
        faults
            .push(format!("{extra} settlements that nobody was answered; {} calls broke off", seen.unknown));
    }
    faults
}

fn amounts(row: &ClearingRow) -> Amounts {
    let row = &row.row;
    Amounts { medfee: row.medfee, fund: row.fund, account: row.account, cash: row.cash }
}

#[cfg(test)]
mod tests {
    use super::*;
    use banyan::domain::clearing::MonthRow;
    use banyan::domain::ids::InstitutionCode;
    use banyan::domain::ids::PersonKey;
    use banyan::domain::ids::RegionCode;
    use banyan::domain::ids::SettlementId;

    fn answer(id: &str, cash: &str) -> Vec<u8> {
        format!(
            r#"{{"infcode":0,"output":{{"setlinfo":{{"setl_id":"{id}","medfee_sumamt":100.00,
            "fund_pay_sumamt":80.00,"acct_pay":0.00,"psn_cash_pay":{cash}}}}}}}"#
        )
        .into_bytes()
    }

    fn row(id: &str) -> ClearingRow {
        let pool = RegionCode(440_700);
        ClearingRow {
            settlement: SettlementId::parse(id).unwrap(),
            original: None,
            person: PersonKey::parse(pool, "4407009000000001").unwrap(),
            version: 1,
            at: Instant(0),
            row: MonthRow {
                insured_pool: pool,
                care_pool: pool,
                institution: InstitutionCode::parse("H44070300001").unwrap(),
                medfee: Fen(10_000),
                fund: Fen(8_000),
                account: Fen(0),
                cash: Fen(2_000),
                sign: 1,
            },
        }
    }

    fn seen(answers: &[(&str, &str)]) -> Seen {
        let mut seen = Seen::default();
        for (id, cash) in answers {
            seen.settled(&answer(id, cash)).unwrap();
        }
        seen
    }

    #[test]
    fn what_was_acknowledged_must_be_there_once_with_its_sums() {
        assert!(compare(&[row("A7F1")], &seen(&[("A7F1", "20.00")])).is_empty());
        assert!(compare(&[row("A7F1")], &seen(&[("A7F1", "20.01")]))[0].contains("recorded"));
        assert!(compare(&[], &seen(&[("A7F1", "20.00")]))[0].contains("not in the ledger"));
        let twice = seen(&[("A7F1", "20.00"), ("A7F1", "20.00")]);
        assert!(compare(&[row("A7F1")], &twice)[0].contains("twice"));
    }

    #[test]
    fn what_nobody_was_answered_may_be_there_only_when_a_call_broke_off() {
        let mut none = Seen::default();
        assert!(compare(&[row("A7F1")], &none)[0].contains("nobody"));
        none.unanswered();
        assert!(compare(&[row("A7F1")], &none).is_empty());
    }
}
