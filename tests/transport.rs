//! Bytes between real sockets and a handler: what a client meets at the edges of size, time and identity.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use banyan::transport::Answer;
use banyan::transport::ClientCertificate;
use banyan::transport::Event;
use banyan::transport::Handler;
use banyan::transport::Observer;
use banyan::transport::Refusal;
use banyan::transport::Request;
use banyan::transport::Settings;
use banyan::transport::client_certificate::Distrust;
use banyan::transport::client_certificate::Fingerprint;
use banyan::transport::drain::Drained;
use banyan::transport::limits;
use banyan::transport::limits::Limits;
use banyan::transport::limits::Why;
use banyan::transport::server::Face;
use banyan::transport::server::Server;
use banyan::transport::tls;
use banyan::transport::tls::ClientCertificates;
use banyan::transport::tls::HandshakeFault;
use banyan::transport::tls::ReloadableTls;
use banyan::transport::tls::TlsError;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::http::request::Parts;
use hyper_util::rt::TokioIo;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::HandshakeKind;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::SupportedProtocolVersion;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::ServerName;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

// ---- the handler and its server -----------------------------------------------------------------------------------

/// `/echo` says who called and gives the body back; `/panic`, `/never`; `/gate` waits until the test opens it; for `/full`
/// there is no room; `/thread` says on which kind of thread it was worked on.
struct Echo {
    entered: Semaphore,
    gate: Semaphore,
}

impl Echo {
    fn new() -> Echo {
        Echo { entered: Semaphore::new(0), gate: Semaphore::new(0) }
    }

