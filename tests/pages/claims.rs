//! What a person is told of her claims: who paid what, why, and what to do next.

use banyan::sandbox::story::Role;
use hyper::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::reader::Reader;
use crate::reader::first_claim;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_who_paid_what_and_why() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::LongTerm)).await;
    assert!(list.text.contains("已结算") && list.text.contains("¥42,069.45"), "{}", list.text);
    let claim = reader.get(&first_claim(&list)).await;
    // Worked example E01.
    for figure in [
        "¥42,069.45",
        "¥29,987.49",
        "¥12,081.96",
        "¥1,234.45",
        "¥1,300.00",
        "¥2,505.50",
        "¥37,029.50",
        "¥900.00",
        "83%",
    ] {
        assert!(claim.text.contains(figure), "{figure} in {}", claim.text);
    }
    assert!(claim.text.contains("异地长期居住备案") && claim.text.contains("归入2026年11月清算月"));
    // Unfiled, E04 says, she would have paid 23,159.31.
    assert!(claim.text.contains("备案为您节省了¥11,077.35"), "{}", claim.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_file_is_told_what_filing_would_have_saved() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::Unfiled)).await;
    let claim = reader.get(&first_claim(&list)).await;
    // E04, and the same bill as other temporary: (37,029.50 − 900.00) × .63.
    for figure in ["¥18,910.14", "¥23,159.31", "¥1,350.00", "53%", "可以少付¥3,851.45"] {
        assert!(claim.text.contains(figure), "{figure} in {}", claim.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_reversed_and_settled_again_points_to_what_stands() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::InProvince)).await;
    let claims = list.links("/me/claims/");
    assert_eq!(claims.len(), 2);
    let (new, old) = (reader.get(&claims[0]).await, reader.get(&claims[1]).await);
    let (standing, replaced) = if new.text.contains("重新结算") { (old, new) } else { (new, old) };
    assert!(!standing.text.contains("重新结算"));
    assert!(claims.iter().any(|claim| replaced.text.contains(&format!("href=\"{claim}\""))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_reversed_saves_nothing_and_leads_to_the_stay_that_waits() {
    let world = World::start().await;
    let (stay, settled) = world.settle(Role::Maternity).await;
    world.reverse(Role::Maternity, &stay, settled.clone()).await;
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::Maternity)).await;
    let claim = reader.get(&format!("/me/claims/{settled}")).await;
    assert!(claim.text.contains("以下金额不再有效") && claim.text.contains("应全部退还给您"));
    assert!(!claim.text.contains("为您节省了"), "{}", claim.text);
    let waits = format!("/me/claims/{}", stay.stay);
    assert!(claim.links("/me/claims/").contains(&waits));
    assert!(reader.get(&waits).await.text.contains("医院还没有结算"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stay_says_whether_a_filing_covers_it() {
    let world = World::start().await;
    // The civil servant lies in hospital already.
    for role in [Role::Local, Role::Unfiled] {
        world.admit(&world.figure(role).stay).await;
    }
    let cases = [
        (Role::Local, "在参保地就医，不用备案"),
        (Role::Unfiled, "现在没有适用于长沙市的备案"),
        (Role::CivilServant, "适用于这次住院，不用再办"),
    ];
    for (role, said) in cases {
        let mut reader = Reader::of(world.persons);
        let list = reader.sign_in(world.number(role)).await;
        let mut told = Vec::new();
        for place in list.links("/me/claims/") {
            let claim = reader.get(&place).await.text;
            told.extend(claim.contains("还在住院").then_some(claim));
        }
        assert_eq!(told.len(), 1, "{role:?}");
        assert!(told[0].contains(said), "{role:?}: {}", told[0]);
        assert_eq!(told[0].contains("/me/filings/new"), role == Role::Unfiled, "{role:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fund_beside_the_pool_says_how_it_came_to_what_it_pays() {
    let world = World::start().await;
    for role in [Role::Maternity, Role::WorkInjury] {
        world.settle(role).await;
    }
    let cases: [(Role, &[&str], &[&str]); 3] = [
        (Role::Assisted, &["医疗救助支付剩余部分的", "大病保险：今年您在报销范围内的负担"], &[]),
        (Role::Maternity, &["生育保险", "没有起付线", "生育保险基金累计"], &["报销比例", "统筹基金累计"]),
        (Role::WorkInjury, &["工伤保险基金支付工伤目录内的全部费用"], &["报销比例", "按比例由您承担"]),
    ];
    for (role, told, not_told) in cases {
        let mut reader = Reader::of(world.persons);
        let list = reader.sign_in(world.number(role)).await;
        let claim = reader.get(&first_claim(&list)).await.text;
        for words in told {
            assert!(claim.contains(words), "{role:?}: {words} in {claim}");
        }
        for words in not_told {
            assert!(!claim.contains(words), "{role:?}: {words} in {claim}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_is_that_of_the_page() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    assert_eq!(reader.get("/me/v1/claims").await.status, StatusCode::UNAUTHORIZED);
    reader.sign_in(world.number(Role::Assisted)).await;
    let list: Value = serde_json::from_str(&reader.get("/me/v1/claims").await.text).unwrap();
    let row = &list["claims"][0];
    assert_eq!((&row["status"], &row["clearing_month"]), (&json!("settled"), &json!("202611")));
    let one = reader.get(&format!("/me/v1/claims/{}", row["id"].as_str().unwrap())).await;
    let one: Value = serde_json::from_str(&one.text).unwrap();
    // Worked example E08, before assistance.
    assert_eq!(one["explanation"]["deductible"], "450.00");
    assert_eq!(one["explanation"]["rates"][0]["applied"], "0.62");
    assert_eq!(one["explanation"]["year"]["before"]["pool"], "9000.00");
    assert_eq!(one["explanation"]["differs_when_recomputed"], false);
}
