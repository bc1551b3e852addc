//! Owns the folder of a run: a sandbox province on a real disk, with settings for a loader that speaks for all hospitals.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::config::gateway::Proof as CallerProof;
use banyan::domain::calendar::Day;
use banyan::domain::ids::InstitutionCode;
use banyan::protocol::files::kind::Kind;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::folder::write;
use banyan::sandbox::his::Line;
use banyan::sandbox::postgres::NoServer;
use banyan::sandbox::postgres::Server as Postgres;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::sandbox::province::file_name;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde::Deserialize;
use serde::Serialize;

use crate::client::Client;
use crate::client::Signer;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::pace::now;
use crate::plan::Proof;

const SEED: u64 = 1;
/// Who signs calls where no certificate is shown, and the file of its secret.
const SIGNER: &str = "loadtest";
const SECRET_FILE: &str = "keys/loadtest.secret";

/// How large a province is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    pub persons: u64,
    /// Codes in the catalogue of each place of care.
    pub codes: u64,
}

/// A made folder; removed at the end unless it shall be kept.
pub struct Place {
    pub folder: Folder,
    pub province: Province,
    pub made: Made,
    /// The institution whose certificate speaks for all.
    front: InstitutionCode,
    /// Behind the gateway in place of the file; ends before the folder goes.
    pub database: Option<Database>,
    root: Root,
}

/// Where all of it lies. Goes with its owner, a half-made one too, unless it is kept.
struct Root {
    path: PathBuf,
    kept: bool,
}

/// A throw-away server with the ledger's database.
pub struct Database {
    pub server: Arc<Postgres>,
    pub url: String,
    pub name: String,
    /// Of its first process.
    pub pid: u32,
}

/// What a folder says of itself, so that a later run can go on with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    pub population: Population,
    /// Day of the province.
    pub today: i32,
    /// Settlements that were there before anything was measured.
    pub history: usize,
    /// Persons that runs before have used.
    pub persons_used: usize,
    /// How long it took to write the insured, and the history.
    pub import_seconds: f64,
    pub history_seconds: f64,
}

impl Place {
    /// Makes a province of so many insured below `root`.
    pub async fn make(root: &Path, population: Population, keep: bool) -> Result<Place, Failed> {
        if root.exists() {
            return Err(Failed::Said(format!("{} is there already: remove it first", root.display())));
        }
        let today = SystemClock.now().day();
        let province = province(population, today);
        let folder = Folder::new(root);
        let began = now();
        let root = Root { path: root.to_owned(), kept: false };
        let made = sandbox_folder::make(&folder, &province, Ports::ANY, Arc::new(SystemClock)).await;
        made.map_err(Failed::Said)?;
        let made = Made {
            population,
            today: today.number(),
            history: 0,
            persons_used: 0,
            import_seconds: began.elapsed().as_secs_f64(),
            history_seconds: 0.0,
        };
        let config = settings(&folder)?;
        let institutions = config.callers.iter().flat_map(|caller| &caller.institutions);
        let codes: Vec<String> = institutions.map(|code| format!("\"{code}\"")).collect();
        let first = config.callers.first().ok_or_else(|| Failed::Said("no hospital may call".into()))?;
        let CallerProof::Certificate { fingerprint } = &first.proof else {
            return Err(Failed::Said("a hospital of the sandbox calls without a certificate".into()));
        };
        let text = fs::read_to_string(folder.settings()).map_err(cannot("read the settings"))?;
        let text = loaded(&text, fingerprint, &codes.join(", "));
        fs::write(folder.settings(), text).map_err(cannot("write the settings"))?;
        write(&root.path.join(SECRET_FILE), SIGNER, 0o600).map_err(cannot("write a secret"))?;
        settings(&folder)?;
        let mut place = Place::new(root, folder, province, made, first.institutions[0].clone());
        place.remember()?;
        place.root.kept = keep;
        Ok(place)
    }

