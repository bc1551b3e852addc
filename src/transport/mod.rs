//! Owns sockets and the mechanics of HTTP: what came in whole, within its limits, goes to a [`Handler`], and its
//! answer goes out.
//!
//! Nothing here knows what a message means. Refusals that a party must be able to read in its own format (rate,
//! overload, a handler that fell over) are therefore made by the handler; this layer only speaks for itself where
//! no message ever came to be: 400, 408, 413, 414, 431, 501.
//!
//! The way of a request, and why each step stands where it does:
//! 1. `listener` – a cap on open connections, before anything is spent on one;
//! 2. `tls` – who is calling, before a byte of HTTP is read;
//! 3. `connection` – head, body, work and answer, each with its time (`pace`), all on the one task of the connection;
//! 4. `body` – the body whole and in one piece, within its size;
//! 5. [`Handler::place`] – its turn, or a word that it would wait in vain ([`Handler::shed`] says so at the head already, where
//!    that can be seen);
//! 6. [`Handler::handle`] – on threads of its own where it is long (`bulk`).

mod body;
mod bulk;
pub mod client_certificate;
mod connection;
pub mod drain;
pub mod limits;
pub mod listener;
mod pace;
mod refusal;
pub mod server;
mod stream;
pub mod tls;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::http::request::Parts;
use std::future::Future;
use std::future::ready;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) use crate::transport::bulk::stand_back;
pub use crate::transport::client_certificate::ClientCertificate;
use crate::transport::limits::Permit;
pub use crate::transport::refusal::Refusal;

/// An answer whose body is known whole, so that head and body leave in one write.
pub type Answer = Response<Full<Bytes>>;

/// One request, arrived whole.
#[derive(Debug)]
pub struct Request {
    pub parts: Parts,
    /// Never longer than [`Settings::body_bytes_max`].
    pub body: Bytes,
    pub peer: Peer,
    /// When the last byte of the head had arrived; the whole-request limit counts from here.
    pub received_at: Instant,
    /// What [`Handler::place`] gave it; free again when the request is dropped.
    pub place: Option<Permit>,
}

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub address: SocketAddr,
    /// What the client showed and proved to hold in the handshake.
    pub certificate: ClientCertificate,
}

impl Peer {
    /// What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits, within which a machine takes what address
    /// it likes. Limits count by it.
    pub fn network(&self) -> IpAddr {
        match self.address.ip().to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}

/// What a layer above does with requests.
pub trait Handler: Send + Sync + 'static {
    /// The future is dropped, wherever it waits, when the whole-request limit has passed or a drain cuts it: a deed
    /// that must not be lost half-way has to be handed to something that outlives it. A client that goes away does not
    /// drop it; that is noticed when the answer is written.
    fn handle(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// The answer to a request that would wait for its turn in vain: it is asked for when the head has come, before anything
    /// is spent on the request, so that a storm leaves the machine to those who get their turn.
    fn shed(&self, _parts: &Parts, _received_at: Instant) -> Option<Answer> {
        None
    }

    /// A place to work on a request that has come whole; waits its turn for it, or gives the answer to one that would wait in
    /// vain. It is taken before a long request goes to the threads for such work, and stays with the request.
    fn place(&self, _request: &Request) -> impl Future<Output = Result<Option<Permit>, Answer>> + Send {
        ready(Ok(None))
    }

    /// The answer to a request whose body could not be taken whole: too large, too slow, broken off, or one more than there
    /// is room for. Nothing of it was handed on, and but for want of room the connection is closed behind the answer.
    fn on_body_refused(&self, refusal: refusal::Refusal) -> Answer {
        refusal.answer()
    }

    /// The answer in place of one that `handle` panicked over. The process and the connection live on.
    fn on_panic(&self) -> Answer {
        refusal::Refusal::Panicked.answer()
    }

    /// The answer in place of one that `handle` did not give within [`Settings::request_timeout`].
    fn on_timeout(&self) -> Answer {
        refusal::Refusal::TimedOut.answer()
    }
}

/// Limits of one listener. Every field is a promise to the machine: nothing a client does can cost more.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Open connections; one more is accepted and closed at once.
    pub connections_max: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From a connection's first byte of a request (or from its opening, for the first) to the end of the head.
    pub header_timeout: Duration,
    /// Request line and header fields together, bytes. At most 100 fields, always: any other number would cost
    /// every request an allocation.
    pub header_bytes_max: usize,
    /// From the end of the head to the last byte of the body.
    pub body_timeout: Duration,
    /// A body's length, bytes.
    pub body_bytes_max: usize,
    /// Bodies that are gathered or worked on, all connections together, bytes: what each has beyond 32 KB. Of one that finds no
    /// room nothing is kept.
    pub bodies_bytes_max: usize,
    /// A body of this length, bytes, is worked on apart from the threads that all others share.
    pub bulk_bytes: usize,
    /// From the end of the head to the answer's being ready, the body's arrival included.
    pub request_timeout: Duration,
    /// From the answer's being ready to its last byte being taken by the socket.
    pub answer_timeout: Duration,
    /// Between two requests of one connection.
    pub idle_timeout: Duration,
    /// After an answer given before all was read: how long to read on and throw away, so that the client reads the
    /// answer instead of a reset.
    pub linger_timeout: Duration,
    /// The same in bytes.
    pub linger_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connections_max: 10_000,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 32 * 1024,
            body_timeout: Duration::from_secs(30),
            body_bytes_max: 8 * 1024 * 1024,
            bodies_bytes_max: 256 * 1024 * 1024,
            bulk_bytes: 16 * 1024,
            request_timeout: Duration::from_secs(45), // clients give up after 60 at the earliest: say it before
            answer_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            linger_timeout: Duration::from_secs(2),
            linger_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// What happened below the handler, for whoever counts. Holds no data of any caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    ConnectionOpened,
    ConnectionClosed,
    /// Accepted and closed at once: [`Settings::connections_max`] were open.
    ConnectionOverCap,
    /// The system would not give us a connection (out of descriptors, for one).
    AcceptFailed,
    HandshakeFailed(tls::HandshakeFault),
    /// The handshake was good, the client's certificate is not trusted; the handler tells it so.
    CertificateDistrusted(client_certificate::Distrust),
    BodyRead {
        bytes: usize,
    },
    /// Answered here, without the handler or in place of it.
    Refused(Refusal),
    /// The client did not take the answer within [`Settings::answer_timeout`].
    AnswerNotTaken,
}

/// Told of every [`Event`], on the reactor: it must not wait.
pub type Observer = Arc<dyn Fn(Event) + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::ClientCertificate;
    use super::Peer;

    #[test]
    fn addresses_of_one_subscriber_are_one_network() {
        let network = |address: &str| {
            let address = address.parse().unwrap();
            Peer { address, certificate: ClientCertificate::Absent }.network().to_string()
        };
        assert_eq!(network("[2001:db8:1:2:3:4:5:6]:1"), network("[2001:db8:1:2:ffff::9]:2"));
        assert_ne!(network("[2001:db8:1:2::1]:1"), network("[2001:db8:1:3::1]:1"));
        assert_eq!(network("[::ffff:192.0.2.7]:1"), "192.0.2.7");
        assert_eq!(network("192.0.2.8:1"), "192.0.2.8");
    }
}
