//! Owns who is calling: the proof that a caller brings, and the institutions for which it may speak.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::gateway::Caller;
use crate::config::gateway::Network;
use crate::config::gateway::Proof;
use crate::domain::calendar::Instant;
use crate::domain::ids::InstitutionCode;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Shown;
use crate::protocol::hospital::signature::SignatureCheck;
use crate::protocol::hospital::signature::SignatureHeaders;
use crate::transport::ClientCertificate;
use crate::transport::Request;

/// Why the register of callers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadCaller {
    #[error("secret file {path} of paas_id {paas_id} cannot be read; it holds the secret, mode 600")]
    Secret {
        paas_id: String,
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error(
        "secret file {path} of paas_id {paas_id} is open to others (mode {mode:o}); run: chmod 600 {path}"
    )]
    OpenToOthers { paas_id: String, path: PathBuf, mode: u32 },
    #[error("secret file {path} of paas_id {paas_id} is empty; put the secret there, in one line")]
    Empty { paas_id: String, path: PathBuf },
    #[error("caller {name} stands twice; join its institutions in one entry")]
    Twice { name: String },
}

/// Every caller, looked up by what it proves.
#[derive(Debug, Default)]
pub struct Callers {
    by_certificate: HashMap<String, Arc<[InstitutionCode]>>,
    by_paas_id: HashMap<String, Signer>,
}

#[derive(Debug)]
struct Signer {
    secret: Zeroizing<Vec<u8>>,
    networks: Vec<Network>,
    institutions: Arc<[InstitutionCode]>,
}

/// Who a call comes from, proven.
#[derive(Clone, Debug)]
pub struct Proven {
    pub institutions: Arc<[InstitutionCode]>,
    /// Signed with the `x-tif-*` headers, beside or in place of a certificate.
    pub signed: bool,
}

impl Proven {
    pub fn institutions(&self) -> impl Iterator<Item = &InstitutionCode> {
        self.institutions.iter()
    }

    pub fn speaks_for(&self, institution: &InstitutionCode) -> bool {
        self.institutions.contains(institution)
    }
}

impl Callers {
    /// Reads every secret; a secret that others may read is refused.
    pub fn load(callers: &[Caller]) -> Result<Callers, BadCaller> {
        let mut loaded = Callers::default();
        for caller in callers {
            let institutions: Arc<[InstitutionCode]> = caller.institutions.clone().into();
            let (name, twice) = match &caller.proof {
                Proof::Certificate { fingerprint } => {
                    let before = loaded.by_certificate.insert(fingerprint.clone(), institutions);
                    (fingerprint, before.is_some())
                }
                Proof::Signature { paas_id, secret_file, networks } => {
                    let secret = read_secret(paas_id, secret_file)?;
                    let signer = Signer { secret, networks: networks.clone(), institutions };
                    (paas_id, loaded.by_paas_id.insert(paas_id.clone(), signer).is_some())
                }
            };
            if twice {
                return Err(BadCaller::Twice { name: name.clone() });
            }
        }
        Ok(loaded)
    }

    /// Who sent this request. A certificate proves by itself; signature headers, where sent, must verify all the same.
    pub fn prove(
        &self,
        request: &Request,
        signatures: &SignatureCheck,
        now: Instant,
    ) -> Result<Proven, ProtocolError> {
        // A wrong certificate beside a right signature is no way in: it never was, and its owner should know.
        if let ClientCertificate::Distrusted(why) = request.peer.certificate {
            return Err(ProtocolError::CallerUnknown { shown: Shown::Distrusted(why) });
        }
        let trusted = request.peer.certificate.trusted();
        let certified = trusted.and_then(|shown| self.by_certificate.get(shown.as_str()));
        let headers = request.parts.headers.iter();
        let texts = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signed = match SignatureHeaders::gather(texts) {
            Ok(Some(headers)) => self.signer(&headers, request.peer.address.ip(), signatures, now).map(Some),
            Ok(None) => Ok(None),
            Err(cause) => Err(cause.into()),
        };
        match (certified, signed) {
            (Some(institutions), Ok(Some(signer))) => {
                let both = institutions.iter().filter(|code| signer.institutions.contains(code)).cloned();
                Ok(Proven { institutions: both.collect(), signed: true })
            }
            // Clients behind one front machine send the headers of another gateway along; the certificate has spoken.
            (Some(institutions), Ok(None) | Err(ProtocolError::CallerUnknown { .. })) => {
                Ok(Proven { institutions: Arc::clone(institutions), signed: false })
            }
            (None, Ok(Some(signer))) => {
                Ok(Proven { institutions: Arc::clone(&signer.institutions), signed: true })
            }
            (None, Ok(None)) => {
                let shown = trusted.map_or(Shown::Nothing, |_| Shown::Certificate);
                Err(ProtocolError::CallerUnknown { shown })
            }
            (Some(_) | None, Err(cause)) => Err(cause),
        }
    }

    fn signer(
        &self,
        headers: &SignatureHeaders<'_>,
        from: IpAddr,
        signatures: &SignatureCheck,
        now: Instant,
    ) -> Result<&Signer, ProtocolError> {
        let unknown = ProtocolError::CallerUnknown { shown: Shown::Signature };
        let Some(signer) = self.by_paas_id.get(headers.caller) else { return Err(unknown) };
        if !signer.networks.iter().any(|network| network.holds(from)) {
            return Err(unknown);
        }
        signatures.check(headers, &signer.secret, now)?;
        Ok(signer)
    }
}

fn read_secret(paas_id: &str, path: &PathBuf) -> Result<Zeroizing<Vec<u8>>, BadCaller> {
    use std::os::unix::fs::PermissionsExt as _;
    let (paas_id, unreadable) = (paas_id.to_owned(), |paas_id: &str, cause| BadCaller::Secret {
        paas_id: paas_id.to_owned(),
        path: path.clone(),
        cause,
    });
    let metadata = std::fs::metadata(path).map_err(|cause| unreadable(&paas_id, cause))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BadCaller::OpenToOthers { paas_id, path: path.clone(), mode });
    }
    let text = Zeroizing::new(std::fs::read(path).map_err(|cause| unreadable(&paas_id, cause))?);
    let secret = Zeroizing::new(text.trim_ascii().to_vec());
    if secret.is_empty() { Err(BadCaller::Empty { paas_id, path: path.clone() }) } else { Ok(secret) }
}
