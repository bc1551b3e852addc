//! Links between nodes and their server are cut, silent, slow, or carry requests and no answers.

use std::sync::Arc;
use std::time::Duration;

use banyan::app;
use banyan::config::gateway::Gateway;
use banyan::ledger::LedgerError;
use banyan::ledger::ReferenceChange;
use banyan::service::seams::SystemClock;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::task::block_in_place;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::hospitals::CALL_WITHIN;
use crate::link::Way;
use crate::province::Province;
use crate::province::a_region;
use crate::province::number;
use crate::province::seed;
use crate::tally::Counts;

const PATIENTS: usize = 40;
const BEFORE_MAX: usize = 40;
const SLOW: Way = Way::Slow(Duration::from_millis(100));
const WAYS: [Way; 4] = [Way::AnswersLost, Way::Silent, Way::Cut, SLOW];
const NODES: [&[usize]; 3] = [&[0], &[0, 1], &[1]];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_is_answered_in_time_whatever_its_link_to_the_server_does() {
    let (rounds, seed) = (number("BANYAN_FAILOVER_CUTS", 4), seed());
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut province = Province::start(1, |_| String::new()).await;
    for round in 0..rounds {
        let at = usize::try_from(round).unwrap();
        let (way, nodes) = (WAYS[at % WAYS.len()], NODES[dice.random_range(0..NODES.len())]);
        province.insure(PATIENTS).await;
        let work = province.hospitals.begin();
        let tally = &province.hospitals.tally;
        let (before, more) = (tally.counts().done_in_all(), dice.random_range(1..BEFORE_MAX));
        tally.until("done before a cut", |now| now.done_in_all() >= before + more).await;

        let (cut, then) = (Instant::now(), tally.counts());
        province.set_links(nodes, way);
        if way == SLOW {
            tally.until_done(nodes, 5).await;
        } else {
            let told = |now: &Counts, node: usize| now.again[node] >= then.again[node] + 2;
            tally.until("told to come again", |now| nodes.iter().all(|node| told(now, *node))).await;
        }
        let mended = Instant::now();
        province.set_links(nodes, Way::Open);
        let back = tally.back_after(nodes, mended).await;
        let stories = work.end().await;
        println!(
            "{way:?} for nodes {nodes:?}, {} ms: {back:.0?} from mended to answered; slowest call {} ms",
            (mended - cut).as_millis(),
            tally.slowest_since(cut).as_millis()
        );
        province.stands_as_told(&stories).await;
    }
    assert_eq!(province.hospitals.tally.counts().broken, [0, 0], "every call was answered");
    block_in_place(|| province.is_sound());
    println!("{rounds} links broken, seed {seed}: {}", province.hospitals.tally.counts());
}

/// A lane writes deeds and changes of the shared tables; the one must not wait for the other longer than for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_of_the_shared_tables_on_a_silent_link_is_given_up_in_time() {
    let province = Province::start(1, |_| String::new()).await;
    let config = Gateway::read(&province.nodes[0].settings).unwrap_or_else(|faults| panic!("{faults}"));
    let ledger = block_in_place(|| app::open_ledger(&config, Arc::new(SystemClock)).unwrap());
    let change = || ledger.record_reference("test".into(), ReferenceChange::Regions(vec![a_region()]));
    let before = change().await.unwrap();
    province.set_links(&[0], Way::Silent);
    let told = timeout(CALL_WITHIN, change()).await.expect("it is answered in time");
    assert!(matches!(told, Err(LedgerError::Storage { .. })), "{told:?}");
    province.set_links(&[0], Way::Open);
    let after = timeout(CALL_WITHIN, change()).await.expect("it is answered in time").unwrap();
    assert!(after > before);
    block_in_place(|| drop(ledger));
}
