//! Owns how a connection to the server is made, how long each step of it may take, and what its errors mean.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;
use tokio_postgres::config::SslMode;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use crate::ledger::LedgerError;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::batch_sql::FACTS_MOVED;
use crate::ledger::postgres::batch_sql::LANE_MOVED;
use crate::ledger::postgres::no_connection::NoConnection;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::storage;

/// Waits between two tries to connect, from the first on. The last is the longest.
const PAUSES_MS: [u64; 4] = [50, 100, 200, 400];

const CONNECT: &str = "connect to the server";

/// A server that is silent for so long is taken for dead, by either side.
const SILENCE: Duration = Duration::from_secs(10);

/// What is wrong with the address of a ledger. Each says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    #[error("it is not of the form postgres://USER@HOST[,HOST…]/DATABASE")]
    Malformed(#[source] tokio_postgres::Error),
    #[error("it names no host")]
    NoHost,
    #[error("it names no database")]
    NoDatabase,
    #[error("{place} is another machine: name the authority of its certificate in ca_file")]
    Plain { place: String },
    #[error("cannot read {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} is open to others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("{} is empty; it holds the password in its first line", path.display())]
    NoPassword { path: PathBuf },
    #[error("{} holds no certificate that can be trusted", path.display())]
    NoCertificate { path: PathBuf },
    #[error("it is used over TLS, so the rules of TLS must be there")]
    Tls(#[source] rustls::Error),
}

/// Where a ledger is and how it is spoken to: the servers of one cluster, of which one takes writes.
#[derive(Clone)]
pub struct Target {
    /// One for each host, in the order in which they are tried.
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    connect_timeout: Duration,
}

impl Target {
    /// # Errors
    /// When the URL cannot be used, or a file that the settings name cannot be read.
    pub fn new(settings: &Settings) -> Result<Target, BadAddress> {
        let mut whole: Config = settings.url.parse().map_err(BadAddress::Malformed)?;
        if whole.get_hosts().is_empty() {
            return Err(BadAddress::NoHost);
        }
        if whole.get_dbname().is_none() {
            return Err(BadAddress::NoDatabase);
        }
        if let Some(file) = &settings.password_file {
            whole.password(password(file)?.as_bytes());
        }
        let tls = settings.ca_file.as_deref().map(trusting).transpose()?;
        if tls.is_some() {
            whole.ssl_mode(SslMode::Require);
        } else if let Some(other) = apart(&whole).iter().find(|host| is_elsewhere(host)) {
            return Err(BadAddress::Plain { place: place_of(other) });
        } else {
            whole.ssl_mode(SslMode::Disable);
        }
        whole.connect_timeout(settings.connect_timeout).application_name("banyan");
        whole.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 5).keepalives_retries(3);
        whole.tcp_user_timeout(SILENCE);
        let connect_timeout = settings.connect_timeout;
        Ok(Target { hosts: apart(&whole), tls, connect_timeout })
    }

    /// Hosts with their ports and the database, to be told: no user, no password.
    pub fn place(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(place_of).collect();
        let database = self.hosts.first().and_then(Config::get_dbname).unwrap_or_default();
        format!("postgres://{}/{database}", hosts.join(","))
    }

    /// A connection to the first host that fits, each tried once within its time. `parameters` are the session's, in
    /// the form `-c name=value …`.
    pub(in crate::ledger) async fn connect(&self, parameters: &str) -> Result<Link, LedgerError> {
        let time = self.connect_timeout * u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
        self.try_each(parameters, Instant::now() + time).await.map_err(storage(CONNECT))
    }

    /// None gets more time than is left.
    async fn try_each(&self, parameters: &str, deadline: Instant) -> Result<Link, NoServer> {
        let mut none = Vec::new();
        for host in &self.hosts {
            let place = place_of(host);
            let mut host = host.clone();
            let options = [host.get_options().unwrap_or_default(), parameters].join(" ");
            host.options(options.trim());
            let time = self.connect_timeout.min(deadline.saturating_duration_since(Instant::now()));
            match timeout(time, self.connect_host(&host)).await {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(cause)) => none.push(NoConnection::of(place, &cause)),
                Err(_) => none.push(NoConnection::silent(place, time)),
            }
        }
        Err(NoServer(none))
    }

    /// The same again and again until it succeeds or its time is over: a fail-over is waited for. What somebody has to
    /// mend first is told at once.
    pub(in crate::ledger) async fn connect_by(
        &self,
        parameters: &str,
        deadline: Instant,
    ) -> Result<Link, LedgerError> {
        self.connect_telling(parameters, deadline, &|_| {}).await
    }

    /// The same; each try that comes to nothing is told at once.
    pub(super) async fn connect_telling(
        &self,
        parameters: &str,
        deadline: Instant,
        tell: &(dyn Fn(&NoServer) + Send + Sync),
    ) -> Result<Link, LedgerError> {
        let mut before = None;
        for pause in PAUSES_MS.iter().chain(std::iter::repeat(&PAUSES_MS[3])) {
            let last = Instant::now() + Duration::from_millis(*pause) >= deadline;
            match self.try_each(parameters, deadline).await {
                Ok(link) => return Ok(link),
                Err(cause) if last || cause.stays_so() || Instant::now() >= deadline => {
                    // A try that was cut short knows less than the one before.
                    let cut = Instant::now() >= deadline;
                    let cause = before.filter(|_| cut).unwrap_or(cause);
                    tell(&cause);
                    return Err(storage(CONNECT)(cause));
                }
                Err(cause) => {
                    tell(&cause);
                    before = Some(cause);
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
            }
        }
        unreachable!("the pauses have no end")
    }

    async fn connect_host(&self, host: &Config) -> Result<Link, tokio_postgres::Error> {
        // A connection that breaks tells so to whoever waits for an answer on it.
        let (client, task) = match &self.tls {
            None => {
                let (client, connection) = host.connect(NoTls).await?;
                (client, tokio::spawn(async { drop(connection.await) }))
            }
            Some(tls) => {
                let (client, connection) = host.connect(tls.clone()).await?;
                (client, tokio::spawn(async { drop(connection.await) }))
            }
        };
        Ok(Link { client, task })
    }
}

