//! Banyan: a real-time, cross-region medical settlement gateway.
//!
//! The modules in reading order: what decides, what remembers, what gets one thing done, what speaks, what moves bytes.

pub mod domain;
pub mod vault;
pub mod ledger;
pub mod cache;
pub mod service;
pub mod protocol;
pub mod transport;
pub mod telemetry;
pub mod config;
pub mod sandbox;
pub mod app;
pub mod command;
