//! What an operator sees while PostgreSQL misbehaves: one line when it goes and one when it is back, a metric that follows
//! at once, and errors of their own only where something else is wrong.

use std::fs;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use banyan::sandbox::play;
use banyan::sandbox::postgres::Server;
use banyan::sandbox::stays::Stay;
use banyan::service::seams::SystemClock;

use crate::recovery::moved_up;
use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::until;

/// So long that what follows at once is told from what follows when it is over.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// "A second or two", on a machine that does other things as well.
const SOON: Duration = Duration::from_secs(4);

const AWAY: &str = "PostgreSQL is away";
const UNCONFIRMED: &str = "PostgreSQL does not confirm commits";
const THERE: &str = "PostgreSQL is there again";

/// A gateway over a server of its own, insured persons, and what the gateway logs.
struct Watched {
    server: Server,
    database: String,
    stage: Stage,
    gate: Gate,
    patients: Vec<Stay>,
    log: PathBuf,
}

impl Watched {
    async fn start(answer_within: Duration) -> Watched {
        let server = Server::start().unwrap();
        let url = server.create_database().unwrap();
        let database = url.rsplit('/').next().unwrap().to_owned();
        // A superuser is bound by no limit.
        let role = format!("CREATE ROLE gateway LOGIN; ALTER DATABASE {database} OWNER TO gateway");
        server.query("postgres", &role).unwrap();
        let url = url.replace("postgres@", "gateway@");
        let mut stage = Stage::make().await;
        let patients = stage.insure(8, Arc::new(SystemClock)).await;
        let settings = moved_up(&stage, &url);
        let text = fs::read_to_string(&settings).unwrap();
        let limits = format!("\nanswer_within_ms = {}\n\n[packs]", answer_within.as_millis());
        fs::write(&settings, text.replace("\n[packs]", &limits)).unwrap();
        let log = stage.path("gateway.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("serve").arg("--config").arg(&settings).env("RUST_LOG", "info");
        command.stderr(File::create(&log).unwrap());
        let gate = Gate::run(&mut command);
        gate.scrape_settled();
        let patients = patients.into_iter().map(|(_, stay)| stay).collect();
        Watched { server, database, stage, gate, patients, log }
    }

    /// All at once; gives how many were done.
    async fn admitted(&self, patients: &[Stay]) -> usize {
        let admit = async |stay: &Stay| {
            let id = format!("{}-2401", stay.psn_no);
            self.stage.call(&self.gate, "2401", &id, stay, &play::admit(stay)).await
        };
        let answers = futures_util::future::join_all(patients.iter().map(admit)).await;
        answers.iter().filter(|answer| answer.ok()).count()
    }

    /// Once the metric says so; gives how long that took.
    #[track_caller]
    fn up(&self, whether: bool) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "how soon it follows is the story")]
        let begun = Instant::now();
        let wanted = if whether { 1.0 } else { 0.0 };
        self.gate.scrape_when("it follows", |scrape| scrape.sum("banyan_ledger_up", "") == wanted);
        begun.elapsed()
    }

    fn lost(&self) -> f64 {
        self.gate.scrape().sum("banyan_ledger_connections_lost_total", "")
    }

    /// Lines of the log that somebody should look at, and those of the server's return.
    fn told(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        let loud = |line: &&str| line.contains("WARN") || line.contains("ERROR") || line.contains(THERE);
        // The sandbox's packs are not verified, which is told at the start.
        let lines = log.lines().filter(loud).filter(|line| !line.contains("policy numbers"));
        lines.map(str::to_owned).collect()
    }
}

