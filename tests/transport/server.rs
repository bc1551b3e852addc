//! Owns the handler of these tests and the server around it.

use banyan::transport::Answer;
use banyan::transport::ClientCertificate;
use banyan::transport::Event;
use banyan::transport::Handler;
use banyan::transport::Observer;
use banyan::transport::Request;
use banyan::transport::Settings;
use banyan::transport::limits::Permit;
use banyan::transport::server::Face;
use banyan::transport::server::Server;
use banyan::transport::tls::ReloadableTls;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::http::request::Parts;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::line::Line;

/// `/echo` says who called and gives the body back; `/panic`, `/never`; `/gate` waits until the test opens it; for `/full`
/// there is no room and in `/crowd` no place; `/thread` says on which kind of thread it was worked on, and `/hold` holds its
/// thread until the test lets go.
pub(crate) struct Echo {
    pub(crate) entered: Semaphore,
    pub(crate) gate: Semaphore,
    pub(crate) let_go: OnceLock<()>,
}

impl Echo {
    pub(crate) fn new() -> Echo {
        Echo { entered: Semaphore::new(0), gate: Semaphore::new(0), let_go: OnceLock::new() }
    }

    /// Returns once `count` further requests have come to `/gate` or `/never`.
    pub(crate) async fn entered(&self, count: u32) {
        self.entered.acquire_many(count).await.unwrap().forget();
    }
}

impl Handler for Echo {
    async fn handle(&self, request: Request) -> Answer {
        match request.parts.uri.path() {
            "/panic" => panic!("as asked"),
            "/never" => {
                self.entered.add_permits(1);
                std::future::pending().await
            }
            "/gate" => {
                self.entered.add_permits(1);
                self.gate.acquire().await.unwrap().forget();
            }
            "/hold" => {
                self.entered.add_permits(1);
                self.let_go.wait();
            }
            "/thread" => {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                return Response::new(Full::new(name.into()));
            }
            _ => {}
        }
        let mut answer = Response::new(Full::new(request.body));
        match request.peer.certificate {
            ClientCertificate::Absent => {}
            ClientCertificate::Trusted(it) => {
                answer.headers_mut().insert("x-certificate", it.as_str().parse().unwrap());
            }
            ClientCertificate::Distrusted(why) => {
                answer.headers_mut().insert("x-distrusted", why.name().parse().unwrap());
            }
        }
        answer
    }

    fn shed(&self, head: &Parts, _received_at: Instant) -> Option<Answer> {
        (head.uri.path() == "/full").then(|| envelope("no room"))
    }

    async fn place(&self, request: &Request) -> Result<Option<Permit>, Answer> {
        if request.parts.uri.path() == "/crowd" { Err(envelope("no place")) } else { Ok(None) }
    }

    fn on_panic(&self) -> Answer {
        envelope("panicked")
    }

    fn on_timeout(&self) -> Answer {
        envelope("timed out")
    }
}

pub(crate) fn envelope(text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
}

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) echo: Arc<Echo>,
    pub(crate) events: Mutex<mpsc::UnboundedReceiver<Event>>,
}

impl Running {
    pub(crate) fn start(settings: Settings, tls: Option<Arc<ReloadableTls>>) -> Running {
        let (sender, events) = mpsc::unbounded_channel();
        let observer: Observer = Arc::new(move |event| {
            // Nobody listens any more once the test is over.
            let _ = sender.send(event);
        });
        let echo = Arc::new(Echo::new());
        let face = Face {
            name: "test",
            address: "127.0.0.1:0".parse().unwrap(),
            tls,
            settings,
            handler: Arc::clone(&echo),
            observer,
        };
        Running { server: Server::start(face).unwrap(), echo, events: Mutex::new(events) }
    }

    pub(crate) fn plain(settings: Settings) -> Running {
        Running::start(settings, None)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) async fn connect(&self) -> Line<TcpStream> {
        Line::new(TcpStream::connect(self.address()).await.unwrap())
    }

    /// Reads on through what happens until it is this.
    pub(crate) async fn saw(&self, wanted: Event) {
        let mut events = self.events.lock().await;
        let mut next = async || timeout(PATIENCE, events.recv()).await.expect("it happens");
        while next().await.expect("the server lives") != wanted {}
    }

    /// All that happened until now.
    pub(crate) async fn so_far(&self) -> Vec<Event> {
        let mut events = self.events.lock().await;
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }
}

/// Limits of time that no test reaches, so that one which a test sets is the only one that can end its waiting.
pub(crate) fn patient() -> Settings {
    const HOUR: Duration = Duration::from_secs(3600);
    Settings {
        handshake_timeout: HOUR,
        header_timeout: HOUR,
        body_timeout: HOUR,
        request_timeout: HOUR,
        answer_timeout: HOUR,
        idle_timeout: HOUR,
        ..Settings::default()
    }
}

/// What a client waits for the server before it calls the test failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
