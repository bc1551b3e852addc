//! Owns a storm of repeated messages: what impatient hospitals send after a broken line.
//!
//! Each settlement is sent by several at once before the first of them has its answer, and again when all have theirs.

use crate::drive::Journey;
use crate::pace::Chance;

/// How often each message comes while the first is under way, and how often after that.
const AT_ONCE: usize = 4;
const AFTERWARDS: usize = 6;

/// Every message that often, in the order in which a storm brings them.
pub fn storm(first: &[Journey]) -> Vec<Journey> {
    let mut all: Vec<Journey> =
        first.iter().flat_map(|journey| std::iter::repeat_n(journey.clone(), AT_ONCE)).collect();
    let mut again: Vec<Journey> = std::iter::repeat_n(first, AFTERWARDS).flatten().cloned().collect();
    Chance::default().shuffle(&mut again);
    all.extend(again);
    all
}
