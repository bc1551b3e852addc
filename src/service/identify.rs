//! 1101: a credential → the person and everything that insures her.

use crate::domain::calendar::Day;
use crate::domain::refusal::Refusal;
use crate::domain::scene::covered_by;
use crate::ledger::Who;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::ids::PersonKey;
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
    /// `CredentialUnknown`, `TokenNotServed`, `PersonAmbiguous`, `CredentialOfAnother`, `RegionUnknown`,
    /// `RegionNotConnected`.
    pub async fn identify(&self, caller: &Caller, order: Identify) -> Result<Identified, ServiceError> {
        let pool = caller.insured_region.map(|region| self.pool(region)).transpose()?;
        let credential = self.resolved(&order.credential).await?;
        let mut holders = self.ledger.find_persons(credential.on_file()).await?;
        holders.retain(|holder| pool.is_none_or(|pool| holder.pool == pool));
        let mut found = Vec::with_capacity(holders.len());
        for key in holders {
            found.push(self.identified(key).await?);
        }
        let person = self.one_of(found, &order.credential.kind)?;
        let shown = order.certificate_number.filter(|number| !number.is_empty());
        if shown.is_some_and(|number| number != person.person.certificate_number) {
            return Err(Refusal::CredentialOfAnother { kind: order.credential.kind }.into());
        }
        Ok(person)
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
