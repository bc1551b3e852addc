//! A province in a folder, gateways over it as processes of their own, and hospitals that call them.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use banyan::app::open_ledger;
use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::domain::calendar::Day;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::RegionCode;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
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
use banyan::service::seams::Clock;
use banyan::service::seams::SystemClock;
use serde_json::Value;

use crate::scrape::Scrape;
use crate::scrape::get;
use crate::support::answer::Answer;
use crate::support::people;
use crate::support::people::EMPLOYEE;

/// How long something may take that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "how long a test waits is no part of its story")]
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs `banyan`; what it ends with is for the caller to judge.
pub(crate) fn banyan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_banyan")).args(arguments).output().unwrap()
}

#[track_caller]
pub(crate) fn done(output: &Output) -> String {
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{}: {text}", output.status);
    text
}

pub(crate) struct Stage {
    pub(crate) folder: Folder,
    pub(crate) today: Day,
    province: Province,
    serial: u64,
    _place: Option<tempfile::TempDir>,
}

impl Stage {
    pub(crate) async fn make() -> Stage {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let today = SystemClock.now().day();
        let province = Province::new(Size { seed: 5, persons: 21, codes: 20, stays: 1 }, today);
        sandbox_folder::make(&folder, &province, Ports::ANY, Arc::new(SystemClock)).await.unwrap();
        Stage { folder, today, province, serial: 0, _place: Some(place) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.root().join(name)
    }

    /// Settings beside the sandbox's own, with some lines otherwise and others added.
    pub(crate) fn settings(&self, name: &str, change: &[(&str, &str)], more: &str) -> PathBuf {
        let mut text = fs::read_to_string(self.folder.settings()).unwrap();
        for (old, new) in change {
            assert!(text.contains(old), "{old} is not in {text}");
            text = text.replace(old, new);
        }
        let file = self.path(name);
        fs::write(&file, format!("{text}{more}")).unwrap();
        file
    }

    /// New in the register, through a ledger of this process whose clock is that.
    pub(crate) async fn insure(&mut self, count: u64, clock: Arc<dyn Clock>) -> Vec<(Insured, Stay)> {
        let config = Gateway::read(&self.folder.settings()).unwrap_or_else(|faults| panic!("{faults}"));
        let ledger = open_ledger(&config, Arc::clone(&clock)).unwrap();
        let importer = Importer {
            ledger,
            clock,
            source: SourceName::parse("register").unwrap(),
            may_introduce: true,
            operator: "test".into(),
        };
        let hospital = &self.province.hospitals[0];
        let (admitted, discharged) = (self.today.plus_days(-15), self.today.plus_days(-1));
        let when = stays::Visit { hospital, admitted, discharged };
        let mut all = Vec::new();
        for _ in 0..count {
            self.serial += 1;
            let (insured, entries) = people::person(self.serial, &EMPLOYEE, self.today);
            for entry in &entries {
                importer.apply(entry).await.unwrap();
            }
            let stay = stays::stay(&insured, &when, &KNEE, insured.person.number());
            all.push((insured, stay));
        }
        all
    }

    pub(crate) fn line(&self, gate: &Gate) -> Line {
        let code = self.province.hospitals[0].institution.code.as_str();
        let (certificate, key) = self.folder.identity(code);
        self.line_with(gate, &fs::read_to_string(certificate).unwrap(), &fs::read_to_string(key).unwrap())
    }

    pub(crate) fn line_with(&self, gate: &Gate, certificate: &str, key: &str) -> Line {
        let authority = fs::read_to_string(self.folder.authority()).unwrap();
        Line::new(gate.hospital, &authority, Some((certificate, key))).unwrap()
    }

    pub(crate) fn his(&self, gate: &Gate) -> His {
        let hospital = &self.province.hospitals[0].institution;
        let code = InstitutionCode::parse(hospital.code.as_str()).unwrap();
        His::new(code, hospital.name.clone(), hospital.region, self.line(gate), || SystemClock.now())
    }

    /// A call under an id of its own; gives what came, done or refused.
    pub(crate) async fn call(
        &self,
        gate: &Gate,
        infno: &str,
        msgid: &str,
        stay: &Stay,
        input: &Value,
    ) -> Answer {
        let region: Option<RegionCode> = play::insured_region(stay);
        let reply = self.his(gate).call_as(infno, msgid, region, input).await.unwrap();
        Answer::read(reply.bytes)
    }

    /// From the door to the discharge; gives the input of its settlement.
    pub(crate) async fn until_discharge(&self, gate: &Gate, stay: &Stay) -> Value {
        let id = |infno: &str| format!("{}-{infno}", stay.psn_no);
        let admitted = self.call(gate, "2401", &id("2401"), stay, &play::admit(stay)).await.done();
        let mdtrt_id = admitted.mdtrt_id();
        let lines = play::upload(stay, &mdtrt_id, &stay.lines);
        self.call(gate, "2301", &id("2301"), stay, &lines).await.done();
        self.call(gate, "2402", &id("2402"), stay, &play::discharge(stay, &mdtrt_id)).await.done();
        play::settle(stay, &mdtrt_id, &stay.medfee_sumamt)
    }

    /// Sends a settlement, for the first time or again.
    pub(crate) async fn settle(&self, gate: &Gate, stay: &Stay, bill: &Value) -> Answer {
        self.call(gate, "2304", &format!("{}-2304", stay.psn_no), stay, bill).await
    }
}

/// A gateway as a process of its own.
pub(crate) struct Gate {
    process: Child,
    pub(crate) hospital: SocketAddr,
    pub(crate) operators: SocketAddr,
}

impl Gate {
    pub(crate) fn start(settings: &Path) -> Gate {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("serve").arg("--config").arg(settings);
        Gate::run(&mut command)
    }

    /// Whatever the command is, a gateway comes of it.
    pub(crate) fn run(command: &mut Command) -> Gate {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut hospital, mut operators) = (None, None);
        for line in lines {
            let line = line.unwrap();
            let (face, place) = line.split_once(' ').unwrap_or_default();
            let address = place.trim().split("//").nth(1).and_then(|rest| rest.split('/').next());
            match face {
                "hospitals" => hospital = address.map(|it| it.parse().unwrap()),
                "operators" => operators = address.map(|it| it.parse().unwrap()),
                _ => {}
            }
            if operators.is_some() {
                break;
            }
        }
        Gate { process, hospital: hospital.expect("it starts"), operators: operators.unwrap() }
    }

    #[track_caller]
    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::of(self.operators).expect("it answers")
    }

    /// Once the numbers are such.
    #[track_caller]
    pub(crate) fn scrape_when(&self, what: &str, so: impl Fn(&Scrape) -> bool) -> Scrape {
        until(what, || Scrape::of(self.operators).filter(|scrape| so(scrape)))
    }

    /// Once it has looked at everything for the first time.
    #[track_caller]
    pub(crate) fn scrape_settled(&self) -> Scrape {
        self.scrape_when("the first look at keys and ledger", |scrape| {
            scrape.sum("banyan_key_store_readable", "") > 0.0 && scrape.sum("banyan_ledger_up", "") > 0.0
        })
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        get(self.operators, path)
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM: gives whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        self.signal("-TERM");
        self.process.wait().unwrap().success()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}
