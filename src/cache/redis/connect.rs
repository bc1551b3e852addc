//! Owns how a connection to Redis begins: the first address that takes writes, greeted within a time limit.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::ProtocolVersion;
use redis::PushInfo;
use redis::RedisConnectionInfo;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::config::cache::RedisSection;
use crate::config::cache::RedisTls;

/// Calls that wait to be written to the connection.
const WAITING_MAX: usize = 256;
/// A probe's value is gone soon after the gateway is.
const PROBE_ENDS_MS: u64 = 10_000;

const CA_FILE: &str = "ca_file";
const PASSWORD_FILE: &str = "password_file";

/// What is wrong with a file that `[cache]` names.
#[derive(Debug, thiserror::Error)]
pub enum BadRedisFile {
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Of the settings.
        key: &'static str,
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} is open to others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("{} is empty; it holds the password in its first line", path.display())]
    Empty { path: PathBuf },
    #[error("{} holds no certificate of an authority that can be used", path.display())]
    NoAuthority { path: PathBuf },
}

impl BadRedisFile {
    /// The key of `[cache]` that names the file.
    pub fn key(&self) -> &'static str {
        match self {
            BadRedisFile::Unreadable { key, .. } => key,
            BadRedisFile::NoAuthority { .. } => CA_FILE,
            BadRedisFile::OpenToOthers { .. } | BadRedisFile::Empty { .. } => PASSWORD_FILE,
        }
    }
}

/// Why an address gives no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    #[error("not connected within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("cannot be connected: {0}")]
    Network(#[from] io::Error),
    #[error("{0} is no name that a certificate can have")]
    Name(String),
    #[error("cannot be greeted: {0}")]
    Password(#[from] BadRedisFile),
    #[error("refuses: {0}")]
    Redis(#[from] RedisError),
}

/// Where and how to connect, its files read.
pub(super) struct Connector {
    addresses: Vec<String>,
    user: Option<String>,
    /// Read for each connection, so that a password can be changed while gateways run.
    password_file: Option<PathBuf>,
    tls: Option<TlsConnector>,
    within: Duration,
    probe: String,
}

/// A connection that ends when this is dropped.
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    pub(super) address: String,
    driver: JoinHandle<()>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connector {
    pub(super) fn new(section: &RedisSection) -> Result<Connector, BadRedisFile> {
        let tls = match &section.tls {
            RedisTls::Off => None,
            RedisTls::On { authorities } => Some(TlsConnector::from(Arc::new(tls(authorities)?))),
        };
        section.password_file.as_deref().map(password).transpose()?;
        Ok(Connector {
            addresses: section.addresses.clone(),
            user: section.user.clone(),
            password_file: section.password_file.clone(),
            tls,
            within: section.connect_timeout,
            probe: format!("{}:probe", section.namespace),
        })
    }

    /// Tries each address in turn. `hear` is given what the server tells unasked.
    pub(super) async fn connect(
        &self,
        hear: impl Fn(PushInfo) + Clone + Send + Sync + 'static,
    ) -> Result<Connected, String> {
        let mut told = Vec::new();
        for address in &self.addresses {
            let tried = timeout(self.within, self.connect_to(address, hear.clone())).await;
            match tried.unwrap_or(Err(NoConnection::TimedOut(self.within))) {
                Ok(connected) => return Ok(connected),
                Err(cause) => told.push(format!("{address} {cause}")),
            }
        }
        Err(told.join("; "))
    }

    async fn connect_to(
        &self,
        address: &str,
        hear: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Connected, NoConnection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return self.greet(address, stream, hear).await };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NoConnection::Name(host.to_owned()))?;
        self.greet(address, tls.connect(name, stream).await?, hear).await
    }

    async fn greet(
        &self,
        address: &str,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        hear: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Connected, NoConnection> {
        // Each call has a time limit of its own.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING_MAX)
            .set_push_sender(move |told| {
                hear(told);
                Ok::<(), redis::aio::SendError>(())
            });
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&self.greeting()?, stream, config).await?;
        let driver = tokio::spawn(driver);
        let connected = Connected { connection, address: address.to_owned(), driver };
        self.probe(&connected.connection).await?;
        Ok(connected)
    }

    fn greeting(&self) -> Result<RedisConnectionInfo, BadRedisFile> {
        let mut greeting =
            RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
        if let Some(file) = &self.password_file {
            greeting = greeting.set_password(password(file)?.as_str());
        }
        if let Some(user) = &self.user {
            greeting = greeting.set_username(user);
        }
        Ok(greeting)
    }

    /// A write: a replica refuses it, and so does a server without memory or with too few replicas.
    pub(super) async fn probe(&self, connection: &MultiplexedConnection) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(&self.probe).arg("").arg("PX").arg(PROBE_ENDS_MS);
        command.query_async(&mut connection.clone()).await
    }
}

/// Everything that is wrong with the files that the section names, where a start ends at the first.
pub fn faults(section: &RedisSection) -> Vec<BadRedisFile> {
    let authorities = match &section.tls {
        RedisTls::Off => None,
        RedisTls::On { authorities } => tls(authorities).err(),
    };
    let password = section.password_file.as_ref().and_then(|file| password(file).err());
    authorities.into_iter().chain(password).collect()
}

fn tls(authorities: &Path) -> Result<ClientConfig, BadRedisFile> {
    let unreadable = |cause| BadRedisFile::Unreadable { key: CA_FILE, path: authorities.to_owned(), cause };
    let text = fs::read(authorities).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok);
    let (usable, _) = roots.add_parsable_certificates(certificates);
    let none = || BadRedisFile::NoAuthority { path: authorities.to_owned() };
    if usable == 0 {
        return Err(none());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|_| none())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn password(path: &Path) -> Result<Zeroizing<String>, BadRedisFile> {
    let unreadable = |cause| BadRedisFile::Unreadable { key: PASSWORD_FILE, path: path.to_owned(), cause };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BadRedisFile::OpenToOthers { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(BadRedisFile::Empty { path: path.to_owned() }),
    }
}