    /// Returns once `count` further requests have come to `/gate` or `/never`.
    async fn entered(&self, count: u32) {
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

    fn on_panic(&self) -> Answer {
        envelope("panicked")
    }

    fn on_timeout(&self) -> Answer {
        envelope("timed out")
    }
}

fn envelope(text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
}

struct Running {
    server: Server,
    echo: Arc<Echo>,
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
}

impl Running {
    fn start(settings: Settings, tls: Option<Arc<ReloadableTls>>) -> Running {
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

    fn plain(settings: Settings) -> Running {
        Running::start(settings, None)
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    async fn connect(&self) -> Line<TcpStream> {
        Line::new(TcpStream::connect(self.address()).await.unwrap())
    }

    /// Reads on through what happens until it is this.
    async fn saw(&self, wanted: Event) {
        let mut events = self.events.lock().await;
        let mut next = async || timeout(PATIENCE, events.recv()).await.expect("it happens");
        while next().await.expect("the server lives") != wanted {}
    }

    /// All that happened until now.
    async fn so_far(&self) -> Vec<Event> {
        let mut events = self.events.lock().await;
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }
}

/// Limits of time that no test reaches, so that one which a test sets is the only one that can end its waiting.
fn patient() -> Settings {
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
const PATIENCE: Duration = Duration::from_secs(20);

// ---- a client that sends exactly what it is told -------------------------------------------------------------------

struct Line<S> {
    stream: S,
    unread: Vec<u8>,
}

#[derive(Debug)]
struct Heard {
    status: u16,
    head: String,
    body: String,
}

impl Heard {
    fn says_close(&self) -> bool {
        self.head.to_lowercase().contains("connection: close")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    fn new(stream: S) -> Line<S> {
        Line { stream, unread: Vec::new() }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    async fn post(&mut self, path: &str, body: &str) {
        let length = body.len();
        self.say(&format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")).await;
    }

    async fn ask(&mut self, path: &str, body: &str) -> Heard {
        self.post(path, body).await;
        self.hear().await.unwrap()
    }

    /// One answer by its `content-length`.
    async fn hear(&mut self) -> io::Result<Heard> {
        let head = self.hear_head().await?;
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        while self.unread.len() < length {
            self.more().await?;
        }
        let body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        Ok(Heard { status, head, body })
    }

    async fn hear_head(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        let count = self.read().await?;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Whether the server has closed without saying anything further.
    async fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !matches!(self.read().await, Ok(count) if count > 0)
    }

    async fn read(&mut self) -> io::Result<usize> {
        timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await.expect("the server does something")
    }
}

// ---- certificates ---------------------------------------------------------------------------------------------------

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

struct Identity {
    certificate: CertificateDer<'static>,
    chain_pem: String,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn issue(&self, usage: ExtendedKeyUsagePurpose, not_after_year: i32) -> Identity {
        self.issue_between(usage, 1975, not_after_year)
    }

    fn issue_between(&self, usage: ExtendedKeyUsagePurpose, from_year: i32, to_year: i32) -> Identity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_before = rcgen::date_time_ymd(from_year, 1, 1);
        params.not_after = rcgen::date_time_ymd(to_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.der().clone(), chain_pem: certificate.pem(), key }
    }

    fn server(&self) -> Identity {
        self.issue(ExtendedKeyUsagePurpose::ServerAuth, 4000)
    }

    fn client(&self) -> Identity {
        self.issue(ExtendedKeyUsagePurpose::ClientAuth, 4000)
    }

    fn write(&self, path: &Path) {
        fs::write(path, self.issuer.pem()).unwrap();
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }
}

fn self_signed() -> Identity {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), chain_pem: certificate.pem(), key }
}

/// A folder with what `tls::Settings` names.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(server: &Identity, clients: &Authority) -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        clients.write(&files.path("clients.pem"));
        files.put(server);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, server: &Identity) {
        fs::write(self.path("chain.pem"), &server.chain_pem).unwrap();
        fs::write(self.path("key.pem"), server.key.serialize_pem()).unwrap();
        self.set_key_mode(0o600);
    }

    fn set_key_mode(&self, mode: u32) {
        fs::set_permissions(self.path("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn settings(&self, clients: ClientCertificates) -> tls::Settings {
        tls::Settings { chain: self.path("chain.pem"), key: self.path("key.pem"), clients }
    }

    fn required(&self) -> ClientCertificates {
        ClientCertificates::Required { authorities: self.path("clients.pem") }
    }

    fn accepted(&self) -> ClientCertificates {
        ClientCertificates::Accepted { authorities: self.path("clients.pem") }
    }

    fn load(&self, clients: ClientCertificates) -> Arc<ReloadableTls> {
        Arc::new(ReloadableTls::load(self.settings(clients)).unwrap())
    }
}

/// What a test of identities needs: an authority for both sides, the server's files.
struct Trust {
    authority: Authority,
    files: Files,
}

impl Trust {
    fn new() -> Trust {
        let authority = Authority::new("ours");
        let files = Files::new(&authority.server(), &authority);
        Trust { authority, files }
    }
}

static BOTH_VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

fn client(
    roots: RootCertStore,
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![identity.certificate.clone()], key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// Shows a certificate and signs with a key that is not its own.
fn client_that_lies(
    roots: RootCertStore,
    identity: &Identity,
    version: &'static SupportedProtocolVersion,
) -> TlsConnector {
    #[derive(Debug)]
    struct Liar(Arc<CertifiedKey>);
    impl ResolvesClientCert for Liar {
        fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
        fn has_certs(&self) -> bool {
            true
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = CertifiedKey::new(vec![identity.certificate.clone()], key);
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Liar(Arc::new(shown))));
    TlsConnector::from(Arc::new(config))
}

async fn connect_tls(
    connector: &TlsConnector,
    address: SocketAddr,
) -> io::Result<Line<TlsStream<TcpStream>>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, socket).await.map(Line::new)
}

/// Under TLS 1.3 a client learns at its first read that its certificate was refused.
async fn is_refused(connector: &TlsConnector, address: SocketAddr) -> bool {
    let Ok(mut line) = connect_tls(connector, address).await else { return true };
    let asked = line.stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await;
    asked.is_err() || line.hear().await.is_err()
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

// ---- HTTP -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let running = Running::plain(patient());
    let socket = TcpStream::connect(running.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    for turn in 0..200 {
        let said = format!("request {turn}");
        let request = hyper::Request::post("/echo").body(Full::new(Bytes::from(said.clone()))).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), said);
    }
    let opened = running.so_far().await.into_iter().filter(|event| *event == Event::ConnectionOpened).count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    let request = |body| format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{body}");
    let all: String = ["a", "b", "c"].map(request).concat();
    line.say(&all).await;
    for body in ["a", "b", "c"] {
        assert_eq!(line.hear().await.unwrap().body, body);
    }
}

#[tokio::test]
async fn a_body_arrives_whole_however_it_was_sent() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().body, "abcdefg");

