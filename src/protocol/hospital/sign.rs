//! 9001, 9002: a desk signs in and out. `sign_no` verifies itself, so nothing is kept and any node can check it.

use core::fmt;
use std::sync::Arc;

use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sm3::Sm3;

use crate::domain::calendar::Instant;
use crate::protocol::envelope::Envelope;
use crate::protocol::hospital::tables::sign::SIGN_IN;
use crate::protocol::hospital::tables::sign::SignIn;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::telemetry::metrics::Outcome;

/// How long a sign-in counts: clients renew after one hour or after a day.
const LIFETIME_MS: i64 = 25 * 3_600_000;
/// Digits of the time, base 16, in seconds since 1970: enough until 2106.
const TIME_DIGITS: usize = 8;
/// Digits of the proof, base 16. Together 30 characters, the wire's longest.
const PROOF_DIGITS: usize = 22;

/// The key of `sign_no`, the same on every node. `Debug` shows nothing.
#[derive(Clone)]
pub struct SignKey(Arc<Hmac<Sm3>>);

/// Why a call is not signed in. It only warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    Missing,
    /// Made for another institution or operator, or not by us.
    Wrong,
    Expired,
}

impl fmt::Debug for SignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignKey(…)")
    }
}

impl SignKey {
    pub fn new(secret: &[u8]) -> SignKey {
        let keyed = Hmac::<Sm3>::new_from_slice(secret).expect("HMAC takes a key of any length");
        SignKey(Arc::new(keyed))
    }

    /// The number for an institution's operator at an instant.
    fn issue(&self, institution: &str, operator: &str, at: Instant) -> String {
        let seconds = format!("{:0width$X}", at.0.div_euclid(1000), width = TIME_DIGITS);
        let proof = self.proof(institution, operator, &seconds);
        seconds + &proof
    }

    /// Whether the call's `sign_no` was issued to its institution and operator, not too long ago.
    pub fn check(&self, envelope: &Envelope<'_>, now: Instant) -> Result<(), NotSignedIn> {
        let shown = envelope.sign_no.as_deref().filter(|number| !number.is_empty());
        let shown = shown.ok_or(NotSignedIn::Missing)?;
        let seconds = shown.get(..TIME_DIGITS).ok_or(NotSignedIn::Wrong)?;
        let at = i64::from_str_radix(seconds, 16).map_err(|_| NotSignedIn::Wrong)?;
        let at = Instant(at.saturating_mul(1000));
        if self.issue(envelope.institution.as_str(), operator(envelope), at) != shown {
            return Err(NotSignedIn::Wrong);
        }
        if now.0.saturating_sub(at.0) > LIFETIME_MS { Err(NotSignedIn::Expired) } else { Ok(()) }
    }

    fn proof(&self, institution: &str, operator: &str, seconds: &str) -> String {
        let mut mac = Hmac::clone(&self.0);
        for part in [institution, operator, seconds] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let digest = mac.finalize().into_bytes();
        digest.iter().take(PROOF_DIGITS / 2).map(|byte| format!("{byte:02X}")).collect()
    }
}

/// The number that the envelope of every later call repeats.
fn operator<'e>(envelope: &'e Envelope<'_>) -> &'e str {
    envelope.operator.number.as_deref().unwrap_or_default()
}

/// 9001. The envelope's operator counts, since later calls bring that one; `opter_no` where it names none.
pub(super) fn sign_in(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let envelope = &turn.message.envelope;
    let named = turn.message.one::<SignIn>().get(&SIGN_IN.opter_no);
    let operator = Some(operator(envelope)).filter(|number| !number.is_empty()).unwrap_or(named);
    let at = turn.context.received;
    let number = turn.context.sign_key.issue(envelope.institution.as_str(), operator, at);
    Ok(turn.answer(|output| {
        output.object("signinoutb", |row| {
            row.moment("sign_time", at.moment()).text("sign_no", &number);
        });
    }))
}

/// 9002. Nothing is kept of a sign-in, so there is nothing to end.
pub(super) fn sign_out(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let at = turn.context.received;
    Ok(turn.answer(|output| {
        output.object("signoutoutb", |row| {
            row.moment("sign_time", at.moment());
        });
    }))
}
