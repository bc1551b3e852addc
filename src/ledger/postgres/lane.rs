//! Owns a lane: one thread with one connection that gathers what waits into one transaction at a time, learns what
//! became of it whatever happens to the connection, and answers.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant as Stopwatch;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::Instant as Deadline;
use tokio::time::timeout_at;

use crate::ledger::LedgerError;
use crate::ledger::ReferenceChange;
use crate::ledger::event::Event;
use crate::ledger::event::Found;
use crate::ledger::lane::Alone;
use crate::ledger::lane::Batches;
use crate::ledger::lane::Now;
use crate::ledger::lane::Waiting;
use crate::ledger::moved::Moved;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::batch::Lane;
use crate::ledger::postgres::batch::NotWritten;
use crate::ledger::postgres::batch::Pending;
use crate::ledger::postgres::batch::Rows;
use crate::ledger::postgres::batch::Stand;
use crate::ledger::postgres::batch::Step;
use crate::ledger::postgres::connection::Link;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::connection::meaning;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::is_broken;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::guards;
use crate::ledger::postgres::lane_row::connect;
use crate::ledger::postgres::lane_row::stand_of;
use crate::ledger::postgres::lane_row::take_lane;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::postgres::outage::Member;
use crate::ledger::postgres::outage::Outage;
use crate::ledger::postgres::references;
use crate::ledger::postgres::statements::Statements;
use crate::ledger::prepared::Place;
use crate::ledger::prepared::Prepared;
use crate::ledger::prepared::Written;
use crate::ledger::recent::Recent;
use crate::ledger::storage;

/// How often one batch is tried before its deeds are told to look again.
const TRIES_MAX: usize = 10;
/// A lane in trouble for which nothing waits looks so often whether it is over, for no longer than that: what waits
/// meanwhile waits behind it.
const MEND_EVERY: Duration = Duration::from_secs(1);
const MEND_WITHIN: Duration = Duration::from_secs(2);
/// Between two tries of what may succeed the next time.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the answer to a job goes. Nobody listens any more when the caller gave up.
type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What a lane is asked for.
pub(super) enum Job {
    Deed { deed: Box<Prepared>, reply: Reply<Written> },
    Reference { source: String, change: ReferenceChange, reply: Reply<u64> },
}

impl Job {
    fn deed(&self) -> Option<&Prepared> {
        match self {
            Job::Deed { deed, .. } => Some(deed),
            Job::Reference { .. } => None,
        }
    }
}

impl Alone for Job {
    type Key = String;

    fn key(&self) -> Option<String> {
        self.deed().map(|deed| deed.person.clone())
    }
}

/// What became of a deed.
enum Done {
    Written(Written),
    /// The schema refuses it: a fault of the deed, the others of its batch stand.
    Refused(String),
    Failed(Arc<LedgerError>),
}

/// Deeds that are tried together.
struct Group<'d> {
    deeds: Vec<Pending<'d>>,
    tries: usize,
}

pub(super) struct Writer {
    target: Target,
    settings: Settings,
    now: Now,
    recent: Arc<Recent>,
    link: Option<(Link, Statements)>,
    stand: Stand,
    /// What the lane's row says if the last batch, of which it is not known, was committed.
    doubt: Option<Stand>,
    /// The persons and stays of the last batch.
    moved: Moved,
    outage: Arc<Outage>,
    /// This lane's place there.
    place: usize,
    /// It has told trouble, and not yet that it is over.
    troubled: bool,
}

/// The row of this lane is not as we left it, or gone.
#[derive(Debug, thiserror::Error)]
#[error("lane {0} was changed by somebody else; a new lane was taken")]
struct LaneLost(u32);

#[derive(Debug, thiserror::Error)]
#[error("other nodes change the shared tables at the same time; try again")]
struct Contended;

