//! What the state of things forbids: one clear sentence, and nothing changes in the ledger.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::sandbox::play;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::people::EMPLOYEE;
use crate::support::people::Wanted;
use crate::support::people::day;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const CHANGSHA: u32 = 430_100;

/// A local stay of an ordinary employee, not begun.
async fn local(world: &World) -> Visit<'_> {
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, JIANGMEN, Two, &LUNG)
}

/// Sends a call that must be refused with this code, say all these words, and leave the ledger as it was.
#[track_caller]
fn changed_nothing(world: &World, before: &[(String, i64)], answer: Answer, code: &str, words: &[&str]) {
    let answer = answer.refused(code);
    for word in words {
        assert!(answer.err_msg().contains(word), "no {word:?} in {}", answer.err_msg());
    }
    assert_eq!(world.rows(), before, "{}", answer.err_msg());
}

#[tokio::test]
async fn who_is_not_in_the_register_is_sent_back_to_1101() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let rows = world.rows();
    let known = visit.stay.clone();
    visit.stay.psn_no = "4407007999999999".into();
    changed_nothing(&world, &rows, visit.admit().await, "person-unknown", &["请以1101重新读取"]);
    visit.stay = Stay { certno: "440799200001010013".into(), ..known.clone() };
    changed_nothing(
        &world,
        &rows,
        visit.identify().await,
        "credential-unknown",
        &["居民身份证", "请核对证件"],
    );
    let other = world.insure(&EMPLOYEE).await;
    let rows = world.rows();
    visit.stay = Stay { certno: other.private.certificate_number.clone(), ..known };
    changed_nothing(&world, &rows, visit.admit().await, "credential-of-another", &["请核对本人凭证"]);
}

#[tokio::test]
async fn who_is_no_longer_insured_is_told_since_when() {
    let world = World::start().await;
    let insured = world.insure(&Wanted { until: Some(day(20_260_930)), ..EMPLOYEE }).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &LUNG);
    let rows = world.rows();
    let refused = visit.admit().await;
    changed_nothing(&world, &rows, refused, "insurance-ended", &["参保至2026-09-30", "请先自费或联系"]);
}

#[tokio::test]
async fn another_hospital_cannot_touch_a_stay_and_learns_nothing_of_it() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let elsewhere = world.hospital(JIANGMEN, Three).institution.code.to_string();
    let stay = visit.stay.clone();
    let id = visit.mdtrt_id.clone();
    let settled_elsewhere = play::settle(&stay, &id, &stay.medfee_sumamt);
    let calls = [
        ("2301", play::upload(&stay, &id, &stay.lines[..1])),
        ("2302", play::withdraw_all(&stay, &id)),
        ("2303", settled_elsewhere.clone()),
        ("2304", settled_elsewhere),
        ("2402", play::discharge(&stay, &id)),
        ("2404", play::cancel(&stay, &id)),
        ("2405", play::cancel(&stay, &id)),
    ];
    let rows = world.rows();
    for (infno, input) in calls {
        let answer = world.send(&world.message(&elsewhere, infno, &stay.insuplc_admdvs, &input)).await;
        changed_nothing(&world, &rows, answer, "stay-unknown", &["本机构没有此就诊ID", "请核对mdtrt_id"]);
    }
    visit.settle().await.done();
}

#[tokio::test]
async fn a_settled_stay_is_settled_once_and_takes_no_more_lines() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let message = visit.message("2304", &visit.bill());
    let setl_id = world.send(&message).await.done().setl_id();
    let msgid = message["msgid"].as_str().unwrap();
    let rows = world.rows();

    let again = visit.settle().await;
    changed_nothing(&world, &rows, again, "already-settled", &["请先撤销结算（2305）", &setl_id, msgid]);
    let quote = visit.quote().await;
    changed_nothing(&world, &rows, quote, "already-settled", &["请先撤销结算（2305）"]);
    let mut more = visit.stay.lines[0].clone();
    more.feedetl_sn = "9001".into();
    let upload = visit.upload_lines(&[more]).await;
    changed_nothing(&world, &rows, upload, "already-settled", &["请先撤销结算（2305）"]);
    for infno in ["2404", "2405"] {
        let refused = visit.call(infno, play::cancel(&visit.stay, &visit.mdtrt_id)).await;
        changed_nothing(&world, &rows, refused, "already-settled", &["请先撤销结算（2305）"]);
    }
    let withdrawn = visit.call("2302", play::withdraw_all(&visit.stay, &visit.mdtrt_id)).await;
    changed_nothing(&world, &rows, withdrawn, "already-settled", &["请先撤销结算（2305）"]);
}

