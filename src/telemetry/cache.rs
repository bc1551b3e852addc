//! Owns the numbers of what nodes remember together: whether there is Redis, what came to nothing, what was done without.

use std::sync::Arc;

use metrics::Unit;
use metrics::counter;
use metrics::describe_counter;
use metrics::describe_gauge;
use metrics::gauge;

use crate::cache::redis::event::Event;
use crate::cache::redis::event::Observer;

const UP: &str = "banyan_cache_redis_up";
const CHANGES: &str = "banyan_cache_redis_changes_total";
const ERRORS: &str = "banyan_cache_errors_total";
const FALLBACKS: &str = "banyan_cache_fallbacks_total";

pub(super) fn describe() {
    describe_gauge!(UP, "1 while Redis answers, 0 while this node goes on without");
    describe_counter!(CHANGES, "Times that Redis came or went, as this node saw it");
    describe_counter!(ERRORS, Unit::Count, "Calls to Redis that came to nothing, by reason");
    describe_counter!(FALLBACKS, Unit::Count, "What was done without Redis, on this node alone, by use");
}

/// Counts what a node's use of Redis tells.
pub fn cache_observer() -> Observer {
    let up = gauge!(UP);
    up.set(0.0);
    let (came, went) = (counter!(CHANGES, "to" => "up"), counter!(CHANGES, "to" => "down"));
    Arc::new(move |event| match event {
        Event::Up(is_up) => {
            up.set(if is_up { 1.0 } else { 0.0 });
            let change = if is_up { &came } else { &went };
            change.increment(1);
        }
        Event::Lost(why) => counter!(ERRORS, "reason" => why.name()).increment(1),
        Event::FellBack(what) => counter!(FALLBACKS, "use" => what.name()).increment(1),
    })
}
