//! Several addresses, passwords and TLS: which server is used, and what happens when another takes over.

use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use banyan::cache::Cache as _;
use banyan::cache::Space;
use banyan::cache::bus::Bus as _;
use banyan::cache::bus::Message;
use banyan::cache::bus::Topic;
use banyan::cache::redis::counters::Share;
use banyan::cache::redis::event::Event;
use banyan::config::cache::RedisTls;
use banyan::domain::calendar::Day;
use banyan::sandbox::identities::Authority;
use banyan::sandbox::redis::RedisServer;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;

use crate::stage::LATER;
use crate::stage::NOW;
use crate::stage::Node;
use crate::stage::section;
use crate::stage::server;

#[tokio::test]
async fn the_replica_that_was_promoted_is_used_with_what_it_holds() {
    let mut first = server();
    let mut second = first.replica().unwrap();
    let mut node = Node::begin(&section(&[&second, &first]));
    node.is(true).await;
    node.put("a", "1").await;
    let replicated = async {
        while !second.command("DBSIZE").unwrap().trim().ends_with('2') {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::stage::PATIENCE, replicated).await.unwrap();
    first.kill();
    node.is(false).await;
    node.put("b", "1").await;
    second.promote().unwrap();
    node.is(true).await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"), "what had reached the replica");
    assert_eq!(node.get("b").await.as_deref(), Some("1"), "what this node kept meanwhile");
    let other = Node::connected_to(&[&first, &second]).await;
    assert_eq!(other.get("a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_server_that_was_made_a_replica_is_left_for_the_one_that_takes_writes() {
    let first = server();
    let second = server();
    let mut node = Node::connected_to(&[&first, &second]).await;
    let port = second.address().port();
    first.command(&format!("REPLICAOF 127.0.0.1 {port}")).unwrap();
    node.is(false).await;
    node.is(true).await;
    node.put("a", "1").await;
    assert!(second.command("KEYS *").unwrap().contains(":session:"));
}

#[tokio::test]
async fn a_lone_replica_is_done_without() {
    let first = server();
    let mut replica = first.replica().unwrap();
    let mut node = Node::begin(&section(&[&replica]));
    node.redis.tried().await;
    assert_eq!(node.changes(), [false]);
    replica.promote().unwrap();
    node.is(true).await;
}

#[tokio::test]
async fn the_password_is_told_and_may_be_changed_while_nodes_run() {
    let server = RedisServer::start_with(&["--requirepass", "open sesame"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stranger = Node::begin(&section(&[&server]));
    stranger.redis.tried().await;
    assert_eq!(stranger.changes(), [false]);
    let mut known = section(&[&server]);
    let file = written(folder.path(), "redis.password", "open sesame\n");
    known.password_file = Some(file.clone());
    let mut node = Node::begin(&known);
    node.is(true).await;

    let change = "AUTH \"open sesame\"\r\nCONFIG SET requirepass changed\r\nCLIENT KILL TYPE pubsub";
    server.command(change).unwrap();
    node.is(false).await;
    std::fs::write(&file, "changed\n").unwrap();
    node.is(true).await;
}

#[tokio::test]
async fn the_user_of_the_documentation_may_do_all_that_a_node_does() {
    let server = server();
    let documented = include_str!("../../docs/redis.md");
    let line = documented.lines().find(|line| line.starts_with("ACL SETUSER")).unwrap();
    let made = server.command(&line.replace("PASSWORD", "sesame")).unwrap();
    assert_eq!(made, "+OK\r\n");
    server.command("ACL SETUSER default off").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut section = section(&[&server]);
    section.user = Some("banyan".into());
    section.password_file = Some(written(folder.path(), "redis.password", "sesame"));
    let (mut one, mut other) = (Node::begin(&section), Node::begin(&section));
    one.is(true).await;
    other.is(true).await;
    let mut told = other.redis.bus.subscribe(Topic::Changes);
    let deeds = other.redis.bus.subscribe(Topic::Deeds);
    one.put("a", "1").await;
    assert_eq!(one.get("a").await.as_deref(), Some("1"));
    assert_eq!(other.take("a").await.as_deref(), Some("1"));
    assert_eq!(one.redis.cache.count(Space::Other, "n", NOW, LATER).await, 1);
    let share = Share { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
    assert_eq!(one.redis.counters.lease("H1", share, 0, 1).await.unwrap().requests, 1);
    assert!(one.redis.bus.tell(Message::TablesChanged).await);
    assert_eq!(told.recv().await, Ok(Message::TablesChanged));
    drop(deeds);
    assert_eq!((one.events(), other.changes()), (vec![Event::Up(true)], vec![true]));
}

#[tokio::test]
async fn over_tls_only_a_server_of_the_named_authority_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let today: Day = SystemClock.now().day();
    let (ours, strange) = (Authority::make(today).unwrap(), Authority::make(today).unwrap());
    let identity = ours.server(&["localhost", "127.0.0.1"]).unwrap();
    let certificate = written(folder.path(), "server.pem", &identity.certificate);
    let key = written(folder.path(), "server.key", &identity.key);
    let authority = written(folder.path(), "ca.pem", &ours.certificate());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let _server = RedisServer::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-ca-cert-file",
        authority.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ])
    .unwrap();
    let mut over_tls = section(&[]);
    over_tls.addresses = vec![format!("127.0.0.1:{port}")];
    over_tls.tls = RedisTls::On { authorities: authority };
    let mut node = Node::begin(&over_tls);
    node.is(true).await;
    node.put("a", "1").await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"));
    over_tls.tls = RedisTls::On { authorities: written(folder.path(), "other.pem", &strange.certificate()) };
    let stranger = Node::begin(&over_tls);
    stranger.redis.tried().await;
    assert_eq!(stranger.changes(), [false]);
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    use std::io::Write as _;
    let path = folder.join(name);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}
