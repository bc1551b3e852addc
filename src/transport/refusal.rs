//! Owns what this layer says for itself: a status and a short plain text that says what to do.

use crate::transport::Answer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::header::CONNECTION;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderValue;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// Why a request was answered without the handler, or in place of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Malformed,
    MalformedBody,
    BodyCutOff,
    PlainHttp,
    AddressTooLong,
    HeaderTooLarge,
    HeaderTooSlow,
    BodyTooLarge,
    BodyTooSlow,
    NoRoomForBody,
    NoProxying,
    Panicked,
    TimedOut,
}

impl Refusal {
    /// One word per reason, for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Malformed => "malformed",
            Refusal::MalformedBody => "malformed_body",
            Refusal::BodyCutOff => "body_cut_off",
            Refusal::PlainHttp => "plain_http",
            Refusal::AddressTooLong => "address_too_long",
            Refusal::HeaderTooLarge => "header_too_large",
            Refusal::HeaderTooSlow => "header_too_slow",
            Refusal::BodyTooLarge => "body_too_large",
            Refusal::BodyTooSlow => "body_too_slow",
            Refusal::NoRoomForBody => "no_room_for_body",
            Refusal::NoProxying => "no_proxying",
            Refusal::Panicked => "panicked",
            Refusal::TimedOut => "timed_out",
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Refusal::Malformed | Refusal::MalformedBody | Refusal::BodyCutOff | Refusal::PlainHttp => {
                StatusCode::BAD_REQUEST
            }
            Refusal::AddressTooLong => StatusCode::URI_TOO_LONG,
            Refusal::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::HeaderTooSlow | Refusal::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::NoProxying => StatusCode::NOT_IMPLEMENTED,
            Refusal::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::TimedOut | Refusal::NoRoomForBody => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Refusal::Malformed => {
                "请求不是有效的 HTTP 报文，请检查客户端的请求行和请求头。\n\
                 This is not a valid HTTP request; check the request line and the headers.\n"
            }
            Refusal::MalformedBody => {
                "请求体未能完整读取，请检查 Content-Length 或分块编码后重发。\n\
                 The body could not be read to its end; check Content-Length or the chunks, then send again.\n"
            }
            Refusal::BodyCutOff => {
                "请求体在传输中断开，未处理；请检查网络后重发。\n\
                 The body broke off on its way and was not processed; check the network and send again.\n"
            }
            Refusal::PlainHttp => {
                "本端口只接受 HTTPS，请把地址改为 https:// 开头后重发。\n\
                 This port speaks HTTPS only; change the address to https:// and send again.\n"
            }
            Refusal::AddressTooLong => {
                "请求地址过长，请把参数放入请求体。\n\
                 The address is too long; put the parameters into the body.\n"
            }
            Refusal::HeaderTooLarge => {
                "请求头过多或过大，请去掉不需要的请求头后重发。\n\
                 Too many or too large headers; leave out what is not needed and send again.\n"
            }
            Refusal::HeaderTooSlow => {
                "请求头未在限时内到达，请检查网络后重发。\n\
                 The headers did not arrive in time; check the network and send again.\n"
            }
            Refusal::BodyTooLarge => {
                "请求体超过本接口的上限，未处理；请分批发送。\n\
                 The body is over this interface's limit and was not processed; send it in parts.\n"
            }
            Refusal::BodyTooSlow => {
                "请求体未在限时内到达，未处理；请检查网络后重发。\n\
                 The body did not arrive in time and was not processed; check the network and send again.\n"
            }
            Refusal::NoRoomForBody => {
                "同时到达的报文过多，未处理；请稍后原样重发。\n\
                 Too many bodies at a time; this one was not processed, send it again a little later.\n"
            }
            Refusal::NoProxying => {
                "本接口不提供代理（CONNECT），请直接发送请求。\n\
                 This interface is no proxy (CONNECT); send the request itself.\n"
            }
            Refusal::Panicked => {
                "系统内部错误，结果未知；请先查询结果，再决定是否重发。\n\
                 An internal error, outcome unknown; ask for the outcome before sending again.\n"
            }
            Refusal::TimedOut => {
                "未在限时内处理完，结果未知；请先查询结果，再决定是否重发。\n\
                 Not finished in time, outcome unknown; ask for the outcome before sending again.\n"
            }
        }
    }

    /// Whether the rest of the request may still be on its way, so that the connection cannot go on.
    pub(crate) fn leaves_unread(self) -> bool {
        !matches!(self, Refusal::Panicked | Refusal::TimedOut | Refusal::NoRoomForBody)
    }

    pub(crate) fn answer(self) -> Answer {
        let mut answer = Response::new(Full::new(Bytes::from_static(self.text().as_bytes())));
        *answer.status_mut() = self.status();
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PLAIN_TEXT));
        if self.leaves_unread() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    /// The whole answer as it goes over the line, for where there is no HTTP machine any more to write it.
    pub(crate) fn last_words(self) -> Bytes {
        let text = self.text();
        let status = self.status();
        Bytes::from(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {PLAIN_TEXT}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        ))
    }
}
