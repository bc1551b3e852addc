//! Owns which packs may decide about money: checked ones always, others in production only by name.

use crate::config::packs::PackSet;
use crate::config::packs::status_word;
use crate::domain::ids::RegionCode;
use crate::domain::pack::PackStatus;

/// What the gateway is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Money of real persons.
    Production,
    /// Demonstrations and tests: every pack that loads.
    Sandbox,
}

/// A pack that may not decide.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the pack of {region} ({name}) has the status {}: compare its numbers with the region's notices, or allow {region} by name",
    status_word(*status)
)]
pub struct NotAdmitted {
    pub region: RegionCode,
    pub name: String,
    pub status: PackStatus,
}

/// Refuses candidate and synthetic packs in production unless their region is on the allow-list.
///
/// # Errors
/// Every pack that is refused.
pub fn admit(set: &PackSet, mode: Mode, allowed: &[RegionCode]) -> Result<(), Vec<NotAdmitted>> {
    let refused: Vec<NotAdmitted> = set
        .packs()
        .filter(|pack| mode == Mode::Production && pack.status() != PackStatus::Official)
        .filter(|pack| !allowed.contains(&pack.region()))
        .map(|pack| NotAdmitted {
            region: pack.region(),
            name: pack.name().to_owned(),
            status: pack.status(),
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}
