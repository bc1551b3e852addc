//! 1101: a credential → the person and everything that insures her.

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
    pub async fn identify(&self, _caller: &Caller, _order: Identify) -> Result<Identified, ServiceError> {
        unimplemented!()
    }
}
