//! Owns who may say what: an authority brings the columns that are its own and leaves the others alone.

use crate::domain::ids::InstitutionCode;
use crate::domain::ids::NotAnId;

/// An authority that brings persons. The name stands in the message keys of what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The pool's own core system: everything.
    Register,
    /// 公安: who she is.
    PublicSecurity,
    /// 税务: what she is insured under, and by whom.
    Tax,
    /// 民政: who is assisted.
    CivilAffairs,
    /// 社保卡: card number and phone.
    CardOffice,
}

/// What a column of a persons file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Identity,
    Contact,
    Card,
    Employer,
    Coverage,
    Assistance,
}

impl Authority {
    pub const ALL: [Authority; 5] = [
        Authority::Register,
        Authority::PublicSecurity,
        Authority::Tax,
        Authority::CivilAffairs,
        Authority::CardOffice,
    ];

    /// What `--source` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Authority::Register => "register",
            Authority::PublicSecurity => "psb",
            Authority::Tax => "tax",
            Authority::CivilAffairs => "civil",
            Authority::CardOffice => "card",
        }
    }

    pub fn from_name(name: &str) -> Option<Authority> {
        Authority::ALL.into_iter().find(|authority| authority.name() == name)
    }

    /// Whether it may change what a column of that subject says.
    pub fn owns(self, subject: Subject) -> bool {
        use Subject as S;
        match self {
            Authority::Register => true,
            Authority::PublicSecurity => matches!(subject, S::Identity),
            Authority::Tax => matches!(subject, S::Coverage | S::Employer),
            Authority::CivilAffairs => matches!(subject, S::Assistance),
            Authority::CardOffice => matches!(subject, S::Card | S::Contact),
        }
    }

    /// Only the register may bring a person whom the ledger does not know yet.
    pub fn may_introduce(self) -> bool {
        self == Authority::Register
    }
}

/// Where a file comes from. Stands for the institution in the message keys of what it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceName(InstitutionCode);

impl SourceName {
    /// At most 30 characters without blanks.
    pub fn parse(name: &str) -> Result<SourceName, NotAnId> {
        InstitutionCode::parse(name).map(SourceName)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn as_institution(&self) -> &InstitutionCode {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_owns_its_own_columns_only() {
        assert!(Authority::PublicSecurity.owns(Subject::Identity));
        assert!(!Authority::PublicSecurity.owns(Subject::Coverage));
        assert!(Authority::Tax.owns(Subject::Employer));
        assert!(!Authority::CivilAffairs.owns(Subject::Identity));
        assert_eq!(Authority::ALL.map(Authority::may_introduce), [true, false, false, false, false]);
    }

    #[test]
    fn names_read_back() {
        for authority in Authority::ALL {
            assert_eq!(Authority::from_name(authority.name()), Some(authority));
        }
        assert_eq!(Authority::from_name("police"), None);
    }
}
