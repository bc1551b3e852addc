//! Owns the key store: one data key per class and month, the signing keys, all wrapped by a master key in one file.
//!
//! Reading takes no lock. The file is replaced whole and is durable before a key in it is used; a lock beside it lets
//! one process at a time change it, so that no two make different keys for the same class and month. Calls that touch
//! the file block: a new month's first `data_key`, an unknown number in `decrypt`, every change.

mod change;
mod file;
mod ring;
pub mod stream;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use arc_swap::ArcSwap;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::config::gateway::KeysSection;
use crate::vault::cipher;
use crate::vault::cipher::BadBlob;
use crate::vault::cipher::DataKey;
use crate::vault::cipher::RawKey;
use crate::vault::key_store::change::current_master;
use crate::vault::key_store::change::signing_entry;
use crate::vault::key_store::file::Changed;
use crate::vault::key_store::file::Content;
use crate::vault::key_store::file::DataEntry;
use crate::vault::key_store::file::Place;
use crate::vault::key_store::ring::Known;
use crate::vault::key_store::ring::Ring;
use crate::vault::master::BadMaster;
use crate::vault::master::MasterKey;
use crate::vault::master::Masters;
use crate::vault::signing::PublicKey;
use crate::vault::signing::SigningKey;

/// How long what a key encrypts is kept; keys of a class are destroyed together, month by month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// What belongs to a settlement and is kept as long as it.
    Medical,
    /// Who somebody is and how to reach her.
    Contact,
}

impl Class {
    pub const ALL: [Class; 2] = [Class::Medical, Class::Contact];

    pub fn name(self) -> &'static str {
        match self {
            Class::Medical => "medical",
            Class::Contact => "contact",
        }
    }
}

impl core::fmt::Display for Class {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Encrypts or signs what comes.
    Active,
    /// Opens or verifies what is there.
    Retired,
    /// Gone on purpose.
    Destroyed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Retired => "retired",
            State::Destroyed => "destroyed",
        }
    }
}

/// Why a key or what it encrypted cannot be had. Each says what to do; none shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    #[error(transparent)]
    Master(#[from] BadMaster),
    #[error("there is no key store {path}; `banyan keys make` makes one")]
    Missing { path: PathBuf },
    #[error("key store {path} is there already; it is never replaced by a new one")]
    AlreadyThere { path: PathBuf },
    #[error("key store {path} cannot be used")]
    Unusable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("key store {path} is open to others (mode {mode:o}); run: chmod 600 {path}")]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("key store {path} is damaged: {what}; put its last copy in its place")]
    Damaged { path: PathBuf, what: String },
    #[error(
        "key store {path} has version {version}, which this program does not know; use the program that made it"
    )]
    OtherVersion { path: PathBuf, version: u32 },
    #[error(
        "key store {path} needs master key {wanted}, the settings name {held}; set `master` (and, during a change, `next_master`) to the right one"
    )]
    OtherMaster { path: PathBuf, wanted: String, held: String },
    #[error(
        "the store, a copy, has no {class} key of month {month}: run `banyan keys ahead` on the node where keys are made, and copy its store here"
    )]
    NotMadeAhead { class: Class, month: u32 },
    #[error("{month} is not a month; write it like 202611")]
    NotAMonth { month: u32 },
    #[error("the store has no {class} key of month {month}")]
    NoSuchKey { class: Class, month: u32 },
    #[error("the {class} keys of month {month} were destroyed; nothing more is written under them")]
    Destroyed { class: Class, month: u32 },
    #[error(
        "something is encrypted under key {number}, which is not in the key store; is this the store that belongs to the ledger?"
    )]
    UnknownKey { number: u32 },
    #[error("something encrypted cannot be opened")]
    NotReadable(#[source] BadBlob),
}

/// What became of something encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    Plain(Zeroizing<Vec<u8>>),
    /// Its key was destroyed on purpose; it is forgotten.
    Erased,
}

/// The keys of a gateway. Share it in an `Arc`.
pub struct KeyStore {
    place: Place,
    masters: ArcSwap<Masters>,
    ring: ArcSwap<Ring>,
    /// Keys of a month are made beforehand, since other nodes would make others under the same numbers.
    copied: bool,
    /// Held while the file is read or changed, so that an older state never takes the place of a newer one.
    filing: Mutex<()>,
}

