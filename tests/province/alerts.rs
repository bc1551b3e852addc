//! Each alert is fired by a gateway that was brought into the state that it is about, and by no healthy one.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use banyan::domain::calendar::Instant;
use banyan::sandbox::identities::Authority;
use banyan::sandbox::play;
use banyan::sandbox::postgres::Server;
use banyan::sandbox::redis::RedisServer;
use banyan::service::seams::Clock;
use banyan::service::seams::SystemClock;

use crate::recovery::moved_up;
use crate::rules::Goes;
use crate::rules::all_alerts;
use crate::rules::fires;
use crate::rules::is_quiet_but_for;
use crate::scrape::Scrape;
use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::banyan;
use crate::stage::done;
use crate::stage::until;

#[test]
fn every_alert_says_what_to_do_and_is_fired_here() {
    let rules = fs::read_to_string(crate::rules::RULES).unwrap();
    let here = fs::read_to_string("tests/province/alerts.rs").unwrap();
    let parts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert_eq!(parts.len(), all_alerts().len());
    for (alert, part) in all_alerts().iter().zip(parts) {
        assert!(here.contains(&format!("\"{alert}\"")), "nothing fires {alert}");
        for said in ["summary: ", "action: ", "severity: "] {
            assert!(part.contains(said), "{alert} has no {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_gateway_is_quiet_but_for_packs_that_nobody_verified_and_one_that_is_gone_is_missed() {
    let mut stage = Stage::make().await;
    let patients = stage.insure(1, Arc::new(SystemClock)).await;
    // The disk of the machine that tests run on may be full.
    let mut gate = on_a_disk_of_its_own(&stage, 65_536);
    let before = gate.scrape_settled();
    let stay = &patients[0].1;
    let bill = stage.until_discharge(&gate, stay).await;
    stage.settle(&gate, stay, &bill).await.done();
    let worked = gate.scrape_when("its deeds are anchored", |scrape| {
        scrape.sum("banyan_ledger_unanchored_seconds", "") == 0.0
    });
    assert_eq!(worked.sum("banyan_ledger_commits_total", "recorded"), 4.0);
    assert!(worked.sum("banyan_ledger_batch_deeds_sum", "") >= 4.0);
    assert_eq!(worked.sum("banyan_ready", ""), 1.0);
    is_quiet_but_for(&["BanyanPacksUnverified"], &before, &worked);
    fires(&["BanyanPacksUnverified"], &Scrape::default(), Some(&worked), Goes::On);
    gate.kill();
    assert!(Scrape::of(gate.operators).is_none());
    fires(&["BanyanDown"], &worked, None, Goes::On);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_end_a_store_that_cannot_be_read_and_a_pack_that_is_wrong_are_told() {
    let stage = Stage::make().await;
    let gate = Gate::start(&stage.folder.settings());
    let before = gate.scrape_settled();

    let (certificate, key) = stage.folder.gateway_identity();
    let (pem, its_key) = ending_in(&stage, 1, false);
    fs::write(certificate, pem).unwrap();
    fs::write(key, its_key).unwrap();
    let authorities = fs::read_to_string(stage.folder.authority()).unwrap();
    fs::write(stage.folder.authority(), format!("{authorities}{}", ending_in(&stage, 20, true).0)).unwrap();
    gate.signal("-HUP");
    let ending = gate.scrape_when("the new certificates are in force", |scrape| {
        scrape.sum("banyan_certificate_remaining_seconds", "hospitals") < 172_800.0
    });
    let alerts = ["BanyanCertificateEnds", "BanyanCertificateEndsNow", "BanyanClientAuthorityEnds"];
    fires(&alerts, &before, Some(&ending), Goes::On);

    let (store, aside) = (stage.path("keys/store.json"), stage.path("keys/aside.json"));
    fs::rename(&store, &aside).unwrap();
    let unreadable =
        gate.scrape_when("it misses the store", |scrape| scrape.sum("banyan_key_store_readable", "") == 0.0);
    fires(&["BanyanKeyStoreUnreadable"], &before, Some(&unreadable), Goes::On);
    fs::rename(&aside, &store).unwrap();
    gate.scrape_when("it finds the store", |scrape| scrape.sum("banyan_key_store_readable", "") == 1.0);

    fs::write(stage.path("packs/440700.toml"), "not a pack").unwrap();
    gate.signal("-HUP");
    let refused =
        gate.scrape_when("the pack is refused", |scrape| scrape.sum("banyan_reload_faults_total", "") > 0.0);
    fires(&["BanyanReloadFailed"], &before, Some(&refused), Goes::Once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_store_that_lacks_next_month_s_keys_is_told() {
    let stage = Stage::make().await;
    let settings = stage.settings("copied.toml", &[("[keys]\n", "[keys]\ncopied = true\n")], "");
    let keys = |arguments: &[&str]| {
        let told = [&["keys"], arguments, &["--yes", "--config", settings.to_str().unwrap()]].concat();
        done(&banyan(&told));
    };
    keys(&["ahead", "--months", "1"]);
    let gate = Gate::start(&settings);
    let before = gate.scrape_when("it finds next month's keys", |scrape| {
        scrape.sum("banyan_key_store_months_left", "") == 1.0
    });
    let next = stage.today.month().next().to_string();
    keys(&["retire", "--class", "contact", "--month", &next]);
    let ending =
        gate.scrape_when("it misses one", |scrape| scrape.sum("banyan_key_store_months_left", "") == 0.0);
    fires(&["BanyanKeysEnd"], &before, Some(&ending), Goes::On);
}

/// A certificate with its key that ends after so many days.
fn ending_in(stage: &Stage, days: i32, authority: bool) -> (String, String) {
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let end = stage.today.plus_days(i64::from(days).try_into().unwrap()).date();
    params.not_after =
        rcgen::date_time_ymd(i32::from(end.year()), end.month().unsigned_abs(), end.day().unsigned_abs());
    if authority {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// An hour before everybody else.
struct Fast;

impl Clock for Fast {
    fn now(&self) -> Instant {
        Instant(SystemClock.now().0 + 3_600_000)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_behind_another_s_is_told() {
    let mut stage = Stage::make().await;
    let patients = stage.insure(1, Arc::new(Fast)).await;
    let gate = Gate::start(&stage.folder.settings());
    let before = gate.scrape_settled();
    let stay = &patients[0].1;
    stage.call(&gate, "2401", "CLOCK-2401", stay, &play::admit(stay)).await.done();
    let behind =
        gate.scrape_when("it notices", |scrape| scrape.sum("banyan_clock_behind_seconds", "") > 3_000.0);
    fires(&["BanyanClockBehind"], &before, Some(&behind), Goes::On);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_no_anchor_covers_are_told() {
    let mut stage = Stage::make().await;
    let patients = stage.insure(1, Arc::new(SystemClock)).await;
    let gate = Gate::start(&stage.folder.settings());
    let before = gate.scrape_settled();
    let db = rusqlite::Connection::open(stage.folder.ledger()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON anchor BEGIN SELECT RAISE(ABORT, 'no anchor'); END",
    )
    .unwrap();
    let stay = &patients[0].1;
    stage.call(&gate, "2401", "ANCHOR-2401", stay, &play::admit(stay)).await.done();
    let late = gate.scrape_when("the anchor is late", |scrape| {
        scrape.sum("banyan_ledger_unanchored_seconds", "") > 10.0
    });
    fires(&["BanyanAnchorsLate"], &before, Some(&late), Goes::On);
    db.execute_batch("DROP TRIGGER refuse").unwrap();
    gate.scrape_when("it is made up for", |scrape| scrape.sum("banyan_ledger_unanchored_seconds", "") == 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_calls_turned_away_and_strangers_are_told() {
    let mut stage = Stage::make().await;
    let patients = stage.insure(1, Arc::new(SystemClock)).await;
    let limits = "[hospital.limits]\nper_second = 1\nburst = 4\n\n[persons]";
    let gate = Gate::start(&stage.settings("limited.toml", &[("[persons]", limits)], ""));
    let before = gate.scrape_settled();
    let stay = &patients[0].1;
    let unknown = play::settle(stay, "000000000000000000000000000000", &stay.medfee_sumamt);
    for at in 0..8 {
        let answer = stage.call(&gate, "2304", &format!("REFUSED-{at}"), stay, &unknown).await;
        assert!(!answer.ok());
    }
    let stranger = Authority::make(stage.today).unwrap();
    let code = stage.his(&gate).code;
    let stranger = stranger.institution(&code).unwrap();
    let line = stage.line_with(&gate, &stranger.certificate, &stranger.key);
    let body = stage.his(&gate).envelope("2304", "STRANGER-1", play::insured_region(stay), &unknown);
    line.open().await.unwrap().post("/", &[], body.to_string().into()).await.unwrap();
    let after = gate.scrape();
    assert!(after.sum("banyan_shed_total", "rate") > 0.0);
    let alerts = ["BanyanRefusalsMany", "BanyanCallsShed", "BanyanCallersDistrusted"];
    fires(&alerts, &before, Some(&after), Goes::On);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_gone_or_comes_and_goes_is_told() {
    let stage = Stage::make().await;
    let mut redis = RedisServer::start().unwrap();
    let cache = format!("\n[cache]\nurl = \"{}\"\n", redis.url());
    let gate = Gate::start(&stage.settings("redis.toml", &[], &cache));
    gate.scrape_settled();
    let is = |up: f64| move |scrape: &Scrape| scrape.sum("banyan_cache_redis_up", "") == up;
    let before = gate.scrape_when("it has found Redis", is(1.0));
    redis.kill();
    let gone = gate.scrape_when("it misses Redis", is(0.0));
    fires(&["BanyanRedisDown"], &before, Some(&gone), Goes::On);
    for _ in 0..5 {
        redis.restart().unwrap();
        gate.scrape_when("it has found Redis again", is(1.0));
        redis.kill();
        gate.scrape_when("it misses Redis again", is(0.0));
    }
    fires(&["BanyanRedisFlaps"], &before, Some(&gate.scrape()), Goes::Once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_nearly_full_is_told() {
    let stage = Stage::make().await;
    let before = on_a_disk_of_its_own(&stage, 65_536).scrape_settled();
    let full = on_a_disk_of_its_own(&stage, 4_096).scrape_settled();
    assert_eq!(full.sum("banyan_disk_bytes", "ledger"), 67_108_864.0);
    fires(&["BanyanDiskNearlyFull"], &before, Some(&full), Goes::On);
}

/// A gateway over a copy of the province on a small disk that it alone sees and that goes with it, with at most so
/// many KiB free.
fn on_a_disk_of_its_own(stage: &Stage, free: u64) -> Gate {
    let script =
        "rm -rf \"$0.copy\" && cp -a \"$0\" \"$0.copy\" && mount -t tmpfs -o size=64m tmpfs \"$0\" &&
        cp -a \"$0.copy/.\" \"$0\" && rm -r \"$0.copy\" && 
        free=$(df -Pk \"$0\" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4) &&
        { [ \"$free\" -le \"$2\" ] || head -c \"$((free - $2))K\" /dev/zero > \"$0/other\"; } &&
        exec \"$1\" serve --config \"$0/gateway.toml\"";
    let mut command = Command::new("unshare");
    command.args(if rustix::process::geteuid().is_root() { &["--mount"][..] } else { &["-rm"][..] });
    command
        .args(["sh", "-c", script])
        .arg(stage.folder.root())
        .arg(env!("CARGO_BIN_EXE_banyan"))
        .arg(free.to_string());
    Gate::run(&mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_whose_standbys_are_gone_that_restarts_or_that_is_gone_is_told() {
    let mut server = Server::start().unwrap();
    let url = server.create_database().unwrap();
    let mut stage = Stage::make().await;
    let patients = stage.insure(27, Arc::new(SystemClock)).await;
    let settings = moved_up(&stage, &url);
    let text = fs::read_to_string(&settings).unwrap();
    let limits = "\nlanes = 1\nanswer_within_ms = 1500\nqueue_max = 16\n\n[packs]";
    fs::write(&settings, text.replace("\n[packs]", limits)).unwrap();
    let gate = Arc::new(Gate::start(&settings));
    let stay = patients[0].1.clone();
    let bill = stage.until_discharge(&gate, &stay).await;
    let before = gate.scrape_settled();

    for (_, stay) in &patients[1..8] {
        server.kill().unwrap();
        server.restart().unwrap();
        let lost = gate.scrape().sum("banyan_ledger_connections_lost_total", "");
        stage.call(&gate, "2401", &format!("{}-2401", stay.psn_no), stay, &play::admit(stay)).await;
        gate.scrape_when("a lane and a reader have new connections", |scrape| {
            scrape.sum("banyan_ledger_connections_lost_total", "") > lost + 1.0
        });
    }
    let restarted = gate.scrape_settled();
    fires(&["BanyanLedgerConnectionsLost"], &before, Some(&restarted), Goes::Once);

    server.set("synchronous_standby_names", "gone").unwrap();
    until("the server waits for its standby", || {
        let names = server.query("postgres", "SHOW synchronous_standby_names").unwrap();
        (names == "gone").then_some(())
    });
    let stage = Arc::new(stage);
    let begun = gate.scrape();
    let settling = tokio::spawn({
        let (stage, gate, stay) = (Arc::clone(&stage), Arc::clone(&gate), stay.clone());
        async move { stage.settle(&gate, &stay, &bill).await }
    });
    let admitting: Vec<_> = patients[8..27]
        .iter()
        .map(|(_, stay)| {
            let (stage, gate, stay) = (Arc::clone(&stage), Arc::clone(&gate), stay.clone());
            tokio::spawn(async move {
                stage.call(&gate, "2401", &format!("{}-2401", stay.psn_no), &stay, &play::admit(&stay)).await
            })
        })
        .collect();
    let crowded =
        gate.scrape_when("the queue fills", |scrape| scrape.sum("banyan_ledger_waiting", "") >= 14.0);
    fires(&["BanyanQueueNearLimit"], &begun, Some(&crowded), Goes::On);
    let answer = settling.await.unwrap();
    assert!(!answer.ok(), "nobody knows what became of it");
    for admitted in admitting {
        admitted.await.unwrap();
    }
    let unknown = gate.scrape();
    let alerts = ["BanyanWritesUnknown", "BanyanCallsFail", "BanyanSettleSlow"];
    fires(&alerts, &begun, Some(&unknown), Goes::On);

    let draining = tokio::spawn({
        let (stage, gate, stay) = (Arc::clone(&stage), Arc::clone(&gate), patients[8].1.clone());
        async move { stage.his(&gate).call("2401", play::insured_region(&stay), play::admit(&stay)).await.is_ok() }
    });
    gate.scrape_when("a call is under way", |scrape| scrape.sum("banyan_requests_in_flight", "") > 0.0);
    gate.signal("-TERM");
    let not_ready = gate.scrape_when("it drains", |scrape| scrape.sum("banyan_ready", "") == 0.0);
    assert!(gate.get("/ready").unwrap().contains("draining"));
    fires(&["BanyanNotReady"], &before, Some(&not_ready), Goes::On);
    let _answered = draining.await.unwrap();

    server.set("synchronous_standby_names", "").unwrap();
    let gate = Gate::start(&settings);
    let before = gate.scrape_settled();
    server.kill().unwrap();
    let gone = gate.scrape_when("it misses the ledger", |scrape| scrape.sum("banyan_ledger_up", "") == 0.0);
    fires(&["BanyanLedgerUnreachable"], &before, Some(&gone), Goes::On);
}
