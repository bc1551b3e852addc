//! Owns the rows of a batch as columns, and their way to the server: one round trip, one transaction.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::join_all;
use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use crate::domain::calendar::Instant;
use crate::domain::record::MessageKey;
use crate::ledger::codec;
use crate::ledger::kept::amounts;
use crate::ledger::lane::Standing;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::connection::meaning;
use crate::ledger::postgres::statements::Statements;
use crate::ledger::prepared::CredentialHash;
use crate::ledger::prepared::Guard;
use crate::ledger::prepared::Place;
use crate::ledger::prepared::Prepared;
use crate::ledger::seal::block;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::whole;

/// Where a lane stands in the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) lane: Lane,
    pub(super) standing: Standing,
    /// Its last block.
    pub(super) chain: Hash,
    /// Nothing gets a time before it.
    pub(super) floor: Instant,
}

/// The row of a lane and the epoch in which it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) bucket: i64,
    pub(super) number: u32,
    pub(super) epoch: i64,
}

/// A deed that waits to be written.
pub(super) struct Pending<'d> {
    /// Its place in the batch that was gathered.
    pub(super) at: usize,
    pub(super) deed: &'d Prepared,
    /// Version and time of the person as the batch expects to find them.
    pub(super) seen: (u64, Instant),
}

/// Which of the statements met an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Lane,
    /// A person, a stay, a message or a record: what the facts of a deed are about.
    Facts,
    Other,
}

/// A batch that was not written, or of which it is not known.
#[derive(Debug)]
pub(super) struct NotWritten {
    pub(super) step: Step,
    pub(super) meaning: Meaning,
    pub(super) cause: Error,
}

type Sent<'a> = (Step, Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>>);
type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Time, place and rows of a batch before it is sent.
#[derive(Default)]
pub(super) struct Rows<'d> {
    pub(super) places: Vec<Place>,
    leaves: Vec<Hash>,
    persons: Persons<'d>,
    new_persons: Persons<'d>,
    stays: Stays<'d>,
    new_stays: Stays<'d>,
    messages: Messages<'d>,
    turned: Messages<'d>,
    records: Records<'d>,
    settlements: Settlements<'d>,
    forget: Credentials<'d>,
    learn: Credentials<'d>,
}

#[derive(Default)]
struct Persons<'d> {
    bucket: Vec<i64>,
    person: Vec<&'d str>,
    version: Vec<i64>,
    last_ms: Vec<i64>,
    state: Vec<Option<&'d str>>,
    private: Vec<Option<&'d [u8]>>,
}

#[derive(Default)]
struct Stays<'d> {
    bucket: Vec<i64>,
    stay: Vec<&'d str>,
    person: Vec<&'d str>,
    version: Vec<i64>,
    state: Vec<&'d str>,
}

#[derive(Default)]
struct Messages<'d> {
    bucket: Vec<i64>,
    msgid: Vec<&'d str>,
    institution: Vec<&'d str>,
    infno: Vec<i64>,
    person: Vec<&'d str>,
    /// By which it is done, or undone.
    version: Vec<i64>,
    fence: Vec<i64>,
    recipe: Vec<i64>,
    content: Vec<&'d [u8]>,
}

#[derive(Default)]
struct Records<'d> {
    bucket: Vec<i64>,
    person: Vec<&'d str>,
    version: Vec<i64>,
    stay: Vec<Option<&'d str>>,
    stay_version: Vec<Option<i64>>,
    kind: Vec<&'d str>,
    at_ms: Vec<i64>,
    sequence: Vec<i64>,
    institution: Vec<&'d str>,
    infno: Vec<i64>,
    msgid: Vec<&'d str>,
    keyed: Vec<i64>,
    told: Vec<&'d str>,
    body: Vec<&'d str>,
    private: Vec<Option<&'d [u8]>>,
    commitment: Vec<Option<&'d [u8]>>,
}

