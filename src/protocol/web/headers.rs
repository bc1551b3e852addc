//! Owns the headers by which a browser protects the reader of a page.

use hyper::header::CACHE_CONTROL;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::header::REFERRER_POLICY;
use hyper::header::STRICT_TRANSPORT_SECURITY;
use hyper::header::X_CONTENT_TYPE_OPTIONS;
use hyper::header::X_FRAME_OPTIONS;

use crate::transport::Answer;

/// Nothing from elsewhere, no script at all, forms only to us, in nobody's frame.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Put on every answer of a face with pages, last of all. What a handler has set itself stays: the style sheet may be
/// kept by browsers, pages with a person's data never.
pub fn protect(answer: &mut Answer, over_tls: bool) {
    let fixed = [
        (HeaderName::from_static("content-security-policy"), CONTENT_SECURITY_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    let headers = answer.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if over_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
