//! Who a number names, for someone who wants to see her own data. Proves nothing: the one-time code does.

use crate::domain::calendar::Day;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::person::CoverageStatus;
use crate::ledger::LookUp;
use crate::ledger::Who;
use crate::ledger::credential::Credential;
use crate::service::Service;
use crate::service::error::ServiceError;

/// Somebody in the register.
#[derive(Clone)]
pub struct Named {
    pub key: PersonKey,
    /// Where a code can be sent to; empty when the register has none.
    pub phone: String,
    /// Insured there today.
    pub insured: bool,
}

impl Service {
    /// Identity number or card number, in every pool or in one; with a pool also a person number (人员编号). Those
    /// insured today come first.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn persons_named(
        &self,
        number: &str,
        pool: Option<RegionCode>,
    ) -> Result<Vec<Named>, ServiceError> {
        let mut keys = Vec::new();
        for shown in [Credential::IdentityNumber(number.into()), Credential::Card(number.into())] {
            keys.extend(self.ledger.find_persons(shown).await?);
        }
        keys.extend(pool.and_then(|pool| PersonKey::parse(pool, number).ok()));
        keys.retain(|key| pool.is_none_or(|pool| key.pool == pool));
        keys.sort();
        keys.dedup();
        let mut named = Vec::new();
        for key in keys {
            named.extend(self.named(key).await?);
        }
        named.sort_by_key(|person| !person.insured);
        Ok(named)
    }

    async fn named(&self, key: PersonKey) -> Result<Option<Named>, ServiceError> {
        let who = Who::Person(key.clone());
        let wanted = LookUp::of(who);
        let found = self.ledger.look_up(wanted).await?;
        let today = self.today();
        Ok(found.facts.map(|facts| Named {
            insured: facts.person.register.coverages.iter().any(|c| is_active(c, today)),
            phone: facts.private.phone.clone(),
            key,
        }))
    }
}

fn is_active(coverage: &crate::domain::person::Coverage, today: Day) -> bool {
    coverage.status == CoverageStatus::Active && coverage.covers(today)
}
