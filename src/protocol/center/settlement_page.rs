//! One settlement, reversal or revival as the desk sees it: its figures and its postings, and no name.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::breakdown::Breakdown;
use crate::domain::ids::SettlementId;
use crate::domain::posting::Account;
use crate::domain::posting::Entry;
use crate::domain::record::Body;
use crate::domain::record::Record;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::protocol::center::CenterFace;
use crate::protocol::center::month_page::crumbs;
use crate::protocol::center::month_page::money;
use crate::protocol::explanation::percent;
use crate::protocol::person::names;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::words::both;
use crate::protocol::web::words::masked;
use crate::protocol::web::words::pair;
use crate::protocol::web::words::yuan;
use crate::service::error::ServiceError;
use crate::transport::Answer;

impl CenterFace {
    pub(super) async fn show_settlement(&self, x: Exchange) -> Result<Answer, PageError> {
        let id = SettlementId::parse(x.place(0)).map_err(|_| PageError::NotFound)?;
        let explanation = self.service.explain(&id).await.map_err(unknown)?;
        let reference = self.service.reference.load();
        let content = content(&explanation.record, &explanation.settlement, explanation.mismatch, &reference);
        let page = self.page(&Said::new("一笔结算", "One settlement"), content.ok_or(PageError::NotFound)?);
        Ok(answer::page(StatusCode::OK, page))
    }

    /// The proof that it was recorded, for whoever has to show it.
    pub(super) async fn give_receipt(&self, x: Exchange) -> Result<Answer, PageError> {
        let id = SettlementId::parse(x.place(0)).map_err(|_| PageError::NotFound)?;
        let receipt = self.service.receipt(&id).await.map_err(unknown)?;
        answer::receipt(&id, receipt)
    }
}

fn unknown(error: ServiceError) -> PageError {
    match error {
        ServiceError::Refused(refusal) if matches!(*refusal, Refusal::SettlementUnknown { .. }) => {
            PageError::NotFound
        }
        other => other.into(),
    }
}

/// What a record is, its figures with their signs, and its postings.
fn shown(record: &Record) -> Option<(Said, Breakdown, &[Entry])> {
    Some(match &record.body {
        Body::Settled(one) => (Said::new("结算", "Settlement"), one.breakdown.clone(), &one.entries),
        Body::Reversed(one) => {
            (Said::new("撤销", "Reversal"), one.settlement.breakdown.negated(), &one.entries)
        }
        Body::Revived(one) => (Said::new("恢复", "Revival"), one.settlement.breakdown.clone(), &one.entries),
        _ => return None,
    })
}

fn content(
    record: &Record,
    settlement: &Settlement,
    mismatch: bool,
    reference: &Reference,
) -> Option<Markup> {
    let (kind, breakdown, entries) = shown(record)?;
    let day = settlement.policy_day;
    let name = |code| reference.regions.name(code, day);
    let (home, care) = (settlement.insured_pool, settlement.institution_pool);
    let way = format!("{} → {}", name(home), name(care));
    let hospital = reference.institution(&settlement.institution, settlement.admitted);
    let hospital = hospital.map_or_else(|| settlement.institution.to_string(), |row| row.name.clone());
    let facts = [
        (Said::new("医院", "Hospital"), format!("{hospital} {}", settlement.institution)),
        (Said::new("参保地 → 就医地", "Insured → care"), way.clone()),
        (Said::new("人员编号（已遮盖）", "Person number (masked)"), masked(record.person.number())),
        (Said::new("险种", "Scheme"), names::scheme(settlement.scheme).zh),
        (Said::new("入院日期", "Admitted"), settlement.admitted.to_string()),
        (Said::new("政策日期", "Policy day"), day.to_string()),
        (Said::new("结算时间", "Settled at"), record.at.moment().to_string()),
        (Said::new("清算月", "Clearing month"), record.at.day().month().to_string()),
        (Said::new("备案待遇", "By filing"), names::level(settlement.facts.level).zh),
        (Said::new("报销比例", "Rate"), percent(breakdown.pool_rate)),
        (Said::new("政策包", "Policy pack"), settlement.pack.chars().take(16).collect()),
        (Said::new("报文ID", "Message"), record.meta.key.message.to_string()),
    ];
    Some(html! {
        (crumbs(record.at.day().month(), Some((home, care, &way))))
        h1 { (both(&kind)) " " span.id.soft { (settlement_id(record)) } }
        @if mismatch { div.panel.warn role="alert" { p { (pair(
            "重新计算得到的金额与记录不同；以记录为准，请核查。",
            "Computed anew, the figures differ from those recorded; the recorded ones count. Look into it.")) } } }
        ul.headline {
            li { (pair("总费用", "Bill")) span.figure { (yuan(breakdown.medfee_sumamt)) } }
            li.fund { (pair("基金支付", "Funds")) span.figure { (yuan(breakdown.fund_pay_sumamt)) } }
            li.cash { (pair("个人支付", "Person")) span.figure { (yuan(breakdown.psn_part_amt)) } }
        }
        p { a href={ "/center/settlements/" (settlement_id(record)) "/receipt" } {
            (pair("下载结算凭证", "Download the receipt"))
        } }
        dl.facts { @for (label, value) in &facts { div { dt { (both(label)) } dd { (value) } } } }
        (amounts(&breakdown))
        (postings(entries, reference, settlement))
    })
}

