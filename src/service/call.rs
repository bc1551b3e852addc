//! Owns what every call brings beside its order: who sent it, which message it is, and what is kept to answer it again.

use std::sync::Arc;

use crate::domain::calendar::Instant;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::StayId;
use crate::domain::person::PersonPrivate;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::refusal::Caution;

/// Who asks. Enough for a call that changes nothing.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Proven by certificate or signature before it comes here.
    pub institution: InstitutionCode,
    /// `insuplc_admdvs` of the envelope.
    pub insured_region: Option<RegionCode>,
}

/// A call that would change state.
#[derive(Clone, Debug)]
pub struct Call {
    pub key: MessageKey,
    /// `insuplc_admdvs` of the envelope.
    pub insured_region: Option<RegionCode>,
    pub content: ContentHash,
    /// `inf_refmsgid` of the answer, should this be the first.
    pub reference: String,
    pub received_at: Instant,
    pub operator: String,
    /// Version of the writer that will write the answer.
    pub writer: u16,
    /// What the reader had to say, put before our own cautions in `warn_msg`.
    pub noted: String,
    /// How the caller's protocol words a caution.
    pub words: fn(&Caution) -> String,
}

impl Call {
    pub fn institution(&self) -> &InstitutionCode {
        &self.key.institution
    }

    pub fn caller(&self) -> Caller {
        Caller { institution: self.key.institution.clone(), insured_region: self.insured_region }
    }
}

/// A stay as a caller names it: both must belong together.
#[derive(Clone, Debug)]
pub struct StayRef {
    pub stay: StayId,
    /// `psn_no`
    pub number: String,
}

/// A deed that stands in the ledger: done now, or found as the first answer of a replay.
#[derive(Clone, Debug)]
pub struct Answered {
    pub record: Arc<Record>,
    /// Her names and numbers as they stood when the deed was done, so that a replay is answered with the same bytes.
    pub person: Arc<PersonPrivate>,
    pub replayed: bool,
}
