//! Owns the verdict on a client's certificate: trusted, or shown and not trusted, and why.
//!
//! Where certificates are accepted and not required, a wrong one does not end the handshake: all that its owner would
//! see is an alert, and nobody who runs a HIS knows what `unknown_ca` asks of him. The handshake still proves that the
//! client holds the private key. The chain is judged right after it, by rustls' own verifier, and a certificate that
//! fails is never handed on as one: [`ClientCertificate::Distrusted`] has no fingerprint that anyone could look up.

use std::fmt;
use std::sync::Arc;

use ring::digest;
use rustls::CertificateError;
use rustls::DigitallySignedStruct;
use rustls::DistinguishedName;
use rustls::Error;
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::ClientCertVerified;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::UnixTime;

/// What a client showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    Absent,
    /// Signed by an authority of ours, in force, meant for clients, and its key is the client's.
    Trusted(Fingerprint),
    /// Proves nothing. Whoever shows one is refused, whatever else it brings.
    Distrusted(Distrust),
}

impl ClientCertificate {
    pub fn trusted(&self) -> Option<&Fingerprint> {
        match self {
            ClientCertificate::Trusted(fingerprint) => Some(fingerprint),
            ClientCertificate::Absent | ClientCertificate::Distrusted(_) => None,
        }
    }
}

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Signed by an authority that we do not know, or by itself.
    UnknownAuthority,
    Expired,
    NotYetValid,
    /// Anything else: made for servers, for one.
    Unfit,
}

impl Distrust {
    /// For metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Distrust::UnknownAuthority => "unknown_authority",
            Distrust::Expired => "expired",
            Distrust::NotYetValid => "not_yet_valid",
            Distrust::Unfit => "unfit",
        }
    }

    fn of(error: &Error) -> Distrust {
        use CertificateError as C;
        match error {
            // A bad signature: another authority that has the name of ours.
            Error::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => Distrust::UnknownAuthority,
            Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => Distrust::Expired,
            Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => Distrust::NotYetValid,
            _ => Distrust::Unfit,
        }
    }
}

/// Asks the strict verifier, at the time of this machine. A resumed session brings the chain of its first handshake and
/// is judged anew, so a certificate that has expired since is out.
pub(crate) fn judge(
    strict: &dyn ClientCertVerifier,
    shown: Option<&[CertificateDer<'_>]>,
) -> ClientCertificate {
    let Some((leaf, intermediates)) = shown.and_then(<[_]>::split_first) else {
        return ClientCertificate::Absent;
    };
    // Only `Ok` is trust: a new kind of error is distrust without anybody thinking of it here.
    match strict.verify_client_cert(leaf, intermediates, UnixTime::now()) {
        Ok(_) => ClientCertificate::Trusted(Fingerprint::of(leaf)),
        Err(error) => ClientCertificate::Distrusted(Distrust::of(&error)),
    }
}

/// A verifier for the handshake alone: the client must hold the key of what it shows. Whoever uses it must [`judge`]
/// with the strict one before anything is believed.
pub(crate) fn judged_later(strict: &Arc<dyn ClientCertVerifier>) -> Arc<dyn ClientCertVerifier> {
    Arc::new(PossessionOnly { strict: Arc::clone(strict) })
}

#[derive(Debug)]
struct PossessionOnly {
    strict: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for PossessionOnly {
    /// No trust: [`judge`] asks `strict` what is not asked here.
    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    // All else is the strict verifier's, the proofs of possession above all.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    fn offer_client_auth(&self) -> bool {
        self.strict.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.strict.client_auth_mandatory()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.strict.requires_raw_public_keys()
    }
}

const FINGERPRINT_DIGITS: usize = 64;

/// SHA-256 of a certificate's DER form, as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; FINGERPRINT_DIGITS]);

impl Fingerprint {
    /// Of a certificate in DER form.
    pub fn of(certificate: &[u8]) -> Fingerprint {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let hash = digest::digest(&digest::SHA256, certificate);
        let mut text = [0; FINGERPRINT_DIGITS];
        for (pair, byte) in text.chunks_exact_mut(2).zip(hash.as_ref()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Fingerprint(text)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits are ASCII")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.as_str())
    }
}
