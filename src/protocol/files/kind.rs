//! Owns the kinds of files and what each is called on the command line.

use core::fmt;
use core::str::FromStr;

use crate::protocol::files::balances::BalanceColumn;
use crate::protocol::files::catalogue::CatalogueColumn;
use crate::protocol::files::columns::Column;
use crate::protocol::files::columns::Spec;
use crate::protocol::files::filings::FilingColumn;
use crate::protocol::files::institutions::InstitutionColumn;
use crate::protocol::files::persons::PersonColumn;
use crate::protocol::files::recognitions::RecognitionColumn;
use crate::protocol::files::regions::RegionColumn;
use crate::protocol::files::table::Strangers;
use crate::protocol::files::year::YearColumn;

/// What a file is about. The order is the order in which a new gateway is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Regions,
    Institutions,
    Catalogue,
    Persons,
    Recognitions,
    Balances,
    Year,
    Filings,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::Regions,
        Kind::Institutions,
        Kind::Catalogue,
        Kind::Persons,
        Kind::Recognitions,
        Kind::Balances,
        Kind::Year,
        Kind::Filings,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Regions => "regions",
            Kind::Institutions => "institutions",
            Kind::Catalogue => "catalogue",
            Kind::Persons => "persons",
            Kind::Recognitions => "recognitions",
            Kind::Balances => "balances",
            Kind::Year => "year",
            Kind::Filings => "filings",
        }
    }

    pub fn strangers(self) -> Strangers {
        match self {
            Kind::Catalogue => Strangers::Refused,
            Kind::Regions
            | Kind::Institutions
            | Kind::Persons
            | Kind::Recognitions
            | Kind::Balances
            | Kind::Year
            | Kind::Filings => Strangers::ReadPast,
        }
    }

    pub fn specs(self) -> &'static [Spec] {
        match self {
            Kind::Regions => RegionColumn::ALL,
            Kind::Institutions => InstitutionColumn::ALL,
            Kind::Catalogue => CatalogueColumn::ALL,
            Kind::Persons => PersonColumn::ALL,
            Kind::Recognitions => RecognitionColumn::ALL,
            Kind::Balances => BalanceColumn::ALL,
            Kind::Year => YearColumn::ALL,
            Kind::Filings => FilingColumn::ALL,
        }
    }

    /// The header that a file of this kind is written with.
    pub fn header(self) -> Vec<&'static str> {
        self.specs().iter().map(|spec| spec.name).collect()
    }

    /// Columns whose adjacent equal values make several rows one entry.
    pub(crate) fn grouped_by(self) -> Option<[usize; 2]> {
        match self {
            Kind::Persons => Some([PersonColumn::Pool.at(), PersonColumn::Number.at()]),
            Kind::Recognitions => Some([RecognitionColumn::Pool.at(), RecognitionColumn::Number.at()]),
            Kind::Regions
            | Kind::Institutions
            | Kind::Catalogue
            | Kind::Balances
            | Kind::Year
            | Kind::Filings => None,
        }
    }

    /// Whether it goes into the shared tables, and not to persons.
    pub fn is_shared_table(self) -> bool {
        matches!(self, Kind::Regions | Kind::Institutions | Kind::Catalogue)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No such kind of file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such kind of file: use one of regions, institutions, catalogue, persons, recognitions, balances, year, filings"
)]
pub struct NoSuchKind;

impl FromStr for Kind {
    type Err = NoSuchKind;

    fn from_str(name: &str) -> Result<Kind, NoSuchKind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(NoSuchKind)
    }
}
