//! Owns a listening socket and the cap on what it lets in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// Connections that the system may hold ready for us while we are busy accepting.
const BACKLOG: u32 = 1024;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}; is another program using it, and is it an address of this machine?")]
pub struct BindError {
    pub address: SocketAddr,
    #[source]
    pub cause: io::Error,
}

/// A socket that listens, and how many connections it may have open.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    places: Arc<Semaphore>,
}

/// What came of one accept.
pub(crate) enum Accepted {
    /// The place is given back when the permit is dropped.
    Connection(TcpStream, SocketAddr, OwnedSemaphorePermit),
    /// No place was free: closed already.
    OverCap,
    Failed(io::Error),
}

impl Listener {
    /// Must be called inside a Tokio runtime. Port 0 takes any free port, see [`Listener::address`].
    pub fn bind(address: SocketAddr, connections_max: usize) -> Result<Listener, BindError> {
        let failed = |cause| BindError { address, cause };
        let socket = open(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
        Ok(Listener { socket, address, places })
    }

    /// Where it listens, the port being a real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn accept(&self) -> Accepted {
        let (stream, peer) = match self.socket.accept().await {
            Ok(accepted) => accepted,
            Err(cause) => return Accepted::Failed(cause),
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Accepted::OverCap;
        };
        match stream.set_nodelay(true) {
            Ok(()) => Accepted::Connection(stream, peer, place),
            Err(cause) => Accepted::Failed(cause),
        }
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?; // else a restart has to wait for the last connections' TIME_WAIT
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
