//! Owns what was read or written of late: persons and stays in the form in which decisions read them, so that a look-up
//! need not find, decode and decrypt them again.
//!
//! It is no authority. A commit checks the versions in the database, whoever decided on what. What this process writes is
//! here before its caller is answered; when somebody else has written, the ledger forgets everything.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use hashlink::LruCache;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::domain::ids::StayId;
use crate::domain::lines::Lines;
use crate::domain::person::PersonPrivate;
use crate::domain::state::PersonState;
use crate::ledger::Facts;
use crate::ledger::Found;
use crate::ledger::LookUp;
use crate::ledger::Message;
use crate::ledger::StayFacts;
use crate::ledger::Who;
use crate::ledger::key;
use crate::vault::lookup::LookupKey;

/// Parts with a lock each. What belongs to a person lies in one, by her bucket.
const SHARDS: usize = 64;

/// How much is kept: more persons than lie in hospital at a time in a region of ten million, about 2 KB each with the stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub persons: usize,
    pub stays: usize,
    /// Fee lines of all stays together; about 700 bytes each.
    pub lines: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { persons: 131_072, stays: 131_072, lines: 50_000 }
    }
}

pub(super) struct Recent {
    shards: Vec<Mutex<Shard>>,
    /// How often everything was forgotten.
    forgotten: AtomicU64,
}

/// A time in which nothing was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Era(u64);

struct Shard {
    /// Counts what was written or forgotten: what was read before may be behind it.
    moves: u64,
    persons: LruCache<PersonKey, Person>,
    stays: LruCache<StayId, Stay>,
    /// Of stays that are kept and not bare. Those that wait for their next lines outlast those that wait for nothing.
    lines: LruCache<StayId, Arc<Lines>>,
    line_count: usize,
    lines_max: usize,
}

#[derive(Clone)]
struct Person {
    bucket: Bucket,
    version: u64,
    last_at: Instant,
    state: Arc<PersonState>,
    private: Arc<PersonPrivate>,
}

struct Stay {
    person: PersonKey,
    facts: StayFacts,
    /// No line stands on it, which takes no room to know.
    bare: bool,
}

/// What a deed leaves, but for the version and time that the lane gives to the person.
#[derive(Debug)]
pub(super) struct After {
    pub(super) key: PersonKey,
    pub(super) bucket: Bucket,
    pub(super) state: Arc<PersonState>,
    pub(super) private: Arc<PersonPrivate>,
    /// The person's version that it follows from.
    pub(super) follows: u64,
    pub(super) stay: Option<StayFacts>,
    pub(super) lines: Option<Arc<Lines>>,
}

/// Where a shard stood when a read began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    bucket: Bucket,
    moves: u64,
}

impl Recent {
    pub(super) fn new(limits: Limits) -> Recent {
        let share = |all: usize| (all / SHARDS).max(1);
        let shard = || Shard {
            moves: 0,
            persons: LruCache::new(share(limits.persons)),
            stays: LruCache::new(share(limits.stays)),
            lines: LruCache::new_unbounded(),
            line_count: 0,
            lines_max: share(limits.lines),
        };
        Recent { shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(), forgotten: AtomicU64::default() }
    }

    /// What a look-up would find, where all of it is here. Whether that still stands is the ledger's to know.
    pub(super) fn found(&self, lookup: &LookupKey, wanted: &LookUp) -> Option<Found> {
        if wanted.settlement.is_some() || wanted.about.is_some() {
            return None;
        }
        let facts = match &wanted.who {
            Who::Person(person) => self.person(key::bucket_of(lookup, person), person)?,
            Who::Stay { stay, number } => {
                let purpose = if wanted.key.is_some() { LinesFor::Writing } else { LinesFor::Reading };
                self.stay(stay, number, wanted.lines.then_some(purpose))?
            }
        };
        let (message, about) = (Message::Unknown, Message::Unknown);
        Some(Found { message, about, facts: Some(facts), stay_of_another: None })
    }

