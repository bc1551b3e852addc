//! A gateway as `banyan serve` composes it, on free ports, over a copy of a sandbox that is made once per process.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use banyan::app::App;
use banyan::command::sandbox_folder;
use banyan::config::gateway::Caller;
use banyan::config::gateway::Gateway;
use banyan::config::ledger::LedgerKept;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::ledger::secrets::Secrets;
use banyan::sandbox::desk;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::institutions::Hospital;
use banyan::sandbox::population::Insured;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::service::import::apply::Importer;
use banyan::service::import::source::SourceName;
use banyan::service::seams::Clock;
use banyan::service::seams::SystemClock;
use banyan::vault::signing::PublicKey;
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::answer::Answer;
use crate::support::people;
use crate::support::people::Wanted;

/// Stands still until a test moves it. Begins at 10:00 on 24 November 2026 in China.
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn forward_days(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, SeqCst);
    }

    pub(crate) fn set(&self, day: Day, hour: i64) {
        self.0.store(Instant::start_of(day).0 + hour * 3_600_000, SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant(self.0.load(SeqCst))
    }
}

pub(crate) fn today() -> Day {
    people::day(20_261_124)
}

fn at_ten() -> Arc<Hand> {
    Arc::new(Hand(AtomicI64::new(Instant::start_of(today()).0 + 10 * 3_600_000)))
}

/// A sandbox folder with its province, made once and copied for each gateway.
struct Template {
    folder: Folder,
    province: Province,
    ledger: PathBuf,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| std::thread::spawn(make_template).join().unwrap())
}

/// On a thread of its own: a test's runtime cannot wait inside itself.
fn make_template() -> Template {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    if path.exists() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    let folder = Folder::new(&path);
    let size = Size { seed: 7, persons: 21, codes: 20, stays: 1 };
    let province = Province::new(size, today());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sandbox_folder::make(&folder, &province, Ports::ANY, at_ten())).unwrap();
    // Certificates are held against the machine's clock, whatever day the tests play on.
    let codes: Vec<InstitutionCode> =
        province.hospitals.iter().map(|hospital| hospital.institution.code.clone()).collect();
    folder.make(&codes, SystemClock.now().day(), Ports::ANY).unwrap();
    // One file that can be copied: the ledger keeps what is new in a second one.
    let whole = path.join("whole.db");
    let db = rusqlite::Connection::open(folder.ledger()).unwrap();
    db.execute("VACUUM INTO ?1", [whole.to_str().unwrap()]).unwrap();
    Template { folder, province, ledger: whole }
}

pub(crate) struct World {
    pub app: App,
    pub clock: Arc<Hand>,
    pub ledger_file: PathBuf,
    config: Gateway,
    /// Held, so that the ledger's folder lives as long as the world.
    _place: TempDir,
    hospitals: Mutex<HashMap<String, Arc<His>>>,
    serial: AtomicU64,
}

impl World {
    pub(crate) async fn start() -> World {
        World::start_with(|_, _| {}).await
    }

