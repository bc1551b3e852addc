//! Servers, links and nodes fail while hospitals work through two gateways of real processes over a real PostgreSQL. What
//! a hospital was told stands once, as it was told; each call is answered in time; nothing needs to be restarted.
//!
//! `BANYAN_FAILOVER_KILLS=50 BANYAN_FAILOVER_CUTS=20 cargo test --test failover -- --nocapture` does so for long;
//! `BANYAN_FAILOVER_SEED` gives other instants.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../support/mod.rs"]
mod support;

mod balancer;
mod cluster;
mod disk;
mod hospitals;
mod link;
mod links;
mod node;
mod nodes;
mod primary;
mod province;
mod redis;
mod standbys;
mod tally;
mod upgrade;