/// Told to each caller of a batch that failed.
#[derive(Debug, thiserror::Error)]
#[error("a whole batch failed; ask by message key whether the deed stands")]
struct BatchFailed(#[source] Arc<LedgerError>);

impl Writer {
    /// Connects and takes a lane beside that bucket.
    pub(super) fn open(
        (target, settings, now): (Target, Settings, Now),
        recent: Arc<Recent>,
        bucket: i64,
        (outage, place): (Arc<Outage>, usize),
    ) -> Result<(Runtime, Writer), LedgerError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(storage("start a lane"))?;
        let deadline = settings.deadline();
        let (link, stand) = runtime.block_on(async {
            let mut link = connect(&target, &settings, deadline(), &|_| {}, &outage).await?;
            let stand =
                take_lane(&mut link.0, bucket, deadline(), outage.late_commit(settings.answer_within))
                    .await?;
            Ok::<_, LedgerError>((link, stand))
        })?;
        let (doubt, moved) = (None, Moved::default());
        let link = Some(link);
        let troubled = false;
        let writer =
            Writer { target, settings, now, recent, link, stand, doubt, moved, outage, place, troubled };
        Ok((runtime, writer))
    }

    pub(super) fn number(&self) -> u32 {
        self.stand.lane.number
    }

    /// Until every caller is gone.
    pub(super) fn run(mut self, runtime: &Runtime, mut batches: Batches<Job>) {
        loop {
            let gathered = if self.troubled { batches.gather_within(MEND_EVERY) } else { batches.gather() };
            let Some(batch) = gathered else { break };
            if batch.is_empty() {
                runtime.block_on(self.mend());
                continue;
            }
            let (deeds, others): (Vec<_>, Vec<_>) =
                batch.into_iter().partition(|waiting| matches!(waiting.job, Job::Deed { .. }));
            runtime.block_on(self.take_deeds(deeds));
            for waiting in others {
                if let Job::Reference { source, change, reply } = waiting.job {
                    let _gone = reply.send(self.record_reference(runtime, &source, &change));
                }
            }
            for waiting in batches.take_decided(|job| job.deed().is_some_and(|deed| self.moved.decides(deed)))
            {
                self.answer_deed(waiting.job, Ok(Written::Moved));
            }
        }
    }

    /// Nobody wants anything of a lane in trouble: it finds out by itself when that is over.
    async fn mend(&mut self) {
        let deadline = Deadline::now() + self.settings.answer_within.min(MEND_WITHIN);
        if self.ready(deadline).await.is_ok() {
            self.is_well();
        }
    }

    fn is_well(&mut self) {
        if self.troubled {
            self.troubled = false;
            self.outage.mended(self.place);
        }
    }

    /// A connection of which an answer has not come in time is of no use any more.
    fn give_up_line(&mut self) {
        if self.link.take().is_some() {
            self.outage.line_lost();
        }
    }

    fn silent(&mut self, what: &'static str) -> LedgerError {
        self.give_up_line();
        self.troubled = true;
        self.outage.trouble(Member::Lane(self.place), &Fault::Silent);
        fault(what)(Fault::Silent)
    }

    fn unconfirmed(&mut self, what: &'static str) -> LedgerError {
        let within = self.settings.answer_within;
        let cause = self.outage.late_commit(within);
        self.troubled = true;
        self.outage.unconfirmed(self.place, Deadline::now() - within, &cause);
        fault(what)(cause)
    }

    /// What its callers gave up waiting for is not begun.
    async fn take_deeds(&mut self, mut deeds: Vec<Waiting<Job>>) {
        let deadline = self.deadline();
        deeds.retain(|waiting| matches!(&waiting.job, Job::Deed { reply, .. } if !reply.is_closed()));
        let pending = deeds.iter().enumerate().filter_map(|(at, waiting)| match &waiting.job {
            Job::Deed { deed, .. } => Some(Pending { at, deed, seen: self.moved.seen(deed) }),
            Job::Reference { .. } => None,
        });
        let mut pending: Vec<_> = pending.collect();
        pending.sort_unstable_by_key(|pending| (pending.deed.bucket, pending.deed.person.as_str()));
        let (begun, deeds_count) = (Stopwatch::now(), pending.len());
        let (done, moved) = self.write(pending, deadline).await;
        if deeds_count > 0 {
            self.settings.observer.tell(Event::Batch { deeds: deeds_count, took: begun.elapsed() });
        }
        self.moved = moved;
        let mut deeds: Vec<_> = deeds.into_iter().map(Some).collect();
        for (at, done) in done {
            let Some(waiting) = deeds[at].take() else { continue };
            self.answer_deed(
                waiting.job,
                match done {
                    Done::Written(written) => Ok(written),
                    Done::Refused(what) => Err(LedgerError::Unfit { what }),
                    Done::Failed(cause) => Err(storage("commit")(BatchFailed(cause))),
                },
            );
        }
    }

    /// Every deed gets an outcome; those that cannot stand together are tried apart.
    async fn write(&mut self, deeds: Vec<Pending<'_>>, deadline: Deadline) -> (Vec<(usize, Done)>, Moved) {
        let (mut done, mut moved) = (Vec::with_capacity(deeds.len()), Moved::default());
        let mut groups = vec![Group { deeds, tries: 0 }];
        while let Some(mut group) = groups.pop() {
            if group.deeds.is_empty() {
                continue;
            }
            match self.write_group(&mut group, deadline).await {
                Ok(Tried::Recorded(places)) => {
                    for (pending, place) in group.deeds.iter().zip(places) {
                        moved.take(pending.deed, place);
                        done.push((pending.at, Done::Written(Written::Recorded(place))));
                    }
                }
                Ok(Tried::Moved(which)) => {
                    done.extend(which.into_iter().map(|at| (at, Done::Written(Written::Moved))));
                    groups.push(group);
                }
                Ok(Tried::Again) if group.tries < TRIES_MAX => groups.push(group),
                Ok(Tried::Again) => {
                    let at = group.deeds.iter().map(|pending| pending.at);
                    done.extend(at.map(|at| (at, Done::Written(Written::Moved))));
                }
                Ok(Tried::Unfit(what)) => match <[_; 1]>::try_from(group.deeds) {
                    Ok([alone]) => done.push((alone.at, Done::Refused(what))),
                    Err(mut deeds) => {
                        let rest = deeds.split_off(deeds.len() / 2);
                        groups.extend([rest, deeds].map(|deeds| Group { deeds, tries: 0 }));
                    }
                },
                Err(cause) => {
                    let cause = Arc::new(cause);
                    let failed = std::iter::once(group).chain(groups.drain(..)).flat_map(|group| group.deeds);
                    done.extend(failed.map(|pending| (pending.at, Done::Failed(Arc::clone(&cause)))));
                }
            }
        }
        (done, moved)
    }

    /// One try.
    async fn write_group(&mut self, group: &mut Group<'_>, deadline: Deadline) -> Result<Tried, LedgerError> {
        group.tries += 1;
        self.ready(deadline).await?;
        let mut after = self.stand;
        let rows = Rows::of(&group.deeds, &mut after, (self.now)());
        let Some((link, statements)) = &mut self.link else { unreachable!("the lane was made ready") };
        let sent = rows.write(&link.client, &mut statements.batches, &self.stand, &after);
        let undone = match timeout_at(deadline, sent).await {
            Ok(Ok(())) => {
                self.stand = after;
                self.is_well();
                return Ok(Tried::Recorded(rows.places));
            }
            Ok(Err(undone)) if undone.meaning != Meaning::Broken => undone,
            broken => {
                self.doubt = Some(after);
                self.give_up_line();
                let cause = match broken {
                    Ok(Err(lost)) => server("commit")(lost.cause),
                    _ => self.unconfirmed("commit"),
                };
                // When its time is over the answer is that nobody knows; the next batch finds out.
                let known = self.ready(deadline).await;
                let recorded = self.stand.chain == after.chain;
                self.settings.observer.tell(Event::Doubt(match &known {
                    Ok(()) if recorded => Found::Recorded,
                    Ok(()) => Found::NotRecorded,
                    Err(_) => Found::Nothing,
                }));
                known.map_err(|_| cause)?;
                return Ok(if recorded { Tried::Recorded(rows.places) } else { Tried::Again });
            }
        };
        self.after_fault(group, undone, deadline).await
    }

    /// The transaction was undone by the server.
    async fn after_fault(
        &mut self,
        group: &mut Group<'_>,
        undone: NotWritten,
        deadline: Deadline,
    ) -> Result<Tried, LedgerError> {
        let Some((link, statements)) = &self.link else { return Ok(Tried::Again) };
        match (undone.step, undone.meaning) {
            (Step::Lane, Meaning::Moved) => {
                self.look_at_lane(deadline).await?;
                Ok(Tried::Again)
            }
            (Step::Facts, Meaning::Moved | Meaning::Taken) => {
                let look = guards::look(&link.client, statements, &mut group.deeds);
                let Ok(looked) = timeout_at(deadline, look).await else {
                    return Err(self.silent("read what moved"));
                };
                let looked = match looked {
                    // The batch was undone before: nothing is in doubt.
                    Err(cause) if meaning(&cause) == Meaning::Broken => {
                        self.give_up_line();
                        return Ok(Tried::Again);
                    }
                    looked => looked.map_err(server("read what moved"))?,
                };
                Ok(match looked {
                    guards::Looked { moved, .. } if !moved.is_empty() => Tried::Moved(moved),
                    guards::Looked { newer: true, .. } => Tried::Again,
                    // Another lane is just now writing the same, or a row is there that no guard knows of.
                    guards::Looked { .. } if group.tries < TRIES_MAX / 2 => {
                        tokio::time::sleep(PAUSE).await;
                        Tried::Again
                    }
                    guards::Looked { .. } => Tried::Unfit(told(&undone.cause)),
                })
            }
            (_, Meaning::Passing) => {
                tokio::time::sleep(PAUSE).await;
                Ok(Tried::Again)
            }
            (_, Meaning::Unfit | Meaning::Taken | Meaning::Moved) => Ok(Tried::Unfit(told(&undone.cause))),
            (_, Meaning::Refused | Meaning::Broken) => Err(server("commit")(undone.cause)),
        }
    }

    /// Connected, and sure where the lane stands.
    async fn ready(&mut self, deadline: Deadline) -> Result<(), LedgerError> {
        if self.link.as_ref().is_some_and(|(link, _)| link.client.is_closed()) {
            self.give_up_line();
        }
        loop {
            if self.link.is_none() {
                let (outage, place) = (Arc::clone(&self.outage), self.place);
                let tell = |why: &NoServer| outage.no_connection(Member::Lane(place), why);
                // A try may have told trouble, also where a later one succeeds.
                self.troubled = true;
                let connected = connect(&self.target, &self.settings, deadline, &tell, &outage).await;
                if let Some(cause) = connected.as_ref().err().filter(|cause| is_broken(cause)) {
                    outage.trouble(Member::Lane(place), cause);
                }
                self.link = Some(connected?);
            }
            let Some(other) = self.doubt else { return Ok(()) };
            match self.fence(other, deadline).await {
                Ok(()) => self.doubt = None,
                // Broken again: the question is asked anew until the time is over.
                Err(cause) if Deadline::now() + PAUSE >= deadline => {
                    self.give_up_line();
                    return Err(cause);
                }
                Err(_) => {
                    self.give_up_line();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Ends whatever of an earlier connection could still be committed, and takes over where the lane then stands.
    async fn fence(&mut self, other: Stand, deadline: Deadline) -> Result<(), LedgerError> {
        let late = self.outage.late_commit(self.settings.answer_within);
        let Some((link, statements)) = &mut self.link else { return Ok(()) };
        let lane = &mut self.stand.lane;
        // Counted on before it is asked: an answer that is lost leaves the row at this epoch.
        lane.epoch += 1;
        let (bucket, number, epoch) = (lane.bucket, i64::from(lane.number), lane.epoch);
        let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[&bucket, &number, &epoch];
        let asked = link.client.query_opt(&statements.fence, values);
        const WHAT: &str = "learn what became of a batch";
        let Ok(row) = timeout_at(deadline, asked).await else { return Err(self.unconfirmed(WHAT)) };
        let row = row.map_err(server(WHAT))?;
        let found = row.map(|row| stand_of(*lane, &row));
        let same = |stand: &Stand, found: &Stand| {
            stand.standing.sequence == found.standing.sequence && stand.chain == found.chain
        };
        match found {
            Some(found) if same(&self.stand, &found) || same(&other, &found) => self.stand = found,
            _ => {
                let lost = self.stand.lane;
                self.stand = take_lane(link, lost.bucket, deadline, late).await?;
                self.doubt = None;
                return Err(storage("find its lane")(LaneLost(lost.number)));
            }
        }
        Ok(())
    }

    /// A batch found the lane's row otherwise than it must: the floor was raised, or the row is ours no longer.
    async fn look_at_lane(&mut self, deadline: Deadline) -> Result<(), LedgerError> {
        let late = self.outage.late_commit(self.settings.answer_within);
        let Some((link, statements)) = &mut self.link else { return Ok(()) };
        let Lane { bucket, number, epoch } = self.stand.lane;
        let number = i64::from(number);
        let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[&bucket, &number, &epoch];
        let asked = link.client.query_opt(&statements.lane_now, values);
        let Ok(row) = timeout_at(deadline, asked).await else {
            return Err(self.silent("read its lane"));
        };
        let found = row.map_err(server("read its lane"))?.map(|row| stand_of(self.stand.lane, &row));
        self.stand = match found {
            Some(found)
                if found.standing.sequence == self.stand.standing.sequence
                    && found.chain == self.stand.chain =>
            {
                Stand { floor: found.floor, ..self.stand }
            }
            // A server that has lost what it told us, or somebody who took the lane: it is left as it is.
            _ => take_lane(link, bucket, deadline, late).await?,
        };
        Ok(())
    }

    /// A change of the shared tables, in a transaction of its own: there are few of them.
    fn record_reference(
        &mut self,
        runtime: &Runtime,
        source: &str,
        change: &ReferenceChange,
    ) -> Result<u64, LedgerError> {
        let deadline = self.deadline();
        for _ in 1..TRIES_MAX {
            runtime.block_on(self.ready(deadline))?;
            let Some((link, _)) = &mut self.link else { break };
            let connection = (&mut link.client, runtime, self.settings.answer_within);
            let written = references::write(connection, source, change, self.stand, (self.now)());
            match written {
                Ok(written) => {
                    self.stand = written.after;
                    return Ok(written.version);
                }
                Err(refused) => {
                    self.doubt = refused.committing.map(|stand| *stand);
                    match refused.meaning {
                        // Another node has recorded one meanwhile.
                        Meaning::Taken | Meaning::Passing => {}
                        Meaning::Moved => runtime.block_on(self.look_at_lane(deadline))?,
                        Meaning::Broken => {
                            self.troubled = true;
                            self.give_up_line();
                            return Err(refused.cause);
                        }
                        Meaning::Refused | Meaning::Unfit => return Err(refused.cause),
                    }
                }
            }
        }
        Err(storage("record a change")(Contended))
    }

    /// Whoever knows of a deed finds it in memory.
    fn answer_deed(&self, job: Job, outcome: Result<Written, LedgerError>) {
        let Job::Deed { mut deed, reply } = job else { return };
        if let Some(after) = deed.after.take() {
            match outcome {
                Ok(Written::Recorded(place)) => {
                    self.recent.wrote(self.recent.era(), after, place.version, place.at)
                }
                Ok(Written::Moved) | Err(_) => self.recent.lost(&after),
            }
        }
        let _gone = reply.send(outcome);
    }

    fn deadline(&self) -> Deadline {
        Deadline::now() + self.settings.answer_within
    }
}

/// What one try came to.
enum Tried {
    Recorded(Vec<Place>),
    /// These are out; the rest is tried again.
    Moved(Vec<usize>),
    Again,
    /// One of them is refused by the schema.
    Unfit(String),
}

/// What the server says of a row, without the row.
fn told(cause: &tokio_postgres::Error) -> String {
    cause.as_db_error().map_or_else(|| cause.to_string(), |cause| cause.message().to_owned())
}
