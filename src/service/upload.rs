//! 2301: takes fee lines in, each split by the catalogue of the place of care.

use std::sync::Arc;

use crate::domain::upload::LineOrder;

use crate::domain::record::Line;
use crate::domain::record::Record;
use crate::service::Service;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Upload {
    pub stay: StayRef,
    pub lines: Vec<LineOrder>,
}

#[derive(Clone, Debug)]
pub struct Uploaded {
    /// Every line of the call in its order, each with its split, also those that stood already.
    pub lines: Vec<Arc<Line>>,
    /// Absent when every line stood already: then nothing changed.
    pub record: Option<Arc<Record>>,
    pub replayed: bool,
}

impl Service {
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `TooManyLines`, `PlaceNotServed`, `NotCovered`, `Lines` with every
    /// faulty line.
    pub async fn upload(&self, _call: &Call, _order: Upload) -> Result<Uploaded, ServiceError> {
        unimplemented!()
    }
}
