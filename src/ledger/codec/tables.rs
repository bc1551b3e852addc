//! Owns how the rows of the small shared tables are kept.

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::Suspension;
use crate::domain::region::Region;
use crate::ledger::PackText;

object!(Region {
    code: RegionCode,
    name: String,
    parent: Option<RegionCode> = default,
    pool: RegionCode,
    clearing_agency: RegionCode,
    from: Day,
    to: Option<Day> = default,
});

object!(Suspension { from: Day, to: Option<Day> = default });

object!(Institution {
    code: InstitutionCode,
    name: String,
    region: RegionCode,
    hospital_level: String = default,
    kind: String = default,
    credit_code: String = default,
    in_province: bool = default,
    cross_province: bool = default,
    suspended: Option<Suspension> = default,
    from: Day,
    to: Option<Day> = default,
});

plain!(CatalogueEntry: u8, |_| 0, |_| Some(CatalogueEntry {}));

object!(PackText { region: RegionCode, hash: String, text: String });
