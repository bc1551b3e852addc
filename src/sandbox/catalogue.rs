//! Owns the catalogues of the sandbox: the items that its bills use, the same codes in every place of care, and some
//! thousands of others beside them.

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::ids::RegionCode;
use crate::domain::money::Rate;
use crate::sandbox::dice::Dice;
use crate::sandbox::dice::Topic;

/// Places of care with a catalogue: Guangdong for its cities, Shenzhen with one of its own, and the provinces and
/// municipalities where people go.
pub const PLACES: [RegionCode; 6] = [
    RegionCode(440_000),
    RegionCode(440_300),
    RegionCode(430_000),
    RegionCode(450_000),
    RegionCode(310_000),
    RegionCode(110_000),
];

/// Codes that bills are made of. Their class and share are the same in every place, so that a story has one sum.
pub mod codes {
    pub const BED: &str = "SBX-BED";
    pub const NURSING: &str = "SBX-NURSING";
    pub const EXAMINATION: &str = "SBX-EXAM";
    pub const LABORATORY: &str = "SBX-LAB";
    pub const TREATMENT: &str = "SBX-TREATMENT";
    pub const SURGERY: &str = "SBX-SURGERY";
    pub const DELIVERY: &str = "SBX-DELIVERY";
    pub const DRUG_A: &str = "SBX-DRUG-A";
    /// Class B, first-pay 5 %.
    pub const DRUG_B05: &str = "SBX-DRUG-B05";
    /// Class B, first-pay 10 %.
    pub const DRUG_B10: &str = "SBX-DRUG-B10";
    /// Class B, first-pay 15 %.
    pub const DRUG_B15: &str = "SBX-DRUG-B15";
    /// Class B, first-pay 20 %, at most 8,500.00 a piece.
    pub const IMPLANT: &str = "SBX-IMPLANT";
    /// Class B, first-pay 10 %, at most 60.00 a piece.
    pub const CONSUMABLE: &str = "SBX-CONSUMABLE";
    /// Class B, restricted: all the patient's without the hospital's approval.
    pub const RESTRICTED: &str = "SBX-RESTRICTED";
    pub const HERBS: &str = "SBX-HERBS";
    /// Class C: all the patient's.
    pub const OWN: &str = "SBX-OWN";
    /// Class C, but in the injury catalogue.
    pub const PROSTHESIS: &str = "SBX-PROSTHESIS";
}

struct Core {
    code: &'static str,
    name: &'static str,
    level: ChargeLevel,
    self_pay_percent: i64,
    /// Yuan.
    limit: Option<i64>,
    category: u8,
    list_type: u16,
    injury: bool,
}

const fn core(code: &'static str, name: &'static str, level: ChargeLevel, self_pay_percent: i64) -> Core {
    Core { code, name, level, self_pay_percent, limit: None, category: 14, list_type: 201, injury: true }
}

const fn listed(core: Core, category: u8, list_type: u16) -> Core {
    Core { category, list_type, ..core }
}

const fn limited(core: Core, yuan: i64) -> Core {
    Core { limit: Some(yuan), ..core }
}

const CORE: [Core; 17] = [
    listed(core(codes::BED, "沙盒床位费", ChargeLevel::A, 0), 1, 201),
    listed(core(codes::NURSING, "沙盒护理费", ChargeLevel::A, 0), 7, 201),
    listed(core(codes::EXAMINATION, "沙盒检查费", ChargeLevel::A, 0), 3, 201),
    listed(core(codes::LABORATORY, "沙盒化验费", ChargeLevel::A, 0), 4, 201),
    listed(core(codes::TREATMENT, "沙盒治疗费", ChargeLevel::A, 0), 5, 201),
    listed(core(codes::SURGERY, "沙盒手术费", ChargeLevel::A, 0), 6, 201),
    listed(core(codes::DELIVERY, "沙盒分娩费", ChargeLevel::A, 0), 6, 201),
    listed(core(codes::DRUG_A, "沙盒甲类药", ChargeLevel::A, 0), 9, 101),
    listed(core(codes::DRUG_B05, "沙盒乙类药5", ChargeLevel::B, 5), 9, 101),
    listed(core(codes::DRUG_B10, "沙盒乙类药10", ChargeLevel::B, 10), 9, 101),
    listed(core(codes::DRUG_B15, "沙盒乙类药15", ChargeLevel::B, 15), 9, 101),
    limited(listed(core(codes::IMPLANT, "沙盒植入物", ChargeLevel::B, 20), 8, 301), 8500),
    limited(listed(core(codes::CONSUMABLE, "沙盒耗材", ChargeLevel::B, 10), 8, 301), 60),
    listed(core(codes::RESTRICTED, "沙盒限制药", ChargeLevel::B, 10), 9, 101),
    listed(core(codes::HERBS, "沙盒中药饮片", ChargeLevel::A, 0), 10, 102),
    Core { injury: false, ..listed(core(codes::OWN, "沙盒自费项目", ChargeLevel::C, 100), 14, 201) },
    listed(core(codes::PROSTHESIS, "沙盒假肢", ChargeLevel::C, 100), 8, 301),
];

/// The catalogue of a place: the core items, then others up to `codes` codes, some with an earlier entry, a row for
/// another level, or for children.
pub fn entries(seed: u64, place: RegionCode, codes: u64) -> impl Iterator<Item = CatalogueEntry> {
    let others = codes.saturating_sub(CORE.len() as u64);
    CORE.iter().map(core_entry).chain((0..others).flat_map(move |at| other(seed, place, at)))
}

fn begin() -> Day {
    Day::from_number(20_200_101).expect("a day of the calendar")
}

fn percent(percent: i64) -> Rate {
    Rate(Decimal::new(percent, 2))
}

