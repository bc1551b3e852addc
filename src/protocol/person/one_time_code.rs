//! Owns one-time codes: made for a number, shown or sent, and checked a few times at most.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde::Serialize;
use sm3::Digest as _;
use sm3::Sm3;

use crate::cache::Cache;
use crate::cache::Space;
use crate::domain::calendar::Instant;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::protocol::web::token;

/// A code that was not used within that time is void.
pub const LIFETIME_MS: i64 = 5 * 60_000;
/// Wrong codes taken before the code is void.
const TRIES: u8 = 5;
/// Codes for one number in one window.
const CODES_MAX: u64 = 5;
const WINDOW_MS: i64 = 15 * 60_000;

/// How a person gets her code.
#[derive(Clone)]
pub enum Delivery {
    /// On the page itself. For synthetic persons only: it proves nothing.
    Shown,
    Sent(Arc<dyn CodeSender>),
    /// No sender is connected: nobody can sign in, and the page says so.
    NotConnected,
}

/// A carrier of short messages.
pub trait CodeSender: Send + Sync + 'static {
    fn send<'a>(&'a self, phone: &'a str, code: &'a str) -> BoxFuture<'a, Result<(), NotSent>>;
}

/// The carrier did not take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the carrier did not take the message")]
pub struct NotSent;

/// A code that waits to be typed, kept under the secret name of the browser that asked for it.
#[derive(Clone, Serialize, Deserialize)]
struct Challenge {
    /// Whom it lets in; absent for a number that names nobody, so that both look alike from outside.
    person: Option<(u32, String)>,
    code: String,
    tries: u8,
    until: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCode {
    /// The number has had its codes for now.
    TooMany,
}

/// Why a typed code lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Again {
        tries_left: u8,
    },
    /// Void: used up, run out, or never there.
    AskAnew,
}

/// Makes a code for whom the number names, and counts it against the number.
pub async fn issue(
    cache: &dyn Cache,
    browser: &str,
    number: &str,
    person: Option<&PersonKey>,
    now: Instant,
) -> Result<String, NoCode> {
    count(cache, number, now).await?;
    let code = token::code();
    let person = person.map(|key| (key.pool.0, key.number().to_owned()));
    let challenge = Challenge { person, code: code.clone(), tries: 0, until: now.0 + LIFETIME_MS };
    keep(cache, browser, &challenge, now).await;
    Ok(code)
}

/// The waiting code, for the page of a sandbox.
pub async fn waiting(cache: &dyn Cache, browser: &str, now: Instant) -> Option<String> {
    let kept = cache.get(Space::Code, browser, now).await?;
    serde_json::from_slice(&kept).ok().map(|challenge: Challenge| challenge.code)
}

/// Takes the challenge out first, so that guesses sent side by side are not more than one.
pub async fn check(cache: &dyn Cache, browser: &str, typed: &str, now: Instant) -> Result<PersonKey, Wrong> {
    let kept = cache.take(Space::Code, browser, now).await.ok_or(Wrong::AskAnew)?;
    let challenge: Challenge = serde_json::from_slice(&kept).map_err(|_| Wrong::AskAnew)?;
    let right = token::same(typed, &challenge.code);
    match (&challenge.person, right) {
        (Some((pool, number)), true) => {
            PersonKey::parse(RegionCode(*pool), number).map_err(|_| Wrong::AskAnew)
        }
        _ => again(cache, browser, challenge, now).await,
    }
}

async fn again(
    cache: &dyn Cache,
    browser: &str,
    mut challenge: Challenge,
    now: Instant,
) -> Result<PersonKey, Wrong> {
    challenge.tries += 1;
    if challenge.tries >= TRIES {
        return Err(Wrong::AskAnew);
    }
    let tries_left = TRIES - challenge.tries;
    keep(cache, browser, &challenge, now).await;
    Err(Wrong::Again { tries_left })
}

async fn keep(cache: &dyn Cache, browser: &str, challenge: &Challenge, now: Instant) {
    let value = serde_json::to_vec(challenge).expect("numbers and text");
    cache.put(Space::Code, browser, value, now, Instant(challenge.until)).await;
}

/// Under a hash of the number. Counted in one step, so that requests side by side are not more than they are.
async fn count(cache: &dyn Cache, number: &str, now: Instant) -> Result<(), NoCode> {
    let key = format!("codes:{}", token::hex(&Sm3::digest(number.as_bytes())[..16]));
    let codes = cache.count(Space::Other, &key, now, Instant(now.0 + WINDOW_MS)).await;
    if codes > CODES_MAX { Err(NoCode::TooMany) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::memory::MemoryCache;

    fn person() -> PersonKey {
        PersonKey::parse(RegionCode(440_700), "44070000000001").unwrap()
    }

    fn other(code: &str) -> String {
        let first = if code.starts_with('1') { "2" } else { "1" };
        format!("{first}{}", &code[1..])
    }

    #[tokio::test]
    async fn a_code_lets_in_once() {
        let cache = MemoryCache::new(8);
        let code = issue(&cache, "b", "n", Some(&person()), Instant(0)).await.unwrap();
        assert_eq!(check(&cache, "other browser", &code, Instant(1)).await, Err(Wrong::AskAnew));
        assert_eq!(check(&cache, "b", &code, Instant(1)).await, Ok(person()));
        assert_eq!(check(&cache, "b", &code, Instant(1)).await, Err(Wrong::AskAnew));
    }

    #[tokio::test]
    async fn wrong_codes_are_counted_and_time_runs_out() {
        let cache = MemoryCache::new(8);
        let code = issue(&cache, "b", "n", Some(&person()), Instant(0)).await.unwrap();
        for tries_left in (1..TRIES).rev() {
            assert_eq!(check(&cache, "b", &other(&code), Instant(1)).await, Err(Wrong::Again { tries_left }));
        }
        assert_eq!(check(&cache, "b", &other(&code), Instant(1)).await, Err(Wrong::AskAnew));
        assert_eq!(check(&cache, "b", &code, Instant(1)).await, Err(Wrong::AskAnew), "void after too many");
        let code = issue(&cache, "b", "n", Some(&person()), Instant(0)).await.unwrap();
        assert_eq!(check(&cache, "b", &code, Instant(LIFETIME_MS)).await, Err(Wrong::AskAnew));
    }

    #[tokio::test]
    async fn a_number_that_names_nobody_looks_like_one_that_does() {
        let cache = MemoryCache::new(8);
        let code = issue(&cache, "b", "n", None, Instant(0)).await.unwrap();
        assert_eq!(check(&cache, "b", &code, Instant(1)).await, Err(Wrong::Again { tries_left: TRIES - 1 }));
    }

    #[tokio::test]
    async fn a_number_has_its_share_of_codes() {
        let cache = MemoryCache::new(8);
        for _ in 0..CODES_MAX {
            issue(&cache, "b", "n", None, Instant(0)).await.unwrap();
        }
        assert_eq!(issue(&cache, "another", "n", None, Instant(1)).await, Err(NoCode::TooMany));
        assert!(issue(&cache, "b", "other number", None, Instant(1)).await.is_ok());
        assert!(issue(&cache, "b", "n", None, Instant(WINDOW_MS)).await.is_ok());
    }
}
