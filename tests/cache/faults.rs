//! Redis gone, silent, emptied, full, or speaking nonsense: a node goes on, says so once, and finds back by itself.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use banyan::cache::Space;
use banyan::cache::redis::event::Event;
use banyan::cache::redis::event::Lost;
use banyan::cache::redis::event::Use;
use futures_util::future::join_all;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::stage::Node;
use crate::stage::section;
use crate::stage::server;
use crate::stage::shipped;

#[tokio::test]
async fn a_node_that_starts_without_redis_works_and_takes_it_when_it_comes() {
    let mut server = server();
    server.kill();
    let mut node = Node::begin(&section(&[&server]));
    node.redis.tried().await;
    node.put("a", "1").await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"), "kept on this node");
    server.restart().unwrap();
    node.is(true).await;
    let other = Node::connected_to(&[&server]).await;
    assert_eq!(other.take("a").await.as_deref(), Some("1"), "and moved to Redis when it comes");
    assert_eq!(node.get("a").await, None, "so that it is in one place only");
    assert_eq!(node.changes(), [false, true]);
    assert!(node.events().contains(&Event::FellBack(Use::Entry(Space::Session))));
}

#[tokio::test]
async fn a_killed_redis_is_done_without_and_taken_again() {
    let mut server = server();
    let mut node = Node::connected_to(&[&server]).await;
    node.put("old", "1").await;
    for round in 1..=3 {
        server.kill();
        node.is(false).await;
        let key = format!("round {round}");
        node.put(&key, "1").await;
        assert_eq!(node.get(&key).await.as_deref(), Some("1"));
        assert_eq!(node.take(&key).await.as_deref(), Some("1"));
        assert_eq!(node.take(&key).await, None);
        assert_eq!(node.redis.counters.lease("H1", share(), 0, 1).await, None);
        server.restart().unwrap();
        node.is(true).await;
        assert_eq!(node.get("old").await, None, "what lay in Redis alone is lost with it");
        node.put("new", "1").await;
        assert_eq!(node.get("new").await.as_deref(), Some("1"));
    }
    assert_eq!(node.changes(), [true, false, true, false, true, false, true], "one word for each change");
}

fn share() -> banyan::cache::redis::counters::Share {
    let one = std::num::NonZeroU32::MIN;
    banyan::cache::redis::counters::Share { per_second: one, burst: one }
}

#[tokio::test]
async fn a_silent_redis_costs_a_few_time_limits_and_not_one_in_each_call() {
    let server = server();
    let mut node = Node::begin(&shipped(&[&server]));
    node.is(true).await;
    server.stop_answering().unwrap();
    let began = Instant::now();
    for n in 0..1_000 {
        node.put(&format!("key {n}"), "1").await;
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "a thousand calls took {took:?}");
    let late = node.events().into_iter().filter(|event| *event == Event::Lost(Lost::Late)).count();
    assert!((1..=3).contains(&late), "{late} calls waited in vain");
    node.is(false).await;
    server.go_on().unwrap();
    node.is(true).await;
    assert_eq!(node.get("key 999").await.as_deref(), Some("1"));
    assert_eq!(node.changes(), [true, false, true]);
}

#[tokio::test]
async fn many_calls_at_once_wait_one_time_limit_together() {
    let server = server();
    let mut node = Node::begin(&shipped(&[&server]));
    node.is(true).await;
    server.stop_answering().unwrap();
    let began = Instant::now();
    let keys: Vec<String> = (0..2_000).map(|n| format!("key {n}")).collect();
    join_all(keys.iter().map(|key| node.get(key))).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(node.events().contains(&Event::Lost(Lost::Crowded)), "more than may wait did not wait");
}