    let large = "医".repeat(300_000);
    assert_eq!(line.ask("/echo", &large).await.body, large);

    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    assert!(line.hear_head().await.unwrap().starts_with("HTTP/1.1 100 "));
    line.say("ok").await;
    assert_eq!(line.hear().await.unwrap().body, "ok");

    assert_eq!(line.ask("/echo", "").await.body, "");
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.stream.set_nodelay(true).unwrap();
    for byte in "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nslow".chars() {
        line.say(byte.encode_utf8(&mut [0; 4])).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(line.hear().await.unwrap().body, "slow");
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_the_connection_goes_on() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("HEAD /echo HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(line.hear_head().await.unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(line.ask("/echo", "next").await.body, "next");
}

#[tokio::test]
async fn a_client_that_has_closed_its_sending_side_still_gets_its_answer() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.post("/gate", "last").await;
    line.stream.shutdown().await.unwrap();
    running.echo.entered(1).await;
    running.echo.gate.add_permits(1);
    assert_eq!(line.hear().await.unwrap().body, "last");
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn an_old_client_gets_its_answer_and_a_closed_connection() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.0\r\ncontent-length: 3\r\n\r\nold").await;
    assert_eq!(line.hear().await.unwrap().body, "old");
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn what_is_no_request_is_told_so_in_plain_text() {
    let huge_header = format!("POST / HTTP/1.1\r\nx-filler: {}\r\n\r\n", "x".repeat(40_000));
    let many_headers = format!("POST / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
    let long_address = format!("POST /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    let cases = [
        ("not HTTP at all\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\nbad header\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n", 400, Refusal::MalformedBody),
        (&huge_header, 431, Refusal::HeaderTooLarge),
        (&many_headers, 431, Refusal::HeaderTooLarge),
        (&long_address, 431, Refusal::HeaderTooLarge),
        ("CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", 501, Refusal::NoProxying),
    ];
    for (said, status, refusal) in cases {
        let running = Running::plain(patient());
        let mut line = running.connect().await;
        line.say(said).await;
        let heard = line.hear().await.unwrap();
        let start = &said[..said.len().min(40)];
        assert_eq!(heard.status, status, "{start:?}");
        assert!(heard.says_close(), "{start:?}: {heard:?}");
        assert!(heard.head.contains("text/plain; charset=utf-8"), "{start:?}: {heard:?}");
        let (chinese, english) = heard.body.split_once('\n').expect("two lines");
        assert!(chinese.contains('请') && english.is_ascii() && !english.is_empty(), "{start:?}: {heard:?}");
        assert!(line.is_closed().await, "{start:?}");
        running.saw(Event::Refused(refusal)).await;
    }
}

// ---- sizes and times --------------------------------------------------------------------------------------------------

fn small() -> Settings {
    Settings { body_bytes_max: 1000, ..patient() }
}

#[tokio::test]
async fn a_body_at_the_limit_passes_and_one_byte_more_is_413() {
    let running = Running::plain(small());
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", &"x".repeat(1000)).await.status, 200);
    let heard = line.ask("/echo", &"x".repeat(1001)).await;
    assert_eq!(heard.status, 413);
    assert!(heard.says_close());
    assert!(heard.body.contains("上限"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::BodyTooLarge)).await;
}

#[tokio::test]
async fn a_client_in_the_middle_of_ten_megabytes_reads_the_413() {
    let running =
        Running::plain(Settings { body_bytes_max: 1000, linger_timeout: Duration::from_secs(60), ..small() });
    for head in ["content-length: 10000000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n989680\r\n"] {
        let mut line = running.connect().await;
        line.say(&format!("POST /echo HTTP/1.1\r\nhost: x\r\n{head}")).await;
        line.say(&"x".repeat(10_000_000)).await; // all of it, before looking at the answer
        assert_eq!(line.hear().await.unwrap().status, 413, "{head}");
    }
}

#[tokio::test]
async fn who_finds_no_room_is_told_so_behind_his_body_and_may_ask_again_on_the_same_line() {
    let running = Running::plain(Settings { body_bytes_max: 100_000, ..patient() });
    let mut line = running.connect().await;
    for _ in 0..3 {
        let heard = line.ask("/full", &"x".repeat(100_000)).await;
        assert_eq!((heard.status, heard.body.as_str()), (500, "no room"));
        assert!(!heard.says_close());
    }
    assert_eq!(line.ask("/echo", "x").await.body, "x");
    assert_eq!(line.ask("/full", &"x".repeat(100_001)).await.status, 413);
    assert!(line.is_closed().await);
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n186a1\r\n").await;
    line.say(&"x".repeat(100_001)).await;
    assert_eq!(line.hear().await.unwrap().status, 413, "also when its length was not said before");
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n").await;
    let spared = line.hear().await.unwrap();
    assert_eq!((spared.status, spared.body.as_str()), (500, "no room"), "and no 100 before it");
    assert!(spared.says_close());
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().status, 413, "before any of it has come");
}

#[tokio::test]
async fn a_long_body_is_worked_on_apart_and_keeps_to_the_same_rules() {
    let settings = Settings { bulk_bytes: 1_000, request_timeout: millis(300), ..patient() };
    let running = Running::plain(settings);
    let mut line = running.connect().await;
    assert_ne!(line.ask("/thread", &"x".repeat(999)).await.body, "bulk");
    let long = "x".repeat(1_000);
    assert_eq!(line.ask("/thread", &long).await.body, "bulk");
    assert_eq!(line.ask("/echo", &long).await.body, long);
    let panicked = line.ask("/panic", &long).await;
    assert_eq!((panicked.status, panicked.body.as_str()), (500, "panicked"));
    running.saw(Event::Refused(Refusal::Panicked)).await;
    let late = line.ask("/never", &long).await;
    assert_eq!((late.status, late.body.as_str()), (500, "timed out"));
    running.saw(Event::Refused(Refusal::TimedOut)).await;
}

#[tokio::test]
async fn a_client_that_asks_first_is_spared_sending_too_large_a_body() {
    let running = Running::plain(small());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().status, 413);
}

#[tokio::test]
async fn a_head_that_stays_away_is_408() {
    let running = Running::plain(Settings { header_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost:").await;
    let heard = line.hear().await.unwrap();
    assert_eq!(heard.status, 408);
    assert!(heard.body.contains("请求头"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::HeaderTooSlow)).await;
}

#[tokio::test]
async fn a_second_head_that_stays_away_is_408_too() {
    let running = Running::plain(Settings { header_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", "first").await.status, 200);
    line.say("POST /echo").await;
    assert_eq!(line.hear().await.unwrap().status, 408);
}

#[tokio::test]
async fn a_body_that_stays_away_is_408() {
    let running = Running::plain(Settings { body_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await;
    let heard = line.hear().await.unwrap();
    assert_eq!(heard.status, 408);
    assert!(heard.says_close());
    assert!(heard.body.contains("请求体"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::BodyTooSlow)).await;
}

#[tokio::test]
async fn silent_and_idle_connections_are_closed_without_a_word() {
    // The idle limit ends later than the one that the connection began with: the alarm rings twice.
    let running =
        Running::plain(Settings { header_timeout: millis(50), idle_timeout: millis(150), ..patient() });
    assert!(running.connect().await.is_closed().await);
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", "once").await.status, 200);
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn a_handler_out_of_time_is_answered_for_by_its_own_hook() {
    let running = Running::plain(Settings { request_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    let heard = line.ask("/never", "").await;
    assert_eq!((heard.status, heard.body.as_str()), (500, "timed out"));
    assert_eq!(line.ask("/echo", "alive").await.body, "alive");
    running.saw(Event::Refused(Refusal::TimedOut)).await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let running = Running::plain(Settings { answer_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.post("/echo", &"x".repeat(8 * 1024 * 1024)).await; // more than the sockets hold, and never read
    running.saw(Event::AnswerNotTaken).await;
    running.saw(Event::ConnectionClosed).await;
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_works() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    let heard = line.ask("/panic", "").await;
    assert_eq!((heard.status, heard.body.as_str()), (500, "panicked"));
    assert_eq!(line.ask("/echo", "alive").await.body, "alive");
    running.saw(Event::Refused(Refusal::Panicked)).await;
}

#[tokio::test]
async fn one_connection_over_the_cap_is_closed_and_a_place_comes_free_again() {
    let running = Running::plain(Settings { connections_max: 2, ..patient() });
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    assert_eq!(first.ask("/echo", "1").await.status, 200);
    assert_eq!(second.ask("/echo", "2").await.status, 200);
    assert!(running.connect().await.is_closed().await);
    running.saw(Event::ConnectionOverCap).await;
    drop(first);
    running.saw(Event::ConnectionClosed).await;
    assert_eq!(running.connect().await.ask("/echo", "3").await.status, 200);
    assert_eq!(second.ask("/echo", "still").await.status, 200);
}

// ---- the end ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_closes() {
    let running = Running::plain(patient());
    let (mut busy, mut idle) = (running.connect().await, running.connect().await);
    assert_eq!(idle.ask("/echo", "before").await.status, 200);
    busy.post("/gate", "in flight").await;
    running.echo.entered(1).await;

    let address = running.address();
    let echo = Arc::clone(&running.echo);
    let draining = tokio::spawn(running.server.drain(Duration::from_secs(60)));
    assert!(idle.is_closed().await); // so the drain has begun
    echo.gate.add_permits(1);
    let heard = busy.hear().await.unwrap();
    assert_eq!(heard.body, "in flight");
    assert!(heard.says_close());
    assert!(busy.is_closed().await);
    assert_eq!(draining.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_drain_lets_a_request_finish_whose_head_has_only_begun() {
    let running = Running::plain(patient());
    let (mut begun, mut idle) = (running.connect().await, running.connect().await);
    assert_eq!(begun.ask("/echo", "first").await.status, 200);
    assert_eq!(idle.ask("/echo", "first").await.status, 200);
    begun.say("POST /ec").await;
    begun_is_read(&running).await;

    let draining = tokio::spawn(running.server.drain(Duration::from_secs(60)));
    assert!(idle.is_closed().await);
    begun.say("ho HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nlate").await;
    let heard = begun.hear().await.unwrap();
    assert_eq!(heard.body, "late");
    assert!(heard.says_close());
    assert!(begun.is_closed().await);
    assert_eq!(draining.await.unwrap(), Drained { cut: 0 });
}

/// On a one-thread runtime the server's task of an older connection has run once a newer connection was answered.
async fn begun_is_read(running: &Running) {
    for _ in 0..3 {
        assert_eq!(running.connect().await.ask("/echo", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_drain_cuts_at_its_deadline_and_says_how_many() {
    let running = Running::plain(patient());
    let (mut one, mut two) = (running.connect().await, running.connect().await);
    one.post("/never", "").await;
    two.post("/never", "").await;
    running.echo.entered(2).await;
    assert_eq!(running.server.drain(millis(50)).await, Drained { cut: 2 });
    assert!(one.is_closed().await && two.is_closed().await);
}

#[tokio::test]
async fn a_server_that_is_let_go_cuts_its_connections() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.post("/never", "").await;
    running.echo.entered(1).await;
    drop(running);
    assert!(line.is_closed().await);
}

// ---- identities -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn the_fingerprint_of_a_clients_certificate_reaches_the_handler() {
    let trust = Trust::new();
    let identity = trust.authority.client();
    let fingerprint = Fingerprint::of(&identity.certificate);
    for version in BOTH_VERSIONS {
        let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
        let connector = client(trust.authority.roots(), Some(&identity), &[version]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut line = connect_tls(&connector, running.address()).await.unwrap();
            let heard = line.ask("/echo", "who am I").await;
            assert!(heard.head.contains(&format!("x-certificate: {fingerprint}")), "{heard:?}");
            assert_eq!(line.stream.get_ref().1.handshake_kind(), Some(kind), "{version:?}");
        }
    }
}

#[test]
fn a_fingerprint_is_lower_case_hex_of_sha_256() {
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Fingerprint::of(b"").as_str(), of_nothing);
}

#[tokio::test]
async fn a_wrong_certificate_fails_the_handshake_and_is_counted_by_its_reason() {
    let trust = Trust::new();
    let stranger = Authority::new("strange").client();
    let expired = trust.authority.issue(ExtendedKeyUsagePurpose::ClientAuth, 2020);
    let for_servers = trust.authority.server();
    let cases = [
        (Some(&stranger), HandshakeFault::UnknownAuthority),
        (Some(&expired), HandshakeFault::OutOfDate),
        (Some(&for_servers), HandshakeFault::BadCertificate),
        (None, HandshakeFault::NoCertificate),
    ];
    let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
    for (identity, fault) in cases {
        for version in BOTH_VERSIONS {
            let connector = client(trust.authority.roots(), identity, &[version]);
            assert!(is_refused(&connector, running.address()).await, "{fault:?} {version:?}");
            running.saw(Event::HandshakeFailed(fault)).await;
        }
    }
}

#[tokio::test]
async fn where_certificates_are_accepted_a_wrong_one_is_handed_on_as_distrusted_and_never_as_a_certificate() {
    let trust = Trust::new();
    let ours = trust.authority.client();
    let fingerprint = format!("x-certificate: {}", Fingerprint::of(&ours.certificate));
    // An authority that only calls itself ours.
    let stranger = Authority::new("ours").client();
    let itself = self_signed();
    let expired = trust.authority.issue(ExtendedKeyUsagePurpose::ClientAuth, 2020);
    let early = trust.authority.issue_between(ExtendedKeyUsagePurpose::ClientAuth, 3000, 4000);
    let for_servers = trust.authority.server();
    let running = Running::start(patient(), Some(trust.files.load(trust.files.accepted())));
    let cases = [
        (Some(&ours), fingerprint.as_str(), None),
        (None, "", None),
        (Some(&stranger), "x-distrusted: unknown_authority", Some(Distrust::UnknownAuthority)),
        (Some(&itself), "x-distrusted: unknown_authority", Some(Distrust::UnknownAuthority)),
        (Some(&expired), "x-distrusted: expired", Some(Distrust::Expired)),
        (Some(&early), "x-distrusted: not_yet_valid", Some(Distrust::NotYetValid)),
        (Some(&for_servers), "x-distrusted: unfit", Some(Distrust::Unfit)),
    ];
    for (identity, told, distrust) in cases {
        for version in BOTH_VERSIONS {
            let connector = client(trust.authority.roots(), identity, &[version]);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let mut line = connect_tls(&connector, running.address()).await.unwrap();
                let heard = line.ask("/echo", "who am I").await;
                assert!(heard.head.contains(told), "{told}: {heard:?}");
                assert_eq!(heard.head.contains("x-certificate"), told == fingerprint, "{heard:?}");
                assert_eq!(line.stream.get_ref().1.handshake_kind(), Some(kind), "{told} {version:?}");
                if let Some(why) = distrust {
                    running.saw(Event::CertificateDistrusted(why)).await;
                }
            }
        }
    }
}

/// Its owner's certificate is no secret: whoever shows it must sign with its key.
#[tokio::test]
async fn a_right_certificate_with_another_key_fails_the_handshake() {
    let trust = Trust::new();
    let ours = trust.authority.client();
    let stolen = Identity { key: KeyPair::generate().unwrap(), ..ours };
    let running = Running::start(patient(), Some(trust.files.load(trust.files.accepted())));
    for version in BOTH_VERSIONS {
        let connector = client_that_lies(trust.authority.roots(), &stolen, version);
        assert!(is_refused(&connector, running.address()).await, "{version:?}");
    }
}

#[tokio::test]
async fn an_authority_that_was_taken_out_is_distrusted_where_certificates_are_accepted() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.accepted());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    assert!(line.ask("/echo", "in").await.head.contains("x-certificate"));

    Authority::new("successor").write(&trust.files.path("clients.pem"));
    tls.reload().unwrap();
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    let heard = line.ask("/echo", "out").await;
    assert!(heard.head.contains("x-distrusted: unknown_authority"), "{heard:?}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told_where_to_go() {
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(ClientCertificates::Off)));
    let mut line = running.connect().await;
    let heard = line.ask("/echo", "").await;
    assert_eq!(heard.status, 400);
    assert!(heard.body.contains("https://"), "{heard:?}");
    drop(line);
    running.saw(Event::HandshakeFailed(HandshakeFault::NotTls)).await;
}

#[tokio::test]
async fn rubbish_on_a_tls_port_is_no_handshake() {
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(ClientCertificates::Off)));
    running.connect().await.say("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}").await;
    running.saw(Event::HandshakeFailed(HandshakeFault::NotTls)).await;
}

#[tokio::test]
async fn a_handshake_that_stays_away_is_given_up() {
    let trust = Trust::new();
    let settings = Settings { handshake_timeout: millis(50), ..patient() };
    let running = Running::start(settings, Some(trust.files.load(ClientCertificates::Off)));
    assert!(running.connect().await.is_closed().await);
    running.saw(Event::HandshakeFailed(HandshakeFault::TimedOut)).await;
}

#[tokio::test]
async fn a_reload_changes_the_identity_of_new_connections_only() {
    let trust = Trust::new();
    let tls = trust.files.load(ClientCertificates::Off);
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let old_connector = client(trust.authority.roots(), None, BOTH_VERSIONS);
    let mut old = connect_tls(&old_connector, running.address()).await.unwrap();
    assert_eq!(old.ask("/echo", "old").await.body, "old");

    let successor = Authority::new("successor");
    trust.files.put(&successor.server());
    tls.reload().unwrap();

    assert_eq!(old.ask("/echo", "goes on").await.body, "goes on");
    let unseen = client(trust.authority.roots(), None, BOTH_VERSIONS);
    assert!(is_refused(&unseen, running.address()).await);
    running.saw(Event::HandshakeFailed(HandshakeFault::RefusedByClient)).await;
    let new_connector = client(successor.roots(), None, BOTH_VERSIONS);
    let mut new = connect_tls(&new_connector, running.address()).await.unwrap();
    assert_eq!(new.ask("/echo", "new").await.body, "new");
}

#[tokio::test]
async fn an_authority_that_was_taken_out_is_out_also_for_resumed_sessions() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.required());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    assert_eq!(line.ask("/echo", "in").await.body, "in");

    Authority::new("successor").write(&trust.files.path("clients.pem"));
    tls.reload().unwrap();
    assert!(is_refused(&connector, running.address()).await);
    running.saw(Event::HandshakeFailed(HandshakeFault::UnknownAuthority)).await;
}

#[tokio::test]
async fn a_bad_new_file_leaves_the_old_identity_in_force_and_is_named() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.required());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let other_key = trust.authority.server().key.serialize_pem();
    let cases = [
        ("chain.pem", "".to_owned()),
        ("chain.pem", "-----BEGIN CERTIFICATE-----\nMII".to_owned()),
        ("key.pem", "no key".to_owned()),
        ("key.pem", other_key),
        ("clients.pem", "".to_owned()),
    ];
    for (name, content) in cases {
        let path = trust.files.path(name);
        let good = fs::read(&path).unwrap();
        fs::write(&path, &content).unwrap();
        let error = tls.reload().expect_err("a bad file").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        let mut line = connect_tls(&connector, running.address()).await.unwrap();
        assert_eq!(line.ask("/echo", name).await.body, name);
        fs::write(&path, good).unwrap();
    }
    fs::remove_file(trust.files.path("chain.pem")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let trust = Trust::new();
    let settings = trust.files.settings(ClientCertificates::Off);
    for mode in [0o640, 0o604, 0o660] {
        trust.files.set_key_mode(mode);
        let error = ReloadableTls::load(settings.clone()).expect_err("exposed").to_string();
        let command = format!("chmod 600 {}", settings.key.display());
        assert!(error.contains(&command) && error.contains(&format!("{mode:04o}")), "{error}");
    }
    trust.files.set_key_mode(0o400);
    assert!(ReloadableTls::load(settings).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_each_get_their_own_answers() {
    const CALLERS: usize = 50;
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (connector, address) = (connector.clone(), running.address());
        callers.spawn(async move {
            let mut line = connect_tls(&connector, address).await.unwrap();
            for turn in 0..40 {
                let said = format!("{caller}.{turn} ").repeat(1 + turn * 100);
                assert_eq!(line.ask("/echo", &said).await.body, said);
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    for _ in 0..CALLERS {
        running.saw(Event::ConnectionClosed).await;
    }
    assert_eq!(running.server.drain(Duration::from_secs(60)).await, Drained { cut: 0 });
}

// ---- shares -----------------------------------------------------------------------------------------------------------

fn shares(burst: u32) -> limits::Settings {
    limits::Settings {
        per_second: 1.try_into().unwrap(),
        burst: burst.try_into().unwrap(),
        wait_max: millis(20),
        ..limits::Settings::default()
    }
}

#[tokio::test]
async fn a_key_over_its_share_is_told_when_to_come_back_and_others_are_not_touched() {
    let limits = Limits::new(shares(3));
    for _ in 0..3 {
        assert!(limits.admit("H1").await.is_ok());
    }
    let shed = limits.admit("H1").await.expect_err("over its share");
    assert_eq!(shed.why, Why::Rate);
    assert!((1..=1000).contains(&shed.retry_after_ms), "{shed:?}");
    assert!(limits.admit("H2").await.is_ok());
}

#[tokio::test]
async fn with_all_places_taken_a_request_waits_a_bounded_while() {
    let limits = Limits::new(limits::Settings { in_flight_max: 1, ..shares(100) });
    let permit = limits.admit("H1").await.unwrap();
    assert_eq!(limits.in_flight(), 1);
    let shed = limits.admit("H2").await.expect_err("no place came free");
    assert_eq!((shed.why, shed.retry_after_ms), (Why::Busy, 1000));
    drop(permit);
    assert!(limits.admit("H2").await.is_ok());
    assert_eq!(limits.in_flight(), 0);
}

#[tokio::test]
async fn a_place_that_comes_free_goes_to_who_waits_and_the_queue_has_an_end() {
    let settings = limits::Settings {
        in_flight_max: 1,
        waiting_max: 1,
        wait_max: Duration::from_secs(60),
        ..shares(100)
    };
    let limits = Limits::new(settings);
    let permit = limits.admit("H1").await.unwrap();
    let mut waiting = Box::pin(limits.admit("H2"));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(
        limits.admit("H3").now_or_never().expect("at once").expect_err("the queue is full").why,
        Why::Busy
    );
    drop(permit);
    assert!(waiting.await.is_ok());
    assert!(limits.admit("H3").await.is_ok());
}

#[tokio::test]
async fn made_up_keys_cannot_fill_the_table() {
    let limits = Limits::new(limits::Settings { keys_max: 256, ..shares(1) });
    let mut refused = 0;
    for number in 0..10_000 {
        refused += usize::from(limits.count(&format!("made up {number}")).is_err());
    }
    // Every key asks once, within its share: that any was refused shows that they share entries by then.
    assert!(refused > 5_000, "{refused}");
}
