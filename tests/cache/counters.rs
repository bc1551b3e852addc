//! Limits that several nodes hold together, at the server.

use std::num::NonZeroU32;

use banyan::cache::redis::counters::Granted;
use banyan::cache::redis::counters::Share;

use crate::stage::Node;
use crate::stage::server;

/// So slow that nothing grows back within a test.
const SHARE: Share = Share { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(1_000).expect("not zero") };

async fn lease(node: &Node, spent: u32, wanted: u32) -> Granted {
    node.redis.counters.lease("H44070300001", SHARE, spent, wanted).await.unwrap()
}

#[tokio::test]
async fn nodes_are_granted_one_share_together() {
    let server = server();
    let (one, other) = (Node::connected_to(&[&server]).await, Node::connected_to(&[&server]).await);
    assert_eq!(lease(&one, 0, 600).await.requests, 600);
    let rest = lease(&other, 0, 600).await.requests;
    assert!((400..=402).contains(&rest), "{rest}");
    let refused = lease(&one, 0, 1).await;
    assert!(refused.requests == 0 && (1..=1_000).contains(&refused.retry_after_ms), "{refused:?}");
    let another = node_of_another(&one).await;
    assert_eq!(another.requests, 1, "each institution has a share of its own");
}

async fn node_of_another(node: &Node) -> Granted {
    node.redis.counters.lease("H44070300002", SHARE, 0, 1).await.unwrap()
}

#[tokio::test]
async fn what_was_spent_on_credit_is_counted_and_waited_for() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    assert_eq!(lease(&node, 0, 1_000).await.requests, 1_000);
    let refused = lease(&node, 100, 1).await;
    assert!(refused.requests == 0, "{refused:?}");
    assert!((95_000..=101_000).contains(&refused.retry_after_ms), "a hundred seconds of debt: {refused:?}");
}

#[tokio::test]
async fn a_share_grows_back_at_its_pace() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    let fast = Share { per_second: NonZeroU32::new(1_000).unwrap(), burst: NonZeroU32::new(10).unwrap() };
    let ask = async |wanted| node.redis.counters.lease("fast", fast, 0, wanted).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut granted = 0;
    while began.elapsed().as_millis() < 300 {
        granted += ask(5).await.requests;
    }
    let at_most = 10 + began.elapsed().as_millis() as u32 + 5;
    assert!((250..=at_most).contains(&granted), "{granted} of at most {at_most}");
}

#[tokio::test]
async fn a_flush_forgets_what_was_counted_and_nothing_else() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    assert_eq!(lease(&node, 0, 1_000).await.requests, 1_000);
    server.command("FLUSHALL").unwrap();
    server.command("SCRIPT FLUSH").unwrap();
    assert_eq!(lease(&node, 0, 2_000).await.requests, 1_000, "one burst more");
    assert_eq!(lease(&node, 0, 1).await.requests, 0);
    assert_eq!(node.changes(), [true]);
}

#[tokio::test]
async fn a_counter_that_means_nothing_holds_nobody_back_for_long() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    let name = "banyan:limit:H44070300001";
    for rubbish in ["rubbish", "-5", "nan", "1e3"] {
        server.command(&format!("SET {name} {rubbish}")).unwrap();
        assert_eq!(lease(&node, 0, 10).await.requests, 10, "{rubbish}");
    }
    server.command(&format!("DEL {name}")).unwrap();
    server.command(&format!("LPUSH {name} list")).unwrap();
    assert_eq!(lease(&node, 0, 10).await.requests, 10, "a key of another type");
    server.command(&format!("SET {name} 9999999999999999")).unwrap();
    let refused = lease(&node, 0, 1).await;
    assert!(
        refused.requests == 0 && refused.retry_after_ms <= 1_001_000,
        "two bursts ahead at most: {refused:?}"
    );
}
