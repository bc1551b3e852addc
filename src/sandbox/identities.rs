//! Owns the certificates of a sandbox: one authority, the gateway's own, one for each institution. Never for production.

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::date_time_ymd;
use ring::digest;

use crate::domain::calendar::Day;
use crate::domain::ids::InstitutionCode;

/// Years for which sandbox certificates hold.
const YEARS: i32 = 10;

/// Signs all certificates of one sandbox.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    from: Day,
}

/// A certificate with its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
    /// SHA-256 of the certificate, lower-case hexadecimal, as `gateway.toml` names a caller.
    pub fingerprint: String,
}

impl Authority {
    /// A fresh authority whose certificates hold from the day before `today`.
    pub fn make(today: Day) -> Result<Authority, rcgen::Error> {
        let from = today.previous();
        let mut params = dated(CertificateParams::default(), from);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Banyan sandbox authority");
        Ok(Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?, from })
    }

    /// The authority's own certificate, PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A server's identity for these host names and addresses.
    pub fn server(&self, names: &[&str]) -> Result<Identity, rcgen::Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = dated(CertificateParams::new(names)?, self.from);
        params.distinguished_name.push(DnType::CommonName, "Banyan sandbox gateway");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// An institution's identity: its code is the common name.
    pub fn institution(&self, code: &InstitutionCode) -> Result<Identity, rcgen::Error> {
        let mut params = dated(CertificateParams::default(), self.from);
        params.distinguished_name.push(DnType::CommonName, code.as_str());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Result<Identity, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let fingerprint = digest::digest(&digest::SHA256, certificate.der());
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            fingerprint: fingerprint.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

fn dated(mut params: CertificateParams, from: Day) -> CertificateParams {
    let at = |day: Day| {
        let date = day.date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = at(from);
    params.not_after = at(from.plus_months(12 * YEARS));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identity_is_its_own() {
        let authority = Authority::make(Day::from_number(20_261_124).unwrap()).unwrap();
        let server = authority.server(&["localhost", "127.0.0.1"]).unwrap();
        let hospital = authority.institution(&InstitutionCode::parse("H44070300001").unwrap()).unwrap();
        assert!(authority.certificate().starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(hospital.fingerprint.len(), 64);
        assert_ne!(server.fingerprint, hospital.fingerprint);
        assert!(hospital.key.contains("PRIVATE KEY"));
    }
}
