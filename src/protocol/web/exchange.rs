//! Owns a request as pages see it: path parameters, query, cookies and form, read once.

use hyper::HeaderMap;
use hyper::Method;
use hyper::header::COOKIE;

use crate::protocol::web::form::Form;
use crate::transport::Peer;
use crate::transport::Request;

/// A request whose path matched a route.
pub struct Exchange {
    pub request: Request,
    /// Values of the `{…}` places of the pattern, in order.
    pub places: Vec<String>,
}

impl Exchange {
    pub fn method(&self) -> &Method {
        &self.request.parts.method
    }

    pub fn path(&self) -> &str {
        self.request.parts.uri.path()
    }

    pub fn peer(&self) -> Peer {
        self.request.peer
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.request.parts.headers
    }

    /// The n-th `{…}` of the pattern; empty when the pattern has fewer.
    pub fn place(&self, at: usize) -> &str {
        self.places.get(at).map_or("", String::as_str)
    }

    pub fn query(&self) -> Form {
        Form::read(self.request.parts.uri.query().unwrap_or_default().as_bytes())
    }

    /// The body as an urlencoded form, whatever its content type claims.
    pub fn form(&self) -> Form {
        Form::read(&self.request.body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers().get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Sent by a page of ours, as far as the browser tells. A client that tells nothing is no browser that another
    /// site could misuse.
    pub fn same_origin(&self) -> bool {
        if let Some(site) = self.header("sec-fetch-site") {
            return site == "same-origin" || site == "none";
        }
        let Some(origin) = self.header("origin") else { return true };
        let origin_host = origin.split_once("://").map(|(_, host)| host);
        origin_host.is_some() && origin_host == self.header("host")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::net::SocketAddr;

    use crate::transport::ClientCertificate;

    fn exchange(headers: &[(&str, &str)]) -> Exchange {
        let mut builder = hyper::Request::builder().uri("/me?page=2&q=%E6%B1%9F");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let peer =
            Peer { address: SocketAddr::from(([127, 0, 0, 1], 1)), certificate: ClientCertificate::Absent };
        let received_at = tokio::time::Instant::now();
        Exchange {
            request: Request { parts, body: Bytes::new(), peer, received_at, place: None },
            places: vec![],
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let x = exchange(&[("cookie", "a=1; banyan=abc"), ("cookie", "b=2")]);
        assert_eq!(x.cookie("banyan"), Some("abc"));
        assert_eq!(x.cookie("b"), Some("2"));
        assert_eq!(x.cookie("anyan"), None);
    }

    #[test]
    fn the_query_is_decoded() {
        let query = exchange(&[]).query();
        assert_eq!((query.get("page"), query.get("q"), query.get("none")), ("2", "江", ""));
    }

    #[test]
    fn another_site_is_told_apart() {
        let table: [(&[(&str, &str)], bool); 7] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://banyan.test:8445"), ("host", "banyan.test:8445")], true),
            (&[("origin", "https://elsewhere.test"), ("host", "banyan.test:8445")], false),
            (&[("origin", "null"), ("host", "banyan.test:8445")], false),
        ];
        for (headers, same) in table {
            assert_eq!(exchange(headers).same_origin(), same, "{headers:?}");
        }
    }
}
