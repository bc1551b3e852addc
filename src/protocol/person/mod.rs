//! The insured person's face: she signs in on a phone and sees her own claims, why each came out as it did, and her
//! filings. Nothing here takes a person from an address or a form: only from the session.

mod claim;
mod claim_page;
mod claims;
mod data;
mod filing_form;
mod filings;
pub mod names;
mod next;
pub mod one_time_code;
mod sign_in;

use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::FutureExt as _;
use maud::Markup;
use maud::html;

use crate::domain::calendar::Instant;
use crate::protocol::person::one_time_code::Delivery;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::headers;
use crate::protocol::web::icon;
use crate::protocol::web::layout::Frame;
use crate::protocol::web::layout::lay_out;
use crate::protocol::web::router::Route;
use crate::protocol::web::router::route;
use crate::protocol::web::session;
use crate::protocol::web::session::Cookies;
use crate::protocol::web::session::Session;
use crate::protocol::web::style;
use crate::protocol::web::token;
use crate::protocol::web::words::pair;
use crate::service::Service;
use crate::transport::Answer;
use crate::transport::Handler;
use crate::transport::Request;
use crate::transport::limits;
use crate::transport::limits::Limits;

/// What an operator decides about this face.
pub struct Settings {
    /// Pages say that nothing here is real.
    pub sandbox: bool,
    /// TLS is spoken: cookies are then sent over TLS only.
    pub over_tls: bool,
    /// Whom to call.
    pub hotline: String,
    pub delivery: Delivery,
}

pub struct PersonFace {
    service: Arc<Service>,
    settings: Settings,
    /// Requests of one address.
    requests: Limits,
    /// Sign-in attempts of one address, and of one number.
    attempts: Limits,
}

const ROUTES: &[Route<PersonFace>] = &[
    Route::get("/", |face, x| face.start(x).boxed()),
    Route::get("/sign-in", |face, x| face.show_sign_in(x).boxed()),
    Route::post("/sign-in", |face, x| face.take_number(x).boxed()),
    Route::get("/sign-in/code", |face, x| face.show_code(x).boxed()),
    Route::post("/sign-in/code", |face, x| face.take_code(x).boxed()),
    Route::post("/sign-out", |face, x| face.sign_out(x).boxed()),
    Route::get("/me", |face, x| face.show_claims(x).boxed()),
    Route::get("/me/claims/{}", |face, x| face.show_claim(x).boxed()),
    Route::get("/me/claims/{}/receipt", |face, x| face.give_receipt(x).boxed()),
    Route::get("/me/filings", |face, x| face.show_filings(x).boxed()),
    Route::get("/me/filings/new", |face, x| face.show_filing_form(x).boxed()),
    Route::post("/me/filings", |face, x| face.take_filing(x).boxed()),
    Route::get("/me/v1/claims", |face, x| face.claims_as_data(x).boxed()),
    Route::get("/me/v1/claims/{}", |face, x| face.claim_as_data(x).boxed()),
];

const NAME: &str = "persons";

impl PersonFace {
    pub fn new(service: Arc<Service>, settings: Settings) -> PersonFace {
        let per_second = |per_second: u32, burst: u32| {
            let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
            let (per_second, burst) = (at_least_one(per_second), at_least_one(burst));
            Limits::new(limits::Settings { per_second, burst, ..limits::Settings::default() })
        };
        PersonFace { service, settings, requests: per_second(20, 100), attempts: per_second(1, 20) }
    }

    fn now(&self) -> Instant {
        self.service.clock.now()
    }

    fn cookies(&self) -> Cookies {
        Cookies { secure: self.settings.over_tls }
    }

    /// Who asks. Everything behind `/me` begins with this.
    async fn session(&self, x: &Exchange) -> Result<Session, PageError> {
        let name = x.cookie(&self.cookies().name("session")).ok_or(PageError::SignedOut)?;
        session::resume(&*self.service.cache, name, self.now()).await.ok_or(PageError::SignedOut)
    }

    /// Who sends a form, and that a page of ours sent it.
    async fn sender(&self, x: &Exchange) -> Result<Session, PageError> {
        let session = self.session(x).await?;
        let genuine = x.same_origin() && token::same(x.form().get("token"), &session.form_token);
        if genuine { Ok(session) } else { Err(PageError::Forged) }
    }

    /// A page for someone who has signed in.
    fn inside(&self, session: &Session, here: &'static str, title: &Said, content: Markup) -> Markup {
        let places =
            vec![("/me", Said::new("就医结算", "Claims")), ("/me/filings", Said::new("异地备案", "Filings"))];
        let way_out = html! {
            form method="post" action="/sign-out" {
                input type="hidden" name="token" value=(session.form_token);
                button type="submit" { (pair("退出", "Sign out")) }
            }
        };
        lay_out(Frame { places, here, aside: Some(way_out), ..self.frame(title) }, content)
    }

    fn outside(&self, title: &Said, content: Markup) -> Markup {
        lay_out(self.frame(title), content)
    }

    fn frame<'a>(&'a self, title: &'a Said) -> Frame<'a> {
        let sandbox =
            || Said::new("演示环境：人员和数据均为虚构。", "Sandbox: persons and data are invented.");
        Frame {
            title,
            service: Said::new("异地就医结算查询", "My settlements"),
            places: Vec::new(),
            here: "",
            notice: self.settings.sandbox.then(sandbox),
            aside: None,
            hotline: &self.settings.hotline,
            wide: false,
        }
    }

    async fn answer(&self, request: Request) -> Answer {
        let path = request.parts.uri.path();
        if let Some(asset) = style::find(path).or_else(|| icon::find(path)) {
            return asset;
        }
        let as_data = path.starts_with("/me/v1/");
        let answered = match self.requests.admit(&request.peer.network().to_string()).await {
            Ok(_place) => route(ROUTES, self, request).await,
            Err(shed) => Err(PageError::TooMany { retry_after_ms: shed.retry_after_ms }),
        };
        answered.unwrap_or_else(|error| self.refuse(&error, as_data))
    }

    fn refuse(&self, error: &PageError, as_data: bool) -> Answer {
        error.log(NAME);
        match error {
            _ if as_data => error.json(),
            PageError::SignedOut => self.ask_to_sign_in(),
            _ => error.page(|title, content| self.outside(title, content)),
        }
    }

    fn in_place_of_an_answer(&self) -> Answer {
        let broken = PageError::Unfinished;
        let mut answer = broken.page(|title, content| self.outside(title, content));
        headers::protect(&mut answer, self.settings.over_tls);
        answer
    }
}

impl Handler for PersonFace {
    async fn handle(&self, request: Request) -> Answer {
        let mut answer = self.answer(request).await;
        headers::protect(&mut answer, self.settings.over_tls);
        answer
    }

    fn on_panic(&self) -> Answer {
        self.in_place_of_an_answer()
    }

    fn on_timeout(&self) -> Answer {
        self.in_place_of_an_answer()
    }
}
