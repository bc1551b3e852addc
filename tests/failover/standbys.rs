//! Standbys are lost: one is not missed; without any, nothing is promised until one is back.

use std::sync::Arc;

use tokio::task::block_in_place;
use tokio::time::Instant;

use crate::province::Province;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_standbys_calls_are_told_to_come_again_until_one_is_back() {
    let mut province = Province::start(3, |_| String::new()).await;
    let hospitals = Arc::clone(&province.hospitals);
    let tally = &hospitals.tally;
    province.insure(60).await;
    let (work, begun) = (province.hospitals.begin(), Instant::now());
    tally.until_done(&[0, 1], 5).await;
    block_in_place(|| province.cluster.kill_standbys());
    let lost = tally.counts();
    tally.until("told to come again", |now| (0..2).all(|node| now.again[node] >= lost.again[node] + 4)).await;
    let back = Instant::now();
    block_in_place(|| province.cluster.restart_standbys(1));
    let restarted = back.elapsed();
    let answered = tally.back_after(&[0, 1], back).await;
    let stories = work.end().await;
    province.stands_as_told(&stories).await;
    block_in_place(|| province.is_sound());
    println!(
        "both standbys lost: {}, slowest call {} ms; one was back after {} ms, the nodes answered after {answered:.0?}",
        tally.counts(),
        tally.slowest_since(begun).as_millis(),
        restarted.as_millis()
    );
}
