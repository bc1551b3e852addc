//! Seeded histories: the same seed makes the same person, packs and years of bills.
mod bills;
mod packs;
mod story;

pub(crate) use bills::catalogue;
pub(crate) use story::{HOME, History, PLACES, Step, Told, history};
