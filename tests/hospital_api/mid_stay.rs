//! Mid-stay settlement (`mid_setl_flag` 1): which lines a part takes, what its quote is compared with, and what is said
//! when nothing is left.

use banyan::domain::codes::HospitalLevel::Two;
use banyan::sandbox::catalogue::codes;
use banyan::sandbox::play;
use banyan::sandbox::stays::Charge;
use banyan::sandbox::stays::StayLine;
use serde_json::Value;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::people::EMPLOYEE;
use crate::support::people::day;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const TWO_OPERATIONS: [Charge; 2] =
    [Charge::new(codes::SURGERY, 500_000, 1), Charge::new(codes::SURGERY, 600_000, 1)];

/// A stay from December into January with a line in each; it is 20 January.
async fn across_the_years_end(world: &World) -> Visit<'_> {
    let insured = world.insure(&EMPLOYEE).await;
    world.clock.set(day(20_270_120), 10);
    let mut visit = world.visit(&insured, JIANGMEN, Two, &TWO_OPERATIONS);
    visit.stay.begntime = "2026-12-28 09:00:00".into();
    visit.stay.endtime = "2027-01-19 09:00:00".into();
    visit.stay.lines[0].fee_ocur_time = "2026-12-29 10:00:00".into();
    visit.stay.lines[1].fee_ocur_time = "2027-01-05 10:00:00".into();
    visit.admit().await.done();
    visit.upload().await.done();
    visit
}

/// The input of 2303 and 2304 for a part, up to a day or up to its last line.
fn part(visit: &Visit<'_>, fee: &str, until: Option<&str>) -> Value {
    let mut input = play::settle(&visit.stay, &visit.mdtrt_id, fee);
    input["data"]["mid_setl_flag"] = json!("1");
    input["data"]["dscg_time"] = json!(until);
    input
}

#[track_caller]
fn headline_says(answer: &Answer, words: &[&str]) {
    let headline: String = answer.err_msg().chars().take(60).collect();
    for word in words {
        assert!(headline.contains(word), "no {word:?} in {headline}");
    }
}

/// Taken silently, a charge of December would have been paid by the rules of the next year.
#[tokio::test]
async fn a_charge_of_days_that_are_settled_already_is_refused_until_their_part_is_reversed() {
    let world = World::start().await;
    let visit = across_the_years_end(&world).await;
    let first = visit.call("2304", part(&visit, "5000.00", Some("2026-12-31"))).await.done();
    let late = StayLine {
        feedetl_sn: "0003".into(),
        fee_ocur_time: "2026-12-31 10:00:00".into(),
        ..visit.stay.lines[0].clone()
    };
    let rows = world.rows();
    let refused = visit.upload_lines(std::slice::from_ref(&late)).await.refused("lines-refused");
    headline_says(&refused, &["费用发生日已中途结算", "请先撤销该次结算（2305）"]);
    let memo = refused.output()["result"][0]["memo"].as_str().unwrap();
    assert_eq!(
        memo,
        format!(
            "费用发生日已中途结算，请先撤销该次结算（2305）再上传。费用日2026-12-31，已结算至2026-12-31，setl_id {}；\
             撤销、上传后重新中途结算",
            first.setl_id()
        )
    );
    assert_eq!(world.rows(), rows);
    visit.reverse(&first.setl_id()).await.done();
    visit.upload_lines(&[late]).await.done();
    let both = visit.call("2304", part(&visit, "10000.00", Some("2026-12-31"))).await.done();
    assert_eq!((both.amount("act_pay_dedc"), both.amount("hifp_pay")), ("600.00", "8460.00"));
    world.is_sound().await;
}

#[tokio::test]
async fn a_part_is_compared_with_the_quote_of_the_same_days() {
    let world = World::start().await;
    let visit = across_the_years_end(&world).await;
    visit.call("2303", part(&visit, "5000.00", Some("2026-12-31"))).await.done();
    visit.call("2303", part(&visit, "11000.00", None)).await.done();
    visit.quote().await.done();
    let settled = visit.call("2304", part(&visit, "5000.00", Some("2026-12-31"))).await.done();
    assert!(!settled.warn_msg().contains("预结算"), "{}", settled.warn_msg());
}

#[tokio::test]
async fn a_part_without_lines_says_whether_all_are_settled_or_come_later() {
    let world = World::start().await;
    let visit = across_the_years_end(&world).await;
    let early = visit.call("2304", part(&visit, "0.00", Some("2026-12-28"))).await;
    headline_says(&early.refused("nothing-to-settle"), &["至2026-12-28没有未结算", "请核对dscg_time"]);
    let all = visit.call("2304", part(&visit, "11000.00", None)).await.done();
    for until in [None, Some("2027-01-19")] {
        let again = visit.call("2304", part(&visit, "0.00", until)).await.refused("nothing-to-settle");
        headline_says(&again, &["费用明细均已中途结算（至2027-01-05）", "请先上传新的费用明细（2301）"]);
        assert!(again.err_msg().contains(&all.setl_id()), "{}", again.err_msg());
    }
}

/// Who left without cost is settled by nothing: her stay is taken back.
#[tokio::test]
async fn a_stay_without_any_line_is_told_how_to_take_it_back() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &[]);
    visit.until_discharge().await;
    let refused = visit.settle().await.refused("nothing-to-settle");
    headline_says(&refused, &["没有可结算的费用明细", "请先上传明细（2301）；无费用请撤销入院"]);
    assert!(refused.err_msg().contains("先撤销出院（2405），再撤销入院（2404）"), "{}", refused.err_msg());
    for infno in ["2405", "2404"] {
        visit.call(infno, play::cancel(&visit.stay, &visit.mdtrt_id)).await.done();
    }
    visit.admit().await.done();
    let quoted = visit.quote().await.refused("nothing-to-settle");
    assert!(quoted.err_msg().contains("未发生费用即离院的，撤销入院（2404）"), "{}", quoted.err_msg());
    world.is_sound().await;
}
