//! Owns the gate after every run: the ledger must hold what the hospitals saw, each once, and nothing else.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hasher as _;

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

/// What the loader saw of settlements and reversals, over all that it did to one ledger.
#[derive(Debug, Default)]
pub struct Seen {
    acknowledged: HashMap<String, Acknowledged>,
    /// Hash of each call that was answered well, with the hash of its answer: the same call has one answer for ever.
    answers: HashMap<u64, u64>,
    replays: usize,
    /// What was wrong in the answers already.
    faults: Vec<String>,
    /// Calls of 2304 and 2305 without an answer: each may be there or not.
    unknown: usize,
    /// Settlements that were there before; of these only the number is held against the ledger.
    before: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Acknowledged {
    amounts: Amounts,
    /// Of a reversal, the settlement that it takes back.
    original: Option<String>,
}

/// What the gate has counted when it is passed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Books {
    pub settlements: usize,
    pub reversals: usize,
    /// Answers that repeated an earlier one, byte for byte.
    pub replays: usize,
    /// Of the settlements and reversals, those whose answers never arrived.
    pub unanswered: usize,
    /// Settlements that were there before the loader began.
    pub before: usize,
    pub medfee_fen: i64,
    pub fund_fen: i64,
    pub account_fen: i64,
    pub cash_fen: i64,
}

impl Seen {
    /// Of a ledger that held so many settlements before anything was seen.
    pub fn after(before: usize) -> Seen {
        Seen { before, ..Seen::default() }
    }

    /// Takes in a call of 2304 or 2305 and its answer.
    pub fn answered(&mut self, call: &[u8], answer: &[u8]) -> Result<(), Failed> {
        let (call, answer_hash) = (hash(call), hash(answer));
        if let Some(first) = self.answers.insert(call, answer_hash) {
            self.replays += 1;
            if first != answer_hash {
                let text = String::from_utf8_lossy(answer);
                self.fault(format!("a repeated call got another answer than the first: {text}"));
            }
            return Ok(());
        }
        let (id, acknowledged) = read(answer)?;
        if self.acknowledged.insert(id.clone(), acknowledged).is_some() {
            self.fault(format!("{id} was acknowledged for two calls"));
        }
        Ok(())
    }

    pub fn unanswered(&mut self) {
        self.unknown += 1;
    }

    pub fn before(&self) -> usize {
        self.before
    }

    fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
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
    init_setl_id: Option<String>,
    #[serde(borrow)]
    medfee_sumamt: &'a RawValue,
    #[serde(borrow)]
    fund_pay_sumamt: &'a RawValue,
    #[serde(borrow)]
    acct_pay: &'a RawValue,
    #[serde(borrow)]
    psn_cash_pay: &'a RawValue,
}

fn read(answer: &[u8]) -> Result<(String, Acknowledged), Failed> {
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
    let original = info.init_setl_id.filter(|id| !id.is_empty());
    Ok((info.setl_id, Acknowledged { amounts, original }))
}

/// Holds the ledger against what was seen. `from` and `to` are the times between which the loader ran.
///
/// # Errors
/// `NotReconciled` with the first differences.
pub async fn reconcile(
    ledger: &dyn Ledger,
    (from, to): (Instant, Instant),
    seen: Seen,
) -> Result<Books, Failed> {
    let mut comparing = Comparing::new(seen, from);
    for month in BTreeSet::from([from, to].map(|at| at.day().month())) {
        let mut after = None;
        loop {
            let page = ledger.month(month, after.as_ref(), PAGE).await.map_err(cannot("read a month"))?;
            let Some(last) = page.last() else { break };
            after = Some(last.settlement.clone());
            page.iter().for_each(|row| comparing.take(row));
        }
    }
    let (mut faults, books) = comparing.end();
    let folds = ledger.check(TOLD_MAX).await.map_err(cannot("check the ledger"))?;
    faults.extend(folds);
    if faults.is_empty() {
        return Ok(books);
    }
    let more = faults.len().saturating_sub(TOLD_MAX);
    faults.truncate(TOLD_MAX);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    Err(Failed::NotReconciled(faults))
}

/// Takes the ledger's rows one by one, so that a long month needs no memory.
struct Comparing {
    expected: HashMap<String, Acknowledged>,
    seen: Seen,
    from: Instant,
    extra: usize,
    books: Books,
    faults: Vec<String>,
}

impl Comparing {
    fn new(mut seen: Seen, from: Instant) -> Comparing {
        let faults = std::mem::take(&mut seen.faults);
        let expected = std::mem::take(&mut seen.acknowledged);
        let books = Books { replays: seen.replays, ..Books::default() };
        Comparing { expected, seen, from, extra: 0, books, faults }
    }

