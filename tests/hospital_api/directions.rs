//! Both directions: our insured elsewhere, and visitors whose pool we hold, or do not.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::ids::RegionCode;
use banyan::domain::money::Fen;
use banyan::domain::posting::Account;
use banyan::domain::record::Body;
use banyan::sandbox::play;
use banyan::sandbox::stays;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::Role;
use serde_json::json;

use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::world::World;
use crate::support::world::today;

const JIANGMEN: u32 = 440_700;
const GUANGZHOU: u32 = 440_100;
const FOSHAN: u32 = 440_600;
const ZHUHAI: u32 = 440_400;
const CHANGSHA: u32 = 430_100;

/// A visitor is settled by the law of her own region, which then owes the place of care.
#[tokio::test]
async fn a_visitor_whose_pool_we_hold_is_settled_by_her_own_law_and_her_region_owes() {
    let world = World::start().await;
    for (home, district, filed, pool_pays) in [
        // As at home: 36,129.50 × 83 %
        (GUANGZHOU, 440_104, false, 2_998_749),
        // Wants a filing inside the province too: (30,000 − 1,300) × 85 % + 7,029.50 × 90 %
        (FOSHAN, 440_604, true, 3_072_155),
        // Deductible 1,500 a year, rate 85 % × 95 %: 35,529.50 × 80.75 % = 28,690.07125
        (ZHUHAI, 440_402, false, 2_869_007),
    ] {
        let insured = world.insure(&EMPLOYEE.of(home, district)).await;
        let mut visit = world.visit(&insured, JIANGMEN, Three, &KNEE);
        visit.until_discharge().await;
        if filed {
            visit.quote().await.refused("unfiled");
            world.file(&insured.person, "LT_RESIDENT", JIANGMEN).await.unwrap();
        }
        let settled = visit.settle().await.done();
        assert_eq!(settled.amount("fund_pay_sumamt"), Fen(pool_pays).to_string());
        let record = books::records(&*world.app.service.ledger, &insured.person).await.pop().unwrap();
        let Body::Settled(settlement) = &record.body else { panic!("settled last") };
        let (home, care) = (RegionCode(home), RegionCode(JIANGMEN));
        assert_eq!((settlement.insured_pool, settlement.institution_pool), (home, care));
        let owed = |account: Account| {
            settlement.entries.iter().filter(|e| e.account == account).map(|e| e.amount).sum::<Fen>()
        };
        let fund = settlement.breakdown.fund_pay_sumamt;
        assert_eq!(owed(Account::ReceivableFromRegion { region: care, from: home }), fund);
        assert_eq!(owed(Account::PayableToRegion { region: home, to: care }), -fund);
        assert_eq!(settlement.entries.iter().map(|e| e.amount).sum::<Fen>(), Fen::ZERO);
    }
    let month = world.app.service.clearing_month(today().month()).await.unwrap();
    assert_eq!(month.groups.len(), 3);
    world.is_sound().await;
}

#[tokio::test]
async fn a_visitor_whose_pool_we_do_not_hold_is_told_whom_to_call() {
    let world = World::start().await;
    let figure = world.province().figures.iter().find(|f| f.role == Role::Stranger).unwrap();
    let hospital = world.hospital(JIANGMEN, Three);
    let when = stays::Visit { hospital, admitted: today().plus_days(-15), discharged: today().plus_days(-1) };
    let stay = stays::stay(&figure.insured, &when, &KNEE, "Z1");
    let rows = world.rows();
    for (infno, input) in [
        ("1101", play::identify(&stay)),
        ("2001", play::entitle(&stay)),
        ("2401", play::admit(&stay)),
        ("5206", json!({"data": {"psn_no": stay.psn_no}})),
        ("2601", play::undo(&stay, "2401", "X")),
    ] {
        let message = world.message(&stay.fixmedins_code, infno, &stay.insuplc_admdvs, &input);
        let refused = world.send(&message).await.refused("region-not-connected");
        for words in
            ["尚未接入本网关", "请先核对；无误则自费，回参保地手工报销", "430100", "咨询参保地经办机构"]
        {
            assert!(refused.err_msg().contains(words), "{infno}: {}", refused.err_msg());
        }
    }
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn where_she_is_insured_may_be_said_as_a_district_or_the_city_and_never_as_elsewhere() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
    for region in ["440703", "440700", "440781"] {
        visit.stay.insuplc_admdvs = region.into();
        visit.entitle().await.done();
    }
    let rows = world.rows();
    visit.stay.insuplc_admdvs = "440104".into();
    visit.admit().await.refused("person-unknown");
    visit.stay.insuplc_admdvs = "999999".into();
    visit.admit().await.refused("region-unknown");
    assert_eq!(world.rows(), rows);
    visit.stay.insuplc_admdvs = "440700".into();
    visit.admit().await.done();
    visit.stay.insuplc_admdvs = "440104".into();
    visit.upload().await.refused("insured-region-differs");
}

/// Without the region 1101 finds her wherever she is insured among the pools that the gateway holds.
#[tokio::test]
async fn who_she_is_can_be_asked_without_knowing_where_she_is_insured() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.of(FOSHAN, 440_604)).await;
    let mut visit = world.visit(&insured, JIANGMEN, Three, &KNEE);
    visit.stay.insuplc_admdvs = String::new();
    let answer = visit.identify().await.done();
    assert_eq!(answer.output()["baseinfo"]["psn_no"], insured.person.number());
    assert_eq!(answer.output()["insuinfo"][0]["insuplc_admdvs"], "440604");
}
