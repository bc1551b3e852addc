//! The pages of a month: regions with their net positions, pairs, hospitals.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::calendar::Month;
use crate::domain::clearing::Totals;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::protocol::center::CenterFace;
use crate::protocol::center::month::HospitalRow;
use crate::protocol::center::month::MonthView;
use crate::protocol::center::month::PairRow;
use crate::protocol::center::month_in;
use crate::protocol::center::month_state::MonthState;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::words::month_en;
use crate::protocol::web::words::month_zh;
use crate::protocol::web::words::pair;
use crate::protocol::web::words::plain;
use crate::protocol::web::words::yuan;
use crate::transport::Answer;

impl CenterFace {
    pub(super) async fn start(&self, _x: Exchange) -> Result<Answer, PageError> {
        Ok(answer::see("/center/months"))
    }

    /// `?month=2026-11` from the chooser; without it the running month.
    pub(super) async fn choose_month(&self, x: Exchange) -> Result<Answer, PageError> {
        let query = x.query();
        if !query.has("month") {
            return Ok(answer::see(&format!("/center/months/{}", self.service.today().month())));
        }
        let chosen: String = query.get("month").chars().filter(char::is_ascii_digit).collect();
        let month = chosen.parse().ok().and_then(Month::from_number).ok_or_else(|| {
            PageError::Unreadable(Said::new("月份请写成2026-11的样子", "Write the month like 2026-11"))
        })?;
        Ok(answer::see(&format!("/center/months/{month}")))
    }

    pub(super) async fn month_view(&self, month: Month) -> Result<MonthView, PageError> {
        let totals = self.service.clearing_month(month).await?;
        let view =
            MonthView::new(month, self.service.today().month(), &totals, &self.service.reference.load());
        if !view.is_balanced() {
            tracing::error!(month = %month, imbalance_fen = view.imbalance.0, "a clearing month does not add up to zero");
        }
        Ok(view)
    }

    pub(super) async fn show_month(&self, x: Exchange) -> Result<Answer, PageError> {
        let view = self.month_view(month_in(&x)?).await?;
        let page = self.page(&title(view.month), month_content(&view));
        Ok(answer::page(StatusCode::OK, page))
    }

    pub(super) async fn month_as_csv(&self, x: Exchange) -> Result<Answer, PageError> {
        let view = self.month_view(month_in(&x)?).await?;
        Ok(answer::csv(&format!("clearing-{}.csv", view.month), view.csv()))
    }

    pub(super) async fn month_as_data(&self, x: Exchange) -> Result<Answer, PageError> {
        let view = self.month_view(month_in(&x)?).await?;
        Ok(answer::json(StatusCode::OK, &view.json()))
    }

    /// What one region owes and is owed, and to whom.
    pub(super) async fn show_region(&self, x: Exchange) -> Result<Answer, PageError> {
        let region = RegionCode::parse(x.place(1)).map_err(|_| PageError::NotFound)?;
        let view = self.month_view(month_in(&x)?).await?.only(Some(region), None);
        let row = view.regions.first().ok_or(PageError::NotFound)?;
        let content = html! {
            (crumbs(view.month, None))
            h1 { (row.name) span.en lang="en" { "Region " (row.code) } }
            ul.headline {
                li.fund { (pair("应收", "Owed to it")) span.figure { (yuan(row.position.owed)) } }
                li.cash { (pair("应付", "It owes")) span.figure { (yuan(row.position.owes)) } }
                li { (pair("净额", "Net")) span.figure { (yuan(row.position.net())) } }
            }
            (pairs(&view))
            (local(&view))
        };
        Ok(answer::page(StatusCode::OK, self.page(&title(view.month), content)))
    }

