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
    pub fn find_institutions(&self, order: &FindInstitutions, limit: usize) -> Vec<Institution> {
        let (reference, today) = (self.reference.load(), self.today());
        let in_force = |row: &&Institution| row.from <= today && row.to.is_none_or(|to| today <= to);
        let rows = reference.institutions.values().flatten().filter(in_force);
        let mut found: Vec<&Institution> = rows.filter(|row| order.takes(row)).collect();
        found.sort_by(|one, other| one.code.cmp(&other.code));
        found.into_iter().take(limit).cloned().collect()
    }
}

impl FindInstitutions {
    fn takes(&self, row: &Institution) -> bool {
        (self.kind.is_empty() || self.kind == row.kind)
            && (self.name.is_empty() || row.name.contains(&self.name))
            && self.code.as_ref().is_none_or(|code| *code == row.code)
    }
}
