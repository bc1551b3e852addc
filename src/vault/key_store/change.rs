//! Owns what is done with keys over the years: another master, another signing key, retirement, destruction.

use zeroize::Zeroizing;

use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::key_store::State;
use crate::vault::key_store::file::Changed;
use crate::vault::key_store::file::Content;
use crate::vault::key_store::file::DataEntry;
use crate::vault::key_store::file::Place;
use crate::vault::key_store::file::SigningEntry;
use crate::vault::key_store::file::Wrapped;
use crate::vault::key_store::ring;
use crate::vault::master::MasterKey;
use crate::vault::master::Masters;
use crate::vault::signing::RawScalar;
use crate::vault::signing::SigningKey;

/// Keys wrapped anew in one replacement of the file. Between two, others may make keys.
const KEYS_PER_STEP: usize = 64;

impl KeyStore {
    /// Keys that another master than this still wraps; 0 when the change to it is through.
    pub fn wrapped_by_others(&self, master: &MasterKey) -> usize {
        let fingerprint = master.fingerprint();
        let ring = self.ring.load();
        ring.content.wrapped().filter(|wrapped| wrapped.master != fingerprint).count()
    }

    /// Whether this master wraps new keys already.
    pub fn is_under(&self, master: &MasterKey) -> bool {
        self.ring.load().content.master == master.fingerprint()
    }

    /// Wraps every key under another master, which this store must hold too. Cut at any instant, it is taken up again
    /// by calling it again. `progress` is told how many are done, of how many.
    ///
    /// # Errors
    /// When the store cannot be read or replaced; what was wrapped anew until then stays so.
    pub fn change_master(
        &self,
        next: &MasterKey,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), KeyStoreError> {
        self.reload()?;
        let total = self.wrapped_by_others(next);
        loop {
            let left = self.wrapped_by_others(next);
            progress(total.saturating_sub(left), total.max(left));
            if left == 0 && self.is_under(next) {
                return Ok(());
            }
            self.change_master_step(next)?;
        }
    }

    /// One replacement of the file.
    pub(super) fn change_master_step(&self, next: &MasterKey) -> Result<(), KeyStoreError> {
        self.change(|content, place, masters| {
            content.master = next.fingerprint();
            let mut room = KEYS_PER_STEP;
            for entry in &mut content.signing_keys {
                let context = ring::signing_context(&entry.id);
                rewrap(&mut entry.wrapped, &context, next, place, masters, &mut room)?;
            }
            for entry in &mut content.data_keys {
                let context = ring::data_context(entry);
                rewrap(&mut entry.wrapped, &context, next, place, masters, &mut room)?;
            }
            Ok(Changed::Yes(()))
        })
    }

    /// Makes a signing key; the one that signed until now only verifies from now on, and its secret half is gone.
    pub fn change_signing_key(&self, now_ms: i64) -> Result<String, KeyStoreError> {
        self.change(|content, place, masters| {
            for entry in content.signing_keys.iter_mut().filter(|entry| entry.state == State::Active) {
                entry.state = State::Retired;
                entry.wrapped = None;
            }
            let master = current_master(content, place, masters)?;
            let entry = signing_entry(&SigningKey::make(), master, now_ms);
            let id = entry.id.clone();
            content.signing_keys.push(entry);
            Ok(Changed::Yes(id))
        })
    }

    /// What was written under the key of this class and month stays readable; what is written from now on gets another.
    pub fn retire(&self, class: Class, month: u32) -> Result<u32, KeyStoreError> {
        self.change(|content, _, _| {
            let mut of_month = content.data_keys.iter_mut().filter(|entry| entry.is_of(class, month));
            let Some(entry) = of_month.find(|entry| entry.state == State::Active) else {
                return Err(KeyStoreError::NoSuchKey { class, month });
            };
            entry.state = State::Retired;
            Ok(Changed::Yes(entry.number))
        })
    }

    /// Destroys every key of this class and month: what was written under them can never be read again. Gives their
    /// numbers.
    pub fn destroy(&self, class: Class, month: u32) -> Result<Vec<u32>, KeyStoreError> {
        self.change(|content, _, _| {
            let mut numbers = Vec::new();
            let of_month = content.data_keys.iter_mut().filter(|entry| entry.is_of(class, month));
            for entry in of_month.filter(|entry| entry.state != State::Destroyed) {
                entry.state = State::Destroyed;
                entry.wrapped = None;
                numbers.push(entry.number);
            }
            if numbers.is_empty() {
                return Err(KeyStoreError::NoSuchKey { class, month });
            }
            Ok(Changed::Yes(numbers))
        })
    }
}

impl DataEntry {
    pub(super) fn is_of(&self, class: Class, month: u32) -> bool {
        self.class == class && self.month == month
    }
}

pub(super) fn current_master<'a>(
    content: &Content,
    place: &Place,
    masters: &'a Masters,
) -> Result<&'a MasterKey, KeyStoreError> {
    masters.find(&content.master).ok_or_else(|| place.other_master(&content.master, masters))
}

pub(super) fn signing_entry(key: &SigningKey, master: &MasterKey, now_ms: i64) -> SigningEntry {
    let (id, scalar): (_, RawScalar) = (key.id().to_owned(), key.to_scalar());
    let wrapped = ring::wrap(master, &ring::signing_context(&id), scalar.as_slice());
    SigningEntry {
        id,
        public: key.public().to_hex(),
        made_ms: now_ms,
        state: State::Active,
        wrapped: Some(wrapped),
    }
}

/// Wraps one secret under the next master, unless it is so already or there is no room in this step.
fn rewrap(
    wrapped: &mut Option<Wrapped>,
    context: &[u8],
    next: &MasterKey,
    place: &Place,
    masters: &Masters,
    room: &mut usize,
) -> Result<(), KeyStoreError> {
    match wrapped {
        Some(old) if old.master != next.fingerprint() && *room > 0 => {
            let secret: Zeroizing<Vec<u8>> = ring::open(old, context, place, masters)?;
            *old = ring::wrap(next, context, &secret);
            *room -= 1;
        }
        Some(_) | None => {}
    }
    Ok(())
}
