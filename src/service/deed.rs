//! Owns the one way in which every deed is done: message key first, then load → decide → commit → answer, a bounded
//! number of times.

use std::sync::Arc;

use futures_util::TryFutureExt as _;
use tracing::info;

use crate::cache::bus::DeedTold;
use crate::cache::bus::Message as Told;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::domain::refusal::Caution;
use crate::domain::refusal::Refusal;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Who;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::Caller;
use crate::service::error::ServiceError;

/// What a call wants to know before it decides.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) who: Who,
    pub(crate) lines: bool,
    pub(crate) settlement: Option<SettlementId>,
    pub(crate) about: Option<MessageKey>,
    pub(crate) sight: Sight,
}

/// What a decision may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What this node remembers, which another may have overtaken: a commit finds that out, a refusal would not.
    Remembered,
    /// What the ledger says now.
    Fresh,
}

/// What became of a try on some [`Sight`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt<T> {
    Decided(T),
    /// What is remembered does not tell: never so on fresh facts.
    Undecided,
}

impl Wanted {
    pub(crate) fn of(who: Who) -> Self {
        Self { who, lines: false, settlement: None, about: None, sight: Sight::Fresh }
    }

    pub(crate) fn with_lines(who: Who) -> Self {
        Self { lines: true, ..Self::of(who) }
    }

    pub(crate) fn look_up(&self, call: Option<&Call>) -> LookUp {
        LookUp {
            key: call.map(|call| (call.key.clone(), call.content)),
            who: self.who.clone(),
            lines: self.lines,
            settlement: self.settlement.clone(),
            about: self.about.clone(),
            remembered: self.sight == Sight::Remembered,
        }
    }

    pub(crate) fn at(self, sight: Sight) -> Self {
        Self { sight, ..self }
    }
}

/// How a call begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The message was done before and stands.
    Replay {
        record: Arc<Record>,
        facts: Option<Box<Facts>>,
    },
    Fresh(Box<Load>),
}

/// What a decision reads.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) facts: Facts,
    /// What is known of the message that a 2601 is about.
    pub(crate) about: Message,
}

/// What shall be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) body: Body,
    pub(crate) private: Private,
    pub(crate) stay: Option<StayId>,
    pub(crate) guards_person: bool,
    pub(crate) cautions: Vec<Caution>,
}

impl Decision {
    /// A deed that belongs to no stay.
    pub(crate) fn of(body: Body) -> Self {
        Self { body, private: Private::None, stay: None, guards_person: true, cautions: Vec::new() }
    }

    pub(crate) fn at(body: Body, stay: &StayId) -> Self {
        Self { stay: Some(stay.clone()), ..Self::of(body) }
    }
}

impl Service {
    /// The message key first: a replay is found before anything else is asked.
    pub(crate) async fn begin(&self, call: &Call, wanted: &Wanted) -> Result<Begun, ServiceError> {
        let found = self.ledger.look_up(wanted.look_up(Some(call))).await?;
        let Found { message, about, facts, stay_of_another } = found;
        if let Some(record) = first_record(call, message)? {
            return Ok(Begun::Replay { record, facts: facts.map(Box::new) });
        }
        let own = stay_of_another.as_ref() == Some(call.institution());
        let facts = facts.ok_or_else(|| absent(&wanted.who, own))?;
        Ok(Begun::Fresh(Box::new(Load { facts, about })))
    }

    /// Facts about a person for a call that changes nothing.
    pub(crate) async fn load(&self, wanted: &Wanted) -> Result<Facts, ServiceError> {
        let found = self.ledger.look_up(wanted.look_up(None)).await?;
        found.facts.ok_or_else(|| absent(&wanted.who, false).into())
    }

    /// Facts about a stay for a call that changes nothing.
    pub(crate) async fn load_stay(&self, caller: &Caller, wanted: &Wanted) -> Result<Facts, ServiceError> {
        let found = self.ledger.look_up(wanted.look_up(None)).await?;
        let own = found.stay_of_another.as_ref() == Some(&caller.institution);
        found.facts.ok_or_else(|| absent(&wanted.who, own).into())
    }

    /// Decides on what was loaded and commits; where someone else wrote first, loads and decides again.
    pub(crate) async fn perform(
        &self,
        call: &Call,
        wanted: &Wanted,
        first: Load,
        decide: impl Fn(&Load) -> Result<Decision, ServiceError> + Send + Sync,
    ) -> Result<Answered, ServiceError> {
        let mut load = first;
        let wanted = &wanted.clone().at(Sight::Fresh);
        for _ in 0..self.settings.attempts_max {
            let decision = decide(&load)?;
            let (name, private) = (name_of(&decision.body), Arc::clone(&load.facts.private));
            let deed = deed(call, decision);
            match self.ledger.commit(load.facts, deed).await {
                Ok(Committed::Recorded(record)) => {
                    tell(call, name, &record);
                    self.bus.publish(told(call, name, &record));
                    return Ok(Answered { record, person: private, replayed: false });
                }
                Ok(Committed::FactsMoved) => {}
                Err(cause) => return self.after_failure(call, wanted, cause).await,
            }
            load = match self.begin(call, wanted).await? {
                Begun::Replay { record, facts } => return self.replay(record, facts).await,
                Begun::Fresh(load) => *load,
            };
        }
        Err(ServiceError::Contended { attempts: self.settings.attempts_max })
    }

