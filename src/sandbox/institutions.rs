//! Owns the designated institutions of the sandbox: in every city of the province, and where its people go outside it.
//!
//! Jiangmen has 63 that serve the province and 58 that serve the country, as it had at the end of 2020; the others are
//! invented in proportion.

use crate::domain::calendar::Day;
use crate::domain::codes::HospitalLevel;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::Suspension;
use crate::domain::region::Region;
use crate::sandbox::dice::Dice;
use crate::sandbox::dice::Topic;
use crate::sandbox::geography::AWAY;
use crate::sandbox::geography::CITIES;
use crate::sandbox::geography::HOME;
use crate::sandbox::geography::districts;
use crate::sandbox::geography::name;

/// Of Jiangmen's, how many serve persons of other cities.
pub const HOME_IN_PROVINCE: u64 = 63;
/// And how many of those serve persons of other provinces.
pub const HOME_CROSS_PROVINCE: u64 = 58;
/// In each of the cities outside the province.
pub const AWAY_EACH: u64 = 8;

/// A designated hospital with its pool and the level that rates go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hospital {
    pub institution: Institution,
    pub pool: RegionCode,
    pub level: HospitalLevel,
}

/// All of them, city by city; the first of each city is of level three.
pub fn hospitals(seed: u64, today: Day, regions: &[Region]) -> Vec<Hospital> {
    let mut all = Vec::new();
    for city in CITIES {
        let count = if city.pool == HOME { HOME_IN_PROVINCE } else { 6 + city.weight / 80 };
        all.extend((0..count).map(|at| hospital(seed, city.pool, at, regions)));
    }
    for pool in AWAY {
        all.extend((0..AWAY_EACH).map(|at| hospital(seed, pool, at, regions)));
    }
    all.extend(out_of_order(today, regions));
    all
}

fn hospital(seed: u64, pool: RegionCode, at: u64, regions: &[Region]) -> Hospital {
    let mut dice = Dice::new(seed, Topic::Institution, u64::from(pool.0) * 1000 + at);
    let (level, hospital_level) = grade(at, &mut dice);
    let places = districts(regions, pool);
    let region = places[usize::try_from(at).unwrap_or(0) % places.len()];
    let cross_province = if pool == HOME { at < HOME_CROSS_PROVINCE } else { at < 2 || dice.chance(850) };
    let institution = Institution {
        code: code(region, at + 1),
        name: format!("{}沙盒第{}医院", name(regions, pool), at + 1),
        region,
        hospital_level: hospital_level.into(),
        kind: "1".into(),
        credit_code: format!("12{:06}SBX{:07}", region.0, at + 1),
        in_province: true,
        cross_province,
        suspended: None,
        from: Day::from_number(20_200_101).expect("a day of the calendar"),
        to: None,
    };
    Hospital { institution, pool, level }
}

/// The first three of a city are of level three, two and one, so that each city has all.
fn grade(at: u64, dice: &mut Dice) -> (HospitalLevel, &'static str) {
    const GRADES: [((HospitalLevel, &str), u64); 6] = [
        ((HospitalLevel::Three, "02"), 140),
        ((HospitalLevel::Three, "03"), 110),
        ((HospitalLevel::Two, "05"), 300),
        ((HospitalLevel::Two, "06"), 150),
        ((HospitalLevel::One, "08"), 200),
        ((HospitalLevel::One, "09"), 100),
    ];
    match at {
        0 => GRADES[0].0,
        1 => GRADES[2].0,
        2 => GRADES[4].0,
        _ => *dice.weighted(&GRADES),
    }
}

/// `H`, the district and a serial: twelve characters.
pub fn code(region: RegionCode, serial: u64) -> InstitutionCode {
    InstitutionCode::parse(&format!("H{region}{serial:05}"))
        .expect("a letter and digits are an institution code")
}

/// Two of Jiangmen's whose calls must be refused: one whose designation has expired, one that is suspended.
fn out_of_order(today: Day, regions: &[Region]) -> [Hospital; 2] {
    let region = RegionCode(440_703);
    let base = |serial, what: &str| Institution {
        code: code(region, serial),
        name: format!("{}沙盒{what}医院", name(regions, HOME)),
        region,
        hospital_level: "05".into(),
        kind: "1".into(),
        credit_code: format!("12{:06}SBX{serial:07}", region.0),
        in_province: true,
        cross_province: true,
        suspended: None,
        from: Day::from_number(20_200_101).expect("a day of the calendar"),
        to: None,
    };
    let expired = Institution { to: Some(today.plus_days(-60)), ..base(901, "期满") };
    let suspension = Suspension { from: today.plus_days(-30), to: None };
    let suspended = Institution { suspended: Some(suspension), ..base(902, "暂停") };
    [expired, suspended].map(|institution| Hospital { institution, pool: HOME, level: HospitalLevel::Two })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::institution::Reach;
    use crate::sandbox::geography::regions;
    use std::collections::HashSet;

    #[test]
    fn jiangmen_has_as_many_as_it_had() {
        let today = Day::from_number(20_261_124).unwrap();
        let all = hospitals(1, today, &regions());
        let home = all.iter().filter(|h| h.pool == HOME);
        let admits = |reach| home.clone().filter(move |h| h.institution.admits(reach, today).is_ok()).count();
        assert_eq!((admits(Reach::OtherCity), admits(Reach::OtherProvince)), (63, 58));
    }

    #[test]
    fn codes_are_twelve_characters_and_nobody_shares_one() {
        let today = Day::from_number(20_261_124).unwrap();
        let all = hospitals(1, today, &regions());
        let codes: HashSet<&str> = all.iter().map(|h| h.institution.code.as_str()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(codes.iter().all(|code| code.len() == 12 && code.starts_with('H')));
        for pool in CITIES.map(|city| city.pool).into_iter().chain(AWAY) {
            let levels: HashSet<HospitalLevel> =
                all.iter().filter(|h| h.pool == pool).map(|h| h.level).collect();
            assert_eq!(levels.len(), 3, "{pool}");
        }
    }
}
