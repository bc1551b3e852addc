//! "Running a province": what the page tells an operator is done here with real programs, servers and files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod bundle;
mod outage;
mod page;
mod recovery;
mod rights;
mod rules;
mod scrape;
mod size;
mod stage;
