//! Owns the rows of a batch as columns, and their way to the server: one statement, one round trip, one transaction.

use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::domain::calendar::Instant;
use crate::domain::record::MessageKey;
use crate::ledger::codec;
use crate::ledger::kept::amounts;
use crate::ledger::key::turned;
use crate::ledger::lane::Standing;
use crate::ledger::postgres::batch_sql::ALWAYS_VALUES;
use crate::ledger::postgres::batch_sql::BatchStatements;
use crate::ledger::postgres::batch_sql::DEED_NUMBERS;
use crate::ledger::postgres::batch_sql::FACTS_MOVED;
use crate::ledger::postgres::batch_sql::LANE_MOVED;
use crate::ledger::postgres::batch_sql::Parts;
use crate::ledger::postgres::batch_sql::SETTLEMENT_NUMBERS;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::connection::meaning;
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

/// What of a batch met an error.
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

type Value<'a> = &'a (dyn ToSql + Sync);

/// Time, place and rows of a batch before it is sent.
#[derive(Default)]
pub(super) struct Rows<'d> {
    pub(super) places: Vec<Place>,
    leaves: Vec<Hash>,
    /// Persons and stays that must be as they were, and those that must not be there.
    persons: i64,
    new_persons: i64,
    stays: i64,
    new_stays: i64,
    deeds: Deeds<'d>,
    fences: Messages<'d>,
    turned: Messages<'d>,
    settlements: Settlements<'d>,
    forget: Credentials<'d>,
    learn: Credentials<'d>,
}

/// A row each: what becomes her record, and what person, stay and message take from it.
#[derive(Default)]
struct Deeds<'d> {
    /// [`DEED_NUMBERS`] a row.
    numbers: Vec<i64>,
    person: Vec<&'d str>,
    stay: Vec<Option<&'d str>>,
    kind: Vec<&'d str>,
    institution: Vec<&'d str>,
    msgid: Vec<&'d str>,
    told: Vec<&'d str>,
    body: Vec<&'d str>,
    private: Vec<Option<&'d [u8]>>,
    commitment: Vec<Option<&'d [u8]>>,
    person_state: Vec<Option<&'d str>>,
    stay_state: Vec<Option<&'d str>>,
    content: Vec<&'d [u8]>,
    turned_msgid: Vec<String>,
}

#[derive(Default)]
struct Messages<'d> {
    bucket: Vec<i64>,
    msgid: Vec<String>,
    institution: Vec<&'d str>,
    infno: Vec<i64>,
    person: Vec<&'d str>,
    /// By which it is fenced off, or undone.
    version: Vec<i64>,
    recipe: Vec<i64>,
    content: Vec<&'d [u8]>,
}

