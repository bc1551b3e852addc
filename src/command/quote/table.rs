//! Owns the answer that a person reads: who pays what, and each step in plain words, Chinese first.

use crate::command::quote::answer::Answer;
use crate::command::quote::answer::AnswerResult;
use crate::command::quote::answer::SettledStay;
use crate::config::packs::status_word;
use crate::config::stay::Settled;
use crate::config::stay::SettledKind;
use crate::config::stay::SplitLine;
use crate::domain::breakdown::Breakdown;
use crate::domain::money::Fen;
use crate::domain::pack::Pack;
use crate::domain::pack::PackStatus;
use crate::protocol::explanation::percent;
use crate::protocol::explanation::person;
use crate::protocol::explanation::saving;
use crate::protocol::explanation::saving::Alternative;
use crate::protocol::explanation::words;

/// Columns before the amounts.
const LABEL_WIDTH: usize = 58;
const AMOUNT_WIDTH: usize = 14;

/// The lines of the answer, without line ends.
pub(super) fn rows(answer: &Answer, pack: &Pack, brief: bool) -> Vec<String> {
    let mut rows = vec![heading(answer)];
    match &answer.result {
        AnswerResult::Settled(settled) => rows.extend(settled.rows(pack, brief)),
        AnswerResult::Refused(refused) => {
            rows.push(format!("  不予结算 Refused [{}]", refused.code()));
            rows.push(format!("  {refused}"));
        }
        AnswerResult::Bad(faults) => {
            rows.push("  写法有误 Badly written".to_owned());
            rows.extend(faults.iter().map(|(field, message)| {
                if field.is_empty() { format!("  {message}") } else { format!("  {field}: {message}") }
            }));
        }
    }
    rows.push(String::new());
    rows
}

fn heading(answer: &Answer) -> String {
    let line = answer.line.map(|line| format!("第{line}行 line {line}")).unwrap_or_default();
    let name = answer.id.as_deref().unwrap_or_default();
    format!("住院结算试算 Settlement quote  {line} {name}").trim_end().to_owned()
}

impl SettledStay {
    fn rows(&self, pack: &Pack, brief: bool) -> Vec<String> {
        let (zh, en) = words::scheme(self.outcome.scheme);
        let mut rows = vec![
            format!("  统筹区 Pool      {} {}（{}）", pack.region(), pack.name(), status_word(pack.status())),
            format!("  险种 Scheme      {zh} {en}"),
        ];
        if !brief && !self.outcome.lines.is_empty() {
            rows.extend(bill_rows(&self.outcome.lines));
        }
        let many = self.outcome.settlements.len() > 1;
        for (settled, n) in self.outcome.settlements.iter().zip(1..) {
            rows.extend(self.settlement(settled, many.then_some(n), brief));
        }
        rows.extend(self.savings());
        if pack.status() != PackStatus::Official {
            rows.push("  注意 Note: 此政策包未经核对，结果不作为待遇依据。 The pack is not official; no claim follows from this.".to_owned());
        }
        rows
    }

    fn settlement(&self, settled: &Settled, n: Option<usize>, brief: bool) -> Vec<String> {
        let mut rows = vec![String::new(), format!("  {}", self.settlement_heading(settled, n))];
        rows.extend(self.level_rows(settled));
        rows.push(String::new());
        rows.extend(shares(&settled.breakdown));
        if !brief && !settled.steps.is_empty() {
            rows.push(String::new());
            rows.push("  为什么 Why".to_owned());
            for (sentence, n) in person::explain(&settled.steps).iter().zip(1..) {
                rows.push(format!("  {n:>2}. {}", sentence.zh));
                rows.push(format!("      {}", sentence.en));
            }
        }
        rows
    }

    fn settlement_heading(&self, settled: &Settled, n: Option<usize>) -> String {
        let (zh, en) = match settled.kind {
            SettledKind::Part => ("中途结算".to_owned(), "mid-stay part".to_owned()),
            SettledKind::Final => ("出院结算".to_owned(), "final settlement".to_owned()),
            SettledKind::Reversal(of) => (format!("撤销第{}笔", of + 1), format!("reversal of {}", of + 1)),
        };
        let n = n.map(|n| format!("[{n}] ")).unwrap_or_default();
        let undone = if settled.stands || matches!(settled.kind, SettledKind::Reversal(_)) {
            ""
        } else {
            "（已撤销 reversed）"
        };
        format!("{n}{zh} {en}  {}{undone}", settled.day)
    }

