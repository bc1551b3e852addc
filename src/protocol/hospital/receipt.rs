//! `GET …/receipts/SETL_ID`: the proof that a settlement was recorded, for the hospital that settled it. Not part of the
//! national interface: a file to keep, beside it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderValue;
use hyper::header::RETRY_AFTER;

use crate::domain::ids::SettlementId;
use crate::protocol::hospital::callers::Proven;
use crate::service::Service;
use crate::service::receipt::READY_WITHIN_MS;
use crate::transport::Answer;

/// The settlement that a path asks a receipt for: its last part, after `receipts`.
pub(super) fn asked(path: &str) -> Option<&str> {
    let (before, id) = path.rsplit_once('/')?;
    (before.rsplit('/').next() == Some("receipts")).then_some(id)
}

/// A settlement of another hospital is as unknown as one that never was.
pub(super) async fn give(service: &Service, proven: &Proven, id: &str) -> Answer {
    let Ok(id) = SettlementId::parse(id) else { return unknown() };
    let settled = match service.explain(&id).await {
        Ok(explained) => explained.settlement,
        Err(_) => return unknown(),
    };
    if !proven.speaks_for(&settled.institution) {
        return unknown();
    }
    match service.receipt(&id).await {
        Ok(Some(receipt)) => text(StatusCode::OK, "application/json;charset=utf-8", receipt.into()),
        Ok(None) => later("刚刚记录，请一秒后再取。\nRecorded just now; ask again in a second.\n"),
        Err(cause) => {
            if !cause.is_known_outage() {
                tracing::error!(%cause, "no receipt");
            }
            later("暂时无法取得，请稍后再取。\nIt cannot be had at the moment; ask again.\n")
        }
    }
}

pub(super) fn not_you(status: StatusCode, sentence: &str) -> Answer {
    text(status, "text/plain;charset=utf-8", format!("{sentence}\n").into())
}

fn unknown() -> Answer {
    let sentence = "没有本机构的这笔结算。\nNo settlement of yours has this setl_id.\n";
    text(StatusCode::NOT_FOUND, "text/plain;charset=utf-8", Bytes::from_static(sentence.as_bytes()))
}

fn later(sentence: &'static str) -> Answer {
    let plain = "text/plain;charset=utf-8";
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, plain, Bytes::from_static(sentence.as_bytes()));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(READY_WITHIN_MS.div_ceil(1_000)));
    answer
}

fn text(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_asked_for_by_the_end_of_the_path() {
        assert_eq!(asked("/receipts/A1"), Some("A1"));
        assert_eq!(asked("/fsi/api/receipts/A1"), Some("A1"));
        for other in ["/receipts", "/receipts/A1/more", "/A1", "receipts", "/xreceipts/A1", ""] {
            assert_eq!(asked(other), None, "{other}");
        }
    }
}
