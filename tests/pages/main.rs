//! The faces of persons and of the center: over sockets, and in a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod by_socket;
mod reader;
mod world;
