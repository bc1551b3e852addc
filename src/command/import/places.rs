//! Owns the order in which the entries of a file are applied: by bucket and person, as the ledger keeps them, so that
//! neighbours in the file of the ledger are written together. Twice as fast as in the order of the file, and no slower
//! when the ledger is large.
//!
//! The file itself stays where it is: 24 bytes are kept for each entry, and its rows are read again in the new order.

use std::fs::File;
use std::hash::DefaultHasher;
use std::hash::Hash as _;
use std::hash::Hasher as _;
use std::os::unix::fs::FileExt as _;

use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::protocol::files::kind::Kind;
use crate::protocol::files::sheet::Said;
use crate::protocol::files::sheet::Sheet;
use crate::protocol::files::table::Header;

/// Where an entry stands in its file, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    begins: u64,
    length: u32,
    /// Lines beyond four thousand million are all told as that one.
    line: u32,
    /// Tells the persons of a bucket apart, nearly always.
    person: u32,
    bucket: u16,
}

/// The entries of a file that go to persons.
#[derive(Debug)]
pub struct Places {
    kind: Kind,
    header: Header,
    /// Of the file, in bytes.
    length: u64,
    all: Vec<Place>,
}

/// The file does not say any more what it said when it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;

impl Places {
    pub(super) fn new(kind: Kind, header: Header, length: u64) -> Places {
        Places { kind, header, length, all: Vec::new() }
    }

    pub(super) fn note(&mut self, said: &Said, person: &PersonKey, bucket: Bucket) {
        let mut hasher = DefaultHasher::new();
        person.number().hash(&mut hasher);
        let length = u32::try_from(said.ends.min(self.length) - said.begins).unwrap_or(u32::MAX);
        let line = u32::try_from(said.line).unwrap_or(u32::MAX);
        let person = u32::try_from(hasher.finish() >> 32).unwrap_or(0);
        self.all.push(Place { begins: said.begins, length, line, person, bucket: bucket.get() });
    }

    pub(super) fn sort(&mut self) {
        self.all.sort_unstable_by_key(|place| (place.bucket, place.person, place.begins));
    }

    /// Groups of about `size` entries; what one person has is never cut.
    pub(super) fn groups(&self, size: usize) -> impl Iterator<Item = Group<'_>> {
        let mut rest = self.all.as_slice();
        std::iter::from_fn(move || {
            let mut end = size.min(rest.len());
            while end > 0 && end < rest.len() && is_same_person(&rest[end - 1], &rest[end]) {
                end += 1;
            }
            let (group, left) = rest.split_at(end);
            rest = left;
            (!group.is_empty()).then_some(Group { places: self, group })
        })
    }
}

fn is_same_person(one: &Place, other: &Place) -> bool {
    (one.bucket, one.person) == (other.bucket, other.person)
}

/// Some entries, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<'p> {
    places: &'p Places,
    group: &'p [Place],
}

impl Group<'_> {
    /// Reads them out of the file.
    pub(super) fn read(&self, file: &File) -> Result<Vec<Said>, Moved> {
        let mut bytes = Vec::new();
        for place in self.group {
            let from = bytes.len();
            let length = usize::try_from(place.length).map_err(|_| Moved)?;
            bytes.resize(from + length, 0);
            file.read_exact_at(&mut bytes[from..], place.begins).map_err(|_| Moved)?;
            bytes.push(b'\n'); // the last row of a file may end without one; blank lines are passed over
        }
        let mut sheet = Sheet::under(self.places.kind, self.places.header.clone(), bytes.as_slice());
        let mut all: Vec<Said> = sheet.by_ref().collect();
        if !sheet.findings.faults.is_empty() || all.len() != self.group.len() {
            return Err(Moved);
        }
        all.iter_mut().zip(self.group).for_each(|(said, place)| said.line = u64::from(place.line));
        Ok(all)
    }
}
