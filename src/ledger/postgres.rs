//! Owns the ledger of many nodes: a PostgreSQL server, or several that shard the same schema by `bucket`.
//!
//! A node has a lane or a few, each a thread with one connection that writes what waits as one transaction in one round trip,
//! and a few connections that look up. Whatever reads many rows has connections of its own. Every wait has a limit: who
//! asks is answered, or told to ask again, within [`Settings::answer_within`].

mod anchoring;
mod apart;
pub mod backup;
mod batch;
mod batch_sql;
mod connection;
pub(in crate::ledger) mod fault;
mod guards;
mod lane;
mod lane_row;
mod look_up;
mod no_connection;
mod outage;
mod quiet;
mod readers;
mod references;
pub mod restore;
pub(in crate::ledger) mod schema;
mod settings;
mod shards;
pub(in crate::ledger) mod standbys;
mod statements;
mod verify;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant as Deadline;
use tokio::time::timeout_at;

pub use apart::head_of;
pub use apart::migrate;
pub use apart::receipt_of;
pub use apart::verify_database;
pub use connection::BadAddress;
pub use connection::Target;
pub use schema::Climbed;
pub use settings::Settings;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Month;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::SettlementId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::Receipted;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::ledger::Verified;
use crate::ledger::Verify;
use crate::ledger::books::questions;
use crate::ledger::books::receipts;
use crate::ledger::books::reference;
use crate::ledger::credential::Credential;
use crate::ledger::key;
use crate::ledger::lane::NotQueued;
use crate::ledger::lane::Now;
use crate::ledger::lane::Queue;
use crate::ledger::lane::queue;
use crate::ledger::postgres::anchoring::Anchorer;
use crate::ledger::postgres::apart::apart;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::because_of;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::is_away;
use crate::ledger::postgres::fault::late;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::lane::Job;
use crate::ledger::postgres::lane::Writer;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::postgres::outage::Outage;
use crate::ledger::postgres::quiet::Quiet;
use crate::ledger::postgres::readers::Reader;
use crate::ledger::postgres::readers::Readers;
use crate::ledger::postgres::shards::Shards;
use crate::ledger::prepared;
use crate::ledger::prepared::Written;
use crate::ledger::recent::Recent;
use crate::ledger::row::person;
use crate::ledger::secrets::Secrets;
use crate::ledger::sql::Database;
use crate::ledger::storage;

/// Beyond the limit of a commit: a lane that gives it up just then tells why.
const HEARD_WITHIN: Duration = Duration::from_millis(100);

/// A ledger in PostgreSQL, as one node sees it.
pub struct PostgresLedger {
    target: Target,
    settings: Settings,
    secrets: Arc<Secrets>,
    now: Now,
    readers: Readers,
    outage: Arc<Outage>,
    quiet: Arc<Quiet>,
    recent: Arc<Recent>,
    shards: Shards,
    /// By shard, then by bucket.
    lanes: Vec<LaneHandle>,
    /// `None` where the ledger is only read.
    anchorer: Option<Anchorer>,
    number: u32,
}

struct LaneHandle {
    /// `None` once the ledger is being closed.
    queue: Option<Queue<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl PostgresLedger {
    /// Takes lanes of its own in a ledger that is there. Blocks for as long as the server takes to answer.
    ///
    /// # Errors
    /// `Behind`, `Newer`, `OtherKey` or `Damaged` when the database is not one to write into; `Storage` when the
    /// server cannot be used.
    pub fn open(settings: Settings, secrets: Secrets, now: Now) -> Result<PostgresLedger, LedgerError> {
        let target = Target::new(&settings).map_err(LedgerError::Address)?;
        let shards = shards_of(&target, &settings, &secrets)?;
        let per_shard = settings.lanes.div_ceil(shards.count()).max(1);
        let recent = Arc::new(Recent::new(settings.recent));
        let count = shards.count() * per_shard;
        let outage = Arc::new(Outage::new(target.place(), count, settings.observer.clone()));
        let mut lanes = Vec::new();
        let mut number = None;
        for lane in 0..count {
            let parts = (target.clone(), settings.clone(), Arc::clone(&now));
            let home = shards.home(lane / per_shard);
            let (handle, taken) = start_lane(parts, Arc::clone(&recent), home, (Arc::clone(&outage), lane))?;
            number = number.or(Some(taken));
            lanes.push(handle);
        }
        let number = number.unwrap_or_default();
        let keys = Arc::clone(&secrets.keys);
        let anchorer = Anchorer::start(target.clone(), keys, Arc::clone(&now), settings.observer.clone());
        let anchorer = Some(anchorer.map_err(storage("start its anchors"))?);
        let mut ledger = PostgresLedger::reading((target, settings), secrets, now, shards, outage);
        (ledger.lanes, ledger.anchorer, ledger.number) = (lanes, anchorer, number);
        ledger.recent = recent;
        Ok(ledger)
    }

    /// Opens a ledger that is there, to read it and nothing else: reports beside a running gateway. Every deed is
    /// refused with `Stopping`.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_to_read(settings: Settings, secrets: Secrets) -> Result<PostgresLedger, LedgerError> {
        let target = Target::new(&settings).map_err(LedgerError::Address)?;
        let shards = shards_of(&target, &settings, &secrets)?;
        let now: Now = Arc::new(Instant::default);
        let outage = Arc::new(Outage::new(target.place(), 0, settings.observer.clone()));
        Ok(PostgresLedger::reading((target, settings), secrets, now, shards, outage))
    }

