//! The story of one message: when, by whom, what was decided and why, what undid it, what to do next. No personal data.

use crate::domain::calendar::Instant;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::service::Service;
use crate::service::error::ServiceError;

/// What is known of one message key.
#[derive(Clone, Debug)]
pub struct Story {
    pub key: MessageKey,
    pub deed: Option<Told>,
    pub ended: Option<Ended>,
    pub next: NextStep,
}

/// A deed without personal data.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Instant,
    pub received_at: Instant,
    pub operator: String,
    pub reference: String,
    pub stay: Option<StayId>,
    /// The settlement, reversal or revival that it made.
    pub settlement: Option<SettlementId>,
    pub warning: String,
    /// What was decided and why, one fact a line, English.
    pub facts: Vec<String>,
    /// The record, for those who may see more.
    pub record: std::sync::Arc<Record>,
}

/// What ended it.
#[derive(Clone, Debug)]
pub enum Ended {
    Undone(Told),
    /// It never was done, and may not be any more.
    Fenced(Told),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It stands: sending it again is answered with the same bytes.
    Nothing,
    /// Undone or fenced: send the order under a new msgid if it is still wanted.
    SendUnderNewId,
}

impl Service {
    /// Every message with that id, of one institution or of all. Empty: never arrived, or was refused.
    ///
    /// # Errors
    /// Only the ledger's.
    pub async fn story(
        &self,
        _message: &MessageId,
        _institution: Option<&InstitutionCode>,
    ) -> Result<Vec<Story>, ServiceError> {
        unimplemented!()
    }
}