#[tokio::test]
async fn what_was_reversed_is_not_reversed_again_and_a_reversal_not_at_all() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let setl_id = visit.through().await.setl_id();
    let reversal = visit.reverse(&setl_id).await.done().setl_id();
    let rows = world.rows();
    let again = visit.reverse(&setl_id).await;
    changed_nothing(&world, &rows, again, "already-reversed", &["该结算已撤销，无需再次撤销", &setl_id]);
    let refused = visit.reverse(&reversal).await;
    changed_nothing(&world, &rows, refused, "settlement-is-reversal", &["请填原结算的setl_id"]);
    let unknown = visit.reverse("A1").await;
    changed_nothing(&world, &rows, unknown, "settlement-unknown", &["请核对setl_id"]);
}

#[tokio::test]
async fn a_later_settlement_of_the_year_is_reversed_first() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut first = world.visit(&insured, JIANGMEN, Two, &LUNG);
    let setl_id = first.through().await.setl_id();
    let mut second = world.visit(&insured, CHANGSHA, Three, &KNEE);
    let later = second.through().await.setl_id();
    let rows = world.rows();
    let refused = first.reverse(&setl_id).await;
    let words = ["另有费用至2026-11-23的后续结算", "请先撤销后续结算", "长沙市430100"];
    changed_nothing(&world, &rows, refused, "later-settlement-stands", &words);
    second.reverse(&later).await.done();
    first.reverse(&setl_id).await.done();
    world.is_sound().await;
}

#[tokio::test]
async fn lines_that_do_not_add_up_are_told_one_by_one_and_none_is_taken() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let mut lines = visit.stay.lines.clone();
    lines[1].det_item_fee_sumamt = "2566.49".into();
    lines[2].med_list_codg = "NO-SUCH-CODE".into();
    let rows = world.rows();
    let refused = visit.upload_lines(&lines).await;
    let told = refused.output()["result"].clone();
    changed_nothing(&world, &rows, refused, "lines-refused", &["明细金额不等于单价乘数量", "共2条", "0002"]);
    let memo = |at: usize| told[at]["memo"].as_str().unwrap_or_default().to_owned();
    assert!(memo(0).contains("2566.49") && memo(0).contains("2566.41"), "{}", memo(0));
    assert!(memo(1).contains("未对照") && memo(1).contains("NO-SUCH-CODE"), "{}", memo(1));
}

#[tokio::test]
async fn a_total_that_is_not_the_sum_of_the_lines_is_told_with_both_figures() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let rows = world.rows();
    visit.stay.medfee_sumamt = "8850.50".into();
    let words = ["医疗费总额8850.50与明细合计8850.51不符", "请核对后重发", "2301各行应答", "2302（0000）"];
    changed_nothing(&world, &rows, visit.settle().await, "total-differs", &words);
    changed_nothing(&world, &rows, visit.quote().await, "total-differs", &words);
}

#[tokio::test]
async fn steps_out_of_their_order_say_which_comes_first() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let rows = world.rows();
    let again = visit.call("2401", play::admit(&visit.stay)).await;
    changed_nothing(
        &world,
        &rows,
        again,
        "stay-open",
        &["该人员是在院状态不能办理入院", "2402", &visit.mdtrt_id],
    );
    visit.upload().await.done();
    let rows = world.rows();
    changed_nothing(&world, &rows, visit.settle().await, "not-discharged", &["请先办理出院（2402）"]);
    let cancelled = visit.call("2404", play::cancel(&visit.stay, &visit.mdtrt_id)).await;
    changed_nothing(&world, &rows, cancelled, "lines-stand", &["请先以2302撤销明细"]);
    let reversed = visit.call("2405", play::cancel(&visit.stay, &visit.mdtrt_id)).await;
    changed_nothing(&world, &rows, reversed, "not-discharged", &["请先办理出院（2402）"]);
    let mut early = visit.stay.clone();
    early.endtime = "2026-11-01 10:00:00".into();
    let refused = visit.call("2402", play::discharge(&early, &visit.mdtrt_id)).await;
    changed_nothing(&world, &rows, refused, "day-too-early", &["endtime 2026-11-01", "请更正日期"]);
    early.endtime = "2026-12-24 10:00:00".into();
    let refused = visit.call("2402", play::discharge(&early, &visit.mdtrt_id)).await;
    changed_nothing(&world, &rows, refused, "day-in-future", &["2026-12-24晚于今日2026-11-24"]);
}

