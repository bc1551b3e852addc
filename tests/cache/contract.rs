//! The promises of a cache, held to both.

use std::collections::HashMap;
use std::sync::Arc;

use banyan::cache::Cache;
use banyan::cache::Space;
use banyan::cache::memory::MemoryCache;
use banyan::domain::calendar::Instant;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::protocol::person::one_time_code;
use banyan::protocol::web::session;
use futures_util::future::join_all;

use crate::stage::LATER;
use crate::stage::NOW;
use crate::stage::Node;
use crate::stage::server;

/// Runs a test over each cache, empty at its start.
async fn each(test: impl AsyncFn(&dyn Cache)) {
    test(&MemoryCache::new(1_000)).await;
    let server = server();
    let node = Node::connected_to(&[&server]).await;
    test(&*node.redis.cache).await;
    assert_eq!(node.changes(), [true], "Redis was used all the time");
}

fn person() -> PersonKey {
    PersonKey::parse(RegionCode(440_700), "44070000000001").unwrap()
}

#[tokio::test]
async fn a_value_is_there_until_its_end_and_in_its_own_space() {
    each(async |cache: &dyn Cache| {
        cache.put(Space::Quote, "a", b"1".to_vec(), NOW, LATER).await;
        assert_eq!(cache.get(Space::Quote, "a", Instant(LATER.0 - 1)).await, Some(b"1".to_vec()));
        assert_eq!(cache.get(Space::Quote, "a", LATER).await, None);
        assert_eq!(cache.get(Space::Code, "a", NOW).await, None);
        assert_eq!(cache.get(Space::Quote, "b", NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_later_value_replaces_an_earlier_one_with_its_end() {
    each(async |cache: &dyn Cache| {
        cache.put(Space::Other, "a", b"1".to_vec(), NOW, LATER).await;
        cache.put(Space::Other, "a", Vec::new(), NOW, Instant(LATER.0 * 2)).await;
        assert_eq!(cache.get(Space::Other, "a", LATER).await, Some(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn of_many_takers_at_once_one_gets_it() {
    each(async |cache: &dyn Cache| {
        for round in 0..20 {
            let key = format!("code {round}");
            cache.put(Space::Code, &key, b"1".to_vec(), NOW, LATER).await;
            let takers = (0..20).map(|_| cache.take(Space::Code, &key, NOW));
            assert_eq!(join_all(takers).await.iter().flatten().count(), 1);
            assert_eq!(cache.get(Space::Code, &key, NOW).await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_cannot_be_taken() {
    each(async |cache: &dyn Cache| {
        cache.put(Space::Code, "a", b"1".to_vec(), NOW, LATER).await;
        assert_eq!(cache.take(Space::Code, "a", LATER).await, None);
        assert_eq!(cache.get(Space::Code, "a", NOW).await, None, "and is gone then");
    })
    .await;
}

#[tokio::test]
async fn each_of_many_who_count_at_once_gets_a_number_of_its_own() {
    each(async |cache: &dyn Cache| {
        let counting = (0..50).map(|_| cache.count(Space::Other, "a", NOW, LATER));
        let mut counted = join_all(counting).await;
        counted.sort_unstable();
        assert_eq!(counted, (1..=50).collect::<Vec<u64>>());
        assert_eq!(cache.count(Space::Other, "b", NOW, LATER).await, 1);
    })
    .await;
}

#[tokio::test]
async fn many_keys_stand_side_by_side() {
    each(async |cache: &dyn Cache| {
        let all: HashMap<String, Vec<u8>> =
            (0..200).map(|n: u8| (format!("key {n}"), vec![n; 100])).collect();
        join_all(all.iter().map(|(key, value)| cache.put(Space::Session, key, value.clone(), NOW, LATER)))
            .await;
        for (key, value) in &all {
            assert_eq!(cache.get(Space::Session, key, NOW).await.as_ref(), Some(value), "{key}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_one_time_code_lets_in_once_and_bears_few_guesses() {
    each(async |cache: &dyn Cache| {
        let code = one_time_code::issue(cache, "b", "n", Some(&person()), NOW).await.unwrap();
        let guesses = (0..4).map(|_| one_time_code::check(cache, "b", "wrong", NOW));
        for guess in guesses.collect::<Vec<_>>() {
            guess.await.unwrap_err();
        }
        assert_eq!(one_time_code::check(cache, "b", &code, NOW).await, Ok(person()));
        assert!(one_time_code::check(cache, "b", &code, NOW).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_session_is_resumed_until_it_is_ended() {
    each(async |cache: &dyn Cache| {
        let begun = session::begin(cache, person(), NOW).await;
        let resumed = session::resume(cache, &begun.name, Instant(1)).await.unwrap();
        assert_eq!((resumed.person, resumed.form_token), (person(), begun.form_token));
        session::end(cache, &begun.name, Instant(2)).await;
        assert!(session::resume(cache, &begun.name, Instant(2)).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_one_node_put_another_takes() {
    let server = server();
    let (one, other) = (Node::connected_to(&[&server]).await, Node::connected_to(&[&server]).await);
    one.put("a", "1").await;
    assert_eq!(other.get("a").await.as_deref(), Some("1"));
    let takers = [&one, &other].into_iter().cycle().take(20).map(|node| node.take("a"));
    assert_eq!(join_all(takers).await.iter().flatten().count(), 1);
    let cache: Arc<dyn Cache> = Arc::<banyan::cache::redis::RedisCache>::clone(&one.redis.cache);
    let begun = session::begin(&*cache, person(), NOW).await;
    assert!(session::resume(&*other.redis.cache, &begun.name, Instant(1)).await.is_some());
}
