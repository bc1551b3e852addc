//! Owns a deed made ready for any database: folded, encoded and verified before it joins the queue, so that the writer
//! has nothing to do but to write.

use std::sync::Arc;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::domain::ids::StayId;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::domain::state::Folded;
use crate::domain::state::Told;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::LedgerError;
use crate::ledger::StayFacts;
use crate::ledger::codec;
use crate::ledger::credential::Credential;
use crate::ledger::effect;
use crate::ledger::effect::Effect;
use crate::ledger::effect::Unfit;
use crate::ledger::key;
use crate::ledger::recent::After;
use crate::ledger::room;
use crate::ledger::seal;
use crate::ledger::seal::Contents;
use crate::ledger::seal::RecordPlace;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::secrets::Hidden;
use crate::ledger::secrets::Secrets;
use crate::vault::lookup::LookupKey;

/// Bucket and keyed hash of a credential.
pub(super) type CredentialHash = (Bucket, [u8; 16]);

/// Everything that one deed writes, except what the lane gives: time, version and place.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) bucket: Bucket,
    pub(super) person: String,
    /// Her version and the time of her last record when the facts were read.
    pub(super) seen: (u64, Instant),
    pub(super) guard: Guard,
    pub(super) stay: Option<PreparedStay>,
    pub(super) key: MessageKey,
    pub(super) content: ContentHash,
    pub(super) keyed: bool,
    pub(super) kind: &'static str,
    pub(super) told: String,
    pub(super) body: String,
    pub(super) private: Option<Hidden>,
    /// What the record's seal says of everything above.
    pub(super) contents: Contents,
    pub(super) effect: Effect,
    /// What the next look-up finds; taken when it was recorded.
    pub(super) after: Option<After>,
    /// Credentials by which she is not found any more.
    pub(super) forget: Vec<CredentialHash>,
    /// Credentials by which she is found from now on.
    pub(super) learn: Vec<CredentialHash>,
}

/// How the person's row is guarded, and what it becomes.
#[derive(Debug)]
pub(super) enum Guard {
    /// Her version must be this one (0: no row yet).
    Person { version: u64, state: String, registers: bool },
    /// The deed read the stay alone: her version moves on, whatever it is.
    StayOnly,
}

#[derive(Debug)]
pub(super) struct PreparedStay {
    pub(super) id: StayId,
    /// 0: no row yet.
    pub(super) version: u64,
    pub(super) state: String,
}

/// What became of one deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Recorded(Place),
    /// Person, stay or message key moved since the facts were read; nothing of the deed is left.
    Moved,
}

/// What the lane gave to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) version: u64,
    pub(super) at: Instant,
}

impl Prepared {
    /// The leaf of the record that it becomes.
    pub(super) fn leaf(&self, place: Place, lane: u32, sequence: u64) -> Hash {
        let row = RecordPlace {
            bucket: self.bucket.get(),
            person: &self.person,
            version: place.version,
            stay: self.stay.as_ref().map(|stay| (stay.id.as_str(), stay.version + 1)),
            kind: self.kind,
            at_ms: place.at.0,
            lane,
            sequence,
            institution: self.key.institution.as_str(),
            infno: self.key.transaction,
            msgid: self.key.message.as_str(),
            keyed: self.keyed,
            format: codec::FORMAT,
        };
        seal::record_leaf(&row, &self.contents)
    }
}

/// The record as its caller is told it, once it is written.
pub(super) fn recorded(person: PersonKey, deed: Deed, stay_version: Option<u64>, place: Place) -> Record {
    Record {
        person,
        version: place.version,
        stay: deed.stay.zip(stay_version),
        at: place.at,
        meta: deed.meta,
        body: deed.body,
        private: deed.private,
    }
}

