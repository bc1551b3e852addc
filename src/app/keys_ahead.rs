//! Owns how far ahead the keys of a store reach, where months' keys are made beforehand and by no node itself.

use crate::domain::calendar::Month;
use crate::vault::key_store::Inventory;

/// Months in a row after this one that have every key; none when this one lacks one, and nothing can be written now.
pub(crate) fn months_left(store: &Inventory, this: Month) -> Option<u32> {
    let mut months = core::iter::successors(Some(this), |month| Some(month.next()));
    let lacking = months.position(|month| !store.can_write(month.number().unsigned_abs()));
    lacking?.checked_sub(1).and_then(|left| u32::try_from(left).ok())
}