    pub(super) async fn show_pair(&self, x: Exchange) -> Result<Answer, PageError> {
        let view = self.month_view(month_in(&x)?).await?;
        let (home, care) = pair_in(&x)?;
        let rows: Vec<&HospitalRow> =
            view.hospitals.iter().filter(|row| row.home == home && row.care == care).collect();
        let first = rows.first().ok_or(PageError::NotFound)?;
        let content = html! {
            (crumbs(view.month, None))
            h1 { (first.home_name) " → " (first.care_name)
                span.en lang="en" { "Insured in " (first.home) ", treated in " (first.care) } }
            (hospitals(view.month, &rows))
        };
        Ok(answer::page(StatusCode::OK, self.page(&title(view.month), content)))
    }
}

/// Insured pool and place of care in the path.
pub(super) fn pair_in(x: &Exchange) -> Result<(RegionCode, RegionCode), PageError> {
    let region = |at| RegionCode::parse(x.place(at)).map_err(|_| PageError::NotFound);
    Ok((region(1)?, region(2)?))
}

pub(super) fn title(month: Month) -> Said {
    Said::new(format!("{}清算", month_zh(month)), format!("Clearing {}", month_en(month)))
}

/// The way back up: the month, and below it a pair.
pub(super) fn crumbs(month: Month, pair: Option<(RegionCode, RegionCode, &str)>) -> Markup {
    html! {
        nav aria-label="路径 Path" {
            ol.crumbs {
                li { a href={ "/center/months/" (month) } { (month_zh(month)) } }
                @if let Some((home, care, name)) = pair {
                    li { a href={ "/center/months/" (month) "/" (home) "/" (care) } { (name) } }
                }
            }
        }
    }
}

fn month_content(view: &MonthView) -> Markup {
    html! {
        h1 { (month_zh(view.month)) "清算" span.en lang="en" { "Clearing month " (month_en(view.month)) } }
        (tools(view))
        @if let Some((zh, en)) = view.state.hint() { div.panel { p { (pair(zh, en)) } } }
        @if view.hospitals.is_empty() {
            div.panel { p { (pair("本月没有结算。", "Nothing was settled in this month.")) } }
        } @else {
            ul.headline {
                li.fund { (pair("跨统筹区应付合计", "Owed across regions")) span.figure { (yuan(view.owed())) } }
                li { (pair("结算与撤销笔数", "Settlements and reversals")) span.figure { (count(view)) } }
                li { (pair("净额之和", "Sum of net positions")) span.figure { "Σ = " (plain(view.imbalance)) } }
            }
            (balance(view))
            (regions(view))
            (pairs(view))
            (local(view))
        }
    }
}

/// What was paid inside a region.
fn local(view: &MonthView) -> Markup {
    let rows: Vec<&HospitalRow> = view.hospitals.iter().filter(|row| row.is_local()).collect();
    html! {
        @if !rows.is_empty() {
            h2 { (pair("统筹区内就医（不跨区清算）", "Care at home (nothing crosses a border)")) }
            (hospitals(view.month, &rows))
        }
    }
}

fn count(view: &MonthView) -> u64 {
    view.hospitals.iter().map(|row| row.totals.settlements + row.totals.reversals).sum()
}

fn balance(view: &MonthView) -> Markup {
    html! {
        @if view.is_balanced() {
            div.panel.good { p { (pair("各区净额之和为零，账目平衡。", "Net positions add up to zero.")) } }
        } @else {
            div.panel.warn role="alert" { p { (pair(
                "各区净额之和不为零：账目有误，请勿据此付款，并立即报告。",
                "Net positions do not add up to zero: do not pay by these figures, and report it at once.")) } }
        }
    }
}

fn tools(view: &MonthView) -> Markup {
    let month = view.month;
    let before = Some((month.first_day().previous().month(), "‹ 上月", "Previous"));
    // The month after one that has not ended has not begun.
    let after = (view.state == MonthState::Ended).then(|| (month.next(), "下月 ›", "Next"));
    html! {
        div.tools {
            form method="get" action="/center/months" {
                div.field {
                    label for="month" { (pair("月份", "Month")) }
                    input id="month" name="month" type="month" value=(month_en(month)) placeholder="2026-11";
                }
                button type="submit" { (pair("查看", "Show")) }
            }
            @for (other, zh, en) in [before, after].into_iter().flatten() { a href={ "/center/months/" (other) } { (pair(zh, en)) } }
            a href={ "/center/months/" (month) "/month.csv" } { (pair("下载CSV", "Download CSV")) }
            a href={ "/center/v1/months/" (month) } { "JSON" }
        }
    }
}

