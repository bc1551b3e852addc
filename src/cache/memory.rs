//! Owns the cache of one node in its own memory, bounded by entries.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use futures_util::future::BoxFuture;
use futures_util::future::FutureExt;
use futures_util::future::ready;

use crate::cache::Cache;
use crate::cache::Space;
use crate::domain::calendar::Instant;

/// Keeps at most `entries_max` entries in each space; what ends first is pushed out first.
#[derive(Debug)]
pub struct MemoryCache {
    rooms: [Mutex<Room>; Space::ALL.len()],
    entries_max: usize,
}

#[derive(Debug, Default)]
struct Room {
    entries: HashMap<Arc<str>, Entry>,
    by_end: BTreeSet<(Instant, Arc<str>)>,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    until: Instant,
}

impl MemoryCache {
    pub fn new(entries_max: usize) -> Self {
        Self { rooms: Default::default(), entries_max }
    }

    /// Forgets everything.
    pub fn wipe(&self) {
        for space in Space::ALL {
            *self.room(space) = Room::default();
        }
    }

    /// Takes a value out with its end, to be kept elsewhere.
    pub(super) fn withdraw(&self, space: Space, key: &str) -> Option<(Vec<u8>, Instant)> {
        self.room(space).remove(key).map(|entry| (entry.value, entry.until))
    }

    fn room(&self, space: Space) -> MutexGuard<'_, Room> {
        let at = match space {
            Space::Quote => 0,
            Space::ToldUnfiled => 1,
            Space::Session => 2,
            Space::Code => 3,
            Space::Other => 4,
        };
        // A panic while the lock was held can at worst lose entries, which a cache may.
        self.rooms[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn remove(&mut self, key: &str) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.by_end.remove(&(entry.until, key));
        Some(entry)
    }

    fn insert(&mut self, key: &str, entry: Entry) {
        self.remove(key);
        let key: Arc<str> = key.into();
        self.by_end.insert((entry.until, Arc::clone(&key)));
        self.entries.insert(key, entry);
    }

    /// Drops what has ended, then what ends first, until there is room for one more.
    fn make_room(&mut self, now: Instant, entries_max: usize) {
        while let Some((until, key)) = self.by_end.first() {
            if *until > now && self.entries.len() < entries_max {
                break;
            }
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }
}

impl Cache for MemoryCache {
    fn get<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>> {
        let room = self.room(space);
        let found = room.entries.get(key).filter(|entry| entry.until > now).map(|entry| entry.value.clone());
        ready(found).boxed()
    }

    fn put<'a>(
        &'a self,
        space: Space,
        key: &'a str,
        value: Vec<u8>,
        now: Instant,
        until: Instant,
    ) -> BoxFuture<'a, ()> {
        let mut room = self.room(space);
        room.make_room(now, self.entries_max);
        room.insert(key, Entry { value, until });
        ready(()).boxed()
    }

    fn count<'a>(&'a self, space: Space, key: &'a str, now: Instant, until: Instant) -> BoxFuture<'a, u64> {
        let mut room = self.room(space);
        let before = room.remove(key).filter(|entry| entry.until > now);
        room.make_room(now, self.entries_max);
        let (count, until) = match before {
            None => (1, until),
            Some(entry) => (number(&entry.value).saturating_add(1), entry.until),
        };
        room.insert(key, Entry { value: count.to_be_bytes().into(), until });
        ready(count).boxed()
    }

    fn take<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>> {
        let taken = self.room(space).remove(key);
        ready(taken.filter(|entry| entry.until > now).map(|entry| entry.value)).boxed()
    }
}

/// A count that was kept; anything else counts as none.
fn number(value: &[u8]) -> u64 {
    value.try_into().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(cache: &MemoryCache, key: &str, now: i64) -> Option<Vec<u8>> {
        cache.get(Space::Quote, key, Instant(now)).await
    }

    async fn put(cache: &MemoryCache, key: &str, value: &[u8], until: i64) {
        cache.put(Space::Quote, key, value.to_vec(), Instant(0), Instant(until)).await;
    }

    #[tokio::test]
    async fn a_value_is_there_until_it_ends() {
        let cache = MemoryCache::new(2);
        put(&cache, "a", b"1", 10).await;
        assert_eq!(get(&cache, "a", 9).await, Some(b"1".to_vec()));
        assert_eq!(get(&cache, "a", 10).await, None);
        assert_eq!(cache.get(Space::Code, "a", Instant(0)).await, None);
    }

    #[tokio::test]
    async fn what_ends_first_is_pushed_out_first() {
        let cache = MemoryCache::new(2);
        put(&cache, "late", b"1", 30).await;
        put(&cache, "early", b"2", 10).await;
        put(&cache, "new", b"3", 20).await;
        assert_eq!(get(&cache, "early", 0).await, None);
        assert_eq!(get(&cache, "late", 0).await, Some(b"1".to_vec()));
        put(&cache, "late", b"4", 5).await;
        assert_eq!(get(&cache, "late", 0).await, Some(b"4".to_vec()));
    }

    #[tokio::test]
    async fn of_two_takers_one_gets_it() {
        let cache = MemoryCache::new(2);
        put(&cache, "code", b"1", 10).await;
        assert_eq!(cache.take(Space::Quote, "code", Instant(0)).await, Some(b"1".to_vec()));
        assert_eq!(cache.take(Space::Quote, "code", Instant(0)).await, None);
        put(&cache, "code", b"1", 10).await;
        assert_eq!(cache.take(Space::Quote, "code", Instant(10)).await, None);
        put(&cache, "code", b"1", 10).await;
        cache.wipe();
        assert_eq!(get(&cache, "code", 0).await, None);
    }
}