    fn reading(
        (target, settings): (Target, Settings),
        secrets: Secrets,
        now: Now,
        shards: Shards,
        outage: Arc<Outage>,
    ) -> PostgresLedger {
        let readers = Readers::new(target.clone(), settings.readers, Arc::clone(&outage));
        let quiet = Arc::new(Quiet::new(target.clone()));
        let recent = Arc::new(Recent::new(settings.recent));
        let (secrets, lanes, anchorer, number) = (Arc::new(secrets), Vec::new(), None, 0);
        PostgresLedger {
            target,
            settings,
            secrets,
            now,
            readers,
            outage,
            quiet,
            recent,
            shards,
            lanes,
            anchorer,
            number,
        }
    }

    fn push<T>(
        &self,
        bucket: u16,
        job: impl FnOnce(oneshot::Sender<Result<T, LedgerError>>) -> Job,
    ) -> Result<oneshot::Receiver<Result<T, LedgerError>>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        // None where the ledger is only read.
        let per_shard = (self.lanes.len() / self.shards.count()).max(1);
        let lane = self.shards.of(bucket) * per_shard + usize::from(bucket) % per_shard;
        let queue = self.lanes.get(lane).and_then(|lane| lane.queue.as_ref()).ok_or(LedgerError::Stopping)?;
        queue.push(job(reply)).map_err(|refused| match refused {
            NotQueued::Full { limit } => LedgerError::Full { limit },
            NotQueued::Stopped => LedgerError::Stopping,
        })?;
        Ok(answer)
    }

    fn deadline(&self) -> Deadline {
        Deadline::now() + self.settings.answer_within
    }

    /// Asks what may take its time, on a thread that may block.
    fn aside<T: Send + 'static>(
        &self,
        question: impl Fn(&dyn Database, &Secrets) -> Result<T, LedgerError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, LedgerError>> {
        let (quiet, secrets) = (Arc::clone(&self.quiet), Arc::clone(&self.secrets));
        async move {
            let (begun, deadline) = (Deadline::now(), self.deadline());
            let Ok(_place) = timeout_at(deadline, self.quiet.room.acquire()).await else {
                return self.unanswered(begun, Err(fault("ask")(Fault::Crowded)));
            };
            let asked = tokio::task::spawn_blocking(move || quiet.ask(deadline, |db| question(db, &secrets)));
            let asked = asked.await.unwrap_or_else(|broken| Err(storage("finish a read")(broken)));
            self.unanswered(begun, asked)
        }
        .boxed()
    }

    /// What was asked then aside: where no answer came, and none to whoever asked later, the outage begins with it.
    fn unanswered<T>(&self, begun: Deadline, outcome: Result<T, LedgerError>) -> Result<T, LedgerError> {
        if let Err(cause) = &outcome
            && is_away(cause)
        {
            match (because_of::<NoServer>(cause), because_of::<Fault>(cause)) {
                (Some(why), _) => self.outage.unanswered(begun, why),
                (_, Some(why)) => self.outage.unanswered(begun, why),
                _ => {}
            }
        }
        self.outage.mark(outcome)
    }

    /// On one of the connections that look up.
    async fn ask<T, F>(&self, what: &'static str, ask: impl Fn(Arc<Reader>) -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        self.outage.mark(self.readers.ask(what, self.deadline(), ask).await)
    }
}

