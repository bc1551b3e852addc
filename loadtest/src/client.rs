//! Owns how the loader reaches a server: over TLS with or without a certificate of its own, on connections that are kept
//! or made anew for each call.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use banyan::protocol::hospital::signature::hexadecimal;
use banyan::protocol::hospital::signature::sign;
use banyan::sandbox::his::Connection;
use banyan::sandbox::his::Line;
use banyan::sandbox::his::NoAnswer;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::stream;
use hyper::StatusCode;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::step::Step;

/// Handshakes under way at once while connections are opened.
const OPENING: usize = 64;

/// A way to one server.
pub struct Client {
    line: Line,
    signer: Option<Signer>,
    keep_alive: bool,
}

/// Signs each call with the `x-tif-*` headers, as who shows no certificate must.
#[derive(Debug)]
pub struct Signer {
    caller: String,
    secret: Vec<u8>,
    nonce: AtomicU64,
}

impl Signer {
    pub fn new(caller: &str, secret: &str) -> Signer {
        // Nonces of two runs against one gateway must differ.
        let first = SystemClock.now().0.unsigned_abs() * 1_000_000;
        Signer { caller: caller.to_owned(), secret: secret.as_bytes().to_vec(), nonce: AtomicU64::new(first) }
    }

    /// timestamp, nonce, signature
    fn sign(&self) -> (String, String, String) {
        let timestamp = SystemClock.now().0.div_euclid(1000).to_string();
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed).to_string();
        let signature = hexadecimal(&sign(&timestamp, &self.secret, &nonce));
        (timestamp, nonce, signature)
    }
}

impl Client {
    pub fn new(line: Line, signer: Option<Signer>, keep_alive: bool) -> Client {
        Client { line, signer, keep_alive }
    }

    /// Sends one call over a kept connection, or one that is made for it, and gives back what came.
    pub async fn post(
        &self,
        kept: &mut Option<Connection>,
        step: Step,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.line.open().await?,
        };
        let signed = self.signer.as_ref().map(|signer| (signer.caller.as_str(), signer.sign()));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if let Some((caller, (timestamp, nonce, signature))) = &signed {
            headers.extend([
                ("x-tif-paasid", *caller),
                ("x-tif-timestamp", timestamp.as_str()),
                ("x-tif-nonce", nonce.as_str()),
                ("x-tif-signature", signature.as_str()),
            ]);
        }
        if !self.keep_alive {
            headers.push(("connection", "close"));
        }
        let answered = connection.post(&step.path(), &headers, body).await?;
        if self.keep_alive {
            *kept = Some(connection);
        }
        Ok(answered)
    }

    /// A connection that has asked something: one that is silent from its opening on is closed after some seconds, and
    /// ten thousand take longer to open.
    async fn greeted(&self) -> Result<Connection, NoAnswer> {
        let mut connection = self.line.open().await?;
        connection.get("/").await?;
        Ok(connection)
    }

    /// So many open connections; none where each call makes its own.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub async fn open(&self, count: usize) -> Result<Connections, Failed> {
        if !self.keep_alive {
            return Ok(Connections::of((0..count).map(|_| None)));
        }
        let opened = stream::iter(0..count).map(|_| self.greeted()).buffer_unordered(OPENING);
        let opened: Vec<Connection> = opened.try_collect().await.map_err(cannot("connect"))?;
        Ok(Connections::of(opened.into_iter().map(Some)))
    }
}

/// Open connections that are used in turns: who has waited longest is next. One that broke is a gap, filled when it is
/// used again.
#[derive(Default)]
pub struct Connections(Mutex<VecDeque<Option<Connection>>>);

impl Connections {
    fn of(connections: impl Iterator<Item = Option<Connection>>) -> Connections {
        Connections(Mutex::new(connections.collect()))
    }

    pub fn take(&self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().flatten()
    }

    pub fn give_back(&self, connection: Option<Connection>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(connection);
    }
}
