//! Owns filings (异地就医备案) and the decision which benefit level a stay gets by them.

use crate::domain::calendar::Day;
use crate::domain::codes::BenefitLevel;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::parameters::FilingTerms;
use crate::domain::parameters::InProvinceCare;

/// The six categories of rules.md §1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilingCategory {
    /// 异地安置退休人员.
    LongTermRetiree,
    /// 异地长期居住人员.
    LongTermResident,
    /// 常驻异地工作人员.
    LongTermWorker,
    /// 异地转诊人员.
    Referral,
    /// 异地急诊抢救人员.
    Emergency,
    /// 其他跨省临时外出就医人员.
    OtherTemporary,
}

impl FilingCategory {
    pub const ALL: [FilingCategory; 6] = [
        FilingCategory::LongTermRetiree,
        FilingCategory::LongTermResident,
        FilingCategory::LongTermWorker,
        FilingCategory::Referral,
        FilingCategory::Emergency,
        FilingCategory::OtherTemporary,
    ];

    /// The code by which the gateway's files and pages name it.
    pub fn code(self) -> &'static str {
        match self {
            FilingCategory::LongTermRetiree => "LT_RETIREE",
            FilingCategory::LongTermResident => "LT_RESIDENT",
            FilingCategory::LongTermWorker => "LT_WORKER",
            FilingCategory::Referral => "TMP_REFERRAL",
            FilingCategory::Emergency => "TMP_EMERGENCY",
            FilingCategory::OtherTemporary => "TMP_OTHER",
        }
    }

    pub fn from_code(code: &str) -> Option<FilingCategory> {
        FilingCategory::ALL.into_iter().find(|category| category.code() == code)
    }

    pub fn is_long_term(self) -> bool {
        match self {
            FilingCategory::LongTermRetiree
            | FilingCategory::LongTermResident
            | FilingCategory::LongTermWorker => true,
            FilingCategory::Referral | FilingCategory::Emergency | FilingCategory::OtherTemporary => false,
        }
    }
}

/// Who entered a filing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FiledBy {
    /// A hospital, by 2501, and the pool in which it is designated.
    Hospital { code: InstitutionCode, pool: RegionCode },
    /// A clerk of the center.
    Center,
    /// The insured person herself.
    Person,
    /// A file of the region.
    Import,
}

/// Whether long-term residence is proven (rules.md §1.3, materials).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilingProof {
    Documents,
    /// 个人承诺书.
    Commitment,
}

/// One filing as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    pub id: FilingId,
    pub category: FilingCategory,
    /// A city, a municipality or a province; all of it.
    pub target: RegionCode,
    pub from: Day,
    /// Last day; `None`: without end.
    pub to: Option<Day>,
    pub made_on: Day,
    pub proof: FilingProof,
    pub by: FiledBy,
    /// It stands no longer from this day on. On or before `from`: it never stood.
    pub ended_from: Option<Day>,
}

/// Where an institution lies, from the region table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Pooling region of the institution.
    pub pool: RegionCode,
    pub province: RegionCode,
    pub city: RegionCode,
    pub district: RegionCode,
}

/// Where an institution lies, seen from the person's own pool; computed from the region table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceRelation {
    OwnPool,
    SameProvince,
    OtherProvince,
}

impl PlaceRelation {
    /// Of a place, for a person insured in `pool` of `province`.
    pub fn of(place: &Place, pool: RegionCode, province: RegionCode) -> PlaceRelation {
        if place.pool == pool {
            PlaceRelation::OwnPool
        } else if place.province == province {
            PlaceRelation::SameProvince
        } else {
            PlaceRelation::OtherProvince
        }
    }
}

/// Whether a filing for `target` is valid at an institution: it lies in that district, city, pool or province.
pub fn covers(target: RegionCode, place: &Place) -> bool {
    [place.district, place.city, place.pool, place.province].contains(&target)
}

/// The stay whose benefit level is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StayFacts {
    pub place: Place,
    pub relation: PlaceRelation,
    pub admitted: Day,
    /// `med_type` 24 or an emergency flag.
    pub emergency: bool,
    /// The day of the question: of the settlement, or today for a quote.
    pub asked_on: Day,
}

/// Why a filing does not count for a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCounting {
    OtherPlace {
        target: RegionCode,
    },
    /// Begins after the admission and was made before it.
    BeginsLater {
        from: Day,
    },
    /// Ran out before the admission.
    RanOut {
        to: Day,
    },
    Ended {
        from: Day,
    },
    /// An emergency filed later than the pack's window allows.
    TooLate {
        last_day: Day,
    },
}

/// The benefit level, the filing behind it, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    pub level: BenefitLevel,
    pub filing: Option<&'a Filing>,
    pub reason: Reason,
}

/// Why a stay gets its benefit level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Treated in her own pool.
    AtHome,
    /// Treated in her own pool while filed elsewhere for long.
    AtHomeFiledElsewhere,
    /// In her province, where her region needs no filing.
    InProvinceNeedsNone,
    /// In her province, where her region needs a filing, and one covers the stay.
    InProvinceFiled,
    LongTermFiling,
    ReferralFiling,
    /// The hospital marked an emergency: as filed.
    EmergencyFlag,
    EmergencyFiling,
    OtherTemporaryFiling,
    /// She has no filing at all.
    NoFiling,
    /// She has filings, none of which counts; `Filing::why_not` says why for each.
    NoFilingCounts,
}

