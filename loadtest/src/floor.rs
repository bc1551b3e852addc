//! Owns the opponent named *floor*: a bare hyper server of the same TLS that reads the body and gives a fixed answer.
//!
//! What it reaches is what the machine allows for bodies of these sizes; nothing that decides or remembers can be faster.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
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
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::step::Step;

/// Answers by step, as a gateway gave them once.
#[derive(Default)]
pub struct Answers([Bytes; Step::ALL.len()]);

impl Answers {
    /// Writes an answer where the opponent finds it.
    pub fn write(folder: &Path, step: Step, answer: &[u8]) -> Result<(), Failed> {
        fs::write(file(folder, step), answer).map_err(cannot("write an answer of the floor"))
    }

    fn read(folder: &Path) -> Result<Answers, Failed> {
        let mut answers = Answers::default();
        for (step, answer) in Step::ALL.into_iter().zip(&mut answers.0) {
            *answer = fs::read(file(folder, step)).map_err(cannot("read an answer of the floor"))?.into();
        }
        Ok(answers)
    }

    fn of(&self, path: &str) -> Bytes {
        let at = Step::ALL.into_iter().position(|step| Some(step) == Step::of_path(path));
        at.map_or_else(Bytes::new, |at| self.0[at].clone())
    }
}

fn file(folder: &Path, step: Step) -> PathBuf {
    folder.join(format!("{}.json", step.infno()))
}

/// Serves for ever on a port of its own, with the identity of the sandbox in `folder` and the answers in `answers`.
pub async fn serve(
    folder: &Folder,
    answers: &Path,
    ready: impl FnOnce(std::net::SocketAddr),
) -> Result<(), Failed> {
    let answers = Arc::new(Answers::read(answers)?);
    let (chain, key) = folder.gateway_identity();
    let clients = tls::ClientCertificates::Accepted { authorities: folder.authority() };
    let identity =
        ReloadableTls::load(tls::Settings { chain, key, clients }).map_err(cannot("use the identity"))?;
    let acceptor = TlsAcceptor::from(identity.current());
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(cannot("open a port"))?;
    ready(listener.local_addr().map_err(cannot("learn the port"))?);
    loop {
        let (socket, _) = listener.accept().await.map_err(cannot("accept"))?;
        tokio::spawn(connection(socket, acceptor.clone(), Arc::clone(&answers)));
    }
}

/// A connection that breaks is told by the loader, which sees it too.
async fn connection(socket: TcpStream, acceptor: TlsAcceptor, answers: Arc<Answers>) {
    let _slower_only = socket.set_nodelay(true);
    let Ok(stream) = acceptor.accept(socket).await else { return };
    let answer = service_fn(move |request| answer(request, Arc::clone(&answers)));
    let _broken = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    request: Request<Incoming>,
    answers: Arc<Answers>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let fixed = answers.of(request.uri().path());
    let _read = request.into_body().collect().await;
    let mut response = Response::new(Full::new(fixed));
    let json = hyper::header::HeaderValue::from_static("application/json;charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(response)
}
