//! Owns what this node has taken out or replaced while Redis did not answer: until it is deleted there, Redis must not be
//! believed about it. Else a code could be used twice, or a session that was ended come back with Redis.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// What does not fit is forgotten: it ends by itself, the longest after four hours.
const OWED_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Owed {
    names: Mutex<HashSet<String>>,
    /// So that the usual question, with nothing owed, takes no lock.
    count: AtomicUsize,
}

impl Owed {
    pub(super) fn add(&self, name: &str) {
        let mut names = self.lock();
        if names.len() < OWED_MAX {
            names.insert(name.to_owned());
        }
        self.count.store(names.len(), Ordering::Release);
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.lock().contains(name)
    }

    pub(super) fn some(&self, at_most: usize) -> Vec<String> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.lock().iter().take(at_most).cloned().collect()
    }

    pub(super) fn settle<'a>(&self, done: impl IntoIterator<Item = &'a String>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut names = self.lock();
        for name in done {
            names.remove(name);
        }
        self.count.store(names.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        // Names are whole at every instant: a panic elsewhere harms none.
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
