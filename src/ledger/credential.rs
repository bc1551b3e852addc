//! Owns what of a person names her at a window: identity number, card, other certificates; kept as keyed hashes only.

use crate::domain::person::PersonPrivate;

/// A card or certificate that names a person. Numbers are compared without regard to blanks around them and case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// 居民身份证, 18 digits: `mdtrt_cert_type` 02, `psn_cert_type` 01.
    IdentityNumber(String),
    /// 社会保障卡: `mdtrt_cert_type` 03.
    Card(String),
    /// Any other certificate by its `psn_cert_type`.
    Certificate { kind: String, number: String },
}

/// `psn_cert_type` of the identity card.
const IDENTITY_CARD: &str = "01";

impl Credential {
    /// A certificate as the register keeps it.
    pub fn of_certificate(kind: &str, number: &str) -> Credential {
        if kind == IDENTITY_CARD || kind.is_empty() {
            Credential::IdentityNumber(number.into())
        } else {
            Credential::Certificate { kind: kind.into(), number: number.into() }
        }
    }

    /// Everything by which a person of the register can be found, sorted.
    pub fn all_of(person: &PersonPrivate) -> Vec<Credential> {
        let certificate = Credential::of_certificate(&person.certificate_type, &person.certificate_number);
        let card = Credential::Card(person.card_number.clone());
        let mut all: Vec<_> = [certificate, card].into_iter().filter(|c| !c.number().is_empty()).collect();
        all.sort();
        all
    }

    /// What of it is hashed: the kind apart from the number.
    pub fn parts(&self) -> (String, String) {
        let kind = match self {
            Credential::IdentityNumber(_) => "identity",
            Credential::Card(_) => "card",
            Credential::Certificate { kind, .. } => kind,
        };
        (kind.into(), self.number())
    }

    fn number(&self) -> String {
        let number = match self {
            Credential::IdentityNumber(number) | Credential::Card(number) => number,
            Credential::Certificate { number, .. } => number,
        };
        number.trim().to_uppercase()
    }
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Credential({}, …)", self.parts().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_certificate_and_card_and_by_nothing_empty() {
        let mut person = PersonPrivate { certificate_type: "01".into(), ..PersonPrivate::default() };
        assert_eq!(Credential::all_of(&person), []);
        person.certificate_number = " 44070319560101001x".into();
        person.card_number = "C1".into();
        let all = Credential::all_of(&person);
        assert_eq!(all[0].parts(), ("identity".into(), "44070319560101001X".into()));
        assert_eq!(all[1].parts(), ("card".into(), "C1".into()));
        person.certificate_type = "03".into();
        let passport = Credential::Certificate { kind: "03".into(), number: "x1".into() };
        person.certificate_number = "X1".into();
        assert_eq!(Credential::all_of(&person)[1].parts(), passport.parts());
        assert!(!format!("{passport:?}").contains("x1"));
    }
}