fn core_entry(core: &Core) -> CatalogueEntry {
    let item = CatalogueItem {
        name: core.name.into(),
        charge_level: core.level,
        self_pay: percent(core.self_pay_percent),
        price_limit: core.limit.map(|yuan| Decimal::new(yuan, 0)),
        restricted: core.code == codes::RESTRICTED,
        charge_category: core.category,
        list_type: core.list_type,
        basic_drug: core.code == codes::DRUG_A,
        negotiated: false,
        child: false,
        special: false,
        injury: core.injury,
    };
    CatalogueEntry { code: core.code.into(), level: None, person: None, from: begin(), to: None, item }
}

/// A sort of item: drugs, herbs, services, consumables.
#[derive(Clone, Copy)]
struct Sort {
    list_type: u16,
    kind: &'static str,
    /// How its codes begin.
    prefix: &'static str,
    charge_categories: &'static [u8],
}

const fn sort(
    list_type: u16,
    kind: &'static str,
    prefix: &'static str,
    charge_categories: &'static [u8],
) -> Sort {
    Sort { list_type, kind, prefix, charge_categories }
}

/// The sorts with their weights.
const SORTS: [(Sort, u64); 4] = [
    (sort(101, "药品", "XSBX", &[9, 11]), 60),
    (sort(102, "饮片", "TSBX", &[10]), 8),
    (sort(201, "项目", "0SBX", &[2, 3, 4, 5, 6, 7, 12]), 20),
    (sort(301, "耗材", "CSBX", &[8]), 12),
];

fn other(seed: u64, place: RegionCode, at: u64) -> Vec<CatalogueEntry> {
    const SHARES: [i64; 5] = [5, 8, 10, 15, 20];
    let mut dice = Dice::new(seed, Topic::Catalogue, u64::from(place.0) * 10_000_000 + at);
    // What a code is must not depend on the place, only what the place pays.
    let mut nature = Dice::new(seed, Topic::Catalogue, at);
    let Sort { list_type, kind, prefix, charge_categories } = *nature.weighted(&SORTS);
    let category = *nature.pick(charge_categories);
    let level = *dice.weighted(&[(ChargeLevel::A, 40), (ChargeLevel::B, 45), (ChargeLevel::C, 15)]);
    let self_pay = match level {
        ChargeLevel::A => 0,
        ChargeLevel::B => *dice.pick(&SHARES),
        ChargeLevel::C => 100,
    };
    let drug = list_type == 101;
    let limited = level == ChargeLevel::B && dice.chance(if drug { 30 } else { 300 });
    let item = CatalogueItem {
        name: format!("沙盒{kind}{at:06}").into(),
        charge_level: level,
        self_pay: percent(self_pay),
        price_limit: limited.then(|| Decimal::new(dice.between(100, 900_000), 2)),
        restricted: drug && level == ChargeLevel::B && dice.chance(120),
        charge_category: category,
        list_type,
        basic_drug: drug && level == ChargeLevel::A && dice.chance(500),
        negotiated: drug && level == ChargeLevel::B && dice.chance(60),
        child: drug && dice.chance(15),
        special: !drug && dice.chance(20),
        injury: level != ChargeLevel::C || dice.chance(200),
    };
    let code = format!("{prefix}{at:06}");
    let entry =
        CatalogueEntry { code: code.into(), level: None, person: None, from: begin(), to: None, item };
    versions(entry, &mut dice)
}

/// An earlier share for some, a better one in primary care or for pupils for others.
fn versions(entry: CatalogueEntry, dice: &mut Dice) -> Vec<CatalogueEntry> {
    let class_b = entry.item.charge_level == ChargeLevel::B;
    let cheaper = |entry: &CatalogueEntry| CatalogueItem { self_pay: percent(3), ..entry.item.clone() };
    match dice.below(20) {
        0 if class_b => {
            let changed = Day::from_number(20_250_101).expect("a day of the calendar");
            let now = CatalogueEntry { from: changed, item: cheaper(&entry), ..entry.clone() };
            vec![CatalogueEntry { to: Some(changed.previous()), ..entry }, now]
        }
        1 if class_b => {
            let item = cheaper(&entry);
            vec![CatalogueEntry { level: Some(HospitalLevel::One), item, ..entry.clone() }, entry]
        }
        2 if class_b => {
            let (item, person) = (cheaper(&entry), PersonType::new(1403));
            vec![CatalogueEntry { person, item, ..entry.clone() }, entry]
        }
        _ => vec![entry],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::CareParties;
    use crate::domain::catalogue::Catalogue;

    #[test]
    fn every_catalogue_builds_and_holds_the_codes_of_the_bills() {
        let day = Day::from_number(20_261_124).unwrap();
        for place in PLACES {
            let catalogue = Catalogue::build(place, entries(1, place, 800)).unwrap();
            assert_eq!(catalogue.len(), 800);
            let parties =
                CareParties { hospital: HospitalLevel::Three, person: PersonType::new(11).unwrap() };
            for core in &CORE {
                let item = catalogue.find(core.code, day, parties).unwrap();
                assert_eq!(item.charge_level, core.level, "{}", core.code);
            }
        }
    }

    #[test]
    fn catalogues_of_two_places_differ_in_what_they_pay_not_in_what_there_is() {
        let first: Vec<_> = entries(1, PLACES[0], 400).collect();
        let other: Vec<_> = entries(1, PLACES[2], 400).collect();
        let codes = |all: &[CatalogueEntry]| {
            let mut codes: Vec<_> = all.iter().map(|e| e.code.clone()).collect();
            codes.dedup();
            codes
        };
        assert_eq!(codes(&first), codes(&other));
        assert_ne!(first, other);
        assert_eq!(first, entries(1, PLACES[0], 400).collect::<Vec<_>>());
    }
}
