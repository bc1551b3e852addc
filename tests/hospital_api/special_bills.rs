//! Bills that are more than one settlement of one sort, worked out by hand: refunds, parts, the year's edge, maternity
//! and work injury.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::codes::Scheme;
use banyan::domain::filing::FilingCategory::LongTermWorker;
use banyan::domain::money::Fen;
use banyan::sandbox::catalogue::codes;
use banyan::sandbox::play;
use banyan::sandbox::stays::Charge;
use banyan::sandbox::stays::StayLine;
use serde_json::Value;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::people::Wanted;
use crate::support::people::day;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const GUANGZHOU: u32 = 440_100;
const CHANGSHA: u32 = 430_100;

/// Bill M of the rules, its operation in two lines, so that the first part covers 20,000.00.
const KNEE_IN_TWO: [Charge; 6] = [
    Charge::new(codes::BED, 12_000, 14),
    Charge::new(codes::DRUG_B10, 26_850, 30),
    Charge::new(codes::SURGERY, 1_107_050, 1),
    Charge::new(codes::IMPLANT, 980_000, 1),
    Charge::new(codes::SURGERY, 1_022_950, 1),
    Charge::new(codes::OWN, 123_445, 1),
];
const FIRST_PART: &str = "20805.50";
const SECOND_PART: &str = "21263.95";

#[track_caller]
fn comes_to(answer: &Answer, figures: &[(&str, &str)]) {
    for (field, text) in figures {
        assert_eq!(answer.amount(field), *text, "{field}");
    }
}

/// 2304 of the lines until a day.
fn part(visit: &Visit<'_>, fee: &str, until: &str) -> Value {
    let mut input = play::settle(&visit.stay, &visit.mdtrt_id, fee);
    input["data"]["mid_setl_flag"] = json!("1");
    input["data"]["dscg_time"] = json!(until);
    input
}

/// A stay of the knee in two parts, the first settled.
async fn first_part_settled(world: &World, wanted: Wanted) -> (Visit<'_>, Answer) {
    let insured = world.insure(&wanted).await;
    let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE_IN_TWO);
    for (at, line) in visit.stay.lines.iter_mut().enumerate() {
        let day = if at < 3 { "2026-11-12" } else { "2026-11-20" };
        line.fee_ocur_time = format!("{day} 10:00:00");
    }
    visit.admit().await.done();
    visit.upload().await.done();
    let first = visit.call("2304", part(&visit, FIRST_PART, "2026-11-15")).await.done();
    (visit, first)
}

/// 20,000 covered: (20,000 − 900) × 83 %; then what is left of 29,987.49.
#[tokio::test]
async fn a_stay_settled_in_parts_comes_to_what_one_settlement_would() {
    let world = World::start().await;
    let (mut visit, first) = first_part_settled(&world, EMPLOYEE.filed(LongTermWorker, CHANGSHA)).await;
    comes_to(&first, &[("inscp_scp_amt", "20000.00"), ("act_pay_dedc", "900.00"), ("hifp_pay", "15853.00")]);
    visit.discharge().await.done();
    visit.stay.medfee_sumamt = SECOND_PART.into();
    let second = visit.settle().await.done();
    comes_to(&second, &[("inscp_scp_amt", "17029.50"), ("act_pay_dedc", "0.00"), ("hifp_pay", "14134.49")]);
    let ledger = &*world.app.service.ledger;
    let year = books::year(ledger, &visit.person(), Scheme::Employee, 2026).await;
    assert_eq!((year.admissions, year.hifp, year.burden), (1, Fen(2_998_749), Fen(704_201)));

    // Last in, first out.
    let rows = world.rows();
    visit.reverse(&first.setl_id()).await.refused("final-stands");
    assert_eq!(world.rows(), rows);
    visit.reverse(&second.setl_id()).await.done();
    visit.reverse(&first.setl_id()).await.done();
    let year = books::year(ledger, &visit.person(), Scheme::Employee, 2026).await;
    assert_eq!((year.admissions, year.hifp, year.burden), (0, Fen::ZERO, Fen::ZERO));
    visit.stay.medfee_sumamt = "42069.45".into();
    comes_to(&visit.settle().await.done(), &[("act_pay_dedc", "900.00"), ("hifp_pay", "29987.49")]);
    world.is_sound().await;
}

