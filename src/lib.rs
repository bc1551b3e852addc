//! Banyan: a real-time, cross-region medical settlement gateway.
//!
//! The modules in reading order: what decides, what remembers, what gets one thing done, what speaks, what moves bytes.

pub mod command;
pub mod config;
pub mod domain;
pub mod ledger;
pub mod protocol;
pub mod service;
pub mod vault;
