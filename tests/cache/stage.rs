//! A node's share in a Redis, and what it told whoever counts.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use banyan::cache::Cache;
use banyan::cache::Space;
use banyan::cache::redis::Redis;
use banyan::cache::redis::event::Event;
use banyan::config::cache::RedisSection;
use banyan::config::cache::RedisTls;
use banyan::domain::calendar::Instant;
use banyan::sandbox::redis::RedisServer;
use banyan::vault::key_file::Secret;
use banyan::vault::lookup::LookupKey;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const NOW: Instant = Instant(0);
/// An hour: nothing ends by itself in a test.
pub(crate) const LATER: Instant = Instant(3_600_000);

pub(crate) fn server() -> RedisServer {
    RedisServer::start().unwrap()
}

/// With time limits that a busy machine keeps too.
pub(crate) fn section(servers: &[&RedisServer]) -> RedisSection {
    RedisSection {
        addresses: servers.iter().map(|server| server.address().to_string()).collect(),
        tls: RedisTls::Off,
        user: None,
        password_file: None,
        namespace: "banyan".into(),
        connect_timeout: Duration::from_secs(2),
        answer_within: Duration::from_millis(400),
    }
}

/// With the time limits that are shipped.
pub(crate) fn shipped(servers: &[&RedisServer]) -> RedisSection {
    let (connect_timeout, answer_within) = (Duration::from_millis(250), Duration::from_millis(50));
    RedisSection { connect_timeout, answer_within, ..section(servers) }
}

/// What every node of these tests hides things with.
pub(crate) fn key() -> LookupKey {
    LookupKey::new(&Secret::new([7; 32]))
}

pub(crate) struct Node {
    pub redis: Redis,
    up: watch::Receiver<bool>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Node {
    /// Begins to connect.
    pub(crate) fn begin(section: &RedisSection) -> Node {
        let (up_now, up) = watch::channel(false);
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        let observer = Arc::new(move |event| {
            kept.lock().unwrap().push(event);
            if let Event::Up(up) = event {
                up_now.send_replace(up);
            }
        });
        let redis = Redis::start(section, &key(), 1_000, observer).unwrap();
        Node { redis, up, events }
    }

    pub(crate) async fn connected_to(servers: &[&RedisServer]) -> Node {
        let mut node = Node::begin(&section(servers));
        node.is(true).await;
        node
    }

    /// Waits until the node holds Redis for there, or for gone.
    pub(crate) async fn is(&mut self, up: bool) {
        let changed = self.up.wait_for(|now| *now == up);
        timeout(PATIENCE, changed).await.unwrap_or_else(|_| panic!("never became up={up}")).unwrap();
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// How Redis came and went, as it was told.
    pub(crate) fn changes(&self) -> Vec<bool> {
        let up = |event| if let Event::Up(up) = event { Some(up) } else { None };
        self.events().into_iter().filter_map(up).collect()
    }

    pub(crate) async fn put(&self, key: &str, value: &str) {
        self.redis.cache.put(Space::Session, key, value.into(), NOW, LATER).await;
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        let value = self.redis.cache.get(Space::Session, key, NOW).await;
        value.map(|value| String::from_utf8(value).unwrap())
    }

    pub(crate) async fn take(&self, key: &str) -> Option<String> {
        let value = self.redis.cache.take(Space::Session, key, NOW).await;
        value.map(|value| String::from_utf8(value).unwrap())
    }
}
