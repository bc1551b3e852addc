//! Owns the raw fields of a node: which key means which column, and what to keep of a key that came twice.

use std::borrow::Cow;

use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::NodeTable;

/// Most keys with a second, different value that are looked at one by one.
const REPEATS_MAX: usize = 1_000;
/// Most spellings of keys that are remembered from one row to the next.
const SPELLINGS_MAX: usize = 128;

/// Raw fields of a node: a cell per column and row, empty where the key did not come.
#[derive(Debug)]
pub(crate) struct RawRows<'m> {
    pub(crate) table: &'static NodeTable,
    pub(crate) cells: Vec<&'m str>,
    pub(crate) repeats: Vec<Repeat<'m>>,
    spellings: Vec<Spelling<'m>>,
    /// Columns of the row being read that were filled by an alias, a bit each.
    by_alias: u64,
    next_spelling: usize,
}

/// A key that came more than once in a row, with another raw value than the one kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat<'m> {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) raw: &'m str,
    /// One of the two came under another name of the field.
    pub(crate) by_alias: bool,
}

/// A key as this client spells it, and the column that it means. Clients spell and order every row alike, so
/// the next key is nearly always the next spelling.
#[derive(Debug)]
struct Spelling<'m> {
    key: Cow<'m, str>,
    meaning: Option<Meaning>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    pub(crate) column: usize,
    pub(crate) by_alias: bool,
}

impl<'m> RawRows<'m> {
    pub(crate) fn new(table: &'static NodeTable) -> Self {
        Self {
            table,
            cells: Vec::new(),
            repeats: Vec::new(),
            spellings: Vec::new(),
            by_alias: 0,
            next_spelling: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len() / self.table.fields.len()
    }

    pub(crate) fn begin_row(&mut self) {
        self.cells.resize(self.cells.len() + self.table.fields.len(), "");
        self.by_alias = 0;
        self.next_spelling = 0;
    }

    pub(crate) fn meaning(&mut self, key: Cow<'m, str>) -> Option<Meaning> {
        if let Some(expected) = self.spellings.get(self.next_spelling).filter(|expected| expected.key == key)
        {
            self.next_spelling += 1;
            return expected.meaning;
        }
        if let Some(at) = self.spellings.iter().position(|known| known.key == key) {
            self.next_spelling = at + 1;
            return self.spellings[at].meaning;
        }
        let meaning = look_up(self.table, &key, self.after_last());
        if self.spellings.is_empty() {
            self.spellings.reserve(self.table.fields.len());
        }
        if self.spellings.len() < SPELLINGS_MAX {
            self.spellings.push(Spelling { key, meaning });
            self.next_spelling = self.spellings.len();
        }
        meaning
    }

    /// The column behind the one that was named last: where a client that keeps the order of the standard goes on.
    fn after_last(&self) -> usize {
        let last = self.spellings.last().and_then(|last| last.meaning);
        last.map_or(0, |last| last.column + 1)
    }

    /// Keeps a value. Of a key sent twice the last counts, and the field's own name counts before an alias;
    /// what was not kept is remembered, so that the checker can tell whether it said the same.
    pub(crate) fn put(&mut self, meaning: Meaning, raw: &'m str) {
        let Meaning { column, by_alias } = meaning;
        let row = self.len() - 1;
        let kept = &mut self.cells[row * self.table.fields.len() + column];
        let bit = 1_u64 << column;
        let kept_by_alias = self.by_alias & bit != 0;
        if kept.is_empty() {
            *kept = raw;
            self.by_alias |= if by_alias { bit } else { 0 };
            return;
        }
        if *kept == raw || self.repeats.len() >= REPEATS_MAX {
            return;
        }
        let mut other = raw;
        if kept_by_alias || !by_alias {
            core::mem::swap(kept, &mut other);
            self.by_alias &= !bit;
        }
        self.repeats.push(Repeat { row, column, raw: other, by_alias: by_alias != kept_by_alias });
    }

    pub(crate) fn has_too_many_repeats(&self) -> bool {
        self.repeats.len() >= REPEATS_MAX
    }

    pub(crate) fn says_the_same(&self, other: &RawRows<'m>) -> bool {
        self.cells == other.cells && self.repeats == other.repeats
    }
}

/// The search for the exact name begins at `from` and goes round: it nearly always ends there.
fn look_up(table: &NodeTable, key: &str, from: usize) -> Option<Meaning> {
    let named = |same: fn(&str, &str) -> bool| table.fields.iter().position(|field| same(field.wire, key));
    let (before, behind) = table.fields.split_at(from.min(table.fields.len()));
    let exact = |fields: &[Field]| fields.iter().position(|field| field.wire == key);
    let exact = exact(behind).map(|at| before.len() + at).or_else(|| exact(before));
    if let Some(column) = exact.or_else(|| named(is_same_name)) {
        return Some(Meaning { column, by_alias: false });
    }
    let column =
        table.fields.iter().position(|field| field.alias.is_some_and(|alias| is_same_name(alias, key)))?;
    Some(Meaning { column, by_alias: true })
}

/// `expContent`, `EXP_CONTENT` and `exp_content` are one name.
pub(crate) fn is_same_name(wire: &str, key: &str) -> bool {
    letters_of(wire).eq(letters_of(key.trim()))
}

fn letters_of(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase())
}
