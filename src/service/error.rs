//! Owns what a use case gives back when it does not do what it was asked. `protocol::answer` words each.

use std::sync::Arc;

use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::refusal::Refusal;
use crate::ledger::LedgerError;

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The law or the state of things forbids it. Nothing changed and the message key is free.
    #[error("refused: {0:?}")]
    Refused(Box<Refusal>),
    /// The message id was used before with other content: send it under a new id.
    #[error("message {} was used before with other content", key.message)]
    KeyReused { key: MessageKey, first: Arc<Record> },
    /// It was done and undone since: send the order under a new id.
    #[error("message {} was done and undone since", key.message)]
    Undone { key: MessageKey, by: Arc<Record> },
    /// A 2601 came before it.
    #[error("message {} was fenced off before it was done", key.message)]
    Fenced { key: MessageKey, by: Arc<Record> },
    /// Others wrote first every time: send it again under the same id.
    #[error("others wrote first {attempts} times: send it again under the same id")]
    Contended { attempts: u32 },
    /// A failed commit may have happened: send it again under the same id.
    #[error("the ledger could not take part")]
    Ledger(#[source] LedgerError),
}

impl From<Refusal> for ServiceError {
    fn from(cause: Refusal) -> Self {
        ServiceError::Refused(Box::new(cause))
    }
}

impl From<LedgerError> for ServiceError {
    fn from(cause: LedgerError) -> Self {
        ServiceError::Ledger(cause)
    }
}

/// What a failure of the ledger means for the call that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerFault {
    /// Nothing happened and nothing is wrong: send it again.
    NotTaken,
    /// A fault of ours; nothing happened.
    Ours,
    /// It may have happened: send it again under the same id.
    Unknown,
}

impl ServiceError {
    /// Whether it is part of an outage of the ledger that was told already, once for all who meet it.
    pub fn is_known_outage(&self) -> bool {
        matches!(self, ServiceError::Ledger(cause) if cause.is_known_outage())
    }

    /// For errors of the ledger; anything else is ours.
    pub fn ledger_fault(&self) -> LedgerFault {
        match self {
            ServiceError::Ledger(LedgerError::Full { .. } | LedgerError::Stopping) => LedgerFault::NotTaken,
            ServiceError::Ledger(LedgerError::Storage { .. }) => LedgerFault::Unknown,
            ServiceError::Ledger(
                LedgerError::Unfit { .. }
                | LedgerError::Newer { .. }
                | LedgerError::Behind { .. }
                | LedgerError::OtherKey
                | LedgerError::Damaged { .. }
                | LedgerError::Address(_)
                | LedgerError::Foreign { .. }
                | LedgerError::Occupied { .. }
                | LedgerError::Encoding { .. }
                | LedgerError::Restoring,
            )
            | ServiceError::Refused(_)
            | ServiceError::KeyReused { .. }
            | ServiceError::Undone { .. }
            | ServiceError::Fenced { .. }
            | ServiceError::Contended { .. } => LedgerFault::Ours,
        }
    }
}
