//! Calls of unknown outcome: sent again, undone by 2601 before or after they arrived, and in the wrong order.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::codes::Scheme;
use banyan::domain::filing::FilingCategory::LongTermWorker;
use banyan::domain::record::Body;
use banyan::sandbox::play;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

use crate::quirks::Story;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const CHANGSHA: u32 = 430_100;

async fn local(world: &World) -> Visit<'_> {
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, JIANGMEN, Two, &LUNG)
}

fn msgid(message: &Value) -> String {
    message["msgid"].as_str().unwrap().to_owned()
}

/// Settlements of her that stand.
async fn live(world: &World, visit: &Visit<'_>) -> i64 {
    let ledger = &*world.app.service.ledger;
    books::year(ledger, &visit.person(), Scheme::Employee, 2026).await.admissions
}

#[tokio::test]
async fn every_message_is_answered_with_its_first_bytes_also_after_a_restart_and_a_month() {
    let mut world = World::start().await;
    let mut sent: Vec<(String, String, Bytes)> = Vec::new();
    let code;
    {
        let mut story = Story::of(&world, None).await;
        code = story.visit.stay.fixmedins_code.clone();
        for step in 0..6 {
            let message = story.clean(step);
            let answer = story.send(message.clone()).await.done();
            story.took(step, &answer);
            sent.push((Story::STEPS[step].to_owned(), message, answer.bytes));
        }
    }
    for again in 0..3 {
        if again == 2 {
            world = world.restart().await;
            world.clock.forward_days(31);
        }
        let rows = world.rows();
        for (infno, message, first) in &sent {
            // What of the first upload was withdrawn since does not stand any more.
            let answer = world.send_text(&code, message.clone()).await;
            match infno.as_str() {
                "2301" => drop(answer.refused("undone-since")),
                _ => assert_eq!(answer.bytes, first, "{infno}"),
            }
        }
        assert_eq!(world.rows(), rows);
    }
}

#[tokio::test]
async fn an_upload_is_answered_with_its_first_bytes_while_its_lines_stand() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let message = visit.message("2301", &play::upload(&visit.stay, &visit.mdtrt_id, &visit.stay.lines));
    let first = world.send(&message).await.done();
    assert_eq!(world.send(&message).await.bytes, first.bytes);
    // The same lines under another message are the same lines.
    let twice = visit.upload().await.done();
    assert_eq!(twice.output(), first.output());
    visit.discharge().await.done();
    visit.settle().await.done();
    assert_eq!(world.send(&message).await.bytes, first.bytes);
}

#[tokio::test]
async fn a_message_that_was_fenced_off_before_it_arrived_is_refused_when_it_arrives() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let lost = visit.message("2401", &play::admit(&visit.stay));
    let undone = visit.undo("2401", &msgid(&lost)).await.done();
    assert!(undone.warn_msg().contains("原报文未曾办理，已作废"), "{}", undone.warn_msg());
    let rows = world.rows();
    let refused = world.send(&lost).await.refused("fenced");
    assert!(refused.err_msg().contains("需办理请换新msgid"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);

    visit.until_discharge().await;
    let lost = visit.message("2304", &visit.bill());
    visit.undo("2304", &msgid(&lost)).await.done();
    world.send(&lost).await.refused("fenced");
    assert_eq!(live(&world, &visit).await, 0);
    visit.settle().await.done();
    assert_eq!(live(&world, &visit).await, 1);
    world.is_sound().await;
}

#[tokio::test]
async fn a_settlement_whose_answer_was_lost_is_undone_and_settled_under_a_new_id() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let lost = visit.message("2304", &visit.bill());
    let first = world.send(&lost).await.done();
    let undone = visit.undo("2304A", &msgid(&lost)).await.done();
    assert!(!undone.warn_msg().contains("原报文"), "it was there, and is undone: {}", undone.warn_msg());
    assert_eq!(live(&world, &visit).await, 0);
    let rows = world.rows();
    let refused = world.send(&lost).await.refused("undone-since");
    assert!(refused.err_msg().contains("需再办请换新msgid"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);

    let again = visit.undo("2304", &msgid(&lost)).await.done();
    assert!(again.warn_msg().contains("原报文此前已撤销或作废"), "{}", again.warn_msg());
    let last = books::records(&*world.app.service.ledger, &visit.person()).await.pop().unwrap();
    assert!(matches!(last.body, Body::UndoneWithoutEffect(_)));
    visit.reverse(&first.setl_id()).await.refused("already-reversed");
    let second = visit.settle().await.done();
    assert_ne!(second.setl_id(), first.setl_id());
    for field in ["hifp_pay", "psn_cash_pay", "act_pay_dedc"] {
        assert_eq!(second.amount(field), first.amount(field));
    }
    world.is_sound().await;
}

