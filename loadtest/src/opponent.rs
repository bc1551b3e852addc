//! Owns what both opponents share: a bare hyper server with the TLS settings of the gateway, which reads each body whole.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use banyan::sandbox::folder::Folder;
use banyan::transport::tls;
use banyan::transport::tls::ReloadableTls;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::failed::Failed;
use crate::failed::cannot;

/// What an opponent does with a request.
pub trait Opponent: Send + Sync + 'static {
    fn answer(&self, path: &str, body: Bytes) -> impl Future<Output = Bytes> + Send;
}

/// Serves for ever on a port of its own, with the identity of the sandbox in `folder`.
pub async fn serve(
    folder: &Folder,
    opponent: impl Opponent,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Failed> {
    let (chain, key) = folder.gateway_identity();
    let clients = tls::ClientCertificates::Accepted { authorities: folder.authority() };
    let identity =
        ReloadableTls::load(tls::Settings { chain, key, clients }).map_err(cannot("use the identity"))?;
    let acceptor = TlsAcceptor::from(identity.current());
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(cannot("open a port"))?;
    ready(listener.local_addr().map_err(cannot("learn the port"))?);
    let opponent = Arc::new(opponent);
    loop {
        let (socket, _) = listener.accept().await.map_err(cannot("accept"))?;
        tokio::spawn(connection(socket, acceptor.clone(), Arc::clone(&opponent)));
    }
}

/// A connection that breaks is told by the loader, which sees it too.
async fn connection<O: Opponent>(socket: TcpStream, acceptor: TlsAcceptor, opponent: Arc<O>) {
    let _slower_only = socket.set_nodelay(true);
    let Ok(stream) = acceptor.accept(socket).await else { return };
    let answer = service_fn(move |request| answer(request, Arc::clone(&opponent)));
    let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer<O: Opponent>(
    request: Request<Incoming>,
    opponent: Arc<O>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|whole| whole.to_bytes()).unwrap_or_default();
    let answer = opponent.answer(head.uri.path(), body).await;
    let mut response = Response::new(Full::new(answer));
    let json = HeaderValue::from_static("application/json;charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}