    /// `begin` and `perform` for a decision that needs nothing from outside the ledger.
    pub(crate) async fn done(
        &self,
        call: &Call,
        wanted: &Wanted,
        decide: impl Fn(&Load) -> Result<Decision, ServiceError> + Send + Sync,
    ) -> Result<Answered, ServiceError> {
        let decide = &decide;
        self.remembering(|sight| self.done_at(sight, call, wanted, decide).map_ok(Attempt::Decided)).await
    }

    /// Tries on what this node remembers, and once more on what the ledger says now where another node's deed may have
    /// changed the outcome: a commit would find it out, a refusal would not.
    pub(crate) async fn remembering<T, F>(&self, attempt: impl Fn(Sight) -> F) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<Attempt<T>, ServiceError>>,
    {
        let overtaken = |cause: &ServiceError| matches!(cause, ServiceError::Refused(_));
        match attempt(Sight::Remembered).await {
            Ok(Attempt::Decided(done)) => return Ok(done),
            Ok(Attempt::Undecided) => {}
            Err(cause) if self.ledger.remembers() && overtaken(&cause) => {}
            Err(cause) => return Err(cause),
        }
        match attempt(Sight::Fresh).await? {
            Attempt::Decided(done) => Ok(done),
            Attempt::Undecided => unreachable!("fresh facts decide"),
        }
    }

    async fn done_at(
        &self,
        sight: Sight,
        call: &Call,
        wanted: &Wanted,
        decide: &(impl Fn(&Load) -> Result<Decision, ServiceError> + Send + Sync),
    ) -> Result<Answered, ServiceError> {
        let wanted = wanted.clone().at(sight);
        match self.begin(call, &wanted).await? {
            Begun::Replay { record, facts } => self.replay(record, facts).await,
            Begun::Fresh(load) => self.perform(call, &wanted, *load, decide).await,
        }
    }

    /// A failed commit may have happened: the message key knows. What was shed or does not fit was not taken.
    async fn after_failure(
        &self,
        call: &Call,
        wanted: &Wanted,
        cause: LedgerError,
    ) -> Result<Answered, ServiceError> {
        if matches!(cause, LedgerError::Full { .. } | LedgerError::Stopping | LedgerError::Unfit { .. }) {
            return Err(cause.into());
        }
        match self.begin(call, wanted).await {
            Ok(Begun::Replay { record, facts }) => self.replay(record, facts).await,
            Ok(Begun::Fresh(_)) | Err(_) => Err(cause.into()),
        }
    }

    /// The first answer again, with her names as they stood then.
    pub(crate) async fn replay(
        &self,
        record: Arc<Record>,
        facts: Option<Box<Facts>>,
    ) -> Result<Answered, ServiceError> {
        let now = facts.map(|facts| facts.private);
        let person = self.private_at(&record.person, record.version, now).await?;
        Ok(Answered { record, person, replayed: true })
    }

    /// Her private part as it stood at one of her versions. `now`: as it stands today.
    pub(crate) async fn private_at(
        &self,
        person: &PersonKey,
        version: u64,
        now: Option<Arc<PersonPrivate>>,
    ) -> Result<Arc<PersonPrivate>, ServiceError> {
        if let Some(now) = now
            && self.last_registered(person, version + 1, u64::MAX).await?.is_none()
        {
            return Ok(now);
        }
        Ok(self.last_registered(person, 1, version).await?.unwrap_or_default())
    }

    /// The last register row between two versions, both inclusive.
    async fn last_registered(
        &self,
        person: &PersonKey,
        from: u64,
        to: u64,
    ) -> Result<Option<Arc<PersonPrivate>>, ServiceError> {
        let mut last = None;
        for record in self.records_between(person, from, to).await? {
            if let (Body::Registered(_), Private::Person(private)) = (&record.body, &record.private) {
                last = Some(Arc::new(private.clone()));
            }
        }
        Ok(last)
    }

