//! Use cases, a file per verb: load facts → let the domain decide → commit → give back what was recorded.

pub mod admit;
pub mod call;
pub mod cancel_admission;
pub mod cancel_discharge;
pub mod change;
pub mod credential;
mod deed;
pub mod discharge;
pub mod entitle;
pub mod error;
pub mod explain;
pub mod file;
mod hints;
pub mod identify;
pub mod import;
pub mod institution;
pub mod look;
pub mod look_catalogue;
pub mod month;
mod person;
pub mod quote;
pub mod receipt;
pub mod reverse;
pub mod seams;
pub mod settings;
pub mod settle;
pub mod sign_in;
mod stay;
pub mod story;
pub mod undo;
pub mod upload;
pub mod withdraw;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::cache::Cache;
use crate::cache::bus::Bus;
use crate::cache::bus::MemoryBus;
use crate::domain::calendar::Day;
use crate::domain::ids::Bucket;
use crate::domain::ids::FilingId;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::reference::Reference;
use crate::ledger::Ledger;
use crate::service::credential::Credentials;
use crate::service::seams::Clock;
use crate::service::seams::Ids;
use crate::service::settings::Settings;

/// Everything that the use cases share. Cheap to share behind an `Arc`; holds no state of its own.
pub struct Service {
    pub ledger: Arc<dyn Ledger>,
    pub cache: Arc<dyn Cache>,
    /// Tells other nodes, and whoever watches, what has happened.
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub credentials: Arc<dyn Credentials>,
    /// Replaced whole when a shared table or a pack changes.
    pub reference: ArcSwap<Reference>,
    pub settings: Settings,
    ids: Ids,
}

impl Service {
    pub fn new(
        ledger: Arc<dyn Ledger>,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        credentials: Arc<dyn Credentials>,
        reference: Reference,
        settings: Settings,
    ) -> Self {
        let ids = Ids::new(ledger.lane());
        let reference = ArcSwap::from_pointee(reference);
        let bus = Arc::new(MemoryBus::default());
        Self { ledger, cache, bus, clock, credentials, reference, settings, ids }
    }

    /// The same over the bus of several nodes.
    #[must_use]
    pub fn with_bus(self, bus: Arc<dyn Bus>) -> Self {
        Self { bus, ..self }
    }

    pub(crate) fn new_stay_id(&self, bucket: Bucket) -> StayId {
        StayId::parse(&self.ids.next(bucket, self.clock.now()))
            .expect("ids made here are 30 plain characters")
    }

    pub(crate) fn new_settlement_id(&self, bucket: Bucket) -> SettlementId {
        let id = self.ids.next(bucket, self.clock.now());
        SettlementId::parse(&id).expect("ids made here are 30 plain characters")
    }

    pub(crate) fn new_filing_id(&self, bucket: Bucket) -> FilingId {
        FilingId::parse(&self.ids.next(bucket, self.clock.now()))
            .expect("ids made here are 30 plain characters")
    }

    /// Today in China.
    pub fn today(&self) -> Day {
        self.clock.now().day()
    }
}
