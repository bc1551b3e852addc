//! The settlements of one hospital in a month, for insured of one pool: the rows behind a figure.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::calendar::Month;
use crate::domain::clearing::GroupKey;
use crate::domain::ids::InstitutionCode;
use crate::protocol::center::CenterFace;
use crate::protocol::center::behind;
use crate::protocol::center::month_in;
use crate::protocol::center::month_page::crumbs;
use crate::protocol::center::month_page::money;
use crate::protocol::center::month_page::pair_in;
use crate::protocol::center::month_page::title;
use crate::protocol::center::month_state::MonthState;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::words::pair;
use crate::protocol::web::words::yuan;
use crate::service::month::Behind;
use crate::service::month::Kind;
use crate::transport::Answer;

/// Rows on one page.
const PAGE_ROWS: usize = 50;

impl CenterFace {
    async fn behind(&self, x: &Exchange) -> Result<(Month, GroupKey, Vec<Behind>), PageError> {
        let month = month_in(x)?;
        let (home, care) = pair_in(x)?;
        let hospital = InstitutionCode::parse(x.place(3)).map_err(|_| PageError::NotFound)?;
        let group = (home, care, hospital);
        let rows = self.service.clearing_rows(month, |row| row.is_of(&group)).await?;
        if rows.is_empty() {
            return Err(PageError::NotFound);
        }
        Ok((month, group, rows))
    }

    pub(super) async fn show_settlements(&self, x: Exchange) -> Result<Answer, PageError> {
        let (month, group, rows) = self.behind(&x).await?;
        let pages = rows.len().div_ceil(PAGE_ROWS);
        let page: usize = x.query().get("page").parse().unwrap_or(1);
        let page = page.clamp(1, pages);
        let shown = &rows[(page - 1) * PAGE_ROWS..rows.len().min(page * PAGE_ROWS)];
        let (reference, day) = (self.service.reference.load(), month.first_day());
        let name = |code| reference.regions.name(code, day);
        let (home, care, code) = &group;
        let hospital =
            reference.institution(code, day).map_or_else(|| code.to_string(), |row| row.name.clone());
        let way = format!("{} → {}", name(*home), name(*care));
        let (label, amount) = match behind::owed(&rows) {
            (_, Some(at_home)) => (pair("统筹区内支付", "Paid at home"), at_home),
            (across, None) => (pair("应付", "Owed"), across.unwrap_or_default()),
        };
        let content = html! {
            (crumbs(month, Some((*home, *care, &way))))
            h1 { (hospital) span.en lang="en" { (code) ", insured in " (name(*home)) } }
            ul.headline {
                li { (pair("笔数", "Rows")) span.figure { (rows.len()) } }
                li.fund { (label) span.figure { (yuan(amount)) } }
            }
            div.tools {
                a href={ (x.path()) "/settlements.csv" } { (pair("下载CSV", "Download CSV")) }
            }
            (table(shown))
            (paging(x.path(), page, pages))
        };
        Ok(answer::page(StatusCode::OK, self.page(&title(month), content)))
    }

    pub(super) async fn settlements_as_csv(&self, x: Exchange) -> Result<Answer, PageError> {
        let (month, (home, _, hospital), rows) = self.behind(&x).await?;
        let hospital: String = hospital.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
        let state = MonthState::of(month, self.service.today().month());
        let text = behind::csv(month, state, &rows);
        Ok(answer::csv(&format!("settlements-{month}-{home}-{hospital}.csv"), text))
    }
}

fn table(rows: &[Behind]) -> Markup {
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table {
            caption { (pair("结算、撤销和恢复", "Settlements, reversals, revivals")) }
            thead { tr {
                th scope="col" { (pair("结算ID", "Settlement")) }
                th scope="col" { (pair("时间", "At")) }
                th scope="col" { (pair("类型", "Kind")) }
                th.n scope="col" { (pair("总费用", "Bill")) }
                th.n scope="col" { (pair("基金", "Funds")) }
                th.n scope="col" { (pair("个人账户", "Account")) }
                th.n scope="col" { (pair("应付", "Owed")) }
                th.n scope="col" { (pair("现金", "Cash")) }
            } }
            tbody { @for behind @ Behind { id, at, row, .. } in rows { tr {
                th scope="row" { a href={ "/center/settlements/" (id) } { (id) } }
                td { (at.moment()) }
                td { (kind(behind.kind())) }
                (money(row.medfee)) (money(row.fund)) (money(row.account))
                (money(row.owed())) (money(row.cash))
            } } }
        } }
    }
}

fn kind(kind: Kind) -> Markup {
    match kind {
        Kind::Settlement => pair("结算", "Settlement"),
        Kind::Reversal => pair("撤销", "Reversal"),
        Kind::Revival => pair("恢复", "Revival"),
    }
}

fn paging(path: &str, page: usize, pages: usize) -> Markup {
    html! {
        @if pages > 1 {
            nav.pages aria-label="分页 Pages" {
                @if page > 1 { a href={ (path) "?page=" (page - 1) } rel="prev" { (pair("‹ 上一页", "Previous")) } }
                span { (page) " / " (pages) }
                @if page < pages { a href={ (path) "?page=" (page + 1) } rel="next" { (pair("下一页 ›", "Next")) } }
            }
        }
    }
}
