//! Two gateways as `banyan serve` composes them, over one ledger and one Redis.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use banyan::cache::bus::Message;
use banyan::cache::bus::Topic;
use banyan::command::Exit;
use banyan::command::import;
use banyan::config::gateway::Gateway;
use banyan::config::ledger::LedgerKept;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::ids::InstitutionCode;
use banyan::protocol::files::kind::Kind;
use banyan::sandbox::catalogue::codes;
use banyan::sandbox::redis::RedisServer;
use banyan::sandbox::stays::Charge;
use banyan::service::seams::Clock;
use hyper::StatusCode;
use tokio::time::timeout;

use crate::reader::Reader;
use crate::stage::PATIENCE;
use crate::stage::section;
use crate::stage::server;
use crate::support::people::EMPLOYEE;
use crate::support::world::World;

pub(crate) const SMALL: [Charge; 1] = [Charge::new(codes::LABORATORY, 45_030, 1)];

pub(crate) struct Pair {
    pub one: World,
    pub other: World,
    pub server: RedisServer,
}

impl Pair {
    pub(crate) async fn start(change: impl Fn(&mut Gateway)) -> Pair {
        let server = server();
        let together = |config: &mut Gateway, _: &Path| {
            config.cache = Some(section(&[&server]));
            change(config);
        };
        let one = World::start_with(together).await;
        let file = one.ledger_file.clone();
        let other = World::start_with(|config, folder| {
            together(config, folder);
            config.ledger.kept = LedgerKept::File(file);
        })
        .await;
        Pair { one, other, server }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_at_one_is_known_at_the_other() {
    let pair = Pair::start(|_| {}).await;
    let insured = pair.one.insure(&EMPLOYEE).await;
    let mut reader = Reader::of(pair.one.app.addresses().persons);
    let list = reader.sign_in(&insured.private.certificate_number).await;
    assert_eq!(list.status, StatusCode::OK);
    let mut elsewhere = Reader::of(pair.other.app.addresses().persons);
    assert_eq!(elsewhere.get("/me").await.status, StatusCode::SEE_OTHER, "nobody without her cookie");
    elsewhere.cookies.clone_from(&reader.cookies);
    let same = elsewhere.get("/me").await;
    assert_eq!(same.status, StatusCode::OK);
    let token = same.hidden("token");
    elsewhere.post("/sign-out", &[("token", &token)]).await;
    assert_eq!(reader.get("/me").await.status, StatusCode::SEE_OTHER, "signed out at both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_begun_at_one_is_ended_at_the_other() {
    let pair = Pair::start(|_| {}).await;
    let insured = pair.one.insure(&EMPLOYEE).await;
    let mut reader = Reader::of(pair.one.app.addresses().persons);
    let token = reader.get("/sign-in").await.hidden("token");
    reader.post("/sign-in", &[("token", &token), ("number", &insured.private.certificate_number)]).await;
    let code = reader.get("/sign-in/code").await.code();
    let mut elsewhere = Reader::of(pair.other.app.addresses().persons);
    elsewhere.cookies.clone_from(&reader.cookies);
    let taken = elsewhere.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
    assert_eq!(taken.header("location"), "/me", "{}", taken.text);
    let again = reader.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "a code is good once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_has_one_limit_at_both() {
    const BURST: u32 = 64;
    let pair = Pair::start(|config| {
        (config.hospital.limits.per_second, config.hospital.limits.burst) = (1, BURST);
    })
    .await;
    let insured = pair.one.insure(&EMPLOYEE).await;
    let mut admitted = [0, 0];
    let mut refused = Vec::new();
    for _ in 0..BURST {
        for (node, world) in [&pair.one, &pair.other].into_iter().enumerate() {
            let answer = world.visit(&insured, 440_100, HospitalLevel::Three, &SMALL).identify().await;
            if answer.code() == "rate-limited" { refused.push(answer) } else { admitted[node] += 1 }
        }
    }
    let all: u32 = admitted.iter().sum();
    assert!((BURST - 6..=BURST + 10).contains(&all), "{admitted:?} of a burst of {BURST}");
    assert!(admitted.iter().all(|node| *node >= 20), "each had its share: {admitted:?}");
    assert!(!refused.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_node_holds_the_limit_by_itself() {
    const BURST: u32 = 20;
    let mut pair = Pair::start(|config| {
        (config.hospital.limits.per_second, config.hospital.limits.burst) = (1, BURST);
    })
    .await;
    pair.server.kill();
    let insured = pair.one.insure(&EMPLOYEE).await;
    for world in [&pair.one, &pair.other] {
        let mut admitted = 0;
        for _ in 0..2 * BURST {
            let answer = world.visit(&insured, 440_100, HospitalLevel::Three, &SMALL).identify().await;
            admitted += u32::from(answer.code() != "rate-limited");
        }
        assert!((BURST..=BURST + 5).contains(&admitted), "{admitted}");
    }
}

/// Settings of a gateway of the pair, as a file: what a command beside it reads.
fn settings_file(pair: &Pair, folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(pair.one.folder().settings()).unwrap();
    let ledger = format!("file = \"{}\"", pair.one.ledger_file.display());
    let text = text.replace("file = \"data/ledger.db\"", &ledger);
    let root = pair.one.folder().root().display();
    let text =
        ["lookup_key = \"", "store = \"", "master = \"", "folder = \"", "certificate = \"", "key = \""]
            .iter()
            .fold(text, |text, key| text.replace(&format!("\n{key}"), &format!("\n{key}{root}/")));
    let text = text.replace("\"tls/authority.pem\"", &format!("\"{root}/tls/authority.pem\""));
    let file = folder.join("gateway.toml");
    std::fs::write(&file, format!("{text}\n[cache]\nurl = \"{}\"\n", pair.server.url())).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_in_force_at_every_node_that_hears_of_it() {
    let pair = Pair::start(|_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let mut told = pair.other.app.service.bus.subscribe(Topic::Changes);
    let code = InstitutionCode::parse("H44070399999").unwrap();
    let is_known = || pair.other.app.service.reference.load().institutions.contains_key(&code);
    assert!(!is_known());

    let file = folder.path().join("institutions.csv");
    let text = "fixmedins_code,fixmedins_name,admdvs,hosp_lv,fixmedins_type,uscc,in_province,cross_province,begndate\n\
                H44070399999,江门市新开医院,440703,02,1,12440703NEW0000001,1,1,2026-01-01\n";
    std::fs::write(&file, text).unwrap();
    let arguments = import::Arguments {
        file,
        kind: Kind::Institutions,
        source: "bureau".into(),
        config: settings_file(&pair, folder.path()),
        ledger: None,
        keys: None,
        yes: true,
        dry_run: false,
        differences: None,
        json: false,
    };
    let mut out = Vec::new();
    let clock = Arc::clone(&pair.one.clock) as Arc<dyn Clock>;
    let exit = import::run(&arguments, clock, &mut out).await;
    assert_eq!(exit, Exit::Done, "{}", String::from_utf8_lossy(&out));
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Ok(Message::TablesChanged));

    let in_force = async {
        tokio::select! {
            () = pair.other.app.follow_changes() => {}
            () = async { while !is_known() { tokio::task::yield_now().await } } => {}
        }
    };
    timeout(PATIENCE, in_force).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn deeds_of_one_are_heard_at_the_other_and_name_nobody() {
    let pair = Pair::start(|_| {}).await;
    let insured = pair.one.insure(&EMPLOYEE).await;
    let mut desk = pair.other.app.service.bus.subscribe(Topic::Deeds);
    let heard = async {
        loop {
            let mut visit = pair.one.visit(&insured, 440_100, HospitalLevel::Three, &SMALL);
            visit.through().await;
            if let Ok(Ok(Message::Deed(deed))) = timeout(Duration::from_millis(200), desk.recv()).await {
                return deed;
            }
        }
    };
    let deed = timeout(PATIENCE, heard).await.unwrap();
    let hospital = pair.one.hospital(440_100, HospitalLevel::Three).institution.code.as_str();
    assert_eq!(deed.institution, hospital);
    assert!(!format!("{deed:?}").contains(insured.person.number()));
}
