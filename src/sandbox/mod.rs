//! Owns the sandbox: a seeded province with everything that a first start needs. Nothing of it is real.

mod dice;

pub mod catalogue;
pub mod filings;
pub mod geography;
pub mod desk;
pub mod folder;
pub mod his;
pub mod identities;
pub mod institutions;
pub mod population;
pub mod postgres;
pub mod province;
pub mod stays;
pub mod story;
pub mod play;
