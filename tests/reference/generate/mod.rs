//! Seeded histories: the same seed makes the same person, packs and years of bills.
mod bills;
mod packs;
mod story;

pub(crate) use bills::catalogue;
pub(crate) use story::{History, Step, Told, history};
