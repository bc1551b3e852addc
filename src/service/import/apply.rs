//! Owns the recording of one entry: look up → compare → commit. Each entry is one deed with a message key of its own.

use std::sync::Arc;

use sm3::Digest as _;
use sm3::Sm3;

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::filing::FilingProof;
use crate::domain::filing_change;
use crate::domain::ids::FilingId;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::FilingEnded;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Who;
use crate::ledger::credential::Credential;
use crate::service::import::differences::Difference;
use crate::service::import::differences::between;
use crate::service::import::incoming::BalanceEntry;
use crate::service::import::incoming::FilingEntry;
use crate::service::import::incoming::Incoming;
use crate::service::import::incoming::OutsideEntry;
use crate::service::import::incoming::PersonEntry;
use crate::service::import::source::SourceName;
use crate::service::seams::Clock;

/// What stands in a message key where a hospital's call has its `infno`. No transaction has a number so small.
mod transaction {
    pub(super) const PERSON: u16 = 1;
    pub(super) const BALANCE: u16 = 2;
    pub(super) const OUTSIDE_EVENT: u16 = 3;
    pub(super) const FILING: u16 = 4;
    pub(super) const FILING_END: u16 = 5;
}

/// Version of the recipe by which the content of an import is hashed.
const RECIPE: u8 = 1;
/// Version of the writer of answers: an import is not answered.
const WRITER: u16 = 0;

/// How often an entry is looked up and decided again when its person changed meanwhile.
pub const ATTEMPTS_MAX: u32 = 16;
/// How long to wait when the ledger's queue is full, and how often, before the import gives up (about a minute).
const FULL_WAIT: std::time::Duration = std::time::Duration::from_millis(20);
const FULL_WAITS_MAX: u32 = 3000;

/// Why an entry could not be recorded. What was recorded before it stands; running the import again resumes it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the ledger failed: run the same import again, what is recorded already is skipped")]
    Ledger(#[source] LedgerError),
    #[error("a person kept changing while she was imported ({attempts} attempts): run the same import again")]
    Contended { attempts: u32 },
    #[error("an id could not be made for an entry: {0}")]
    BadId(crate::domain::ids::NotAnId),
}

/// What became, or would become, of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A person whom the ledger did not know.
    New,
    /// A person whose register row changed.
    Changed(Vec<Difference>),
    /// A balance, an event, a filing or its end.
    Recorded,
    /// It is there already.
    Unchanged,
    Skipped(Skip),
}

/// Why an entry was left out, without harm to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Only the register may bring a person whom the ledger does not know.
    UnknownPerson,
    /// The ledger holds an extract that is as new, or newer.
    OlderBalance { held: Instant },
    /// The source sent something else under this id before; what was first stands.
    OtherContent,
    /// A settlement that stands used the filing, and the end would take it away from it.
    FilingUsed { admitted: Day },
}

/// Records entries of one source.
#[derive(Clone)]
pub struct Importer {
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub source: SourceName,
    /// Whether persons whom the ledger does not know are brought in.
    pub may_introduce: bool,
    /// Who runs the import, for the record.
    pub operator: String,
}

/// What became of an entry, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub outcome: Outcome,
    /// Another person of her pool who has the certificate that the entry gives her anew.
    pub other_holder: Option<PersonKey>,
}

/// An entry held against the ledger.
struct Plan {
    done: Done,
    deed: Option<Box<(Facts, Deed)>>,
}

impl Plan {
    fn nothing(outcome: Outcome) -> Plan {
        Plan { done: Done { outcome, other_holder: None }, deed: None }
    }

    fn recorded(facts: Facts, deed: Deed) -> Plan {
        let done = Done { outcome: Outcome::Recorded, other_holder: None };
        Plan { done, deed: Some(Box::new((facts, deed))) }
    }
}

impl Importer {
    /// What `apply` would do now, without doing it.
    pub async fn plan(&self, incoming: &Incoming) -> Result<Done, ImportError> {
        Ok(self.decide(incoming).await?.done)
    }

