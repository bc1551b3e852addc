//! 2001: what she would get here on a day, fund by fund, and whether a filing covers it.

use crate::domain::entitlement;
use crate::domain::entitlement::Asked;
use crate::domain::entitlement::FundEntitlement;
use crate::domain::scene::Scene;
use crate::ledger::Who;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing::Filing;
use crate::domain::filing::Reason;
use crate::domain::ids::RegionCode;
use crate::domain::person::PersonPrivate;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Entitle {
    /// `psn_no`
    pub number: String,
    pub insutype: String,
    pub med_type: String,
    /// `begntime`: the day of admission, or the day that is asked about.
    pub day: Day,
    /// Emergency flag, where the hospital sends one; `med_type` 24 counts by itself.
    pub emergency: bool,
    pub work_injury: bool,
}

/// What a stay that began on that day would be settled by.
#[derive(Clone, Debug)]
pub struct Entitlement {
    pub person: Arc<PersonPrivate>,
    pub funds: Vec<FundEntitlement>,
    /// Absent when no fund pays at all; the refusal in every row says why.
    pub filing: Option<FilingSeen>,
}

/// The filing that would count.
#[derive(Clone, Debug)]
pub struct FilingSeen {
    pub scheme: Scheme,
    pub level: BenefitLevel,
    pub reason: Reason,
    pub filing: Option<Filing>,
    /// Where she would be treated, for the sentence that tells her what to file.
    pub place: RegionCode,
    pub place_name: String,
}

impl Service {
    /// # Errors
    /// Only who and where: `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`,
    /// `InstitutionUnknown`. Everything else stands in the rows.
    pub async fn entitle(&self, caller: &Caller, order: Entitle) -> Result<Entitlement, ServiceError> {
        let key = self.person_key(caller, &order.number)?;
        let facts = self.load(&Wanted::of(Who::Person(key))).await?;
        let reference = self.reference.load();
        let scene = Scene::set(&reference, facts.key.pool, &caller.institution, order.day)?;
        let asked = Asked {
            insutype: &order.insutype,
            med_type: &order.med_type,
            emergency: order.emergency,
            work_injury: order.work_injury,
            today: self.today(),
        };
        let person = &facts.person;
        Ok(match entitlement::ruled(&scene, person, &asked) {
            Err(cause) => Entitlement {
                funds: vec![entitlement::refused(&order.insutype, order.day, cause)],
                filing: None,
                person: facts.private,
            },
            Ok(ruled) => Entitlement {
                funds: entitlement::funds(&scene, person, &ruled),
                filing: Some(FilingSeen {
                    scheme: ruled.policy.scheme,
                    level: ruled.filing.level,
                    reason: ruled.filing.reason,
                    filing: ruled.filing.filing.cloned(),
                    place: scene.care.city,
                    place_name: reference.regions.name(scene.care.city, order.day),
                }),
                person: facts.private,
            },
        })
    }
}
