//! Her filings: for where, from when to when, and how each stands.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::calendar::Day;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingProof;
use crate::domain::reference::Reference;
use crate::protocol::person::PersonFace;
use crate::protocol::person::names;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::words::both;
use crate::protocol::web::words::day_zh;
use crate::protocol::web::words::pair;
use crate::service::look::FilingSeen;
use crate::transport::Answer;

impl PersonFace {
    pub(super) async fn show_filings(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let seen = self.seen(&session).await?;
        let (reference, today) = (self.service.reference.load(), self.service.today());
        let made = x.query().get("made").to_owned();
        let content = html! {
            @if seen.filings.iter().any(|one| one.filing.id.as_str() == made) { (taken(&made)) }
            h1 { (pair("我的异地备案", "My filings")) }
            p { (pair(
                "到外地住院前先备案，报销比例更高。住院期间、结算之前补办也有效。",
                "File before you are treated elsewhere: the insurance then pays more. Filing during a stay, before its settlement, still counts.")) }
            p { a.button href="/me/filings/new" { (pair("办理备案", "File")) } }
            @if seen.filings.is_empty() {
                div.panel { p { (pair("您还没有备案。", "You have no filing.")) } }
            }
            ul.cards { @for one in seen.filings.iter().rev() { (card(one, &reference, today)) } }
        };
        let page = self.inside(&session, "/me/filings", &Said::new("异地备案", "Filings"), content);
        Ok(answer::page(StatusCode::OK, page))
    }
}

fn taken(id: &str) -> Markup {
    html! { div.panel.good role="status" {
        p.lead { (pair("备案成功，立即生效。", "Filed. It counts from its first day.")) }
        p { (pair("备案编号", "Filing")) " " span { (id) } }
    } }
}

fn card(one: &FilingSeen, reference: &Reference, today: Day) -> Markup {
    let filing = &one.filing;
    html! {
        li.card {
            h2 { (reference.regions.name(filing.target, filing.from)) }
            p { (both(&names::category(filing.category))) }
            p { (day_zh(filing.from)) "起，" (until(filing)) }
            p { (standing(filing, today)) }
            p.small.soft { (made_by(filing)) " · " (day_zh(filing.made_on)) " · " span { (filing.id) } }
        }
    }
}

fn until(filing: &Filing) -> Markup {
    match (filing.ended_from, filing.to) {
        (Some(ended), _) => pair(&format!("已于{}结束", day_zh(ended)), &format!("ended from {ended} on")),
        (None, Some(to)) => pair(&format!("至{}", day_zh(to)), &format!("until {to}")),
        (None, None) => pair("长期有效", "without end"),
    }
}

fn standing(filing: &Filing, today: Day) -> Markup {
    let (class, said) = if !filing.stands_on(today) {
        ("off", Said::new("已失效", "Over"))
    } else if filing.from > today {
        ("open", Said::new("尚未开始", "Begins later"))
    } else {
        ("good", Said::new("有效", "Valid"))
    };
    html! { span.tag.(class) { (both(&said)) } }
}

fn made_by(filing: &Filing) -> Markup {
    let (zh, en) = match &filing.by {
        FiledBy::Hospital { .. } => ("医院办理", "by a hospital"),
        FiledBy::Center => ("经办机构办理", "by the agency"),
        FiledBy::Person if filing.proof == FilingProof::Commitment => {
            ("本人承诺办理", "by you, on your word")
        }
        FiledBy::Person => ("本人办理", "by you"),
        FiledBy::Import => ("参保地导入", "from your region's file"),
    };
    pair(zh, en)
}
