//! Owns what the last batch of a lane has moved: the persons and stays, each at its new version. Whoever waits with
//! older facts of one of them cannot succeed any more and is told at once: a storm of equal calls costs one batch, not
//! one each.

use std::collections::HashMap;

use crate::domain::calendar::Instant;
use crate::domain::ids::StayId;
use crate::ledger::prepared::Guard;
use crate::ledger::prepared::Place;
use crate::ledger::prepared::Prepared;

#[derive(Default)]
pub(super) struct Moved {
    persons: HashMap<String, Place>,
    stays: HashMap<StayId, u64>,
}

impl Moved {
    /// A deed was recorded.
    pub(super) fn take(&mut self, deed: &Prepared, place: Place) {
        self.persons.insert(deed.person.clone(), place);
        self.stays.extend(deed.stay.as_ref().map(|stay| (stay.id.clone(), stay.version + 1)));
    }

    /// Version and time of a person as the next batch will find them, as far as this lane knows.
    pub(super) fn seen(&self, deed: &Prepared) -> (u64, Instant) {
        match (&deed.guard, self.persons.get(&deed.person)) {
            (Guard::StayOnly, Some(place)) if place.version > deed.seen.0 => (place.version, place.at),
            _ => deed.seen,
        }
    }

    /// Whether a deed that waits was decided on older facts.
    pub(super) fn decides(&self, deed: &Prepared) -> bool {
        let person = match &deed.guard {
            Guard::Person { version, .. } => {
                self.persons.get(&deed.person).is_some_and(|place| place.version > *version)
            }
            Guard::StayOnly => false,
        };
        let stay = deed.stay.as_ref();
        person || stay.is_some_and(|stay| self.stays.get(&stay.id).is_some_and(|now| *now > stay.version))
    }
}