#[derive(Default)]
struct Settlements<'d> {
    amounts: Vec<i64>,
    bucket: Vec<i64>,
    setl_id: Vec<&'d str>,
    person: Vec<&'d str>,
    version: Vec<i64>,
    kind: Vec<&'d str>,
    original: Vec<Option<&'d str>>,
    stay: Vec<Option<&'d str>>,
    institution: Vec<&'d str>,
    care_pool: Vec<i64>,
    insured_pool: Vec<i64>,
    scheme: Vec<String>,
    year: Vec<i64>,
    month: Vec<i64>,
    at_ms: Vec<i64>,
}

#[derive(Default)]
struct Credentials<'d> {
    bucket: Vec<i64>,
    hash: Vec<&'d [u8]>,
    person: Vec<&'d str>,
}

impl<'d> Rows<'d> {
    /// Gives each deed its time and place. The deeds are in the order of their keys, so that two lanes never wait for
    /// each other.
    pub(super) fn of(deeds: &[Pending<'d>], stand: &mut Stand, clock: Instant) -> Rows<'d> {
        let mut rows = Rows::default();
        let first = stand.standing.sequence + 1;
        for pending in deeds {
            let (deed, (seen, last_at)) = (pending.deed, pending.seen);
            let at = stand.standing.stamp(clock, stand.floor, last_at);
            let place = Place { version: seen + 1, at };
            let sequence = stand.standing.sequence;
            rows.leaves.push(deed.leaf(place, stand.lane.number, sequence));
            rows.places.push(place);
            rows.take(deed, seen, place, sequence);
        }
        stand.chain = block::Header::of(stand.lane.number, first, &rows.leaves, stand.chain).hash();
        rows
    }

    fn take(&mut self, deed: &'d Prepared, seen: u64, place: Place, sequence: u64) {
        let bucket = i64::from(deed.bucket.get());
        let private = deed.private.as_ref().map(|private| private.ciphertext.as_slice());
        let (state, registers) = match &deed.guard {
            Guard::Person { state, registers, .. } => (Some(state.as_str()), *registers),
            Guard::StayOnly => (None, false),
        };
        let persons = if seen == 0 { &mut self.new_persons } else { &mut self.persons };
        persons.bucket.push(bucket);
        persons.person.push(&deed.person);
        persons.version.push(whole(seen));
        persons.last_ms.push(place.at.0);
        persons.state.push(state);
        persons.private.push(private.filter(|_| registers));
        if let Some(stay) = &deed.stay {
            let stays = if stay.version == 0 { &mut self.new_stays } else { &mut self.stays };
            stays.bucket.push(bucket);
            stays.stay.push(stay.id.as_str());
            stays.person.push(&deed.person);
            stays.version.push(whole(stay.version));
            stays.state.push(&stay.state);
        }
        for (key, fence) in own_messages(deed) {
            self.messages.push(bucket, key, &deed.person, place.version);
            self.messages.fence.push(fence.into());
            self.messages.recipe.push(deed.content.recipe.into());
            self.messages.content.push(&deed.content.digest);
        }
        for key in &deed.effect.undoes {
            self.turned.push(bucket, key, &deed.person, place.version);
        }
        if let Some(key) = &deed.effect.restores {
            self.turned.push(bucket, key, &deed.person, 0);
        }
        self.record(deed, place, sequence);
        self.settlement(deed, place);
        self.forget.take(&deed.forget, &deed.person);
        self.learn.take(&deed.learn, &deed.person);
    }

    fn record(&mut self, deed: &'d Prepared, place: Place, sequence: u64) {
        let records = &mut self.records;
        records.bucket.push(deed.bucket.get().into());
        records.person.push(&deed.person);
        records.version.push(whole(place.version));
        records.stay.push(deed.stay.as_ref().map(|stay| stay.id.as_str()));
        records.stay_version.push(deed.stay.as_ref().map(|stay| whole(stay.version + 1)));
        records.kind.push(deed.kind);
        records.at_ms.push(place.at.0);
        records.sequence.push(whole(sequence));
        records.institution.push(deed.key.institution.as_str());
        records.infno.push(deed.key.transaction.into());
        records.msgid.push(deed.key.message.as_str());
        records.keyed.push(deed.keyed.into());
        records.told.push(&deed.told);
        records.body.push(&deed.body);
        records.private.push(deed.private.as_ref().map(|private| private.ciphertext.as_slice()));
        records.commitment.push(deed.private.as_ref().map(|private| private.commitment.as_slice()));
    }

    fn settlement(&mut self, deed: &'d Prepared, place: Place) {
        let Some(row) = &deed.effect.settlement else { return };
        let settlements = &mut self.settlements;
        settlements.amounts.extend(amounts(&row.breakdown).map(|amount| amount.0));
        settlements.bucket.push(deed.bucket.get().into());
        settlements.setl_id.push(row.id.as_str());
        settlements.person.push(&deed.person);
        settlements.version.push(whole(place.version));
        settlements.kind.push(row.kind.word());
        settlements.original.push(row.original.as_ref().map(|id| id.as_str()));
        settlements.stay.push(deed.stay.as_ref().map(|stay| stay.id.as_str()));
        settlements.institution.push(row.institution.as_str());
        settlements.care_pool.push(row.care_pool.0.into());
        settlements.insured_pool.push(row.insured_pool.0.into());
        settlements.scheme.push(row.scheme.to_string());
        settlements.year.push(row.year.0.into());
        settlements.month.push(place.at.day().month().number().into());
        settlements.at_ms.push(place.at.0);
    }

    /// Begin, every statement that has rows, and the end, without waiting in between. The first error is the cause:
    /// after it the server refuses the rest, and the end undoes all.
    pub(super) async fn write(
        &self,
        client: &Client,
        statements: &Statements,
        before: &Stand,
        after: &Stand,
    ) -> Result<(), NotWritten> {
        let (lane, new) = (&before.lane, &after.standing);
        let number = i64::from(lane.number);
        let (sequence, last, before) = (whole(new.sequence), new.last.0, (before.standing, before.floor));
        let (chain, leaves) = (after.chain.as_slice(), self.leaves.as_flattened());
        let (expected, first) = (whole(before.0.sequence), whole(before.0.sequence + 1));
        let (floor, records) = (before.1.0, whole(self.leaves.len() as u64));
        let (moved, stays_moved) =
            (whole(self.persons.bucket.len() as u64), whole(self.stays.bucket.len() as u64));
        let lane_values: Values<'_> =
            &[&lane.bucket, &number, &lane.epoch, &sequence, &last, &chain, &expected, &floor];
        let block_values: Values<'_> = &[&lane.bucket, &number, &first, &records, &leaves, &chain];
        let (p, n, s, b) = (&self.persons, &self.new_persons, &self.stays, &self.new_stays);
        let persons: Values<'_> =
            &[&p.bucket, &p.person, &p.version, &p.last_ms, &p.state, &p.private, &moved];
        let new_persons: Values<'_> = &[&n.bucket, &n.person, &n.last_ms, &n.state, &n.private];
        let stays: Values<'_> = &[&s.bucket, &s.stay, &s.person, &s.version, &s.state, &stays_moved];
        let new_stays: Values<'_> = &[&b.bucket, &b.stay, &b.person, &b.state];
        let (m, t, r, l) = (&self.messages, &self.turned, &self.records, &self.settlements);
        let messages: Values<'_> = &[
            &m.bucket,
            &m.msgid,
            &m.institution,
            &m.infno,
            &m.person,
            &m.version,
            &m.fence,
            &m.recipe,
            &m.content,
        ];
        let turned: Values<'_> = &[&t.bucket, &t.msgid, &t.institution, &t.infno, &t.person, &t.version];
        let record_values: Values<'_> = &[
            &number,
            &codec::FORMAT,
            &r.bucket,
            &r.person,
            &r.version,
            &r.stay,
            &r.stay_version,
            &r.kind,
            &r.at_ms,
            &r.sequence,
            &r.institution,
            &r.infno,
            &r.msgid,
            &r.keyed,
            &r.told,
            &r.body,
            &r.private,
            &r.commitment,
        ];
        let settlements: Values<'_> = &[
            &l.amounts,
            &l.bucket,
            &l.setl_id,
            &l.person,
            &l.version,
            &l.kind,
            &l.original,
            &l.stay,
            &l.institution,
            &l.care_pool,
            &l.insured_pool,
            &l.scheme,
            &l.year,
            &l.month,
            &l.at_ms,
        ];
        let forget: Values<'_> = &[&self.forget.bucket, &self.forget.hash, &self.forget.person];
        let learn: Values<'_> = &[&self.learn.bucket, &self.learn.hash, &self.learn.person];

