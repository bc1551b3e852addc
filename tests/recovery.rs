//! The real gateway is killed with -9 while fifty copies of one settlement are in flight, a hundred times over; or it is
//! told to stop. Money moves once, and whoever got an answer got the same bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/mod.rs"]
mod support;

use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use banyan::app::open_ledger;
use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::domain::calendar::Day;
use banyan::domain::ids::RegionCode;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::his::Connection;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::play;
use banyan::sandbox::population::Insured;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::sandbox::stays;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::story::KNEE;
use banyan::service::import::apply::Importer;
use banyan::service::import::source::SourceName;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use bytes::Bytes;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::time::Instant as Stopwatch;

use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people;
use crate::support::people::EMPLOYEE;

const ROUNDS: usize = 100;
const COPIES: usize = 50;
const SEED: u64 = 20_261_124;
const PATH: &str = "/fsi/api/hospSettService/settV";

/// The gateway as a process of its own.
struct Gate {
    process: Child,
    address: SocketAddr,
}

impl Gate {
    fn start(settings: &Path) -> Gate {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("serve").arg("--config").arg(settings);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let address = line.strip_prefix("hospitals")?.trim().strip_prefix("https://")?;
            Some(address.split('/').next()?.parse().unwrap())
        });
        Gate { process, address: address.expect("it says where hospitals call") }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM: it ends well, with nothing cut.
    fn stop(&mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success(), "it was cut off");
    }
}

/// One hospital, and a patient for every round.
struct Scene {
    folder: Folder,
    config: Gateway,
    patients: Vec<(Insured, Stay)>,
    identity: [String; 2],
    authority: String,
}

impl Scene {
    async fn make(path: &Path) -> Scene {
        let folder = Folder::new(path);
        let today = SystemClock.now().day();
        let province = Province::new(Size { seed: SEED, persons: 21, codes: 20, stays: 1 }, today);
        sandbox_folder::make(&folder, &province, Ports::ANY, Arc::new(SystemClock)).await.unwrap();
        let settings = std::fs::read_to_string(folder.settings()).unwrap();
        std::fs::write(folder.settings(), settings.replace("level = \"warn\"", "level = \"error\"")).unwrap();
        let config = Gateway::read(&folder.settings()).unwrap_or_else(|faults| panic!("{faults}"));
        let hospital = &province.hospitals[0];
        let when = stays::Visit { hospital, admitted: today.plus_days(-15), discharged: today.plus_days(-1) };
        let patients = insure(&config, today).await.into_iter().map(|insured| {
            let stay = stays::stay(&insured, &when, &KNEE, insured.person.number());
            (insured, stay)
        });
        let patients: Vec<_> = patients.collect();
        let files = folder.identity(hospital.institution.code.as_str());
        let identity = [files.0, files.1].map(|file| std::fs::read_to_string(file).unwrap());
        let authority = std::fs::read_to_string(folder.authority()).unwrap();
        Scene { folder, config, patients, identity, authority }
    }

    fn line(&self, gate: &Gate) -> Line {
        Line::new(gate.address, &self.authority, Some((&self.identity[0], &self.identity[1]))).unwrap()
    }

    fn his(&self, gate: &Gate) -> His {
        let stay = &self.patients[0].1;
        let code = banyan::domain::ids::InstitutionCode::parse(&stay.fixmedins_code).unwrap();
        let region = RegionCode::parse(&stay.mdtrtarea_admdvs).unwrap();
        His::new(code, &stay.fixmedins_name, region, self.line(gate), || SystemClock.now())
    }

    /// From admission to discharge; gives the settlement, not sent yet.
    async fn discharged(&self, round: usize, gate: &Gate) -> Bytes {
        let (his, stay) = (self.his(gate), &self.patients[round].1);
        let region = play::insured_region(stay);
        let step = async |infno: &str, input: Value| {
            let reply = his.call_as(infno, &format!("ROUND{round}-{infno}"), region, &input).await.unwrap();
            Answer::read(reply.bytes).done()
        };
        let mdtrt_id = step("2401", play::admit(stay)).await.mdtrt_id();
        step("2301", play::upload(stay, &mdtrt_id, &stay.lines)).await;
        step("2402", play::discharge(stay, &mdtrt_id)).await;
        let bill = play::settle(stay, &mdtrt_id, &stay.medfee_sumamt);
        his.envelope("2304", &msgid(round), region, &bill).to_string().into()
    }
}

fn msgid(round: usize) -> String {
    format!("ROUND{round}-2304")
}

async fn insure(config: &Gateway, today: Day) -> Vec<Insured> {
    let ledger = open_ledger(config, Arc::new(SystemClock)).unwrap();
    let importer = Importer {
        ledger,
        clock: Arc::new(SystemClock),
        source: SourceName::parse("register").unwrap(),
        may_introduce: true,
        operator: "test".into(),
    };
    let mut all = Vec::new();
    for serial in 1..=ROUNDS {
        let (insured, entries) = people::person(u64::try_from(serial).unwrap(), &EMPLOYEE, today);
        for entry in &entries {
            importer.apply(entry).await.unwrap();
        }
        all.push(insured);
    }
    all
}