    /// Goes on with a folder that an earlier run has kept.
    pub fn open(root: &Path) -> Result<Place, Failed> {
        let text = fs::read_to_string(root.join("loadtest.json"))
            .map_err(cannot("read loadtest.json: no kept folder of a run"))?;
        let made: Made = serde_json::from_str(&text).map_err(cannot("read loadtest.json"))?;
        let today =
            Day::from_number(made.today).ok_or_else(|| Failed::Said("loadtest.json: no day".into()))?;
        let folder = Folder::new(root);
        let config = settings(&folder)?;
        let first = config.callers.first().ok_or_else(|| Failed::Said("no hospital may call".into()))?;
        let front = first.institutions[0].clone();
        let root = Root { path: root.to_owned(), kept: true };
        Ok(Place::new(root, folder, province(made.population, today), made, front))
    }

    fn new(root: Root, folder: Folder, province: Province, made: Made, front: InstitutionCode) -> Place {
        Place { folder, province, made, front, database: None, root }
    }

    /// Writes down what the folder holds by now.
    pub fn remember(&self) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(&self.made).map_err(cannot("write JSON"))?;
        fs::write(self.root.path.join("loadtest.json"), text).map_err(cannot("write loadtest.json"))
    }

    /// Settings as the gateway reads them.
    pub fn settings(&self) -> Result<Gateway, Failed> {
        settings(&self.folder)
    }

    /// Where logs, answers of the floor and the like are put.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.path.join(name)
    }

    /// Bytes of the ledger: its files, or its database.
    pub fn ledger_bytes(&self) -> Result<u64, Failed> {
        if let Some(Database { server, name, .. }) = &self.database {
            let size = server
                .query("postgres", &format!("SELECT pg_database_size('{name}')"))
                .map_err(cannot("ask for the size of the database"))?;
            return size.trim().parse().map_err(cannot("read the size of the database"));
        }
        let ledger = self.folder.ledger();
        let files = ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", ledger.display())));
        Ok(files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum())
    }

    /// Puts the ledger onto a throw-away PostgreSQL and fills it by the same files: schema by `banyan migrate`, then
    /// `banyan import` of each.
    pub fn move_to_postgres(&mut self, gateway: &Path) -> Result<(), Failed> {
        let database = Database::start(self.made.population.persons)?;
        let text = fs::read_to_string(self.folder.settings()).map_err(cannot("read the settings"))?;
        let text = text.replace(r#"file = "data/ledger.db""#, &format!(r#"url = "{}""#, database.url));
        fs::write(self.folder.settings(), text).map_err(cannot("write the settings"))?;
        let config = self.folder.settings();
        self.database = Some(database);
        done(Command::new(gateway).arg("migrate").arg("--config").arg(&config))?;
        for kind in Kind::ALL {
            let source = if kind == Kind::Persons { "register" } else { "sandbox" };
            let mut command = Command::new(gateway);
            command.args(["import", "--kind", &kind.to_string(), "--source", source, "--yes", "--config"]);
            done(command.arg(&config).arg(self.folder.province().join(file_name(kind))))?;
        }
        Ok(())
    }

    /// The front machine's way to a server of this folder's identity.
    pub fn client(
        &self,
        address: std::net::SocketAddr,
        proof: Proof,
        keep_alive: bool,
    ) -> Result<Client, Failed> {
        let signer = (proof == Proof::Tls).then(|| Signer::new(SIGNER, SIGNER));
        Ok(Client::new(self.line(address, proof)?, signer, keep_alive))
    }

    /// The line below it.
    pub fn line(&self, address: std::net::SocketAddr, proof: Proof) -> Result<Line, Failed> {
        let read = |path: PathBuf| fs::read_to_string(path).map_err(cannot("read a certificate"));
        let authority = read(self.folder.authority())?;
        let (certificate, key) = self.folder.identity(self.front.as_str());
        let (certificate, key) = (read(certificate)?, read(key)?);
        let identity = (proof == Proof::Mtls).then_some((certificate.as_str(), key.as_str()));
        Line::new(address, &authority, identity).map_err(cannot("speak TLS"))
    }
}

