//! Owns how a person's credential (电子凭证, 身份证, 社保卡) becomes a number that the register can be asked for.

use futures_util::future::BoxFuture;
use futures_util::future::FutureExt;
use futures_util::future::ready;

use crate::ledger::credential as ledger;

/// 就诊凭证 as the hospital read it. `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `mdtrt_cert_type`: 01 electronic voucher, 02 identity card, 03 social security card.
    pub kind: String,
    /// `mdtrt_cert_no`: token, identity number or card number.
    pub number: String,
}

impl Credential {
    /// As the register's look-up table keeps it. Other kinds of `mdtrt_cert_type` are certificates by that kind.
    pub(crate) fn on_file(&self) -> ledger::Credential {
        let number = self.number.clone();
        match self.kind.as_str() {
            "02" => ledger::Credential::IdentityNumber(number),
            "03" => ledger::Credential::Card(number),
            kind => ledger::Credential::Certificate { kind: kind.into(), number },
        }
    }
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Credential({}, …)", self.kind)
    }
}

/// Why a credential names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotResolved {
    /// No service for this kind is connected.
    NotServed,
    /// The service does not know it, or it ran out.
    Unknown,
}

/// Whoever can tell what a token stands for.
pub trait Credentials: Send + Sync + 'static {
    /// The credential under which the register knows its holder.
    fn resolve<'a>(&'a self, shown: &'a Credential) -> BoxFuture<'a, Result<Credential, NotResolved>>;
}

/// Identity cards and social security cards as they are; no electronic vouchers.
#[derive(Clone, Copy, Debug, Default)]
pub struct CardsOnly;

impl Credentials for CardsOnly {
    fn resolve<'a>(&'a self, shown: &'a Credential) -> BoxFuture<'a, Result<Credential, NotResolved>> {
        let resolved = if shown.kind == "01" { Err(NotResolved::NotServed) } else { Ok(shown.clone()) };
        ready(resolved).boxed()
    }
}

/// For the sandbox: a token is `SANDBOX-` and the identity number. Cards as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct SandboxTokens;

impl SandboxTokens {
    pub const PREFIX: &'static str = "SANDBOX-";

    pub fn token_of(identity_number: &str) -> String {
        format!("{}{identity_number}", Self::PREFIX)
    }
}

impl Credentials for SandboxTokens {
    fn resolve<'a>(&'a self, shown: &'a Credential) -> BoxFuture<'a, Result<Credential, NotResolved>> {
        let resolved = if shown.kind == "01" {
            let number = shown.number.strip_prefix(Self::PREFIX).ok_or(NotResolved::Unknown);
            number.map(|number| Credential { kind: "02".into(), number: number.into() })
        } else {
            Ok(shown.clone())
        };
        ready(resolved).boxed()
    }
}
