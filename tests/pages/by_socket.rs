//! What any client meets, browser or not: who may see what, which headers protect it, what is refused.

use std::sync::Arc;

use banyan::domain::ids::SettlementId;
use banyan::ledger::seal::receipt::Receipt;
use banyan::protocol::person::one_time_code::CodeSender;
use banyan::protocol::person::one_time_code::Delivery;
use banyan::protocol::person::one_time_code::NotSent;
use banyan::protocol::web::session::IDLE_MS;
use banyan::sandbox::story::Role;
use futures_util::future::BoxFuture;
use hyper::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::reader::Reader;
use crate::reader::first_claim;
use crate::world::Wish;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_and_the_desk_take_a_receipt_that_anybody_can_check() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::LongTerm)).await;
    let claim = reader.get(&first_claim(&list)).await;
    let place = claim.links("/me/claims/").into_iter().find(|link| link.ends_with("/receipt")).unwrap();
    let id = place.trim_start_matches("/me/claims/").trim_end_matches("/receipt");
    world.anchored(&SettlementId::parse(id).unwrap()).await;
    let given = reader.get(&place).await;
    let receipt = Receipt::parse(&given.text).unwrap();
    assert_eq!(receipt.prove(&world.public_keys), Ok(()));
    assert!(given.header("content-disposition").contains("attachment"));
    let mut other = Reader::of(world.persons);
    other.sign_in(world.number(Role::Unfiled)).await;
    assert_eq!(other.get(&place).await.status, StatusCode::NOT_FOUND, "nobody takes another person's");
    let mut desk = Reader::of(world.center);
    let at_the_desk = desk.get(&format!("/center/settlements/{id}/receipt")).await;
    assert_eq!(at_the_desk.text, given.text);
    assert_eq!(desk.get("/center/settlements/none/receipt").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_another_persons() {
    let world = World::start().await;
    let (mut her, mut other) = (Reader::of(world.persons), Reader::of(world.persons));
    let claim = first_claim(&her.sign_in(world.number(Role::LongTerm)).await);
    other.sign_in(world.number(Role::Unfiled)).await;
    let changed = format!("{}X", &claim[..claim.len() - 1]);
    let paths = [
        claim.clone(),
        claim.replace("/me/", "/me/v1/"),
        changed,
        "/me/claims/..".into(),
        "/me/claims/%00".into(),
    ];
    let mut words = Vec::new();
    for path in paths {
        let page = other.get(&path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.text.contains("42,069.45") && !page.text.contains("42069.45"), "{path}");
        words.push(page.text.replace(&path, ""));
    }
    assert_eq!(words[0], words[2], "hers and one that never was are told alike");
    // Nor with a name in the query or a form of hers.
    let mine = other.get("/me?psn_no=1&pool=440700").await;
    assert!(mine.text.contains("黄样未备") && !mine.text.contains("陈样长居"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_signing_out_by_idleness_and_by_guessing() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    assert_eq!(reader.get("/me").await.header("location"), "/sign-in?again=1");
    reader.cookies.insert("banyan-session".into(), "0".repeat(64));
    assert_eq!(reader.get("/me").await.header("location"), "/sign-in?again=1");

    let list = reader.sign_in(world.number(Role::LongTerm)).await;
    let stolen = reader.cookies.clone();
    let out = reader.post("/sign-out", &[("token", &list.hidden("token"))]).await;
    assert_eq!(out.header("location"), "/sign-in");
    reader.cookies = stolen;
    assert_eq!(reader.get("/me").await.header("location"), "/sign-in?again=1", "ended at the server too");

    reader.sign_in(world.number(Role::LongTerm)).await;
    world.clock.forward(IDLE_MS - 1);
    assert_eq!(reader.get("/me").await.status, StatusCode::OK);
    world.clock.forward(IDLE_MS);
    assert_eq!(reader.get("/me").await.header("location"), "/sign-in?again=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_may_be_typed_as_a_phone_types_it() {
    let world = World::start().await;
    let number = world.number(Role::LongTerm);
    let full_width = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
    let parted = format!(" {} {} {} ", &number[..6], &number[6..14], &number[14..]);
    for typed in [number.chars().map(full_width).collect(), parted] {
        let list = Reader::of(world.persons).sign_in(&typed).await;
        assert!(list.text.contains("我的就医结算"), "{typed}: {}", list.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_dead_promises_no_time() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let token = reader.get("/sign-in").await.hidden("token");
    let number = world.number(Role::LongTerm);
    reader.post("/sign-in", &[("token", &token), ("number", number)]).await;
    assert!(reader.get("/sign-in/code").await.text.contains("5分钟内有效"));
    let mut page = None;
    for _ in 0..5 {
        page = Some(reader.post("/sign-in/code", &[("token", &token), ("code", "x")]).await.text);
    }
    let page = page.unwrap();
    assert!(page.contains("验证码已失效") && !page.contains("5分钟内有效"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_begins_a_session_of_a_new_name() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let planted = "a".repeat(64);
    reader.cookies.insert("banyan-session".into(), planted.clone());
    reader.sign_in(world.number(Role::LongTerm)).await;
    assert_ne!(reader.cookies["banyan-session"], planted);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_without_their_token_or_from_elsewhere_change_nothing() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let begun = reader.get("/sign-in").await.hidden("token");
    let number = world.number(Role::LongTerm).to_owned();
    for token in ["", "wrong", &"0".repeat(32)] {
        let page = reader.post("/sign-in", &[("token", token), ("number", &number)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{token}");
    }
    reader.headers = vec![("origin", "https://elsewhere.test".into())];
    let page = reader.post("/sign-in", &[("token", &begun), ("number", &number)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "of another site");

    reader.headers = Vec::new();
    reader.sign_in(&number).await;
    let token = reader.get("/me/filings/new").await.hidden("token");
    let filing = |token: &str| {
        vec![
            ("token".to_owned(), token.to_owned()),
            ("message".into(), "m1".into()),
            ("category".into(), "TMP_OTHER".into()),
            ("target".into(), "310000".into()),
        ]
    };
    let mut refused = Vec::new();
    for (token, site) in [("", "same-origin"), ("wrong", "same-origin"), (token.as_str(), "cross-site")] {
        reader.headers = vec![("sec-fetch-site", site.into())];
        let fields = filing(token);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        refused.push(reader.post("/me/filings", &fields).await.status);
    }
    assert_eq!(refused, [StatusCode::FORBIDDEN; 3]);
    let filings = reader.get("/me/filings").await;
    assert!(!filings.text.contains("其他临时外出就医人员"), "{}", filings.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_files_once_however_often_the_form_is_sent() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::Unfiled)).await;
    let form = reader.get("/me/filings/new").await;
    let (token, message) = (form.hidden("token"), form.hidden("message"));
    let fields = [
        ("token", token.as_str()),
        ("message", &message),
        ("category", "TMP_OTHER"),
        ("target", "430100"),
        ("from", "2026-12-01"),
    ];
    let (first, again) =
        (reader.post("/me/filings", &fields).await, reader.post("/me/filings", &fields).await);
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text);
    assert_eq!(first.header("location"), again.header("location"));
    let page = reader.get(first.header("location")).await;
    assert!(
        page.text.contains("备案成功") && page.text.contains("长沙市") && page.text.contains("2026年12月1日"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("其他临时外出就医人员").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_forms_name_files_for_each_who_sends_it() {
    let world = World::start().await;
    // A link with a form's name in it, made by another person who has sent that form already.
    let planted = "a".repeat(30);
    let mut made = Vec::new();
    for role in [Role::Unfiled, Role::CivilServant] {
        let mut reader = Reader::of(world.persons);
        reader.sign_in(world.number(role)).await;
        let token = reader.get(&format!("/me/filings/new?message={planted}")).await.hidden("token");
        let fields = [
            ("token", token.as_str()),
            ("message", &planted),
            ("category", "TMP_OTHER"),
            ("target", "430100"),
        ];
        let page = reader.post("/me/filings", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let filings = reader.get(page.header("location")).await;
        assert!(filings.text.contains("备案成功"), "{}", filings.text);
        made.push(page.header("location").to_owned());
    }
    assert_ne!(made[0], made[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_before_and_changed_is_told_and_can_be_sent_again() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::Unfiled)).await;
    let form = reader.get("/me/filings/new").await;
    let (token, message) = (form.hidden("token"), form.hidden("message"));
    let fields = |target: &'static str, message: &str| {
        vec![
            ("token".to_owned(), token.clone()),
            ("message".to_owned(), message.to_owned()),
            ("category".to_owned(), "TMP_OTHER".to_owned()),
            ("target".to_owned(), target.to_owned()),
        ]
    };
    let mut sent = Vec::new();
    let mut message = message;
    for target in ["430100", "310000", "310000"] {
        let fields = fields(target, &message);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let page = reader.post("/me/filings", &fields).await;
        if page.status == StatusCode::UNPROCESSABLE_ENTITY {
            assert!(page.text.contains("这张表单已经提交过"), "{}", page.text);
            message = page.hidden("message");
        }
        sent.push(page.status);
    }
    assert_eq!(sent, [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SEE_OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_ends_a_filing_of_hers_and_nobody_else_s() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::Unfiled)).await;
    let form = reader.get("/me/filings/new").await;
    let (token, message) = (form.hidden("token"), form.hidden("message"));
    let fields = [
        ("token", token.as_str()),
        ("message", message.as_str()),
        ("category", "TMP_OTHER"),
        ("target", "310000"),
        ("phone", "<b>x"),
    ];
    let refused = reader.post("/me/filings", &fields).await;
    assert!(refused.text.contains("电话只能包含数字"), "{}", refused.text);
    reader.post("/me/filings", &fields[..4]).await;
    let list = reader.get("/me/filings").await;
    let end = list.links("/me/filings/").into_iter().find(|link| link.ends_with("/end")).unwrap();
    let page = reader.get(&end).await;
    assert!(page.text.contains("上海市") && page.text.contains("按未备案结算"), "{}", page.text);
    let (token, message) = (page.hidden("token"), page.hidden("message"));
    let mut other = Reader::of(world.persons);
    other.sign_in(world.number(Role::LongTerm)).await;
    assert_eq!(other.get(&end).await.status, StatusCode::NOT_FOUND);
    let ended = reader.post(&end, &[("token", token.as_str()), ("message", message.as_str())]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    let list = reader.get("/me/filings?ended=1").await;
    assert!(list.text.contains("备案已结束") && !list.text.contains(&end), "{}", list.text);
    let again = reader.post(&end, &[("token", token.as_str()), ("message", "A1")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_filing_is_told_at_its_field() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::LongTerm)).await;
    let form = reader.get("/me/filings/new").await;
    let (token, message) = (form.hidden("token"), form.hidden("message"));
    type Fields = &'static [(&'static str, &'static str)];
    let table: [(Fields, &str, &str); 7] = [
        (&[("target", "310000")], "category", "请选择备案类型"),
        (&[("category", "TMP_OTHER")], "target", "请选择就医地"),
        (&[("category", "TMP_OTHER"), ("target", "310000"), ("from", "soon")], "from", "日期请写成"),
        (&[("category", "TMP_OTHER"), ("target", "310000"), ("from", "2026-11-01")], "from", "备案不能追溯"),
        (&[("category", "LT_RESIDENT"), ("target", "310000")], "commitment", "需要您勾选承诺"),
        (&[("category", "LT_RESIDENT"), ("target", "310000"), ("commitment", "yes")], "category", "仍然有效"),
        (&[("category", "TMP_REFERRAL"), ("target", "310000")], "category", "请选择备案类型"),
    ];
    for (given, field, words) in table {
        let mut fields = vec![("token", token.as_str()), ("message", &message)];
        fields.extend_from_slice(given);
        let page = reader.post("/me/filings", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{given:?}: {}", page.text);
        assert!(
            page.text.contains(&format!("href=\"#{field}\""))
                && page.text.contains(&format!("id=\"{field}-fault\""))
                && page.text.contains(words),
            "{given:?}: {}",
            page.text
        );
        assert!(page.text.contains(&format!("id=\"{field}\"")), "{field} has its input");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_protected_and_only_the_style_sheet_is_kept() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::LongTerm)).await;
    let claim = first_claim(&list);
    for path in ["/sign-in", "/me", &claim, "/me/filings/new", "/nowhere", "/me/v1/claims"] {
        let page = reader.get(path).await;
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'")
                && !policy.contains("unsafe")
                && !policy.contains("script"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
        for forbidden in ["<script", "style=\"", "onclick", "http://", "https://", "src=\"//"] {
            assert!(!page.text.contains(forbidden), "{forbidden} in {path}");
        }
    }
    let sheet = reader.get(&list.links("/assets/")[0]).await;
    assert!(
        sheet.header("cache-control").contains("immutable")
            && sheet.header("content-type").starts_with("text/css")
    );
    let session = Reader::of(world.persons).get("/sign-in").await;
    let cookie = session.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_input_are_never_markup() {
    let name = "<script>alert(1)</script>";
    let world = World::start_as(Wish { names: vec![(Role::LongTerm, name)], ..Wish::default() }).await;
    let mut reader = Reader::of(world.persons);
    let list = reader.sign_in(world.number(Role::LongTerm)).await;
    assert!(!list.text.contains(name) && list.text.contains("&lt;script&gt;alert(1)"), "{}", list.text);
    let form = reader.get("/me/filings/new").await;
    let fields = [
        ("token", form.hidden("token")),
        ("message", form.hidden("message")),
        ("phone", "\"><script>x".into()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let page = reader.post("/me/filings", &fields).await;
    assert!(
        !page.text.contains("<script>x") && page.text.contains("&quot;&gt;&lt;script&gt;x"),
        "{}",
        page.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_attempts_are_limited() {
    let world = World::start().await;
    let number = world.number(Role::LongTerm).to_owned();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let mut reader = Reader::of(world.persons);
        let token = reader.get("/sign-in").await.hidden("token");
        statuses.push(reader.post("/sign-in", &[("token", &token), ("number", &number)]).await.status);
    }
    assert_eq!(statuses[..5], [StatusCode::SEE_OTHER; 5], "five codes for a number");
    assert_eq!(statuses[5], StatusCode::TOO_MANY_REQUESTS);

    let mut reader = Reader::of(world.persons);
    let token = reader.get("/sign-in").await.hidden("token");
    let mut shed = None;
    for _ in 0..60 {
        let page = reader.post("/sign-in/code", &[("token", &token), ("code", "000000")]).await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            shed = Some(page);
            break;
        }
    }
    let shed = shed.expect("an address that guesses is shed");
    assert!(shed.header("retry-after").parse::<u32>().unwrap() >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sender_nobody_signs_in_and_the_page_says_so() {
    let world =
        World::start_as(Wish { sandbox: false, delivery: Delivery::NotConnected, ..Wish::default() }).await;
    let mut reader = Reader::of(world.persons);
    let form = reader.get("/sign-in").await;
    assert!(form.text.contains("尚未接通短信验证码"));
    let number = world.number(Role::LongTerm).to_owned();
    let page = reader.post("/sign-in", &[("token", &form.hidden("token")), ("number", &number)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!reader.get("/sign-in/code").await.text.contains("sandbox-code"));
}

/// Takes every code and never says whether it arrived.
struct Silent(std::sync::Mutex<Vec<String>>);

impl CodeSender for Silent {
    fn send<'a>(&'a self, phone: &'a str, code: &'a str) -> BoxFuture<'a, Result<(), NotSent>> {
        self.0.lock().unwrap().push(format!("{phone} {code}"));
        Box::pin(std::future::pending())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_sender_no_answer_tells_whether_a_number_names_somebody() {
    let sender = Arc::new(Silent(std::sync::Mutex::default()));
    let carrier: Arc<dyn CodeSender> = Arc::clone(&sender) as Arc<dyn CodeSender>;
    let world =
        World::start_as(Wish { sandbox: false, delivery: Delivery::Sent(carrier), ..Wish::default() }).await;
    let hers = world.number(Role::LongTerm).to_owned();
    let mut pages = Vec::new();
    for number in [hers.as_str(), "440799199001019999"] {
        let mut reader = Reader::of(world.persons);
        let token = reader.get("/sign-in").await.hidden("token");
        let asked = reader.post("/sign-in", &[("token", &token), ("number", number)]).await;
        assert_eq!(asked.header("location"), "/sign-in/code", "at once, whatever the carrier does");
        let page = reader.get("/sign-in/code").await;
        assert!(!page.text.contains("sandbox-code"));
        let wrong = reader.post("/sign-in/code", &[("token", &token), ("code", "x")]).await;
        pages.push((page.text.replace(&token, ""), wrong.status, wrong.text.replace(&token, "")));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_limit_and_unknown_methods_are_refused() {
    let world = World::start().await;
    let mut reader = Reader::of(world.persons);
    let big = vec![b'a'; 100 * 1024];
    let page = reader.send("POST", "/sign-in", big, "application/x-www-form-urlencoded").await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reader.send("DELETE", "/me", Vec::new(), "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reader.get("/nowhere").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_adds_up_to_zero_and_leads_to_its_settlements() {
    let world = World::start().await;
    let mut desk = Reader::of(world.center);
    let month = desk.get("/center/months/202611").await;
    assert!(month.text.contains("Σ = 0.00") && month.text.contains("账目平衡"), "{}", month.text);
    assert!(month.text.contains("still running") && !month.text.contains("not begun"), "{}", month.text);
    let future = desk.get("/center/months/209901").await.text;
    assert!(future.contains("本月尚未开始") && !future.contains("still running"), "{future}");
    assert!(
        month.links("/center/months/202610").len() == 1 && month.links("/center/months/202612").is_empty()
    );
    let ended = desk.get("/center/months/202610").await;
    assert_eq!(ended.links("/center/months/202611"), ["/center/months/202611"], "a month that has begun");
    let data: Value = serde_json::from_str(&desk.get("/center/v1/months/202611").await.text).unwrap();
    assert_eq!((&data["net_sum"], &data["balanced"]), (&json!("0.00"), &json!(true)));
    assert_eq!(data["state"], "open");

    let pair = desk.get("/center/months/202611/440700/430100").await;
    let hospital = pair.links("/center/months/202611/440700/430100/")[0].clone();
    let rows = desk.get(&hospital).await;
    let settlements = rows.links("/center/settlements/");
    assert!(!settlements.is_empty());
    let csv = desk.get(&format!("{hospital}/settlements.csv")).await;
    assert_eq!(csv.text.lines().count(), settlements.len() + 1);
    let one = desk.get(&settlements[0]).await;
    assert!(one.text.contains("¥42,069.45") || one.text.contains("¥51,900.00"), "{}", one.text);
    for figure in &world.figures {
        let private = &figure.insured.private;
        for page in [&month, &pair, &rows, &one, &csv] {
            assert!(!page.text.contains(&private.name) && !page.text.contains(&private.certificate_number));
            assert!(!page.text.contains(figure.insured.person.number()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_and_its_settlement_cancel_in_the_month() {
    let world = World::start().await;
    let mut desk = Reader::of(world.center);
    let data: Value = serde_json::from_str(&desk.get("/center/v1/months/202611").await.text).unwrap();
    let pairs = data["pairs"].as_array().unwrap();
    let pair = pairs.iter().find(|p| p["insured_pool"] == "440700" && p["care_pool"] == "440100").unwrap();
    assert_eq!((&pair["settlements"], &pair["reversals"]), (&json!(2), &json!(1)));
    // In the province at .83, once: E01's figures.
    assert_eq!(pair["owed"], "29987.49");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_is_open_on_this_machine_only_and_takes_filings_in_the_sandbox_only() {
    let world = World::start().await;
    let mut desk = Reader::of(world.center);
    desk.headers = vec![("host", "desk.elsewhere.test".into())];
    assert_eq!(desk.get("/center/months/202611").await.status, StatusCode::FORBIDDEN);

    let real =
        World::start_as(Wish { sandbox: false, delivery: Delivery::NotConnected, ..Wish::default() }).await;
    let mut desk = Reader::of(real.center);
    let page = desk.get("/center/months/202611").await;
    assert!(page.status == StatusCode::OK && page.text.contains("只能在本机查看"));
    let body = filing(&real, "F1", "310000").to_string().into_bytes();
    let page = desk.send("POST", "/center/v1/filings", body, "application/json").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

fn filing(world: &World, id: &str, target: &str) -> Value {
    let person = &world.figure(Role::Unfiled).insured.person;
    json!({ "id": id, "pool": person.pool.to_string(), "psn_no": person.number(), "category": "TMP_REFERRAL", "target": target })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_brings_filings_in_each_once() {
    let world = World::start().await;
    let mut desk = Reader::of(world.center);
    let table = [
        (filing(&world, "F1", "310000"), "application/json", 201),
        (filing(&world, "F1", "310000"), "application/json", 200),
        (filing(&world, "F1", "450100"), "application/json", 409),
        (filing(&world, "F2", "440700"), "application/json", 409),
        (filing(&world, "F3", "310000"), "text/plain", 400),
        (json!({ "id": "F4" }), "application/json", 400),
        (filing(&world, "F5", "31"), "application/json", 400),
    ];
    for (body, kind, status) in table {
        let page = desk.send("POST", "/center/v1/filings", body.to_string().into_bytes(), kind).await;
        assert_eq!(page.status.as_u16(), status, "{body}: {}", page.text);
    }
    let mut reader = Reader::of(world.persons);
    reader.sign_in(world.number(Role::Unfiled)).await;
    let filings = reader.get("/me/filings").await;
    assert_eq!(filings.text.matches("异地转诊人员").count(), 1, "{}", filings.text);
}
