//! 5201–5206 and 5301–5304: what a hospital may look up of its own stays, and a person of all hers.

use crate::domain::filing::FiledBy;
use crate::domain::record::Body;
use crate::domain::record::Private;
use crate::domain::record::Settlement;
use crate::domain::refusal::Refusal;
use crate::domain::state::Folded;
use crate::domain::state::Told;
use crate::domain::stay::State;
use crate::ledger::Who;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::filing::Filing;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::lines::Lines;
use crate::domain::lines::Standing;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::DischargePrivate;
use crate::domain::record::FilingPrivate;
use crate::domain::record::Record;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::state::YearUse;
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
    /// The person with what this viewer may see. Serves 5201, 5303, 5304 and the person's pages.
    ///
    /// # Errors
    /// `PersonUnknown`.
    pub async fn look_at_person(&self, key: &PersonKey, viewer: &Viewer) -> Result<PersonSeen, ServiceError> {
        let facts = self.load(&Wanted::of(Who::Person(key.clone()))).await?;
        let records = self.records_between(key, 1, facts.version).await?;
        let mut chronicle = Chronicle::default();
        for record in &records {
            chronicle.take(record)?;
        }
        Ok(PersonSeen {
            key: facts.key,
            person: facts.private,
            register: facts.person.register.clone(),
            state: PersonState::clone(&facts.person),
            stays: chronicle.stays.into_iter().filter(|stay| viewer.sees(&stay.state)).collect(),
            settlements: chronicle.settlements.into_iter().filter(|row| viewer.sees_row(row)).collect(),
            filings: chronicle.filings.into_iter().map(|filing| viewer.seen(filing)).collect(),
        })
    }

    /// 5206: what she used of each scheme's years, now or as of the end of a month. What happened outside counts from
    /// the day on which it happened, whenever it came in.
    ///
    /// # Errors
    /// `PersonUnknown`.
    pub async fn look_at_totals(
        &self,
        key: &PersonKey,
        month: Option<Month>,
    ) -> Result<Vec<YearUse>, ServiceError> {
        let facts = self.load(&Wanted::of(Who::Person(key.clone()))).await?;
        let Some(month) = month else { return Ok(facts.person.years.clone()) };
        let after = month.next().first_day();
        let mut chronicle = Chronicle::default();
        for record in self.records_between(key, 1, facts.version).await? {
            let day = match &record.body {
                Body::OutsideEvent(event) => event.on,
                _ => record.at.moment().day(),
            };
            if day < after {
                chronicle.take(&record)?;
            }
        }
        Ok(chronicle.person.years)
    }

    /// 5202: the person of the caller's own stay.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`.
    pub async fn look_at_stay(&self, caller: &Caller, stay: &StayRef) -> Result<PersonSeen, ServiceError> {
        let facts = self.load_stay(caller, &Wanted::of(stay.who())).await?;
        self.own_stay(&caller.institution, caller.insured_region, stay, &facts)?;
        let viewer = Viewer::Institution(caller.institution.clone());
        self.look_at_person(&facts.key, &viewer).await
    }

    /// 5203: one settlement, reversal or revival of the caller's own stay.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`.
    pub async fn look_at_settlement(
        &self,
        caller: &Caller,
        stay: &StayRef,
        settlement: &SettlementId,
    ) -> Result<(PersonSeen, SettlementSeen), ServiceError> {
        let person = self.look_at_stay(caller, stay).await?;
        let of_stay = person.settlements.iter().filter(|row| row.stay == stay.stay);
        let found = of_stay.into_iter().find(|row| row.id() == Some(settlement)).cloned();
        let found = found.ok_or_else(|| Refusal::SettlementUnknown { settlement: settlement.clone() })?;
        Ok((person, found))
    }

    /// 5204: the standing lines of the caller's own stay; or those of one settlement, reversal or revival, as they
    /// were when it was made. A reversal's are negative, as its figures are.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `SettlementUnknown`.
    pub async fn look_at_lines(
        &self,
        caller: &Caller,
        stay: &StayRef,
        settlement: Option<&SettlementId>,
    ) -> Result<Vec<Standing>, ServiceError> {
        let facts = self.load_stay(caller, &Wanted::with_lines(stay.who())).await?;
        let own = self.own_stay(&caller.institution, caller.insured_region, stay, &facts)?;
        if let Some(id) = settlement.filter(|id| !own.state.is_settled_by(id)) {
            let records = self.records_between(&facts.key, 1, facts.version).await?;
            let past = past_lines(&records, &stay.stay, id);
            return Ok(past.ok_or_else(|| Refusal::SettlementUnknown { settlement: id.clone() })?);
        }
        let lines = facts.lines.unwrap_or_default();
        let wanted = |row: &&Standing| settlement.is_none_or(|id| row.settled_by.as_ref() == Some(id));
        Ok(lines.iter().filter(wanted).cloned().collect())
    }
}

