//! Owns the finding of what stands twice in a file, in bounded memory.
//!
//! A first pass keeps a 64-bit hash of every identity: some 20 bytes each, 80 MB for 4 million persons. The hash is
//! keyed anew in every process, so no file can be made to collide. Equal hashes are only a suspicion: a second pass over
//! the file, made only when there is one, compares the few suspected identities letter by letter.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::hash::RandomState;

use crate::protocol::files::faults::Fault;
use crate::protocol::files::faults::Findings;

/// How many suspected identities are followed up; a file with more repeats than that is refused anyway.
pub const SUSPECTS_MAX: usize = 10_000;

/// The hashes are random already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct KeepHash;

impl BuildHasher for KeepHash {
    type Hasher = AsIs;
    fn build_hasher(&self) -> AsIs {
        AsIs::default()
    }
}

/// The first pass.
#[derive(Debug, Default)]
pub struct Repeats {
    keyed: RandomState,
    seen: HashSet<u64, KeepHash>,
    suspects: HashSet<u64>,
}

impl Repeats {
    pub fn note(&mut self, identity: &str) {
        let hash = self.keyed.hash_one(identity);
        if !self.seen.insert(hash) && self.suspects.len() < SUSPECTS_MAX {
            self.suspects.insert(hash);
        }
    }

    /// The second pass, if one is needed.
    pub fn suspicion(self) -> Option<Suspicion> {
        let suspected = !self.suspects.is_empty();
        suspected.then(|| Suspicion { keyed: self.keyed, suspects: self.suspects, first: HashMap::new() })
    }
}

/// The second pass: the suspected identities, each with the line where it stood first.
#[derive(Debug)]
pub struct Suspicion {
    keyed: RandomState,
    suspects: HashSet<u64>,
    first: HashMap<String, u64>,
}

impl Suspicion {
    /// The line where it stood first, for every further time.
    pub fn stood_before(&mut self, identity: &str, line: u64) -> Option<u64> {
        if !self.suspects.contains(&self.keyed.hash_one(identity)) {
            return None;
        }
        let first = self.first.get(identity).copied();
        if first.is_none() {
            self.first.insert(identity.to_owned(), line);
        }
        first
    }

    pub fn note(&mut self, identity: &str, line: u64, findings: &mut Findings) {
        let Some(first) = self.stood_before(identity, line) else { return };
        findings.faults.push(Fault {
            line,
            column: None,
            expected: format!(
                "expected once in the file, with all its rows one after the other: it stands on line {first} already"
            ),
            found: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_found_with_the_line_where_it_stood_first() {
        let identities = ["a", "b", "a", "c", "a"];
        let mut repeats = Repeats::default();
        identities.iter().for_each(|identity| repeats.note(identity));
        let mut suspicion = repeats.suspicion().unwrap();
        let mut findings = Findings::default();
        for (line, identity) in (2..).zip(identities) {
            suspicion.note(identity, line, &mut findings);
        }
        let lines: Vec<u64> = findings.faults.listed().iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [4, 6]);
        assert!(findings.faults.listed()[0].expected.contains("line 2"));
    }

    #[test]
    fn without_repeats_there_is_no_second_pass() {
        let mut repeats = Repeats::default();
        (0..10_000).for_each(|n| repeats.note(&n.to_string()));
        assert!(repeats.suspicion().is_none());
    }
}
