//! At the desk: who she is by any credential, what is warned about and never decides, and two clerks at one stay.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::codes::Scheme;
use banyan::domain::record::Body;
use banyan::sandbox::play;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;
use banyan::service::credential::SandboxTokens;
use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::Value;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const GUANGZHOU: u32 = 440_100;
const CHANGSHA: u32 = 430_100;

async fn local(world: &World) -> Visit<'_> {
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, JIANGMEN, Two, &LUNG)
}

#[tokio::test]
async fn she_is_known_by_voucher_identity_card_and_social_security_card() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let visit = world.visit(&insured, JIANGMEN, Two, &LUNG);
    let identity = insured.private.certificate_number.clone();
    let token = SandboxTokens::token_of(&identity);
    let card = insured.private.card_number.clone();
    let with_data = format!("{card}|0123456789ABCDEF");
    for (kind, number) in [("01", &token), ("02", &identity), ("03", &card), ("03", &with_data), ("3", &card)]
    {
        let input = json!({"data": {"mdtrt_cert_type": kind, "mdtrt_cert_no": number, "card_sn": "A1"}});
        let answer = visit.call("1101", input).await.done();
        assert_eq!(answer.output()["baseinfo"]["psn_no"], insured.person.number(), "{kind} {number}");
    }
    for (kind, number) in [("01", "EXPIRED"), ("02", "44079719810405999X"), ("03", "NONE")] {
        let input = json!({"data": {"mdtrt_cert_type": kind, "mdtrt_cert_no": number}});
        let refused = visit.call("1101", input).await.refused("credential-unknown");
        assert!(!refused.err_msg().contains(number), "a credential in {}", refused.err_msg());
    }
}

#[tokio::test]
async fn a_signed_in_desk_is_not_warned_and_another_ones_number_only_warns() {
    let world = World::start().await;
    let visit = local(&world).await;
    let sign_in = async |visit: &Visit<'_>| {
        let input = json!({"signIn": {"opter_no": "0001", "mac": "00-00", "ip": "127.0.0.1"}});
        let answer = visit.call("9001", input).await.done();
        answer.output()["signinoutb"]["sign_no"].as_str().unwrap().to_owned()
    };
    let ask = async |sign_no: &str| {
        let mut message = visit.message("1101", &play::identify(&visit.stay));
        message["sign_no"] = json!(sign_no);
        world.send(&message).await.done().warn_msg().to_owned()
    };
    let number = sign_in(&visit).await;
    assert_eq!(ask(&number).await, "");
    assert!(ask("ANY").await.contains("请重新签到（9001）"));
    let other = world.insure(&EMPLOYEE).await;
    let elsewhere = sign_in(&world.visit(&other, GUANGZHOU, Two, &LUNG)).await;
    assert!(ask(&elsewhere).await.contains("不是本机构本操作员的"));
    world.clock.forward_days(2);
    assert!(ask(&number).await.contains("签到已过期"));
}

#[tokio::test]
async fn totals_of_the_hospital_are_compared_and_never_used() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let mut bill = visit.bill();
    bill["data"]["fulamt_ownpay_amt"] = json!("310.10");
    bill["data"]["preselfpay_amt"] = json!("128.00");
    let quoted = visit.call("2303", bill.clone()).await.done();
    let settled = visit.call("2304", bill).await.done();
    for answer in [&quoted, &settled] {
        assert!(
            answer.warn_msg().contains("preselfpay_amt上传128.00，按明细应为128.32"),
            "{}",
            answer.warn_msg()
        );
        assert!(!answer.warn_msg().contains("fulamt_ownpay_amt"), "{}", answer.warn_msg());
        assert_eq!(answer.amount("preselfpay_amt"), "128.32");
    }
}

#[tokio::test]
async fn a_settlement_that_differs_from_its_quote_says_both_figures() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
    visit.until_discharge().await;
    visit.quote().await.refused("unfiled");
    assert_eq!(visit.quote().await.done().amount("psn_cash_pay"), "23159.31");
    world.file(&insured.person, "TMP_OTHER", CHANGSHA).await.unwrap();
    let settled = visit.settle().await.done();
    let warned = "现金自付19307.86元，与预结算的23159.31元不同";
    assert!(settled.warn_msg().contains(warned), "{}", settled.warn_msg());
}