#[tokio::test]
async fn she_lies_in_one_hospital_at_a_time_anywhere() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, JIANGMEN, Two, &LUNG).admit().await.done();
    let rows = world.rows();
    let mut elsewhere = world.visit(&insured, CHANGSHA, Three, &KNEE);
    let name = &world.hospital(JIANGMEN, Two).institution.name;
    let refused = elsewhere.admit().await;
    changed_nothing(&world, &rows, refused, "stay-open", &["请联系该机构先办理出院", name, "2026-11-09入院"]);
}

#[tokio::test]
async fn a_discharge_is_not_taken_back_while_she_lies_in_hospital_again() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut first = world.visit(&insured, JIANGMEN, Two, &LUNG);
    first.until_discharge().await;
    let mut next = first.stay.clone();
    next.begntime.clone_from(&first.stay.endtime);
    let mut second = world.visit(&insured, JIANGMEN, Two, &LUNG);
    second.stay = next;
    second.admit().await.done();
    let rows = world.rows();
    let refused = first.call("2405", play::cancel(&first.stay, &first.mdtrt_id)).await;
    let words = ["不能撤销另一次的出院", "请先将在院的那次办理出院（2402）或撤销入院", &second.mdtrt_id];
    changed_nothing(&world, &rows, refused, "stay-open", &words);
}

#[tokio::test]
async fn a_hospital_outside_its_designation_is_told_why() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &LUNG);
    for (code, refusal, words) in [
        ("H44070300901", "designation-ended", ["本机构定点资格已于2026-09-25到期", "请联系医保经办机构"]),
        ("H44070300902", "designation-suspended", ["本机构自2026-10-25起暂停医保服务", "请转其他定点机构"]),
    ] {
        let rows = world.rows();
        visit.stay.fixmedins_code = code.into();
        changed_nothing(&world, &rows, visit.admit().await, refusal, &words);
    }
    let not_cross = world.province().hospitals.iter().find(|h| {
        let institution = &h.institution;
        h.pool.0 == JIANGMEN && !institution.cross_province && institution.in_province
    });
    let visitor = world.insure(&EMPLOYEE.of(440_100, 440_104)).await;
    let mut visit = world.visit(&visitor, JIANGMEN, Two, &LUNG);
    visit.stay.fixmedins_code = not_cross.unwrap().institution.code.to_string();
    visit.admit().await.done();
}

#[tokio::test]
async fn a_message_id_used_again_for_other_content_is_refused() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let message = visit.message("2301", &play::upload(&visit.stay, &visit.mdtrt_id, &visit.stay.lines[..1]));
    world.send(&message).await.done();
    let rows = world.rows();
    let mut other = message.clone();
    other["input"]["feedetail"][0]["cnt"] = json!("2");
    other["input"]["feedetail"][0]["det_item_fee_sumamt"] = json!("10400.00");
    let refused = world.send(&other).await;
    changed_nothing(&world, &rows, refused, "msgid-reused", &["请换新msgid重发"]);
}

/// 0000 withdraws every line, so a line of that number could not be withdrawn alone.
#[tokio::test]
async fn a_line_is_not_numbered_by_the_number_that_means_all_lines() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let mut lines = visit.stay.lines.clone();
    lines[0].feedetl_sn = "0000".into();
    let rows = world.rows();
    let refused = visit.upload_lines(&lines).await;
    let memo = refused.output()["result"][0]["memo"].as_str().unwrap_or_default().to_owned();
    assert!(memo.contains("明细流水号不能为0000"), "{memo}");
    changed_nothing(&world, &rows, refused, "lines-refused", &["共1条", "请换其他流水号后重传"]);
}

#[tokio::test]
async fn an_outpatient_is_not_admitted_and_the_kinds_of_inpatients_are_told() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let rows = world.rows();
    for (med_type, name) in [
        ("11", "普通门诊"),
        ("12", "门诊挂号"),
        ("13", "急诊"),
        ("14", "门诊慢特病"),
        ("41", "定点药店购药"),
        ("51", "生育门诊"),
        ("53", "计划生育手术费"),
        ("9901", "重大疾病门诊"),
    ] {
        visit.stay.med_type = med_type.into();
        let named = format!("med_type {med_type}{name}不是住院类别");
        let words = [named.as_str(), "请改填21、22、23、24或52后重发"];
        changed_nothing(&world, &rows, visit.admit().await, "not-inpatient", &words);
    }
    for med_type in ["21", "22", "23", "24"] {
        visit.stay.med_type = med_type.into();
        visit.admit().await.done();
        visit.call("2404", play::cancel(&visit.stay, &visit.mdtrt_id)).await.done();
    }
    visit.admit().await.done();
    let rows = world.rows();
    let mut change = play::admit(&visit.stay)["mdtrtinfo"].clone();
    change["mdtrt_id"] = json!(visit.mdtrt_id);
    change["med_type"] = json!("41");
    let refused = visit.call("2403", json!({ "adminfo": change })).await;
    changed_nothing(&world, &rows, refused, "not-inpatient", &["定点药店购药"]);
}

