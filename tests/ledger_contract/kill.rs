//! Owns what a kill -9 in mid-commit must leave: everything acknowledged, nothing doubled, tables that are the fold of
//! their records. The writer is this test binary started once more.

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use banyan::domain::calendar::Instant;
use banyan::domain::record::Body;
use banyan::domain::record::MessageKey;
use banyan::ledger::Ledger;
use banyan::ledger::Message;
use banyan::ledger::sqlite::Settings;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::actor::Actor;
use crate::actor::message;
use crate::actor::upload;
use crate::sqlite::open;
use crate::stage::BEGIN;

/// Tells the started binary that it is the victim, and where its ledger lies.
const VICTIM: &str = "LEDGER_CONTRACT_VICTIM";
const KILLS: u64 = 100;
/// As many as share one ledger: long enough to meet a log that was cut before.
const KILLS_PER_LEDGER: u64 = 10;
const WRITERS: usize = 16;

/// Not a test by itself: writes until it is killed, when started by the test below.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(VICTIM) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(write_until_killed(Path::new(&folder)));
}

/// Each writer admits, bills and settles new persons and tells every record after the ledger has told it.
async fn write_until_killed(folder: &Path) -> ! {
    let settings = Settings { wal_checkpoint_pages: 64, wal_limit_pages: 512, ..Settings::default() };
    let ledger: Arc<dyn Ledger> = Arc::new(open(&folder.join("ledger.db"), settings, Arc::new(|| BEGIN)));
    for _ in 0..WRITERS {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            loop {
                let number = format!("{}-{}", std::process::id(), crate::actor::fresh());
                live(&Actor::registered(&ledger, &number).await).await;
            }
        });
    }
    std::future::pending().await
}

async fn live(woman: &Actor) {
    let stay = woman.admit().await;
    for _ in 0..3 {
        tell(woman, &woman.upload(&stay, 10_000).await.meta.key);
    }
    tell(woman, &woman.discharge(&stay).await.meta.key);
    let settled = woman.settle(&stay).await;
    tell(woman, &settled.meta.key);
    tell(woman, &woman.reverse(&stay, &settled).await.meta.key);
    tell(woman, &woman.settle(&stay).await.meta.key);
}

/// One line in one write, so that a kill leaves no half of it.
fn tell(woman: &Actor, key: &MessageKey) {
    use std::io::Write as _;
    let line = format!("told {} {} {}\n", woman.key.number(), key.transaction, key.message);
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_124);
    let mut told_in_all = 0;
    for _ in 0..KILLS / KILLS_PER_LEDGER {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Vec::new();
        for _ in 0..KILLS_PER_LEDGER {
            let acknowledged = chance.random_range(1..120);
            let extra = Duration::from_micros(chance.random_range(0..6_000));
            told.extend(killed(folder.path(), acknowledged, extra));
            whole_after_kill(folder.path(), &told).await;
        }
        told_in_all += told.len();
    }
    assert!(told_in_all > 1_000, "only {told_in_all} deeds were told before the kills");
}

/// Starts a victim, lets it acknowledge some deeds and a little more, kills it. What it had told by then.
fn killed(folder: &Path, acknowledged: usize, extra: Duration) -> Vec<(String, MessageKey)> {
    let mut victim = start(folder);
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told: Vec<_> = lines.by_ref().filter_map(|line| read(&line)).take(acknowledged).collect();
    std::thread::sleep(extra);
    victim.kill().unwrap();
    victim.wait().unwrap();
    told.extend(lines.filter_map(|line| read(&line)));
    told
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--nocapture", "--test-threads", "1"])
        .env(VICTIM, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn read(line: &str) -> Option<(String, MessageKey)> {
    // The harness may have begun the line.
    let (_, told) = line.split_once("told ")?;
    let mut words = told.split(' ');
    let (number, transaction, id) = (words.next()?, words.next()?, words.next()?);
    Some((number.into(), message(transaction.parse().ok()?, id)))
}

async fn whole_after_kill(folder: &Path, told: &[(String, MessageKey)]) {
    let ledger: Arc<dyn Ledger> =
        Arc::new(open(&folder.join("ledger.db"), Settings::default(), Arc::new(|| Instant(BEGIN.0 + 1))));
    assert_eq!(ledger.check(5).await.unwrap(), Vec::<String>::new());
    for (number, key) in told {
        let found = Actor::new(&ledger, number).asked(key).await;
        let stands = match &found {
            Message::Done { record, .. } => record.meta.key == *key,
            Message::Undone { record, by, .. } => {
                record.meta.key == *key && matches!(by.body, Body::Reversed(_))
            }
            Message::Unknown | Message::Fenced { .. } => false,
        };
        assert!(stands, "{number} was told {key:?}, the ledger knows {found:?}");
    }
    go_on(&ledger, told).await;
}

/// The file takes deeds as before.
async fn go_on(ledger: &Arc<dyn Ledger>, told: &[(String, MessageKey)]) {
    let Some((number, _)) = told.last() else { return };
    let woman = Actor::new(ledger, number);
    let facts = woman.facts(None).await;
    let Some(open) = facts.person.open.as_ref().map(|open| open.stay.clone()) else { return };
    let deed = upload(message(2301, &woman.id()), &open, 100);
    woman.recorded(woman.facts(Some(&open)).await, deed).await;
}