fn shards_of(target: &Target, settings: &Settings, secrets: &Secrets) -> Result<Shards, LedgerError> {
    apart(|| async {
        let deadline = settings.deadline()();
        let link = target.connect_by("", deadline).await?;
        let looked = async {
            schema::check(&link.client, &secrets.lookup).await?;
            Shards::read(&link.client).await
        };
        timeout_at(deadline, looked).await.map_err(late("look at the schema"))?
    })
}

fn start_lane(
    parts: (Target, Settings, Now),
    recent: Arc<Recent>,
    bucket: i64,
    seen: (Arc<Outage>, usize),
) -> Result<(LaneHandle, u32), LedgerError> {
    let (_, settings, _) = &parts;
    let (queue, batches) = queue(settings.queue_limit, settings.batch_max);
    let (told, opened) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("ledger-lane".into())
        .spawn(move || match Writer::open(parts, recent, bucket, seen) {
            Err(cause) => drop(told.send(Err(cause))),
            Ok((runtime, writer)) => {
                drop(told.send(Ok(writer.number())));
                writer.run(&runtime, batches);
            }
        })
        .map_err(storage("start a lane"))?;
    let number = opened.recv().map_err(storage("start a lane"))??;
    Ok((LaneHandle { queue: Some(queue), thread: Some(thread) }, number))
}

/// Everything that was queued is written and anchored before the ledger is closed.
impl Drop for PostgresLedger {
    fn drop(&mut self) {
        for lane in &mut self.lanes {
            drop(lane.queue.take());
        }
        for lane in &mut self.lanes {
            // A lane that panicked has told so on its own thread.
            let _ended = lane.thread.take().map(JoinHandle::join);
        }
        // What the lanes have written last is anchored as well.
        self.anchorer.take().into_iter().for_each(Anchorer::end);
    }
}

