//! Owns the gateway signature: the `x-tif-*` headers, their window of time, and the memory of nonces seen.
//!
//! The signature is the lower-case hexadecimal SHA-256 of timestamp + secret + nonce + timestamp. It covers
//! no body, so it identifies a caller on a line that TLS protects; it proves nothing about content.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::PoisonError;

use ring::digest;

use crate::domain::calendar::Instant;

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("header {0} is missing")]
    HeaderMissing(&'static str),
    #[error("header {0} is longer than allowed")]
    HeaderTooLong(&'static str),
    #[error("the x-tif-timestamp is not Unix seconds")]
    NotATimestamp,
    #[error("the timestamp is {off_seconds} s off, allowed are {window_seconds} s")]
    OutsideWindow { off_seconds: i64, window_seconds: i64 },
    #[error("the signature is not the one expected")]
    Wrong,
    #[error("the nonce was used before")]
    Replayed,
    #[error("more nonces inside the window than the memory holds")]
    MemoryFull,
}

/// The four headers as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureHeaders<'h> {
    /// `x-tif-paasid`: names the caller and so the secret.
    pub caller: &'h str,
    pub timestamp: &'h str,
    pub nonce: &'h str,
    pub signature: &'h str,
}

/// Longest value of a signature header, in bytes.
const HEADER_MAX: usize = 256;

impl<'h> SignatureHeaders<'h> {
    /// Picks the headers out of all headers of a request; names in any case. `None` when it carries none of
    /// them.
    pub fn gather(
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) -> Result<Option<SignatureHeaders<'h>>, SignatureError> {
        const NAMES: [&str; 4] = ["x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature"];
        let mut found = [None; 4];
        for (name, value) in headers {
            if let Some(at) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name)) {
                found[at] = Some(value.trim());
            }
        }
        if found == [None; 4] {
            return Ok(None);
        }
        let value = |at: usize| {
            let value = found[at].filter(|value| !value.is_empty());
            let value = value.ok_or(SignatureError::HeaderMissing(NAMES[at]))?;
            if value.len() > HEADER_MAX { Err(SignatureError::HeaderTooLong(NAMES[at])) } else { Ok(value) }
        };
        Ok(Some(Self { caller: value(0)?, timestamp: value(1)?, nonce: value(2)?, signature: value(3)? }))
    }

    /// Unix seconds. Thirteen digits are read as milliseconds.
    fn seconds(&self) -> Result<i64, SignatureError> {
        let number: i64 = self.timestamp.parse().map_err(|_| SignatureError::NotATimestamp)?;
        let plain = self.timestamp.bytes().all(|byte| byte.is_ascii_digit());
        match self.timestamp.len() {
            10 if plain => Ok(number),
            13 if plain => Ok(number / 1000),
            _ => Err(SignatureError::NotATimestamp),
        }
    }

    fn is_made_with(&self, secret: &[u8]) -> bool {
        let expected = hexadecimal(&sign(self.timestamp, secret, self.nonce));
        equal_in_constant_time(expected.as_bytes(), self.signature.to_ascii_lowercase().as_bytes())
    }
}

/// SHA-256 of timestamp + secret + nonce + timestamp, before it is written in hexadecimal.
pub fn sign(timestamp: &str, secret: &[u8], nonce: &str) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [timestamp.as_bytes(), secret, nonce.as_bytes(), timestamp.as_bytes()] {
        hash.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// Lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}

/// Looks at every byte, so that the time taken does not tell how many were right. Lengths are no secret.
fn equal_in_constant_time(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right));
    left.len() == right.len() && core::hint::black_box(difference) == 0
}

/// Checks signatures and refuses a nonce that it has seen inside the window.
///
/// One per node: a replay sent to another node inside the window passes here and is caught by the message
/// key, so it moves no money twice.
#[derive(Debug)]
pub struct SignatureCheck {
    window_seconds: i64,
    nonces_max: usize,
    seen: Mutex<Seen>,
}

type NonceDigest = [u8; 16];

#[derive(Debug, Default)]
struct Seen {
    digests: HashSet<NonceDigest>,
    /// With the second until which each must be remembered, oldest first.
    order: VecDeque<(i64, NonceDigest)>,
}

impl SignatureCheck {
    /// `window_seconds` in either direction; `nonces_max` bounds the memory (about 100 bytes each).
    pub fn new(window_seconds: i64, nonces_max: usize) -> SignatureCheck {
        SignatureCheck { window_seconds, nonces_max, seen: Mutex::default() }
    }