/// The clerk picked the wrong patient: the number of the stay is right, and whose it is stays untold.
#[tokio::test]
async fn a_number_that_is_not_the_one_of_the_stay_is_named() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let (id, hers) = (visit.mdtrt_id.clone(), visit.stay.psn_no.clone());
    let other = world.insure(&EMPLOYEE).await;
    let mut stay = visit.stay.clone();
    let looked = |psn_no: &str| json!({"data": {"psn_no": psn_no, "mdtrt_id": id, "setl_id": "A1"}});
    for psn_no in [other.person.number(), "4407007999999999"] {
        stay.psn_no = psn_no.into();
        let bill = play::settle(&stay, &id, &stay.medfee_sumamt);
        let rows = world.rows();
        for (infno, input) in [
            ("2301", play::upload(&stay, &id, &stay.lines[..1])),
            ("2302", play::withdraw_all(&stay, &id)),
            ("2303", bill.clone()),
            ("2304", bill),
            ("2405", play::cancel(&stay, &id)),
            ("5202", looked(psn_no)),
            ("5203", looked(psn_no)),
            ("5204", looked(psn_no)),
        ] {
            let answer = visit.call(infno, input).await;
            assert!(!answer.err_msg().contains(&hers), "{}", answer.err_msg());
            let words = ["psn_no不是该次住院的参保人", "请核对psn_no"];
            changed_nothing(&world, &rows, answer, "person-differs", &words);
        }
    }
}

#[tokio::test]
async fn a_day_before_the_region_table_begins_is_the_fault_and_not_the_region() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.stay.begntime = "1926-11-09 08:00:00".into();
    let rows = world.rows();
    let words = ["begntime 1926-11-09早于", "请更正日期后重发"];
    changed_nothing(&world, &rows, visit.admit().await, "day-too-early", &words);
}

#[tokio::test]
async fn an_identity_card_is_not_scanned_again() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.stay.certno = "440799200001010013".into();
    let refused = visit.identify().await.refused("credential-unknown");
    assert!(!refused.err_msg().contains("扫码"), "{}", refused.err_msg());
    assert!(refused.err_msg().contains("请核对证件号码"), "{}", refused.err_msg());
}

#[tokio::test]
async fn who_is_insured_in_a_region_that_is_not_connected_is_told_whom_to_call() {
    let world = World::start_with(|config, _| config.hotline = "0750-12393".into()).await;
    let mut visit = local(&world).await;
    visit.stay.insuplc_admdvs = "530102".into();
    let rows = world.rows();
    let words = [
        "insuplc_admdvs 530102昆明市尚未接入本网关，请先核对；无误则自费",
        "咨询参保地经办机构昆明市530100",
        "医保服务热线0750-12393",
    ];
    changed_nothing(&world, &rows, visit.admit().await, "region-not-connected", &words);
}

/// Some systems send a region by default, and its owner would have been sent away to pay for all by herself.
#[tokio::test]
async fn who_is_found_by_her_card_is_not_sent_away_for_a_region_that_is_not_hers() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let rows = world.rows();
    for region in ["110000", "530102", "440104", "999999"] {
        visit.stay.insuplc_admdvs = region.into();
        let refused = visit.identify().await;
        let headline: String = refused.err_msg().chars().take(60).collect();
        assert!(headline.contains("请核对insuplc_admdvs或留空后重发"), "{headline}");
        assert!(!refused.err_msg().contains("4407"), "{}", refused.err_msg());
        changed_nothing(&world, &rows, refused, "insured-region-differs", &[region]);
    }
    visit.stay.insuplc_admdvs = String::new();
    let found = visit.identify().await.done();
    assert_eq!(found.output()["insuinfo"][0]["insuplc_admdvs"], "440703");
    visit.stay.certno = "440799200001010013".into();
    visit.stay.insuplc_admdvs = "110000".into();
    let refused = visit.identify().await;
    let words = ["insuplc_admdvs 110000北京市尚未接入本网关，请先核对"];
    changed_nothing(&world, &rows, refused, "region-not-connected", &words);
}

