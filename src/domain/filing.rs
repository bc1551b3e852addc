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

/// Whether a filing for `target` is valid at an institution: it lies in that district, city, pool or
/// province.
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
    /// An emergency inside the province, where her region wants it filed within its window, and it was not.
    EmergencyNotFiledInTime,
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
    if stay.emergency && terms.emergency_window(stay.relation).is_none() {
        return decision(BenefitLevel::Emergency, None, Reason::EmergencyFlag);
    }
    if let Some(filing) = counting(|category| category == FilingCategory::Emergency) {
        return decision(BenefitLevel::Emergency, Some(filing), Reason::EmergencyFiling);
    }
    if let Some(filing) = counting(|category| category == FilingCategory::OtherTemporary) {
        return decision(BenefitLevel::OtherTemporary, Some(filing), Reason::OtherTemporaryFiling);
    }
    let reason = match (stay.emergency, filings.is_empty()) {
        (true, _) => Reason::EmergencyNotFiledInTime,
        (false, true) => Reason::NoFiling,
        (false, false) => Reason::NoFilingCounts,
    };
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
        let window =
            terms.emergency_window(stay.relation).filter(|_| self.category == FilingCategory::Emergency)?;
        let last_day = stay.admitted.plus_days(i32::from(window));
        (self.made_on > last_day).then_some(NotCounting::TooLate { last_day })
    }

    /// Whether it still stands, or will, on a day.
    pub fn stands_on(&self, day: Day) -> bool {
        let ended = self.ended_from.is_some_and(|ended| ended <= day || ended <= self.from);
        !ended && self.to.is_none_or(|to| to >= day)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::pack::tp1;
    use crate::domain::pack::tp1::day;

    /// A hospital in a district of Nanning.
    const AWAY: Place = Place {
        pool: RegionCode(450_100),
        province: RegionCode(450_000),
        city: RegionCode(450_199),
        district: RegionCode(450_103),
    };
    const ADMITTED: i32 = 20_260_610;
    const ASKED: i32 = 20_260_620;

    /// A filing for Nanning, made and begun in January, without end.
    pub(crate) fn filing(category: FilingCategory) -> Filing {
        Filing {
            id: FilingId::parse("F1").unwrap(),
            category,
            target: AWAY.pool,
            from: day(20_260_101),
            to: None,
            made_on: day(20_260_101),
            proof: FilingProof::Documents,
            by: FiledBy::Center,
            ended_from: None,
        }
    }

    fn stay() -> StayFacts {
        StayFacts {
            place: AWAY,
            relation: PlaceRelation::OtherProvince,
            admitted: day(ADMITTED),
            emergency: false,
            asked_on: day(ASKED),
        }
    }

    fn terms() -> FilingTerms {
        tp1::filing_terms()
    }

    use FilingCategory as C;

    fn filed(categories: &[C]) -> Vec<Filing> {
        categories.iter().copied().map(filing).collect()
    }

    #[test]
    fn filings_count_in_the_order_of_the_rules() {
        let all = [C::OtherTemporary, C::Emergency, C::Referral, C::LongTermWorker];
        for (categories, emergency, level, reason) in [
            (&all[..], true, BenefitLevel::LongTerm, Reason::LongTermFiling),
            (&all[..3], true, BenefitLevel::Referral, Reason::ReferralFiling),
            (&all[..2], true, BenefitLevel::Emergency, Reason::EmergencyFlag),
            (&all[..2], false, BenefitLevel::Emergency, Reason::EmergencyFiling),
            (&all[..1], true, BenefitLevel::Emergency, Reason::EmergencyFlag),
            (&all[..1], false, BenefitLevel::OtherTemporary, Reason::OtherTemporaryFiling),
            (&[], true, BenefitLevel::Emergency, Reason::EmergencyFlag),
            (&[], false, BenefitLevel::Unfiled, Reason::NoFiling),
            (&[C::LongTermRetiree], false, BenefitLevel::LongTerm, Reason::LongTermFiling),
            (&[C::LongTermResident], false, BenefitLevel::LongTerm, Reason::LongTermFiling),
        ] {
            let filings = filed(categories);
            let decision = decide(&StayFacts { emergency, ..stay() }, &filings, &terms());
            assert_eq!((decision.level, decision.reason), (level, reason), "{categories:?} {emergency}");
            let by_flag_or_none = matches!(reason, Reason::EmergencyFlag | Reason::NoFiling);
            assert_eq!(decision.filing.is_none(), by_flag_or_none, "{categories:?}");
        }
    }

    #[test]
    fn at_home_a_long_term_filing_elsewhere_counts() {
        let home = StayFacts { relation: PlaceRelation::OwnPool, emergency: true, ..stay() };
        let away = |filing: Filing| Filing { target: RegionCode(310_000), ..filing };
        for (filings, level, reason) in [
            (vec![], BenefitLevel::Local, Reason::AtHome),
            (vec![away(filing(C::Referral))], BenefitLevel::Local, Reason::AtHome),
            (vec![away(filing(C::LongTermWorker))], BenefitLevel::LongTermHome, Reason::AtHomeFiledElsewhere),
            (
                vec![Filing { ended_from: Some(day(ADMITTED)), ..filing(C::LongTermWorker) }],
                BenefitLevel::Local,
                Reason::AtHome,
            ),
        ] {
            let decision = decide(&home, &filings, &terms());
            assert_eq!((decision.level, decision.reason), (level, reason));
            assert_eq!(decision.filing.is_some(), level == BenefitLevel::LongTermHome);
        }
    }

    #[test]
    fn in_the_province_the_pack_says_whether_a_filing_is_needed() {
        use InProvinceCare as P;
        let near = StayFacts { relation: PlaceRelation::SameProvince, ..stay() };
        for (rule, categories, emergency, level, reason) in [
            (P::NoFilingNeeded, &[][..], false, BenefitLevel::InProvince, Reason::InProvinceNeedsNone),
            (
                P::NoFilingNeeded,
                &[C::LongTermWorker],
                false,
                BenefitLevel::InProvince,
                Reason::InProvinceNeedsNone,
            ),
            (P::FiledAsInProvince, &[], false, BenefitLevel::Unfiled, Reason::NoFiling),
            (P::FiledAsInProvince, &[], true, BenefitLevel::InProvince, Reason::EmergencyFlag),
            (
                P::FiledAsInProvince,
                &[C::OtherTemporary],
                false,
                BenefitLevel::InProvince,
                Reason::InProvinceFiled,
            ),
            (P::FiledAsInProvince, &[C::Referral], false, BenefitLevel::InProvince, Reason::InProvinceFiled),
            (
                P::FiledAsInProvince,
                &[C::LongTermWorker],
                false,
                BenefitLevel::InProvince,
                Reason::InProvinceFiled,
            ),
            (P::AsCrossProvince, &[C::Referral], false, BenefitLevel::Referral, Reason::ReferralFiling),
            (P::AsCrossProvince, &[], false, BenefitLevel::Unfiled, Reason::NoFiling),
        ] {
            let (filings, terms) = (filed(categories), FilingTerms { in_province: rule, ..terms() });
            let decision = decide(&StayFacts { emergency, ..near }, &filings, &terms);
            assert_eq!((decision.level, decision.reason), (level, reason), "{rule:?} {categories:?}");
        }
    }

    #[test]
    fn a_filing_counts_by_its_days() {
        let base = filing(C::OtherTemporary);
        let on = |from, made_on, to: Option<i32>, ended: Option<i32>| Filing {
            from: day(from),
            made_on: day(made_on),
            to: to.map(day),
            ended_from: ended.map(day),
            ..base.clone()
        };
        let later = |from| Some(NotCounting::BeginsLater { from: day(from) });
        let ended = |from| Some(NotCounting::Ended { from: day(from) });
        for (filing, why_not) in [
            (on(20_260_610, 20_260_101, None, None), None),
            (on(20_260_611, 20_260_609, None, None), later(20_260_611)),
            (on(20_260_611, 20_260_610, None, None), None),
            (on(20_260_620, 20_260_615, None, None), None),
            (on(20_260_621, 20_260_615, None, None), later(20_260_621)),
            (on(20_260_101, 20_260_101, Some(20_260_610), None), None),
            (
                on(20_260_101, 20_260_101, Some(20_260_609), None),
                Some(NotCounting::RanOut { to: day(20_260_609) }),
            ),
            (on(20_260_101, 20_260_101, None, Some(20_260_611)), None),
            (on(20_260_101, 20_260_101, None, Some(20_260_610)), ended(20_260_610)),
            (on(20_260_615, 20_260_615, None, Some(20_260_620)), ended(20_260_620)),
            (on(20_260_615, 20_260_615, None, Some(20_260_621)), None),
            (on(20_260_615, 20_260_615, Some(20_260_616), None), None),
        ] {
            assert_eq!(filing.why_not(&stay(), &terms()), why_not, "{filing:?}");
        }
        let void = on(20_260_610, 20_260_610, None, Some(20_260_610));
        assert_eq!(void.why_not(&stay(), &terms()), ended(20_260_610));
    }

    #[test]
    fn a_filing_that_does_not_count_leaves_the_stay_unfiled() {
        let elsewhere = Filing { target: RegionCode(310_000), ..filing(C::LongTermWorker) };
        let why_not = elsewhere.why_not(&stay(), &terms());
        assert_eq!(why_not, Some(NotCounting::OtherPlace { target: RegionCode(310_000) }));
        let filings = [elsewhere];
        let decision = decide(&stay(), &filings, &terms());
        assert_eq!((decision.level, decision.reason), (BenefitLevel::Unfiled, Reason::NoFilingCounts));
    }

    #[test]
    fn inside_the_province_an_emergency_must_be_filed_within_its_window() {
        let terms = FilingTerms { emergency_window_days: Some(10), ..terms() };
        let made = |made_on| Filing { made_on: day(made_on), from: day(made_on), ..filing(C::Emergency) };
        let away = StayFacts { emergency: true, asked_on: day(20_260_701), ..stay() };
        let stay = StayFacts { relation: PlaceRelation::SameProvince, ..away };
        let terms = FilingTerms { in_province: InProvinceCare::AsCrossProvince, ..terms };
        for (filings, level) in [
            (vec![], BenefitLevel::Unfiled),
            (vec![made(20_260_620)], BenefitLevel::Emergency),
            (vec![made(20_260_621)], BenefitLevel::Unfiled),
        ] {
            assert_eq!(decide(&stay, &filings, &terms).level, level, "{filings:?}");
        }
        let why_not = made(20_260_621).why_not(&stay, &terms);
        assert_eq!(why_not, Some(NotCounting::TooLate { last_day: day(20_260_620) }));
        assert_eq!(decide(&stay, &[], &terms).reason, Reason::EmergencyNotFiledInTime);
        let across = decide(&away, &[], &terms);
        assert_eq!((across.level, across.reason), (BenefitLevel::Emergency, Reason::EmergencyFlag));
        assert_eq!(made(20_260_621).why_not(&away, &terms), None);
        let referral = Filing { category: C::Referral, ..made(20_260_621) };
        assert_eq!(referral.why_not(&stay, &terms), None);
    }

    #[test]
    fn of_several_filings_the_one_made_last_is_named() {
        let filings: Vec<Filing> = [(1, 20_260_201), (2, 20_260_301), (3, 20_260_101)]
            .map(|(id, on)| Filing {
                id: FilingId::parse(&format!("F{id}")).unwrap(),
                made_on: day(on),
                from: day(on),
                ..filing(C::Referral)
            })
            .into();
        let decision = decide(&stay(), &filings, &terms());
        assert_eq!(decision.filing.map(|filing| filing.id.as_str()), Some("F2"));
    }

    #[test]
    fn a_target_covers_district_city_pool_and_province() {
        for target in [450_103, 450_199, 450_100, 450_000] {
            assert!(covers(RegionCode(target), &AWAY), "{target}");
        }
        assert!(!covers(RegionCode(450_200), &AWAY));
        for (pool, province, relation) in [
            (450_100, 450_000, PlaceRelation::OwnPool),
            (450_200, 450_000, PlaceRelation::SameProvince),
            (440_700, 440_000, PlaceRelation::OtherProvince),
        ] {
            assert_eq!(PlaceRelation::of(&AWAY, RegionCode(pool), RegionCode(province)), relation);
        }
    }

    #[test]
    fn a_filing_stands_until_it_ends() {
        let base = filing(C::LongTermWorker);
        assert!(base.stands_on(day(20_990_101)));
        let bounded = Filing { to: Some(day(20_260_630)), ..base.clone() };
        let ended = Filing { ended_from: Some(day(20_260_630)), ..base.clone() };
        for (on, by_end, by_ending) in
            [(20_260_629, true, true), (20_260_630, true, false), (20_260_701, false, false)]
        {
            assert_eq!((bounded.stands_on(day(on)), ended.stands_on(day(on))), (by_end, by_ending), "{on}");
        }
        let void = Filing { ended_from: Some(base.from), ..base };
        assert!(!void.stands_on(day(20_250_101)));
    }

    #[test]
    fn categories_read_back_from_their_codes() {
        let codes = ["LT_RETIREE", "LT_RESIDENT", "LT_WORKER", "TMP_REFERRAL", "TMP_EMERGENCY", "TMP_OTHER"];
        assert_eq!(C::ALL.map(C::code), codes);
        for category in C::ALL {
            assert_eq!(C::from_code(category.code()), Some(category));
            assert_eq!(category.is_long_term(), category.code().starts_with("LT"));
        }
        assert_eq!(C::from_code("LT"), None);
    }
}
