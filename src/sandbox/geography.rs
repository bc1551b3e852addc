//! Owns the places of the sandbox: the shipped region table, the 21 cities of Guangdong with their weights, and the
//! cities outside the province where people go.

use crate::domain::ids::RegionCode;
use crate::domain::region::Region;
use crate::protocol::files::kind::Kind;
use crate::protocol::files::sheet::Sheet;
use crate::service::import::incoming::Incoming;

/// The region table that ships with the gateway, in the format of `banyan import --kind regions`.
pub const REGIONS_CSV: &str = include_str!("../../config/regions.csv");

/// One city of the province as a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    pub pool: RegionCode,
    /// Inhabitants in units of 10,000, rounded from the census of 2020. A weight, not a statistic.
    pub weight: u64,
    /// Of a thousand adults, how many are insured as employees. Invented.
    pub employees_per_mille: u64,
}

const fn city(code: u32, weight: u64, employees_per_mille: u64) -> City {
    City { pool: RegionCode(code), weight, employees_per_mille }
}

pub const CITIES: [City; 21] = [
    city(440_100, 1868, 620),
    city(440_200, 286, 320),
    city(440_300, 1756, 760),
    city(440_400, 244, 600),
    city(440_500, 550, 260),
    city(440_600, 950, 560),
    city(440_700, 480, 430),
    city(440_800, 698, 200),
    city(440_900, 617, 180),
    city(441_200, 411, 300),
    city(441_300, 604, 440),
    city(441_400, 387, 240),
    city(441_500, 267, 190),
    city(441_600, 284, 230),
    city(441_700, 260, 230),
    city(441_800, 397, 280),
    city(441_900, 1047, 660),
    city(442_000, 442, 560),
    city(445_100, 257, 250),
    city(445_200, 558, 170),
    city(445_300, 238, 220),
];

/// Jiangmen, the home of the gateway.
pub const HOME: RegionCode = RegionCode(440_700);
pub const PROVINCE: RegionCode = RegionCode(440_000);

/// Where people of the province are treated outside it: Changsha, Nanning, Shanghai, Beijing.
pub const AWAY: [RegionCode; 4] =
    [RegionCode(430_100), RegionCode(450_100), RegionCode(310_000), RegionCode(110_000)];

/// Every row of the shipped table.
pub fn regions() -> Vec<Region> {
    let rows = Sheet::open(Kind::Regions, None, REGIONS_CSV.as_bytes());
    rows.filter_map(|said| match said.what {
        Incoming::Region(region) => Some(region),
        Incoming::Person(_)
        | Incoming::Balance(_)
        | Incoming::Outside(_)
        | Incoming::Filing(_)
        | Incoming::Institution(_)
        | Incoming::Catalogue(..) => None,
    })
    .collect()
}

/// The districts of a pool; the pool itself where it has none (Dongguan, Zhongshan).
pub fn districts(regions: &[Region], pool: RegionCode) -> Vec<RegionCode> {
    let is_district = |region: &&Region| {
        let ends_low = !region.code.0.is_multiple_of(100);
        region.pool == pool && region.code != pool && ends_low
    };
    let found: Vec<RegionCode> = regions.iter().filter(is_district).map(|region| region.code).collect();
    if found.is_empty() { vec![pool] } else { found }
}

pub fn name(regions: &[Region], code: RegionCode) -> String {
    regions.iter().find(|region| region.code == code).map_or_else(|| code.to_string(), |r| r.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::region::Regions;

    #[test]
    fn the_shipped_table_is_whole() {
        let mut sheet = Sheet::open(Kind::Regions, None, REGIONS_CSV.as_bytes());
        let rows = sheet.by_ref().count();
        assert!(sheet.findings.faults.is_empty(), "{:?}", sheet.findings.faults.listed());
        assert!(sheet.findings.warnings.is_empty(), "{:?}", sheet.findings.warnings.listed());
        assert_eq!(rows, 3348);
    }

    #[test]
    fn every_city_is_a_pool_of_the_province() {
        let rows = regions();
        let table = Regions::new(rows.clone());
        let day = crate::domain::calendar::Day::from_number(20_261_124).unwrap();
        for city in CITIES {
            assert_eq!(table.pool_of(city.pool, day), Some(city.pool));
            assert!(table.lies_in(city.pool, PROVINCE, day));
            assert!(!districts(&rows, city.pool).is_empty());
        }
        assert_eq!(table.pool_of(RegionCode(110_105), day), Some(RegionCode(110_000)));
        assert_eq!(districts(&rows, RegionCode(441_900)), [RegionCode(441_900)]);
        assert_eq!(districts(&rows, HOME).len(), 7);
    }
}
