//! An import that is killed with -9, again and again, is whole in the end: everybody once, nobody half. The importing
//! process is this test binary started once more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use banyan::command::import::Arguments;
use banyan::command::import::run;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::ledger::Facts;
use banyan::ledger::Ledger as _;
use banyan::ledger::LookUp;
use banyan::ledger::Who;
use banyan::ledger::secrets::Secrets;
use banyan::ledger::sqlite::Settings;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::protocol::files::kind::Kind;
use banyan::sandbox::geography::REGIONS_CSV;
use banyan::service::seams::Clock;

/// Tells the started binary that it is the victim, and where its folder lies.
const VICTIM: &str = "IMPORT_KILL_VICTIM";
const PERSONS: u32 = 12_000;
/// The process is killed as soon as the ledger holds the person at each of these places of its order.
const KILLED_AT: [usize; 5] = [1, 700, 1_900, 3_500, 5_200];

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Instant {
        Instant(Instant::start_of(Day::from_number(20_261_124).unwrap()).0 + 12 * 3_600_000)
    }
}

fn arguments(folder: &Path, kind: Kind) -> Arguments {
    Arguments {
        file: folder.join(format!("{kind}.csv")),
        kind,
        source: "register".into(),
        config: PathBuf::new(),
        ledger: Some(folder.join("ledger.db")),
        keys: Some(folder.to_owned()),
        yes: true,
        dry_run: false,
        differences: None,
        json: true,
    }
}

async fn import(folder: &Path, kind: Kind) -> serde_json::Value {
    let mut out = Vec::new();
    let code = run(&arguments(folder, kind), Arc::new(Noon), &mut out).await;
    assert_eq!(code.code(), 0, "{}", String::from_utf8_lossy(&out));
    serde_json::from_slice(&out).unwrap()
}

/// Not a test by itself: imports until it is killed, when started by the test below.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(VICTIM) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(import(Path::new(&folder), Kind::Persons));
}

fn start_victim(folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["victim", "--exact", "--nocapture"]).env(VICTIM, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn facts(ledger: &SqliteLedger, number: u32) -> Option<Facts> {
    let person = PersonKey::parse(RegionCode(440_700), &number.to_string()).unwrap();
    let wanted = LookUp::of(Who::Person(person));
    ledger.look_up(wanted).await.unwrap().facts
}

/// An import goes through the buckets: who is early among them is recorded early, with more to come than any queue holds.
fn in_the_order_of_the_ledger(ledger: &SqliteLedger) -> Vec<u32> {
    let mut all: Vec<u32> = (1..=PERSONS).collect();
    all.sort_by_key(|number| {
        let person = PersonKey::parse(RegionCode(440_700), &number.to_string()).unwrap();
        ledger.bucket(&person)
    });
    all
}

#[tokio::test]
async fn an_import_that_is_killed_again_and_again_is_whole_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    Secrets::make_in(folder, Noon.now()).unwrap();
    std::fs::write(folder.join("regions.csv"), REGIONS_CSV).unwrap();
    let header = "poolarea_no,psn_no,psn_name,psn_cert_type,certno,insutype,psn_type,psn_insu_stas,cvlserv_flag,insuplc_admdvs,begndate\n";
    let text = (1..=PERSONS).fold(header.to_owned(), |mut text, number| {
        writeln!(text, "440700,{number},陈样甲,99,T{number},310,11,1,0,440703,2020-01-01").unwrap();
        text
    });
    std::fs::write(folder.join("persons.csv"), text).unwrap();
    import(folder, Kind::Regions).await;
    let secrets = Secrets::open_in(folder).unwrap();
    let now = Arc::new(|| Noon.now());
    let watching = SqliteLedger::open(&folder.join("ledger.db"), Settings::default(), secrets, now).unwrap();
    let order = in_the_order_of_the_ledger(&watching);
    for until in KILLED_AT.map(|place| order[place]) {
        let mut victim = start_victim(folder);
        while facts(&watching, until).await.is_none() {
            assert!(victim.try_wait().unwrap().is_none(), "the import ended before it was killed at {until}");
            tokio::task::yield_now().await;
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let report = import(folder, Kind::Persons).await;
    let (new, unchanged) = (report["new"].as_u64().unwrap(), report["unchanged"].as_u64().unwrap());
    assert_eq!(new + unchanged, u64::from(PERSONS));
    assert!(unchanged >= KILLED_AT[4] as u64 / 2 && new > 0, "{new} new, {unchanged} there already");
    for number in 1..=PERSONS {
        assert_eq!(facts(&watching, number).await.map(|facts| facts.version), Some(1), "{number}");
    }
    assert_eq!(watching.check(10).await.unwrap(), Vec::<String>::new());
}