struct Burst {
    answers: Vec<Bytes>,
    /// From the first byte sent to the last answer, or the last connection that broke.
    took: Duration,
}

/// Every copy on a connection of its own, all at once; after a while something happens to the gateway.
async fn burst(
    scene: &Scene,
    gate: &mut Gate,
    message: &Bytes,
    after: Duration,
    happens: fn(&mut Gate),
) -> Burst {
    let line = scene.line(gate);
    let mut open: Vec<Connection> = Vec::new();
    for _ in 0..COPIES {
        open.push(line.open().await.unwrap());
    }
    let begun = Stopwatch::now();
    let copies = open.into_iter().map(|mut connection| {
        let message = message.clone();
        tokio::spawn(async move { connection.post(PATH, &[], message).await.ok() })
    });
    let copies: Vec<_> = copies.collect();
    tokio::time::sleep(after).await;
    happens(gate);
    let mut answers = Vec::new();
    for copy in copies {
        answers.extend(copy.await.unwrap().map(|(_, body)| body));
    }
    Burst { answers, took: begun.elapsed() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_sent_fifty_times_into_a_killed_gateway_moves_money_once() {
    let place = tempfile::tempdir().unwrap();
    let scene = Scene::make(place.path()).await;
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let (mut gate, mut window) = (Gate::start(&scene.folder.settings()), Duration::ZERO);
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let message = scene.discharged(round, &gate).await;
        // The first round is not killed: it tells how long one takes.
        let Burst { mut answers, took } = if round == 0 {
            burst(&scene, &mut gate, &message, Duration::ZERO, |_| {}).await
        } else {
            let instant = window.mul_f64(dice.random::<f64>());
            burst(&scene, &mut gate, &message, instant, Gate::kill).await
        };
        // A burst that went through tells that the kill came too late: from now on it comes earlier.
        window = match answers.len() {
            _ if round == 0 => took,
            COPIES => window.min(took),
            _ => window,
        };
        if round > 0 {
            gate = Gate::start(&scene.folder.settings());
        }
        cut_short += usize::from(answers.len() < COPIES);
        let line = scene.line(&gate);
        let again = line.open().await.unwrap().post(PATH, &[], message).await.unwrap().1;
        answers.push(again);
        Answer::read(answers[0].clone()).done();
        let other = answers.iter().find(|answer| **answer != answers[0]);
        assert_eq!(other, None, "round {round}: {:?}", answers[0]);
    }
    gate.kill();
    assert!(cut_short > ROUNDS / 4, "{cut_short} rounds were cut short");
    is_settled_once(&scene).await;
    trace_tells(&scene);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_told_to_stop_ends_well_and_answers_alike_afterwards() {
    let place = tempfile::tempdir().unwrap();
    let scene = Scene::make(place.path()).await;
    for round in 0..4 {
        let mut gate = Gate::start(&scene.folder.settings());
        let message = scene.discharged(round, &gate).await;
        let after = Duration::from_millis([0, 5, 20, 60][round]);
        let Burst { mut answers, .. } = burst(&scene, &mut gate, &message, after, Gate::stop).await;
        let mut again = Gate::start(&scene.folder.settings());
        let line = scene.line(&again);
        answers.push(line.open().await.unwrap().post(PATH, &[], message).await.unwrap().1);
        again.stop();
        Answer::read(answers[0].clone()).done();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "round {round}");
    }
}

/// One settlement each, in the records and in the year, and every table is what the records make of it.
async fn is_settled_once(scene: &Scene) {
    let ledger = open_ledger(&scene.config, Arc::new(SystemClock)).unwrap();
    for (insured, stay) in &scene.patients {
        let records = books::records(ledger.as_ref(), &insured.person).await;
        let settled: Vec<Fen> = records
            .iter()
            .filter_map(|record| match &record.body {
                Body::Settled(settled) => Some(settled.breakdown.medfee_sumamt),
                _ => None,
            })
            .collect();
        assert_eq!(settled, [Fen(4_206_945)], "{}", stay.psn_no);
        assert_eq!(records.len(), 5, "registered, admitted, uploaded, discharged, settled: {}", stay.psn_no);
    }
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
}

fn trace_tells(scene: &Scene) {
    for round in [0, ROUNDS / 2, ROUNDS - 1] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("trace").arg(msgid(round)).arg("--json").arg("--config").arg(scene.folder.settings());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (story, stay) = (&told[0], &scene.patients[round].1);
        assert_eq!((&story["infno"], &story["next"]), (&"2304".into(), &"nothing".into()));
        assert!(story["ended"].is_null());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("42069.45"), "{text}");
        for personal in [&stay.psn_name, &stay.certno, &stay.psn_no] {
            assert!(!text.contains(personal.as_str()), "personal data in {text}");
        }
    }
}
