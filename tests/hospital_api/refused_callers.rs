//! Who may not call, what is no message, and what is too much: each gets the standard's envelope and leaves the ledger.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use banyan::config::gateway::Caller;
use banyan::config::gateway::Gateway;
use banyan::config::gateway::Network;
use banyan::config::gateway::Proof;
use banyan::config::gateway::Switch;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::ids::InstitutionCode;
use banyan::protocol::hospital::signature;
use banyan::sandbox::his::Line;
use banyan::sandbox::identities::Authority;
use banyan::sandbox::play;
use banyan::sandbox::story::LUNG;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use hyper::StatusCode;
use serde_json::Value;

use crate::support::answer::Answer;
use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

const PATH: &str = "/fsi/api/rsfComIfsService/callService";

async fn visit(world: &World) -> Visit<'_> {
    let insured = world.insure(&EMPLOYEE).await;
    world.visit(&insured, 440_700, Two, &LUNG)
}

async fn post(line: &Line, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> Answer {
    let (status, bytes) = line.open().await.unwrap().post(PATH, headers, body.into()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    Answer::read(bytes)
}

#[tokio::test]
async fn a_caller_is_who_its_certificate_says() {
    let world = World::start().await;
    let visit = visit(&world).await;
    let message = visit.message("2401", &play::admit(&visit.stay)).to_string();
    let (rows, address, authority) = (world.rows(), world.app.addresses().hospital, world.authority());

    let nameless = Line::new(address, &authority, None).unwrap();
    let refused = post(&nameless, &[], message.clone()).await.refused("caller-unknown");
    assert!(refused.err_msg().starts_with("无法识别调用方，请使用本机构的客户端证书或网关签名"));

    let other = world.hospital(440_100, Two).institution.code.to_string();
    let refused = post(&world.line(&other), &[], message.clone()).await.refused("not-your-institution");
    assert!(refused.err_msg().contains(&visit.stay.fixmedins_code), "{}", refused.err_msg());

    assert_eq!(world.rows(), rows);
    let ours = post(&world.line(&visit.stay.fixmedins_code), &[], message).await;
    ours.done();
}

/// Registered or not, alone or beside a right signature: a certificate that is not trusted opens nothing, and its owner
/// reads why and whom to ask.
#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_why_in_the_envelope_and_opens_nothing() {
    const CODE: &str = "H44070300001";
    let code = InstitutionCode::parse(CODE).unwrap();
    let today = SystemClock.now().day();
    let made = |day: Day| {
        let authority = Authority::make(day).unwrap();
        (authority.certificate(), authority.institution(&code).unwrap())
    };
    // Certificates hold for ten years from the day before.
    let (once_ours, expired) = made(today.plus_months(-12 * 11));
    let (soon_ours, early) = made(today.plus_months(12));
    let (_, foreign) = made(today);
    let shown = [
        (expired, "客户端证书已过期，请向医保经办机构换领证书"),
        (early, "客户端证书尚未生效，请改用已生效的证书"),
        (foreign, "客户端证书不是受信机构签发，请向医保经办机构申领证书"),
    ];
    let world = World::start_with(|config, place| {
        signing(CODE)(config, place);
        let bundle = place.join("institutions.pem");
        let ours = std::fs::read_to_string(config.hospital.client_authorities.as_ref().unwrap()).unwrap();
        std::fs::write(&bundle, [ours, once_ours, soon_ours].join("\n")).unwrap();
        config.hospital.client_authorities = Some(bundle);
        for (identity, _) in &shown {
            let proof = Proof::Certificate { fingerprint: identity.fingerprint.clone() };
            config.callers.push(Caller { proof, institutions: vec![code.clone()] });
        }
    })
    .await;
    let input = serde_json::json!({"medinsinfo": {"fixmedins_type": "1"}});
    let message = world.message(CODE, "1201", "", &input).to_string();
    let (rows, address) = (world.rows(), world.app.addresses().hospital);
    for (at, (identity, words)) in shown.iter().enumerate() {
        let line =
            Line::new(address, &world.authority(), Some((&identity.certificate, &identity.key))).unwrap();
        let refused = post(&line, &[], message.clone()).await.refused("caller-unknown");
        assert!(refused.err_msg().starts_with(words), "{}", refused.err_msg());
        let signature = signed(SECRET, world.clock.now(), &format!("n{at}"));
        let headers: Vec<(&str, &str)> = signature.iter().map(|(name, it)| (*name, it.as_str())).collect();
        let refused = post(&line, &headers, message.clone()).await.refused("caller-unknown");
        assert!(refused.err_msg().starts_with(words), "{}", refused.err_msg());
        let (status, _) = line.open().await.unwrap().get("/receipts/1").await.unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn a_certificate_that_no_institution_is_registered_with_is_told_apart() {
    let forgotten = std::sync::Mutex::new(String::new());
    let world = World::start_with(|config, _| {
        *forgotten.lock().unwrap() = config.callers.remove(0).institutions[0].to_string();
    })
    .await;
    let code = forgotten.into_inner().unwrap();
    let message =
        world.message(&code, "1201", "", &serde_json::json!({"medinsinfo": {"fixmedins_type": "1"}}));
    let refused = world.send(&message).await.refused("caller-unknown");
    assert!(refused.err_msg().starts_with("客户端证书未登记到任何机构，请联系医保经办机构登记"));
}

/// A hospital that comes, goes, or changes its certificate does not need a restart, nor a new connection.
#[tokio::test]
async fn callers_are_registered_and_forgotten_while_calls_run() {
    let world = World::start().await;
    let mut callers = world.callers();
    let code = callers[0].institutions[0].to_string();
    let ask = async || {
        let input = serde_json::json!({"medinsinfo": {"fixmedins_type": "1"}});
        world.send(&world.message(&code, "1201", "", &input)).await
    };
    ask().await.done();
    let forgotten = callers.remove(0);
    assert_eq!(world.app.reload(&callers).await, Vec::<String>::new());
    ask().await.refused("caller-unknown");
    callers.push(forgotten);
    assert_eq!(world.app.reload(&callers).await, Vec::<String>::new());
    ask().await.done();
    // Twice is a fault: what was there before stays in force.
    callers.push(callers[0].clone());
    let faults = world.app.reload(&callers).await;
    assert!(faults[0].contains("stands twice"), "{faults:?}");
    ask().await.done();
}

#[tokio::test]
async fn an_unknown_transaction_gets_the_words_of_the_standard() {
    let world = World::start().await;
    let visit = visit(&world).await;
    let rows = world.rows();
    for infno in ["9999", "2401A", "23044", "签到", ""] {
        let mut message = visit.message("2401", &play::admit(&visit.stay));
        message["infno"] = infno.into();
        let refused = world.send(&message).await;
        match infno {
            "" => assert_eq!(refused.code(), "missing-field"),
            _ => assert!(
                refused.err_msg().starts_with("交易报文不正确：未知交易编号！"),
                "{}",
                refused.err_msg()
            ),
        }
    }
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn what_is_no_message_is_told_what_it_lacks() {
    let world = World::start().await;
    let code = world.hospital(440_700, Two).institution.code.to_string();
    let rows = world.rows();
    let deep = format!(
        r#"{{"infno":"2401","input":{}{}}}"#,
        r#"{"a":"#.repeat(5_000),
        "1".to_owned() + &"}".repeat(5_000)
    );
    let gbk: &[u8] = b"{\"infno\":\"2401\",\"opter_name\":\"\xd5\xc5\xc8\xfd\"}";
    let cases: [(Vec<u8>, &str, &str); 8] = [
        (Vec::new(), "malformed-message", "请发送交易报文"),
        (b"hello".to_vec(), "malformed-message", "请更正后重发"),
        (br#"{"infno":"2401","#.to_vec(), "malformed-message", "请更正后重发"),
        (br#"["infno"]"#.to_vec(), "malformed-message", "应为JSON对象"),
        (gbk.to_vec(), "not-utf8", "请改用UTF-8"),
        (deep.into_bytes(), "message-too-deep", "嵌套过深"),
        (vec![0x1f, 0x8b, 8, 0], "compressed-not-taken", "未压缩的JSON"),
        (br#"{"infno":"2401"}"#.to_vec(), "missing-field", "不能为空"),
    ];
    for (body, refusal, words) in cases {
        let answer = world.send_text(&code, body).await.refused(refusal);
        assert!(answer.err_msg().contains(words), "{}", answer.err_msg());
    }
    assert_eq!(world.rows(), rows);
}

#[tokio::test]
async fn ten_megabytes_are_refused_in_the_envelope_and_the_next_call_goes_through() {
    let world = World::start().await;
    let mut visit = visit(&world).await;
    let mut message = visit.message("2401", &play::admit(&visit.stay));
    message["dev_safe_info"] = "x".repeat(10 * 1024 * 1024).into();
    let rows = world.rows();
    let refused = world.send(&message).await.refused("body-too-large");
    assert!(refused.err_msg().starts_with("报文超过大小上限，请分批发送"), "{}", refused.err_msg());
    assert!(refused.err_msg().contains("上限8388608字节"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    visit.admit().await.done();
}

const SECRET: &str = "a secret of the tests";
const ACCOUNT: &str = "tests";

/// An institution that must sign, with its certificate or without.
fn signing(code: &str) -> impl FnOnce(&mut Gateway, &Path) {
    let code = InstitutionCode::parse(code).unwrap();
    move |config, place| {
        let secret_file = place.join("secret");
        let mut file = std::fs::File::create(&secret_file).unwrap();
        file.write_all(SECRET.as_bytes()).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
        let networks = vec![Network::parse("127.0.0.0/8").unwrap()];
        let proof = Proof::Signature { paas_id: ACCOUNT.into(), secret_file, networks };
        config.callers.push(Caller { proof, institutions: vec![code.clone()] });
        let usual = config.institutions.default;
        config.institutions.by_code.insert(code, Switch { signature_required: true, ..usual });
    }
}

/// The four headers, signed with a secret at a time.
fn signed(secret: &str, at: Instant, nonce: &str) -> [(&'static str, String); 4] {
    let timestamp = (at.0 / 1000).to_string();
    let signature = signature::hexadecimal(&signature::sign(&timestamp, secret.as_bytes(), nonce));
    [
        ("x-tif-paasId", ACCOUNT.to_owned()),
        ("x-tif-timestamp", timestamp),
        ("x-tif-nonce", nonce.to_owned()),
        ("x-tif-signature", signature),
    ]
}

#[tokio::test]
async fn where_signatures_are_wanted_only_a_fresh_and_right_one_passes() {
    const CODE: &str = "H44070300001";
    let world = World::start_with(signing(CODE)).await;
    let message = |at: usize| {
        let input = serde_json::json!({"medinsinfo": {"fixmedins_type": "1"}});
        let mut message: Value = world.message(CODE, "1201", "", &input);
        message["msgid"] = format!("M{at}").into();
        message.to_string()
    };
    let now = world.clock.now();
    let nameless = Line::new(world.app.addresses().hospital, &world.authority(), None).unwrap();
    let certified = world.line(CODE);
    for (at, line) in [&nameless, &certified].into_iter().enumerate() {
        let send = async |headers: &[(&'static str, String)]| {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post(line, &headers, message(at)).await
        };
        let nonce = |name: &str| format!("{name}{at}");
        let good = signed(SECRET, now, &nonce("a"));
        send(&good).await.done();
        send(&good).await.refused("signature-replayed");
        send(&signed("another secret", now, &nonce("b"))).await.refused("signature-bad");
        let late = send(&signed(SECRET, Instant(now.0 - 301_000), &nonce("c"))).await;
        assert!(late.refused("signature-expired").err_msg().contains("请校准时钟并重新签名"));
        send(&good[..3]).await.refused("signature-missing");
        let mut stranger = signed(SECRET, now, &nonce("d"));
        stranger[0].1 = "nobody".into();
        let refused = send(&stranger).await;
        match at {
            0 => assert!(refused.refused("caller-unknown").err_msg().contains("请核对x-tif-paasid")),
            _ => drop(refused.refused("signature-missing")),
        }
    }
    // The certificate alone does not do where a signature is required.
    post(&certified, &[], message(9)).await.refused("signature-missing");
}

#[tokio::test]
async fn who_sends_more_than_its_rate_is_told_when_to_come_back_and_others_are_not_hurt() {
    let world = World::start_with(|config, _| {
        (config.hospital.limits.per_second, config.hospital.limits.burst) = (1, 3);
    })
    .await;
    let mut visit = visit(&world).await;
    for _ in 0..3 {
        visit.identify().await.done();
    }
    let rows = world.rows();
    let refused = visit.admit().await.refused("rate-limited");
    assert!(refused.err_msg().starts_with("本机构请求过于频繁，请1秒后原样重发"), "{}", refused.err_msg());
    assert_eq!(world.rows(), rows);
    let other = world.insure(&EMPLOYEE).await;
    world.visit(&other, 440_100, Two, &LUNG).admit().await.done();
}

#[tokio::test]
async fn a_message_whose_bytes_find_no_room_is_told_as_any_that_is_shed_and_its_line_goes_on() {
    let world = World::start_with(|config, _| config.hospital.bodies_bytes_max = 50_000).await;
    let visit = visit(&world).await;
    let message = visit.message("2401", &play::admit(&visit.stay)).to_string();
    let long = message.clone() + &" ".repeat(100_000);
    let mut line = world.line(&visit.stay.fixmedins_code).open().await.unwrap();
    let rows = world.rows();
    let (status, told) = line.post(PATH, &[], long.into()).await.unwrap();
    let refused = Answer::read(told).refused("overloaded");
    assert_eq!((status, world.rows()), (StatusCode::OK, rows));
    assert!(refused.err_msg().starts_with("系统繁忙，请1秒后原样重发"), "{}", refused.err_msg());
    Answer::read(line.post(PATH, &[], message.into()).await.unwrap().1).done();
    world.is_sound().await;
}

#[tokio::test]
async fn what_there_is_no_room_for_is_shed_at_once_and_may_be_sent_again() {
    let world = World::start_with(|config, _| {
        (config.hospital.limits.in_flight_max, config.hospital.limits.waiting_max) = (1, 0);
    })
    .await;
    let visit = visit(&world).await;
    let message = visit.message("2401", &play::admit(&visit.stay)).to_string();
    let line = Arc::new(world.line(&visit.stay.fixmedins_code));
    let mut open = Vec::new();
    for _ in 0..40 {
        open.push(line.open().await.unwrap());
    }
    let copies = open.into_iter().map(|mut connection| {
        let message = message.clone();
        async move { Answer::read(connection.post(PATH, &[], message.into()).await.unwrap().1) }
    });
    let answers = futures_util::future::join_all(copies).await;
    let (shed, done): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| !answer.ok());
    assert!(!shed.is_empty() && !done.is_empty(), "{} shed, {} done", shed.len(), done.len());
    for answer in shed {
        let refused = answer.refused("overloaded");
        assert!(refused.err_msg().starts_with("系统繁忙，请1秒后原样重发"), "{}", refused.err_msg());
    }
    let again = post(&line, &[], message).await.done();
    assert!(done.iter().all(|answer| answer.bytes == again.bytes), "answered otherwise");
    world.is_sound().await;
}
