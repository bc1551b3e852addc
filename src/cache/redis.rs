//! Owns what nodes remember together for a while: a cache, counters and a bus over one Redis, any of which may be gone at
//! any instant.
//!
//! Where Redis does not answer, a node goes on with what it remembers itself; when Redis is back, it is moved there. What
//! another node put into Redis is not seen until then.

mod bus;
mod connect;
pub mod counters;
pub mod event;
mod link;
mod owed;
mod veil;

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::future::FutureExt as _;
use redis::PushInfo;
use redis::PushKind;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::cache::Cache;
use crate::cache::Space;
use crate::cache::memory::MemoryCache;
use crate::cache::redis::bus::Post;
pub use crate::cache::redis::bus::RedisBus;
pub use crate::cache::redis::connect::BadRedisFile;
use crate::cache::redis::connect::Connector;
pub use crate::cache::redis::connect::faults;
use crate::cache::redis::counters::Counters;
use crate::cache::redis::event::Event;
use crate::cache::redis::event::Observer;
use crate::cache::redis::event::Use;
use crate::cache::redis::link::Link;
use crate::cache::redis::link::NotDone;
use crate::cache::redis::link::Resident;
use crate::cache::redis::owed::Debt;
use crate::cache::redis::owed::Owed;
use crate::cache::redis::veil::Veil;
use crate::config::cache::RedisSection;
use crate::domain::calendar::Instant;
use crate::vault::lookup::LookupKey;

/// Entries moved or deleted in one round trip when Redis is back.
const SETTLED_TOGETHER: usize = 1_000;
/// Round trips beside the calls may take so many of their time limits.
const STEPS_LATER: u32 = 4;

/// KEYS: the count. ARGV: milliseconds that it lives, from its first time on.
static COUNT: LazyLock<redis::Script> = LazyLock::new(|| {
    redis::Script::new(
        r"
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
",
    )
});

/// A node's share in a Redis. Its tasks end when it is dropped.
pub struct Redis {
    pub cache: Arc<RedisCache>,
    pub counters: Counters,
    pub bus: Arc<RedisBus>,
    first_try: Arc<Notify>,
    tasks: [JoinHandle<()>; 2],
}

impl Redis {
    /// Begins to connect. Nothing here fails because Redis is not there. `entries_max`: what the node keeps by itself, in
    /// each space, while it is not.
    pub fn start(
        section: &RedisSection,
        key: &LookupKey,
        entries_max: usize,
        observer: Observer,
    ) -> Result<Redis, BadRedisFile> {
        let connector = Connector::new(section)?;
        let link = Arc::new(Link::new(connector, section.answer_within, observer));
        let veil = Arc::new(Veil::new(key, &section.namespace));
        let (bus, sending) = RedisBus::new(Arc::clone(&link), Arc::clone(&veil));
        let here = Arc::new(MemoryCache::new(entries_max));
        let owed = Arc::new(Owed::default());
        let house = Arc::new(House {
            post: bus.post(),
            owed: Arc::clone(&owed),
            veil: Arc::clone(&veil),
            here: Arc::clone(&here),
            within: section.answer_within * STEPS_LATER,
        });
        let first_try = Arc::new(Notify::new());
        let keeping = Arc::clone(&link).keep(house, Arc::clone(&first_try));
        let tasks = [tokio::spawn(keeping), tokio::spawn(sending)];
        let counters = Counters::new(Arc::clone(&link), Arc::clone(&veil));
        let cache = Arc::new(RedisCache { link, veil, here, owed });
        Ok(Redis { cache, counters, bus: Arc::new(bus), first_try, tasks })
    }