fn settlement_id(record: &Record) -> String {
    match &record.body {
        Body::Settled(one) => one.id.to_string(),
        Body::Reversed(one) => one.id.to_string(),
        Body::Revived(one) => one.id.to_string(),
        _ => String::new(),
    }
}

fn amounts(breakdown: &Breakdown) -> Markup {
    let mut rows = vec![
        (Said::new("全自费", "Not covered"), breakdown.fulamt_ownpay_amt),
        (Said::new("超限价", "Above limit"), breakdown.overlmt_selfpay),
        (Said::new("先行自付", "First pay"), breakdown.preselfpay_amt),
        (Said::new("政策范围内", "In scope"), breakdown.inscp_scp_amt),
        (Said::new("起付线", "Deductible"), breakdown.act_pay_dedc),
    ];
    rows.extend(breakdown.funds.iter().map(|row| (names::fund(row.fund), row.amount)));
    rows.push((Said::new("个人账户", "Personal account"), breakdown.acct_pay + breakdown.acct_mulaid_pay));
    rows.push((Said::new("现金", "Cash"), breakdown.psn_cash_pay));
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table.narrow {
            caption { (pair("金额", "Amounts")) }
            tbody { @for (label, amount) in &rows { tr { th scope="row" { (both(label)) } (money(*amount)) } } }
        } }
    }
}

fn postings(entries: &[Entry], reference: &Reference, settlement: &Settlement) -> Markup {
    let name = |code| reference.regions.name(code, settlement.policy_day);
    let account = |account: &Account| match account {
        Account::FundExpense { region, fund } => {
            format!("{} 基金支出 {}", name(*region), names::fund(*fund).zh)
        }
        Account::PersonalAccount { region } => format!("{} 个人账户支出", name(*region)),
        Account::PayableToRegion { region, to } => format!("{} 应付 {}", name(*region), name(*to)),
        Account::ReceivableFromRegion { region, from } => format!("{} 应收 {}", name(*region), name(*from)),
        Account::PayableToHospital { region, institution } => {
            format!("{} 应付医院 {institution}", name(*region))
        }
        Account::CashPaid { region } => format!("{} 个人现金支付（备查）", name(*region)),
        Account::CashTaken { region, institution } => {
            format!("{} 医院收现金 {institution}（备查）", name(*region))
        }
    };
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table.narrow {
            caption { (pair("分录（借方为正）", "Postings (debit positive)")) }
            tbody { @for entry in entries { tr { th scope="row" { (account(&entry.account)) } (money(entry.amount)) } } }
            tfoot { tr {
                th scope="row" { (pair("合计", "Sum")) }
                (money(entries.iter().map(|entry| entry.amount).sum()))
            } }
        } }
    }
}
