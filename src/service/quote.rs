//! 2303: what 2304 would do now. Commits nothing.

use std::sync::Arc;

use crate::domain::person::PersonPrivate;
use crate::domain::record::Settlement;
use crate::domain::refusal::Caution;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::error::ServiceError;
use crate::service::settle::Settle;

#[derive(Clone, Debug)]
pub struct Quoted {
    /// Its id is a number that nobody keeps.
    pub settlement: Settlement,
    pub person: Arc<PersonPrivate>,
    pub cautions: Vec<Caution>,
}

impl Service {
    /// # Errors
    /// As `settle`, and the first time for an unfiled stay `Unfiled` with both cash figures where the institution is
    /// switched so.
    pub async fn quote(&self, _caller: &Caller, _order: Settle) -> Result<Quoted, ServiceError> {
        unimplemented!()
    }
}
