//! What a policy pack says (rules.md §3.4), and the test pack TP-1 (§2.5).
use super::number::{Fen, Parts};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scheme {
    Employee,
    Resident,
}

/// The benefit level that filing and place lead to (§1.3, §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Benefit {
    Local,
    InProvince,
    LongTerm,
    LongTermHome,
    Referral,
    Emergency,
    OtherTemporary,
    Unfiled,
}

impl Benefit {
    pub(crate) const ALL: [Benefit; 8] = [
        Benefit::Local,
        Benefit::InProvince,
        Benefit::LongTerm,
        Benefit::LongTermHome,
        Benefit::Referral,
        Benefit::Emergency,
        Benefit::OtherTemporary,
        Benefit::Unfiled,
    ];
}

/// The three forms of §1.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Points(Parts),
    Times(Parts),
    Prepay(Parts),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct FilingRow {
    pub(crate) reduction: Reduction,
    pub(crate) deductible_factor: Parts,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DeductibleBasis {
    /// By the number of settled admissions this year; the last entry repeats.
    Admission(Vec<Parts>),
    Year,
    InstitutionYear,
}

/// Up to `to` on an axis (none: without end), at `rate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub(crate) to: Option<Fen>,
    pub(crate) rate: Parts,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeriousIllness {
    pub(crate) start: Fen,
    pub(crate) tiers: Vec<Band>,
    pub(crate) cap: Option<Fen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountScope {
    Nothing,
    /// First-pay and what is left in scope.
    InScope,
    /// The whole personal part.
    Everything,
}

#[derive(Clone, Debug)]
pub(crate) struct SchemeRules {
    /// By hospital level 1, 2, 3 and primary care (基层).
    pub(crate) deductible: [Fen; 4],
    pub(crate) retiree_reduction: Fen,
    pub(crate) basis: DeductibleBasis,
    pub(crate) segments: [Vec<Band>; 4],
    /// Where the pack prints those of retired persons apart, instead of a bonus.
    pub(crate) retired_segments: Option<[Vec<Band>; 4]>,
    pub(crate) retiree_bonus: Parts,
    /// From an age on; the last one reached counts.
    pub(crate) age_bonus: Vec<(i64, Parts)>,
    pub(crate) pool_cap: Option<Fen>,
    pub(crate) large: Option<(Parts, Option<Fen>)>,
    pub(crate) serious: Option<SeriousIllness>,
    /// Other terms of serious illness for an assistance category.
    pub(crate) serious_by_category: BTreeMap<u8, SeriousIllness>,
    pub(crate) civil_servant: Option<Parts>,
    pub(crate) filing: BTreeMap<Benefit, FilingRow>,
    pub(crate) account: AccountScope,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaternityRule {
    Ratio(Parts),
    Limit(Fen),
    Fixed(Fen),
}

#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) from: Date,
    /// Month of the year's first day.
    pub(crate) year_start: i8,
    pub(crate) schemes: BTreeMap<Scheme, SchemeRules>,
    /// By category: rate, cap of the year.
    pub(crate) assistance: BTreeMap<u8, (Parts, Option<Fen>)>,
    /// By kind of birth (0 natural, 1 difficult or multiple) and level.
    pub(crate) maternity: [[MaternityRule; 4]; 2],
    pub(crate) in_province_free: bool,
    pub(crate) unfiled_settles: bool,
    pub(crate) new_year_new_axis: bool,
}

impl SchemeRules {
    /// The terms of a category in place of the general ones.
    pub(crate) fn serious_for(&self, category: Option<u8>) -> Option<&SeriousIllness> {
        let special = category.and_then(|category| self.serious_by_category.get(&category));
        special.or(self.serious.as_ref())
    }

    pub(crate) fn bands(&self, level: usize, retired: bool) -> &[Band] {
        let apart = self.retired_segments.as_ref().filter(|_| retired);
        &apart.unwrap_or(&self.segments)[level]
    }
}

impl Pack {
    pub(crate) fn year_of(&self, day: Date) -> i16 {
        if day.month() < self.year_start { day.year() - 1 } else { day.year() }
    }
}

pub(crate) fn flat(rate: Parts) -> Vec<Band> {
    vec![Band { to: None, rate }]
}

fn points(off: [Parts; 8], unfiled_factor: Parts) -> BTreeMap<Benefit, FilingRow> {
    let row = |(benefit, off): (Benefit, Parts)| {
        let deductible_factor = if benefit == Benefit::Unfiled { unfiled_factor } else { 10_000 };
        (benefit, FilingRow { reduction: Reduction::Points(off), deductible_factor })
    };
    Benefit::ALL.into_iter().zip(off).map(row).collect()
}

/// §2.5, line by line.
pub(crate) fn tp1() -> Pack {
    let filing = points([0, 0, 0, 1_000, 1_000, 1_000, 2_000, 3_000], 15_000);
    let employee = SchemeRules {
        deductible: [50_000, 60_000, 90_000, 50_000],
        retiree_reduction: 10_000,
        basis: DeductibleBasis::Admission(vec![10_000, 5_000]),
        segments: [flat(9_300), flat(9_000), flat(8_300), flat(9_300)],
        retired_segments: None,
        retiree_bonus: 300,
        age_bonus: Vec::new(),
        pool_cap: Some(60_000_000),
        large: Some((9_000, Some(20_000_000))),
        serious: None,
        serious_by_category: BTreeMap::new(),
        civil_servant: Some(5_000),
        filing: filing.clone(),
        account: AccountScope::InScope,
    };
    let tiers = [(Some(5_000_000), 6_000), (Some(10_000_000), 7_000), (None, 8_000)];
    let resident = SchemeRules {
        retiree_reduction: 0,
        segments: [flat(8_800), flat(8_200), flat(7_200), flat(8_800)],
        retiree_bonus: 0,
        pool_cap: Some(54_000_000),
        large: None,
        serious: Some(SeriousIllness {
            start: 1_200_000,
            tiers: tiers.map(|(to, rate)| Band { to, rate }).to_vec(),
            cap: Some(40_000_000),
        }),
        civil_servant: None,
        account: AccountScope::Nothing,
        ..employee.clone()
    };
    Pack {
        from: date(2020, 1, 1),
        year_start: 1,
        schemes: BTreeMap::from([(Scheme::Employee, employee), (Scheme::Resident, resident)]),
        assistance: BTreeMap::from([(1, (7_000, Some(8_000_000)))]),
        maternity: [[MaternityRule::Fixed(150_000); 4], [MaternityRule::Fixed(180_000); 4]],
        in_province_free: true,
        unfiled_settles: true,
        new_year_new_axis: true,
    }
}
