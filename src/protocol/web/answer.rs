//! Owns the kinds of answer that pages give: a page, a way onward, data, a file.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::header::LOCATION;
use hyper::header::SET_COOKIE;
use maud::Markup;
use serde::Serialize;

use crate::domain::ids::SettlementId;
use crate::protocol::web::error::PageError;
use crate::service::receipt::READY_WITHIN_MS;
use crate::transport::Answer;

pub fn page(status: StatusCode, markup: Markup) -> Answer {
    bytes(status, "text/html; charset=utf-8", markup.into_string())
}

/// After a form was taken: look at the result with GET, so that going back or reloading sends nothing twice.
pub fn see(place: &str) -> Answer {
    let mut answer = bytes(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", format!("see {place}\n"));
    set(&mut answer, LOCATION, place);
    answer
}

pub fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let text = serde_json::to_string_pretty(value).expect("view models have text keys only");
    bytes(status, "application/json; charset=utf-8", text + "\n")
}

/// A file to keep, named `name`.
pub fn csv(name: &str, text: String) -> Answer {
    kept(name, "text/csv; charset=utf-8", text)
}

/// A receipt to keep, or, for a moment, the wish to ask again.
pub fn receipt(id: &SettlementId, receipt: Option<String>) -> Result<Answer, PageError> {
    match receipt {
        Some(receipt) => Ok(kept(&format!("{id}.json"), "application/json; charset=utf-8", receipt)),
        None => Err(PageError::NotYet { retry_after_ms: READY_WITHIN_MS }),
    }
}

fn kept(name: &str, kind: &'static str, text: String) -> Answer {
    let mut answer = bytes(StatusCode::OK, kind, text);
    set(&mut answer, CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    answer
}

pub(super) fn bytes(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// Adds a cookie line beside those that are there.
pub fn add_cookie(answer: &mut Answer, line: &str) {
    if let Ok(value) = HeaderValue::from_str(line) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

/// A value that no header can hold is left out.
pub fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