/// The decision order of rules.md §1.3.
pub fn decide<'a>(stay: &StayFacts, filings: &'a [Filing], terms: &FilingTerms) -> Decision<'a> {
    match stay.relation {
        PlaceRelation::OwnPool => at_home(stay, filings),
        PlaceRelation::SameProvince => in_province(stay, filings, terms),
        PlaceRelation::OtherProvince => away(stay, filings, terms),
    }
}

fn at_home<'a>(stay: &StayFacts, filings: &'a [Filing]) -> Decision<'a> {
    let elsewhere =
        latest(filings, |filing| filing.category.is_long_term() && filing.standing(stay).is_none());
    match elsewhere {
        Some(filing) => decision(BenefitLevel::LongTermHome, Some(filing), Reason::AtHomeFiledElsewhere),
        None => decision(BenefitLevel::Local, None, Reason::AtHome),
    }
}

fn in_province<'a>(stay: &StayFacts, filings: &'a [Filing], terms: &FilingTerms) -> Decision<'a> {
    let level = BenefitLevel::InProvince;
    match terms.in_province {
        InProvinceCare::NoFilingNeeded => decision(level, None, Reason::InProvinceNeedsNone),
        InProvinceCare::AsCrossProvince => away(stay, filings, terms),
        InProvinceCare::FiledAsInProvince => {
            let across = away(stay, filings, terms);
            match across.level {
                BenefitLevel::LongTerm
                | BenefitLevel::Referral
                | BenefitLevel::Emergency
                | BenefitLevel::OtherTemporary => {
                    let reason = across.filing.map_or(across.reason, |_| Reason::InProvinceFiled);
                    Decision { level, reason, ..across }
                }
                BenefitLevel::Local
                | BenefitLevel::LongTermHome
                | BenefitLevel::InProvince
                | BenefitLevel::Unfiled => across,
            }
        }
    }
}

fn away<'a>(stay: &StayFacts, filings: &'a [Filing], terms: &FilingTerms) -> Decision<'a> {
    let counting = |wanted: fn(FilingCategory) -> bool| {
        latest(filings, |filing| wanted(filing.category) && filing.why_not(stay, terms).is_none())
    };
    if let Some(filing) = counting(FilingCategory::is_long_term) {
        return decision(BenefitLevel::LongTerm, Some(filing), Reason::LongTermFiling);
    }
    if let Some(filing) = counting(|category| category == FilingCategory::Referral) {
        return decision(BenefitLevel::Referral, Some(filing), Reason::ReferralFiling);
    }
    if stay.emergency && terms.emergency_window_days.is_none() {
        return decision(BenefitLevel::Emergency, None, Reason::EmergencyFlag);
    }
    if let Some(filing) = counting(|category| category == FilingCategory::Emergency) {
        return decision(BenefitLevel::Emergency, Some(filing), Reason::EmergencyFiling);
    }
    if let Some(filing) = counting(|category| category == FilingCategory::OtherTemporary) {
        return decision(BenefitLevel::OtherTemporary, Some(filing), Reason::OtherTemporaryFiling);
    }
    let reason = if filings.is_empty() { Reason::NoFiling } else { Reason::NoFilingCounts };
    decision(BenefitLevel::Unfiled, None, reason)
}

/// Of several that count, the one made last; they lead to the same level.
fn latest(filings: &[Filing], counts: impl Fn(&Filing) -> bool) -> Option<&Filing> {
    filings.iter().filter(|filing| counts(filing)).max_by_key(|filing| (filing.made_on, filing.from))
}

fn decision(level: BenefitLevel, filing: Option<&Filing>, reason: Reason) -> Decision<'_> {
    Decision { level, filing, reason }
}

impl Filing {
    /// Why it does not count for a stay away from home; `None`: it counts.
    pub fn why_not(&self, stay: &StayFacts, terms: &FilingTerms) -> Option<NotCounting> {
        if !covers(self.target, &stay.place) {
            return Some(NotCounting::OtherPlace { target: self.target });
        }
        self.standing(stay).or_else(|| self.too_late(stay, terms))
    }

    /// The dates alone. It covers the admission, or it was made on that day or later, began by the day of the
    /// question, and still stands on it: then it counts as from admission.
    fn standing(&self, stay: &StayFacts) -> Option<NotCounting> {
        let made_in_time = self.made_on >= stay.admitted && self.from <= stay.asked_on;
        let (covers_admission, needed_on) = (self.from <= stay.admitted, stay.asked_on);
        if !covers_admission && !made_in_time {
            return Some(NotCounting::BeginsLater { from: self.from });
        }
        if let Some(to) = self.to.filter(|to| *to < stay.admitted) {
            return Some(NotCounting::RanOut { to });
        }
        let stood_until = if covers_admission { stay.admitted } else { needed_on };
        let void = |ended: &Day| *ended <= stood_until || *ended <= self.from;
        self.ended_from.filter(void).map(|from| NotCounting::Ended { from })
    }

    fn too_late(&self, stay: &StayFacts, terms: &FilingTerms) -> Option<NotCounting> {
        let window = terms.emergency_window_days.filter(|_| self.category == FilingCategory::Emergency)?;
        let last_day = stay.admitted.plus_days(i32::from(window));
        (self.made_on > last_day).then_some(NotCounting::TooLate { last_day })
    }

    /// Whether it still stands, or will, on a day.
    pub fn stands_on(&self, day: Day) -> bool {
        let ended = self.ended_from.is_some_and(|ended| ended <= day || ended <= self.from);
        !ended && self.to.is_none_or(|to| to >= day)
    }
}