/// The lines of a settlement that no longer stands, of a reversal or of a revival, whatever became of them since.
fn past_lines(records: &[Arc<Record>], stay: &StayId, asked: &SettlementId) -> Option<Vec<Standing>> {
    let of_stay = || records.iter().filter(|record| record.stay.as_ref().is_some_and(|(id, _)| id == stay));
    let (original, is_reversal) = of_stay().find_map(|record| match &record.body {
        Body::Settled(settlement) if settlement.id == *asked => Some((asked, false)),
        Body::Reversed(reversal) if reversal.id == *asked => Some((&reversal.original, true)),
        Body::Revived(revival) if revival.id == *asked => Some((&revival.settlement.id, false)),
        _ => None,
    })?;
    let mut lines = Lines::default();
    for record in of_stay() {
        lines.apply(&record.meta.key, &record.body);
        if matches!(&record.body, Body::Settled(settlement) if settlement.id == *original) {
            break;
        }
    }
    let rows = lines.iter().filter(|row| row.settled_by.as_ref() == Some(original));
    let told = |row: &Standing| Standing {
        line: if is_reversal { row.line.negated() } else { row.line.clone() },
        uploaded_by: row.uploaded_by.clone(),
        settled_by: Some(asked.clone()),
    };
    Some(rows.map(told).collect())
}

/// A person's records folded in order, with what each said privately.
#[derive(Debug, Default)]
struct Chronicle {
    person: PersonState,
    stays: Vec<StaySeen>,
    settlements: Vec<SettlementSeen>,
    filings: Vec<FilingSeen>,
}

impl Chronicle {
    fn take(&mut self, record: &Arc<Record>) -> Result<(), Refusal> {
        let stay = record.stay.as_ref().map(|(id, _)| id);
        let at = stay.and_then(|id| self.stays.iter().position(|seen| seen.id == *id));
        let mut folded = Folded {
            person: std::mem::take(&mut self.person),
            stay: at.map(|at| self.stays[at].state.clone()),
        };
        let told = Told {
            version: record.version,
            key: &record.meta.key,
            received_at: record.meta.received_at,
            stay,
        };
        folded.apply(told, &record.body).map_err(|broken| Refusal::Broken {
            what: format!("record {} of a person does not fit: {broken}", record.version),
        })?;
        self.person = folded.person;
        if let (Some(id), Some(state)) = (stay, folded.stay) {
            self.keep_stay(at, id, state, record);
        }
        self.take_settlement(record);
        self.take_filing(record);
        Ok(())
    }

    fn keep_stay(&mut self, at: Option<usize>, id: &StayId, state: StayState, record: &Record) {
        let at = at.unwrap_or_else(|| {
            self.stays.push(StaySeen {
                id: id.clone(),
                state: state.clone(),
                admission: AdmissionPrivate::default(),
                discharge: DischargePrivate::default(),
                changed_at: record.at,
                operator: String::new(),
            });
            self.stays.len() - 1
        });
        let seen = &mut self.stays[at];
        seen.state = state;
        seen.changed_at = record.at;
        seen.operator.clone_from(&record.meta.operator);
        match &record.private {
            Private::Admission(private) => seen.admission = private.clone(),
            Private::Discharge(private) => seen.discharge = private.clone(),
            Private::None | Private::Erased | Private::Person(_) | Private::Filing(_) => {}
        }
    }

