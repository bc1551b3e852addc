//! The hospitals' face from outside: messages over mutual TLS against the composed gateway, and what the ledger then
//! holds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../support/mod.rs"]
mod support;

mod ambiguous;
mod damaged;
mod desks;
mod directions;
mod filings;
mod mid_stay;
mod outputs;
mod quirks;
mod receipts;
mod refused_business;
mod refused_callers;
mod routes;
mod special_bills;
mod undone;
mod worked_bills;
