//! Owns how a call's `psn_no` and credential become one person of the register.

use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::person::PersonPrivate;
use crate::domain::refusal::Refusal;
use crate::domain::scene::held_pool;
use crate::ledger::Facts;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::credential::Credential;
use crate::service::credential::NotResolved;
use crate::service::error::ServiceError;

impl Service {
    /// The key that `psn_no` means for a caller: its `insuplc_admdvs` must name a pool that is held.
    ///
    /// # Errors
    /// `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`.
    pub fn person_key(&self, caller: &Caller, number: &str) -> Result<PersonKey, ServiceError> {
        let region = caller.insured_region.ok_or(Refusal::InsuredRegionMissing)?;
        let pool = self.pool(region)?;
        PersonKey::parse(pool, number).map_err(|_| Refusal::PersonUnknown { pool }.into())
    }

    /// The pool that a region code means, if it is held here.
    pub(crate) fn pool(&self, region: RegionCode) -> Result<RegionCode, Refusal> {
        held_pool(&self.reference.load(), region, self.today())
    }

    /// The credential must be hers.
    ///
    /// # Errors
    /// `TokenNotServed`, `CredentialUnknown`, `CredentialOfAnother`.
    pub(crate) async fn check_credential(
        &self,
        facts: &Facts,
        shown: &Credential,
    ) -> Result<(), ServiceError> {
        let credential = self.resolved(shown).await?;
        if is_on_file(&facts.private, &credential) {
            return Ok(());
        }
        let holders = self.ledger.find_persons(credential.on_file()).await?;
        let kind = shown.kind.clone();
        if holders.contains(&facts.key) {
            return Ok(());
        }
        let cause = if holders.is_empty() {
            Refusal::CredentialUnknown { kind }
        } else {
            Refusal::CredentialOfAnother { kind }
        };
        Err(cause.into())
    }

    pub(crate) async fn resolved(&self, shown: &Credential) -> Result<Credential, Refusal> {
        self.credentials.resolve(shown).await.map_err(|cause| match cause {
            NotResolved::NotServed => Refusal::TokenNotServed,
            NotResolved::Unknown => Refusal::CredentialUnknown { kind: shown.kind.clone() },
        })
    }
}

/// Whether the register's own row shows it to be hers, without asking the look-up table.
fn is_on_file(person: &PersonPrivate, credential: &Credential) -> bool {
    let number = credential.number.as_str();
    match credential.kind.as_str() {
        "02" => !number.is_empty() && person.certificate_number == number,
        "03" => !number.is_empty() && person.card_number == number,
        _ => false,
    }
}