    /// Records the entry if it says anything new.
    ///
    /// # Errors
    /// When the ledger fails or the person changes too often meanwhile; nothing of this entry is half recorded.
    pub async fn apply(&self, incoming: &Incoming) -> Result<Done, ImportError> {
        let mut full = 0;
        let mut attempts = 0;
        while attempts < ATTEMPTS_MAX {
            let plan = self.decide(incoming).await?;
            let Some(deed) = plan.deed else { return Ok(plan.done) };
            match self.ledger.commit(deed.0, deed.1).await {
                Ok(Committed::Recorded(_)) => return Ok(plan.done),
                Ok(Committed::FactsMoved) => attempts += 1,
                Err(LedgerError::Full { .. }) if full < FULL_WAITS_MAX => {
                    full += 1;
                    tokio::time::sleep(FULL_WAIT).await;
                }
                Err(cause) => return Err(ImportError::Ledger(cause)),
            }
        }
        Err(ImportError::Contended { attempts })
    }

    async fn decide(&self, incoming: &Incoming) -> Result<Plan, ImportError> {
        match incoming {
            Incoming::Person(entry) => self.person(entry).await,
            Incoming::Balance(entry) => self.balance(entry).await,
            Incoming::Outside(entry) => self.event(entry).await,
            Incoming::Filing(entry) => self.filing(entry).await,
            Incoming::Region(_) | Incoming::Institution(_) | Incoming::Catalogue(..) => {
                Ok(Plan::nothing(Outcome::Unchanged))
            }
        }
    }

    async fn person(&self, entry: &PersonEntry) -> Result<Plan, ImportError> {
        let found = self.look_up(&entry.person, None).await?;
        let known = found.facts.is_some();
        if !known && !self.may_introduce {
            return Ok(Plan::nothing(Outcome::Skipped(Skip::UnknownPerson)));
        }
        let facts = found.facts.unwrap_or_else(|| self.of_new(&entry.person));
        let held = (&facts.person.register, &*facts.private);
        let (register, private) = entry.over(held.0, held.1);
        let differences = between(held, (&register, &private));
        if known && differences.is_empty() && *held.0 == register && *held.1 == private {
            return Ok(Plan::nothing(Outcome::Unchanged));
        }
        let other_holder = match !known || held.1.certificate_number != private.certificate_number {
            true => self.other_holder(entry).await?,
            false => None,
        };
        let outcome = if known { Outcome::Changed(differences) } else { Outcome::New };
        // Each change is a message of its own, also one that brings back what was there before: the version is in it.
        let content = person_content(&register, &private);
        let version = facts.version.to_string();
        let number = &entry.person;
        let message = self.derived_id(number, &["person", &version, &hex(&content, 16)])?;
        let key = self.key(transaction::PERSON, message);
        let deed = self.deed(key, content, Body::Registered(register), Private::Person(private));
        Ok(Plan { done: Done { outcome, other_holder }, deed: Some(Box::new((facts, deed))) })
    }

    async fn other_holder(&self, entry: &PersonEntry) -> Result<Option<PersonKey>, ImportError> {
        let Some((kind, number)) = entry.identity.certificate() else { return Ok(None) };
        let credential = Credential::of_certificate(kind, number);
        let holders = self.ledger.find_persons(credential).await.map_err(ImportError::Ledger)?;
        Ok(holders.into_iter().find(|other| other.pool == entry.person.pool && *other != entry.person))
    }

    async fn balance(&self, entry: &BalanceEntry) -> Result<Plan, ImportError> {
        let found = self.look_up(&entry.person, None).await?;
        let Some(facts) = found.facts else {
            return Ok(Plan::nothing(Outcome::Skipped(Skip::UnknownPerson)));
        };
        let (amount, taken_at) = (entry.balance.amount.to_string(), entry.balance.taken_at.0.to_string());
        match facts.person.balance {
            Some(held) if held == entry.balance => return Ok(Plan::nothing(Outcome::Unchanged)),
            Some(held) if held.taken_at >= entry.balance.taken_at => {
                return Ok(Plan::nothing(Outcome::Skipped(Skip::OlderBalance { held: held.taken_at })));
            }
            Some(_) | None => {}
        }
        let content = hash(&[&amount, &taken_at]);
        let message = self.derived_id(&entry.person, &["balance", &amount, &taken_at])?;
        let key = self.key(transaction::BALANCE, message);
        let deed = self.deed(key, content, Body::BalanceTaken(entry.balance), Private::None);
        Ok(Plan::recorded(facts, deed))
    }