/// Sends all of these at once, each on a connection of its own.
async fn at_once(world: &World, code: &str, messages: Vec<Value>) -> Vec<Answer> {
    let line = world.line(code);
    let sent = messages.into_iter().map(async |message| {
        let mut connection = line.open().await.unwrap();
        let body = Bytes::from(message.to_string());
        Answer::read(connection.post("/callService", &[], body).await.unwrap().1)
    });
    join_all(sent).await
}

#[tokio::test]
async fn of_thirty_clerks_who_settle_one_stay_one_settles_it() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.until_discharge().await;
    let messages = (0..30).map(|_| visit.message("2304", &visit.bill())).collect();
    let answers = at_once(&world, &visit.stay.fixmedins_code, messages).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Answer::ok);
    assert_eq!(done.len(), 1);
    for answer in refused {
        assert!(matches!(answer.code(), "already-settled" | "try-again"), "{}", answer.err_msg());
    }
    // And of thirty who take it back, one does.
    let reverse = play::reverse(&visit.stay, &visit.mdtrt_id, &done[0].setl_id());
    let messages = (0..30).map(|_| visit.message("2305", &reverse)).collect();
    let answers = at_once(&world, &visit.stay.fixmedins_code, messages).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Answer::ok);
    assert_eq!(done.len(), 1);
    for answer in refused {
        assert!(matches!(answer.code(), "already-reversed" | "try-again"), "{}", answer.err_msg());
    }
    let ledger = &*world.app.service.ledger;
    let year = books::year(ledger, &visit.person(), Scheme::Employee, 2026).await;
    assert_eq!(year.admissions, 0);
    world.is_sound().await;
}

#[tokio::test]
async fn two_hospitals_that_admit_her_at_once_do_not_both() {
    let world = World::start().await;
    for _ in 0..8 {
        let insured = world.insure(&EMPLOYEE).await;
        let places = [(JIANGMEN, Two), (JIANGMEN, Three), (GUANGZHOU, Two), (CHANGSHA, Three)];
        let visits = places.map(|(place, level)| world.visit(&insured, place, level, &LUNG));
        let answers = join_all(visits.iter().map(async |visit| {
            let message = visit.message("2401", &play::admit(&visit.stay));
            at_once(&world, &visit.stay.fixmedins_code, vec![message]).await.remove(0)
        }));
        let answers = answers.await;
        assert_eq!(answers.iter().filter(|answer| answer.ok()).count(), 1);
        let refused = answers.iter().filter(|answer| !answer.ok());
        refused.for_each(|answer| assert_eq!(answer.code(), "stay-open", "{}", answer.err_msg()));
    }
    world.is_sound().await;
}

/// Batches of one stay at once, some of them the same lines: every line is there once.
#[tokio::test]
async fn batches_that_are_uploaded_at_once_hold_every_line_once() {
    let world = World::start().await;
    let mut visit = local(&world).await;
    visit.admit().await.done();
    let batch = |at: usize| {
        let mut lines = visit.stay.lines.clone();
        for line in &mut lines {
            line.feedetl_sn = format!("B{}-{}", at % 6, line.feedetl_sn);
        }
        visit.message("2301", &play::upload(&visit.stay, &visit.mdtrt_id, &lines))
    };
    let messages = (0..12).map(batch).collect();
    let answers = at_once(&world, &visit.stay.fixmedins_code, messages).await;
    for answer in &answers {
        assert!(answer.ok() || answer.code() == "try-again", "{}", answer.err_msg());
    }
    let records = books::records(&*world.app.service.ledger, &visit.person()).await;
    let uploaded = records.iter().flat_map(|record| match &record.body {
        Body::LinesUploaded(lines) => lines.iter().map(|line| line.no.to_string()).collect(),
        _ => Vec::new(),
    });
    let mut uploaded: Vec<String> = uploaded.collect();
    let count = uploaded.len();
    uploaded.sort();
    uploaded.dedup();
    assert_eq!((uploaded.len(), count), (24, 24));
    world.is_sound().await;
}
