//! Two nodes over one cluster, their links, hospitals that work through them, and what must be true of the books.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use banyan::app;
use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::domain::record::Body;
use banyan::domain::region::Region;
use banyan::ledger::Ledger;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::province::Province as Sandbox;
use banyan::sandbox::province::Size;
use banyan::sandbox::stays;
use banyan::sandbox::story::KNEE;
use banyan::service::import::apply::Importer;
use banyan::service::import::source::SourceName;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::sync::MutexGuard;
use tokio::task::block_in_place;

use crate::cluster::Cluster;
use crate::cluster::DATABASE;
use crate::hospitals::ANSWER_WITHIN;
use crate::hospitals::Hospital;
use crate::hospitals::Hospitals;
use crate::hospitals::Patient;
use crate::hospitals::Story;
use crate::link::Link;
use crate::link::Way;
use crate::node::BINARY;
use crate::node::Node;
use crate::node::free_address;
use crate::support::books;
use crate::support::people;
use crate::support::people::EMPLOYEE;

const SEED: u64 = 20_261_126;
const HOSPITALS: usize = 3;

/// One province at a time, so that what is measured is not another test's.
static ALONE: Mutex<()> = Mutex::const_new(());

pub(crate) fn seed() -> u64 {
    number("BANYAN_FAILOVER_SEED", SEED)
}

/// A number that the environment gives, or the one of the normal test run.
pub(crate) fn number(name: &str, else_this: u64) -> u64 {
    std::env::var(name).map_or(else_this, |text| text.parse().unwrap())
}

/// Keys, certificates, packs and files, made once; every province has its own database.
struct Template {
    folder: Folder,
    sandbox: Sandbox,
    settings: String,
    _place: TempDir,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| std::thread::spawn(make_template).join().unwrap())
}

/// On a thread of its own: a test's runtime cannot wait inside itself.
fn make_template() -> Template {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let sandbox = Sandbox::new(Size { seed: 7, persons: 21, codes: 20, stays: 1 }, SystemClock.now().day());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sandbox_folder::make(&folder, &sandbox, Ports::ANY, Arc::new(SystemClock))).unwrap();
    let settings = std::fs::read_to_string(folder.settings()).unwrap();
    let settings = settings.replace("level = \"warn\"", "level = \"error\"");
    let unlimited = "\n[hospital.limits]\nper_second = 100000\nburst = 100000\n\n[persons]\n";
    let settings = settings.replace("\n[persons]\n", unlimited);
    Template { folder, sandbox, settings, _place: place }
}

