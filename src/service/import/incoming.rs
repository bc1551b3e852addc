//! Owns what a file says, as values, before the ledger is asked. What a file does not say is `None` and leaves the
//! ledger's value alone.

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::FilingId;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Balance;
use crate::domain::person::Coverage;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Recognition;
use crate::domain::person::Register;
use crate::domain::record::FilingPrivate;
use crate::domain::record::OutsideEvent;
use crate::domain::region::Region;

/// One thing that a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Person(Box<PersonEntry>),
    Balance(BalanceEntry),
    Outside(Box<OutsideEntry>),
    Filing(Box<FilingEntry>),
    Region(Region),
    Institution(Box<Institution>),
    Catalogue(RegionCode, Box<CatalogueEntry>),
}

/// A person, or the part of her that the source knows. Lists replace lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonEntry {
    pub person: PersonKey,
    pub identity: IdentityEntry,
    pub coverages: Option<Vec<Coverage>>,
    pub assistance: Option<Vec<AssistanceSpan>>,
    pub recognitions: Option<Vec<Recognition>>,
}

/// The personal fields, each as said or not. An emptied field is said to be `""`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IdentityEntry {
    pub name: Option<String>,
    pub certificate_type: Option<String>,
    pub certificate_number: Option<String>,
    pub gender: Option<String>,
    pub ethnicity: Option<String>,
    pub birth: Option<Option<Day>>,
    pub phone: Option<String>,
    pub card_number: Option<String>,
    pub employer: Option<String>,
}

impl IdentityEntry {
    /// Kind and number, where both are said.
    pub fn certificate(&self) -> Option<(&str, &str)> {
        let (kind, number) = (self.certificate_type.as_deref()?, self.certificate_number.as_deref()?);
        (number.len() > 1).then_some((kind, number)) // "-" is nobody's
    }
}

impl core::fmt::Debug for IdentityEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("IdentityEntry(…)")
    }
}

/// An account extract with the instant at which it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceEntry {
    pub person: PersonKey,
    pub balance: Balance,
}

/// Something that used the year's caps elsewhere, under the source's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideEntry {
    pub person: PersonKey,
    pub source_id: MessageId,
    pub event: OutsideEvent,
}

/// A filing under the source's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilingEntry {
    pub person: PersonKey,
    pub source_id: MessageId,
    pub category: FilingCategory,
    pub target: RegionCode,
    pub from: Day,
    pub to: Option<Day>,
    pub made_on: Day,
    pub proof: FilingProof,
    pub ended_from: Option<Day>,
    pub private: FilingPrivate,
}

impl PersonEntry {
    /// The register's row and the personal part after this entry. Lists come out in order of their days, so that the
    /// order of rows in a file is no difference.
    pub fn over(&self, register: &Register, private: &PersonPrivate) -> (Register, PersonPrivate) {
        let mut register = register.clone();
        if let Some(coverages) = &self.coverages {
            register.coverages = coverages.clone();
            register.coverages.sort_by(|a, b| (a.from, &a.insutype).cmp(&(b.from, &b.insutype)));
        }
        if let Some(assistance) = &self.assistance {
            register.assistance = assistance.clone();
            register.assistance.sort_by(|a, b| (a.from, &a.category).cmp(&(b.from, &b.category)));
        }
        if let Some(recognitions) = &self.recognitions {
            register.recognitions = recognitions.clone();
            register.recognitions.sort_by(|a, b| (a.from, &a.number).cmp(&(b.from, &b.number)));
        }
        (register, self.identity.over(private))
    }
}

impl IdentityEntry {
    fn over(&self, held: &PersonPrivate) -> PersonPrivate {
        let said = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
        PersonPrivate {
            name: said(&self.name, &held.name),
            certificate_type: said(&self.certificate_type, &held.certificate_type),
            certificate_number: said(&self.certificate_number, &held.certificate_number),
            gender: said(&self.gender, &held.gender),
            ethnicity: said(&self.ethnicity, &held.ethnicity),
            birth: self.birth.unwrap_or(held.birth),
            phone: said(&self.phone, &held.phone),
            card_number: said(&self.card_number, &held.card_number),
            employer: said(&self.employer, &held.employer),
        }
    }
}

impl FilingEntry {
    pub fn filing(&self, id: FilingId) -> Filing {
        Filing {
            id,
            category: self.category,
            target: self.target,
            from: self.from,
            to: self.to,
            made_on: self.made_on,
            proof: self.proof,
            by: FiledBy::Import,
            ended_from: self.ended_from,
        }
    }
}

impl Incoming {
    /// The person it is about; the shared tables have none.
    pub fn person(&self) -> Option<&PersonKey> {
        match self {
            Incoming::Person(entry) => Some(&entry.person),
            Incoming::Balance(entry) => Some(&entry.person),
            Incoming::Outside(entry) => Some(&entry.person),
            Incoming::Filing(entry) => Some(&entry.person),
            Incoming::Region(_) | Incoming::Institution(_) | Incoming::Catalogue(..) => None,
        }
    }

    /// The certificate of a person, which should be nobody else's in her pool.
    pub fn certificate(&self) -> Option<String> {
        let Incoming::Person(entry) = self else { return None };
        let (kind, number) = entry.identity.certificate()?;
        Some(format!("{} {kind} {number}", entry.person.pool))
    }

    /// What may stand only once in a file.
    pub fn identity(&self) -> String {
        let person = |key: &PersonKey| format!("{}/{}", key.pool, key.number());
        match self {
            Incoming::Person(entry) => person(&entry.person),
            Incoming::Balance(entry) => person(&entry.person),
            Incoming::Outside(entry) => entry.source_id.as_str().to_owned(),
            Incoming::Filing(entry) => entry.source_id.as_str().to_owned(),
            Incoming::Region(region) => format!("{} from {}", region.code, region.from),
            Incoming::Institution(institution) => format!("{} from {}", institution.code, institution.from),
            Incoming::Catalogue(place, entry) => {
                let (level, person) = (entry.level, entry.person.map(|p| p.code()));
                format!("{} of {place} from {} {level:?} {person:?}", entry.code, entry.from)
            }
        }
    }
}
