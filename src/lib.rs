//! Banyan: a real-time, cross-region medical settlement gateway.
//!
//! The modules in reading order: what decides, what remembers, what gets one thing done, what speaks, what moves bytes.

pub mod cache;
pub mod domain;
<<<<<<< HEAD
=======
pub mod ledger;
pub mod protocol;
pub mod sandbox;
pub mod service;
>>>>>>> data
pub mod vault;
pub mod ledger;
pub mod service;
pub mod transport;
pub mod telemetry;
pub mod protocol;
pub mod config;
pub mod sandbox;