/// The first part unfiled, then a referral: F under 73 % of the whole less F under 73 % of the first, 26,374.54 −
/// 13,943.00.
#[tokio::test]
async fn a_filing_between_two_parts_counts_for_the_second() {
    let world = World::start().await;
    let (mut visit, first) = first_part_settled(&world, EMPLOYEE).await;
    // (20,000 − 1,350) × 53 %
    comes_to(&first, &[("act_pay_dedc", "1350.00"), ("hifp_pay", "9884.50")]);
    world.file(&visit.person(), "TMP_REFERRAL", CHANGSHA).await.unwrap();
    visit.discharge().await.done();
    visit.stay.medfee_sumamt = SECOND_PART.into();
    comes_to(&visit.settle().await.done(), &[("act_pay_dedc", "0.00"), ("hifp_pay", "12431.54")]);
}

fn refund(of: &StayLine, number: &str, count: i64, amount: &str) -> StayLine {
    StayLine {
        feedetl_sn: number.into(),
        cnt: count.to_string(),
        det_item_fee_sumamt: amount.into(),
        ..of.clone()
    }
}

/// 30 × 268.50 less 10: 5,370.00, first-pay 537.00, (4,833.00 − 600.00) × 90 % = 3,809.70
#[tokio::test]
async fn a_refunded_line_leaves_what_is_left_of_it() {
    const DRUGS: [Charge; 1] = [Charge::new(codes::DRUG_B10, 26_850, 30)];
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &DRUGS);
    visit.admit().await.done();
    visit.upload().await.done();
    let send = async |lines: &[StayLine]| {
        let mut input = play::upload(&visit.stay, &visit.mdtrt_id, lines);
        for row in input["feedetail"].as_array_mut().unwrap() {
            row["init_feedetl_sn"] = json!("0001");
        }
        visit.call("2301", input).await
    };
    let original = visit.stay.lines[0].clone();
    let refused = send(&[refund(&original, "R1", -31, "-8323.50")]).await.refused("lines-refused");
    assert!(refused.err_msg().contains("退费数量超过原明细所余"), "{}", refused.err_msg());
    visit.upload_lines(&[refund(&original, "R1", -10, "-2685.00")]).await.refused("lines-refused");
    send(&[refund(&original, "R1", -4, "-1074.00")]).await.done();
    send(&[refund(&original, "R2", -6, "-1611.00")]).await.done();
    visit.discharge().await.done();
    visit.stay.medfee_sumamt = "5370.00".into();
    comes_to(
        &visit.settle().await.done(),
        &[
            ("preselfpay_amt", "537.00"),
            ("inscp_scp_amt", "4833.00"),
            ("hifp_pay", "3809.70"),
            ("psn_cash_pay", "1560.30"),
        ],
    );
    world.is_sound().await;
}

/// Everything refunded: nothing is left to pay, and the settlement says so with zeros.
#[tokio::test]
async fn a_stay_whose_lines_are_all_refunded_settles_at_nothing() {
    const DRUGS: [Charge; 1] = [Charge::new(codes::DRUG_B10, 26_850, 3)];
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &DRUGS);
    visit.admit().await.done();
    visit.upload().await.done();
    let line = refund(&visit.stay.lines[0], "R1", -3, "-805.50");
    let mut input = play::upload(&visit.stay, &visit.mdtrt_id, &[line]);
    input["feedetail"][0]["init_feedetl_sn"] = json!("0001");
    visit.call("2301", input).await.done();
    visit.discharge().await.done();
    visit.stay.medfee_sumamt = "0.00".into();
    let settled = visit.settle().await.done();
    comes_to(&settled, &[("medfee_sumamt", "0.00"), ("fund_pay_sumamt", "0.00"), ("psn_cash_pay", "0.00")]);
    visit.reverse(&settled.setl_id()).await.done();
    world.is_sound().await;
}