    fn take(&mut self, row: &ClearingRow) {
        let sum = &mut self.books;
        sum.medfee_fen += row.row.medfee.0;
        sum.fund_fen += row.row.fund.0;
        sum.account_fen += row.row.account.0;
        sum.cash_fen += row.row.cash.0;
        if row.at < self.from {
            sum.before += 1;
            return;
        }
        if row.original.is_some() {
            sum.reversals += 1;
        } else {
            sum.settlements += 1;
        }
        let original = row.original.as_ref().map(ToString::to_string);
        let kept = Acknowledged { amounts: amounts(row), original };
        match self.expected.remove(row.settlement.as_str()) {
            Some(acknowledged) if acknowledged == kept => {}
            Some(acknowledged) => {
                self.faults.push(format!("{}: answered {acknowledged:?}, recorded {kept:?}", row.settlement))
            }
            None => self.extra += 1,
        }
    }

    fn end(self) -> (Vec<String>, Books) {
        let Comparing { expected, seen, extra, mut books, mut faults, .. } = self;
        let lacking = expected.keys();
        faults.extend(lacking.map(|id| format!("{id} was acknowledged and is not in the ledger")));
        let unknown = seen.unknown;
        if extra > unknown {
            faults.push(format!("{extra} settlements that nobody was answered; {unknown} calls broke off"));
        }
        if books.before != seen.before {
            let (found, expected) = (books.before, seen.before);
            faults.push(format!("{found} settlements of before the run, {expected} were there"));
        }
        books.unanswered = extra;
        (faults, books)
    }
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

    /// Calls by the name of what is sent, with the id and the cash of what is answered.
    fn seen(answers: &[(&str, &str, &str)]) -> Seen {
        let mut seen = Seen::default();
        for (call, id, cash) in answers {
            seen.answered(call.as_bytes(), &answer(id, cash)).unwrap();
        }
        seen
    }

    fn compare(rows: &[ClearingRow], seen: Seen) -> Vec<String> {
        let mut comparing = Comparing::new(seen, Instant(0));
        rows.iter().for_each(|row| comparing.take(row));
        comparing.end().0
    }

    #[test]
    fn what_was_acknowledged_must_be_there_once_with_its_sums() {
        assert!(compare(&[row("A7F1")], seen(&[("M1", "A7F1", "20.00")])).is_empty());
        assert!(compare(&[row("A7F1")], seen(&[("M1", "A7F1", "20.01")]))[0].contains("recorded"));
        assert!(compare(&[], seen(&[("M1", "A7F1", "20.00")]))[0].contains("not in the ledger"));
        let twice = seen(&[("M1", "A7F1", "20.00"), ("M2", "A7F1", "20.00")]);
        assert!(compare(&[row("A7F1")], twice)[0].contains("two calls"));
    }

    #[test]
    fn a_repeated_call_must_get_the_bytes_of_the_first() {
        let same = seen(&[("M1", "A7F1", "20.00"), ("M1", "A7F1", "20.00")]);
        assert_eq!(same.replays, 1);
        assert!(compare(&[row("A7F1")], same).is_empty());
        let other = seen(&[("M1", "A7F1", "20.00"), ("M1", "A7F2", "20.00")]);
        assert!(compare(&[row("A7F1")], other)[0].contains("another answer"));
    }

    #[test]
    fn a_reversal_must_name_the_settlement_that_it_takes_back() {
        let mut taken = row("A7F2");
        taken.original = Some(SettlementId::parse("A7F1").unwrap());
        let told = |original: &str| {
            let mut seen = Seen::default();
            let text = String::from_utf8(answer("A7F2", "20.00")).unwrap();
            let text = text.replace("\"medfee", &format!("\"init_setl_id\":\"{original}\",\"medfee"));
            seen.answered(b"M2", text.as_bytes()).unwrap();
            seen
        };
        assert!(compare(std::slice::from_ref(&taken), told("A7F1")).is_empty());
        assert!(compare(&[taken], told("A7F9"))[0].contains("recorded"));
    }

    #[test]
    fn what_nobody_was_answered_may_be_there_only_when_a_call_broke_off() {
        let mut one = Seen::default();
        assert!(compare(&[row("A7F1")], Seen::default())[0].contains("nobody"));
        one.unanswered();
        assert!(compare(&[row("A7F1")], one).is_empty());
    }

    #[test]
    fn what_was_there_before_must_still_be_there() {
        let mut comparing = Comparing::new(Seen::after(1), Instant(5));
        comparing.take(&row("A7F1"));
        assert!(comparing.end().0.is_empty());
    }
}