impl core::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Makes a store with one signing key and no data key. What is there already stays.
    pub fn create(path: &Path, master: &MasterKey, now_ms: i64) -> Result<KeyStore, KeyStoreError> {
        let place = Place::new(path);
        let mut content = Content::new(master, now_ms);
        content.signing_keys.push(signing_entry(&SigningKey::make(), master, now_ms));
        place.create(&content, master)?;
        KeyStore::open(path, master)
    }

    pub fn open(path: &Path, master: &MasterKey) -> Result<KeyStore, KeyStoreError> {
        KeyStore::open_with(path, Masters::one(master))
    }

    /// Opens it with both masters while one takes over from the other.
    pub fn open_with(path: &Path, masters: Masters) -> Result<KeyStore, KeyStoreError> {
        let place = Place::new(path);
        let (content, stamp) = place.read(&masters)?;
        let ring = Ring::unwrap(content, stamp, &place, &masters)?;
        Ok(KeyStore {
            place,
            masters: ArcSwap::from_pointee(masters),
            ring: ArcSwap::from_pointee(ring),
            copied: false,
            filing: Mutex::new(()),
        })
    }

    /// Opens the store that the settings name, with the masters that they name.
    pub fn from_settings(keys: &KeysSection) -> Result<KeyStore, KeyStoreError> {
        let store = KeyStore::open_with(&keys.store, Masters::read(keys)?)?;
        Ok(KeyStore { copied: keys.copied, ..store })
    }

    /// The same, on the node where keys are made for all.
    pub fn to_make_ahead(keys: &KeysSection) -> Result<KeyStore, KeyStoreError> {
        Ok(KeyStore { copied: false, ..KeyStore::from_settings(keys)? })
    }

    /// What the store holds, when these masters open it; touches nothing beside it.
    pub fn check(path: &Path, masters: &Masters) -> Result<Inventory, KeyStoreError> {
        let place = Place::new(path);
        let (content, stamp) = place.look(masters)?;
        let ring = Ring::unwrap(content, stamp, &place, masters)?;
        Ok(Inventory::of(&ring.content))
    }

    /// Reads masters and file again, after a signal. What cannot be read leaves in force what was there.
    pub fn reload_from_settings(&self, keys: &KeysSection) -> Result<(), KeyStoreError> {
        self.reload_with(Masters::read(keys)?)
    }

    /// Reads the file again. What cannot be read leaves in force what was there.
    pub fn reload(&self) -> Result<(), KeyStoreError> {
        self.reload_with(Masters::clone(&self.masters.load()))
    }

    /// The same, with the masters that the settings name now.
    pub fn reload_with(&self, masters: Masters) -> Result<(), KeyStoreError> {
        let _filing = self.filing.lock().unwrap_or_else(PoisonError::into_inner);
        let (content, stamp) = self.place.read(&masters)?;
        let ring = Ring::unwrap(content, stamp, &self.place, &masters)?;
        self.masters.store(Arc::new(masters));
        self.ring.store(Arc::new(ring));
        Ok(())
    }

    /// The key under which something of this class and month (yyyymm) is written; made on first use, but in a copy.
    pub fn data_key(&self, class: Class, month: u32) -> Result<Arc<DataKey>, KeyStoreError> {
        if let Some(key) = self.ring.load().writing(class, month) {
            return Ok(Arc::clone(key));
        }
        if !(1..=12).contains(&(month % 100)) || !(1900..=9999).contains(&(month / 100)) {
            return Err(KeyStoreError::NotAMonth { month });
        }
        if self.ring.load().is_destroyed(class, month) {
            return Err(KeyStoreError::Destroyed { class, month });
        }
        if self.copied {
            self.reload()?; // a newer copy may have come
        } else {
            self.change(|content, place, masters| make_data_key(content, place, masters, class, month))?;
        }
        let ring = self.ring.load();
        ring.writing(class, month).cloned().ok_or(if self.copied {
            KeyStoreError::NotMadeAhead { class, month }
        } else {
            KeyStoreError::NoSuchKey { class, month }
        })
    }

    /// Opens what a key of this store encrypted in this context.
    pub fn decrypt(&self, context: &[u8], blob: &[u8]) -> Result<Opened, KeyStoreError> {
        let number = cipher::key_number(blob).map_err(KeyStoreError::NotReadable)?;
        let ring = self.ring.load();
        if let Some(known) = ring.known(number) {
            return open(known, context, blob);
        }
        // Another process has made it, unless the file is still the one that was read.
        if self.place.stamp() != Some(ring.stamp) {
            self.reload()?;
        }
        match self.ring.load().known(number) {
            Some(known) => open(known, context, blob),
            None => Err(KeyStoreError::UnknownKey { number }),
        }
    }

    /// The key that signs.
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.ring.load().signing)
    }

    /// Every key that ever signed, the oldest first.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.ring.load().public.clone()
    }

    /// What the store holds, without a secret.
    pub fn inventory(&self) -> Inventory {
        Inventory::of(&self.ring.load().content)
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Content, &Place, &Masters) -> Result<Changed<T>, KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        let _filing = self.filing.lock().unwrap_or_else(PoisonError::into_inner);
        let masters = self.masters.load();
        let (told, content, stamp) =
            self.place.change(&masters, |content| change(content, &self.place, &masters))?;
        self.ring.store(Arc::new(Ring::unwrap(content, stamp, &self.place, &masters)?));
        Ok(told)
    }
}

