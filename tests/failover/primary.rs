//! The primary is killed with -9 under load; a standby takes over.

use std::time::Duration;

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::task::block_in_place;
use tokio::time::Instant;

use crate::province::Province;
use crate::province::number;
use crate::province::seed;
use crate::province::spread;
use crate::tally::Counts;

/// Insured for a round; whoever is not treated in it waits for the next.
const PATIENTS: usize = 40;
/// Calls done before the kill, at most.
const BEFORE_MAX: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_told_stands_when_the_primary_is_killed_and_no_node_is_restarted() {
    let (rounds, seed) = (number("BANYAN_FAILOVER_KILLS", 2), seed());
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut province = Province::start(3, |_| String::new()).await;
    let (mut promoted, mut back, mut slowest, mut met) = (Vec::new(), Vec::new(), Duration::ZERO, 0);
    for round in 1..=rounds {
        province.insure(PATIENTS).await;
        let begun = Instant::now();
        let work = province.hospitals.begin();
        let tally = &province.hospitals.tally;
        let (before, more) = (tally.counts().done_in_all(), dice.random_range(1..BEFORE_MAX));
        tally.until("done before a kill", |now| now.done_in_all() >= before + more).await;
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..20_000))).await;

        let (killed, at) = (province.cluster.primary(), Instant::now());
        block_in_place(|| province.cluster.kill_primary());
        let tally = &province.hospitals.tally;
        if round % 2 == 0 {
            // An operator who takes longer than calls wait.
            let then = tally.counts();
            let told = |now: &Counts| (0..2).all(|node| now.again[node] > then.again[node]);
            tally.until("told to come again", told).await;
        }
        let gone = Instant::now();
        block_in_place(|| province.cluster.fail_over());
        promoted.push(gone.elapsed());
        let tally = &province.hospitals.tally;
        back.extend(tally.back_after(&[0, 1], gone).await);
        met += tally.under_way_at(at);
        let stories = work.end().await;
        block_in_place(|| province.cluster.rebuild(killed));
        slowest = slowest.max(province.hospitals.tally.slowest_since(begun));
        province.stands_as_told(&stories).await;
        if round % 10 == 0 || round == rounds {
            block_in_place(|| province.is_sound());
            println!("{round} kills, seed {seed}: {}", province.hospitals.tally.counts());
        }
    }
    assert!(met > 0, "no kill met a call");
    assert_eq!(province.hospitals.tally.counts().broken, [0, 0], "every call was answered");
    println!(
        "{met} calls were under way at the kills; a fail-over took {}, from its begin to a node's first answer it was {}; \
         the slowest call took {} ms",
        spread(promoted),
        spread(back),
        slowest.as_millis()
    );
}