    /// Returns when the first try to connect has ended, well or not: once.
    pub async fn tried(&self) {
        self.first_try.notified().await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Keys and values in Redis, and on this node what Redis did not take.
pub struct RedisCache {
    link: Arc<Link>,
    veil: Arc<Veil>,
    here: Arc<MemoryCache>,
    owed: Arc<Owed>,
}

impl RedisCache {
    /// Whether Redis answers.
    pub fn is_shared(&self) -> bool {
        self.link.is_up()
    }

    async fn ask<T: redis::FromRedisValue>(&self, space: Space, command: &redis::Cmd) -> Option<T> {
        let asked = self.link.ask(async |mut connection| command.query_async::<T>(&mut connection).await);
        let answer = asked.await;
        if answer.is_none() {
            self.link.observe(Event::FellBack(Use::Entry(space)));
        }
        answer
    }

    async fn put_there(&self, space: Space, name: &str, value: &[u8], now: Instant, until: Instant) -> bool {
        let command = setting(&self.veil, name, value, now, until);
        self.ask::<()>(space, &command).await.is_some()
    }

    fn owe(&self, name: String, space: Space, key: &str, at: Instant) {
        self.owed.add(Debt { name, space, key: key.to_owned(), at });
    }
}

impl Cache for RedisCache {
    fn get<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>> {
        async move {
            let name = self.veil.name(space, key);
            if !self.owed.holds(&name) {
                let mut command = redis::cmd("GET");
                command.arg(&name);
                let found = self.ask::<Option<Vec<u8>>>(space, &command).await.flatten();
                if let Some(value) = found.and_then(|sealed| self.veil.open(&name, &sealed, now)) {
                    return Some(value);
                }
            }
            self.here.get(space, key, now).await
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        space: Space,
        key: &'a str,
        value: Vec<u8>,
        now: Instant,
        until: Instant,
    ) -> BoxFuture<'a, ()> {
        async move {
            let name = self.veil.name(space, key);
            if self.put_there(space, &name, &value, now, until).await {
                self.owed.settle([name.as_str()]);
                self.here.withdraw(space, key);
            } else {
                self.owe(name, space, key, now);
                self.here.put(space, key, value, now, until).await;
            }
        }
        .boxed()
    }

    fn count<'a>(&'a self, space: Space, key: &'a str, now: Instant, until: Instant) -> BoxFuture<'a, u64> {
        async move {
            let name = self.veil.name(space, key);
            let lifetime = until.0.saturating_sub(now.0).max(1);
            let asked = self.link.ask(async |mut connection| {
                COUNT.key(&name).arg(lifetime).invoke_async::<u64>(&mut connection).await
            });
            match asked.await {
                Some(count) => count,
                None => {
                    self.link.observe(Event::FellBack(Use::Entry(space)));
                    self.here.count(space, key, now, until).await
                }
            }
        }
        .boxed()
    }

    fn take<'a>(&'a self, space: Space, key: &'a str, now: Instant) -> BoxFuture<'a, Option<Vec<u8>>> {
        async move {
            let name = self.veil.name(space, key);
            let owed = self.owed.holds(&name);
            let mut command = redis::cmd("GETDEL");
            command.arg(&name);
            let there = match self.ask::<Option<Vec<u8>>>(space, &command).await {
                None => {
                    self.owe(name, space, key, now);
                    None
                }
                Some(found) => {
                    self.owed.settle([name.as_str()]);
                    found.filter(|_| !owed).and_then(|sealed| self.veil.open(&name, &sealed, now))
                }
            };
            let here = self.here.take(space, key, now).await;
            there.or(here)
        }
        .boxed()
    }
}

fn setting(veil: &Veil, name: &str, value: &[u8], now: Instant, until: Instant) -> redis::Cmd {
    let mut command = redis::cmd("SET");
    command.arg(name).arg(veil.seal(name, value, until));
    command.arg("PX").arg(until.0.saturating_sub(now.0).max(1));
    command
}

/// What is done with each connection.
struct House {
    post: Arc<Post>,
    owed: Arc<Owed>,
    veil: Arc<Veil>,
    here: Arc<MemoryCache>,
    /// For each round trip.
    within: Duration,
}

impl House {
    /// Does in Redis what was done without: moves there what was put, deletes what was taken.
    async fn settle(&self, connection: &MultiplexedConnection) -> Result<(), NotDone> {
        loop {
            let debts = self.owed.some(SETTLED_TOGETHER);
            if debts.is_empty() {
                return Ok(());
            }
            // Out of here first: what is in neither for a moment is missed, what is in both could be taken twice.
            let moved = debts.iter().map(|debt| (debt, self.here.withdraw(debt.space, &debt.key)));
            let moved: Vec<_> = moved.collect();
            let mut pipeline = redis::pipe();
            for (debt, entry) in &moved {
                pipeline.add_command(match entry {
                    Some((value, until)) => setting(&self.veil, &debt.name, value, debt.at, *until),
                    None => deleting(&debt.name),
                });
            }
            if let Err(cause) = self.in_time(pipeline.query_async::<()>(&mut connection.clone())).await {
                for (debt, entry) in moved {
                    if let Some((value, until)) = entry {
                        self.here.put(debt.space, &debt.key, value, debt.at, until).await;
                    }
                }
                return Err(cause);
            }
            self.owed.settle(debts.iter().map(|debt| debt.name.as_str()));
        }
    }

    async fn in_time(&self, asked: impl Future<Output = Result<(), RedisError>>) -> Result<(), NotDone> {
        Ok(timeout(self.within, asked).await??)
    }
}

fn deleting(name: &str) -> redis::Cmd {
    let mut command = redis::cmd("DEL");
    command.arg(name);
    command
}

impl Resident for House {
    async fn prepare(&self, connection: MultiplexedConnection) -> Result<(), NotDone> {
        self.settle(&connection).await?;
        self.in_time(self.post.listen(&connection)).await
    }

    fn hear(&self, told: PushInfo) {
        if told.kind == PushKind::Message {
            self.post.receive(&told.data);
        }
    }

    async fn tidy(&self, connection: MultiplexedConnection) {
        // What cannot be done now is tried again with the next probe.
        let _ = self.settle(&connection).await;
        let _ = self.in_time(self.post.follow_listeners(&connection)).await;
    }
}