    /// Her records between two versions, both inclusive, in order.
    pub(crate) async fn records_between(
        &self,
        person: &PersonKey,
        from: u64,
        to: u64,
    ) -> Result<Vec<Arc<Record>>, ServiceError> {
        const PAGE: usize = 256;
        let mut all = Vec::new();
        let mut next = from;
        loop {
            let page = self.ledger.records(person, next, PAGE).await?;
            let full = page.len() == PAGE;
            next = page.last().map_or(next, |record| record.version + 1);
            all.extend(page.into_iter().filter(|record| record.version <= to));
            if !full || next > to {
                return Ok(all);
            }
        }
    }
}

/// The record of the call's own message, where it stands.
fn first_record(call: &Call, message: Message) -> Result<Option<Arc<Record>>, ServiceError> {
    let key = || call.key.clone();
    match message {
        Message::Unknown => Ok(None),
        Message::Undone { by, .. } => Err(ServiceError::Undone { key: key(), by }),
        Message::Fenced { by } => Err(ServiceError::Fenced { key: key(), by }),
        // Another recipe cannot be compared; the same key about the same person is taken for the same call.
        Message::Done { content, record } => {
            if content.recipe == call.content.recipe && content.digest != call.content.digest {
                return Err(ServiceError::KeyReused { key: key(), first: record });
            }
            Ok(Some(record))
        }
    }
}

/// `own`: the stay is the caller's own, and the number is not its person's.
fn absent(who: &Who, own: bool) -> Refusal {
    match who {
        Who::Stay { stay, .. } if own => Refusal::PersonDiffers { stay: stay.clone() },
        Who::Person(key) => Refusal::PersonUnknown { pool: key.pool },
        Who::Stay { stay, .. } => Refusal::StayUnknown { stay: stay.clone() },
    }
}

fn deed(call: &Call, decision: Decision) -> Deed {
    let noted = Some(call.noted.clone()).filter(|noted| !noted.is_empty());
    let cautions = decision.cautions.iter().map(|caution| (call.words)(caution));
    let warning = noted.into_iter().chain(cautions).collect::<Vec<_>>().join("；");
    let meta = Meta {
        key: call.key.clone(),
        content: call.content,
        reference: call.reference.clone(),
        received_at: call.received_at,
        operator: call.operator.clone(),
        warning,
        writer: call.writer,
    };
    Deed {
        meta,
        body: decision.body,
        private: decision.private,
        stay: decision.stay,
        binds_key: true,
        guards_person: decision.guards_person,
    }
}

/// What was done, as logs and stories call it.
pub(crate) fn name_of(body: &Body) -> &'static str {
    match body {
        Body::Registered(_) => "registered",
        Body::BalanceTaken(_) => "took the account balance",
        Body::OutsideEvent(_) => "took in an outside event",
        Body::FilingMade(_) => "made a filing",
        Body::FilingEnded(_) => "ended a filing",
        Body::Admitted(_) => "admitted",
        Body::AdmissionChanged(_) => "changed an admission",
        Body::AdmissionCancelled => "cancelled an admission",
        Body::Discharged(_) => "discharged",
        Body::DischargeCancelled => "cancelled a discharge",
        Body::LinesUploaded(_) => "took fee lines",
        Body::LinesWithdrawn(_) => "withdrew fee lines",
        Body::Settled(_) => "settled",
        Body::Reversed(_) => "reversed a settlement",
        Body::Revived(_) => "revived a settlement",
        Body::Fenced(_) => "fenced a message",
        Body::UndoneWithoutEffect(_) => "undid nothing",
    }
}

/// One event per deed, without personal data.
fn tell(call: &Call, name: &'static str, record: &Record) {
    let stay = record.stay.as_ref().map_or("", |(id, _)| id.as_str());
    let (settlement, fund) = money_of(&record.body);
    info!(
        msg.id = %call.key.message,
        hospital.code = %call.key.institution,
        region.code = %record.person.pool,
        infno = call.key.transaction,
        stay.id = stay,
        setl.id = settlement,
        fund_fen = fund,
        version = record.version,
        "{name}"
    );
}

/// The same for whoever watches.
fn told(call: &Call, name: &'static str, record: &Record) -> Told {
    let (settlement, _) = money_of(&record.body);
    Told::Deed(DeedTold {
        settlement: Some(settlement).filter(|id| !id.is_empty()).map(str::to_owned),
        institution: call.key.institution.to_string(),
        infno: call.key.transaction,
        kind: name.to_owned(),
    })
}

fn money_of(body: &Body) -> (&str, Option<i64>) {
    match body {
        Body::Settled(settlement) => (settlement.id.as_str(), Some(settlement.breakdown.fund_pay_sumamt.0)),
        Body::Reversed(reversal) => {
            (reversal.id.as_str(), Some(-reversal.settlement.breakdown.fund_pay_sumamt.0))
        }
        Body::Revived(revival) => (revival.id.as_str(), Some(revival.settlement.breakdown.fund_pay_sumamt.0)),
        _ => ("", None),
    }
}
