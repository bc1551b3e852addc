//! The stays hold against the national bulletin of 2023, settled by the law's own arithmetic with the synthetic pack.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use super::*;
use crate::domain::accumulators::Accumulators;
use crate::domain::benefit::Account;
use crate::domain::benefit::Claim;
use crate::domain::benefit::Insured as Benefited;
use crate::domain::benefit::compute;
use crate::domain::breakdown::BillTotals;
use crate::domain::catalogue::CareParties;
use crate::domain::catalogue::Catalogue;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::PersonType;
use crate::domain::explain::NoTrace;
use crate::domain::pack::Pack;
use crate::domain::pack::tp1;
use crate::domain::split::Charge as LineCharge;
use crate::domain::split::Cut;
use crate::domain::split::Scope;
use crate::sandbox::catalogue::PLACES;
use crate::sandbox::catalogue::entries;
use crate::sandbox::province::Province;
use crate::sandbox::province::Size;

fn today() -> Day {
    Day::from_number(20_261_124).unwrap()
}

fn province(persons: u64) -> Province {
    Province::new(Size { seed: 20_261_124, persons, codes: 17, stays: 0 }, today())
}

fn fen(yuan: &str) -> Fen {
    Fen::from_yuan(Decimal::from_str(yuan).unwrap()).unwrap()
}

fn person_type(stay: &Stay) -> PersonType {
    PersonType::new(stay.psn_type.parse().unwrap()).unwrap()
}

fn level(stay: &Stay) -> HospitalLevel {
    [HospitalLevel::One, HospitalLevel::Two, HospitalLevel::Three][usize::from(stay.level - 1)]
}

/// The four parts of a bill, by the catalogue of Guangdong.
fn totals(stay: &Stay, catalogue: &Catalogue) -> BillTotals {
    let parties = CareParties { hospital: level(stay), person: person_type(stay) };
    let mut totals = BillTotals::default();
    for line in &stay.lines {
        let item = catalogue.find(&line.med_list_codg, today(), parties).unwrap();
        let (price, count) = (Decimal::from_str(&line.pric).unwrap(), Decimal::from_str(&line.cnt).unwrap());
        let amount = fen(&line.det_item_fee_sumamt);
        let cut = Cut::of(item, price, line.hosp_appr_flag == "1", Scope::Medical);
        let parts = cut.split(&LineCharge { price, count, amount }, Fen::ZERO).unwrap().parts;
        totals.full_own_pay += parts.full_own_pay;
        totals.over_limit += parts.over_limit;
        totals.first_pay += parts.first_pay;
        totals.in_scope += parts.in_scope;
    }
    totals
}

#[derive(Default)]
struct Sums {
    stays: i64,
    medfee: Fen,
    in_scope: Fen,
    fund: Fen,
}

impl Sums {
    fn mean_yuan(&self) -> i64 {
        self.medfee.0 / self.stays / 100
    }

    fn fund_per_mille(&self) -> i64 {
        self.fund.0 * 1000 / self.in_scope.0
    }
}

/// Settles each stay as the first of its year at the local rate, by scheme and by (scheme, level).
fn settle_all(persons: u64) -> BTreeMap<(String, u8), Sums> {
    let pack = Pack::new(tp1::tp1()).unwrap();
    let catalogue = Catalogue::build(PLACES[0], entries(1, PLACES[0], 17)).unwrap();
    let mut sums: BTreeMap<(String, u8), Sums> = BTreeMap::new();
    let province = province(persons);
    for number in 0..persons {
        let stays = Stays {
            seed: province.size.seed,
            today: today(),
            population: &province.population,
            hospitals: &province.hospitals,
        };
        let Some(stay) = stays.stay(number, 0) else { continue };
        let insured = province.population.insured(number);
        let register = &insured.register;
        let admitted = today().plus_days(-20);
        let category = register.assistance_on(admitted).and_then(|a| a.category.parse().ok());
        let policy = pack.policy(insured.scheme(), today()).unwrap();
        let totals = totals(&stay, &catalogue);
        let claim = Claim {
            policy: &policy,
            hospital: level(&stay),
            insured: Benefited {
                status: person_type(&stay).status(),
                age: insured.age,
                civil_servant: register.coverages.last().unwrap().civil_servant,
                assistance: category.and_then(AssistanceCategory::from_code),
            },
            level: BenefitLevel::Local,
            totals,
            year: Accumulators::ZERO,
            earlier: None,
            closes_stay: true,
            institution_deductible: Fen::ZERO,
            account: Account::NotUsed,
            maternity: None,
        };
        let fund = compute(&claim, &mut NoTrace).unwrap().fund_pay_sumamt;
        let medfee = fen(&stay.medfee_sumamt);
        assert_eq!(totals.full_own_pay + totals.over_limit + totals.first_pay + totals.in_scope, medfee);
        for group in [0, stay.level] {
            let sum = sums.entry((stay.insutype.clone(), group)).or_default();
            sum.stays += 1;
            sum.medfee += medfee;
            sum.in_scope += totals.in_scope;
            sum.fund += fund;
        }
    }
    sums
}

#[test]
fn bills_and_fund_shares_are_those_of_the_bulletin() {
    let sums = settle_all(60_000);
    let of = |insutype: &str, level| &sums[&(insutype.to_owned(), level)];
    // Mean bill in yuan, within 3 %.
    for (insutype, bulletin) in [("310", 12_175), ("390", 7_674)] {
        let mean = of(insutype, 0).mean_yuan();
        assert!((mean - bulletin).abs() * 100 <= bulletin * 3, "{insutype}: {mean}, bulletin {bulletin}");
    }
    // Fund share of what is in scope, in thousandths. The pack is synthetic and kinder to residents, harder to
    // employees than the nation's mean: four points.
    for (insutype, level, bulletin) in
        [("310", 0, 846), ("390", 0, 681), ("390", 3, 632), ("390", 2, 724), ("390", 1, 808)]
    {
        let share = of(insutype, level).fund_per_mille();
        assert!((share - bulletin).abs() <= 40, "{insutype} level {level}: {share}, bulletin {bulletin}");
    }
}

#[test]
fn a_bill_sums_to_its_lines_and_lies_inside_its_stay() {
    let province = province(2_000);
    let mut seen = 0;
    for stay in province.stays().take(300) {
        let sum: Fen = stay.lines.iter().map(|line| fen(&line.det_item_fee_sumamt)).sum();
        assert_eq!(sum, fen(&stay.medfee_sumamt));
        assert!(stay.lines.iter().all(|line| stay.begntime[..10] <= line.fee_ocur_time[..10]));
        assert!(stay.lines.iter().all(|line| line.fee_ocur_time < stay.endtime));
        assert!(stay.endtime < format!("{} 23", today()));
        seen += 1;
    }
    assert_eq!(seen, 300);
}

#[test]
fn nobody_is_in_two_hospitals_at_once() {
    let province = province(3_000);
    let mut by_person: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for stay in province.stays() {
        by_person.entry(stay.psn_no).or_default().push((stay.begntime, stay.endtime));
    }
    let often = by_person.values().filter(|stays| stays.len() > 1).count();
    assert!(often > 100, "{often}");
    for stays in by_person.values_mut() {
        stays.sort();
        assert!(stays.windows(2).all(|pair| pair[0].1 < pair[1].0), "{stays:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_stays() {
    let (first, again) = (province(1_000), province(1_000));
    assert!(first.stays().take(50).eq(again.stays().take(50)));
}
