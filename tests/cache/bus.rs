//! What nodes tell each other, alone and through Redis.

use std::time::Duration;

use banyan::cache::bus::Bus;
use banyan::cache::bus::DeedTold;
use banyan::cache::bus::MemoryBus;
use banyan::cache::bus::Message;
use banyan::cache::bus::Topic;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::timeout;

use crate::stage::Node;
use crate::stage::PATIENCE;
use crate::stage::server;

fn deed() -> Message {
    Message::Deed(DeedTold {
        settlement: Some("S1".into()),
        institution: "H44070300001".into(),
        infno: 2304,
        kind: "settled".into(),
    })
}

async fn next(told: &mut Receiver<Message>) -> Message {
    timeout(PATIENCE, told.recv()).await.expect("it is told").unwrap()
}

/// On both: what is published is heard on the same node, by topic, by whoever listened before.
async fn tells_this_node(bus: &dyn Bus) {
    let (mut changes, mut deeds) = (bus.subscribe(Topic::Changes), bus.subscribe(Topic::Deeds));
    bus.publish(Message::TablesChanged);
    bus.publish(deed());
    assert_eq!(changes.try_recv(), Ok(Message::TablesChanged));
    assert_eq!(deeds.try_recv(), Ok(deed()));
    assert_eq!((changes.try_recv(), deeds.try_recv()), (Err(TryRecvError::Empty), Err(TryRecvError::Empty)));
    assert_eq!(bus.subscribe(Topic::Changes).try_recv(), Err(TryRecvError::Empty), "too late");
}

/// On both: a listener that does not keep up misses messages, and holds nobody up.
async fn waits_for_nobody(bus: &dyn Bus) {
    let mut slow = bus.subscribe(Topic::Changes);
    for _ in 0..10_000 {
        bus.publish(Message::KeysChanged);
    }
    assert!(matches!(slow.try_recv(), Err(TryRecvError::Lagged(_))));
    assert_eq!(slow.try_recv(), Ok(Message::KeysChanged));
}

#[tokio::test]
async fn both_buses_keep_the_same_promises() {
    tells_this_node(&MemoryBus::default()).await;
    waits_for_nobody(&MemoryBus::default()).await;
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    tells_this_node(&*node.redis.bus).await;
    waits_for_nobody(&*node.redis.bus).await;
}

#[tokio::test]
async fn other_nodes_hear_of_changes_once() {
    let server = server();
    let (one, other) = (Node::connected_to(&[&server]).await, Node::connected_to(&[&server]).await);
    let (mut here, mut there) =
        (one.redis.bus.subscribe(Topic::Changes), other.redis.bus.subscribe(Topic::Changes));
    one.redis.bus.publish(Message::TablesChanged);
    assert!(one.redis.bus.tell(Message::KeysChanged).await);
    let both = [next(&mut there).await, next(&mut there).await];
    assert!(both.contains(&Message::TablesChanged) && both.contains(&Message::KeysChanged), "{both:?}");
    other.redis.bus.publish(Message::KeysChanged);
    assert_eq!(next(&mut here).await, Message::TablesChanged);
    assert_eq!(next(&mut here).await, Message::KeysChanged);
    assert_eq!(here.try_recv(), Err(TryRecvError::Empty), "its own do not come back to it");
}

#[tokio::test]
async fn deeds_reach_other_nodes_while_somebody_there_listens() {
    let server = server();
    let (one, other) = (Node::connected_to(&[&server]).await, Node::connected_to(&[&server]).await);
    let channels = || server.command("PUBSUB CHANNELS").unwrap();
    assert!(!channels().contains("deeds"), "nobody listens: {}", channels());
    let mut desk = other.redis.bus.subscribe(Topic::Deeds);
    let heard = async {
        loop {
            one.redis.bus.publish(deed());
            if let Ok(told) = timeout(Duration::from_millis(20), desk.recv()).await {
                return told.unwrap();
            }
        }
    };
    assert_eq!(timeout(PATIENCE, heard).await.unwrap(), deed());
}

#[tokio::test]
async fn a_message_of_a_stranger_is_not_believed() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    let mut told = node.redis.bus.subscribe(Topic::Changes);
    server.command("PUBLISH banyan:changes:1 {\"from\":\"x\",\"message\":\"tables_changed\"}").unwrap();
    node.redis.bus.publish(Message::KeysChanged);
    assert_eq!(next(&mut told).await, Message::KeysChanged);
    let other = Node::connected_to(&[&server]).await;
    other.redis.bus.tell(Message::TablesChanged).await;
    assert_eq!(next(&mut told).await, Message::TablesChanged, "one of us is");
}

#[tokio::test]
async fn who_was_away_is_told_that_he_may_have_missed_something() {
    let mut server = server();
    let mut node = Node::connected_to(&[&server]).await;
    let mut told = node.redis.bus.subscribe(Topic::Changes);
    server.kill();
    node.is(false).await;
    assert!(!node.redis.bus.tell(Message::TablesChanged).await);
    node.redis.bus.publish(Message::KeysChanged);
    assert_eq!(next(&mut told).await, Message::KeysChanged, "this node hears itself without Redis");
    server.restart().unwrap();
    assert_eq!(next(&mut told).await, Message::MayHaveMissed);
}
