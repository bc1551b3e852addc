//! Owns the subcommands: each reads its arguments, connects what it needs, prints, and gives an exit code.

pub mod import;
pub mod sandbox;
