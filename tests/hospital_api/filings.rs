//! Filings: each category and what it does to one bill, made before the stay or from the bedside, for the right place
//! and time; the switch of a hospital that is told first; emergencies.

use banyan::config::gateway::Switch;
use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::filing::FilingCategory;
use banyan::domain::ids::InstitutionCode;
use banyan::sandbox::play;
use banyan::sandbox::population::Insured;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;
use serde_json::Value;
use serde_json::json;

use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const GUANGZHOU: u32 = 440_100;
const CHANGSHA: u32 = 430_100;
const HUNAN: u32 = 430_000;
const NANNING: u32 = 450_100;
const SHANGHAI: u32 = 310_000;

/// What the pool pays of the knee (37,029.50 covered) by level of benefit.
const AS_AT_HOME: &str = "29987.49";
const TEN_POINTS_LESS: &str = "26374.54";
const TWENTY_POINTS_LESS: &str = "22761.59";
const UNFILED: &str = "18910.14";

async fn in_changsha(world: &World) -> (Insured, Visit<'_>) {
    let insured = world.insure(&EMPLOYEE).await;
    let visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
    (insured, visit)
}

/// 2501 as the hospital at home writes it.
fn referral(visit: &Visit<'_>, target: u32) -> Value {
    json!({"refmedin": {
        "psn_no": visit.stay.psn_no,
        "insutype": "310",
        "tel": "10077770001",
        "diag_code": "SBX.001",
        "diag_name": "沙盒样本诊断",
        "reflin_medins_no": "H43010200001",
        "reflin_medins_name": "沙盒医院",
        "mdtrtarea_admdvs": target.to_string(),
        "hosp_agre_refl_flag": "1",
        "refl_type": "3",
        "refl_date": "2026-11-24",
        "refl_rea": "需进一步诊治",
        "refl_opnn": "同意",
    }})
}

async fn refer(
    world: &World,
    visit: &Visit<'_>,
    from: u32,
    infno: &str,
    input: &Value,
) -> crate::support::answer::Answer {
    let code = world.hospital(from, Two).institution.code.to_string();
    world.send(&world.message(&code, infno, &visit.stay.insuplc_admdvs, input)).await
}

#[tokio::test]
async fn every_category_filed_from_the_bedside_counts_before_the_settlement() {
    let world = World::start().await;
    for (category, pool_pays) in [
        ("LT_RETIREE", AS_AT_HOME),
        ("LT_RESIDENT", AS_AT_HOME),
        ("LT_WORKER", AS_AT_HOME),
        ("TMP_REFERRAL", TEN_POINTS_LESS),
        ("TMP_EMERGENCY", TEN_POINTS_LESS),
        ("TMP_OTHER", TWENTY_POINTS_LESS),
    ] {
        let (insured, mut visit) = in_changsha(&world).await;
        visit.until_discharge().await;
        visit.quote().await.refused("unfiled");
        world.file(&insured.person, category, CHANGSHA).await.unwrap();
        assert_eq!(visit.quote().await.done().amount("hifp_pay"), pool_pays, "{category}");
        assert_eq!(visit.settle().await.done().amount("hifp_pay"), pool_pays, "{category}");
    }
    world.is_sound().await;
}

#[tokio::test]
async fn a_filing_made_before_counts_by_its_place_and_its_days() {
    use FilingCategory as F;
    let world = World::start().await;
    for (what, filed, for_place, treated_in, pool_pays) in [
        ("the city itself", F::LongTermWorker, CHANGSHA, CHANGSHA, AS_AT_HOME),
        ("its province", F::LongTermWorker, HUNAN, CHANGSHA, AS_AT_HOME),
        ("another province", F::LongTermWorker, NANNING, CHANGSHA, UNFILED),
        ("a municipality", F::LongTermRetiree, SHANGHAI, SHANGHAI, AS_AT_HOME),
        ("a municipality, but treated elsewhere", F::LongTermRetiree, SHANGHAI, CHANGSHA, UNFILED),
        ("a referral for the province", F::Referral, HUNAN, CHANGSHA, TEN_POINTS_LESS),
        ("other temporary care", F::OtherTemporary, CHANGSHA, CHANGSHA, TWENTY_POINTS_LESS),
        ("other temporary care elsewhere", F::OtherTemporary, NANNING, CHANGSHA, UNFILED),
    ] {
        let insured = world.insure(&EMPLOYEE.filed(filed, for_place)).await;
        let mut visit = world.visit(&insured, treated_in, Three, &KNEE);
        let told = visit.entitle().await.done().output()["trtinfo"][0]["trt_chk_rslt"].to_string();
        let expected = if pool_pays == UNFILED {
            "已有备案的就医地、日期或类别不适用"
        } else {
            "已备案"
        };
        assert!(told.contains(expected), "{what}: {told}");
        assert_eq!(visit.through().await.amount("hifp_pay"), pool_pays, "{what}");
    }
}

