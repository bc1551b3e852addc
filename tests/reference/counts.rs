//! How often each branch of the rules was met.
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Met(pub(crate) BTreeMap<&'static str, u64>);

impl Met {
    pub(crate) fn see(&mut self, branch: &'static str) {
        *self.0.entry(branch).or_default() += 1;
    }

    pub(crate) fn when(&mut self, holds: bool, branch: &'static str) {
        if holds {
            self.see(branch);
        }
    }

    pub(crate) fn add(&mut self, other: &Met) {
        for (branch, times) in &other.0 {
            *self.0.entry(branch).or_default() += times;
        }
    }
}