/// Folds, verifies, encodes and encrypts a deed, about as of `now`.
pub(super) fn prepare(
    secrets: &Secrets,
    facts: Facts,
    deed: &Deed,
    now: Instant,
) -> Result<Prepared, LedgerError> {
    effect::verify(&deed.body).map_err(unfit)?;
    let stay_only = matches!(deed.body, Body::LinesUploaded(_) | Body::LinesWithdrawn(_));
    if !deed.guards_person && !stay_only {
        return Err(unfit(Unfit::Unguarded));
    }
    let (person, version) = (key::person_text(&facts.key), facts.version);
    let seen = (version, facts.last_at);
    let stay_before = stay_before(&facts, deed).map_err(unfit)?;
    let stay_version = stay_before.as_ref().map_or(0, |stay| stay.version);
    let mut folded = Folded {
        person: Arc::unwrap_or_clone(facts.person),
        stay: stay_before.map(|stay| Arc::unwrap_or_clone(stay.state)),
    };
    let told = Told {
        version: version + 1,
        key: &deed.meta.key,
        received_at: deed.meta.received_at,
        stay: deed.stay.as_ref(),
    };
    let effect = effect::take(&mut folded, told, &deed.body).map_err(unfit)?;
    let known = registered(&deed.body, &deed.private);
    let (forget, learn) =
        known.map(|known| credentials(&secrets.lookup, &facts.private, known)).unwrap_or_default();
    let lines = match &deed.body {
        Body::Admitted(_) => Some(Arc::default()),
        Body::LinesUploaded(_) | Body::LinesWithdrawn(_) => facts.lines.map(|lines| {
            let mut lines = Arc::unwrap_or_clone(lines);
            lines.apply(&deed.meta.key, &deed.body);
            Arc::new(lines)
        }),
        _ => None,
    };
    let private_after = known.map_or(facts.private, |known| Arc::new(known.clone()));
    let told = codec::encode_told(&deed.meta);
    let body = codec::encode_body(&deed.body);
    let private = secrets.hide(&person, &deed.private, now.day().month())?;
    let hidden = private.as_ref().map(|hidden| (hidden.ciphertext.as_slice(), &hidden.commitment));
    let contents = Contents::new(&told, &body, hidden);
    let guard = guard(deed, version, &folded, known.is_some());
    let stay = stay_after(deed, stay_version, &folded)?;
    let after = After {
        key: facts.key,
        bucket: facts.bucket,
        state: Arc::new(folded.person),
        private: private_after,
        follows: version,
        stay: deed.stay.clone().zip(folded.stay).map(|(id, state)| StayFacts {
            id,
            version: stay_version + 1,
            state: Arc::new(state),
        }),
        lines,
    };
    Ok(Prepared {
        bucket: facts.bucket,
        person,
        seen,
        guard,
        stay,
        after: Some(after),
        key: deed.meta.key.clone(),
        content: deed.meta.content,
        keyed: deed.binds_key,
        kind: codec::kind(&deed.body),
        told,
        body,
        private,
        contents,
        effect,
        forget,
        learn,
    })
}

/// The stay that the deed goes on from: none for an admission, which begins one.
fn stay_before(facts: &Facts, deed: &Deed) -> Result<Option<StayFacts>, Unfit> {
    match (&deed.stay, &deed.body) {
        (None, _) | (Some(_), Body::Admitted(_)) => Ok(None),
        (Some(id), _) => {
            let same = facts.stay.clone().filter(|stay| stay.id == *id);
            same.map(Some).ok_or(Unfit::NoStayFacts)
        }
    }
}

fn guard(deed: &Deed, version: u64, folded: &Folded, registers: bool) -> Guard {
    if !deed.guards_person {
        return Guard::StayOnly;
    }
    Guard::Person { version, state: room::of_person(codec::encode(&folded.person)), registers }
}

fn stay_after(deed: &Deed, version: u64, folded: &Folded) -> Result<Option<PreparedStay>, LedgerError> {
    let Some(id) = deed.stay.clone() else { return Ok(None) };
    let state = folded.stay.as_ref().ok_or(Unfit::NoStayFacts).map_err(unfit)?;
    Ok(Some(PreparedStay { id, version, state: room::of_stay(codec::encode(state)) }))
}

/// What the register says of her from this record on, if it says anything.
pub(super) fn registered<'a>(body: &Body, private: &'a Private) -> Option<&'a PersonPrivate> {
    match (body, private) {
        (Body::Registered(_), Private::Person(known)) => Some(known),
        _ => None,
    }
}

/// Hashes of everything by which a person can be found.
pub(super) fn hashes(lookup: &LookupKey, person: &PersonPrivate) -> Vec<CredentialHash> {
    Credential::all_of(person).iter().map(|credential| key::credential_hash(lookup, credential)).collect()
}

/// (no more, from now on)
fn credentials(
    lookup: &LookupKey,
    before: &PersonPrivate,
    after: &PersonPrivate,
) -> (Vec<CredentialHash>, Vec<CredentialHash>) {
    let (old, new) = (hashes(lookup, before), hashes(lookup, after));
    let only = |in_these: &[CredentialHash], not_in: &[CredentialHash]| {
        in_these.iter().filter(|hash| !not_in.contains(hash)).copied().collect::<Vec<_>>()
    };
    (only(&old, &new), only(&new, &old))
}

fn unfit(cause: Unfit) -> LedgerError {
    LedgerError::Unfit { what: cause.to_string() }
}