#[tokio::test]
async fn a_cancel_whose_answer_was_lost_is_undone_and_the_settlement_stands_again() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.filed(LongTermWorker, CHANGSHA)).await;
    let mut visit = world.visit(&insured, JIANGMEN, Two, &LUNG);
    visit.until_discharge().await;
    let settlement = visit.message("2304", &visit.bill());
    let settled = world.send(&settlement).await.done();
    let cancel = visit.message("2305", &play::reverse(&visit.stay, &visit.mdtrt_id, &settled.setl_id()));
    world.send(&cancel).await.done();
    assert_eq!(live(&world, &visit).await, 0);
    visit.undo("2305", &msgid(&cancel)).await.done();
    assert_eq!(live(&world, &visit).await, 1);
    assert_eq!(world.send(&settlement).await.bytes, settled.bytes, "it stands as it was answered");
    world.send(&cancel).await.refused("undone-since");

    // And once more, but with another stay settled in between: then it cannot come back.
    let cancel = visit.message("2305", &play::reverse(&visit.stay, &visit.mdtrt_id, &settled.setl_id()));
    world.send(&cancel).await.done();
    world.visit(&insured, CHANGSHA, Three, &KNEE).through().await;
    let rows = world.rows();
    let refused = visit.undo("2305", &msgid(&cancel)).await.refused("settle-again");
    for words in ["撤销后年度累计已变，原结算不能恢复", "请重新结算（2304）"] {
        assert!(refused.err_msg().contains(words), "no {words} in {}", refused.err_msg());
    }
    assert_eq!(world.rows(), rows);
    // Settled again it is settled: there is nothing to bring back.
    visit.settle().await.done();
    let rows = world.rows();
    let refused = visit.undo("2305", &msgid(&cancel)).await.refused("settle-again");
    assert!(refused.err_msg().contains("撤销后已重新结算"), "{}", refused.err_msg());
    assert!(refused.err_msg().contains("请以新结算为准"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    world.is_sound().await;
}

#[tokio::test]
async fn a_cancel_is_not_undone_when_the_discharge_was_cancelled_after_it() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let settled = visit.through().await;
    let cancel = visit.message("2305", &play::reverse(&visit.stay, &visit.mdtrt_id, &settled.setl_id()));
    world.send(&cancel).await.done();
    visit.call("2405", play::cancel(&visit.stay, &visit.mdtrt_id)).await.done();
    let rows = world.rows();
    let refused = visit.undo("2305", &msgid(&cancel)).await.refused("settle-again");
    for words in ["撤销后出院已撤销，原结算不能恢复", "请办理出院（2402）后重新结算（2304）"]
    {
        assert!(refused.err_msg().contains(words), "no {words} in {}", refused.err_msg());
    }
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn an_admission_whose_answer_was_lost_is_undone_and_she_is_free() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let lost = visit.message("2401", &play::admit(&visit.stay));
    world.send(&lost).await.done();
    visit.undo("2401", &msgid(&lost)).await.done();
    world.send(&lost).await.refused("undone-since");
    visit.through().await;
    world.is_sound().await;
}

#[tokio::test]
async fn what_has_a_cancel_of_its_own_is_not_undone_by_2601() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let rows = world.rows();
    for (infno, own) in [("2301", "2302"), ("2402", "2405"), ("2302", "原样重发"), ("2501", "2502")] {
        let refused = visit.undo(infno, "ANY").await.refused("not-undoable");
        assert!(refused.err_msg().contains(own), "{}", refused.err_msg());
    }
    let refused = visit.undo("2399", "ANY").await.refused("not-undoable");
    assert!(refused.err_msg().starts_with("本接口没有2399交易，请核对oinfno"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn an_undo_of_an_earlier_settlement_is_refused_while_a_later_one_stands() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.filed(LongTermWorker, CHANGSHA)).await;
    let mut first = world.visit(&insured, JIANGMEN, Two, &LUNG);
    first.until_discharge().await;
    let settlement = first.message("2304", &first.bill());
    world.send(&settlement).await.done();
    let mut second = world.visit(&insured, CHANGSHA, Three, &KNEE);
    let later = second.through().await.setl_id();
    let rows = world.rows();
    first.undo("2304", &msgid(&settlement)).await.refused("later-settlement-stands");
    assert_eq!(world.rows(), rows);
    second.reverse(&later).await.done();
    first.undo("2304", &msgid(&settlement)).await.done();
    assert_eq!(live(&world, &first).await, 0);
    world.is_sound().await;
}

/// Whoever comes first wins; either way nothing stands in the end, and each is answered as it was first.
#[tokio::test]
async fn a_settlement_and_its_undo_at_the_same_time_leave_nothing() {
    let world = World::start().await;
    for _ in 0..12 {
        let mut visit = local(&world).await;
        visit.until_discharge().await;
        let settlement = visit.message("2304", &visit.bill());
        let input = play::undo(&visit.stay, "2304", &msgid(&settlement));
        let undo = visit.message("2601", &input);
        let line = world.line(&visit.stay.fixmedins_code);
        let send = async |message: &Value| {
            let body = Bytes::from(message.to_string());
            line.open().await.unwrap().post("/callService", &[], body).await.unwrap().1
        };
        let (settled, undone) = tokio::join!(send(&settlement), send(&undo));
        let settled = crate::support::answer::Answer::read(settled);
        crate::support::answer::Answer::read(undone.clone()).done();
        assert!(settled.ok() || settled.code() == "fenced", "{}", settled.err_msg());
        assert_eq!(live(&world, &visit).await, 0);
        assert_eq!(world.send(&undo).await.bytes, undone);
        let again = world.send(&settlement).await;
        assert_eq!(again.code(), if settled.ok() { "undone-since" } else { "fenced" });
    }
    world.is_sound().await;
}

