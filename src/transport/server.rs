//! Owns a running listener: accepts, shakes hands, hands each connection to its own task, and ends them all.

use crate::transport::ClientCertificate;
use crate::transport::Event;
use crate::transport::Handler;
use crate::transport::Observer;
use crate::transport::Peer;
use crate::transport::Refusal;
use crate::transport::Settings;
use crate::transport::body::Room;
use crate::transport::bulk::Bulk;
use crate::transport::client_certificate::Distrust;
use crate::transport::connection;
use crate::transport::connection::Shared;
use crate::transport::drain::Drain;
use crate::transport::drain::Drained;
use crate::transport::drain::Watch;
use crate::transport::listener::Accepted;
use crate::transport::listener::BindError;
use crate::transport::listener::Listener;
use crate::transport::stream::Stream;
use crate::transport::tls::HandshakeFault;
use crate::transport::tls::ReloadableTls;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// After a failed accept: the descriptors that are lacking come back as connections end, not by asking at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// All that one listener needs.
pub struct Face<H> {
    /// For logs, e.g. `hospitals`.
    pub name: &'static str,
    pub address: SocketAddr,
    /// `None` speaks plain HTTP: for loopback only.
    pub tls: Option<Arc<ReloadableTls>>,
    pub settings: Settings,
    pub handler: Arc<H>,
    pub observer: Observer,
}

/// A listener at work. Dropping it cuts its connections; [`Server::drain`] ends them well.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    drain: Drain,
}

impl Server {
    /// Opens the port and begins to serve. Must be called inside a Tokio runtime.
    pub fn start<H: Handler>(face: Face<H>) -> Result<Server, BindError> {
        let listener = Listener::bind(face.address, face.settings.connections_max)?;
        let server = Server { address: listener.address(), drain: Drain::new() };
        let accepting = server.drain.watch();
        let gate = Gate {
            name: face.name,
            tls: face.tls,
            shared: Arc::new(Shared {
                handler: face.handler,
                room: Room::new(face.settings.bodies_bytes_max),
                settings: face.settings,
                observer: face.observer,
                bulk: Bulk::default(),
            }),
        };
        tokio::spawn(accept(listener, Arc::new(gate), accepting));
        Ok(server)
    }

    /// Where it listens, the port being a real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets each connection finish the request it is in, and closes it. What has not finished
    /// `within` the time is cut. The port is free when this returns.
    pub async fn drain(self, within: Duration) -> Drained {
        self.drain.finish(within).await
    }
}

/// What a fresh socket meets.
struct Gate<H> {
    name: &'static str,
    tls: Option<Arc<ReloadableTls>>,
    shared: Arc<Shared<H>>,
}

async fn accept<H: Handler>(listener: Listener, gate: Arc<Gate<H>>, mut accepting: Watch) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = accepting.begun() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Accepted::Connection(socket, address, place) => {
                let watch = accepting.for_connection();
                tokio::spawn(Arc::clone(&gate).admit(socket, address, place, watch));
            }
            Accepted::OverCap => gate.shared.tell(Event::ConnectionOverCap),
            Accepted::Failed(cause) => gate.accept_failed(&cause).await,
        }
    }
}

impl<H: Handler> Gate<H> {
    async fn admit(
        self: Arc<Self>,
        socket: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
        watch: Watch,
    ) {
        let _open = Open::tell(&self.shared.observer, place);
        self.greet(socket, address, watch).await;
    }

    async fn greet(&self, socket: TcpStream, address: SocketAddr, mut watch: Watch) {
        let Some(tls) = &self.tls else {
            let peer = Peer { address, certificate: ClientCertificate::Absent };
            return connection::serve(Arc::clone(&self.shared), Stream::Plain(socket), peer, watch).await;
        };
        let shaken = tokio::select! {
            () = watch.begun() => return,
            shaken = self.shake_hands(tls, socket) => shaken,
        };
        match shaken {
            Ok((stream, certificate)) => {
                if let ClientCertificate::Distrusted(why) = certificate {
                    self.distrusted(address, why);
                }
                let peer = Peer { address, certificate };
                let stream = Stream::Tls(Box::new(stream));
                connection::serve(Arc::clone(&self.shared), stream, peer, watch).await;
            }
            Err(fault) => self.handshake_failed(tls, address, fault),
        }
    }

    async fn shake_hands(
        &self,
        tls: &ReloadableTls,
        socket: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, ClientCertificate), HandshakeFault> {
        let handshake = async {
            if speaks_plain_http(&socket).await {
                return Err(self.point_to_https(socket).await);
            }
            let identity = tls.identity();
            let accepted = TlsAcceptor::from(Arc::clone(&identity.config)).accept(socket).await;
            let stream = accepted.map_err(|error| HandshakeFault::of(&error))?;
            let certificate = identity.judge(stream.get_ref().1.peer_certificates());
            Ok((stream, certificate))
        };
        let shaken = timeout(self.shared.settings.handshake_timeout, handshake).await;
        shaken.unwrap_or(Err(HandshakeFault::TimedOut))
    }

    /// An alert would reach a client of plain HTTP as seven bytes of rubbish.
    async fn point_to_https(&self, socket: TcpStream) -> HandshakeFault {
        let words = Some(Refusal::PlainHttp);
        let mut stream = Stream::Plain(socket);
        let goodbye = stream.goodbye(words, true, &self.shared.settings);
        // Whether the client hears it is up to the client.
        let _ = timeout(self.shared.settings.linger_timeout, goodbye).await;
        HandshakeFault::NotTls
    }

    /// An institution's address helps to find the machine with the wrong certificate; a person's is nobody's business.
    fn handshake_failed(&self, tls: &ReloadableTls, address: SocketAddr, fault: HandshakeFault) {
        let (listener, reason) = (self.name, fault.name());
        if tls.knows_clients() {
            tracing::info!(listener, reason, peer.address = %address.ip(), "handshake failed: {reason}");
        } else {
            tracing::info!(listener, reason, "handshake failed: {reason}");
        }
        self.shared.tell(Event::HandshakeFailed(fault));
    }

    fn distrusted(&self, address: SocketAddr, why: Distrust) {
        let (listener, reason) = (self.name, why.name());
        tracing::info!(listener, reason, peer.address = %address.ip(), "client certificate not trusted: {reason}");
        self.shared.tell(Event::CertificateDistrusted(why));
    }

    async fn accept_failed(&self, cause: &io::Error) {
        tracing::warn!(listener = self.name, %cause, "cannot accept connections; if it lasts, raise the descriptor limit");
        self.shared.tell(Event::AcceptFailed);
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Says when a connection ends, however it ends, and gives its place back first.
struct Open<'a> {
    observer: &'a Observer,
    place: Option<OwnedSemaphorePermit>,
}

impl Open<'_> {
    fn tell(observer: &Observer, place: OwnedSemaphorePermit) -> Open<'_> {
        observer(Event::ConnectionOpened);
        Open { observer, place: Some(place) }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        drop(self.place.take());
        (self.observer)(Event::ConnectionClosed);
    }
}

/// A method's name begins with a capital letter, a TLS record never does.
async fn speaks_plain_http(socket: &TcpStream) -> bool {
    let mut first = [0];
    matches!(socket.peek(&mut first).await, Ok(1)) && first[0].is_ascii_uppercase()
}
