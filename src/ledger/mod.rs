//! The book of record: append-only, durable before it answers, the only authority about money.
//!
//! What a commit promises, whatever stands behind the trait:
//! - record, folds and message key are there together or not at all, and durable when `commit` answers `Recorded`;
//! - it is refused with `FactsMoved` when the person or the stay changed since the facts were read, or when the message
//!   key was bound meanwhile: look up again, decide again;
//! - `at` (the `setl_time`) is given here and nowhere else: max(clock, the lane's last, the person's last, the floor);
//! - after any error of a commit its outcome is unknown: ask by message key, never assume.

pub mod backup;
mod books;
pub mod codec;
pub mod credential;
pub mod effect;
pub mod event;
pub mod key;
mod kept;
pub mod lane;
mod moved;
pub mod place;
pub mod postgres;
mod prepared;
mod recent;
mod replay;
pub mod schema;
mod room;
mod row;
pub mod seal;
pub mod secrets;
mod sql;
pub mod sqlite;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::institution::Institution;
use crate::domain::lines::Lines;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::domain::region::Region;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::ledger::credential::Credential;
use crate::ledger::postgres::BadAddress;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::seal::receipt::Receipt;

/// What a call wants to know before it decides.
#[derive(Clone, Debug)]
pub struct LookUp {
    /// The call's own message, when it would change state: a replay is found first.
    pub key: Option<(MessageKey, ContentHash)>,
    pub who: Who,
    /// Also the standing lines of the stay.
    pub lines: bool,
    /// Also the record of a settlement (to reverse it, to show it).
    pub settlement: Option<SettlementId>,
    /// Also what is known of another message (2601).
    pub about: Option<MessageKey>,
    /// Facts that this node remembers will do, although another node may have overtaken them, and with them nothing is
    /// told of the message: for a deed, whose commit finds that out. Nothing may be refused on them.
    pub remembered: bool,
}

impl LookUp {
    /// Facts about somebody and nothing else, as the ledger says them now.
    pub fn of(who: Who) -> LookUp {
        LookUp { key: None, who, lines: false, settlement: None, about: None, remembered: false }
    }
}

#[derive(Clone, Debug)]
pub enum Who {
    Person(PersonKey),
    /// The stay says whose it is; the number that the caller gave must be hers.
    Stay {
        stay: StayId,
        number: String,
    },
}

/// What the ledger knows of a message.
#[derive(Clone, Debug)]
pub enum Message {
    /// Nothing: it never arrived, or was refused.
    Unknown,
    /// It was done and stands.
    Done { content: ContentHash, record: Arc<Record> },
    /// It was done, and undone by a later record.
    Undone { content: ContentHash, record: Arc<Record>, by: Arc<Record> },
    /// A 2601 came first: it must not be done any more.
    Fenced { by: Arc<Record> },
}

#[derive(Clone, Debug)]
pub struct Found {
    /// What became of `LookUp::key`; `Unknown` when none was given.
    pub message: Message,
    /// What became of `LookUp::about`.
    pub about: Message,
    /// Absent when the register does not know her (or the stay is unknown).
    pub facts: Option<Facts>,
    /// Where the stay is, when it is known and only the number is not its person's. Whose it is stays untold.
    pub stay_of_another: Option<InstitutionCode>,
}

impl Found {
    /// Neither message is known: nothing that was done before is told by this.
    fn tells_no_message(&self) -> bool {
        matches!((&self.message, &self.about), (Message::Unknown, Message::Unknown))
    }
}

/// A person and a stay at the versions that guard them.
#[derive(Clone, Debug)]
pub struct Facts {
    pub key: PersonKey,
    pub bucket: Bucket,
    pub version: u64,
    /// Instant of her last record: `setl_time` never goes before it.
    pub last_at: Instant,
    pub person: Arc<PersonState>,
    pub private: Arc<PersonPrivate>,
    pub stay: Option<StayFacts>,
    pub lines: Option<Arc<Lines>>,
    pub settlement: Option<Arc<Record>>,
}

