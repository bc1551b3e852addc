//! What nodes remember for a while, alone and together: the same promises in memory and in Redis, each way in which Redis
//! can fail, and two gateways over one Redis. Servers are real ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "this crate reads few pages")]
#[path = "../pages/reader.rs"]
mod reader;

mod bus;
mod contract;
mod counters;
mod faults;
mod failover;
mod gateways;
mod secrecy;
mod slow;
mod stage;
mod under_load;
