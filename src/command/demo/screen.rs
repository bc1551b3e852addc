//! Owns what the demonstration looks like on a terminal: headings, steps, the bill as a table, why, what next.

use std::io;
use std::io::Write;
use std::path::Path;

use crate::app::Addresses;
use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::Month;
use crate::domain::codes::HospitalLevel;
use crate::domain::money::Fen;
use crate::protocol::explanation::Sentence;
use crate::protocol::explanation::words;

/// One settled story in the last table.
pub(super) struct SummaryRow {
    pub(super) number: usize,
    pub(super) title: &'static str,
    pub(super) bill: Fen,
    pub(super) funds: Fen,
    pub(super) patient: Fen,
    /// What the patient would have paid without a filing, where one was needed.
    pub(super) unfiled: Option<Fen>,
}

pub(super) struct Screen<'o> {
    out: &'o mut (dyn Write + Send),
}

/// Characters of the bar that shows who pays how much of a bill.
const BAR: i64 = 40;
const PACK: &str = "config/packs/sandbox/440700.toml";
const STAY: &str = "docs/examples/unfiled.toml";

impl<'o> Screen<'o> {
    pub(super) fn new(out: &'o mut (dyn Write + Send)) -> Screen<'o> {
        Screen { out }
    }

    pub(super) fn open(&mut self, path: &Path) -> io::Result<()> {
        writeln!(
            self.out,
            "Banyan 异地就医直接结算演示 · cross-region hospital settlement, a demonstration"
        )?;
        writeln!(self.out, "全部数据均为虚构。Everything here is invented, the policy numbers too.\n")?;
        writeln!(
            self.out,
            "Someone insured in one city is treated in another. Before the patient leaves, the hospital sends the bill;\n\
             Banyan answers what the insurance funds pay and what the patient pays. Three things decide: what is on the bill\n\
             (the catalogue of the place of care), the home city's rules, and whether the home city was told beforehand\n\
             (备案, filing)."
        )?;
        writeln!(self.out, "\nMaking a province in {} …", path.display())?;
        self.out.flush()
    }

    pub(super) fn chapter(&mut self, number: usize, zh: &str, en: &str) -> io::Result<()> {
        writeln!(self.out, "\n━━ {number}  {zh} · {en}")?;
        self.out.flush()
    }

    /// In both languages; one of them may be missing.
    pub(super) fn says(&mut self, zh: &str, en: &str) -> io::Result<()> {
        [zh, en]
            .into_iter()
            .filter(|said| !said.is_empty())
            .try_for_each(|said| writeln!(self.out, "   {said}"))
    }

    /// One call and what came of it.
    pub(super) fn step(&mut self, infno: &str, what: &str, result: &str) -> io::Result<()> {
        let gap = 26_usize.saturating_sub(width(what));
        writeln!(self.out, "   {infno}  {what}{:gap$} → {result}", "")?;
        self.out.flush()
    }

    /// Of which level the hospital is: it decides the deductible and the rate.
    pub(super) fn level(&mut self, level: HospitalLevel) -> io::Result<()> {
        let (zh, en) = match level {
            HospitalLevel::Primary => ("基层", "primary care"),
            HospitalLevel::One => ("一级", "level one of three"),
            HospitalLevel::Two => ("二级", "level two of three"),
            HospitalLevel::Three => ("三级", "level three of three"),
        };
        writeln!(
            self.out,
            "\n   医院等级 hospital: {zh}, {en}. 等级决定起付线和报销比例 The level decides deductible and rate."
        )
    }

    /// Who pays what of a bill.
    pub(super) fn bill(&mut self, b: &Breakdown) -> io::Result<()> {
        self.row("医疗费总额", "the whole bill", b.medfee_sumamt, "")?;
        self.row("  全自费", "outside the catalogue", b.fulamt_ownpay_amt, "患者付 patient")?;
        self.row("  超限价", "above price limits", b.overlmt_selfpay, "患者付 patient")?;
        self.row("  先行自付", "first share of class B", b.preselfpay_amt, "患者付 patient")?;
        self.row("  政策范围内", "covered", b.inscp_scp_amt, "")?;
        self.row("    起付线", "deductible", b.act_pay_dedc, "患者付 patient")?;
        for fund in &b.funds {
            let (zh, en) = words::fund(fund.fund);
            self.row(&format!("    {zh}"), en, fund.amount, "基金付 fund")?;
        }
        let rest = b.inscp_scp_amt - b.act_pay_dedc - b.fund_pay_sumamt;
        if rest > Fen::ZERO {
            self.row("    其余按比例自付", "the share that is left", rest, "患者付 patient")?;
        }
        let bar = bar(b.fund_pay_sumamt, b.medfee_sumamt);
        writeln!(self.out, "   ├{}┤", "─".repeat(usize::try_from(BAR).unwrap_or(0)))?;
        writeln!(self.out, "   │{bar}│  █ 基金 funds  ░ 患者 patient")?;
        self.row("基金支付", "paid by the funds", b.fund_pay_sumamt, "")?;
        if !b.acct_pay.is_zero() {
            self.row("个人账户", "from the personal account", b.acct_pay, "")?;
        }
        self.row("患者付现金", "the patient pays in cash", b.psn_cash_pay, "")
    }

    fn row(&mut self, zh: &str, en: &str, amount: Fen, who: &str) -> io::Result<()> {
        let gap = 22_usize.saturating_sub(width(zh));
        writeln!(self.out, "   {zh}{:gap$}{en:<26}{amount:>14}  {who}", "")
    }

    /// Why it came out so.
    pub(super) fn why(&mut self, sentences: &[Sentence]) -> io::Result<()> {
        writeln!(self.out, "\n   为什么 Why")?;
        for (number, sentence) in (1..).zip(sentences) {
            writeln!(self.out, "   {number}. {}\n      {}", sentence.zh, sentence.en)?;
        }
        Ok(())
    }

    pub(super) fn differs(&mut self, what: &str, expected: &str, got: &str) -> io::Result<()> {
        writeln!(self.out, "   ✗ {what}: expected {expected}, got {got}")
    }

    /// All stories beside each other.
    pub(super) fn summary(&mut self, rows: &[SummaryRow]) -> io::Result<()> {
        writeln!(self.out, "\n━━ 谁付了多少 · Who paid what")?;
        writeln!(
            self.out,
            "   {:<4}{:<34}{:>12}{:>12}{:>12}{:>14}",
            "", "", "bill", "funds", "patient", "if not filed"
        )?;
        for row in rows {
            let not_filed = row.unfiled.map_or("the same".to_owned(), |amount| amount.to_string());
            let gap = 34_usize.saturating_sub(width(row.title));
            let (bill, funds, patient) = (row.bill, row.funds, row.patient);
            let number = row.number;
            writeln!(
                self.out,
                "   {number:<4}{}{:gap$}{bill:>12}{funds:>12}{patient:>12}{not_filed:>14}",
                row.title, ""
            )?;
        }
        Ok(())
    }

    pub(super) fn close(
        &mut self,
        differences: usize,
        once: bool,
        path: &Path,
        at: &Addresses,
        month: Month,
    ) -> io::Result<()> {
        writeln!(self.out, "\n━━ What to remember")?;
        writeln!(
            self.out,
            "   异地就医先备案；来不及的，出院结算前补办也算数。\n   \
             File before you travel; if you could not, filing before the hospital settles still counts.\n   \
             在哪里办：国家医保服务平台App、国家异地就医备案小程序或参保地经办机构。\n   \
             Where: the national insurance app, its mini-program, or the office of the home city."
        )?;
        match differences {
            0 => writeln!(self.out, "   ✓ every figure is the one worked out by hand.")?,
            n => writeln!(self.out, "   ✗ {n} figures differ from those worked out by hand.")?,
        }
        let banyan = program();
        if once {
            writeln!(self.out, "\n━━ What to type next")?;
            writeln!(self.out, "   {banyan} demo                         the same, and the pages stay up")?;
            writeln!(self.out, "   {banyan} serve --sandbox my-province  a province of your own to send to")?;
        } else {
            writeln!(self.out, "\n━━ What to do next (the gateway stays up; Ctrl-C ends it)")?;
            let (persons, center, operators) = (at.persons, at.center, at.operators);
            writeln!(
                self.out,
                "   person's page  http://{persons}/  sign in as someone above, the code is shown"
            )?;
            writeln!(self.out, "   center's desk  http://{center}/  the month by region and hospital")?;
            writeln!(self.out, "   metrics        http://{operators}/metrics")?;
            let (settings, month) = (path.join("gateway.toml"), month.number());
            writeln!(
                self.out,
                "   the month      {banyan} clear --config {} --month {month}",
                settings.display()
            )?;
        }
        writeln!(self.out, "   {banyan} quote --pack {PACK} --stay {STAY}")?;
        writeln!(self.out, "   └ your own bill: change a copy of that stay and ask again")?;
        self.out.flush()
    }

    /// Who can sign in on the page.
    pub(super) fn people(&mut self, rows: &[(String, String, &'static str)]) -> io::Result<()> {
        writeln!(self.out, "\n━━ Who can sign in on the person's page")?;
        rows.iter().try_for_each(|(name, number, who)| writeln!(self.out, "   {name}  {number}  {who}"))
    }
}

/// What she typed to get here, so that the lines can be typed again as they stand.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "banyan".into())
}

fn bar(part: Fen, whole: Fen) -> String {
    let filled = if whole.0 > 0 { (part.0 * BAR + whole.0 / 2) / whole.0 } else { 0 };
    let full = usize::try_from(filled.clamp(0, BAR)).unwrap_or(0);
    let rest = usize::try_from(BAR).unwrap_or(0).saturating_sub(full);
    "█".repeat(full) + &"░".repeat(rest)
}

/// Columns that a text takes on a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x2E80 { 2 } else { 1 }).sum()
}