/// The lines are these, and say so.
#[track_caller]
fn are(told: &[String], wanted: &[(&str, &[&str])]) {
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (line, (level, words)) in told.iter().zip(wanted) {
        assert!(line.contains(level) && words.iter().all(|word| line.contains(word)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_comes_back_is_told_once_each_and_seen_at_once() {
    let mut watched = Watched::start(ANSWER_WITHIN).await;
    assert_eq!(watched.admitted(&watched.patients[..2]).await, 2);
    let lost = watched.lost();
    watched.server.kill().unwrap();
    let took = watched.up(false);
    assert!(took < SOON, "seen after {took:?}");
    assert_eq!(watched.admitted(&watched.patients).await, 0, "nothing is promised");
    watched.server.restart().unwrap();
    let took = watched.up(true);
    assert!(took < SOON, "seen after {took:?}");
    assert_eq!(watched.admitted(&watched.patients).await, 8, "what was told to come again is done");
    assert!(watched.lost() > lost);
    let place = format!("postgres://127.0.0.1:{}/{}", watched.server.port(), watched.database);
    let cause = format!("127.0.0.1:{}: Connection refused", watched.server.port());
    let away = [AWAY, &place, &cause, "calls are told to send the same message again"];
    are(&watched.told(), &[("WARN", &away), ("INFO", &[THERE, &place, "calls="])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_silent_is_told_and_its_connections_count_as_lost() {
    let watched = Watched::start(Duration::from_secs(2)).await;
    assert_eq!(watched.admitted(&watched.patients[..1]).await, 1);
    let lost = watched.lost();
    watched.server.stop_answering().unwrap();
    assert_eq!(watched.admitted(&watched.patients).await, 0);
    let took = watched.up(false);
    assert!(took < SOON, "seen after {took:?}");
    assert!(watched.lost() > lost, "what is closed because it does not answer is lost");
    watched.server.go_on().unwrap();
    let took = watched.up(true);
    assert!(took < SOON, "seen after {took:?}");
    assert_eq!(watched.admitted(&watched.patients).await, 8);
    let told = watched.told();
    are(&told, &[("WARN", &[AWAY]), ("INFO", &[THERE])]);
    assert!(!told[0].contains("synchronous_standby_names"), "commits wait for none: {}", told[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_no_connection_to_spare_is_told_to_be_there() {
    let watched = Watched::start(ANSWER_WITHIN).await;
    let of_role = |sql: &str| watched.server.query("postgres", sql).unwrap();
    of_role("ALTER ROLE gateway CONNECTION LIMIT 0");
    of_role("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'gateway'");
    watched.up(false);
    of_role("ALTER ROLE gateway CONNECTION LIMIT -1");
    watched.up(true);
    assert_eq!(watched.admitted(&watched.patients).await, 8);
    let full =
        ["PostgreSQL is there and has no connection to spare", "SQLSTATE 53300", "from the next start"];
    are(&watched.told(), &[("WARN", &full), ("INFO", &[THERE])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_no_standby_confirms_are_told_and_other_errors_are_not_hidden_by_that() {
    let watched = Watched::start(Duration::from_secs(2)).await;
    let set = |names: &str| {
        watched.server.set("synchronous_standby_names", names).unwrap();
        until("the server knows", || {
            let now = watched.server.query("postgres", "SHOW synchronous_standby_names").unwrap();
            (now == names).then_some(())
        });
    };
    set("gone");
    assert_eq!(watched.admitted(&watched.patients[..4]).await, 0);
    watched.up(false);
    let unconfirmed = [UNCONFIRMED, "within 2000 ms (answer_within_ms)", "synchronous_standby_names"];
    are(&watched.told(), &[("WARN", &unconfirmed)]);

    // Somebody spoils a table meanwhile: that is no part of it.
    let rename = |from: &str, to: &str| {
        let sql = format!("SET synchronous_commit = local; ALTER TABLE {from} RENAME TO {to}");
        watched.server.query(&watched.database, &sql).unwrap();
    };
    rename("reference_record", "spoilt");
    let spoilt = until("it is told", || watched.told().get(1).cloned());
    rename("spoilt", "reference_record");
    assert!(spoilt.contains("relation \"reference_record\" does not exist (SQLSTATE 42P01)"), "{spoilt}");

    set("");
    let took = watched.up(true);
    assert!(took < SOON, "nobody had to call: {took:?}");
    assert_eq!(watched.admitted(&watched.patients).await, 8);
    let told = watched.told();
    let others = told.iter().filter(|line| !line.contains("SQLSTATE 42P01")).cloned().collect::<Vec<_>>();
    are(&others, &[("WARN", &unconfirmed), ("INFO", &[THERE])]);
}
