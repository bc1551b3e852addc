//! Owns where a written stay lies and which of its filings that makes count.

use crate::config::stay::FilingTarget;
use crate::config::stay::PlaceChoice;
use crate::config::stay::WrittenFiling;
use crate::config::stay::WrittenStay;
use crate::domain::calendar::Day;
use crate::domain::codes::BenefitLevel;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::Place;
use crate::domain::filing::PlaceRelation;
use crate::domain::filing::Reason;
use crate::domain::filing::StayFacts;
use crate::domain::filing::decide;
use crate::domain::ids::FilingId;
use crate::domain::ids::RegionCode;
use crate::domain::parameters::FilingTerms;

/// Codes that no region bears, for places that a stay names only by how they lie.
const SOME_PROVINCE: RegionCode = RegionCode(990_000);
const SOME_CITY: RegionCode = RegionCode(990_100);
const ELSEWHERE: RegionCode = RegionCode(999_900);
/// City part of a code that lies in a province without being a city of it.
const SOME_CITY_OF_A_PROVINCE: u32 = 9_900;

/// 北京, 天津, 上海, 重庆: one pool each, whatever the district.
const MUNICIPALITIES: [u32; 4] = [110_000, 120_000, 310_000, 500_000];

/// The level of a settlement and what led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) level: BenefitLevel,
    /// Index in the stay's filings.
    pub(super) filing: Option<usize>,
    /// `None` where the stay names its level itself.
    pub(super) reason: Option<Reason>,
}

/// The level by place, filings and emergency, as asked on a day.
pub(super) fn decided(stay: &WrittenStay, home: RegionCode, terms: &FilingTerms, asked_on: Day) -> Decided {
    let (place, relation) = match stay.place {
        PlaceChoice::Level(level) => return Decided { level, filing: None, reason: None },
        PlaceChoice::Relation(relation) => (place_of(some_region(home, relation)), relation),
        PlaceChoice::Region(region) => {
            let place = place_of(region);
            (place, PlaceRelation::of(&place, pool_of(home), home.province()))
        }
    };
    // A filing that is not made yet is not known yet.
    let known: Vec<(usize, Filing)> = stay
        .filings
        .iter()
        .enumerate()
        .filter(|(_, written)| written.made_on <= asked_on)
        .map(|(at, written)| (at, filing(at, written, &place, terms)))
        .collect();
    let filings: Vec<Filing> = known.iter().map(|(_, filing)| filing.clone()).collect();
    let facts = StayFacts { place, relation, admitted: stay.admitted, emergency: stay.emergency, asked_on };
    let decision = decide(&facts, &filings, terms);
    let used = decision.filing.and_then(|used| known.iter().find(|(_, filing)| filing.id == used.id));
    Decided { level: decision.level, filing: used.map(|(at, _)| *at), reason: Some(decision.reason) }
}

fn some_region(home: RegionCode, relation: PlaceRelation) -> RegionCode {
    match relation {
        PlaceRelation::OwnPool => home,
        PlaceRelation::SameProvince => RegionCode(home.province().0 + SOME_CITY_OF_A_PROVINCE),
        PlaceRelation::OtherProvince => SOME_CITY,
    }
}

/// By the digits of the code: the gateway itself goes by its region table.
fn place_of(region: RegionCode) -> Place {
    let (province, city) = (region.province(), RegionCode(region.0 / 100 * 100));
    let province = if region == SOME_CITY { SOME_PROVINCE } else { province };
    Place { pool: pool_of(region), province, city, district: region }
}

fn pool_of(region: RegionCode) -> RegionCode {
    let province = region.province();
    if MUNICIPALITIES.contains(&province.0) { province } else { RegionCode(region.0 / 100 * 100) }
}

fn filing(at: usize, written: &WrittenFiling, here: &Place, terms: &FilingTerms) -> Filing {
    let target = match written.target {
        FilingTarget::Here => here.pool,
        FilingTarget::Elsewhere => ELSEWHERE,
        FilingTarget::Region(region) => region,
    };
    Filing {
        id: FilingId::parse(&format!("{at}")).expect("a number is an id"),
        category: written.category,
        target,
        from: written.from,
        to: written.to.or_else(|| usual_end(written, terms)),
        made_on: written.made_on,
        proof: written.proof,
        by: FiledBy::Center,
        ended_from: written.ended_from,
    }
}

/// The last day that the pack gives a filing that names none.
fn usual_end(written: &WrittenFiling, terms: &FilingTerms) -> Option<Day> {
    use crate::domain::filing_change::NewFiling;
    use crate::domain::filing_change::make;
    let order = NewFiling {
        id: FilingId::parse("0").expect("a number is an id"),
        category: written.category,
        target: ELSEWHERE,
        from: written.from,
        to: None,
        made_on: written.from,
        proof: written.proof,
        by: FiledBy::Center,
    };
    make(order, SOME_CITY, &[], terms).ok().and_then(|filing| filing.to)
}
