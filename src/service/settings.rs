//! Owns what an operator may set about the use cases; `config` reads it.

use std::collections::HashMap;

use crate::domain::ids::InstitutionCode;
use crate::domain::money::Fen;

#[derive(Clone, Debug)]
pub struct Settings {
    /// How often a deed is decided anew when someone else wrote first.
    pub attempts_max: u32,
    pub lines_per_call_max: usize,
    pub lines_per_stay_max: usize,
    /// How far `det_item_fee_sumamt` may lie from `pric × cnt`.
    pub amount_tolerance: Fen,
    /// How long the last quote and the word about a missing filing are remembered.
    pub hint_lifetime_ms: i64,
    /// Whom to call when a region is not connected.
    pub hotline: String,
    /// `clr_type` and `clr_way` of inpatient settlements.
    pub clearing_type: String,
    pub clearing_way: String,
    /// What every institution gets that has no entry of its own.
    pub usual: Switches,
    pub institutions: HashMap<InstitutionCode, Switches>,
}

/// What may be switched per institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// The first quote of an unfiled stay is refused with both cash figures; otherwise priced at once.
    pub unfiled_refused_first: bool,
    /// 2304 refuses when cash differs from the last quote, until quoted again; otherwise it warns.
    pub quote_again: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { unfiled_refused_first: true, quote_again: false }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts_max: 24,
            lines_per_call_max: 1_000,
            lines_per_stay_max: 50_000,
            amount_tolerance: Fen(1),
            hint_lifetime_ms: 7 * 86_400_000,
            hotline: "12393".into(),
            clearing_type: "21".into(),
            clearing_way: "1".into(),
            usual: Switches::default(),
            institutions: HashMap::new(),
        }
    }
}

impl Settings {
    pub fn switches(&self, institution: &InstitutionCode) -> Switches {
        self.institutions.get(institution).copied().unwrap_or(self.usual)
    }
}