impl Facts {
    /// Of a person whom the register does not know yet: her first record makes her.
    pub fn of_new(key: PersonKey, bucket: Bucket) -> Facts {
        Facts {
            key,
            bucket,
            version: 0,
            last_at: Instant::default(),
            person: Arc::default(),
            private: Arc::default(),
            stay: None,
            lines: None,
            settlement: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct StayFacts {
    pub id: StayId,
    pub version: u64,
    pub state: Arc<StayState>,
}

/// A deed to be recorded.
#[derive(Clone, Debug)]
pub struct Deed {
    pub meta: Meta,
    pub body: Body,
    pub private: Private,
    /// The stay it belongs to; a new id for an admission. Which messages a deed undoes or restores follows from its
    /// body (`effect`), so that a replay of records finds the same.
    pub stay: Option<StayId>,
    /// Whether its message is bound to it. False only for what carries no message of its own, such as a row of a file
    /// that replaces what stood before.
    pub binds_key: bool,
    /// Whether the decision read the person (false only for lines, whose decision reads the stay alone: the person's
    /// version then moves on without being checked).
    pub guards_person: bool,
}

#[derive(Clone, Debug)]
pub enum Committed {
    Recorded(Arc<Record>),
    FactsMoved,
}

/// One row of a month, for clearing and its drill-down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearingRow {
    pub settlement: SettlementId,
    /// For a reversal or a revival, the settlement it is about.
    pub original: Option<SettlementId>,
    pub person: PersonKey,
    pub version: u64,
    pub at: Instant,
    pub row: crate::domain::clearing::MonthRow,
}

/// The small shared tables as rows, at a version that moves with every change.
#[derive(Clone, Debug, Default)]
pub struct ReferenceRows {
    pub version: u64,
    pub regions: Vec<Region>,
    pub institutions: Vec<Institution>,
    /// By place of care.
    pub catalogue: Vec<(RegionCode, CatalogueEntry)>,
    /// Every pack that was ever in force here: its text settles audits years later.
    pub packs: Vec<PackText>,
}

/// A policy pack as it was read: region, content hash and the file itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackText {
    pub region: RegionCode,
    pub hash: String,
    pub text: String,
}

/// A change of the shared tables. Rows replace rows of the same key (code and first day); none is removed.
#[derive(Clone, Debug)]
pub enum ReferenceChange {
    Regions(Vec<Region>),
    Institutions(Vec<Institution>),
    Catalogue { place: RegionCode, entries: Vec<CatalogueEntry> },
    Pack(PackText),
}

/// What there is to show for a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipted {
    Receipt(Box<Receipt>),
    /// Recorded a moment ago: its anchor comes within [`seal::anchor::ANCHOR_EVERY_MS`].
    NotYet,
    Unknown,
}

/// An anchor that somebody kept elsewhere: what is here must still lead to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    pub number: u64,
    pub hash: Hash,
}

/// How far a long reading has come, in records.
#[derive(Debug, Default)]
pub struct Progress {
    pub done: AtomicU64,
    pub total: AtomicU64,
}

/// What a verification is asked for.
#[derive(Clone, Debug, Default)]
pub struct Verify {
    /// Tell no more faults than these.
    pub faults_max: usize,
    pub witness: Option<Witness>,
    pub progress: Arc<Progress>,
}

/// What a verification has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    pub blocks: u64,
    pub anchors: u64,
    /// Records that no anchor covers yet: those of the last [`seal::anchor::ANCHOR_EVERY_MS`], or of a node that was
    /// killed and has not been started again.
    pub tail: u64,
    /// The newest anchor.
    pub head: Option<Witness>,
    /// The first bad record comes first. No personal data.
    pub faults: Vec<String>,
}

/// Why the ledger could not do it. A failed commit may have happened.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger's queue of {limit} waiting deeds is full")]
    Full { limit: usize },
    #[error("the ledger is stopping")]
    Stopping,
    /// A fault of ours: nothing was recorded.
    #[error("the deed does not fit its facts and was not recorded: {what}")]
    Unfit { what: String },
    #[error("the ledger could not {what}")]
    Storage {
        what: &'static str,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the ledger's schema is at step {found}, this version knows {known}: start a newer version")]
    Newer { found: usize, known: usize },
    #[error("the ledger's schema is at step {found}, this version needs step {known}: run `banyan migrate`")]
    Behind { found: usize, known: usize },
    #[error("the ledger was written with another look-up key: start with the key that it was made with")]
    OtherKey,
    #[error("the ledger is damaged at {at}: {what}")]
    Damaged { at: String, what: String },
    #[error("the address of the ledger cannot be used")]
    Address(#[source] BadAddress),
    #[error(
        "the database of url is not a ledger of Banyan: {what}; name an empty database that its user owns"
    )]
    Foreign { what: String },
    #[error("the database of url holds tables of another program ({tables}): take an empty one")]
    Occupied { tables: String },
    #[error("the database of url is encoded in {found}: make one with ENCODING 'UTF8'")]
    Encoding { found: String },
    #[error(
        "the database of url is no ledger yet: a restore into it has not ended: wait for it, or run it again"
    )]
    Restoring,
}

