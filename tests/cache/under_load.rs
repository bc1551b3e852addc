//! Two gateways settle while their Redis is killed, stopped from answering, flushed and started again: no call fails for it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use banyan::domain::codes::HospitalLevel;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::gateways::Pair;
use crate::gateways::SMALL;
use crate::support::people::EMPLOYEE;
use crate::support::world::World;

const CITIES: [u32; 4] = [440_100, 440_400, 440_600, 442_000];

/// Stays from the door to the settlement, one after the other, until told to stop. Each answer must be a success.
async fn settle_on(
    world: &World,
    registrar: &World,
    city: u32,
    stop: &AtomicBool,
    settled: &watch::Sender<u64>,
    slowest: &AtomicU64,
) {
    while !stop.load(SeqCst) {
        let insured = registrar.insure(&EMPLOYEE).await;
        let mut visit = world.visit(&insured, city, HospitalLevel::Three, &SMALL);
        visit.until_discharge().await;
        let first = visit.quote().await;
        assert!(first.ok() || first.code() == "unfiled", "{}", first.err_msg());
        let began = Instant::now();
        visit.settle().await.done();
        slowest.fetch_max(u64::try_from(began.elapsed().as_millis()).unwrap(), SeqCst);
        settled.send_modify(|count| *count += 1);
    }
}

/// Waits until so many more stays have been settled.
async fn more(settled: &mut watch::Receiver<u64>, many: u64) {
    let from = *settled.borrow();
    tokio::time::timeout(Duration::from_secs(60), settled.wait_for(|now| *now >= from + many))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_whatever_becomes_of_redis() {
    let mut pair =
        Pair::start(|config| config.cache.as_mut().unwrap().answer_within = Duration::from_millis(50)).await;
    let (stop, slowest) = (AtomicBool::new(false), AtomicU64::new(0));
    let (count, mut settled) = watch::channel(0);
    let (one, other) = (&pair.one, &pair.other);
    let server = &mut pair.server;
    let load = join_all(CITIES.iter().enumerate().map(|(at, city)| {
        let world = if at % 2 == 0 { one } else { other };
        settle_on(world, one, *city, &stop, &count, &slowest)
    }));
    let harm = async {
        for _ in 0..3 {
            more(&mut settled, 8).await;
            server.kill();
            more(&mut settled, 8).await;
            server.restart().unwrap();
            more(&mut settled, 8).await;
            server.stop_answering().unwrap();
            more(&mut settled, 8).await;
            server.go_on().unwrap();
            more(&mut settled, 8).await;
            server.command("FLUSHALL").unwrap();
        }
        stop.store(true, SeqCst);
    };
    tokio::join!(load, harm);
    pair.one.is_sound().await;
    println!(
        "{} stays settled through two nodes while Redis was killed, silenced and flushed three times each; \
         the slowest settlement took {} ms",
        *settled.borrow(),
        slowest.load(SeqCst)
    );
}
