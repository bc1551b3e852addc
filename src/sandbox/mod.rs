//! Owns the sandbox: a seeded province with everything that a first start needs. Nothing of it is real.

pub mod identities;
