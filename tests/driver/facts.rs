//! The shared tables, and one person's register, as the domain reads them.
use super::packs::{category, day, decimal, pack};
use crate::reference::book::Person;
use crate::reference::generate::{HOME, History, PLACES, Step, catalogue};
use crate::reference::lines::{Entry, Item};
use crate::reference::pack::Scheme as RefScheme;
use banyan::domain::calendar::Day;
use banyan::domain::catalogue::{Catalogue, CatalogueEntry, CatalogueItem, ChargeLevel};
use banyan::domain::codes::HospitalLevel;
use banyan::domain::ids::{InstitutionCode, RegionCode};
use banyan::domain::institution::Institution;
use banyan::domain::money::Rate;
use banyan::domain::person::{AssistanceSpan, Coverage, CoverageStatus, Recognition, Register};
use banyan::domain::reference::Reference;
use banyan::domain::region::{Region, Regions};
use jiff::civil::{Date, date};
use std::collections::BTreeSet;
use std::sync::Arc;

/// 医院等级 of the levels 1, 2, 3 and of primary care.
pub(super) const HOSPITAL_LEVELS: [&str; 4] = ["10", "07", "03", "11"];

const FIRST_DAY: Date = date(2020, 1, 1);

/// District, its pool.
fn pool_of(district: u32) -> u32 {
    if district / 10_000 == 11 { 110_000 } else { district / 100 * 100 }
}

pub(super) fn institution_code(index: usize) -> InstitutionCode {
    InstitutionCode::parse(&format!("H{index:011}")).unwrap()
}

/// All but the pack, for every history.
pub(crate) fn tables() -> Reference {
    let mut reference = Reference { regions: regions(), ..Reference::default() };
    for (index, place) in PLACES.iter().enumerate() {
        for (level, code) in HOSPITAL_LEVELS.into_iter().enumerate() {
            let row = institution(index * 4 + level, *place, code);
            reference.institutions.insert(row.code.clone(), vec![row]);
        }
        let pool = RegionCode(pool_of(*place));
        reference.catalogues.entry(pool).or_insert_with(|| Arc::new(catalogue_of(pool)));
    }
    reference
}

pub(super) fn with_pack(tables: &Reference, history: &History) -> Reference {
    let pack = Arc::new(pack(&history.packs));
    let mut reference = tables.clone();
    reference.packs_by_hash.insert(pack.hash().to_string(), Arc::clone(&pack));
    reference.packs.insert(RegionCode(HOME), pack);
    reference
}

fn regions() -> Regions {
    let mut rows = BTreeSet::new();
    for place in PLACES {
        let (pool, province) = (pool_of(place), place / 10_000 * 10_000);
        rows.extend([(place, Some(pool), pool), (province, None, province)]);
        if pool != province {
            rows.insert((pool, Some(province), pool));
        }
    }
    Regions::new(rows.into_iter().map(|(code, parent, pool)| Region {
        code: RegionCode(code),
        name: code.to_string(),
        parent: parent.map(RegionCode),
        pool: RegionCode(pool),
        clearing_agency: RegionCode(pool),
        from: day(FIRST_DAY),
        to: None,
    }))
}

fn institution(index: usize, place: u32, level: &str) -> Institution {
    Institution {
        code: institution_code(index),
        name: index.to_string(),
        region: RegionCode(place),
        hospital_level: level.to_owned(),
        kind: "1".to_owned(),
        credit_code: String::new(),
        in_province: true,
        cross_province: true,
        suspended: None,
        from: day(FIRST_DAY),
        to: None,
    }
}

/// A written stay names no place of its catalogue; all places have the same here.
pub(super) fn quote_catalogue() -> Catalogue {
    catalogue_of(RegionCode(HOME))
}

fn catalogue_of(pool: RegionCode) -> Catalogue {
    let entries =
        |item: Arc<Item>| item.entries.clone().into_iter().map(move |entry| entry_of(&item.code, &entry));
    Catalogue::build(pool, catalogue().into_iter().flat_map(entries)).unwrap()
}

fn level_of(level: usize) -> HospitalLevel {
    [HospitalLevel::One, HospitalLevel::Two, HospitalLevel::Three, HospitalLevel::Primary][level]
}

fn entry_of(code: &str, entry: &Entry) -> CatalogueEntry {
    let charge_level = match (entry.class_c, entry.first_pay) {
        (true, _) => ChargeLevel::C,
        (false, 0) => ChargeLevel::A,
        (false, _) => ChargeLevel::B,
    };
    CatalogueEntry {
        code: code.into(),
        level: entry.level.map(level_of),
        person: None,
        from: day(entry.from),
        to: None,
        item: CatalogueItem {
            name: code.into(),
            charge_level,
            self_pay: Rate(decimal(entry.first_pay)),
            price_limit: entry.limit.map(decimal),
            restricted: entry.restricted,
            charge_category: 14,
            list_type: 101,
            basic_drug: false,
            negotiated: false,
            child: false,
            special: false,
            injury: entry.injury,
        },
    }
}

pub(super) fn insutype(scheme: RefScheme) -> &'static str {
    match scheme {
        RefScheme::Employee => "310",
        RefScheme::Resident => "390",
    }
}

/// Coverage as intervals without gaps, a new row where scheme or type changes; recognitions of the very days
/// of admission that the history has recognised.
pub(super) fn register(history: &History) -> Register {
    let person = &history.person;
    let assistance = person.category.map(|(from, number)| AssistanceSpan {
        category: category(number).code().to_string(),
        from: day(from),
        to: None,
    });
    Register {
        coverages: coverages(person),
        assistance: assistance.into_iter().collect(),
        recognitions: recognised_days(history).into_iter().map(recognition).collect(),
    }
}

fn coverages(person: &Person) -> Vec<Coverage> {
    let changes: BTreeSet<Date> =
        person.scheme.iter().map(|(from, _)| *from).chain(person.retired_from).collect();
    let starts: Vec<Date> = changes.into_iter().collect();
    let row = |(index, from): (usize, &Date)| {
        let scheme = person.scheme_on(*from);
        let person_type = match (scheme, person.standing(*from).retired) {
            (RefScheme::Resident, _) => "14",
            (RefScheme::Employee, true) => "12",
            (RefScheme::Employee, false) => "11",
        };
        Coverage {
            insutype: insutype(scheme).to_owned(),
            person_type: person_type.to_owned(),
            status: CoverageStatus::Active,
            civil_servant: person.civil_servant,
            region: RegionCode(440_703),
            from: day(*from),
            to: starts.get(index + 1).map(|next| day(*next).previous()),
        }
    };
    starts.iter().enumerate().map(row).collect()
}

fn recognised_days(history: &History) -> BTreeSet<Day> {
    let orders = history.told.iter().filter_map(|told| match &told.step {
        Step::Settle(order, _) => Some(order),
        _ => None,
    });
    orders.filter(|order| order.stay.is_recognised()).map(|order| day(order.stay.admission)).collect()
}

fn recognition(on: Day) -> Recognition {
    Recognition { number: on.to_string(), from: on, to: Some(on) }
}