#[derive(Default)]
struct Settlements<'d> {
    /// [`SETTLEMENT_NUMBERS`] a row.
    numbers: Vec<i64>,
    setl_id: Vec<&'d str>,
    person: Vec<&'d str>,
    kind: Vec<&'d str>,
    original: Vec<Option<&'d str>>,
    stay: Vec<Option<&'d str>>,
    institution: Vec<&'d str>,
    scheme: Vec<String>,
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
            rows.leaves.push(deed.leaf(place, stand.lane.number, stand.standing.sequence));
            rows.places.push(place);
            rows.take(deed, seen, place);
        }
        stand.chain = block::Header::of(stand.lane.number, first, &rows.leaves, stand.chain).hash();
        rows
    }

    fn take(&mut self, deed: &'d Prepared, seen: u64, place: Place) {
        let (state, registers) = match &deed.guard {
            Guard::Person { state, registers, .. } => (Some(state.as_str()), *registers),
            Guard::StayOnly => (None, false),
        };
        *(if seen == 0 { &mut self.new_persons } else { &mut self.persons }) += 1;
        let stay = deed.stay.as_ref();
        if let Some(stay) = stay {
            *(if stay.version == 0 { &mut self.new_stays } else { &mut self.stays }) += 1;
        }
        let numbers: [i64; DEED_NUMBERS] = [
            deed.bucket.get().into(),
            whole(seen),
            place.at.0,
            stay.map_or(0, |stay| whole(stay.version)),
            deed.key.transaction.into(),
            deed.keyed.into(),
            deed.content.recipe.into(),
            registers.into(),
        ];
        let rows = &mut self.deeds;
        rows.numbers.extend(numbers);
        rows.person.push(&deed.person);
        rows.stay.push(stay.map(|stay| stay.id.as_str()));
        rows.kind.push(deed.kind);
        rows.institution.push(deed.key.institution.as_str());
        rows.msgid.push(deed.key.message.as_str());
        rows.told.push(&deed.told);
        rows.body.push(&deed.body);
        rows.private.push(deed.private.as_ref().map(|private| private.ciphertext.as_slice()));
        rows.commitment.push(deed.private.as_ref().map(|private| private.commitment.as_slice()));
        rows.person_state.push(state);
        rows.stay_state.push(stay.map(|stay| stay.state.as_str()));
        rows.content.push(&deed.content.digest);
        rows.turned_msgid.push(turned(&deed.key.message));
        if let Some(key) = &deed.effect.fences {
            self.fences.push(deed, key, place.version);
            self.fences.recipe.push(deed.content.recipe.into());
            self.fences.content.push(&deed.content.digest);
        }
        for key in &deed.effect.undoes {
            self.turned.push(deed, key, place.version);
        }
        if let Some(key) = &deed.effect.restores {
            self.turned.push(deed, key, 0);
        }
        self.settlement(deed, place);
        self.forget.take(&deed.forget, &deed.person);
        self.learn.take(&deed.learn, &deed.person);
    }

    fn settlement(&mut self, deed: &'d Prepared, place: Place) {
        let Some(row) = &deed.effect.settlement else { return };
        let settlements = &mut self.settlements;
        let numbers = [
            deed.bucket.get().into(),
            whole(place.version),
            row.care_pool.0.into(),
            row.insured_pool.0.into(),
            row.year.0.into(),
            place.at.day().month().number().into(),
            place.at.0,
        ];
        let amounts = amounts(&row.breakdown).map(|amount| amount.0);
        debug_assert_eq!(numbers.len() + amounts.len(), SETTLEMENT_NUMBERS);
        settlements.numbers.extend(numbers.into_iter().chain(amounts));
        settlements.setl_id.push(row.id.as_str());
        settlements.person.push(&deed.person);
        settlements.kind.push(row.kind.word());
        settlements.original.push(row.original.as_ref().map(|id| id.as_str()));
        settlements.stay.push(deed.stay.as_ref().map(|stay| stay.id.as_str()));
        settlements.institution.push(row.institution.as_str());
        settlements.scheme.push(row.scheme.to_string());
    }

    fn parts(&self) -> Parts {
        Parts {
            new_persons: self.new_persons > 0,
            new_stays: self.new_stays > 0,
            settlements: !self.settlements.setl_id.is_empty(),
            turns: !self.fences.bucket.is_empty() || !self.turned.bucket.is_empty(),
            credentials: !self.forget.bucket.is_empty() || !self.learn.bucket.is_empty(),
        }
    }

    /// One statement, which is one transaction.
    pub(super) async fn write(
        &self,
        client: &Client,
        statements: &mut BatchStatements,
        before: &Stand,
        after: &Stand,
    ) -> Result<(), NotWritten> {
        let lane = &before.lane;
        let (number, sequence) = (i64::from(lane.number), whole(after.standing.sequence));
        let (chain, leaves) = (after.chain.as_slice(), self.leaves.as_flattened());
        let (expected, records) = (whole(before.standing.sequence), whole(self.leaves.len() as u64));
        let d = &self.deeds;
        let always: [Value<'_>; ALWAYS_VALUES] = [
            &lane.bucket,
            &number,
            &lane.epoch,
            &sequence,
            &after.standing.last.0,
            &chain,
            &expected,
            &before.floor.0,
            &records,
            &leaves,
            &self.persons,
            &self.stays,
            &codec::FORMAT,
            &d.numbers,
            &d.person,
            &d.stay,
            &d.kind,
            &d.institution,
            &d.msgid,
            &d.told,
            &d.body,
            &d.private,
            &d.commitment,
            &d.person_state,
            &d.stay_state,
            &d.content,
            &d.turned_msgid,
        ];
        let parts = self.parts();
        let mut values = always.to_vec();
        if parts.settlements {
            let l = &self.settlements;
            let own: [Value<'_>; 8] =
                [&l.numbers, &l.setl_id, &l.person, &l.kind, &l.original, &l.stay, &l.institution, &l.scheme];
            values.extend(own);
        }
        if parts.turns {
            let (f, t) = (&self.fences, &self.turned);
            values.extend(f.keys());
            values.extend([&f.recipe as Value<'_>, &f.content]);
            values.extend(t.keys());
        }
        if parts.credentials {
            values.extend([&self.forget, &self.learn].into_iter().flat_map(Credentials::columns));
        }
        let written = async {
            let statement = statements.of(client, parts).await?;
            client.execute(statement, &values).await
        };
        written.await.map(drop).map_err(NotWritten::of)
    }
}

impl NotWritten {
    fn of(cause: Error) -> NotWritten {
        NotWritten { step: step(&cause), meaning: meaning(&cause), cause }
    }
}

fn step(cause: &Error) -> Step {
    match cause.as_db_error() {
        Some(told) if *told.code() == LANE_MOVED => Step::Lane,
        Some(told) if *told.code() == FACTS_MOVED => Step::Facts,
        // Citus adds the number of a shard to the name of a table.
        Some(told) => {
            let table = told.table().and_then(|table| table.split('_').next());
            let facts = table.is_some_and(|table| ["person", "stay", "message", "record"].contains(&table));
            if facts { Step::Facts } else { Step::Other }
        }
        None => Step::Other,
    }
}

impl<'d> Messages<'d> {
    fn push(&mut self, deed: &'d Prepared, key: &'d MessageKey, version: u64) {
        self.bucket.push(deed.bucket.get().into());
        self.msgid.push(turned(&key.message));
        self.institution.push(key.institution.as_str());
        self.infno.push(key.transaction.into());
        self.person.push(&deed.person);
        self.version.push(whole(version));
    }

    fn keys(&self) -> [Value<'_>; 6] {
        [&self.bucket, &self.msgid, &self.institution, &self.infno, &self.person, &self.version]
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

    fn columns(&self) -> [Value<'_>; 3] {
        [&self.bucket, &self.hash, &self.person]
    }
}

/// What the deed binds: its own message, and the one that it fences off (true).
pub(super) fn own_messages(deed: &Prepared) -> impl Iterator<Item = (&MessageKey, bool)> {
    let own = deed.keyed.then_some((&deed.key, false));
    own.into_iter().chain(deed.effect.fences.iter().map(|key| (key, true)))
}
