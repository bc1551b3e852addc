//! Owns the small picture that browsers show beside the title, so that they ask for it here and nowhere else.

use hyper::StatusCode;
use hyper::header::CACHE_CONTROL;

use crate::protocol::web::answer;
use crate::transport::Answer;

pub const PATH: &str = "/assets/banyan.svg";

const ICON: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#0b4f4a"/>"##,
    r##"<path d="M16 6C9 6 5 10 5 14c0 3 3 5 6 5l1-3v10h2V16h4v10h2V16l1 3c3 0 6-2 6-5 0-4-4-8-11-8z" fill="#fff"/></svg>"##
);

pub fn find(path: &str) -> Option<Answer> {
    (path == PATH || path == "/favicon.ico").then(|| {
        let mut answer = answer::bytes(StatusCode::OK, "image/svg+xml", ICON);
        answer::set(&mut answer, CACHE_CONTROL, "public, max-age=86400");
        answer
    })
}
