//! Owns how a server ends: what is in flight is finished, and at the deadline cut.

use banyan::transport::drain::Drained;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

use crate::server::Running;
use crate::server::millis;
use crate::server::patient;

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_closes() {
    let running = Running::plain(patient());
    let (mut busy, mut idle) = (running.connect().await, running.connect().await);
    assert_eq!(idle.ask("/echo", "before").await.status, 200);
    busy.post("/gate", "in flight").await;
    running.echo.entered(1).await;

    let address = running.address();
    let echo = Arc::clone(&running.echo);
    let draining = tokio::spawn(running.server.drain(Duration::from_secs(60)));
    assert!(idle.is_closed().await); // so the drain has begun
    echo.gate.add_permits(1);
    let heard = busy.hear().await.unwrap();
    assert_eq!(heard.body, "in flight");
    assert!(heard.says_close());
    assert!(busy.is_closed().await);
    assert_eq!(draining.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_drain_lets_a_request_finish_whose_head_has_only_begun() {
    let running = Running::plain(patient());
    let (mut begun, mut idle) = (running.connect().await, running.connect().await);
    assert_eq!(begun.ask("/echo", "first").await.status, 200);
    assert_eq!(idle.ask("/echo", "first").await.status, 200);
    begun.say("POST /ec").await;
    begun_is_read(&running).await;

    let draining = tokio::spawn(running.server.drain(Duration::from_secs(60)));
    assert!(idle.is_closed().await);
    begun.say("ho HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nlate").await;
    let heard = begun.hear().await.unwrap();
    assert_eq!(heard.body, "late");
    assert!(heard.says_close());
    assert!(begun.is_closed().await);
    assert_eq!(draining.await.unwrap(), Drained { cut: 0 });
}

/// On a one-thread runtime the server's task of an older connection has run once a newer connection was answered.
async fn begun_is_read(running: &Running) {
    for _ in 0..3 {
        assert_eq!(running.connect().await.ask("/echo", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_drain_cuts_at_its_deadline_and_says_how_many() {
    let running = Running::plain(patient());
    let (mut one, mut two) = (running.connect().await, running.connect().await);
    one.post("/never", "").await;
    two.post("/never", "").await;
    running.echo.entered(2).await;
    assert_eq!(running.server.drain(millis(50)).await, Drained { cut: 2 });
    assert!(one.is_closed().await && two.is_closed().await);
}

#[tokio::test]
async fn a_server_that_is_let_go_cuts_its_connections() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.post("/never", "").await;
    running.echo.entered(1).await;
    drop(running);
    assert!(line.is_closed().await);
}
