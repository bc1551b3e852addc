//! Owns the keys of a store as they lie in memory, unwrapped; made anew from the file whenever it changed.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::vault::cipher::DataKey;
use crate::vault::hex;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStoreError;
use crate::vault::key_store::State;
use crate::vault::key_store::file::Content;
use crate::vault::key_store::file::DataEntry;
use crate::vault::key_store::file::Place;
use crate::vault::key_store::file::SigningEntry;
use crate::vault::key_store::file::Stamp;
use crate::vault::key_store::file::Wrapped;
use crate::vault::master::MasterKey;
use crate::vault::master::Masters;
use crate::vault::signing::PublicKey;
use crate::vault::signing::SigningKey;

/// All keys of a store.
pub(super) struct Ring {
    pub(super) stamp: Stamp,
    pub(super) content: Content,
    by_number: HashMap<u32, Known>,
    writing: HashMap<(Class, u32), Arc<DataKey>>,
    destroyed: HashSet<(Class, u32)>,
    pub(super) signing: Arc<SigningKey>,
    pub(super) public: Vec<PublicKey>,
}

/// A key that the store knows.
pub(super) enum Known {
    Held(Arc<DataKey>),
    Destroyed,
}

impl Ring {
    /// Unwraps everything. One key that cannot be unwrapped fails it all: better not to start than to fail later.
    pub(super) fn unwrap(
        content: Content,
        stamp: Stamp,
        place: &Place,
        masters: &Masters,
    ) -> Result<Ring, KeyStoreError> {
        let (mut by_number, mut writing, mut destroyed) = (HashMap::new(), HashMap::new(), HashSet::new());
        for entry in &content.data_keys {
            let known = match (&entry.wrapped, entry.state) {
                (Some(wrapped), State::Active | State::Retired) => {
                    let key = open_exactly(wrapped, &data_context(entry), place, masters)?;
                    Known::Held(Arc::new(DataKey::new(entry.number, &key)))
                }
                (None, State::Destroyed) => Known::Destroyed,
                (Some(_), State::Destroyed) | (None, State::Active | State::Retired) => {
                    return Err(place.damaged(format!("key {} contradicts itself", entry.number)));
                }
            };
            match (&known, entry.state) {
                (Known::Held(key), State::Active) => {
                    writing.insert((entry.class, entry.month), Arc::clone(key));
                }
                (Known::Destroyed, _) => {
                    destroyed.insert((entry.class, entry.month));
                }
                (Known::Held(_), _) => {}
            }
            by_number.insert(entry.number, known);
        }
        let public = content.signing_keys.iter().map(|entry| public_of(entry, place));
        let public = public.collect::<Result<Vec<_>, _>>()?;
        let signing = Arc::new(signing_of(&content, place, masters)?);
        Ok(Ring { stamp, content, by_number, writing, destroyed, signing, public })
    }

    pub(super) fn known(&self, number: u32) -> Option<&Known> {
        self.by_number.get(&number)
    }

    /// The key under which this class and month is written.
    pub(super) fn writing(&self, class: Class, month: u32) -> Option<&Arc<DataKey>> {
        self.writing.get(&(class, month))
    }

    pub(super) fn is_destroyed(&self, class: Class, month: u32) -> bool {
        self.destroyed.contains(&(class, month))
    }
}

fn public_of(entry: &SigningEntry, place: &Place) -> Result<PublicKey, KeyStoreError> {
    let public = PublicKey::from_hex(&entry.public).ok().filter(|public| public.id() == entry.id);
    public.ok_or_else(|| place.damaged(format!("signing key {} is no key of that id", entry.id)))
}

fn signing_of(content: &Content, place: &Place, masters: &Masters) -> Result<SigningKey, KeyStoreError> {
    let mut active = content.signing_keys.iter().filter(|entry| entry.state == State::Active);
    let (Some(entry), None) = (active.next(), active.next()) else {
        return Err(place.damaged("it must hold one active signing key"));
    };
    let wrapped = entry.wrapped.as_ref();
    let wrapped = wrapped.ok_or_else(|| place.damaged(format!("signing key {} is empty", entry.id)))?;
    let scalar = open_exactly(wrapped, &signing_context(&entry.id), place, masters)?;
    let key = SigningKey::from_scalar(&scalar).filter(|key| key.id() == entry.id);
    key.ok_or_else(|| place.damaged(format!("signing key {} is no key of that id", entry.id)))
}

/// Unwraps a secret of exactly `N` bytes.
fn open_exactly<const N: usize>(
    wrapped: &Wrapped,
    context: &[u8],
    place: &Place,
    masters: &Masters,
) -> Result<Zeroizing<[u8; N]>, KeyStoreError> {
    let opened = open(wrapped, context, place, masters)?;
    let mut exact = Zeroizing::new([0; N]);
    if opened.len() != N {
        return Err(place.damaged("a key in it has a wrong length"));
    }
    exact.copy_from_slice(&opened);
    Ok(exact)
}

/// Unwraps a secret.
pub(super) fn open(
    wrapped: &Wrapped,
    context: &[u8],
    place: &Place,
    masters: &Masters,
) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
    let master = masters.find(&wrapped.master).ok_or_else(|| place.other_master(&wrapped.master, masters))?;
    let opened = hex::decode(&wrapped.bytes).and_then(|bytes| master.wrapping().open(context, &bytes).ok());
    opened.ok_or_else(|| place.damaged("a key in it cannot be unwrapped"))
}

pub(super) fn wrap(master: &MasterKey, context: &[u8], secret: &[u8]) -> Wrapped {
    let mut bytes = Vec::new();
    master.wrapping().seal(context, secret, &mut bytes);
    Wrapped { master: master.fingerprint(), bytes: hex::encode(&bytes) }
}

/// What a wrapped data key is bound to.
pub(super) fn data_context(entry: &DataEntry) -> Vec<u8> {
    let mut context = b"data key ".to_vec();
    context.extend_from_slice(&entry.number.to_be_bytes());
    context.extend_from_slice(entry.class.name().as_bytes());
    context.extend_from_slice(&entry.month.to_be_bytes());
    context
}

pub(super) fn signing_context(id: &str) -> Vec<u8> {
    format!("signing key {id}").into_bytes()
}
