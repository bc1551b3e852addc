//! Owns where a decision takes place: the institution and the person's pool as the shared tables see both on the day
//! of admission, and what follows from them.

use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::catalogue::CareParties;
use crate::domain::catalogue::Catalogue;
use crate::domain::codes::CareKind;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::PersonType;
use crate::domain::codes::Scheme;
use crate::domain::filing;
use crate::domain::filing::Place;
use crate::domain::filing::PlaceRelation;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::NotDesignated;
use crate::domain::institution::Reach;
use crate::domain::pack::Pack;
use crate::domain::pack::Policy;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::Register;
use crate::domain::reference::Reference;
use crate::domain::refusal::Bound;
use crate::domain::refusal::CoverageGap;
use crate::domain::refusal::Refusal;
use crate::domain::region::Regions;

/// A pool's insured at an institution on a day.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    reference: &'a Reference,
    /// The row for the day of admission.
    pub institution: &'a Institution,
    /// The insured person's pool.
    pub home: RegionCode,
    /// Where the institution lies.
    pub care: Place,
    pub relation: PlaceRelation,
    pub pack: &'a Arc<Pack>,
    pub admitted: Day,
}

impl<'a> Scene<'a> {
    /// # Errors
    /// `RegionNotConnected`, `InstitutionUnknown`, `TooEarly`, `RegionUnknown`.
    pub fn set(
        reference: &'a Reference,
        home: RegionCode,
        code: &InstitutionCode,
        admitted: Day,
    ) -> Result<Scene<'a>, Refusal> {
        let pack =
            reference.packs.get(&home).ok_or_else(|| not_connected(reference, home, home, admitted))?;
        let institution = institution(reference, code, admitted)?;
        let care = place(&reference.regions, institution.region, admitted)
            .ok_or_else(|| unknown_place(&reference.regions, institution.region, admitted))?;
        let relation = PlaceRelation::of(&care, home, home.province());
        Ok(Scene { reference, institution, home, care, relation, pack, admitted })
    }

    /// The catalogue that splits lines here.
    pub fn catalogue(&self) -> Result<&'a Arc<Catalogue>, Refusal> {
        let place = self.care.pool;
        self.reference.catalogue(place).ok_or_else(|| Refusal::PlaceNotServed {
            place,
            name: self.reference.regions.name(place, self.admitted),
        })
    }

    /// May it admit her on the day of admission?
    pub fn check_admits(&self) -> Result<(), Refusal> {
        self.designation(self.institution.admits(self.reach(), self.admitted))
    }

    /// Is it designated for her on the day of admission? Suspension is not asked.
    pub fn check_serves(&self) -> Result<(), Refusal> {
        self.designation(self.institution.serves(self.reach(), self.admitted))
    }

    pub fn level(&self) -> Result<HospitalLevel, Refusal> {
        let level = &self.institution.hospital_level;
        hospital_level(level).ok_or_else(|| Refusal::LevelUnknown {
            institution: self.institution.code.clone(),
            level: level.clone(),
        })
    }

    /// Whose prices and classes count for her lines.
    pub fn parties(&self, coverage: &Coverage) -> Result<CareParties, Refusal> {
        Ok(CareParties { hospital: self.level()?, person: person_type(coverage)? })
    }

    /// The scheme that the stay runs on, by the pack's word for a day.
    pub fn scheme(
        &self,
        insutype: &str,
        med_type: &str,
        work_injury: bool,
        day: Day,
    ) -> Result<Scheme, Refusal> {
        if work_injury {
            return Ok(Scheme::WorkInjury);
        }
        let unknown = || Refusal::InsuranceUnknown { insutype: insutype.into(), med_type: med_type.into() };
        let insurance = insutype.parse().map(InsuranceCode).map_err(|_| unknown())?;
        let care = med_type.parse().map(CareKind).map_err(|_| unknown())?;
        self.pack.scheme_of(insurance, care, day).map_err(Refusal::NoPolicy)
    }

    pub fn policy(&self, scheme: Scheme, day: Day) -> Result<Arc<Policy>, Refusal> {
        self.pack.policy(scheme, day).map_err(Refusal::NoPolicy)
    }

    /// The stay as filings see it, asked on a day.
    pub fn for_filing(&self, emergency: bool, asked_on: Day) -> filing::StayFacts {
        filing::StayFacts {
            place: self.care,
            relation: self.relation,
            admitted: self.admitted,
            emergency,
            asked_on,
        }
    }

    fn reach(&self) -> Reach {
        self.reference.reach(self.home, self.care.pool)
    }

    fn designation(&self, answer: Result<(), NotDesignated>) -> Result<(), Refusal> {
        answer.map_err(|cause| Refusal::NotDesignated {
            institution: self.institution.code.clone(),
            day: self.admitted,
            cause,
        })
    }
}

