//! Owns the ledger as a gateway uses it: the same, and what became of deeds is counted.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Receipted;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::credential::Credential;
use crate::service::seams::Clock;
use crate::telemetry::ledger::Fate;
use crate::telemetry::ledger::LedgerMeter;

pub(super) struct Counted {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) meter: LedgerMeter,
    pub(super) clock: Arc<dyn Clock>,
}

fn fate(outcome: &Result<Committed, LedgerError>) -> Fate {
    match outcome {
        Ok(Committed::Recorded(_)) => Fate::Recorded,
        Ok(Committed::FactsMoved) => Fate::Moved,
        Err(LedgerError::Full { .. } | LedgerError::Stopping) => Fate::Shed,
        Err(LedgerError::Unfit { .. }) => Fate::Unfit,
        Err(_) => Fate::Unknown,
    }
}

impl Ledger for Counted {
    fn commit(&self, facts: Facts, deed: Deed) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        async move {
            let waiting = self.meter.wait();
            let outcome = self.ledger.commit(facts, deed).await;
            if let Ok(Committed::Recorded(record)) = &outcome {
                self.meter.recorded(record.at.0 - self.clock.now().0);
            }
            waiting.ended(fate(&outcome));
            outcome
        }
        .boxed()
    }

    fn reference_version(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        async move {
            let version = self.ledger.reference_version().await;
            // Of an outage that the ledger tells it also tells the end, and sooner.
            let fault = version.as_ref().err();
            self.meter.answers(fault.is_none_or(LedgerError::is_known_outage));
            version
        }
        .boxed()
    }

    fn look_up(&self, wanted: LookUp) -> BoxFuture<'_, Result<Found, LedgerError>> {
        self.ledger.look_up(wanted)
    }

    fn find_persons(&self, credential: Credential) -> BoxFuture<'_, Result<Vec<PersonKey>, LedgerError>> {
        self.ledger.find_persons(credential)
    }

    fn records(
        &self,
        person: &PersonKey,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Record>>, LedgerError>> {
        self.ledger.records(person, from, limit)
    }

    fn settlement(&self, id: &SettlementId) -> BoxFuture<'_, Result<Option<Arc<Record>>, LedgerError>> {
        self.ledger.settlement(id)
    }

    fn receipt(&self, id: &SettlementId) -> BoxFuture<'_, Result<Receipted, LedgerError>> {
        self.ledger.receipt(id)
    }

    fn trace(
        &self,
        message: &MessageId,
        institution: Option<&InstitutionCode>,
    ) -> BoxFuture<'_, Result<Vec<(MessageKey, Message)>, LedgerError>> {
        self.ledger.trace(message, institution)
    }

    fn month(
        &self,
        month: Month,
        after: Option<&SettlementId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ClearingRow>, LedgerError>> {
        self.ledger.month(month, after, limit)
    }

    fn reference(&self) -> BoxFuture<'_, Result<ReferenceRows, LedgerError>> {
        self.ledger.reference()
    }

    fn record_reference(
        &self,
        source: String,
        change: ReferenceChange,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.ledger.record_reference(source, change)
    }

    fn raise_floor(&self, floor: Instant) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.raise_floor(floor)
    }

    fn verify(&self, wish: Verify) -> BoxFuture<'_, Result<Verified, LedgerError>> {
        self.ledger.verify(wish)
    }

    fn forget_recent(&self) {
        self.ledger.forget_recent();
    }

    fn remembers(&self) -> bool {
        self.ledger.remembers()
    }

    fn bucket(&self, person: &PersonKey) -> Bucket {
        self.ledger.bucket(person)
    }

    fn lane(&self) -> u32 {
        self.ledger.lane()
    }
}
