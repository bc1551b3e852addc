//! 1201: the register of designated institutions, by code, name or kind.

use crate::domain::ids::InstitutionCode;
use crate::domain::institution::Institution;
use crate::service::Service;

#[derive(Clone, Debug, Default)]
pub struct FindInstitutions {
    /// `fixmedins_type`; empty finds every kind.
    pub kind: String,
    /// Part of the name; empty finds every name.
    pub name: String,
    pub code: Option<InstitutionCode>,
}

impl Service {
    /// Rows in force today in the order of their codes, at most `limit`.
    pub fn find_institutions(&self, _order: &FindInstitutions, _limit: usize) -> Vec<Institution> {
        unimplemented!()
    }
}