impl LedgerError {
    /// Whether it is part of an outage that the ledger has told by itself: whoever meets it need not tell it again.
    pub fn is_known_outage(&self) -> bool {
        matches!(self, LedgerError::Storage { cause, .. } if cause.is::<KnownOutage>())
    }

    fn told_already(self) -> LedgerError {
        match self {
            LedgerError::Storage { what, cause } => {
                LedgerError::Storage { what, cause: Box::new(KnownOutage(cause)) }
            }
            other => other,
        }
    }
}

/// Says what its cause says.
#[derive(Debug)]
struct KnownOutage(Box<dyn std::error::Error + Send + Sync>);

impl std::fmt::Display for KnownOutage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for KnownOutage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// The book of record. SQLite stands behind it by default, the PostgreSQL family when scaled out.
pub trait Ledger: Send + Sync + 'static {
    fn look_up(&self, wanted: LookUp) -> BoxFuture<'_, Result<Found, LedgerError>>;

    /// Records a deed decided on these facts.
    fn commit(&self, facts: Facts, deed: Deed) -> BoxFuture<'_, Result<Committed, LedgerError>>;

    /// Persons whom a card or certificate names, in the order of their keys.
    fn find_persons(&self, credential: Credential) -> BoxFuture<'_, Result<Vec<PersonKey>, LedgerError>>;

    /// Her records from a version on, in order, at most `limit`.
    fn records(
        &self,
        person: &PersonKey,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Record>>, LedgerError>>;

    /// The record of a settlement, reversal or revival.
    fn settlement(&self, id: &SettlementId) -> BoxFuture<'_, Result<Option<Arc<Record>>, LedgerError>>;

    /// The proof that a settlement, reversal or revival was recorded, for whoever wants to check it without us.
    fn receipt(&self, id: &SettlementId) -> BoxFuture<'_, Result<Receipted, LedgerError>>;

    /// Every message with that id, of one institution or of all.
    fn trace(
        &self,
        message: &MessageId,
        institution: Option<&InstitutionCode>,
    ) -> BoxFuture<'_, Result<Vec<(MessageKey, Message)>, LedgerError>>;

    /// The settlements of a month in the order of their ids, after `after`, at most `limit`. Of a month that still runs not as
    /// of one instant: what is recorded meanwhile may stand among them.
    fn month(
        &self,
        month: Month,
        after: Option<&SettlementId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ClearingRow>, LedgerError>>;

    /// The shared tables, whole.
    fn reference(&self) -> BoxFuture<'_, Result<ReferenceRows, LedgerError>>;

    /// The version of the shared tables, cheap enough to ask every second.
    fn reference_version(&self) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// Records a change of the shared tables (all of it or nothing) and gives their new version.
    fn record_reference(
        &self,
        source: String,
        change: ReferenceChange,
    ) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// Nothing gets a time before `floor` any more, by whatever node, once this has answered: a month that has ended
    /// can be counted.
    fn raise_floor(&self, floor: Instant) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Holds the whole book to its seals, and every table to the fold of its records, as of one instant. Reads
    /// everything, on all cores.
    fn verify(&self, wish: Verify) -> BoxFuture<'_, Result<Verified, LedgerError>>;

    /// What [`Ledger::verify`] finds wrong, at most `limit` sentences.
    fn check(&self, limit: usize) -> BoxFuture<'_, Result<Vec<String>, LedgerError>> {
        let verified = self.verify(Verify { faults_max: limit, ..Verify::default() });
        async move { verified.await.map(|verified| verified.faults) }.boxed()
    }

    /// Nothing that was read before stays in memory: keys may have been destroyed.
    fn forget_recent(&self);

    /// Whether [`LookUp::remembered`] makes a difference.
    fn remembers(&self) -> bool;

    /// Where all that belongs to a person lies, and ids made for her begin.
    fn bucket(&self, person: &PersonKey) -> Bucket;

    /// Number of this node's lane: makes its ids unlike those of every other node and of every earlier start.
    fn lane(&self) -> u32;
}

/// Versions and counts as the schema keeps them. They count deeds, so that they never come near the end of an `i64`.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Wraps whatever the database or the system says.
fn storage<E>(what: &'static str) -> impl FnOnce(E) -> LedgerError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |cause| LedgerError::Storage { what, cause: Box::new(cause) }
}