/// A connection at work. It is closed at once when it is dropped, whatever it waits for.
pub(in crate::ledger) struct Link {
    pub(in crate::ledger) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A configuration for each host with its port, so that one that is silent does not keep the next from being tried.
fn apart(whole: &Config) -> Vec<Config> {
    let ports = whole.get_ports();
    let hosts = whole.get_hosts().iter().enumerate();
    let one = |(at, host): (usize, &Host)| {
        let mut config = Config::new();
        match host {
            Host::Tcp(name) => config.host(name),
            #[cfg(unix)]
            Host::Unix(path) => config.host_path(path),
        };
        config.port(ports.get(at).or(ports.first()).copied().unwrap_or(5432));
        if let Some(user) = whole.get_user() {
            config.user(user);
        }
        if let Some(password) = whole.get_password() {
            config.password(password);
        }
        config.dbname(whole.get_dbname().unwrap_or_default());
        config.options(whole.get_options().unwrap_or_default());
        config.application_name(whole.get_application_name().unwrap_or_default());
        config.ssl_mode(whole.get_ssl_mode()).ssl_negotiation(whole.get_ssl_negotiation());
        config.channel_binding(whole.get_channel_binding());
        // Whoever asks for any server would lose writes to one that only reads.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(whole.get_keepalives_idle());
        config.keepalives_interval(SILENCE / 5).keepalives_retries(3).tcp_user_timeout(SILENCE);
        config
    };
    hosts.map(one).collect()
}

/// Its host is not this machine.
fn is_elsewhere(host: &Config) -> bool {
    host.get_hosts().iter().any(|host| match host {
        Host::Tcp(name) => {
            name != "localhost" && !name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => false,
    })
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

fn place_of(host: &Config) -> String {
    let name = host.get_hosts().first().map(host_text).unwrap_or_default();
    let port = host.get_ports().first().copied().unwrap_or_default();
    // An IPv6 address has colons of its own.
    if name.contains(':') && !name.starts_with('/') {
        format!("[{name}]:{port}")
    } else {
        format!("{name}:{port}")
    }
}

/// The first line of a file that only its owner may read.
fn password(file: &Path) -> Result<Zeroizing<String>, BadAddress> {
    let unreadable = |cause| BadAddress::Unreadable { path: file.into(), cause };
    let mode = std::fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BadAddress::OpenToOthers { path: file.into(), mode });
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(BadAddress::NoPassword { path: file.into() }),
    }
}

fn trusting(file: &Path) -> Result<MakeRustlsConnect, BadAddress> {
    let text = std::fs::read(file).map_err(|cause| BadAddress::Unreadable { path: file.into(), cause })?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).flatten());
    if roots.is_empty() {
        return Err(BadAddress::NoCertificate { path: file.into() });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(BadAddress::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What an error says about the statement that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The connection is of no use any more; what was under way may have happened.
    Broken,
    /// Nothing happened, and the same may succeed the next time.
    Passing,
    /// Nothing happened: the row is refused by the schema.
    Unfit,
    /// Nothing happened: a row of that key is there already.
    Taken,
    /// Nothing happened: a guard found another number of rows than it must.
    Moved,
    /// Nothing happened, for a reason that is the server's.
    Refused,
}

pub(super) fn meaning(cause: &tokio_postgres::Error) -> Meaning {
    let Some(state) = cause.code() else {
        // What cannot be sent was not sent; all else is the connection's.
        let unsent = std::error::Error::source(cause).is_some() && cause.to_string().contains("serializing");
        return if unsent { Meaning::Unfit } else { Meaning::Broken };
    };
    if [LANE_MOVED, FACTS_MOVED].contains(state) {
        return Meaning::Moved;
    }
    if *state == SqlState::UNIQUE_VIOLATION {
        return Meaning::Taken;
    }
    match &state.code()[..2] {
        "22" | "23" => Meaning::Unfit,
        // Serialization failures and deadlocks, locks that were not given in time.
        "40" | "55" => Meaning::Passing,
        // Shut down, crashed, connection failures; a server that has become a standby.
        "57" | "08" | "25" if *state != SqlState::IN_FAILED_SQL_TRANSACTION => Meaning::Broken,
        _ => Meaning::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, BadAddress> {
        Target::new(&Settings { url: url.into(), ..Settings::default() })
    }

    #[test]
    fn another_machine_is_spoken_to_over_tls_only() {
        for here in ["postgres://b@127.0.0.1/b", "postgres://b@localhost:1/b", "postgres://b@%2Frun%2Fpg/b"] {
            assert!(target(here).is_ok(), "{here}");
        }
        let refused = target("postgres://b@127.0.0.1,db2.example/b").err().unwrap();
        assert!(refused.to_string().contains("db2.example:5432 is another machine"), "{refused}");
        assert!(target("postgres://b@127.0.0.1").is_err());
        assert!(target("mysql://b@127.0.0.1/b").is_err());
    }

    #[test]
    fn each_host_is_tried_by_itself_and_told_without_the_password() {
        let target = target("postgres://b:secret@127.0.0.1:1,localhost:2/banyan").unwrap();
        let ports: Vec<_> = target.hosts.iter().map(Config::get_ports).collect();
        assert_eq!(ports, [[1], [2]]);
        assert_eq!(target.place(), "postgres://127.0.0.1:1,localhost:2/banyan");
    }
}
