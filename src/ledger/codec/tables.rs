//! Owns how the rows of the small shared tables are kept.

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::Suspension;
use crate::domain::money::Rate;
use crate::domain::region::Region;
use crate::ledger::PackText;
use rust_decimal::Decimal;

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

word!(ChargeLevel { A = "A", B = "B", C = "C" });

object!(CatalogueItem {
    name: Box<str>,
    charge_level: ChargeLevel,
    self_pay: Rate,
    price_limit: Option<Decimal> = default as "crate::ledger::codec::decimal_option",
    restricted: bool = default,
    charge_category: u8,
    list_type: u16,
    basic_drug: bool = default,
    negotiated: bool = default,
    child: bool = default,
    special: bool = default,
    injury: bool = default,
});

object!(CatalogueEntry {
    code: Box<str>,
    level: Option<HospitalLevel> = default,
    person: Option<PersonType> = default,
    from: Day,
    to: Option<Day> = default,
    item: CatalogueItem,
});

object!(PackText { region: RegionCode, hash: String, text: String });
