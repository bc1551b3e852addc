//! Owns sessions: a random name in a cookie, and behind it, in the cache, who signed in and until when.

use crate::cache::Cache;
use crate::cache::Space;
use crate::domain::calendar::Instant;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::protocol::web::token;
use serde::Deserialize;
use serde::Serialize;

/// Without a request for so long, she is signed out.
pub const IDLE_MS: i64 = 15 * 60_000;
/// After so long she signs in again in any case.
pub const WHOLE_MS: i64 = 4 * 3_600_000;

/// Someone who signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// What the cookie holds.
    pub name: String,
    pub person: PersonKey,
    /// Stands in every form of hers.
    pub form_token: String,
    /// Signed out at this instant whatever happens.
    pub ends_at: Instant,
}

/// As the cache keeps it.
#[derive(Deserialize, Serialize)]
struct Kept {
    pool: u32,
    number: String,
    form_token: String,
    ends_at: i64,
}

/// Begins a session under a fresh name: whatever name the browser brought is worth nothing.
pub async fn begin(cache: &dyn Cache, person: PersonKey, now: Instant) -> Session {
    let session = Session {
        name: token::secret(),
        person,
        form_token: token::secret(),
        ends_at: Instant(now.0 + WHOLE_MS),
    };
    keep(cache, &session, now).await;
    session
}

/// The session of that name, its idle time begun anew.
pub async fn resume(cache: &dyn Cache, name: &str, now: Instant) -> Option<Session> {
    let kept: Kept = serde_json::from_slice(&cache.get(Space::Session, name, now).await?).ok()?;
    let person = PersonKey::parse(RegionCode(kept.pool), &kept.number).ok()?;
    let ends_at = Instant(kept.ends_at);
    let session = Session { name: name.to_owned(), person, form_token: kept.form_token, ends_at };
    if now >= ends_at {
        return None;
    }
    keep(cache, &session, now).await;
    Some(session)
}

pub async fn end(cache: &dyn Cache, name: &str, now: Instant) {
    let _ = cache.take(Space::Session, name, now).await; // what it was no longer matters
}

async fn keep(cache: &dyn Cache, session: &Session, now: Instant) {
    let kept = Kept {
        pool: session.person.pool.0,
        number: session.person.number().to_owned(),
        form_token: session.form_token.clone(),
        ends_at: session.ends_at.0,
    };
    let until = Instant(session.ends_at.0.min(now.0 + IDLE_MS));
    let value = serde_json::to_vec(&kept).expect("numbers and text");
    cache.put(Space::Session, &session.name, value, now, until).await;
}

/// How cookies of a face are written: `Secure` wherever TLS is spoken, and then bound to the host by their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookies {
    pub secure: bool,
}

impl Cookies {
    pub fn name(self, purpose: &str) -> String {
        if self.secure { format!("__Host-banyan-{purpose}") } else { format!("banyan-{purpose}") }
    }

    /// Readable by no script, sent by no other site.
    pub fn set(self, purpose: &str, value: &str, seconds: i64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name(purpose);
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    pub fn clear(self, purpose: &str) -> String {
        self.set(purpose, "", 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::memory::MemoryCache;

    fn person() -> PersonKey {
        PersonKey::parse(RegionCode(440_700), "44070000000001").unwrap()
    }

    #[tokio::test]
    async fn a_session_lasts_while_it_is_used_and_never_beyond_its_end() {
        let cache = MemoryCache::new(8);
        let begun = begin(&cache, person(), Instant(0)).await;
        let mut now = 0;
        while now + IDLE_MS - 1 < WHOLE_MS {
            now += IDLE_MS - 1;
            let resumed = resume(&cache, &begun.name, Instant(now)).await.unwrap();
            assert_eq!(resumed.person, person());
            assert_eq!(resumed.form_token, begun.form_token);
        }
        assert!(resume(&cache, &begun.name, Instant(WHOLE_MS)).await.is_none());
    }

    #[tokio::test]
    async fn an_idle_an_ended_and_a_guessed_session_are_none() {
        let cache = MemoryCache::new(8);
        let begun = begin(&cache, person(), Instant(0)).await;
        assert!(resume(&cache, &begun.name, Instant(IDLE_MS)).await.is_none());
        let begun = begin(&cache, person(), Instant(0)).await;
        end(&cache, &begun.name, Instant(1)).await;
        assert!(resume(&cache, &begun.name, Instant(1)).await.is_none());
        assert!(resume(&cache, &"0".repeat(64), Instant(1)).await.is_none());
    }

    #[test]
    fn cookies_are_bound_as_far_as_the_connection_allows() {
        let plain = Cookies { secure: false }.set("session", "x", 9);
        assert_eq!(plain, "banyan-session=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=9");
        let secure = Cookies { secure: true }.set("session", "x", 9);
        assert!(secure.starts_with("__Host-banyan-session=x;") && secure.ends_with("; Secure"), "{secure}");
    }
}
