//! 5201–5206 and 5301–5304: what a hospital may look up of its own stays, and a person of all hers.

use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::filing::Filing;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::lines::Standing;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::DischargePrivate;
use crate::domain::record::FilingPrivate;
use crate::domain::record::Record;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::call::StayRef;
use crate::service::error::ServiceError;

/// Whose view it is.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// A hospital sees its own stays.
    Institution(InstitutionCode),
    /// She sees all of hers.
    Person,
    /// The center sees all.
    Center,
}

/// A stay with what its records say.
#[derive(Clone, Debug)]
pub struct StaySeen {
    pub id: StayId,
    pub state: StayState,
    pub admission: AdmissionPrivate,
    pub discharge: DischargePrivate,
    /// `at` of the last record about it.
    pub changed_at: Instant,
    pub operator: String,
}

/// Settlement, reversal or revival, whether it stands, and what ended it.
#[derive(Clone, Debug)]
pub struct SettlementSeen {
    pub record: Arc<Record>,
    pub stay: StayId,
    pub stands: bool,
    /// The record that reversed it last.
    pub reversed_by: Option<Arc<Record>>,
}

/// Everything about one person that her records tell, folded once.
#[derive(Clone, Debug)]
pub struct PersonSeen {
    pub key: PersonKey,
    pub person: Arc<PersonPrivate>,
    pub register: Register,
    pub state: PersonState,
    /// Every stay, also cancelled ones, in order of admission, as far as the viewer may see them.
    pub stays: Vec<StaySeen>,
    pub settlements: Vec<SettlementSeen>,
    pub filings: Vec<FilingSeen>,
}

/// A filing with what was written on it.
#[derive(Clone, Debug)]
pub struct FilingSeen {
    pub filing: Filing,
    pub private: FilingPrivate,
    pub made_at: Instant,
    pub operator: String,
}

/// Which stays 5201 and 5303 want.
#[derive(Clone, Debug, Default)]
pub struct StayFilter {
    pub from: Option<Day>,
    pub to: Option<Day>,
    /// Empty: every kind.
    pub med_type: String,
    pub stay: Option<StayId>,
    /// 5303: only those in hospital.
    pub open_only: bool,
}

impl Service {
    /// `psn_no` and `insuplc_admdvs` → the person, with what this viewer may see. Serves 5201, 5202, 5206, 5303, 5304
    /// and the person's pages.
    pub async fn look_at_person(
        &self,
        _key: &PersonKey,
        _viewer: &Viewer,
    ) -> Result<PersonSeen, ServiceError> {
        unimplemented!()
    }

    /// 5203: one settlement, reversal or revival of the caller's own stay.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`.
    pub async fn look_at_settlement(
        &self,
        _caller: &Caller,
        _stay: &StayRef,
        _settlement: &SettlementId,
    ) -> Result<(PersonSeen, SettlementSeen), ServiceError> {
        unimplemented!()
    }

    /// 5204: the standing lines of the caller's own stay, of one settlement or all.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`.
    pub async fn look_at_lines(
        &self,
        _caller: &Caller,
        _stay: &StayRef,
        _settlement: Option<&SettlementId>,
    ) -> Result<Vec<Standing>, ServiceError> {
        unimplemented!()
    }
}

impl PersonSeen {
    pub fn stays_where<'a>(&'a self, filter: &'a StayFilter) -> impl Iterator<Item = &'a StaySeen> {
        self.stays.iter().filter(move |stay| filter.takes(stay))
    }
}

impl StayFilter {
    fn takes(&self, stay: &StaySeen) -> bool {
        let begun = stay.state.admission.begun.day();
        self.from.is_none_or(|from| begun >= from)
            && self.to.is_none_or(|to| begun <= to)
            && (self.med_type.is_empty() || self.med_type == stay.state.admission.med_type)
            && self.stay.as_ref().is_none_or(|id| *id == stay.id)
            && (!self.open_only || stay.is_open())
    }
}

impl StaySeen {
    pub fn is_open(&self) -> bool {
        self.state.discharge.is_none() && self.state.state != crate::domain::stay::State::Cancelled
    }
}