    /// A person without a stay.
    fn person(&self, bucket: Bucket, key: &PersonKey) -> Option<Facts> {
        self.shard(bucket).persons.get(key).cloned().map(|person| person.facts(key.clone()))
    }

    /// A stay with its person, whose number must be this one; `lines`: with its lines. Whoever will write takes them
    /// away, so that they need not be copied when they change.
    fn stay(&self, id: &StayId, number: &str, lines: Option<LinesFor>) -> Option<Facts> {
        let mut shard = self.shard(Bucket::of_id(id.as_str())?);
        let shard = &mut *shard;
        let stay = shard.stays.get(id).filter(|stay| stay.person.number() == number)?;
        let person = shard.persons.get(&stay.person)?.clone();
        let facts = person.facts(stay.person.clone());
        let (stay, bare) = (stay.facts.clone(), stay.bare);
        let lines = match lines {
            None => None,
            Some(_) if bare => Some(Arc::default()),
            Some(LinesFor::Reading) => Some(Arc::clone(shard.lines.get(id)?)),
            Some(LinesFor::Writing) => Some(shard.take_lines(id)?),
        };
        Some(Facts { stay: Some(stay), lines, ..facts })
    }

    /// To be called before a look-up whose result shall be kept. `None` where nobody can lie.
    pub(super) fn mark_for(&self, lookup: &LookupKey, who: &Who) -> Option<Mark> {
        let bucket = match who {
            Who::Person(person) => key::bucket_of(lookup, person),
            Who::Stay { stay, .. } => Bucket::of_id(stay.as_str())?,
        };
        Some(self.mark(bucket))
    }

    fn mark(&self, bucket: Bucket) -> Mark {
        Mark { bucket, moves: self.shard(bucket).moves }
    }

    /// Keeps what was read since `mark`, unless something was written meanwhile. Lines are kept by writers only.
    pub(super) fn keep(&self, mark: Mark, facts: &Facts) {
        let mut shard = self.shard(mark.bucket);
        if shard.moves != mark.moves {
            return;
        }
        shard.put_person(facts.key.clone(), Person::of(facts));
        if let Some(stay) = facts.stay.clone() {
            let bare = shard.stays.get(&stay.id).is_some_and(|kept| kept.bare);
            shard.put_stay(Stay { person: facts.key.clone(), facts: stay, bare });
        }
    }

    pub(super) fn era(&self) -> Era {
        Era(self.forgotten.load(Ordering::Acquire))
    }

    /// A deed was recorded in that era, as her `version` at `at`. What was forgotten since may be newer than it.
    pub(super) fn wrote(&self, era: Era, after: After, version: u64, at: Instant) {
        let mut shard = self.shard(after.bucket);
        if era != self.era() {
            shard.lose(&after);
            return;
        }
        shard.moves += 1;
        let After { key, bucket, state, private, follows, stay, lines } = after;
        if version == follows + 1 {
            shard.put_person(key.clone(), Person { bucket, version, last_at: at, state, private });
        } else {
            // It was decided on the stay alone, and she has moved meanwhile.
            shard.persons.remove(&key);
        }
        if let Some(facts) = stay {
            shard.forget_stay(&facts.id);
            let bare = lines.as_ref().is_some_and(|lines| lines.is_empty());
            if let Some(lines) = lines.filter(|_| !bare) {
                shard.put_lines(facts.id.clone(), lines);
            }
            shard.put_stay(Stay { person: key, facts, bare });
        }
    }

    /// A deed was not recorded, or nobody knows whether it was.
    pub(super) fn lost(&self, after: &After) {
        self.shard(after.bucket).lose(after);
    }

