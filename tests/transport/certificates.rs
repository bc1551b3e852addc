//! Owns authorities, certificates and the files in which a server looks for its own, and clients that show them.

use banyan::transport::tls;
use banyan::transport::tls::ClientCertificates;
use banyan::transport::tls::ReloadableTls;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::ClientConfig;
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
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::line::Line;

pub(crate) struct Authority {
    pub(crate) issuer: CertifiedIssuer<'static, KeyPair>,
}

pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) chain_pem: String,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn issue(&self, usage: ExtendedKeyUsagePurpose, not_after_year: i32) -> Identity {
        self.issue_between(usage, 1975, not_after_year)
    }

    pub(crate) fn issue_between(
        &self,
        usage: ExtendedKeyUsagePurpose,
        from_year: i32,
        to_year: i32,
    ) -> Identity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_before = rcgen::date_time_ymd(from_year, 1, 1);
        params.not_after = rcgen::date_time_ymd(to_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.der().clone(), chain_pem: certificate.pem(), key }
    }

    pub(crate) fn server(&self) -> Identity {
        self.issue(ExtendedKeyUsagePurpose::ServerAuth, 4000)
    }

    pub(crate) fn client(&self) -> Identity {
        self.issue(ExtendedKeyUsagePurpose::ClientAuth, 4000)
    }

    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, self.issuer.pem()).unwrap();
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }
}

pub(crate) fn self_signed() -> Identity {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), chain_pem: certificate.pem(), key }
}

/// A folder with what `tls::Settings` names.
pub(crate) struct Files {
    pub(crate) folder: TempDir,
}

impl Files {
    pub(crate) fn new(server: &Identity, clients: &Authority) -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        clients.write(&files.path("clients.pem"));
        files.put(server);
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, server: &Identity) {
        fs::write(self.path("chain.pem"), &server.chain_pem).unwrap();
        fs::write(self.path("key.pem"), server.key.serialize_pem()).unwrap();
        self.set_key_mode(0o600);
    }

    pub(crate) fn set_key_mode(&self, mode: u32) {
        fs::set_permissions(self.path("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn settings(&self, clients: ClientCertificates) -> tls::Settings {
        tls::Settings { chain: self.path("chain.pem"), key: self.path("key.pem"), clients }
    }

    pub(crate) fn required(&self) -> ClientCertificates {
        ClientCertificates::Required { authorities: self.path("clients.pem") }
    }

    pub(crate) fn accepted(&self) -> ClientCertificates {
        ClientCertificates::Accepted { authorities: self.path("clients.pem") }
    }

    pub(crate) fn load(&self, clients: ClientCertificates) -> Arc<ReloadableTls> {
        Arc::new(ReloadableTls::load(self.settings(clients)).unwrap())
    }
}

/// What a test of identities needs: an authority for both sides, the server's files.
pub(crate) struct Trust {
    pub(crate) authority: Authority,
    pub(crate) files: Files,
}

impl Trust {
    pub(crate) fn new() -> Trust {
        let authority = Authority::new("ours");
        let files = Files::new(&authority.server(), &authority);
        Trust { authority, files }
    }
}

pub(crate) static BOTH_VERSIONS: &[&SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

pub(crate) fn client(
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
pub(crate) fn client_that_lies(
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

pub(crate) async fn connect_tls(
    connector: &TlsConnector,
    address: SocketAddr,
) -> io::Result<Line<TlsStream<TcpStream>>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, socket).await.map(Line::new)
}

/// Under TLS 1.3 a client learns at its first read that its certificate was refused.
pub(crate) async fn is_refused(connector: &TlsConnector, address: SocketAddr) -> bool {
    let Ok(mut line) = connect_tls(connector, address).await else { return true };
    let asked = line.stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await;
    asked.is_err() || line.hear().await.is_err()
}
