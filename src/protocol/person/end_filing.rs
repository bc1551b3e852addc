//! Ending a filing of hers: she is told what that changes before she does it.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::filing::Filing;
use crate::domain::ids::MessageId;
use crate::protocol::person::PersonFace;
use crate::protocol::person::filing_form::told;
use crate::protocol::person::filings::until;
use crate::protocol::person::names;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Faults;
use crate::protocol::web::form::Said;
use crate::protocol::web::session::Session;
use crate::protocol::web::token;
use crate::protocol::web::words::both;
use crate::protocol::web::words::day_zh;
use crate::protocol::web::words::pair;
use crate::service::error::ServiceError;
use crate::service::file::Desk;
use crate::service::file::EndFilingOrder;
use crate::transport::Answer;

/// Ends key as 2502 does, whoever makes them.
const TRANSACTION: u16 = 2502;

impl PersonFace {
    pub(super) async fn show_ending(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let filing = self.filing(&session, x.place(0)).await?;
        Ok(self.ending_page(&session, &filing, &Faults::default(), StatusCode::OK))
    }

    pub(super) async fn end_filing(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.sender(&x).await?;
        let filing = self.filing(&session, x.place(0)).await?;
        let form = x.form();
        let message = MessageId::parse(form.get("message")).map_err(|_| PageError::Forged)?;
        let call = self.call_of(&session, TRANSACTION, &message, filing.id.as_str());
        let order = EndFilingOrder {
            person: session.person.clone(),
            filing: filing.id.clone(),
            from: None,
            reason: "本人结束".into(),
            by: Desk::Person,
        };
        match self.service.end_filing(&call, order).await {
            Ok(_) => Ok(answer::see("/me/filings?ended=1")),
            Err(ServiceError::Refused(refusal)) => match told(&refusal) {
                Some(faults) => {
                    Ok(self.ending_page(&session, &filing, &faults, StatusCode::UNPROCESSABLE_ENTITY))
                }
                None => Err(ServiceError::Refused(refusal).into()),
            },
            Err(other) => Err(other.into()),
        }
    }

    /// A filing of hers by its number. Anybody else's is as unknown as one that never was.
    async fn filing(&self, session: &Session, id: &str) -> Result<Filing, PageError> {
        let seen = self.seen(session).await?;
        let found = seen.filings.into_iter().find(|one| one.filing.id.as_str() == id);
        found.map(|one| one.filing).ok_or(PageError::NotFound)
    }

    fn ending_page(&self, session: &Session, filing: &Filing, faults: &Faults, status: StatusCode) -> Answer {
        let place = self.service.reference.load().regions.name(filing.target, filing.from);
        let message = &token::secret()[..30];
        let content = html! {
            p { a href="/me/filings" { "‹ " (pair("我的备案", "My filings")) } }
            h1 { (pair("结束备案", "End a filing")) }
            (why_not(faults))
            dl.facts {
                div { dt { (pair("就医地", "Place of care")) } dd { (place) } }
                div { dt { (pair("类型", "Kind")) } dd { (both(&names::category(filing.category))) } }
                div { dt { (pair("期限", "From and until")) } dd { (day_zh(filing.from)) "起，" (until(filing)) } }
            }
            p { (pair(
                "从今天起，在该地新入院将按未备案结算，报销比例更低。已经结算的不受影响。",
                "From today on, a new stay there is settled as not filed: the insurance pays less. What is settled stays.")) }
            form method="post" action={ "/me/filings/" (filing.id) "/end" } {
                input type="hidden" name="token" value=(session.form_token);
                input type="hidden" name="message" value=(message);
                button type="submit" { (pair("确认结束", "End it")) }
            }
        };
        answer::page(
            status,
            self.inside(session, "/me/filings", &Said::new("结束备案", "End a filing"), content),
        )
    }
}

fn why_not(faults: &Faults) -> Markup {
    html! {
        @for (_, said) in faults.iter() { div.panel.warn role="alert" { p { (both(said)) } } }
    }
}