impl Database {
    /// On a server of its own, for the stays of so many insured.
    pub fn start(insured: u64) -> Result<Database, Failed> {
        let server = match Postgres::start_with(&POSTGRES) {
            Err(cause @ NoServer::NotInstalled { .. }) => return Err(Failed::NoPostgres(cause.to_string())),
            started => started.map_err(cannot("start PostgreSQL"))?,
        };
        server.query("postgres", &log_files(insured)).map_err(cannot("make files of PostgreSQL's log"))?;
        Database::on(Arc::new(server))
    }

    /// One more on a server that runs.
    pub fn on(server: Arc<Postgres>) -> Result<Database, Failed> {
        let url = server.create_database().map_err(cannot("make a database"))?;
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let pid = postmaster(&server)?;
        Ok(Database { server, url, name, pid })
    }
}

/// Durable as PostgreSQL ships; memory as anybody would give it. The same for the gateway's ledger and for *plain*.
const POSTGRES: [(&str, &str); 4] = [
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("min_wal_size", "4GB"),
    ("max_connections", "300"),
];

/// A server that has run for a day uses the files of its log again. A fresh one makes each anew, for which commits wait a
/// tenth of a second: so many as are filled here (16 MB each) are made beforehand.
fn log_files(insured: u64) -> String {
    const AT_LEAST: u64 = 32;
    const INSURED_A_FILE: u64 = 1_000;
    const AT_MOST: u64 = 240;
    let files = (AT_LEAST + insured / INSURED_A_FILE).min(AT_MOST);
    format!(
        "DO $$ BEGIN
             FOR file IN 1..{files} LOOP
                 PERFORM pg_logical_emit_message(FALSE, 'loadtest', 'a file');
                 PERFORM pg_switch_wal();
             END LOOP;
         END $$;
         CHECKPOINT"
    )
}

/// The first process of a server.
fn postmaster(server: &Postgres) -> Result<u32, Failed> {
    let file = server
        .query("postgres", "SELECT pg_read_file('postmaster.pid')")
        .map_err(cannot("ask for PostgreSQL's process"))?;
    let first = file.lines().next().unwrap_or_default();
    first.trim().parse().map_err(cannot("read PostgreSQL's process"))
}

fn province(Population { persons, codes }: Population, today: Day) -> Province {
    Province::new(Size { seed: SEED, persons, codes, stays: 0 }, today)
}

fn done(command: &mut Command) -> Result<(), Failed> {
    let output = command.output().map_err(cannot("run banyan"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Failed::Said(format!("banyan failed: {}", String::from_utf8_lossy(&said).trim())))
}

impl Drop for Root {
    fn drop(&mut self) {
        if !self.kept {
            let _left_for_the_next_clean_up = fs::remove_dir_all(&self.path);
        }
    }
}

fn settings(folder: &Folder) -> Result<Gateway, Failed> {
    Gateway::read(&folder.settings()).map_err(|faults| Failed::Said(faults.to_string()))
}

/// The sandbox's settings with one front machine for all institutions, known by certificate and by signature, room for
/// its rate, and the log level of production. Nothing else differs from what ships.
fn loaded(made: &str, fingerprint: &str, codes: &str) -> String {
    let head = made.split("\n[[caller]]").next().unwrap_or(made);
    let head = head.replace(r#"level = "warn""#, r#"level = "info""#);
    // Those of the leg before may still be closing when the next opens its ten thousand.
    let head = head.replace("[hospital]\n", "[hospital]\nconnections_max = 11000\n");
    format!(
        r#"{head}
[hospital.limits]
per_second = 1000000             # the loader is every hospital of a province at once
burst = 1000000

[institution_default]
refuse_unfiled_first = false     # one 2303 a stay, filed or not

[[caller]]
certificate_sha256 = "{fingerprint}"
institutions = [{codes}]

[[caller]]
paas_id = "{SIGNER}"
secret_file = "{SECRET_FILE}"
networks = ["127.0.0.0/8"]
institutions = [{codes}]
"#
    )
}
