//! What somebody finds who reads the Redis, and what comes of it when he writes into it.

use banyan::cache::Cache;
use banyan::cache::Space;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::protocol::person::one_time_code;
use banyan::protocol::web::session;
use banyan::sandbox::redis::RedisServer;

use crate::stage::LATER;
use crate::stage::NOW;
use crate::stage::Node;
use crate::stage::server;

const NUMBER: &str = "44070000000001";

/// Names of what lies there.
fn names(server: &RedisServer) -> Vec<String> {
    let answer = server.command("KEYS *").unwrap();
    answer.lines().filter(|line| line.starts_with("banyan:")).map(str::to_owned).collect()
}

#[tokio::test]
async fn neither_keys_nor_values_tell_who_signed_in() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    let cache = &*node.redis.cache;
    let person = PersonKey::parse(RegionCode(440_700), NUMBER).unwrap();
    let begun = session::begin(cache, person.clone(), NOW).await;
    let code =
        one_time_code::issue(cache, "browser", "440703198104051234", Some(&person), NOW).await.unwrap();
    cache.put(Space::Quote, "STAY0001", b"cash".to_vec(), NOW, LATER).await;

    let lying: String = names(&server)
        .iter()
        .map(|name| name.clone() + &server.command(&format!("GET {name}")).unwrap())
        .collect();
    assert_eq!(
        names(&server).iter().filter(|name| !name.ends_with(":probe")).count(),
        4,
        "{:?}",
        names(&server)
    );
    let code_in_quotes = format!("\"{code}\"");
    for secret in
        [NUMBER, "440703198104051234", "browser", "STAY0001", &begun.name, &begun.form_token, &code_in_quotes]
    {
        assert!(!lying.contains(secret), "{secret} lies in Redis");
    }
}

#[tokio::test]
async fn what_lies_there_has_an_end() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    node.put("a", "1").await;
    node.redis.bus.tell(banyan::cache::bus::Message::TablesChanged).await;
    for name in names(&server) {
        let left = server.command(&format!("PTTL {name}")).unwrap();
        let left: i64 = left.trim().trim_start_matches(':').parse().unwrap();
        assert!((1..=LATER.0).contains(&left), "{name} ends in {left} ms");
    }
}

#[tokio::test]
async fn a_value_that_was_written_or_moved_by_somebody_else_is_nothing() {
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    node.put("a", "1").await;
    let first = names(&server).into_iter().find(|name| name.contains(":session:")).unwrap();
    node.put("b", "2").await;
    let second =
        names(&server).into_iter().find(|name| name.contains(":session:") && *name != first).unwrap();
    server.command(&format!("COPY {first} {second} REPLACE")).unwrap();
    assert_eq!(node.get("b").await, None, "a session moved under another name");
    server.command(&format!("SET {first} forged")).unwrap();
    assert_eq!(node.get("a").await, None);
    server.command(&format!("DEL {first}")).unwrap();
    server.command(&format!("LPUSH {first} list")).unwrap();
    assert_eq!(node.get("a").await, None, "a key of another type");
    assert_eq!(node.changes(), [true], "one bad key is no reason to do without Redis");
}