fn regions(view: &MonthView) -> Markup {
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table {
            caption { (pair("各统筹区", "Regions")) }
            thead { tr {
                th scope="col" { (pair("统筹区", "Region")) }
                th.n scope="col" { (pair("应收", "Owed to it")) }
                th.n scope="col" { (pair("应付", "It owes")) }
                th.n scope="col" { (pair("净额", "Net")) }
            } }
            tbody { @for row in &view.regions { tr {
                th scope="row" {
                    a href={ "/center/months/" (view.month) "/" (row.code) } { (row.name) }
                    " " span.soft { (row.code) }
                }
                (money(row.position.owed)) (money(row.position.owes)) (money(row.position.net()))
            } } }
            tfoot { tr {
                th scope="row" { (pair("合计", "Sum")) }
                (money(view.owed()))
                (money(view.regions.iter().map(|row| row.position.owes).sum()))
                (money(view.imbalance))
            } }
        } }
    }
}

fn pairs(view: &MonthView) -> Markup {
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table {
            caption { (pair("参保地 → 就医地", "Insured region → place of care")) }
            (head(&[("参保地 → 就医地", "From → to")], true))
            tbody { @for row in &view.pairs { tr {
                th scope="row" { a href=(pair_path(view.month, row)) { (row.home_name) " → " (row.care_name) } }
                (cells(&row.totals)) (money(row.net))
            } } }
        } }
    }
}

fn pair_path(month: Month, row: &PairRow) -> String {
    format!("/center/months/{month}/{}/{}", row.home, row.care)
}

fn hospitals(month: Month, rows: &[&HospitalRow]) -> Markup {
    html! {
        div.scroll role="region" aria-label="表格 Table" tabindex="0" { table {
            caption { (pair("按医院", "By hospital")) }
            (head(&[("医院", "Hospital")], false))
            tbody { @for row in rows { tr {
                th scope="row" {
                    a href={ "/center/months/" (month) "/" (row.home) "/" (row.care) "/" (row.code) } { (row.name) }
                    " " span.soft { (row.code) }
                }
                (cells(&row.totals))
            } } }
            tfoot { tr {
                th scope="row" { (pair("合计", "Sum")) }
                (cells(&sum(rows)))
            } }
        } }
    }
}

fn sum(rows: &[&HospitalRow]) -> Totals {
    rows.iter().fold(Totals::default(), |mut sum, row| {
        sum.settlements += row.totals.settlements;
        sum.reversals += row.totals.reversals;
        sum.medfee += row.totals.medfee;
        sum.fund += row.totals.fund;
        sum.account += row.totals.account;
        sum.cash += row.totals.cash;
        sum
    })
}

fn head(first: &[(&str, &str)], net: bool) -> Markup {
    let figures = [
        ("结算", "Settled"),
        ("撤销", "Reversed"),
        ("总费用", "Bills"),
        ("基金", "Funds"),
        ("个人账户", "Accounts"),
        ("应付", "Owed"),
    ];
    html! {
        thead { tr {
            @for (zh, en) in first { th scope="col" { (pair(zh, en)) } }
            @for (zh, en) in figures { th.n scope="col" { (pair(zh, en)) } }
            @if net { th.n scope="col" { (pair("轧差", "Net of both")) } }
        } }
    }
}

fn cells(totals: &Totals) -> Markup {
    html! {
        td.n { (totals.settlements) } td.n { (totals.reversals) }
        (money(totals.medfee)) (money(totals.fund)) (money(totals.account)) (money(totals.owed()))
    }
}

pub(super) fn money(amount: Fen) -> Markup {
    html! { td.n.minus[amount.is_negative()] { (plain(amount)) } }
}
