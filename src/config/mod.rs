//! Owns what people write into files for the gateway: settings, policy packs and written stays, every fault named at once.

pub mod packs;
pub mod reader;
pub mod stay;
pub mod tree;