/// The register's row of an institution for a day.
pub fn institution<'a>(
    reference: &'a Reference,
    code: &InstitutionCode,
    day: Day,
) -> Result<&'a Institution, Refusal> {
    reference.institution(code, day).ok_or_else(|| Refusal::InstitutionUnknown { institution: code.clone() })
}

/// The pool that a region code means, if it is one that we hold.
pub fn held_pool(reference: &Reference, region: RegionCode, day: Day) -> Result<RegionCode, Refusal> {
    let pool = reference.regions.pool_of(region, day).ok_or(Refusal::RegionUnknown { region })?;
    if reference.packs.contains_key(&pool) {
        Ok(pool)
    } else {
        Err(not_connected(reference, region, pool, day))
    }
}

/// Where the region table knows the place from a later day on, the day is wrong and not the place.
fn unknown_place(regions: &Regions, region: RegionCode, day: Day) -> Refusal {
    match regions.first_day(region).filter(|first| day < *first) {
        Some(earliest) => Refusal::TooEarly { field: "begntime", day, earliest, because: Bound::RegionTable },
        None => Refusal::RegionUnknown { region },
    }
}

fn not_connected(reference: &Reference, given: RegionCode, pool: RegionCode, day: Day) -> Refusal {
    let agency = reference.regions.on(pool, day).map_or(pool, |row| row.clearing_agency);
    let name = |code| reference.regions.name(code, day);
    Refusal::RegionNotConnected { given, pool, name: name(pool), agency, agency_name: name(agency) }
}

/// Where a region code lies.
pub fn place(regions: &Regions, code: RegionCode, day: Day) -> Option<Place> {
    let pool = regions.pool_of(code, day)?;
    let province = code.province();
    Some(Place { pool, province, city: filing_target(regions, code, day)?, district: code })
}

/// What a filing for that region is for: its city, the municipality, or the province itself.
pub fn filing_target(regions: &Regions, code: RegionCode, day: Day) -> Option<RegionCode> {
    let province = code.province();
    if code == province || MUNICIPALITIES.contains(&province) {
        return regions.on(province, day).map(|row| row.code);
    }
    let city = RegionCode(code.0 / 100 * 100);
    let row = regions.on(code, day)?;
    // Counties that hang directly below their province (省直管) have a city code of their own only in their digits.
    let below_province = row.parent == Some(province);
    Some(if below_province { code } else { city })
}

/// 直辖市: Beijing, Tianjin, Shanghai, Chongqing.
const MUNICIPALITIES: [RegionCode; 4] =
    [RegionCode(110_000), RegionCode(120_000), RegionCode(310_000), RegionCode(500_000)];

/// 医院等级 `hosp_lv` → the level that deductible and ratio go by. 11 无等级: community centers and township hospitals.
pub fn hospital_level(code: &str) -> Option<HospitalLevel> {
    match code.parse().ok()? {
        1_u8..=4 => Some(HospitalLevel::Three),
        5..=7 => Some(HospitalLevel::Two),
        8..=10 => Some(HospitalLevel::One),
        11 => Some(HospitalLevel::Primary),
        _ => None,
    }
}

pub fn person_type(coverage: &Coverage) -> Result<PersonType, Refusal> {
    let read = coverage.person_type.parse().ok().and_then(PersonType::new);
    read.ok_or_else(|| Refusal::PersonTypeUnknown { person_type: coverage.person_type.clone() })
}

/// What insures her under an 险种 on a day.
///
/// # Errors
/// `NotCovered` with the gap, and under what else she is covered that day.
pub fn coverage<'a>(register: &'a Register, insutype: &str, day: Day) -> Result<&'a Coverage, Refusal> {
    let gap = match register.coverage(insutype, day) {
        Some(row) => match row.status {
            CoverageStatus::Active => return Ok(row),
            CoverageStatus::Paused => CoverageGap::Paused { from: row.from },
            CoverageStatus::Ended => CoverageGap::Terminated { from: row.from },
        },
        None => gap_around(register, insutype, day),
    };
    Err(Refusal::NotCovered { insutype: insutype.into(), day, gap, others: covered_by(register, day) })
}

