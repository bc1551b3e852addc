//! 2302: takes fee lines back.

use std::sync::Arc;

use crate::domain::ids::LineNo;
use crate::domain::record::Record;
use crate::service::Service;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Withdraw {
    pub stay: StayRef,
    pub which: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// "0000": every line that is not settled.
    All,
    These(Vec<LineNo>),
}

#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// Absent when "0000" found nothing to withdraw: then nothing changed.
    pub record: Option<Arc<Record>>,
    pub replayed: bool,
}

impl Service {
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `Lines` with every faulty line.
    pub async fn withdraw(&self, _call: &Call, _order: Withdraw) -> Result<Withdrawn, ServiceError> {
        unimplemented!()
    }
}
