//! Owns what a node remembers for a while: in its own memory, or together with other nodes in Redis.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::app::AppError;
use crate::app::CACHE_ENTRIES_MAX;
use crate::cache::Cache;
use crate::cache::bus::Bus;
use crate::cache::bus::MemoryBus;
use crate::cache::bus::Message;
use crate::cache::memory::MemoryCache;
use crate::cache::redis::Redis;
use crate::cache::redis::counters::Counters;
use crate::cache::redis::counters::Share;
use crate::config::gateway::Gateway;
use crate::telemetry::cache::cache_observer;
use crate::transport::limits;
use crate::transport::limits::Limits;
use crate::transport::limits::shared::Lease;
use crate::transport::limits::shared::Lessor;
use crate::vault::key_file;
use crate::vault::lookup::LookupKey;

/// Beyond the time limits of connecting: a node that starts beside a Redis that is gone waits no longer.
const FIRST_TRY: Duration = Duration::from_secs(2);

pub(super) enum Remembering {
    Alone,
    Together(Redis),
}

impl Remembering {
    /// Waits a bounded while for the first try to connect, and goes on however that ends.
    pub(super) async fn start(config: &Gateway) -> Result<Remembering, AppError> {
        let Some(section) = &config.cache else { return Ok(Remembering::Alone) };
        let key = LookupKey::new(&key_file::read(&config.lookup_key)?);
        let redis = Redis::start(section, &key, CACHE_ENTRIES_MAX, cache_observer())?;
        let _ = timeout(FIRST_TRY, redis.tried()).await; // later is well too
        Ok(Remembering::Together(redis))
    }

    pub(super) fn cache(&self) -> Arc<dyn Cache> {
        match self {
            Remembering::Alone => Arc::new(MemoryCache::new(CACHE_ENTRIES_MAX)),
            Remembering::Together(redis) => Arc::<crate::cache::redis::RedisCache>::clone(&redis.cache),
        }
    }

    pub(super) fn bus(&self) -> Arc<dyn Bus> {
        match self {
            Remembering::Alone => Arc::new(MemoryBus::default()),
            Remembering::Together(redis) => Arc::<crate::cache::redis::RedisBus>::clone(&redis.bus),
        }
    }

    pub(super) fn limits(&self, settings: limits::Settings) -> Limits {
        let share = Share { per_second: settings.per_second, burst: settings.burst };
        let limits = Limits::new(settings);
        match self {
            Remembering::Alone => limits,
            Remembering::Together(redis) => {
                limits.shared_by(Arc::new(Together { counters: redis.counters.clone(), share }))
            }
        }
    }
}

/// The limit of all nodes, counted in Redis.
struct Together {
    counters: Counters,
    share: Share,
}

impl Lessor for Together {
    fn is_there(&self) -> bool {
        self.counters.are_there()
    }

    fn lease<'a>(&'a self, key: &'a str, spent: u32, wanted: u32) -> BoxFuture<'a, Option<Lease>> {
        async move {
            let granted = self.counters.lease(key, self.share, spent, wanted).await?;
            Some(Lease { granted: granted.requests, retry_after_ms: granted.retry_after_ms })
        }
        .boxed()
    }
}

/// Tells running nodes, for a command that changed what they hold. They find out by themselves, a little later, when this
/// comes to nothing.
pub(crate) async fn tell_nodes(config: &Gateway, message: Message) {
    if let Ok(Remembering::Together(redis)) = Remembering::start(config).await {
        redis.bus.tell(message).await;
    }
}
