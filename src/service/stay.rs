//! Owns the checks of every stay-bound call: the stay is the calling institution's, and the person is the stay's.

use crate::domain::admission::StayInHand;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::refusal::Refusal;
use crate::ledger::Facts;
use crate::ledger::StayFacts;
use crate::ledger::Who;
use crate::service::Service;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

impl StayRef {
    pub(crate) fn who(&self) -> Who {
        Who::Stay { stay: self.stay.clone(), number: self.number.clone() }
    }
}

impl StayFacts {
    pub(crate) fn in_hand(&self) -> StayInHand<'_> {
        StayInHand { id: &self.id, state: &self.state }
    }
}

impl Service {
    /// The stay that a call is about, once it is proven to be the caller's.
    ///
    /// # Errors
    /// `StayUnknown` (also for another institution's stay, so that nothing is revealed), `PersonDiffers`,
    /// `InsuredRegionDiffers`, `RegionUnknown`.
    pub(crate) fn own_stay<'f>(
        &self,
        institution: &InstitutionCode,
        insured_region: Option<RegionCode>,
        order: &StayRef,
        facts: &'f Facts,
    ) -> Result<&'f StayFacts, ServiceError> {
        let unknown = || Refusal::StayUnknown { stay: order.stay.clone() };
        let stay = facts.stay.as_ref().ok_or_else(unknown)?;
        if stay.state.admission.institution != *institution {
            return Err(unknown().into());
        }
        if facts.key.number() != order.number {
            return Err(Refusal::PersonDiffers { stay: order.stay.clone() }.into());
        }
        self.check_insured_region(insured_region, facts)?;
        Ok(stay)
    }

    fn check_insured_region(&self, given: Option<RegionCode>, facts: &Facts) -> Result<(), Refusal> {
        let Some(given) = given else { return Ok(()) };
        let pool = self.reference.load().regions.pool_of(given, self.today());
        match pool {
            None => Err(Refusal::RegionUnknown { region: given }),
            Some(pool) if pool == facts.key.pool => Ok(()),
            Some(_) => Err(Refusal::InsuredRegionDiffers { given }),
        }
    }
}