    /// What became of many deeds is not known, or somebody else wrote.
    pub(super) fn forget(&self) {
        // Before the first shard is emptied: whoever still sees the old era in one is emptied out after it.
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.moves += 1;
            shard.persons.clear();
            shard.stays.clear();
            shard.lines.clear();
            shard.line_count = 0;
        }
    }

    fn shard(&self, bucket: Bucket) -> MutexGuard<'_, Shard> {
        // What a panic leaves is a whole entry or none.
        self.shards[usize::from(bucket.get()) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What lines are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinesFor {
    Reading,
    Writing,
}

impl Person {
    fn of(facts: &Facts) -> Person {
        Person {
            bucket: facts.bucket,
            version: facts.version,
            last_at: facts.last_at,
            state: Arc::clone(&facts.person),
            private: Arc::clone(&facts.private),
        }
    }

    fn facts(self, key: PersonKey) -> Facts {
        Facts {
            version: self.version,
            last_at: self.last_at,
            person: self.state,
            private: self.private,
            ..Facts::of_new(key, self.bucket)
        }
    }
}

impl Shard {
    fn put_person(&mut self, key: PersonKey, person: Person) {
        self.persons.insert(key, person);
    }

    fn put_stay(&mut self, stay: Stay) {
        if self.stays.len() == self.stays.capacity()
            && let Some((oldest, _)) = self.stays.remove_lru()
        {
            self.take_lines(&oldest);
        }
        self.stays.insert(stay.facts.id.clone(), stay);
    }

    fn put_lines(&mut self, id: StayId, lines: Arc<Lines>) {
        self.line_count += lines.len();
        self.lines.insert(id, lines);
        while self.line_count > self.lines_max && self.lines.len() > 1 {
            let Some((_, oldest)) = self.lines.remove_lru() else { break };
            self.line_count -= oldest.len();
        }
    }

    fn take_lines(&mut self, id: &StayId) -> Option<Arc<Lines>> {
        let taken = self.lines.remove(id)?;
        self.line_count -= taken.len();
        Some(taken)
    }

    fn lose(&mut self, after: &After) {
        self.moves += 1;
        self.persons.remove(&after.key);
        if let Some(stay) = &after.stay {
            self.forget_stay(&stay.id);
        }
    }

    fn forget_stay(&mut self, id: &StayId) {
        self.stays.remove(id);
        self.take_lines(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RegionCode;
    use crate::domain::record::Body;
    use crate::domain::record::Line;
    use crate::domain::record::MessageKey;
    use crate::domain::state::StayState;
    use crate::ledger::codec::sample::Chance;
    use crate::ledger::codec::sample::Sample;
    use rand::SeedableRng as _;

    fn key() -> PersonKey {
        PersonKey::parse(RegionCode(440_700), "1").unwrap()
    }

    fn bucket() -> Bucket {
        Bucket::new(0x1ab).unwrap()
    }

    fn stay(version: u64) -> StayFacts {
        StayFacts {
            id: StayId::parse("11AB").unwrap(),
            version,
            state: Arc::new(StayState::sample(&mut Chance::seed_from_u64(1))),
        }
    }

    fn read(version: u64) -> Facts {
        Facts { version, stay: Some(stay(1)), ..Facts::of_new(key(), bucket()) }
    }

    fn after(follows: u64, stay_version: u64, lines: Option<Lines>) -> After {
        After {
            key: key(),
            bucket: bucket(),
            state: Arc::default(),
            private: Arc::default(),
            follows,
            stay: Some(stay(stay_version)),
            lines: lines.map(Arc::new),
        }
    }

    /// So many different ones.
    fn lines(count: usize) -> Lines {
        let mut chance = Chance::seed_from_u64(2);
        let (mut lines, message) = (Lines::default(), MessageKey::sample(&mut chance));
        while lines.len() < count {
            lines.apply(&message, &Body::LinesUploaded(vec![Line::sample(&mut chance)]));
        }
        lines
    }

    fn found(recent: &Recent) -> Option<(u64, u64)> {
        let facts = recent.stay(&stay(0).id, "1", None)?;
        Some((facts.version, facts.stay?.version))
    }

    #[test]
    fn what_was_written_is_found_at_its_version() {
        let recent = Recent::new(Limits::default());
        recent.wrote(recent.era(), after(6, 2, None), 7, Instant(5));
        assert_eq!(found(&recent), Some((7, 2)));
        assert_eq!(recent.person(bucket(), &key()).unwrap().last_at, Instant(5));
        assert!(recent.stay(&stay(0).id, "2", None).is_none(), "the number of somebody else");
    }

    #[test]
    fn what_was_read_before_a_write_is_not_kept() {
        let recent = Recent::new(Limits::default());
        let mark = recent.mark(bucket());
        recent.wrote(recent.era(), after(6, 2, None), 7, Instant(5));
        recent.keep(mark, &read(6));
        assert_eq!(found(&recent), Some((7, 2)));
        recent.keep(recent.mark(bucket()), &read(8));
        assert_eq!(found(&recent), Some((8, 1)));
    }

    #[test]
    fn a_person_who_moved_beside_her_stay_is_forgotten() {
        let recent = Recent::new(Limits::default());
        recent.wrote(recent.era(), after(6, 2, None), 9, Instant(5));
        assert_eq!(found(&recent), None);
    }

    #[test]
    fn what_may_have_changed_is_forgotten() {
        let recent = Recent::new(Limits::default());
        let mark = recent.mark(bucket());
        recent.lost(&after(6, 2, None));
        recent.keep(mark, &read(6));
        assert_eq!(found(&recent), None);
        recent.wrote(recent.era(), after(6, 2, None), 7, Instant(5));
        let era = recent.era();
        recent.forget();
        assert_eq!(found(&recent), None);
        recent.wrote(era, after(7, 3, None), 8, Instant(6));
        assert_eq!(found(&recent), None, "somebody else may have written since");
    }

    #[test]
    fn lines_go_to_one_writer_and_stay_for_readers() {
        let recent = Recent::new(Limits::default());
        recent.wrote(recent.era(), after(6, 2, Some(lines(1))), 7, Instant(5));
        let with = |wanted| recent.stay(&stay(0).id, "1", Some(wanted)).is_some();
        assert!(with(LinesFor::Reading) && with(LinesFor::Reading));
        assert!(with(LinesFor::Writing));
        assert!(!with(LinesFor::Writing) && !with(LinesFor::Reading), "they were taken");
        assert_eq!(found(&recent), Some((7, 2)));
    }

    #[test]
    fn a_stay_without_lines_is_kept_with_them_however_many_others_have() {
        let recent = Recent::new(Limits { lines: SHARDS * 3, ..Limits::default() });
        let id = |n: u32| StayId::parse(&format!("{n}1AB")).unwrap();
        for (n, count) in [(1, 0), (2, 2), (3, 2)] {
            let after = after(n - 1, 1, Some(lines(count)));
            let stay = Some(StayFacts { id: id(u32::try_from(n).unwrap()), ..stay(1) });
            recent.wrote(recent.era(), After { stay, ..after }, n, Instant(1));
        }
        let kept = [1, 2, 3].map(|n| recent.stay(&id(n), "1", Some(LinesFor::Writing)).is_some());
        assert_eq!(kept, [true, false, true], "the lines of the second made room for those of the third");
        assert!(recent.stay(&id(2), "1", None).is_some());
    }

    #[test]
    fn the_oldest_are_forgotten_at_the_limits() {
        let recent = Recent::new(Limits { persons: SHARDS, stays: SHARDS, lines: SHARDS });
        let other = |n: u32| After {
            stay: Some(StayFacts { id: StayId::parse(&format!("{n}1AB")).unwrap(), ..stay(1) }),
            ..after(u64::from(n) - 1, 1, None)
        };
        for n in 1..=3 {
            recent.wrote(recent.era(), other(n), n.into(), Instant(1));
        }
        let ids = ["11AB", "21AB", "31AB"].map(|id| StayId::parse(id).unwrap());
        let kept = ids.map(|id| recent.stay(&id, "1", None).is_some());
        assert_eq!(kept, [false, false, true]);
    }
}