/// Adds a key, unless another process was faster.
fn make_data_key(
    content: &mut Content,
    place: &Place,
    masters: &Masters,
    class: Class,
    month: u32,
) -> Result<Changed<()>, KeyStoreError> {
    let mut of_month = content.data_keys.iter().filter(|entry| entry.is_of(class, month));
    if of_month.clone().any(|entry| entry.state == State::Active) {
        return Ok(Changed::No(()));
    }
    if of_month.any(|entry| entry.state == State::Destroyed) {
        return Err(KeyStoreError::Destroyed { class, month });
    }
    let last = content.data_keys.iter().map(|entry| entry.number).max().unwrap_or(0);
    let number = last.checked_add(1).ok_or_else(|| place.damaged("no number is left for a new key"))?;
    let mut entry =
        DataEntry { number, class, month, made_ms: wall_clock_ms(), state: State::Active, wrapped: None };
    let key = RawKey::new(cipher::random());
    let master = current_master(content, place, masters)?;
    entry.wrapped = Some(ring::wrap(master, &ring::data_context(&entry), key.as_slice()));
    content.data_keys.push(entry);
    Ok(Changed::Yes(()))
}

#[expect(clippy::disallowed_methods, reason = "a note for people; nothing is decided by it")]
fn wall_clock_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn open(known: &Known, context: &[u8], blob: &[u8]) -> Result<Opened, KeyStoreError> {
    match known {
        Known::Held(key) => key.decrypt(context, blob).map(Opened::Plain).map_err(KeyStoreError::NotReadable),
        Known::Destroyed => Ok(Opened::Erased),
    }
}

/// A store's keys as they may be shown.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Fingerprint of the master that wraps new keys.
    pub master: String,
    pub made_ms: i64,
    pub data: Vec<DataKeyInfo>,
    pub signing: Vec<SigningKeyInfo>,
}

#[derive(Clone, Debug)]
pub struct DataKeyInfo {
    pub number: u32,
    pub class: Class,
    pub month: u32,
    pub made_ms: i64,
    pub state: State,
    /// Fingerprint of the master that wraps it; none when destroyed.
    pub master: Option<String>,
}

#[derive(Clone, Debug)]
pub struct SigningKeyInfo {
    pub id: String,
    /// SEC1 point in hexadecimal digits.
    pub public: String,
    pub made_ms: i64,
    pub state: State,
    pub master: Option<String>,
}

impl Inventory {
    /// Whether every class has a key under which something of this month (yyyymm) is written.
    pub fn can_write(&self, month: u32) -> bool {
        let is_there = |class| {
            self.data.iter().any(|key| (key.class, key.month, key.state) == (class, month, State::Active))
        };
        Class::ALL.into_iter().all(is_there)
    }

    fn of(content: &Content) -> Inventory {
        let master = |wrapped: &Option<file::Wrapped>| wrapped.as_ref().map(|w| w.master.clone());
        let data = content.data_keys.iter().map(|entry| DataKeyInfo {
            number: entry.number,
            class: entry.class,
            month: entry.month,
            made_ms: entry.made_ms,
            state: entry.state,
            master: master(&entry.wrapped),
        });
        let signing = content.signing_keys.iter().map(|entry| SigningKeyInfo {
            id: entry.id.clone(),
            public: entry.public.clone(),
            made_ms: entry.made_ms,
            state: entry.state,
            master: master(&entry.wrapped),
        });
        Inventory {
            master: content.master.clone(),
            made_ms: content.made_ms,
            data: data.collect(),
            signing: signing.collect(),
        }
    }
}
