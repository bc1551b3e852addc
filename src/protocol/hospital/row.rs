//! Owns checked values: a row that passed its table, and the typed way to read it.

use core::marker::PhantomData;
use std::borrow::Cow;
use std::sync::OnceLock;

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::record::RowDigest;
use crate::protocol::hospital::content;
use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::field::NodeTable;
use crate::protocol::hospital::field::Optional;
use crate::protocol::hospital::field::Read;
use crate::protocol::hospital::field::Required;

/// One checked value. Text borrows from the message where no escape had to be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'m> {
    /// Not sent, null, or empty.
    Absent,
    Text(Cow<'m, str>),
    Flag(bool),
    Money(Fen),
    /// Without trailing zeros, so that 1.50 and 1.5 are one value.
    Exact(Decimal),
    Whole(i64),
    Day(Day),
    Moment(Moment),
    Region(RegionCode),
}

impl Value<'_> {
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Absent => Value::Absent,
            Value::Flag(value) => Value::Flag(value),
            Value::Money(value) => Value::Money(value),
            Value::Exact(value) => Value::Exact(value),
            Value::Whole(value) => Value::Whole(value),
            Value::Day(value) => Value::Day(value),
            Value::Moment(value) => Value::Moment(value),
            Value::Region(value) => Value::Region(value),
        }
    }
}

/// The checked rows of one node, side by side in one allocation.
#[derive(Debug)]
pub struct Rows<'m> {
    pub(crate) table: &'static NodeTable,
    pub(crate) values: Vec<Value<'m>>,
    digests: OnceLock<Vec<RowDigest>>,
}

impl<'m> Rows<'m> {
    pub(crate) fn new(table: &'static NodeTable, values: Vec<Value<'m>>) -> Rows<'m> {
        Rows { table, values, digests: OnceLock::new() }
    }

    /// What each row says. Hashed once, however often it is asked.
    pub(crate) fn digests(&self) -> &[RowDigest] {
        self.digests.get_or_init(|| content::row_digests(self))
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.table.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[Value<'m>]> {
        self.values.chunks_exact(self.table.fields.len())
    }
}

/// One checked row of the node `N`: every required field is there and has its type.
#[derive(Debug)]
pub struct Row<'r, 'm, N> {
    values: &'r [Value<'m>],
    node: PhantomData<fn() -> N>,
}

impl<N> Clone for Row<'_, '_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Row<'_, '_, N> {}

impl<'r, 'm, N: Node> Row<'r, 'm, N> {
    pub(crate) fn new(values: &'r [Value<'m>]) -> Self {
        Self { values, node: PhantomData }
    }

    /// Every field with its value, in the order of the table.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static Field, &'r Value<'m>)> {
        N::table().fields.iter().zip(self.values)
    }

    /// The value of a field: `T` where the table requires it, `Option<T>` where it does not.
    pub fn get<K: Key<N>>(&self, key: &K) -> K::Out<'r> {
        key.of(self.values)
    }
}

/// Reads one field of a row; made by the tables only.
pub trait Key<N> {
    type Out<'r>;
    fn of<'r>(&self, values: &'r [Value<'_>]) -> Self::Out<'r>;
}

impl<N: Node, T: Read> Key<N> for Required<N, T> {
    type Out<'r> = T::Out<'r>;

    fn of<'r>(&self, values: &'r [Value<'_>]) -> T::Out<'r> {
        T::read(&values[self.index()]).expect("the checker lets no row pass that lacks a required field")
    }
}

impl<N: Node, T: Read> Key<N> for Optional<N, T> {
    type Out<'r> = Option<T::Out<'r>>;

    fn of<'r>(&self, values: &'r [Value<'_>]) -> Option<T::Out<'r>> {
        T::read(&values[self.index()])
    }
}