#[tokio::test]
async fn a_missing_filing_stands_in_2001_with_how_to_make_it() {
    let world = World::start().await;
    let (_, visit) = in_changsha(&world).await;
    let answer = visit.entitle().await.done();
    let told = answer.output()["trtinfo"][0]["trt_chk_rslt"].as_str().unwrap();
    for words in ["未办理异地就医备案", "430100", "国家医保服务平台App", "出院结算前补办有效"]
    {
        assert!(told.contains(words), "{told}");
    }
    let insured = world.insure(&EMPLOYEE).await;
    for (place, words) in [(JIANGMEN, "本地就医，无需备案"), (GUANGZHOU, "参保地无需备案")] {
        let answer = world.visit(&insured, place, Three, &KNEE).entitle().await.done();
        let told = answer.output()["trtinfo"][0]["trt_chk_rslt"].as_str().unwrap();
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn the_first_quote_of_an_unfiled_stay_says_both_sums_and_the_next_prices_it() {
    let world = World::start().await;
    let (_, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    let rows = world.rows();
    let asked = visit.message("2303", &visit.bill());
    let refused = world.send(&asked).await.refused("unfiled");
    for words in ["未备案现自付23159.31元", "今日备案后19307.86元", "请先备案再预结算", "430100"]
    {
        assert!(refused.err_msg().contains(words), "{}", refused.err_msg());
    }
    let headline: String = refused.err_msg().chars().take(60).collect();
    assert!(headline.contains("23159.31") && headline.contains("19307.86"), "{headline}");
    // Its answer may have been lost: nobody has been told yet.
    world.send(&asked).await.refused("unfiled");
    assert_eq!(world.rows(), rows);
    assert_eq!(visit.quote().await.done().amount("psn_cash_pay"), "23159.31");
    assert_eq!(visit.settle().await.done().amount("hifp_pay"), UNFILED);
}

#[tokio::test]
async fn a_hospital_may_have_unfiled_stays_priced_at_once() {
    let world = World::start_with(|config, _| {
        let usual = config.institutions.default;
        let code = InstitutionCode::parse("H43010200001").unwrap();
        config.institutions.by_code.insert(code, Switch { refuse_unfiled_first: false, ..usual });
    })
    .await;
    let (_, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    assert_eq!(visit.quote().await.done().amount("hifp_pay"), UNFILED);
}

#[tokio::test]
async fn a_hospital_may_want_to_quote_again_before_cash_differs() {
    let world = World::start_with(|config, _| config.institutions.default.quote_binds = true).await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &LUNG);
    visit.until_discharge().await;
    visit.settle().await.refused("quote-again");
    visit.quote().await.done();
    visit.settle().await.done();
}

#[tokio::test]
async fn a_filing_made_after_the_settlement_changes_nothing_of_it() {
    let world = World::start().await;
    let (insured, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    let message = visit.message("2304", &visit.bill());
    let settled = world.send(&message).await.done();
    assert_eq!(settled.amount("hifp_pay"), UNFILED);
    world.file(&insured.person, "TMP_OTHER", CHANGSHA).await.unwrap();
    assert_eq!(world.send(&message).await.bytes, settled.bytes);
}

#[tokio::test]
async fn a_temporary_filing_that_has_run_out_does_not_count_and_one_that_runs_out_in_the_stay_does() {
    let world = World::start().await;
    // Filed on 2026-10-25 for six months: until 2027-04-25.
    let insured = world.insure(&EMPLOYEE.filed(FilingCategory::OtherTemporary, CHANGSHA)).await;
    for (admitted, discharged, pool_pays) in [
        ("2027-04-20", "2027-05-03", TWENTY_POINTS_LESS),
        // The second admission of the year halves the deductible: (37,029.50 − 675.00) × 53 % = 19,267.885
        ("2027-05-20", "2027-06-01", "19267.89"),
    ] {
        world.clock.set(crate::support::people::day(20_270_602), 10);
        let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
        visit.stay.begntime = format!("{admitted} 09:00:00");
        visit.stay.endtime = format!("{discharged} 09:00:00");
        visit.stay.lines.iter_mut().for_each(|line| line.fee_ocur_time = format!("{admitted} 10:00:00"));
        assert_eq!(visit.through().await.amount("hifp_pay"), pool_pays, "{admitted}");
    }
}

#[tokio::test]
async fn an_emergency_is_as_filed_however_it_is_told() {
    let world = World::start().await;
    let flagged = |visit: &mut Visit<'_>| visit.stay.emergency = true;
    let by_care = |visit: &mut Visit<'_>| visit.stay.med_type = "24".into();
    for (what, tell) in [("a flag", flagged as fn(&mut Visit<'_>)), ("the sort of care", by_care)] {
        let (_, mut visit) = in_changsha(&world).await;
        tell(&mut visit);
        visit.until_discharge().await;
        assert_eq!(visit.quote().await.done().amount("hifp_pay"), TEN_POINTS_LESS, "{what}");
    }
    // Told only later, by 2403.
    let (_, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    visit.quote().await.refused("unfiled");
    let mut change = play::admit(&visit.stay)["mdtrtinfo"].clone();
    change["er_flag"] = json!("1");
    change["mdtrt_id"] = json!(visit.mdtrt_id);
    visit.call("2403", json!({ "adminfo": change })).await.done();
    assert_eq!(visit.settle().await.done().amount("hifp_pay"), TEN_POINTS_LESS);
    // It beats other temporary care, and a long-term filing beats it.
    let filed = EMPLOYEE.filed(FilingCategory::OtherTemporary, CHANGSHA);
    let long = EMPLOYEE.filed(FilingCategory::LongTermWorker, CHANGSHA);
    for (wanted, pool_pays) in [(filed, TEN_POINTS_LESS), (long, AS_AT_HOME)] {
        let insured = world.insure(&wanted).await;
        let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
        visit.stay.emergency = true;
        assert_eq!(visit.through().await.amount("hifp_pay"), pool_pays);
    }
}

#[tokio::test]
async fn a_referral_comes_from_a_hospital_at_home_and_is_withdrawn_by_it() {
    let world = World::start().await;
    let (_, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    let rows = world.rows();
    let input = referral(&visit, CHANGSHA);
    let refused = refer(&world, &visit, CHANGSHA, "2501", &input).await.refused("referral-from-elsewhere");
    assert!(refused.err_msg().contains("须由参保地440700的医院办理"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);

    let filed = refer(&world, &visit, JIANGMEN, "2501A", &input).await.done();
    let number = filed.output()["result"]["trt_dcla_detl_sn"].as_str().unwrap().to_owned();
    assert_eq!(visit.quote().await.done().amount("hifp_pay"), TEN_POINTS_LESS);
    let withdraw = json!({"data": {"trt_dcla_detl_sn": number, "psn_no": visit.stay.psn_no, "memo": "误录"}});
    let other = refer(&world, &visit, GUANGZHOU, "2502", &withdraw).await;
    other.refused("filing-of-another");
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.done();
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.refused("filing-already-ended");
    assert_eq!(visit.settle().await.done().amount("hifp_pay"), UNFILED);
}

#[tokio::test]
async fn a_filing_is_not_ended_on_the_day_of_an_admission_that_used_it() {
    let world = World::start().await;
    let (_, mut visit) = in_changsha(&world).await;
    visit.stay.begntime = "2026-11-24 08:00:00".into();
    visit.stay.endtime = "2026-11-24 09:30:00".into();
    visit.stay.lines.iter_mut().for_each(|line| line.fee_ocur_time = "2026-11-24 09:00:00".into());
    let filed = refer(&world, &visit, JIANGMEN, "2501", &referral(&visit, HUNAN)).await.done();
    let number = filed.output()["result"]["trt_dcla_detl_sn"].as_str().unwrap();
    let settled = visit.through().await;
    assert_eq!(settled.amount("hifp_pay"), TEN_POINTS_LESS);
    let withdraw = json!({"data": {"trt_dcla_detl_sn": number, "psn_no": visit.stay.psn_no}});
    let rows = world.rows();
    let refused = refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.refused("filing-used");
    assert!(refused.err_msg().contains("2026-11-24入院的结算已使用此备案"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    visit.reverse(&settled.setl_id()).await.done();
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.done();
    assert_eq!(visit.settle().await.done().amount("hifp_pay"), UNFILED);
}

#[tokio::test]
async fn a_filing_made_late_is_not_taken_from_the_settlement_that_rests_on_it() {
    let world = World::start().await;
    let (_, mut visit) = in_changsha(&world).await;
    visit.until_discharge().await;
    let filed = refer(&world, &visit, JIANGMEN, "2501A", &referral(&visit, CHANGSHA)).await.done();
    let number = filed.output()["result"]["trt_dcla_detl_sn"].as_str().unwrap().to_owned();
    let settled = visit.settle().await.done();
    assert_eq!(settled.amount("hifp_pay"), TEN_POINTS_LESS);
    let withdraw = json!({"data": {"trt_dcla_detl_sn": number, "psn_no": visit.stay.psn_no}});
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.refused("filing-used");
    let reverse = visit.message("2305", &play::reverse(&visit.stay, &visit.mdtrt_id, &settled.setl_id()));
    world.send(&reverse).await.done();
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.done();
    // What rested on it cannot stand again.
    let refused = visit.undo("2305", reverse["msgid"].as_str().unwrap()).await.refused("settle-again");
    assert!(refused.err_msg().contains("撤销后原结算所用备案已失效"), "{}", refused.err_msg());
    let message = visit.message("2304", &visit.bill());
    let unfiled = world.send(&message).await.done();
    assert_eq!(unfiled.amount("hifp_pay"), UNFILED);
    assert!(
        unfiled.warn_msg().contains("未查到就医地的异地就医备案，已按未备案标准结算"),
        "{}",
        unfiled.warn_msg()
    );
    assert_eq!(world.send(&message).await.bytes, unfiled.bytes);
    // Filed again while it is taken back, it stands again as it was, and says so.
    let reverse = visit.message("2305", &play::reverse(&visit.stay, &visit.mdtrt_id, &unfiled.setl_id()));
    world.send(&reverse).await.done();
    refer(&world, &visit, JIANGMEN, "2501A", &referral(&visit, CHANGSHA)).await.done();
    let again = visit.undo("2305", reverse["msgid"].as_str().unwrap()).await.done();
    assert!(again.warn_msg().contains("如已补办，请撤销（2305）后重新结算"), "{}", again.warn_msg());
    world.is_sound().await;
}

#[tokio::test]
async fn the_desk_refuses_what_is_no_filing_and_takes_a_district_for_its_city() {
    let world = World::start().await;
    let (insured, mut visit) = in_changsha(&world).await;
    let rows = world.rows();
    for (target, words) in
        [(JIANGMEN, "needs no filing"), (999_999, "name a city, a municipality or a province")]
    {
        let told = world.file(&insured.person, "LT_WORKER", target).await.unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
        assert_eq!(world.rows(), rows);
    }
    world.file(&insured.person, "LT_WORKER", 430_102).await.unwrap();
    assert_eq!(visit.through().await.amount("hifp_pay"), AS_AT_HOME);
}

#[tokio::test]
async fn a_referral_that_the_hospital_does_not_agree_to_is_not_filed() {
    let world = World::start().await;
    let (_, visit) = in_changsha(&world).await;
    let rows = world.rows();
    let mut input = referral(&visit, CHANGSHA);
    input["refmedin"]["hosp_agre_refl_flag"] = json!("0");
    let refused = refer(&world, &visit, JIANGMEN, "2501", &input).await.refused("referral-not-agreed");
    assert!(refused.err_msg().contains("医院不同意转院（hosp_agre_refl_flag为0）"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn a_referral_to_a_hospital_that_lies_elsewhere_names_both_places() {
    let world = World::start().await;
    let (_, visit) = in_changsha(&world).await;
    let rows = world.rows();
    let input = referral(&visit, NANNING);
    let refused = refer(&world, &visit, JIANGMEN, "2501", &input).await.refused("referral-place-differs");
    let headline: String = refused.err_msg().chars().take(60).collect();
    for words in ["430102", "450100", "请核对mdtrtarea_admdvs"] {
        assert!(headline.contains(words), "no {words} in {headline}");
    }
    assert!(refused.err_msg().contains("H43010200001"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    let mut unknown = referral(&visit, NANNING);
    unknown["refmedin"]["reflin_medins_no"] = json!("H99999999999");
    refer(&world, &visit, JIANGMEN, "2501", &unknown).await.done();
}

#[tokio::test]
async fn a_second_referral_for_the_same_days_and_place_names_the_first() {
    let world = World::start().await;
    let (_, visit) = in_changsha(&world).await;
    let input = referral(&visit, CHANGSHA);
    let first = refer(&world, &visit, JIANGMEN, "2501", &input).await.done();
    let number = first.output()["result"]["trt_dcla_detl_sn"].as_str().unwrap();
    let rows = world.rows();
    let refused = refer(&world, &visit, JIANGMEN, "2501", &input).await.refused("referral-stands");
    for words in ["该就医地已有转院备案，有效至2027-05-23", "无需再次备案", number] {
        assert!(refused.err_msg().contains(words), "no {words} in {}", refused.err_msg());
    }
    assert_eq!(world.rows(), rows);
    let mut later = input.clone();
    later["refmedin"]["begndate"] = json!("2027-05-24");
    refer(&world, &visit, JIANGMEN, "2501", &later).await.done();
    let withdraw = json!({"data": {"trt_dcla_detl_sn": number, "psn_no": visit.stay.psn_no}});
    refer(&world, &visit, JIANGMEN, "2502", &withdraw).await.done();
    refer(&world, &visit, JIANGMEN, "2501", &input).await.done();
}