impl Ledger for PostgresLedger {
    fn look_up(&self, wanted: LookUp) -> BoxFuture<'_, Result<Found, LedgerError>> {
        async move {
            let (wanted, secrets) = (&wanted, &self.secrets);
            let remembered = wanted.remembered.then(|| self.recent.found(&secrets.lookup, wanted));
            if let Some(found) = remembered.flatten() {
                return Ok(found);
            }
            let mark = self.recent.mark_for(&secrets.lookup, &wanted.who);
            let asked = self.ask("look up", |reader| async move {
                look_up::ask(&reader.link.client, &reader.statements, secrets, wanted).await
            });
            let found = look_up::found(secrets, wanted, &asked.await?)?;
            if let (Some(mark), Some(facts)) = (mark, &found.facts) {
                self.recent.keep(mark, facts);
            }
            Ok(found)
        }
        .boxed()
    }

    fn commit(&self, facts: Facts, deed: Deed) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        async move {
            let (person, bucket, deadline) = (facts.key.clone(), facts.bucket.get(), self.deadline());
            let ready = Box::new(prepared::prepare(&self.secrets, facts, &deed, (self.now)())?);
            let stay_version = ready.stay.as_ref().map(|stay| stay.version + 1);
            let answer = self.push(bucket, |reply| Job::Deed { deed: ready, reply })?;
            let answer = timeout_at(deadline + HEARD_WITHIN, answer).await.unwrap_or_else(|_| {
                Ok(Err(fault("commit")(self.outage.late_commit(self.settings.answer_within))))
            });
            let written = answer.map_err(storage("learn what became of a commit"))?;
            Ok(match self.outage.mark(written)? {
                Written::Moved => Committed::FactsMoved,
                Written::Recorded(place) => {
                    Committed::Recorded(Arc::new(prepared::recorded(person, deed, stay_version, place)))
                }
            })
        }
        .boxed()
    }

    fn find_persons(&self, credential: Credential) -> BoxFuture<'_, Result<Vec<PersonKey>, LedgerError>> {
        async move {
            let (bucket, hash) = key::credential_hash(&self.secrets.lookup, &credential);
            let (bucket, hash) = (i64::from(bucket.get()), &hash);
            let rows = self.ask("look a credential up", |reader| async move {
                let hash = hash.as_slice();
                reader.link.client.query(&reader.statements.credential, &[&bucket, &hash]).await
            });
            rows.await?.iter().map(|row| person(row, 0)).collect()
        }
        .boxed()
    }

    fn records(
        &self,
        person: &PersonKey,
        from: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Record>>, LedgerError>> {
        let (person, bucket, deadline) = (person.clone(), self.bucket(person), self.deadline());
        let asked =
            self.aside(move |db, secrets| questions::records(db, secrets, bucket, &person, from, limit));
        // A replay waits for it.
        async move {
            let begun = Deadline::now();
            let asked = timeout_at(deadline, asked).await;
            asked.unwrap_or_else(|_| self.unanswered(begun, Err(fault("read records")(Fault::Silent))))
        }
        .boxed()
    }

    fn settlement(&self, id: &SettlementId) -> BoxFuture<'_, Result<Option<Arc<Record>>, LedgerError>> {
        let id = id.clone();
        async move {
            let id = &id;
            let rows = self.ask("read a settlement", |reader| async move {
                look_up::ask_settlement(&reader.link.client, &reader.statements, id).await
            });
            look_up::settlement(&self.secrets, &rows.await?)
        }
        .boxed()
    }

    fn receipt(&self, id: &SettlementId) -> BoxFuture<'_, Result<Receipted, LedgerError>> {
        let id = id.clone();
        self.aside(move |db, _| receipts::receipt(db, &id))
    }

    fn trace(
        &self,
        message: &MessageId,
        institution: Option<&InstitutionCode>,
    ) -> BoxFuture<'_, Result<Vec<(MessageKey, Message)>, LedgerError>> {
        let (message, institution) = (message.clone(), institution.cloned());
        self.aside(move |db, secrets| questions::trace(db, secrets, &message, institution.as_ref()))
    }

    fn month(
        &self,
        month: Month,
        after: Option<&SettlementId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ClearingRow>, LedgerError>> {
        let after = after.cloned();
        self.aside(move |db, _| questions::month(db, month, after.as_ref(), limit))
    }

    fn reference(&self) -> BoxFuture<'_, Result<ReferenceRows, LedgerError>> {
        self.aside(|db, _| reference::read(db))
    }

    fn reference_version(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        async move {
            let what = "read the version of the shared tables";
            let row = self.ask(what, |reader| async move {
                reader.link.client.query_one(&reader.statements.reference_version, &[]).await
            });
            let row = row.await?;
            // It may have changed since the lanes connected.
            self.outage.standbys_are_awaited(row.get(1));
            Ok(row.get::<_, i64>(0).unsigned_abs())
        }
        .boxed()
    }

    fn record_reference(
        &self,
        source: String,
        change: ReferenceChange,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        async move {
            let answer = self.push(0, |reply| Job::Reference { source, change, reply })?;
            self.outage.mark(answer.await.map_err(storage("learn what became of a change"))?)
        }
        .boxed()
    }

    /// The same row is changed first as for a new lane: whoever comes second sees what the first did.
    fn raise_floor(&self, floor: Instant) -> BoxFuture<'_, Result<(), LedgerError>> {
        async move {
            const SQL: &str = "BEGIN;
                 UPDATE meta SET value = value WHERE name = 'lanes';
                 UPDATE lane SET floor_ms = {floor} WHERE floor_ms < {floor};
                 COMMIT";
            let sql = SQL.replace("{floor}", &floor.0.to_string());
            let deadline = self.deadline();
            let link = self.target.connect_by("", deadline).await?;
            let raised = timeout_at(deadline, link.client.batch_execute(&sql)).await;
            let unconfirmed =
                |_| fault("raise the floor")(self.outage.late_commit(self.settings.answer_within));
            raised.map_err(unconfirmed)?.map_err(server("raise the floor"))
        }
        .boxed()
    }

    fn verify(&self, wish: Verify) -> BoxFuture<'_, Result<Verified, LedgerError>> {
        let (target, secrets) = (self.target.clone(), Arc::clone(&self.secrets));
        async move {
            let verified = tokio::task::spawn_blocking(move || verify::verify(&target, &secrets, &wish));
            verified.await.unwrap_or_else(|broken| Err(storage("finish to verify")(broken)))
        }
        .boxed()
    }

    fn bucket(&self, person: &PersonKey) -> Bucket {
        key::bucket_of(&self.secrets.lookup, person)
    }

    fn forget_recent(&self) {
        self.recent.forget();
    }

    fn remembers(&self) -> bool {
        true
    }

    fn lane(&self) -> u32 {
        self.number
    }
}
