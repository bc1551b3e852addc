//! 1101: a credential → the person and everything that insures her.

use crate::domain::calendar::Day;
use crate::domain::refusal::Refusal;
use crate::domain::scene::covered_by;
use crate::ledger::Who;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::credential::Credential;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Identify {
    pub credential: Credential,
    /// `certno`, where the hospital sent it beside the credential: must be hers.
    pub certificate_number: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Identified {
    pub key: PersonKey,
    pub person: Arc<PersonPrivate>,
    pub register: Register,
    /// What her account may pay now.
    pub balance: Fen,
}

impl Service {
    /// # Errors
    /// `CredentialUnknown`, `TokenNotServed`, `PersonAmbiguous`, `CredentialOfAnother`, `InsuredRegionMistaken`; where
    /// nobody is found by the credential, `RegionUnknown` and `RegionNotConnected` first.
    pub async fn identify(&self, caller: &Caller, order: Identify) -> Result<Identified, ServiceError> {
        let mut found = Vec::new();
        for key in self.holders(caller.insured_region, &order.credential).await? {
            found.push(self.identified(key).await?);
        }
        let person = self.one_of(found, &order.credential.kind)?;
        let shown = order.certificate_number.filter(|number| !number.is_empty());
        if shown.is_some_and(|number| number != person.person.certificate_number) {
            return Err(Refusal::CredentialOfAnother { kind: order.credential.kind }.into());
        }
        Ok(person)
    }

    /// Who shows a credential, of the pool that the region names where one was sent. Many systems send a region of their
    /// own by default, so who is held in another pool is not sent away for it.
    async fn holders(
        &self,
        region: Option<RegionCode>,
        shown: &Credential,
    ) -> Result<Vec<PersonKey>, ServiceError> {
        let pool = region.map(|region| self.pool(region)).transpose();
        let credential = match self.resolved(shown).await {
            Ok(credential) => credential,
            Err(cause) => return Err(pool.err().unwrap_or(cause).into()),
        };
        let all = self.ledger.find_persons(credential.on_file()).await?;
        let Some(given) = region else { return Ok(all) };
        let of = |pool| all.iter().filter(|holder| Some(holder.pool) == pool).cloned().collect::<Vec<_>>();
        let hers = pool.map(of);
        if all.is_empty() || hers.as_ref().is_ok_and(|hers| !hers.is_empty()) {
            return Ok(hers?);
        }
        Err(Refusal::InsuredRegionMistaken { given }.into())
    }

    async fn identified(&self, key: PersonKey) -> Result<Identified, ServiceError> {
        let facts = self.load(&Wanted::of(Who::Person(key))).await?;
        Ok(Identified {
            register: facts.person.register.clone(),
            balance: facts.person.available_balance(),
            person: facts.private,
            key: facts.key,
        })
    }

    /// Of several pools that know the holder, the only one that insures her today.
    fn one_of(&self, mut found: Vec<Identified>, kind: &str) -> Result<Identified, Refusal> {
        let today = self.today();
        if found.len() > 1 && found.iter().any(|person| person.is_insured(today)) {
            found.retain(|person| person.is_insured(today));
        }
        match found.len() {
            0 => Err(Refusal::CredentialUnknown { kind: kind.into() }),
            1 => Ok(found.swap_remove(0)),
            _ => {
                Err(Refusal::PersonAmbiguous { pools: found.iter().map(|person| person.key.pool).collect() })
            }
        }
    }
}

impl Identified {
    fn is_insured(&self, day: Day) -> bool {
        !covered_by(&self.register, day).is_empty()
    }
}