    async fn event(&self, entry: &OutsideEntry) -> Result<Plan, ImportError> {
        let event = &entry.event;
        let Accumulators { admissions, deductible, hifp, hifob, hifmi, burden, maf } = event.used;
        let amounts =
            [deductible, hifp, hifob, hifmi, burden, maf].map(|amount| amount.to_string()).join(" ");
        let kind = format!("{:?}", event.kind);
        let (scheme, year, on) = (event.scheme.to_string(), event.year.to_string(), event.on.to_string());
        let content = hash(&[&kind, &scheme, &year, &on, &admissions.to_string(), &amounts]);
        let key = self.key(transaction::OUTSIDE_EVENT, entry.source_id.clone());
        let found = self.look_up(&entry.person, Some((key.clone(), content))).await?;
        if let Some(outcome) = seen_before(&found.message, content) {
            return Ok(Plan::nothing(outcome));
        }
        let Some(facts) = found.facts else {
            return Ok(Plan::nothing(Outcome::Skipped(Skip::UnknownPerson)));
        };
        let deed = self.deed(key, content, Body::OutsideEvent(event.clone()), Private::None);
        Ok(Plan::recorded(facts, deed))
    }

    async fn filing(&self, entry: &FilingEntry) -> Result<Plan, ImportError> {
        let content = filing_content(entry);
        let key = self.key(transaction::FILING, entry.source_id.clone());
        let found = self.look_up(&entry.person, Some((key.clone(), content))).await?;
        let id = self.filing_id(entry)?;
        match seen_before(&found.message, content) {
            Some(Outcome::Unchanged) => return self.filing_end(entry, id, found.facts),
            Some(other) => return Ok(Plan::nothing(other)),
            None => {}
        }
        let Some(facts) = found.facts else {
            return Ok(Plan::nothing(Outcome::Skipped(Skip::UnknownPerson)));
        };
        let (body, private) = (Body::FilingMade(entry.filing(id)), Private::Filing(entry.private.clone()));
        let deed = self.deed(key, content, body, private);
        Ok(Plan::recorded(facts, deed))
    }

    /// The source ends a filing that it sent before.
    fn filing_end(
        &self,
        entry: &FilingEntry,
        id: FilingId,
        facts: Option<Facts>,
    ) -> Result<Plan, ImportError> {
        let unchanged = || Ok(Plan::nothing(Outcome::Unchanged));
        let (Some(ended), Some(facts)) = (entry.ended_from, facts) else { return unchanged() };
        let held = facts.person.filings.iter().find(|filing| filing.id == id);
        let Some(held) = held.filter(|filing| filing.ended_from != Some(ended)) else { return unchanged() };
        let last_used = facts.person.last_admitted_under(&id);
        if let Some(admitted) = filing_change::in_the_way(held, ended, last_used) {
            return Ok(Plan::nothing(Outcome::Skipped(Skip::FilingUsed { admitted })));
        }
        let day = ended.to_string();
        let content = hash(&[entry.source_id.as_str(), &day]);
        let message = self.derived_id(&entry.person, &["filing ended", entry.source_id.as_str(), &day])?;
        let end = FilingEnded {
            filing: id,
            last_day: ended.previous(),
            reason: format!("ended by {}", self.source.as_str()),
            cancels: None,
        };
        let key = self.key(transaction::FILING_END, message);
        let deed = self.deed(key, content, Body::FilingEnded(end), Private::None);
        Ok(Plan::recorded(facts, deed))
    }

    async fn look_up(
        &self,
        person: &PersonKey,
        key: Option<(MessageKey, ContentHash)>,
    ) -> Result<Found, ImportError> {
        let who = Who::Person(person.clone());
        let wanted = LookUp { key, ..LookUp::of(who) };
        self.ledger.look_up(wanted).await.map_err(ImportError::Ledger)
    }

    fn of_new(&self, person: &PersonKey) -> Facts {
        Facts::of_new(person.clone(), self.ledger.bucket(person))
    }

    fn key(&self, transaction: u16, message: MessageId) -> MessageKey {
        MessageKey { institution: self.source.as_institution().clone(), transaction, message }
    }

