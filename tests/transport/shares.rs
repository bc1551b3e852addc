//! Owns the shares of callers and the places for work.

use banyan::transport::limits;
use banyan::transport::limits::Limits;
use banyan::transport::limits::Why;
use futures_util::FutureExt;
use std::time::Duration;

use crate::server::millis;

fn shares(burst: u32) -> limits::Settings {
    limits::Settings {
        per_second: 1.try_into().unwrap(),
        burst: burst.try_into().unwrap(),
        wait_max: millis(20),
        ..limits::Settings::default()
    }
}

#[tokio::test]
async fn a_key_over_its_share_is_told_when_to_come_back_and_others_are_not_touched() {
    let limits = Limits::new(shares(3));
    for _ in 0..3 {
        assert!(limits.admit("H1").await.is_ok());
    }
    let shed = limits.admit("H1").await.expect_err("over its share");
    assert_eq!(shed.why, Why::Rate);
    assert!((1..=1000).contains(&shed.retry_after_ms), "{shed:?}");
    assert!(limits.admit("H2").await.is_ok());
}

#[tokio::test]
async fn with_all_places_taken_a_request_waits_a_bounded_while() {
    let limits = Limits::new(limits::Settings { in_flight_max: 1, ..shares(100) });
    let permit = limits.admit("H1").await.unwrap();
    assert_eq!(limits.in_flight(), 1);
    let shed = limits.admit("H2").await.expect_err("no place came free");
    assert_eq!((shed.why, shed.retry_after_ms), (Why::Busy, 1000));
    drop(permit);
    assert!(limits.admit("H2").await.is_ok());
    assert_eq!(limits.in_flight(), 0);
}

#[tokio::test]
async fn a_place_that_comes_free_goes_to_who_waits_and_the_queue_has_an_end() {
    let settings = limits::Settings {
        in_flight_max: 1,
        waiting_max: 1,
        wait_max: Duration::from_secs(60),
        ..shares(100)
    };
    let limits = Limits::new(settings);
    let permit = limits.admit("H1").await.unwrap();
    let mut waiting = Box::pin(limits.admit("H2"));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(
        limits.admit("H3").now_or_never().expect("at once").expect_err("the queue is full").why,
        Why::Busy
    );
    drop(permit);
    assert!(waiting.await.is_ok());
    assert!(limits.admit("H3").await.is_ok());
}

#[tokio::test]
async fn made_up_keys_cannot_fill_the_table() {
    let limits = Limits::new(limits::Settings { keys_max: 256, ..shares(1) });
    let mut refused = 0;
    for number in 0..10_000 {
        refused += usize::from(limits.count(&format!("made up {number}")).is_err());
    }
    // Every key asks once, within its share: that any was refused shows that they share entries by then.
    assert!(refused > 5_000, "{refused}");
}