#[tokio::test]
async fn what_was_taken_or_replaced_meanwhile_does_not_come_back_with_redis() {
    let server = server();
    let mut node = Node::connected_to(&[&server]).await;
    for key in ["taken", "replaced", "left alone"] {
        node.put(key, "old").await;
    }
    server.stop_answering().unwrap();
    assert_eq!(node.take("taken").await, None, "it cannot be had now");
    node.put("replaced", "new").await;
    assert_eq!(node.get("replaced").await.as_deref(), Some("new"));
    node.is(false).await;
    server.go_on().unwrap();
    node.is(true).await;
    let other = Node::connected_to(&[&server]).await;
    assert_eq!(node.get("taken").await, None, "a code must not be used twice");
    assert_eq!(other.take("taken").await, None, "not at another node either");
    assert_eq!(node.get("replaced").await.as_deref(), Some("new"));
    assert_eq!(other.get("replaced").await.as_deref(), Some("new"), "what was put meanwhile is moved there");
    assert_eq!(other.get("left alone").await.as_deref(), Some("old"));
}

#[tokio::test]
async fn a_flushed_redis_is_an_empty_one() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    node.put("a", "1").await;
    server.command("FLUSHALL").unwrap();
    assert_eq!(node.get("a").await, None);
    node.put("a", "2").await;
    assert_eq!(node.get("a").await.as_deref(), Some("2"));
    assert_eq!(node.changes(), [true]);
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_done_without() {
    let server = server();
    let mut node = Node::connected_to(&[&server]).await;
    server.command("CONFIG SET maxmemory 1").unwrap();
    node.put("a", "1").await;
    node.is(false).await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"));
    server.command("CONFIG SET maxmemory 0").unwrap();
    node.is(true).await;
    node.put("b", "1").await;
    assert_eq!(node.get("b").await.as_deref(), Some("1"));
}

/// Stands between node and server, and can cut, or write nonsense to the node.
struct Between {
    address: std::net::SocketAddr,
    nonsense: watch::Sender<u64>,
    cut: Arc<AtomicBool>,
}

impl Between {
    async fn before(server: std::net::SocketAddr) -> Between {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (nonsense, told) = watch::channel(0);
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if !is_cut.load(SeqCst) {
                    tokio::spawn(carry(near, server, told.clone()));
                }
            }
        });
        Between { address, nonsense, cut }
    }
}

async fn carry(mut near: TcpStream, server: std::net::SocketAddr, mut nonsense: watch::Receiver<u64>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    nonsense.mark_unchanged();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = nonsense.changed() => {
            // Neither an answer nor a push: the beginning of something endless.
            let _ = near.write_all(b"*9\r\n$-7\r\n\xff\xfe?!HTTP/1.1 400\r\n\r\n$999999999999\r\n").await;
            let _ = near.read(&mut [0; 64]).await;
        }
    }
}

#[tokio::test]
async fn nonsense_closes_the_connection_and_another_is_made() {
    let server = server();
    let between = Between::before(server.address()).await;
    let mut section = section(&[&server]);
    section.addresses = vec![between.address.to_string()];
    let mut node = Node::begin(&section);
    node.is(true).await;
    node.put("a", "1").await;
    for _ in 0..3 {
        between.nonsense.send_modify(|times| *times += 1);
        node.get("a").await; // whatever comes, it comes in time and is nothing wrong
        node.is(false).await;
        node.is(true).await;
        assert_eq!(node.get("a").await.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_cut_network_is_found_out_without_any_call() {
    let server = server();
    let between = Between::before(server.address()).await;
    let mut section = section(&[&server]);
    section.addresses = vec![between.address.to_string()];
    let mut node = Node::begin(&section);
    node.is(true).await;
    between.cut.store(true, SeqCst);
    between.nonsense.send_modify(|times| *times += 1);
    node.is(false).await;
    between.cut.store(false, SeqCst);
    node.is(true).await;
}

#[tokio::test]
async fn a_server_that_is_no_redis_is_never_taken_for_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let mut section = section(&[]);
    section.addresses = vec![address];
    let node = Node::begin(&section);
    node.redis.tried().await;
    node.put("a", "1").await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"));
    assert_eq!(node.changes(), [false]);
}