        let run =
            |step, statement, values| -> Sent<'_> { (step, Box::pin(execute(client, statement, values))) };
        let mut sent: Vec<Sent<'_>> = vec![(Step::Other, Box::pin(simple(client, "BEGIN")))];
        sent.push(run(Step::Lane, &statements.lane, lane_values));
        for (step, rows, statement, values) in [
            (Step::Facts, p.bucket.len(), &statements.persons, persons),
            (Step::Facts, n.bucket.len(), &statements.new_persons, new_persons),
            (Step::Facts, s.bucket.len(), &statements.stays, stays),
            (Step::Facts, b.bucket.len(), &statements.new_stays, new_stays),
            (Step::Facts, m.bucket.len(), &statements.messages, messages),
            (Step::Other, t.bucket.len(), &statements.turn, turned),
            (Step::Facts, r.bucket.len(), &statements.records, record_values),
            (Step::Other, l.bucket.len(), &statements.settlements, settlements),
            (Step::Other, self.forget.bucket.len(), &statements.forget, forget),
            (Step::Other, self.learn.bucket.len(), &statements.learn, learn),
        ] {
            if rows > 0 {
                sent.push(run(step, statement, values));
            }
        }
        sent.push(run(Step::Other, &statements.block, block_values));
        sent.push((Step::Other, Box::pin(simple(client, "COMMIT"))));
        // Each future sends when it is first polled, and they are polled in this order.
        let (steps, sent): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
        let answers = join_all(sent).await;
        let first = steps.into_iter().zip(answers).find_map(|(step, answer)| Some((step, answer.err()?)));
        match first {
            None => Ok(()),
            Some((step, cause)) => Err(NotWritten { step, meaning: meaning(&cause), cause }),
        }
    }
}

