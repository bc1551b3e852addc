//! The desk of the clearing center: a month by region and hospital, each figure followed down to its settlements.
//! It shows no names; a settlement shows its person's number masked.
//!
//! No desk users exist yet. So the desk answers on this machine only, and takes filings in the sandbox only; both
//! stand on its pages.

pub mod behind;
mod filings;
pub mod month;
mod month_page;
pub mod month_state;
mod settlement_page;
mod settlements;
mod spreadsheet;

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::FutureExt as _;
use hyper::Method;
use maud::Markup;

use crate::domain::calendar::Month;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::headers;
use crate::protocol::web::icon;
use crate::protocol::web::layout::Frame;
use crate::protocol::web::layout::lay_out;
use crate::protocol::web::router::Route;
use crate::protocol::web::router::route;
use crate::protocol::web::style;
use crate::service::Service;
use crate::transport::Answer;
use crate::transport::Handler;
use crate::transport::Request;
use crate::transport::limits;
use crate::transport::limits::Limits;

/// What an operator decides about this face.
pub struct Settings {
    /// Data is synthetic: filings are taken without a sign-in.
    pub sandbox: bool,
    pub over_tls: bool,
    pub hotline: String,
}

pub struct CenterFace {
    service: Arc<Service>,
    settings: Settings,
    requests: Limits,
}

const ROUTES: &[Route<CenterFace>] = &[
    Route::get("/", |face, x| face.start(x).boxed()),
    Route::get("/center/months", |face, x| face.choose_month(x).boxed()),
    Route::get("/center/months/{}", |face, x| face.show_month(x).boxed()),
    Route::get("/center/months/{}/month.csv", |face, x| face.month_as_csv(x).boxed()),
    Route::get("/center/months/{}/{}", |face, x| face.show_region(x).boxed()),
    Route::get("/center/months/{}/{}/{}", |face, x| face.show_pair(x).boxed()),
    Route::get("/center/months/{}/{}/{}/{}", |face, x| face.show_settlements(x).boxed()),
    Route::get("/center/months/{}/{}/{}/{}/settlements.csv", |face, x| face.settlements_as_csv(x).boxed()),
    Route::get("/center/settlements/{}", |face, x| face.show_settlement(x).boxed()),
    Route::get("/center/settlements/{}/receipt", |face, x| face.give_receipt(x).boxed()),
    Route::get("/center/v1/months/{}", |face, x| face.month_as_data(x).boxed()),
    Route::post("/center/v1/filings", |face, x| face.take_filing(x).boxed()),
];

const NAME: &str = "center";

impl CenterFace {
    pub fn new(service: Arc<Service>, settings: Settings) -> CenterFace {
        CenterFace { service, settings, requests: Limits::new(limits::Settings::default()) }
    }

    fn page(&self, title: &Said, content: Markup) -> Markup {
        let notice = if self.settings.sandbox {
            Said::new(
                "演示环境：数据均为虚构；本机可直接打开，不需要登录。",
                "Sandbox: invented data; open on this machine without a sign-in.",
            )
        } else {
            Said::new(
                "尚无经办人员账号：清算台只能在本机查看，不接受提交。",
                "No desk users exist yet: this desk can only be read, and only on this machine.",
            )
        };
        let frame = Frame {
            title,
            service: Said::new("异地就医清算台", "Clearing desk"),
            places: vec![("/center/months", Said::new("月度清算", "Months"))],
            here: "/center/months",
            notice: Some(notice),
            aside: None,
            hotline: &self.settings.hotline,
            wide: true,
        };
        lay_out(frame, content)
    }

    async fn answer(&self, request: Request) -> Answer {
        let path = request.parts.uri.path();
        if let Some(asset) = style::find(path).or_else(|| icon::find(path)) {
            return asset;
        }
        let as_data = path.starts_with("/center/v1/");
        let answered = match self.admit(&request).await {
            Ok(()) => route(ROUTES, self, request).await,
            Err(error) => Err(error),
        };
        answered.unwrap_or_else(|error| {
            error.log(NAME);
            if as_data { error.json() } else { error.page(|title, content| self.page(title, content)) }
        })
    }

    /// Until there are desk users, being on this machine is what lets in.
    async fn admit(&self, request: &Request) -> Result<(), PageError> {
        let address = request.peer.address.ip().to_canonical();
        let host = request.parts.headers.get("host").and_then(|host| host.to_str().ok());
        if !address.is_loopback() || !host.is_some_and(names_this_machine) {
            return Err(PageError::NotHere(Said::new(
                "清算台只能在本机打开",
                "The desk answers on this machine only",
            )));
        }
        if request.parts.method == Method::POST && !self.settings.sandbox {
            return Err(PageError::NotHere(Said::new(
                "尚无经办人员账号，不接受提交",
                "There are no desk users yet, so nothing is taken here",
            )));
        }
        let counted = self.requests.count(&address.to_string());
        counted.map_err(|shed| PageError::TooMany { retry_after_ms: shed.retry_after_ms })
    }

    fn in_place_of_an_answer(&self) -> Answer {
        let mut answer = PageError::Unfinished.page(|title, content| self.page(title, content));
        headers::protect(&mut answer, self.settings.over_tls);
        answer
    }
}

impl Handler for CenterFace {
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

/// A page of another site that lets its own name point here still sends its own name.
fn names_this_machine(host: &str) -> bool {
    let address = host
        .parse::<SocketAddr>()
        .map(|a| a.ip())
        .or_else(|_| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>());
    match address {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.rsplit_once(':').map_or(host, |(name, _)| name) == "localhost",
    }
}

/// The month in the path, `202611`.
fn month_in(x: &Exchange) -> Result<Month, PageError> {
    x.place(0).parse().ok().and_then(Month::from_number).ok_or(PageError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::names_this_machine;

    #[test]
    fn only_names_of_this_machine_open_the_desk() {
        for host in ["127.0.0.1:8446", "localhost:8446", "localhost", "[::1]:8446", "127.0.0.1"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["elsewhere.test:8446", "192.0.2.1:8446", "localhost.elsewhere.test", ""] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
