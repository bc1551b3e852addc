//! Owns the way from method and path to the function that answers: a table, read from the top.

use futures_util::future::BoxFuture;
use hyper::Method;

use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::transport::Answer;
use crate::transport::Request;

pub type Answering<'a> = BoxFuture<'a, Result<Answer, PageError>>;

/// One line of a route table. `{}` in the pattern stands for any one segment.
pub struct Route<F: 'static> {
    pub method: Method,
    pub pattern: &'static str,
    pub act: for<'a> fn(&'a F, Exchange) -> Answering<'a>,
}

impl<F> Route<F> {
    pub const fn get(pattern: &'static str, act: for<'a> fn(&'a F, Exchange) -> Answering<'a>) -> Self {
        Route { method: Method::GET, pattern, act }
    }

    pub const fn post(pattern: &'static str, act: for<'a> fn(&'a F, Exchange) -> Answering<'a>) -> Self {
        Route { method: Method::POST, pattern, act }
    }
}

/// Answers by the first route that fits. HEAD goes where GET goes; the transport leaves the body out.
pub async fn route<F>(routes: &[Route<F>], face: &F, request: Request) -> Result<Answer, PageError> {
    let path = request.parts.uri.path().to_owned();
    let mut known = false;
    for route in routes {
        let Some(places) = fit(route.pattern, &path) else { continue };
        known = true;
        let method = &request.parts.method;
        if *method == route.method || (*method == Method::HEAD && route.method == Method::GET) {
            return (route.act)(face, Exchange { request, places }).await;
        }
    }
    Err(if known { PageError::OtherMethod } else { PageError::NotFound })
}

/// The values of the pattern's places where the path has its shape.
fn fit(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut places = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(places),
            (Some("{}"), Some(value)) if !value.is_empty() => places.push(value.to_owned()),
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_pattern_fits_whole_paths_only() {
        let table: [(&str, &str, Option<&[&str]>); 7] = [
            ("/me", "/me", Some(&[])),
            ("/me/claims/{}", "/me/claims/A7F1", Some(&["A7F1"])),
            ("/me/claims/{}", "/me/claims/", None),
            ("/me/claims/{}", "/me/claims/a/b", None),
            ("/{}/{}", "/440700/440100", Some(&["440700", "440100"])),
            ("/me", "/me/", None),
            ("/", "/", Some(&[])),
        ];
        for (pattern, path, places) in table {
            let expected = places.map(|p| p.iter().map(|&s| s.to_owned()).collect::<Vec<_>>());
            assert_eq!(fit(pattern, path), expected, "{pattern} {path}");
        }
    }
}