/// The 险种 under which she is covered on a day.
pub fn covered_by(register: &Register, day: Day) -> Vec<String> {
    let mut insutypes: Vec<&str> = register.coverages.iter().map(|row| row.insutype.as_str()).collect();
    insutypes.sort_unstable();
    insutypes.dedup();
    let active = |insutype: &&str| {
        register.coverage(insutype, day).is_some_and(|row| row.status == CoverageStatus::Active)
    };
    insutypes.into_iter().filter(active).map(str::to_owned).collect()
}

fn gap_around(register: &Register, insutype: &str, day: Day) -> CoverageGap {
    let rows = || register.coverages.iter().filter(|row| row.insutype == insutype);
    let ended = rows().filter_map(|row| row.to).filter(|to| *to < day).max();
    let begins = rows().map(|row| row.from).filter(|from| *from > day).min();
    match (ended, begins) {
        (None, None) => CoverageGap::Never,
        (None, Some(from)) => CoverageGap::NotYet { from },
        (Some(to), None) => CoverageGap::Ended { to },
        (Some(ended), Some(from)) => CoverageGap::Between { ended, from },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::region::Region;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn row(insutype: &str, status: CoverageStatus, from: i32, to: Option<i32>) -> Coverage {
        Coverage {
            insutype: insutype.into(),
            person_type: "11".into(),
            status,
            civil_servant: false,
            region: RegionCode(440_703),
            from: day(from),
            to: to.map(day),
        }
    }

    #[test]
    fn a_gap_says_what_lies_around_it() {
        use CoverageStatus as S;
        let register = Register {
            coverages: vec![
                row("310", S::Active, 20_250_101, Some(20_251_231)),
                row("310", S::Active, 20_260_301, None),
                row("310", S::Paused, 20_260_601, Some(20_260_630)),
                row("310", S::Ended, 20_270_101, None),
                row("390", S::Active, 20_260_101, Some(20_260_228)),
            ],
            ..Register::default()
        };
        let gap = |insutype, on: i32| match coverage(&register, insutype, day(on)) {
            Ok(_) => None,
            Err(Refusal::NotCovered { gap, .. }) => Some(gap),
            Err(other) => panic!("{other:?}"),
        };
        let table = [
            ("310", 20_241_231, Some(CoverageGap::NotYet { from: day(20_250_101) })),
            ("310", 20_250_101, None),
            ("310", 20_260_115, Some(CoverageGap::Between { ended: day(20_251_231), from: day(20_260_301) })),
            ("310", 20_260_615, Some(CoverageGap::Paused { from: day(20_260_601) })),
            ("310", 20_260_701, None),
            ("310", 20_270_101, Some(CoverageGap::Terminated { from: day(20_270_101) })),
            ("390", 20_260_301, Some(CoverageGap::Ended { to: day(20_260_228) })),
            ("510", 20_260_301, Some(CoverageGap::Never)),
        ];
        for (insutype, on, expected) in table {
            assert_eq!(gap(insutype, on), expected, "{insutype} {on}");
        }
        assert_eq!(covered_by(&register, day(20_260_115)), ["390"]);
    }

    #[test]
    fn a_filing_is_for_a_city_a_municipality_or_a_province() {
        let region = |code: u32, parent: Option<u32>| Region {
            code: RegionCode(code),
            name: String::new(),
            parent: parent.map(RegionCode),
            pool: RegionCode(code / 100 * 100),
            clearing_agency: RegionCode(code),
            from: day(20_000_101),
            to: None,
        };
        let regions = Regions::new([
            region(440_000, None),
            region(440_700, Some(440_000)),
            region(440_703, Some(440_700)),
            region(110_000, None),
            region(110_100, Some(110_000)),
            region(110_105, Some(110_100)),
            region(429_000, Some(420_000)),
            region(429_004, Some(420_000)),
            region(420_000, None),
        ]);
        let table = [
            (440_703, Some(440_700)),
            (440_700, Some(440_700)),
            (440_000, Some(440_000)),
            (110_105, Some(110_000)),
            (110_000, Some(110_000)),
            (429_004, Some(429_004)),
            (999_999, None),
        ];
        for (code, target) in table {
            let found = filing_target(&regions, RegionCode(code), day(20_260_101));
            assert_eq!(found, target.map(RegionCode), "{code}");
        }
    }

    #[test]
    fn hospital_levels_read_from_the_register() {
        use HospitalLevel as L;
        for (code, level) in [
            ("01", Some(L::Three)),
            ("04", Some(L::Three)),
            ("05", Some(L::Two)),
            ("7", Some(L::Two)),
            ("08", Some(L::One)),
            ("10", Some(L::One)),
            ("11", Some(L::Primary)),
            ("00", None),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(hospital_level(code), level, "{code:?}");
        }
    }
}
