//! Owns the list of numbers that nobody has compared with a notice yet, for start-up and `banyan check`.

use crate::config::packs::PackSet;
use crate::config::packs::trust_word;
use crate::domain::calendar::Day;
use crate::domain::dated::Trust;
use crate::domain::ids::RegionCode;

/// One value that is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    pub region: RegionCode,
    /// As `employee.deductible`.
    pub parameter: String,
    pub from: Day,
    /// As the file says it.
    pub trust: &'static str,
    pub source: String,
}

/// Every value of every pack that is not official, in the order of the packs and their files.
pub fn unverified(set: &PackSet) -> Vec<Unverified> {
    let of_pack = set.packs().flat_map(|pack| {
        let open = pack.provenance().into_iter().filter(|value| value.trust != Trust::Verified);
        let row = open.map(|value| Unverified {
            region: pack.region(),
            parameter: value.parameter.to_owned(),
            from: value.from,
            trust: trust_word(value.trust),
            source: value.source.to_owned(),
        });
        row.collect::<Vec<_>>()
    });
    of_pack.collect()
}
