//! Owns the counters that nodes share: how many requests of a key may still be let in, all nodes together.
//!
//! A counter is one number, the instant at which the key's share is whole again: requests move it forward, time catches
//! up. One script reads, decides and writes it in one step and by the server's clock, so nodes' clocks do not matter.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::LazyLock;

use redis::Script;

use crate::cache::redis::event::Event;
use crate::cache::redis::event::Use;
use crate::cache::redis::link::Link;
use crate::cache::redis::veil::Veil;

/// KEYS: the counter. ARGV: per second, burst, spent before asking, wanted. Gives what is granted and, when that is nothing,
/// the milliseconds until there is something. A number from another clock (a replica that was promoted) is cut to
/// two bursts ahead; one that is no number counts as whole.
static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local cost, burst = 1000000 / tonumber(ARGV[1]), tonumber(ARGV[2])
local spent, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local kept = redis.pcall('GET', KEYS[1])
local whole = type(kept) == 'string' and tonumber(kept) or now
if not (whole > now) then whole = now end
whole = math.min(whole, now + 2 * burst * cost) + spent * cost
local free = math.floor(burst - (whole - now) / cost + 0.000001)
local granted = math.max(0, math.min(free, wanted))
whole = whole + granted * cost
redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.ceil((whole - now) / 1000) + 1000)
local wait = 0
if granted == 0 then wait = math.max(1, math.ceil((whole - now - (burst - 1) * cost) / 1000)) end
return {granted, wait}
",
    )
});

/// How much all nodes together let in.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub requests: u32,
    /// When none are granted: sooner is in vain.
    pub retry_after_ms: u64,
}

#[derive(Clone)]
pub struct Counters {
    link: Arc<Link>,
    veil: Arc<Veil>,
}

impl Counters {
    pub(super) fn new(link: Arc<Link>, veil: Arc<Veil>) -> Counters {
        Counters { link, veil }
    }

    /// Whether asking is worth it now. Where not, the caller goes on without, and that is told.
    pub fn are_there(&self) -> bool {
        let there = self.link.is_up();
        if !there {
            self.link.observe(Event::FellBack(Use::Limit));
        }
        there
    }

    /// Tells what was let in on credit, and asks for more. `None`: there is no Redis now.
    pub async fn lease(&self, key: &str, share: Share, spent: u32, wanted: u32) -> Option<Granted> {
        let name = self.veil.plain_name("limit", key);
        let asked = self.link.ask(async |mut connection| {
            let mut call = LEASE.prepare_invoke();
            call.key(&name).arg(share.per_second.get()).arg(share.burst.get()).arg(spent).arg(wanted);
            call.invoke_async::<(u32, u64)>(&mut connection).await
        });
        match asked.await {
            Some((requests, retry_after_ms)) => Some(Granted { requests, retry_after_ms }),
            None => {
                self.link.observe(Event::FellBack(Use::Limit));
                None
            }
        }
    }
}
