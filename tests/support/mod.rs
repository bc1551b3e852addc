//! A whole gateway in this process and hospitals that call it over real HTTPS, for every crate of tests that tells a
//! hospital's story.

#![allow(dead_code, reason = "each crate of tests uses the part that it needs")]

pub(crate) mod answer;
pub(crate) mod books;
pub(crate) mod people;
pub(crate) mod visit;
pub(crate) mod world;