    fn deed(&self, key: MessageKey, content: ContentHash, body: Body, private: Private) -> Deed {
        let meta = Meta {
            key,
            content,
            reference: String::new(),
            received_at: self.clock.now(),
            operator: self.operator.clone(),
            warning: String::new(),
            writer: WRITER,
        };
        // A register row or an extract replaces what stood before: it is compared with that, not found by its key.
        let binds_key = !matches!(body, Body::Registered(_) | Body::BalanceTaken(_));
        Deed { meta, body, private, stay: None, binds_key, guards_person: true }
    }

    /// A message id for what has none at its source: the same entry gets the same one.
    fn derived_id(&self, person: &PersonKey, parts: &[&str]) -> Result<MessageId, ImportError> {
        let pool = person.pool.to_string();
        let all: Vec<&str> =
            [pool.as_str(), person.number()].into_iter().chain(parts.iter().copied()).collect();
        MessageId::parse(&hex(&hash(&all), 15)).map_err(ImportError::BadId)
    }

    /// Day, a hash of where it comes from, and the bucket: the same filing gets the same id in every run.
    fn filing_id(&self, entry: &FilingEntry) -> Result<FilingId, ImportError> {
        let bucket = self.ledger.bucket(&entry.person);
        let from = hash(&[self.source.as_str(), entry.source_id.as_str(), entry.person.number()]);
        let id = format!("{:06}{}{bucket}", entry.made_on.number() % 1_000_000, hex(&from, 8));
        FilingId::parse(&id).map_err(ImportError::BadId)
    }
}

/// What a message says about an entry: done already, or done with other content.
fn seen_before(message: &Message, content: ContentHash) -> Option<Outcome> {
    match message {
        Message::Unknown => None,
        Message::Done { content: first, .. } if *first == content => Some(Outcome::Unchanged),
        Message::Done { .. } | Message::Undone { .. } | Message::Fenced { .. } => {
            Some(Outcome::Skipped(Skip::OtherContent))
        }
    }
}

/// The register's row and the personal fields, in the order of their columns.
fn person_content(register: &Register, private: &PersonPrivate) -> ContentHash {
    let day = |day: Option<Day>| day.map_or(0, Day::number).to_string();
    let mut parts: Vec<String> = [
        &private.name,
        &private.certificate_type,
        &private.certificate_number,
        &private.gender,
        &private.ethnicity,
        &private.phone,
        &private.card_number,
        &private.employer,
    ]
    .map(Clone::clone)
    .into();
    parts.push(day(private.birth));
    for row in &register.coverages {
        let status = match row.status {
            CoverageStatus::Active => 1,
            CoverageStatus::Paused => 2,
            CoverageStatus::Ended => 4,
        };
        let (insutype, kind, servant) = (&row.insutype, &row.person_type, u8::from(row.civil_servant));
        let (region, from, to) = (row.region, row.from.number(), day(row.to));
        parts.push(format!("c {insutype} {kind} {status} {servant} {region} {from} {to}"));
    }
    let assistance = register.assistance.iter();
    parts.extend(assistance.map(|row| format!("a {} {} {}", row.category, row.from.number(), day(row.to))));
    let recognitions = register.recognitions.iter();
    parts.extend(recognitions.map(|row| format!("r {} {} {}", row.number, row.from.number(), day(row.to))));
    hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// All that a filing says but for its end, which may come later under the same id.
fn filing_content(entry: &FilingEntry) -> ContentHash {
    let proof = match entry.proof {
        FilingProof::Documents => "documents",
        FilingProof::Commitment => "commitment",
    };
    let to = entry.to.map(|day| day.to_string()).unwrap_or_default();
    let (target, from, made_on) =
        (entry.target.to_string(), entry.from.to_string(), entry.made_on.to_string());
    hash(&[entry.category.code(), &target, &from, &to, &made_on, proof])
}

/// SM3 over the parts, each with its length, so that no two lists of parts are the same text.
fn hash(parts: &[&str]) -> ContentHash {
    let mut hasher = Sm3::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    ContentHash { recipe: RECIPE, digest: hasher.finalize().into() }
}

fn hex(hash: &ContentHash, bytes: usize) -> String {
    hash.digest.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}
