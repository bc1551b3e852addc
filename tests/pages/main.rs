//! The faces of persons and of the center: over sockets, and in a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod browser;
mod by_browser;
mod by_socket;
mod claims;
mod every_page;
mod reader;
mod world;
