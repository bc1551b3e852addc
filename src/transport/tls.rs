//! Owns identities: our certificate and key, whose client certificates we believe, and changing them in mid-flight.

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::transport::client_certificate;
use crate::transport::client_certificate::ClientCertificate;

/// Whether callers show a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Not asked for.
    Off,
    /// Asked for; a caller may have none, but one that it shows must be signed by `authorities`, else it is told as
    /// [`ClientCertificate::Distrusted`]: the handler refuses the call in words that its party reads.
    Accepted { authorities: PathBuf },
    /// No connection without one signed by `authorities` (PEM bundle).
    Required { authorities: PathBuf },
}

/// Where a listener's identity lies. All files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Our certificate, then the intermediate ones.
    pub chain: PathBuf,
    /// Its private key (PKCS#8, PKCS#1 or SEC1), readable by nobody but us.
    pub key: PathBuf,
    pub clients: ClientCertificates,
}

/// What is wrong with an identity. Each message names the file and the next act.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}; check that it exists and that this user may read it", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} is not valid PEM; put back a whole, unchanged file", path.display())]
    NotPem {
        path: PathBuf,
        #[source]
        cause: rustls_pki_types::pem::Error,
    },
    #[error("{} holds no certificate; it needs at least one CERTIFICATE block", path.display())]
    NoCertificate { path: PathBuf },
    #[error("key file {} is open to other users (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    KeyExposed { path: PathBuf, mode: u32 },
    #[error(
        "the certificate in {} and the key in {} cannot be used together ({cause}); put in place a pair that belongs together",
        chain.display(), key.display()
    )]
    Mismatch { chain: PathBuf, key: PathBuf, cause: rustls::Error },
    #[error("{} holds a certificate that is no usable authority ({cause}); take it out or replace it", path.display())]
    BadAuthority { path: PathBuf, cause: rustls::Error },
    #[error("{} cannot be used to check client certificates ({cause})", path.display())]
    BadVerifier { path: PathBuf, cause: rustls::server::VerifierBuilderError },
    #[error("this build's cryptography does not do TLS 1.2 and 1.3 ({cause})")]
    Versions { cause: rustls::Error },
}

/// An identity that can be read anew while connections go on with the one they began with.
#[derive(Debug)]
pub struct ReloadableTls {
    settings: Settings,
    current: ArcSwap<Identity>,
}

/// When the first certificate of each kind ends, in seconds since 1970. Nothing where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Of our own chain.
    pub certificate: Option<i64>,
    /// Of those that sign clients' certificates.
    pub client_authority: Option<i64>,
}

/// What a connection begins with, and what judges the certificate that its client shows.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    ends: Ends,
    clients: Arc<dyn ClientCertVerifier>,
}

impl ReloadableTls {
    /// Errs when any of the files cannot be used.
    pub fn load(settings: Settings) -> Result<ReloadableTls, TlsError> {
        let current = ArcSwap::from_pointee(identity(&settings)?);
        Ok(ReloadableTls { settings, current })
    }

    /// Reads the files again. New connections use what they say now; on an error the old identity stays in force.
    ///
    /// Tickets of before are worth nothing afterwards, so an authority that was taken out is out at once.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(identity(&self.settings)?));
        Ok(())
    }

    /// When what is in force ends.
    pub fn ends(&self) -> Ends {
        self.current.load().ends
    }

    /// What new connections use now.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// The same, with what judges clients: a connection takes both from one reading of the files.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        self.current.load_full()
    }

    /// Whether callers may show certificates, i.e. are institutions and not persons.
    pub(crate) fn knows_clients(&self) -> bool {
        self.settings.clients != ClientCertificates::Off
    }
}

fn identity(settings: &Settings) -> Result<Identity, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = client_verifier(&settings.clients, &provider)?;
    let in_handshake = match &settings.clients {
        ClientCertificates::Off | ClientCertificates::Required { .. } => Arc::clone(&clients),
        ClientCertificates::Accepted { .. } => client_certificate::judged_later(&clients),
    };
    let config = Arc::new(server_config(settings, provider, in_handshake)?);
    let authorities = match &settings.clients {
        ClientCertificates::Off => Vec::new(),
        ClientCertificates::Accepted { authorities } | ClientCertificates::Required { authorities } => {
            certificates(authorities)?
        }
    };
    let ends = Ends {
        certificate: first_end(&certificates(&settings.chain)?),
        client_authority: first_end(&authorities),
    };
    Ok(Identity { config, ends, clients })
}

fn first_end(certificates: &[CertificateDer<'_>]) -> Option<i64> {
    let end = |der: &CertificateDer<'_>| {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        Some(certificate.validity().not_after.timestamp())
    };
    certificates.iter().filter_map(end).min()
}