pub(crate) struct Province {
    pub(crate) cluster: Cluster,
    /// By node, then by server.
    pub(crate) links: [Vec<Link>; 2],
    pub(crate) nodes: [Node; 2],
    pub(crate) hospitals: Arc<Hospitals>,
    /// Settings of whoever looks at the books without any link between.
    pub(crate) direct: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Province {
    /// With so many servers, and more settings for each node.
    pub(crate) async fn start(servers: usize, more: impl Fn(usize) -> String) -> Province {
        Province::start_on(|| Cluster::start(servers), more).await
    }

    pub(crate) async fn start_on(
        cluster: impl FnOnce() -> Cluster,
        more: impl Fn(usize) -> String,
    ) -> Province {
        let alone = ALONE.lock().await;
        let cluster = block_in_place(cluster);
        let direct = settings("direct", &cluster.addresses(), None, "");
        migrate(&direct);
        // The folder's own settings are the ones that its files are taken in by.
        std::fs::copy(&direct, template().folder.settings()).unwrap();
        sandbox_folder::fill(&template().folder, Arc::new(SystemClock)).await.unwrap();
        let (mut links, mut nodes) = (Vec::new(), Vec::new());
        for node in 0..2 {
            let own = join_all(cluster.addresses().into_iter().map(Link::to)).await;
            let (at, through) = (free_address(), own.iter().map(|link| link.address).collect::<Vec<_>>());
            let file = settings(&format!("node-{node}"), &through, Some(at), &more(node));
            nodes.push(block_in_place(|| Node::start(file, at)));
            links.push(own);
        }
        let nodes = <[Node; 2]>::try_from(nodes).unwrap_or_else(|_| unreachable!());
        let links = <[Vec<Link>; 2]>::try_from(links).unwrap_or_else(|_| unreachable!());
        let hospitals = Arc::new(hospitals(&nodes));
        Province { cluster, links, nodes, hospitals, direct, _alone: alone }
    }

    pub(crate) fn config(&self) -> Gateway {
        Gateway::read(&self.direct).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// People who are new to the register.
    pub(crate) async fn insure(&self, count: usize) {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let ledger = block_in_place(|| app::open_ledger(&self.config(), Arc::new(SystemClock)).unwrap());
        let importer = Importer {
            ledger,
            clock: Arc::new(SystemClock),
            source: SourceName::parse("register").unwrap(),
            may_introduce: true,
            operator: "test".into(),
        };
        let today = SystemClock.now().day();
        let patients = join_all((0..count).map(async |_| {
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let (insured, entries) = people::person(serial, &EMPLOYEE, today);
            for entry in &entries {
                importer.apply(entry).await.unwrap();
            }
            let hospital = usize::try_from(serial).unwrap() % HOSPITALS;
            let when = stays::Visit {
                hospital: &template().sandbox.hospitals[hospital],
                admitted: today.plus_days(-15),
                discharged: today.plus_days(-1),
            };
            let stay = stays::stay(&insured, &when, &KNEE, insured.person.number());
            Patient { insured, stay, hospital }
        }));
        self.hospitals.take_in(patients.await);
        block_in_place(|| drop(importer));
    }

    /// What becomes of the links between these nodes and whichever server is the primary.
    pub(crate) fn set_links(&self, nodes: &[usize], way: Way) {
        nodes.iter().for_each(|node| self.links[*node][self.cluster.primary()].set(way));
    }

    /// Everybody was told what stands: each message answers as it did, and her records are what was told, once each.
    pub(crate) async fn stands_as_told(&self, stories: &[Story]) {
        let ledger = block_in_place(|| self.reading());
        join_all(stories.iter().map(|story| self.story_stands(ledger.as_ref(), story))).await;
        block_in_place(|| drop(ledger));
    }

    fn reading(&self) -> Arc<dyn Ledger> {
        let config = self.config();
        app::ledger_place(&config).open_to_read(app::secrets(&config).unwrap()).unwrap()
    }

    async fn story_stands(&self, ledger: &dyn Ledger, story: &Story) {
        let done = || story.sent.iter().filter(|sent| sent.answer.ok());
        for (sent, node) in done().zip([0, 1].into_iter().cycle()) {
            let again = self.hospitals.until_told(story.patient.hospital, node, &sent.body).await;
            let same = again.bytes == sent.answer.bytes || again.code() == "undone-since";
            assert!(same, "{} {}: {:?} is now {:?}", sent.infno, sent.msgid, sent.answer, again);
        }
        let records = books::records(ledger, &story.patient.insured.person).await;
        let mut written: Vec<_> = Vec::new();
        for record in records.iter().filter(|record| !matches!(record.body, Body::Registered(_))) {
            written.push(record.meta.key.message.as_str().to_owned());
            let told = done().find(|sent| sent.msgid == record.meta.key.message.as_str());
            let told = told.unwrap_or_else(|| panic!("nobody was told of {record:?}"));
            if let Body::Settled(settled) = &record.body {
                assert_eq!(settled.id.as_str(), told.answer.setl_id());
            }
        }
        let once: BTreeSet<_> = written.iter().cloned().collect();
        assert_eq!(once.len(), written.len(), "done twice: {written:?}");
        assert_eq!(once, done().map(|sent| sent.msgid.clone()).collect(), "told and written are the same");
    }

    /// Every seal holds and every table is the fold of the records; nodes run that were started at the beginning.
    pub(crate) fn is_sound(&mut self) {
        assert!(self.nodes.iter_mut().all(Node::is_running), "a node has ended");
        let mut verify = Command::new(BINARY);
        let verified = verify.arg("verify").arg("--config").arg(&self.direct).output().unwrap();
        let told = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.status.success(), "{told}{}", String::from_utf8_lossy(&verified.stderr));
    }
}

/// A file in the common folder, where keys and packs lie.
pub(crate) fn settings(
    name: &str,
    servers: &[SocketAddr],
    hospitals: Option<SocketAddr>,
    more: &str,
) -> PathBuf {
    let hosts: Vec<_> = servers.iter().map(SocketAddr::to_string).collect();
    let mut ledger = format!("url = \"postgres://postgres@{}/{DATABASE}", hosts.join(","));
    let within = ANSWER_WITHIN.as_millis();
    write!(
        ledger,
        "?target_session_attrs=read-write\"\nconnect_timeout_ms = 500\nanswer_within_ms = {within}"
    )
    .unwrap();
    let text = template().settings.replace("file = \"data/ledger.db\"", &ledger);
    let at = hospitals.map_or("127.0.0.1:0".to_owned(), |at| at.to_string());
    let text = text.replacen("address = \"127.0.0.1:0\"", &format!("address = \"{at}\""), 1);
    let file = template().folder.root().join(format!("{name}.toml"));
    std::fs::write(&file, format!("{text}\n{more}")).unwrap();
    file
}

pub(crate) fn migrate(settings: &Path) -> String {
    let done = Command::new(BINARY).arg("migrate").arg("--config").arg(settings).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn hospitals(nodes: &[Node; 2]) -> Hospitals {
    let Template { folder, sandbox, .. } = template();
    let authority = std::fs::read_to_string(folder.authority()).unwrap();
    let all = sandbox.hospitals[..HOSPITALS].iter().map(|hospital| {
        let institution = &hospital.institution;
        let files = folder.identity(institution.code.as_str());
        let identity = [files.0, files.1].map(|file| std::fs::read_to_string(file).unwrap());
        let line = |address| Line::new(address, &authority, Some((&identity[0], &identity[1]))).unwrap();
        let lines = [0, 1].map(|node: usize| line(nodes[node].address));
        let (code, name) = (institution.code.clone(), institution.name.clone());
        let his = His::new(code, name, institution.region, lines[0].clone(), || SystemClock.now());
        Hospital::new(his, lines)
    });
    Hospitals::new(all.collect())
}

/// As the sandbox has it; told again, it changes nothing that a call depends on.
pub(crate) fn a_region() -> Region {
    template().sandbox.regions[0].clone()
}

/// Of durations that were measured.
pub(crate) fn spread(mut measured: Vec<Duration>) -> String {
    measured.sort();
    let ms = |at: usize| measured.get(at).map_or(0, Duration::as_millis);
    let last = measured.len().saturating_sub(1);
    format!("{} ms (median {} ms, longest {} ms)", ms(0), ms(last / 2), ms(last))
}
