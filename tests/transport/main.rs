//! Bytes between real sockets and a handler: what a client meets at the edges of size, time and identity.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod certificates;
mod end;
mod http;
mod identities;
mod line;
mod server;
mod shares;
mod sizes_and_times;