    /// The signature comes first and the nonce last, so only a caller who knows the secret can fill the
    /// memory. When it is full of nonces that must still be remembered, further calls are refused and may be
    /// sent again later: forgetting one would let it be replayed.
    pub fn check(
        &self,
        headers: &SignatureHeaders<'_>,
        secret: &[u8],
        now: Instant,
    ) -> Result<(), SignatureError> {
        let now = now.0.div_euclid(1000);
        let sent = headers.seconds()?;
        let off_seconds = now - sent;
        if off_seconds.abs() > self.window_seconds {
            return Err(SignatureError::OutsideWindow { off_seconds, window_seconds: self.window_seconds });
        }
        if !headers.is_made_with(secret) {
            return Err(SignatureError::Wrong);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A timestamp may lie ahead of the clock by the window and is good until the window behind it has
        // passed.
        seen.remember(nonce_digest(headers), now, now + 2 * self.window_seconds, self.nonces_max)
    }
}

impl Seen {
    fn remember(
        &mut self,
        nonce: NonceDigest,
        now: i64,
        until: i64,
        most: usize,
    ) -> Result<(), SignatureError> {
        while let Some((end, old)) = self.order.front().copied().filter(|(end, _)| *end < now) {
            debug_assert!(end < now);
            self.order.pop_front();
            self.digests.remove(&old);
        }
        if self.digests.contains(&nonce) {
            return Err(SignatureError::Replayed);
        }
        if self.digests.len() >= most {
            return Err(SignatureError::MemoryFull);
        }
        self.digests.insert(nonce);
        self.order.push_back((until, nonce));
        Ok(())
    }
}

fn nonce_digest(headers: &SignatureHeaders<'_>) -> NonceDigest {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(headers.caller.as_bytes());
    hash.update(&[0]);
    hash.update(headers.nonce.as_bytes());
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finish().as_ref()[..16]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a secret of the sandbox";
    const NOW: Instant = Instant(1_795_480_205_000);

    fn signature(timestamp: &str, nonce: &str) -> String {
        hexadecimal(&sign(timestamp, SECRET, nonce))
    }

    fn headers<'h>(timestamp: &'h str, nonce: &'h str, signature: &'h str) -> SignatureHeaders<'h> {
        SignatureHeaders { caller: "H44070300001", timestamp, nonce, signature }
    }

    #[test]
    fn the_signature_is_the_hash_of_time_secret_nonce_time() {
        // Computed with sha256sum over the same text.
        assert_eq!(
            hexadecimal(&sign("1795480205", b"secret", "nonce")),
            "99d84cda3a6516cf5fa87f37ba97d4e5593da216fa45ed8d3c517c6eb51ab245"
        );
    }

    #[test]
    fn headers_are_found_in_any_case_and_missed_by_name() {
        let all = [
            ("Host", "x"),
            ("X-Tif-paasId", "a"),
            ("x-tif-TIMESTAMP", "1"),
            ("x-tif-nonce", "n"),
            ("X-TIF-SIGNATURE", "s"),
        ];
        let gathered = SignatureHeaders::gather(all).unwrap().unwrap();
        assert_eq!((gathered.caller, gathered.nonce), ("a", "n"));
        assert_eq!(SignatureHeaders::gather(all[..1].iter().copied()), Ok(None));
        let missing = SignatureHeaders::gather(all[..4].iter().copied());
        assert_eq!(missing, Err(SignatureError::HeaderMissing("x-tif-signature")));
    }

    #[test]
    fn a_good_signature_passes_once_inside_the_window() {
        let check = SignatureCheck::new(300, 10);
        let good = signature("1795480205", "n1");
        assert_eq!(check.check(&headers("1795480205", "n1", &good), SECRET, NOW), Ok(()));
        assert_eq!(
            check.check(&headers("1795480205", "n1", &good), SECRET, NOW),
            Err(SignatureError::Replayed)
        );
        let upper = signature("1795480505", "n2").to_uppercase();
        assert_eq!(check.check(&headers("1795480505", "n2", &upper), SECRET, NOW), Ok(()));
        let wrong = check.check(&headers("1795480205", "n3", &good), SECRET, NOW);
        assert_eq!(wrong, Err(SignatureError::Wrong));
        let short = check.check(&headers("1795480205", "n3", &good[..10]), SECRET, NOW);
        assert_eq!(short, Err(SignatureError::Wrong));
    }

    #[test]
    fn a_timestamp_outside_the_window_is_refused_even_when_signed() {
        let check = SignatureCheck::new(300, 10);
        for (timestamp, off_seconds) in [("1795479904", 301), ("1795480506", -301)] {
            let good = signature(timestamp, "n");
            let refused = check.check(&headers(timestamp, "n", &good), SECRET, NOW);
            assert_eq!(refused, Err(SignatureError::OutsideWindow { off_seconds, window_seconds: 300 }));
        }
        for odd in ["17954802", "-795480205", "179548020x", "99999999999999999999"] {
            let refused = check.check(&headers(odd, "n", ""), SECRET, NOW);
            assert_eq!(refused, Err(SignatureError::NotATimestamp), "{odd}");
        }
    }

    #[test]
    fn a_full_memory_refuses_until_old_nonces_may_be_forgotten() {
        let check = SignatureCheck::new(300, 2);
        let send = |nonce: &str, now: Instant| {
            let timestamp = (now.0 / 1000).to_string();
            check.check(&headers(&timestamp, nonce, &signature(&timestamp, nonce)), SECRET, now)
        };
        assert_eq!((send("a", NOW), send("b", NOW)), (Ok(()), Ok(())));
        assert_eq!(send("c", NOW), Err(SignatureError::MemoryFull));
        assert_eq!(send("c", Instant(NOW.0 + 600_000)), Err(SignatureError::MemoryFull));
        assert_eq!(send("c", Instant(NOW.0 + 601_000)), Ok(()));
    }
}