    fn level_rows(&self, settled: &Settled) -> Vec<String> {
        let (zh, en) = words::level(settled.level);
        let mut rows = vec![format!(
            "  待遇 Benefit level  {zh} {en}，比例 rate {}",
            percent(settled.breakdown.pool_rate)
        )];
        if let Some(reason) = settled.reason {
            let (zh, en) = words::reason(reason);
            rows.push(format!("  备案 Filing       {zh} {en}"));
        }
        if let Some(filing) = settled.filing.and_then(|at| self.stay.filings.get(at)) {
            let (zh, en) = words::filing(filing.category);
            let to = filing.to.map(|to| to.to_string()).unwrap_or_default();
            rows.push(format!("                   {zh} {en}，{} – {to}", filing.from).trim_end().to_owned());
        }
        rows
    }

    fn savings(&self) -> Vec<String> {
        let Some(settled) = self.outcome.settlements.first().filter(|_| !self.otherwise.is_empty()) else {
            return Vec::new();
        };
        let now = Alternative { level: settled.level, breakdown: &settled.breakdown };
        let mut rows = vec![String::new(), "  如果办了备案 With a filing".to_owned()];
        for (level, breakdown) in &self.otherwise {
            let sentence = saving::compare(now, Alternative { level: *level, breakdown }, false);
            rows.push(format!("   -  {}", sentence.zh));
            rows.push(format!("      {}", sentence.en));
        }
        rows
    }
}

/// Who pays what.
fn shares(b: &Breakdown) -> Vec<String> {
    let mut rows = vec![row("医疗费总额 total fee", b.medfee_sumamt)];
    rows.extend(b.funds.iter().map(|fund| {
        let (zh, en) = words::fund(fund.fund);
        row(&format!("{zh} {en}"), fund.amount)
    }));
    rows.push(row("基金支付合计 paid by the funds", b.fund_pay_sumamt));
    rows.push(row("个人负担 paid by her", b.psn_part_amt));
    let parts = [
        ("  全自费 outside the catalogue", b.fulamt_ownpay_amt),
        ("  超限价 above price limits", b.overlmt_selfpay),
        ("  先行自付 class B first-pay", b.preselfpay_amt),
        ("  备案先行自付 extra first-pay", b.extra_first_pay),
        ("  起付线 deductible", b.act_pay_dedc),
        ("其中个人账户 from her account", b.acct_pay),
    ];
    rows.extend(
        parts.into_iter().filter(|(_, amount)| !amount.is_zero()).map(|(label, amount)| row(label, amount)),
    );
    rows.push(row("现金 cash", b.psn_cash_pay));
    if !b.owed_to_person.is_zero() {
        rows.push(row("另付本人 paid to her outside the bill", b.owed_to_person));
    }
    rows
}

fn bill_rows(lines: &[SplitLine]) -> Vec<String> {
    let mut rows = vec![
        String::new(),
        "  费用明细 Lines（金额 amount = 自费 own + 超限 over + 先付 first + 范围内 covered）".to_owned(),
    ];
    rows.extend(lines.iter().map(|line| {
        let parts = &line.parts;
        let why = line.full_own_pay.map(words::full_own_pay).map(|(zh, en)| format!("  {zh} {en}"));
        format!(
            "  {:>6}  {} = {} + {} + {} + {}{}",
            line.no,
            line.amount,
            parts.full_own_pay,
            parts.over_limit,
            parts.first_pay,
            parts.in_scope,
            why.unwrap_or_default()
        )
    }));
    rows
}

fn row(label: &str, amount: Fen) -> String {
    let gap = LABEL_WIDTH.saturating_sub(width(label));
    format!("  {label}{}{:>AMOUNT_WIDTH$}", " ".repeat(gap), amount.to_string())
}

/// Columns on a terminal: a Chinese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}