    /// With settings changed before it starts; the path is a folder for files that they name.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Gateway, &Path)) -> World {
        let template = template();
        let place = tempfile::tempdir().unwrap();
        let ledger_file = place.path().join("ledger.db");
        std::fs::copy(&template.ledger, &ledger_file).unwrap();
        let mut config =
            Gateway::read(&template.folder.settings()).unwrap_or_else(|faults| panic!("{faults}"));
        config.ledger.kept = LedgerKept::File(ledger_file.clone());
        (config.hospital.limits.per_second, config.hospital.limits.burst) = (100_000, 100_000);
        change(&mut config, place.path());
        let clock = at_ten();
        let app = App::start(config.clone(), Arc::clone(&clock) as Arc<dyn Clock>, None).await.unwrap();
        let (hospitals, serial) = (Mutex::default(), AtomicU64::new(1));
        World { app, clock, ledger_file, config, _place: place, hospitals, serial }
    }

    /// Who may call as it was told at the start.
    pub(crate) fn callers(&self) -> Vec<Caller> {
        self.config.callers.clone()
    }

    /// Stops well and starts again over the same ledger, at new addresses.
    pub(crate) async fn restart(self) -> World {
        let World { app, clock, ledger_file, config, _place, serial, .. } = self;
        app.drain().await;
        let app = App::start(config.clone(), Arc::clone(&clock) as Arc<dyn Clock>, None).await.unwrap();
        World { app, clock, ledger_file, config, _place, hospitals: Mutex::default(), serial }
    }

    /// Files for a person at the desk of her region; gives the filing's number or the refusal.
    pub(crate) async fn file(
        &self,
        person: &PersonKey,
        category: &str,
        target: u32,
    ) -> Result<String, Value> {
        let id = format!("DESK{}", self.serial.fetch_add(1, SeqCst));
        let filing = serde_json::json!({
            "id": id,
            "pool": person.pool.to_string(),
            "psn_no": person.number(),
            "category": category,
            "target": target.to_string(),
        });
        let (status, answer) = desk::post_filing(self.app.addresses().center, &filing).await.unwrap();
        match (status, answer["filing"].as_str()) {
            (StatusCode::CREATED, Some(number)) => Ok(number.to_owned()),
            _ => Err(answer),
        }
    }

    /// With which this gateway's receipts are checked.
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        Secrets::open_in(&self.folder().root().join("keys")).unwrap().keys.public_keys()
    }

    pub(crate) fn province(&self) -> &'static Province {
        &template().province
    }

    pub(crate) fn folder(&self) -> &'static Folder {
        &template().folder
    }

    /// The first hospital of a level in a city: it serves persons from everywhere.
    pub(crate) fn hospital(&self, pool: u32, level: HospitalLevel) -> &'static Hospital {
        self.province().hospitals.iter().find(|h| h.pool == RegionCode(pool) && h.level == level).unwrap()
    }

    pub(crate) fn hospital_of(&self, code: &str) -> &'static Hospital {
        self.province().hospitals.iter().find(|h| h.institution.code.as_str() == code).unwrap()
    }

    /// Puts a person into the register of her region.
    pub(crate) async fn insure(&self, wanted: &Wanted) -> Insured {
        let serial = self.serial.fetch_add(1, SeqCst);
        let (insured, entries) = people::person(serial, wanted, today());
        let importer = Importer {
            ledger: Arc::clone(&self.app.service.ledger),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            source: SourceName::parse("register").unwrap(),
            may_introduce: true,
            operator: "test".into(),
        };
        for entry in &entries {
            importer.apply(entry).await.unwrap();
        }
        insured
    }

    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.folder().authority()).unwrap()
    }

    /// The line of an institution, with its own certificate.
    pub(crate) fn line(&self, code: &str) -> Line {
        let (certificate, key) = self.folder().identity(code);
        let identity = [certificate, key].map(|file| std::fs::read_to_string(file).unwrap());
        let address = self.app.addresses().hospital;
        Line::new(address, &self.authority(), Some((&identity[0], &identity[1]))).unwrap()
    }

    /// The system of an institution: one for all calls, so that its message ids are its own.
    pub(crate) fn his(&self, code: &str) -> Arc<His> {
        let mut hospitals = self.hospitals.lock().unwrap();
        let made = || {
            let clock = Arc::clone(&self.clock);
            let institution = &self.hospital_of(code).institution;
            let (code, name) = (institution.code.clone(), institution.name.clone());
            let line = self.line(code.as_str());
            Arc::new(His::new(code, name, institution.region, line, move || clock.now()))
        };
        Arc::clone(hospitals.entry(code.to_owned()).or_insert_with(made))
    }

    /// A message of an institution under an id of its own, not sent yet.
    pub(crate) fn message(&self, code: &str, infno: &str, insured: &str, input: &Value) -> Value {
        let his = self.his(code);
        his.envelope(infno, &his.next_msgid(), RegionCode::parse(insured).ok(), input)
    }

    /// Sends a message as it is.
    pub(crate) async fn send(&self, message: &Value) -> Answer {
        let code = message["fixmedins_code"].as_str().unwrap();
        self.send_text(code, message.to_string()).await
    }

    /// Sends any bytes as an institution.
    pub(crate) async fn send_text(&self, code: &str, body: impl Into<Bytes>) -> Answer {
        let path = "/fsi/api/rsfComIfsService/callService";
        let (status, bytes) = self.his(code).post(path, &[], body.into()).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        Answer::read(bytes)
    }

    /// How many rows each table of the ledger has: what changed nothing leaves them.
    pub(crate) fn rows(&self) -> Vec<(String, i64)> {
        ["record", "person", "stay", "message", "settlement"]
            .map(|table| (table.to_owned(), self.count(&format!("SELECT count(*) FROM {table}"))))
            .into()
    }

    /// What a statement counts in the ledger's file.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = rusqlite::Connection::open_with_flags(&self.ledger_file, flags).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Every table is the fold of its records.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(self.app.service.ledger.check(10).await.unwrap(), Vec::<String>::new());
    }
}
