//! Owns a request that was understood: its envelope, its checked rows, and what was put right on the way.

use crate::domain::record::RowDigest;
use crate::protocol::envelope::Envelope;
use crate::protocol::error::Fault;
use crate::protocol::error::Faults;
use crate::protocol::error::Notice;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::checker;
use crate::protocol::hospital::content::ContentHash;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::reader;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::row::Rows;
use crate::protocol::hospital::row::Value;
use crate::protocol::hospital::transaction::Transaction;

/// A checked request. Borrows from the body.
#[derive(Debug)]
pub struct Message<'m> {
    pub transaction: Transaction,
    pub envelope: Envelope<'m>,
    /// In the order of the transaction's slots; a node that was not sent has no rows.
    pub(crate) nodes: Vec<Rows<'m>>,
    pub notices: Vec<Notice>,
}

impl<'m> Message<'m> {
    /// Reads and checks a body. Finds all faulty fields, not only the first.
    pub fn read(body: &'m [u8]) -> Result<Message<'m>, ProtocolError> {
        checker::check(reader::read(body)?)
    }

    /// The row of a node that the transaction requires once.
    ///
    /// # Panics
    /// When `N` is no required node of this transaction: a mistake of the code that asks.
    pub fn one<N: Node>(&self) -> Row<'_, 'm, N> {
        self.maybe::<N>().expect("asked for a node that this transaction does not require")
    }

    /// The first row of a node, if it was sent.
    pub fn maybe<N: Node>(&self) -> Option<Row<'_, 'm, N>> {
        self.list::<N>().next()
    }

    /// All rows of a node, in the order sent.
    pub fn list<N: Node>(&self) -> impl ExactSizeIterator<Item = Row<'_, 'm, N>> {
        let rows = self.nodes.iter().find(|rows| core::ptr::eq(rows.table, N::table()));
        let values = rows.map(|rows| rows.values.as_slice()).unwrap_or_default();
        values.chunks_exact(N::table().fields.len()).map(Row::new)
    }

    /// What each row of a node says, in the order sent.
    pub fn digests<N: Node>(&self) -> &[RowDigest] {
        let rows = self.nodes.iter().find(|rows| core::ptr::eq(rows.table, N::table()));
        rows.map(Rows::digests).unwrap_or_default()
    }

    /// A refusal of a field that passed its table and cannot be used all the same, for the code that maps fields to
    /// orders. `index` is the key's.
    pub fn unusable<N: Node>(index: usize, trouble: Trouble) -> ProtocolError {
        let table = N::table();
        let field = &table.fields[index];
        let path = format!("input.{}.{}", table.wire, field.wire);
        let (wire, chinese) = (field.wire.to_owned(), field.chinese);
        ProtocolError::Fields(Faults::one(Fault { path, wire, chinese, trouble }))
    }

    /// `psn_no`, the same in every row that has one.
    pub fn psn_no(&self) -> Option<&str> {
        self.first_text("psn_no")
    }

    /// `mdtrt_id`, the same in every row that has one.
    pub fn mdtrt_id(&self) -> Option<&str> {
        self.first_text("mdtrt_id")
    }

    fn first_text(&self, wire: &str) -> Option<&str> {
        let column = |rows: &Rows<'m>| rows.table.position(wire);
        let texts = self.nodes.iter().filter_map(|rows| rows.values.get(column(rows)?));
        texts
            .into_iter()
            .find_map(|value| if let Value::Text(text) = value { Some(text.as_ref()) } else { None })
    }

    /// What this message says, whatever its spelling; see [`ContentHash`].
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(self)
    }
}
