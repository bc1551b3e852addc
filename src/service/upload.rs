//! 2301: takes fee lines in, each split by the catalogue of the place of care.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::domain::upload::LineOrder;

use crate::domain::lines::Lines;
use crate::domain::record::Body;
use crate::domain::record::Line;
use crate::domain::record::Record;
use crate::domain::refusal::LineFault;
use crate::domain::refusal::LineRefusal;
use crate::domain::refusal::Refusal;
use crate::domain::scene;
use crate::domain::scene::Scene;
use crate::domain::settle::check_act;
use crate::domain::split::Scope;
use crate::domain::stay::Act;
use crate::domain::upload::Taken;
use crate::domain::upload::UploadFacts;
use crate::domain::upload::upload;
use crate::ledger::Facts;
use crate::service::Service;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Attempt;
use crate::service::deed::Begun;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Sight;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Upload {
    pub stay: StayRef,
    pub lines: Vec<LineOrder>,
}

#[derive(Clone, Debug)]
pub struct Uploaded {
    /// Every line of the call in its order, each with its split, also those that stood already.
    pub lines: Vec<Line>,
    /// Holds the lines that did not stand yet. Recorded also without any: sent again when those that stood have been
    /// withdrawn, it must not bring them back.
    pub record: Arc<Record>,
    pub replayed: bool,
}

impl Service {
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `TooManyLines`, `PlaceNotServed`, `NotCovered`, `Lines` with every
    /// faulty line.
    pub async fn upload(&self, call: &Call, order: Upload) -> Result<Uploaded, ServiceError> {
        let max = self.settings.lines_per_call_max;
        if order.lines.len() > max {
            return Err(Refusal::TooManyLines { given: order.lines.len(), max, of_stay: false }.into());
        }
        self.remembering(|sight| self.upload_at(sight, call, &order)).await
    }

    async fn upload_at(
        &self,
        sight: Sight,
        call: &Call,
        order: &Upload,
    ) -> Result<Attempt<Uploaded>, ServiceError> {
        let wanted = Wanted::with_lines(order.stay.who()).at(sight);
        let load = match self.begin(call, &wanted).await? {
            Begun::Replay { record, facts } => {
                return uploaded_before(order, record, facts).map(Attempt::Decided);
            }
            Begun::Fresh(load) => *load,
        };
        let taken = self.take_lines(call, order, &load)?;
        if sight == Sight::Remembered && self.ledger.remembers() && taken.fresh.is_empty() {
            // Nothing new in it: most likely it was done before, which only the ledger knows.
            return Ok(Attempt::Undecided);
        }
        let first = Mutex::new(Some(taken));
        let last = Mutex::new(Vec::new());
        let answered = self
            .perform(call, &wanted, load, |load| self.decide_upload(call, order, load, &first, &last))
            .await?;
        if answered.replayed {
            return uploaded_before(order, answered.record, None).map(Attempt::Decided);
        }
        let lines = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Attempt::Decided(Uploaded { lines, record: answered.record, replayed: false }))
    }

    /// `first`: what was taken on the first load, so that it is not split twice. `last`: all lines, for the answer.
    fn decide_upload(
        &self,
        call: &Call,
        order: &Upload,
        load: &Load,
        first: &Mutex<Option<Taken>>,
        last: &Mutex<Vec<Line>>,
    ) -> Result<Decision, ServiceError> {
        let before = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let taken = match before {
            Some(taken) => taken,
            None => self.take_lines(call, order, load)?,
        };
        *last.lock().unwrap_or_else(PoisonError::into_inner) = taken.all;
        let body = Body::LinesUploaded(taken.fresh);
        Ok(Decision { guards_person: false, ..Decision::at(body, &order.stay.stay) })
    }

    fn take_lines(&self, call: &Call, order: &Upload, load: &Load) -> Result<Taken, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        check_act(&stay.id, &stay.state, Act::Upload)?;
        let (nothing, reference) = (Lines::default(), self.reference.load());
        let standing = load.facts.lines.as_deref().unwrap_or(&nothing);
        let (given, max) = (standing.len() + order.lines.len(), self.settings.lines_per_stay_max);
        if given > max {
            return Err(Refusal::TooManyLines { given, max, of_stay: true }.into());
        }
        let admission = &stay.state.admission;
        let admitted = admission.begun.day();
        let scene = Scene::set(&reference, load.facts.key.pool, &admission.institution, admitted)?;
        let coverage = scene::coverage(&load.facts.person.register, &admission.insutype, admitted)?;
        let facts = UploadFacts {
            catalogue: scene.catalogue()?,
            parties: scene.parties(coverage)?,
            scope: if admission.work_injury { Scope::Injury } else { Scope::Medical },
            standing,
            admitted,
            discharged: stay.state.discharge.as_ref().map(|discharge| discharge.ended.day()),
            last_part: stay.state.parts.last(),
            today: self.today(),
            tolerance: self.settings.amount_tolerance,
        };
        Ok(upload(&facts, &order.lines)?)
    }
}

/// The first answer again: lines of its record, and those that stood before it and still do. A line that was withdrawn
/// since is not answered for.
fn uploaded_before(
    order: &Upload,
    record: Arc<Record>,
    facts: Option<Box<Facts>>,
) -> Result<Uploaded, ServiceError> {
    let recorded = match &record.body {
        Body::LinesUploaded(lines) => lines.as_slice(),
        _ => &[],
    };
    let standing = facts.and_then(|facts| facts.lines).unwrap_or_default();
    let find = |wanted: &LineOrder| {
        let own = recorded.iter().find(|line| line.no == wanted.no);
        let earlier = standing.find(&wanted.no).map(|row| &row.line);
        own.or(earlier).filter(|line| line.content == wanted.content).cloned()
    };
    let gone = |wanted: &LineOrder| LineFault { no: wanted.no.clone(), cause: LineRefusal::Unknown };
    let (mut lines, mut faults) = (Vec::with_capacity(order.lines.len()), Vec::new());
    for wanted in &order.lines {
        match find(wanted) {
            Some(line) => lines.push(line),
            None => faults.push(gone(wanted)),
        }
    }
    if !faults.is_empty() {
        return Err(Refusal::Lines(faults).into());
    }
    Ok(Uploaded { lines, record, replayed: true })
}