#[tokio::test]
async fn a_settlement_that_arrives_before_its_lines_and_its_discharge_waits_for_neither() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let early = visit.message("2304", &visit.bill());
    world.send(&early).await.refused("not-discharged");
    visit.discharge().await.done();
    world.send(&early).await.refused("nothing-to-settle");
    visit.upload().await.done();
    // The refusals bound no key: the very same message settles.
    let settled = world.send(&early).await.done();
    assert_eq!(settled.amount("medfee_sumamt"), visit.stay.medfee_sumamt);
    assert_eq!(settled.output()["setlinfo"]["medins_setl_id"], json!(msgid(&early)));
}

/// A clerk who mistakes the patient must not believe that the settlement is gone.
#[tokio::test]
async fn an_undo_for_another_person_says_that_the_message_is_not_hers() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let settlement = visit.message("2304", &visit.bill());
    world.send(&settlement).await.done();
    let other = local(&world).await;
    let rows = world.rows();
    let refused = other.undo("2304", &msgid(&settlement)).await.refused("undo-of-another");
    assert!(refused.err_msg().contains("请核对psn_no与omsgid"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    assert_eq!(live(&world, &visit).await, 1);
}

/// One digit wrong in `oinfno` must not be answered with success while the settlement stands.
#[tokio::test]
async fn an_undo_that_names_the_message_by_another_transaction_says_which_it_was() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let upload = visit.message("2301", &play::upload(&visit.stay, &visit.mdtrt_id, &visit.stay.lines));
    world.send(&upload).await.done();
    visit.discharge().await.done();
    let settlement = visit.message("2304", &visit.bill());
    world.send(&settlement).await.done();
    let rows = world.rows();
    // What it was cannot be undone this way under its own number either.
    let refused = visit.undo("2304", &msgid(&upload)).await.refused("not-undoable");
    assert!(
        refused.err_msg().contains("2301交易不能以2601冲正，请以同一msgid原样重发或用2302撤销"),
        "{}",
        refused.err_msg()
    );
    for wrong in ["2305", "2401"] {
        let refused = visit.undo(wrong, &msgid(&settlement)).await.refused("undo-of-other-transaction");
        let headline: String = refused.err_msg().chars().take(60).collect();
        for words in [format!("oinfno为{wrong}"), "是2304交易".into(), "请填oinfno 2304".into()] {
            assert!(headline.contains(&words), "no {words} in {headline}");
        }
    }
    assert_eq!(world.rows(), rows);
    assert_eq!(live(&world, &visit).await, 1);

    // Undone since, it is still no 2305.
    visit.undo("2304", &msgid(&settlement)).await.done();
    visit.undo("2305", &msgid(&settlement)).await.refused("undo-of-other-transaction");
    world.is_sound().await;
}

/// 5203 shows a reversed settlement and its negative; 5204 shows the lines of both, also once they are withdrawn.
#[tokio::test]
async fn the_lines_of_a_reversed_settlement_are_told_and_those_of_its_reversal_are_negative() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    let settled = visit.through().await.setl_id();
    let ask = |setl_id: &str| json!({"data": {"psn_no": visit.stay.psn_no, "mdtrt_id": visit.mdtrt_id, "setl_id": setl_id}});
    let standing = visit.call("5204", ask(&settled)).await.done().output().clone();
    let reversal = visit.reverse(&settled).await.done().setl_id();
    visit.call("2302", play::withdraw_all(&visit.stay, &visit.mdtrt_id)).await.done();

    let reversed = visit.call("5204", ask(&settled)).await.done();
    assert_eq!(reversed.output(), &standing);
    let negative = visit.call("5204", ask(&reversal)).await.done();
    let rows = negative.output().as_array().unwrap();
    assert_eq!(rows.len(), visit.stay.lines.len());
    for (row, was) in rows.iter().zip(standing.as_array().unwrap()) {
        assert_eq!(row["setl_id"], json!(reversal));
        assert_eq!((&row["feedetl_sn"], &row["pric"]), (&was["feedetl_sn"], &was["pric"]));
        for field in ["cnt", "det_item_fee_sumamt", "inscp_scp_amt", "fulamt_ownpay_amt"] {
            let (now, then) = (row[field].as_f64().unwrap(), was[field].as_f64().unwrap());
            assert_eq!(now, 0.0 - then, "{field}");
        }
    }
    visit.call("5204", ask("A1")).await.refused("settlement-unknown");
}
