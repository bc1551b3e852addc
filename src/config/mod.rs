//! Owns what an operator may set: typed, with limits, every fault of a file told at once before anything starts.

pub mod cache;
pub mod database_url;
pub mod reading;
pub mod gateway;
pub mod ledger;
pub mod nearest;
pub mod packs;
pub mod reader;
mod servers;
pub mod stay;
pub mod tree;
