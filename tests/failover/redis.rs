//! Redis is killed and its links are broken under load: no call fails for it.

use std::sync::Arc;
use std::time::Duration;

use banyan::sandbox::redis::RedisServer;
use tokio::task::block_in_place;
use tokio::time::Instant;

use crate::link::Link;
use crate::link::Way;
use crate::province::Province;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_fails_whatever_becomes_of_redis_or_of_the_links_to_it() {
    let mut redis = RedisServer::start().unwrap();
    let links = [Link::to(redis.address()).await, Link::to(redis.address()).await];
    let cache = |node: usize| format!("\n[cache]\nurl = \"redis://{}\"\n", links[node].address);
    let mut province = Province::start(1, cache).await;
    let hospitals = Arc::clone(&province.hospitals);
    let tally = &hospitals.tally;
    let ways = [Way::Cut, Way::Silent, Way::AnswersLost, Way::Slow(Duration::from_millis(100))];
    let mut stories = Vec::new();
    for way in ways {
        province.insure(40).await;
        let (work, begun) = (province.hospitals.begin(), Instant::now());
        tally.until_done(&[0, 1], 4).await;
        for link in &links {
            link.set(way);
            tally.until_done(&[0, 1], 8).await;
            link.set(Way::Open);
        }
        tally.until_done(&[0, 1], 4).await;
        stories.extend(work.end().await);
        println!("Redis {way:?}: slowest call {} ms", tally.slowest_since(begun).as_millis());
    }
    province.insure(40).await;
    let (work, begun) = (province.hospitals.begin(), Instant::now());
    tally.until_done(&[0, 1], 4).await;
    block_in_place(|| redis.kill());
    tally.until_done(&[0, 1], 8).await;
    block_in_place(|| redis.restart().unwrap());
    tally.until_done(&[0, 1], 4).await;
    stories.extend(work.end().await);
    println!("Redis killed: slowest call {} ms", tally.slowest_since(begun).as_millis());
    let counts = tally.counts();
    assert_eq!(counts.failed(), 0, "{counts}");
    province.stands_as_told(&stories).await;
    block_in_place(|| province.is_sound());
}