/// From December to January: one bill of the year of discharge; the next stay of that year is the second.
#[tokio::test]
async fn a_stay_across_the_years_end_is_one_bill_of_the_new_year() {
    const BILL: [Charge; 1] = [Charge::new(codes::SURGERY, 1_000_000, 1)];
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, JIANGMEN, Two, &BILL).through().await;
    world.clock.set(day(20_270_120), 10);
    for (begin, end, deductible, pool_pays) in [
        // (10,000 − 600) × 90 %
        ("2026-12-28", "2027-01-05", "600.00", "8460.00"),
        // (10,000 − 300) × 90 %
        ("2027-01-08", "2027-01-15", "300.00", "8730.00"),
    ] {
        let mut visit = world.visit(&insured, JIANGMEN, Two, &BILL);
        visit.stay.begntime = format!("{begin} 09:00:00");
        visit.stay.endtime = format!("{end} 09:00:00");
        visit.stay.lines[0].fee_ocur_time = format!("{begin} 10:00:00");
        comes_to(&visit.through().await, &[("act_pay_dedc", deductible), ("hifp_pay", pool_pays)]);
    }
    let ledger = &*world.app.service.ledger;
    let admissions =
        async |year| books::year(ledger, &insured.person, Scheme::Employee, year).await.admissions;
    assert_eq!((admissions(2026).await, admissions(2027).await), (1, 2));
}

/// A fixed sum of 1,800 for a natural birth; a limit of 7,000 for a section at level three; both without deductible.
#[tokio::test]
async fn maternity_has_its_own_rows_and_never_touches_the_years_caps() {
    const BIRTH: [Charge; 1] = [Charge::new(codes::DELIVERY, 900_000, 1)];
    let world = World::start().await;
    for (kind, fund, cash) in
        [("1", "1800.00", "7200.00"), ("3", "7000.00", "2000.00"), ("5", "7200.00", "1800.00")]
    {
        let insured = world.insure(&EMPLOYEE).await;
        let mut visit = world.visit(&insured, GUANGZHOU, Three, &BIRTH);
        (visit.stay.med_type, visit.stay.matn_type) = ("52".into(), kind.into());
        let settled = visit.through().await;
        comes_to(&settled, &[("act_pay_dedc", "0.00"), ("hifp_pay", fund), ("psn_cash_pay", cash)]);
        assert_eq!(settled.output()["setldetail"][0]["fund_pay_type"], "510100");
        let year = books::year(&*world.app.service.ledger, &insured.person, Scheme::Employee, 2026).await;
        assert_eq!((year.admissions, year.hifp), (0, Fen::ZERO));
    }
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, GUANGZHOU, Three, &BIRTH);
    visit.stay.med_type = "52".into();
    visit.until_discharge().await;
    visit.settle().await.refused("maternity-kind-missing");
}

/// Everything in the injury catalogue, the class B drug whole and the prosthesis too, paid in full.
#[tokio::test]
async fn work_injury_is_paid_in_full_when_it_was_recognised() {
    const HAND: [Charge; 3] = [
        Charge::new(codes::SURGERY, 1_860_000, 1),
        Charge::new(codes::DRUG_B10, 8_840, 20),
        Charge::new(codes::PROSTHESIS, 740_000, 1),
    ];
    let world = World::start().await;
    let sent = async |recognised: bool| {
        let insured = world.insure(&Wanted { recognised, ..EMPLOYEE }).await;
        let mut visit = world.visit(&insured, GUANGZHOU, Three, &HAND);
        visit.envelope = vec![("recer_sys_code", "GSXT")];
        visit
    };
    let settled = sent(true).await.through().await;
    comes_to(&settled, &[("oth_pay", "27768.00"), ("hifp_pay", "0.00"), ("psn_cash_pay", "0.00")]);
    assert_eq!(settled.output()["setldetail"][0]["fund_pay_type"], "410100");

    let mut visit = sent(false).await;
    let rows = world.rows();
    let refused = visit.admit().await.refused("injury-not-recognised");
    assert!(refused.err_msg().contains("请先自费，认定后申领"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
}
