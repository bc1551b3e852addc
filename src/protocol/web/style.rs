//! Owns the style sheet: one file, named by its content, so that browsers may keep it for ever.

use std::sync::LazyLock;

use hyper::StatusCode;
use hyper::header::CACHE_CONTROL;
use sm3::Digest as _;
use sm3::Sm3;

use crate::protocol::web::answer;
use crate::protocol::web::token;
use crate::transport::Answer;

const SHEET: &str = include_str!("style.css");

static PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Sm3::digest(SHEET.as_bytes());
    format!("/assets/{}.css", token::hex(&digest[..8]))
});

/// Where pages find it.
pub fn path() -> &'static str {
    &PATH
}

/// The sheet, when that is its name.
pub fn find(path: &str) -> Option<Answer> {
    (path == *PATH).then(|| {
        let mut answer = answer::bytes(StatusCode::OK, "text/css; charset=utf-8", SHEET);
        answer::set(&mut answer, CACHE_CONTROL, "public, max-age=31536000, immutable");
        answer
    })
}
