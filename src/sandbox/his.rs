//! Owns a hospital's information system in small: speaks the `infno` interface over mutual TLS as a real one does.
//!
//! Used by the demonstration, by tests and by load tests, so that nothing is shown that did not go over the wire.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::Request;
use hyper::StatusCode;
use hyper::client::conn::http1;
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::domain::calendar::Instant;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;

/// Why a call has no answer. Its outcome is unknown: send the same message again, or undo it.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("identity cannot be used: {0}")]
    Identity(String),
    #[error("cannot connect to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the call broke off")]
    Broken(#[source] hyper::Error),
    #[error("HTTP {status}: {body}")]
    Status { status: StatusCode, body: String },
    #[error("the answer is not the standard's envelope: {0}")]
    Malformed(String),
}

/// How to reach a gateway as one institution.
#[derive(Clone)]
pub struct Line {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Line {
    /// `authority` signs the gateway's certificate; `identity` is the institution's certificate and key; all PEM.
    pub fn new(
        address: SocketAddr,
        authority: &str,
        identity: Option<(&str, &str)>,
    ) -> Result<Line, NoAnswer> {
        let wrong = |cause: &dyn std::fmt::Display| NoAnswer::Identity(cause.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            roots.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(&e))?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|e| wrong(&e))?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| wrong(&e))?;
                builder.with_client_auth_cert(chain, key).map_err(|e| wrong(&e))?
            }
        };
        Ok(Line { address, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// One keep-alive connection.
    pub async fn open(&self) -> Result<Connection, NoAnswer> {
        let failed = |cause| NoAnswer::Connect { address: self.address, cause };
        let socket = TcpStream::connect(self.address).await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let name = ServerName::from(self.address.ip());
        let stream = self.tls.connect(name, socket).await.map_err(failed)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(NoAnswer::Broken)?;
        tokio::spawn(connection);
        Ok(Connection { sender, host: self.address.to_string() })
    }
}

/// One open connection; calls on it go one after the other.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Posts a body as it is, with extra headers, and gives back status and body as they came.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        let mut request = Request::post(path).header("host", &self.host);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, body).await
    }

    /// Fetches what lies at a path.
    pub async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes), NoAnswer> {
        let request = Request::get(path).header("host", &self.host);
        self.send(request, Bytes::new()).await
    }

    async fn send(&mut self, request: Builder, body: Bytes) -> Result<(StatusCode, Bytes), NoAnswer> {
        let request = request.body(Full::new(body)).map_err(|e| NoAnswer::Malformed(e.to_string()))?;
        self.sender.ready().await.map_err(NoAnswer::Broken)?;
        let answer = self.sender.send_request(request).await.map_err(NoAnswer::Broken)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(NoAnswer::Broken)?.to_bytes();
        Ok((status, body))
    }
}

/// An answer in the standard's envelope.
#[derive(Clone, Debug)]
pub struct Reply {
    pub infcode: i64,
    pub err_msg: String,
    pub warn_msg: String,
    pub output: Value,
    /// The bytes as they came.
    pub bytes: Bytes,
}

impl Reply {
    pub fn ok(&self) -> bool {
        self.infcode == 0
    }

    fn read(bytes: Bytes) -> Result<Reply, NoAnswer> {
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| NoAnswer::Malformed(e.to_string()))?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let infcode = value["infcode"].as_i64();
        let infcode = infcode.ok_or_else(|| NoAnswer::Malformed("no infcode".to_owned()))?;
        let (err_msg, warn_msg) = (text("err_msg"), text("warn_msg"));
        Ok(Reply { infcode, err_msg, warn_msg, output: value["output"].clone(), bytes })
    }
}

/// One institution's system, with the numbers that it makes itself.
pub struct His {
    pub code: InstitutionCode,
    pub name: String,
    pub region: RegionCode,
    line: Line,
    open: Mutex<Option<Connection>>,
    sequence: AtomicU32,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl His {
    pub fn new(
        code: InstitutionCode,
        name: impl Into<String>,
        region: RegionCode,
        line: Line,
        now: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> His {
        let (open, sequence) = (Mutex::new(None), AtomicU32::new(0));
        His { code, name: name.into(), region, line, open, sequence, now: Box::new(now) }
    }

    /// 发送方报文ID: institution code, time, sequence.
    pub fn next_msgid(&self) -> String {
        let moment = (self.now)().moment();
        let (hour, minute, second) = moment.time();
        let number = self.sequence.fetch_add(1, Ordering::Relaxed) % 10_000;
        format!(
            "{:0<12}{}{hour:02}{minute:02}{second:02}{number:04}",
            self.code.as_str(),
            moment.day().number()
        )
    }

    /// The envelope around an input, as this hospital writes it.
    pub fn envelope(&self, infno: &str, msgid: &str, insured: Option<RegionCode>, input: &Value) -> Value {
        json!({
            "infno": infno,
            "msgid": msgid,
            "mdtrtarea_admvs": self.region.to_string(),
            "insuplc_admdvs": insured.map_or(String::new(), |region| region.to_string()),
            "recer_sys_code": "YBXT",
            "dev_no": "",
            "dev_safe_info": "",
            "cainfo": "",
            "signtype": "SM3",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "0001",
            "opter_name": "收费处",
            "inf_time": (self.now)().moment().to_string(),
            "fixmedins_code": self.code.as_str(),
            "fixmedins_name": self.name,
            "sign_no": "",
            "input": input,
        })
    }

    /// One call with a message id of its own.
    pub async fn call(
        &self,
        infno: &str,
        insured: Option<RegionCode>,
        input: Value,
    ) -> Result<Reply, NoAnswer> {
        let msgid = self.next_msgid();
        self.call_as(infno, &msgid, insured, &input).await
    }

    /// One call under a given message id: the way to repeat one.
    pub async fn call_as(
        &self,
        infno: &str,
        msgid: &str,
        insured: Option<RegionCode>,
        input: &Value,
    ) -> Result<Reply, NoAnswer> {
        let body = self.envelope(infno, msgid, insured, input).to_string();
        let path = format!("/fsi/api/rsfComIfsService/callService/{infno}");
        let (status, bytes) = self.post(&path, &[], body.into()).await?;
        if status != StatusCode::OK {
            let body = String::from_utf8_lossy(&bytes).into_owned();
            return Err(NoAnswer::Status { status, body });
        }
        Reply::read(bytes)
    }

    /// Posts raw bytes over the kept connection, opening it anew once when it was closed meanwhile.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        let mut open = self.open.lock().await;
        if let Some(connection) = open.as_mut().filter(|c| !c.sender.is_closed()) {
            let answer = connection.post(path, headers, body.clone()).await;
            match answer {
                Err(NoAnswer::Broken(cause)) if cause.is_canceled() || cause.is_closed() => {}
                other => return other,
            }
        }
        let fresh = open.insert(self.line.open().await?);
        fresh.post(path, headers, body).await
    }
}