impl<'d> Messages<'d> {
    fn push(&mut self, bucket: i64, key: &'d MessageKey, person: &'d str, version: u64) {
        self.bucket.push(bucket);
        self.msgid.push(key.message.as_str());
        self.institution.push(key.institution.as_str());
        self.infno.push(key.transaction.into());
        self.person.push(person);
        self.version.push(whole(version));
    }
}

impl<'d> Credentials<'d> {
    fn take(&mut self, hashes: &'d [CredentialHash], person: &'d str) {
        for (bucket, hash) in hashes {
            self.bucket.push(bucket.get().into());
            self.hash.push(hash);
            self.person.push(person);
        }
    }
}

/// What the deed binds: its own message, and the one that it fences off (true).
pub(super) fn own_messages(deed: &Prepared) -> impl Iterator<Item = (&MessageKey, bool)> {
    let own = deed.keyed.then_some((&deed.key, false));
    own.into_iter().chain(deed.effect.fences.iter().map(|key| (key, true)))
}

async fn execute(client: &Client, statement: &Statement, values: Values<'_>) -> Result<u64, Error> {
    client.execute(statement, values).await
}

async fn simple(client: &Client, sql: &str) -> Result<u64, Error> {
    client.batch_execute(sql).await.map(|()| 0)
}