fn server_config(
    settings: &Settings,
    provider: Arc<CryptoProvider>,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&settings.chain)?;
    let key = private_key(&settings.key)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|cause| TlsError::Versions { cause })?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|cause| mismatch(settings, cause))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A full handshake costs about ten requests: tickets let a client that comes back skip it, and keep the state with
    // the client, so that any number of them costs no memory here.
    config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(|cause| TlsError::Versions { cause })?;
    Ok(config)
}

fn mismatch(settings: &Settings, cause: rustls::Error) -> TlsError {
    TlsError::Mismatch { chain: settings.chain.clone(), key: settings.key.clone(), cause }
}

fn client_verifier(
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let (path, required) = match clients {
        ClientCertificates::Off => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Accepted { authorities } => (authorities, false),
        ClientCertificates::Required { authorities } => (authorities, true),
    };
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), Arc::clone(provider));
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|cause| TlsError::BadVerifier { path: path.clone(), cause })
}

impl Identity {
    /// The verdict on what the client of a finished handshake showed, also of a resumed one.
    pub(crate) fn judge(&self, shown: Option<&[CertificateDer<'_>]>) -> ClientCertificate {
        client_certificate::judge(self.clients.as_ref(), shown)
    }
}

/// A part of an identity, as the settings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Chain,
    Key,
    ClientAuthorities,
}

/// Everything that is wrong with the files of an identity, where [`ReloadableTls::load`] ends at the first.
pub fn faults(settings: &Settings) -> Vec<(Part, TlsError)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut faults = Vec::new();
    let chain = certificates(&settings.chain).map_err(|fault| faults.push((Part::Chain, fault)));
    let key = private_key(&settings.key).map_err(|fault| faults.push((Part::Key, fault)));
    let clients = client_verifier(&settings.clients, &provider);
    faults.extend(clients.err().map(|fault| (Part::ClientAuthorities, fault)));
    if chain.is_ok() && key.is_ok() && faults.is_empty() {
        faults.extend(identity(settings).err().map(|fault| (Part::Key, fault)));
    }
    faults
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|cause| TlsError::BadAuthority { path: path.to_owned(), cause })?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::NoCertificate { path: path.to_owned() }),
        Ok(found) => Ok(found),
        Err(cause) => Err(TlsError::NotPem { path: path.to_owned(), cause }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    refuse_exposed(path)?;
    let text = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|cause| TlsError::NotPem { path: path.to_owned(), cause })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata =
        fs::metadata(path).map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(TlsError::KeyExposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path) -> Result<(), TlsError> {
    Ok(()) // no modes to look at
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFault {
    TimedOut,
    /// The client closed or broke the connection, often because it does not believe our certificate.
    Disconnected,
    /// A certificate is required and none came.
    NoCertificate,
    /// Signed by an authority that we do not know.
    UnknownAuthority,
    /// Expired, or not valid yet.
    OutOfDate,
    /// Any other fault of the client's certificate.
    BadCertificate,
    /// The client told us that it refuses (an alert), with whatever reason.
    RefusedByClient,
    /// No protocol version or cipher in common.
    NothingInCommon,
    /// What came was no TLS, plain HTTP for one.
    NotTls,
    Other,
}

impl HandshakeFault {
    /// One word per reason, for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            HandshakeFault::TimedOut => "timed_out",
            HandshakeFault::Disconnected => "disconnected",
            HandshakeFault::NoCertificate => "no_certificate",
            HandshakeFault::UnknownAuthority => "unknown_authority",
            HandshakeFault::OutOfDate => "out_of_date",
            HandshakeFault::BadCertificate => "bad_certificate",
            HandshakeFault::RefusedByClient => "refused_by_client",
            HandshakeFault::NothingInCommon => "nothing_in_common",
            HandshakeFault::NotTls => "not_tls",
            HandshakeFault::Other => "other",
        }
    }

    pub(crate) fn of(error: &io::Error) -> HandshakeFault {
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        cause.map_or(HandshakeFault::Disconnected, HandshakeFault::of_tls)
    }

    fn of_tls(error: &rustls::Error) -> HandshakeFault {
        use rustls::CertificateError as C;
        use rustls::Error as E;
        match error {
            E::NoCertificatesPresented => HandshakeFault::NoCertificate,
            E::InvalidCertificate(C::UnknownIssuer) => HandshakeFault::UnknownAuthority,
            E::InvalidCertificate(
                C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
            ) => HandshakeFault::OutOfDate,
            E::InvalidCertificate(_) => HandshakeFault::BadCertificate,
            E::AlertReceived(_) => HandshakeFault::RefusedByClient,
            E::PeerIncompatible(_) => HandshakeFault::NothingInCommon,
            E::InvalidMessage(_) => HandshakeFault::NotTls,
            _ => HandshakeFault::Other,
        }
    }
}