    fn take_settlement(&mut self, record: &Arc<Record>) {
        let Some((stay, _)) = &record.stay else { return };
        match &record.body {
            Body::Settled(_) => {}
            Body::Reversed(reversal) => self.mark(&reversal.original, Some(Arc::clone(record))),
            Body::Revived(revival) => {
                self.mark(&revival.settlement.id, None);
                self.mark(&revival.reversal, Some(Arc::clone(record)));
            }
            _ => return,
        }
        self.settlements.push(SettlementSeen {
            record: Arc::clone(record),
            stay: stay.clone(),
            stands: true,
            reversed_by: None,
        });
    }

    /// What a row is worth after another: taken back by it, or standing again.
    fn mark(&mut self, id: &SettlementId, by: Option<Arc<Record>>) {
        for row in self.settlements.iter_mut().filter(|row| row.id() == Some(id)) {
            row.stands = by.is_none();
            row.reversed_by.clone_from(&by);
        }
    }

    fn take_filing(&mut self, record: &Record) {
        match (&record.body, &record.private) {
            (Body::FilingMade(filing), private) => self.filings.push(FilingSeen {
                filing: filing.clone(),
                private: filing_private(private),
                made_at: record.at,
                operator: record.meta.operator.clone(),
            }),
            (Body::FilingEnded(ended), _) => {
                let from = Some(ended.last_day.next());
                let filings = self.filings.iter_mut().filter(|seen| seen.filing.id == ended.filing);
                filings.for_each(|seen| seen.filing.ended_from = from);
            }
            _ => {}
        }
    }
}

fn filing_private(private: &Private) -> FilingPrivate {
    match private {
        Private::Filing(private) => private.clone(),
        Private::None
        | Private::Erased
        | Private::Person(_)
        | Private::Admission(_)
        | Private::Discharge(_) => FilingPrivate::default(),
    }
}

impl Viewer {
    fn sees(&self, stay: &StayState) -> bool {
        match self {
            Viewer::Institution(code) => stay.admission.institution == *code,
            Viewer::Person | Viewer::Center => true,
        }
    }

    fn sees_row(&self, row: &SettlementSeen) -> bool {
        match self {
            Viewer::Institution(code) => row.settlement().is_some_and(|s| s.institution == *code),
            Viewer::Person | Viewer::Center => true,
        }
    }

    /// A hospital sees that a filing is there; what was written on it only where it wrote it.
    fn seen(&self, filing: FilingSeen) -> FilingSeen {
        let hidden = match (self, &filing.filing.by) {
            (Viewer::Institution(code), FiledBy::Hospital { code: maker, .. }) => code != maker,
            (Viewer::Institution(_), FiledBy::Center | FiledBy::Person | FiledBy::Import) => true,
            (Viewer::Person | Viewer::Center, _) => false,
        };
        if hidden { FilingSeen { private: FilingPrivate::default(), ..filing } } else { filing }
    }
}

impl SettlementSeen {
    /// Its own id: of the settlement, the reversal or the revival.
    pub fn id(&self) -> Option<&SettlementId> {
        match &self.record.body {
            Body::Settled(settlement) => Some(&settlement.id),
            Body::Reversed(reversal) => Some(&reversal.id),
            Body::Revived(revival) => Some(&revival.id),
            _ => None,
        }
    }

    /// The settlement that it is, reverses or revives, with positive figures.
    pub fn settlement(&self) -> Option<&Settlement> {
        match &self.record.body {
            Body::Settled(settlement) => Some(settlement),
            Body::Reversed(reversal) => Some(&reversal.settlement),
            Body::Revived(revival) => Some(&revival.settlement),
            _ => None,
        }
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
        matches!(self.state.state, State::InHospital | State::PartlySettled)
    }
}