#[tokio::test]
async fn an_amount_that_is_too_large_is_told_so() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let rows = world.rows();
    for (amount, words) in [
        ("12345678901234567.00", "金额过大，至多1000亿元"),
        ("100000000001", "金额过大，至多1000亿元"),
        ("8850.515", "须为至多两位小数的金额"),
    ] {
        visit.stay.medfee_sumamt = amount.into();
        let words = ["medfee_sumamt", words];
        changed_nothing(&world, &rows, visit.quote().await, "malformed-field", &words);
    }
}

#[tokio::test]
async fn a_time_of_another_age_is_told_which_years_are_taken() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    visit.stay.lines[0].fee_ocur_time = "9999-12-31 00:00:00".into();
    let rows = world.rows();
    let words = ["fee_ocur_time年份须在1900至2199之间，请更正后重发", "9999-12-31"];
    changed_nothing(&world, &rows, visit.upload().await, "malformed-field", &words);
    let answer = looked_up(&visit, "2026-01-01", "2999-01-01").await;
    changed_nothing(&world, &rows, answer, "malformed-field", &["endtime年份须在1900至2199之间"]);
}

/// An empty answer would pass for "no such stay".
#[tokio::test]
async fn a_period_that_ends_before_it_begins_is_refused() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let rows = world.rows();
    let words = ["endtime 2026-11-01早于begntime 2026-11-20，请更正日期后重发"];
    let answer = looked_up(&visit, "2026-11-20", "2026-11-01").await;
    changed_nothing(&world, &rows, answer, "day-too-early", &words);
    let period = json!({"psn_no": visit.stay.psn_no, "begntime": "2026-11-20", "endtime": "2026-11-01"});
    let answer = visit.call("5303", json!({ "data": period })).await;
    changed_nothing(&world, &rows, answer, "day-too-early", &words);
    let found = looked_up(&visit, "2026-11-09 23:00:00", "2026-11-09 01:00:00").await.done();
    assert_eq!(found.output()["mdtrtinfo"].as_array().map(Vec::len), Some(1), "days count, not hours");
}

async fn looked_up(visit: &Visit<'_>, from: &str, to: &str) -> Answer {
    let asked = json!({"psn_no": visit.stay.psn_no, "med_type": "21", "begntime": from, "endtime": to});
    visit.call("5201", json!({ "data": asked })).await
}

/// 16:00 in Greenwich is midnight in China: the fee is one of the next day, which is today or later still.
#[tokio::test]
async fn a_fee_sent_with_its_zone_is_booked_on_the_day_that_it_was_in_china() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let at = |time: &str| {
        let mut line = visit.stay.lines[0].clone();
        line.fee_ocur_time = time.into();
        line
    };
    let rows = world.rows();
    let refused = visit.upload_lines(&[at("2026-11-24T16:00:00Z")]).await;
    let words = ["费用日2026-11-25"];
    changed_nothing(&world, &rows, refused, "lines-refused", &words);
    visit.upload_lines(&[at("2026-11-23T16:00:00Z")]).await.done();
    let mut part = play::settle(&visit.stay, &visit.mdtrt_id, "0.00");
    part["data"]["mid_setl_flag"] = json!("1");
    part["data"]["dscg_time"] = json!("2026-11-23");
    let refused = visit.call("2304", part).await.refused("nothing-to-settle");
    assert!(refused.err_msg().contains("首条费用在2026-11-24"), "{}", refused.err_msg());
}

/// Not refused: the clocks of hospitals differ, and the earlier stay may be the one whose days are wrong.
#[tokio::test]
async fn an_admission_within_another_stay_is_taken_with_a_word() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut first = world.visit(&insured, CHANGSHA, Three, &KNEE);
    let settled = first.through().await;
    let told = "住院日期与2026-11-09至2026-11-23在";
    for (begun, overlaps) in
        [("2026-11-08", false), ("2026-11-09", true), ("2026-11-22", true), ("2026-11-23", false)]
    {
        let mut second = world.visit(&insured, JIANGMEN, Two, &LUNG);
        second.stay.begntime = format!("{begun} 23:00:00");
        let admitted = second.admit().await.done();
        assert_eq!(admitted.warn_msg().contains(told), overlaps, "{begun}: {}", admitted.warn_msg());
        second.call("2404", play::cancel(&second.stay, &second.mdtrt_id)).await.done();
    }
    first.reverse(&settled.setl_id()).await.done();
    let mut second = world.visit(&insured, JIANGMEN, Two, &LUNG);
    second.stay.begntime = "2026-11-20 09:00:00".into();
    let admitted = second.admit().await.done();
    assert!(!admitted.warn_msg().contains("重叠"), "{}", admitted.warn_msg());
}
