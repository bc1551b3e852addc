//! Owns why a page is not shown, and the page that says so: in plain words, with what to do next.

use hyper::StatusCode;
use hyper::header::ALLOW;
use hyper::header::RETRY_AFTER;
use maud::Markup;
use maud::html;
use serde_json::json;

use crate::protocol::web::answer;
use crate::protocol::web::form::Said;
use crate::protocol::web::words::both;
use crate::service::error::ServiceError;
use crate::transport::Answer;

#[derive(Debug)]
pub enum PageError {
    /// No such page, or nothing of that name that this reader may see: both are told alike.
    NotFound,
    OtherMethod,
    /// Nobody is signed in, or the session has ended.
    SignedOut,
    /// A form without its token, or sent by a page of another site.
    Forged,
    TooMany {
        retry_after_ms: u64,
    },
    /// It is about to be there.
    NotYet {
        retry_after_ms: u64,
    },
    /// What was sent cannot be read; the sentence says what.
    Unreadable(Said),
    /// The ledger could not take part.
    Service(ServiceError),
    /// We fell over, or took too long.
    Unfinished,
    /// This face does not do that here; the sentence says why.
    NotHere(Said),
}

impl From<ServiceError> for PageError {
    fn from(cause: ServiceError) -> Self {
        PageError::Service(cause)
    }
}

/// What a reader is told.
pub struct Told {
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    pub title: Said,
    pub next: Said,
}

impl PageError {
    pub fn told(&self) -> Told {
        let (status, code, title, next) = match self {
            PageError::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                Said::new("没有找到这个页面", "Page not found"),
                Said::new(
                    "请检查地址是否完整，或返回首页重新选择。",
                    "Check that the address is complete, or go back to the start page.",
                ),
            ),
            PageError::OtherMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "other-method",
                Said::new("这个地址不接受这种请求", "This address does not take such a request"),
                Said::new("请从首页重新开始。", "Start again from the start page."),
            ),
            PageError::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "signed-out",
                Said::new("请先登录", "Sign in first"),
                Said::new(
                    "为了保护您的信息，15分钟不操作会自动退出。请重新登录。",
                    "To protect your data you are signed out after 15 minutes without use. Sign in again.",
                ),
            ),
            PageError::Forged => (
                StatusCode::FORBIDDEN,
                "form-expired",
                Said::new("表单已失效，没有提交任何内容", "The form has expired; nothing was sent"),
                Said::new(
                    "请返回上一页，刷新后再填写一次。",
                    "Go back, reload the page and fill it in again.",
                ),
            ),
            PageError::TooMany { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                Said::new("操作太频繁", "Too many attempts"),
                Said::new("请稍等几分钟再试。", "Wait a few minutes and try again."),
            ),
            PageError::NotYet { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not-yet",
                Said::new("马上就好", "In a moment"),
                Said::new("刚刚记录，请一秒后再打开。", "Recorded just now; open it again in a second."),
            ),
            PageError::Unreadable(said) => (
                StatusCode::BAD_REQUEST,
                "unreadable",
                said.clone(),
                Said::new("请改正后重新提交。", "Correct it and send it again."),
            ),
            PageError::Service(_) | PageError::Unfinished => (
                StatusCode::SERVICE_UNAVAILABLE,
                "try-again",
                Said::new("系统暂时无法查询", "The service cannot answer at the moment"),
                Said::new(
                    "请过几分钟再试。如果您刚提交了表单，请先查看是否已经生效。",
                    "Try again in a few minutes. If you have just sent a form, look first whether it was taken.",
                ),
            ),
            PageError::NotHere(said) => (
                StatusCode::FORBIDDEN,
                "not-here",
                said.clone(),
                Said::new("请联系系统管理员。", "Ask the operators of this gateway."),
            ),
        };
        Told { status, code, title, next }
    }

    /// Logged once, here: what a reader cannot put right and someone else must see.
    pub fn log(&self, face: &'static str) {
        if let PageError::Service(cause) = self {
            if cause.is_known_outage() {
                tracing::debug!(face, cause = %chain(cause), "a page could not be answered in an outage that was told");
                return;
            }
            tracing::error!(face, cause = %chain(cause), "a page could not be answered");
        }
    }

    pub fn json(&self) -> Answer {
        let told = self.told();
        let body = json!({
            "error": { "code": told.code, "message": told.title.en, "message_zh": told.title.zh,
                       "next": told.next.en, "next_zh": told.next.zh }
        });
        self.with_headers(answer::json(told.status, &body))
    }

    /// `lay_out` puts title and content into the layout of the face.
    pub fn page(&self, lay_out: impl FnOnce(&Said, Markup) -> Markup) -> Answer {
        let told = self.told();
        let content = html! {
            h1 { (both(&told.title)) }
            p.lead { (both(&told.next)) }
            p { a.button href="/" { "返回首页 " span.en lang="en" { "Start page" } } }
        };
        self.with_headers(answer::page(told.status, lay_out(&told.title, content)))
    }

    fn with_headers(&self, mut answer: Answer) -> Answer {
        match self {
            PageError::TooMany { retry_after_ms } | PageError::NotYet { retry_after_ms } => {
                answer::set(&mut answer, RETRY_AFTER, &retry_after_ms.div_ceil(1000).to_string());
            }
            PageError::OtherMethod => answer::set(&mut answer, ALLOW, "GET, HEAD, POST"),
            _ => {}
        }
        answer
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
