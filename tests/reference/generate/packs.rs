//! Packs of many shapes, with caps low enough that a year of bills meets them.
use super::super::number::{Chance, Fen};
use super::super::pack::{
    AccountScope, Band, Benefit, DeductibleBasis, FilingRow, MaternityRule, Pack, Reduction, Scheme,
    SchemeRules, SeriousIllness, tp1,
};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Points,
    Times,
    Prepay,
}

/// What the versions of one pool have in common.
struct Shape {
    form: Form,
    year_start: i8,
    basis: DeductibleBasis,
    in_province_free: bool,
    unfiled_settles: bool,
    new_year_new_axis: bool,
}

fn shape(chance: &mut Chance) -> Shape {
    let by_admission = [vec![10_000, 5_000], vec![10_000, 7_500, 5_000], vec![10_000], vec![10_000, 0]];
    let basis = match chance.between(0, 9) {
        0 | 1 => DeductibleBasis::Year,
        2 | 3 => DeductibleBasis::InstitutionYear,
        _ => DeductibleBasis::Admission(chance.pick(&by_admission)),
    };
    Shape {
        form: chance.pick(&[Form::Points, Form::Times, Form::Prepay]),
        year_start: chance.pick(&[1, 1, 7, 7, 4]),
        new_year_new_axis: chance.percent(45),
        basis,
        in_province_free: chance.percent(70),
        unfiled_settles: chance.percent(70),
    }
}

fn yuan(chance: &mut Chance, low: i64, high: i64) -> Fen {
    chance.between(low, high) * 100
}

fn bands(chance: &mut Chance, count: i64, first: (i64, i64), rates: (i64, i64)) -> Vec<Band> {
    let mut low = 0;
    let mut found = Vec::new();
    for index in 1..=count {
        low += if index == 1 { yuan(chance, first.0, first.1) } else { yuan(chance, 500, 30_000) };
        let to = (index < count).then_some(low);
        found.push(Band { to, rate: chance.between(rates.0, rates.1) * 50 });
    }
    found
}

fn segments(chance: &mut Chance) -> Vec<Band> {
    let count = chance.pick(&[1, 2, 3, 4, 4]);
    let first = chance.pick(&[(200, 900), (3_000, 20_000)]);
    let mut found = bands(chance, count, first, (100, 198));
    if count > 2 && chance.percent(70) {
        found[0].rate = chance.pick(&[0, found[0].rate]);
        found[1].rate = 0;
    }
    found
}

fn serious(chance: &mut Chance) -> SeriousIllness {
    let start = yuan(chance, 10_000, 60_000);
    let mut tiers = bands(chance, 3, (5_000, 60_000), (80, 190));
    for tier in &mut tiers {
        tier.to = tier.to.map(|to| to + start);
    }
    let cap = chance.percent(80).then(|| yuan(chance, 1_000, 60_000));
    SeriousIllness { start, tiers, cap }
}

fn row(chance: &mut Chance, form: Form, benefit: Benefit) -> FilingRow {
    let full = matches!(benefit, Benefit::Local | Benefit::InProvince | Benefit::LongTerm);
    let reduction = match form {
        _ if full && chance.percent(80) => Reduction::Points(0),
        Form::Points => Reduction::Points(chance.pick(&[500, 1_000, 1_250, 2_000, 3_000, 9_000])),
        Form::Times => Reduction::Times(chance.pick(&[9_000, 8_500, 8_000, 7_050, 6_000])),
        Form::Prepay => Reduction::Prepay(chance.pick(&[500, 1_000, 1_550, 2_000])),
    };
    FilingRow { reduction, deductible_factor: chance.pick(&[10_000, 10_000, 12_500, 15_000, 10_001]) }
}

fn rules(chance: &mut Chance, shape: &Shape, scheme: Scheme) -> SchemeRules {
    let employee = scheme == Scheme::Employee;
    let odd = if chance.percent(30) { 33 } else { 0 };
    let mut deductible = [50_000, 60_000, 90_000, 16_000].map(|base: Fen| base + odd);
    if chance.percent(30) {
        deductible = [0, 13_000, 130_000, 5];
    }
    let filing =
        Benefit::ALL.into_iter().map(|benefit| (benefit, row(chance, shape.form, benefit))).collect();
    let special = chance.percent(40);
    let with_serious = chance.percent(if employee { 60 } else { 90 });
    let apart = employee && chance.percent(25);
    SchemeRules {
        deductible,
        retiree_reduction: if employee { chance.pick(&[0, 10_000, 30_011]) } else { 0 },
        basis: shape.basis.clone(),
        segments: [0; 4].map(|_| segments(chance)),
        retired_segments: apart.then(|| [0; 4].map(|_| segments(chance))),
        retiree_bonus: if employee && !apart { chance.pick(&[0, 300, 700, 3_000]) } else { 0 },
        age_bonus: if chance.percent(40) { vec![(50, 200), (60, 400), (70, 1_000)] } else { Vec::new() },
        pool_cap: chance.percent(95).then(|| yuan(chance, 20_000, 200_000)),
        large: (employee || chance.percent(20)).then(|| {
            (chance.between(100, 199) * 50, chance.percent(85).then(|| yuan(chance, 1_000, 60_000)))
        }),
        serious: with_serious.then(|| serious(chance)),
        serious_by_category: if special && with_serious {
            BTreeMap::from([(2, serious(chance))])
        } else {
            BTreeMap::new()
        },
        civil_servant: employee.then(|| chance.pick(&[5_000, 8_000, 3_333])),
        filing,
        account: match (employee, chance.percent(30)) {
            (false, _) => AccountScope::Nothing,
            (true, true) => AccountScope::Everything,
            (true, false) => AccountScope::InScope,
        },
    }
}

fn births(chance: &mut Chance) -> [MaternityRule; 4] {
    [0; 4].map(|_| match chance.between(0, 2) {
        0 => MaternityRule::Ratio(chance.between(120, 200) * 50),
        1 => MaternityRule::Limit(yuan(chance, 1_000, 9_000)),
        _ => MaternityRule::Fixed(yuan(chance, 1_000, 9_000)),
    })
}

fn version(chance: &mut Chance, shape: &Shape, from: Date) -> Pack {
    let schemes = [Scheme::Employee, Scheme::Resident];
    let mut help = |rate| (rate, chance.percent(85).then(|| yuan(chance, 2_000, 30_000)));
    let assistance = BTreeMap::from([(1, help(7_000)), (2, help(9_555)), (3, help(10_000))]);
    Pack {
        from,
        year_start: shape.year_start,
        schemes: schemes.map(|scheme| (scheme, rules(chance, shape, scheme))).into_iter().collect(),
        assistance,
        maternity: [births(chance), births(chance)],
        in_province_free: shape.in_province_free,
        unfiled_settles: shape.unfiled_settles,
        new_year_new_axis: shape.new_year_new_axis,
    }
}

/// The versions of one pool, earliest first; every tenth person lives under TP-1.
pub(crate) fn packs(chance: &mut Chance) -> Vec<Arc<Pack>> {
    if chance.percent(10) {
        return vec![Arc::new(tp1())];
    }
    let shape = shape(chance);
    let mut found = vec![Arc::new(version(chance, &shape, date(2020, 1, 1)))];
    if chance.percent(50) {
        let month = i8::try_from(chance.between(1, 12)).expect("a month");
        found.push(Arc::new(version(chance, &shape, date(if month > 3 { 2024 } else { 2025 }, month, 15))));
    }
    found
}
