//! Somebody at the other end of a socket, with cookies and nothing else: no scripts, no style.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::Request;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) struct Reader {
    address: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    /// Sent along with every request.
    pub headers: Vec<(&'static str, String)>,
}

pub(crate) struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let from = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&from).unwrap_or_else(|| panic!("{name} in {}", self.text)).1;
        rest.split('"').next().unwrap().to_owned()
    }

    /// The code that a sandbox shows.
    pub(crate) fn code(&self) -> String {
        let rest = self.text.split_once("sandbox-code\">").expect("a code is shown").1;
        rest.split('<').next().unwrap().to_owned()
    }

    /// Addresses of links that begin so.
    pub(crate) fn links(&self, start: &str) -> Vec<String> {
        let links = self.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        links.filter(|link| link.starts_with(start)).map(str::to_owned).collect()
    }
}

impl Reader {
    pub(crate) fn of(address: SocketAddr) -> Reader {
        Reader { address, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, Vec::new(), "").await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, body.into_bytes(), "application/x-www-form-urlencoded").await
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, body: Vec<u8>, kind: &str) -> Page {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", all.join("; "));
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        for line in parts.headers.get_all("set-cookie") {
            self.keep(line.to_str().unwrap());
        }
        Page { status: parts.status, headers: parts.headers, text }
    }

    fn keep(&mut self, line: &str) {
        let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        if line.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.into(), value.into());
        }
    }

    /// Signs in by the code that the sandbox shows; her list of claims.
    pub(crate) async fn sign_in(&mut self, number: &str) -> Page {
        let form = self.get("/sign-in").await;
        let token = form.hidden("token");
        let asked = self.post("/sign-in", &[("token", &token), ("number", number)]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text);
        let code = self.get("/sign-in/code").await.code();
        let taken = self.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
        assert_eq!(taken.header("location"), "/me", "{}", taken.text);
        self.get("/me").await
    }
}

/// The claim that a list shows first.
pub(crate) fn first_claim(list: &Page) -> String {
    list.links("/me/claims/").first().expect("a claim in the list").clone()
}
