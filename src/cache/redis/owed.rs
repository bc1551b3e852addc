//! Owns what this node has put, replaced or taken out while Redis did not answer: until that is done there too, Redis must not
//! be believed about it. Else a code could be used twice, or a session that was ended come back with Redis.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::cache::Space;
use crate::domain::calendar::Instant;

/// What does not fit is forgotten: it ends by itself, the longest after four hours.
const OWED_MAX: usize = 100_000;

/// What a name in Redis stands for.
#[derive(Clone, Debug)]
pub(super) struct Debt {
    pub(super) name: String,
    pub(super) space: Space,
    pub(super) key: String,
    /// When it was made.
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Owed {
    debts: Mutex<HashMap<String, Debt>>,
    /// So that the usual question, with nothing owed, takes no lock.
    count: AtomicUsize,
}

impl Owed {
    pub(super) fn add(&self, debt: Debt) {
        let mut debts = self.lock();
        if debts.len() < OWED_MAX || debts.contains_key(&debt.name) {
            debts.insert(debt.name.clone(), debt);
        }
        self.count.store(debts.len(), Ordering::Release);
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.lock().contains_key(name)
    }

    pub(super) fn some(&self, at_most: usize) -> Vec<Debt> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.lock().values().take(at_most).cloned().collect()
    }

    pub(super) fn settle<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut debts = self.lock();
        for name in names {
            debts.remove(name);
        }
        self.count.store(debts.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Debt>> {
        // Debts are whole at every instant: a panic elsewhere harms none.
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
