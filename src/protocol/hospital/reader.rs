//! Owns the way from bytes to fields: one pass of serde over the body that keeps every leaf as the text it
//! was.
//!
//! Numbers never become floats and duplicate keys are seen, since leaves stay raw until their table says what
//! they are. Nothing here recurses with the depth of the input: what is not known is skipped by serde_json's
//! loop and measured, so deep nesting costs a refusal and no stack.

use std::borrow::Cow;
use std::cell::Cell;
use std::cell::RefCell;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::Visitor;
use serde_json::value::RawValue;

use crate::protocol::error::Fault;
use crate::protocol::error::FaultList;
use crate::protocol::error::Faults;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::leaf;
use crate::protocol::hospital::raw::RawRows;
use crate::protocol::hospital::raw::is_same_name;
use crate::protocol::hospital::tables::envelope::HEAD;
use crate::protocol::hospital::tables::envelope::Head;
use crate::protocol::hospital::transaction::Slot;
use crate::protocol::hospital::transaction::Transaction;
use crate::protocol::wire;

/// Most rows of one node: ten times the largest batch seen in the field.
pub(crate) const ROWS_MAX: usize = 2_000;
/// Most levels of nesting inside a value: the extension field needs two or three.
pub(crate) const DEPTH_MAX: usize = 32;

/// What a body holds, before any value was looked at.
#[derive(Debug)]
pub(crate) struct RawMessage<'m> {
    pub(crate) transaction: Transaction,
    pub(crate) head: RawRows<'m>,
    /// In the order of the transaction's slots.
    pub(crate) nodes: Vec<RawRows<'m>>,
    /// What was wrong with the shape of nodes.
    pub(crate) faults: FaultList,
}

/// Reads the shape of a message.
pub(crate) fn read(body: &[u8]) -> Result<RawMessage<'_>, ProtocolError> {
    let text =
        core::str::from_utf8(body).map_err(|fault| ProtocolError::NotUtf8 { at: fault.valid_up_to() })?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches('\0');
    if text.trim().is_empty() {
        return Err(ProtocolError::Empty);
    }
    let trail = Trail::default();
    let mut raw = RawBody::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = deserializer.deserialize_map(HeadVisitor { raw: &mut raw, trail: &trail });
    parsed.and_then(|()| deserializer.end()).map_err(|error| trail.explain(&error, "报文"))?;
    raw.finish(trail)
}

/// Where in the message the reader is, so that an error can name it, and what it found that serde cannot say.
#[derive(Debug, Default)]
struct Trail {
    node: Cell<&'static str>,
    /// The row inside a list; `None` where a node is one object.
    row: Cell<Option<usize>>,
    field: Cell<&'static str>,
    stopped_by: RefCell<Option<ProtocolError>>,
    faults: RefCell<FaultList>,
}

impl Trail {
    fn place(&self) -> String {
        match (self.node.get(), self.field.get()) {
            ("", "") => "报文开头".to_owned(),
            ("", field) => field.to_owned(),
            (node, "") => format!("input.{node}"),
            (node, field) => match self.row.get() {
                Some(row) => format!("input.{node}[{row}].{field}"),
                None => format!("input.{node}.{field}"),
            },
        }
    }

    /// Ends the pass with an error of ours.
    fn stop<E: serde::de::Error>(&self, error: ProtocolError) -> E {
        *self.stopped_by.borrow_mut() = Some(error);
        E::custom("stopped")
    }

    fn fault(&self, path: String, wire: &str, chinese: &'static str, trouble: Trouble) {
        self.faults.borrow_mut().push(Fault { path, wire: wire.to_owned(), chinese, trouble });
    }

    fn explain(&self, error: &serde_json::Error, place: &'static str) -> ProtocolError {
        if let Some(ours) = self.stopped_by.borrow_mut().take() {
            return ours;
        }
        if error.is_data() {
            let place = if self.field.get() == "input" { "input" } else { place };
            return ProtocolError::NotAnObject { place };
        }
        ProtocolError::NotJson { place: self.place(), line: error.line(), column: error.column() }
    }

    /// A value that is not a leaf must not be deep; a leaf is not.
    fn measure<E: serde::de::Error>(&self, raw: &str) -> Result<(), E> {
        if raw.starts_with(['[', '{']) && is_deeper_than(raw, DEPTH_MAX) {
            return Err(self.stop(ProtocolError::TooDeep { place: self.place(), max: DEPTH_MAX }));
        }
        Ok(())
    }
}

/// Counts brackets outside of strings; the text is known to be JSON.
fn is_deeper_than(json: &str, max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max {
            return true;
        }
    }
    false
}

/// The envelope while it is read.
#[derive(Debug)]
struct RawBody<'m> {
    head: RawRows<'m>,
    /// Put aside when `input` came before `infno`.
    input_aside: Option<&'m RawValue>,
    input: Option<RawInput<'m>>,
    input_came: bool,
}

impl<'m> RawBody<'m> {
    fn new() -> Self {
        Self { head: RawRows::new(Head::table()), input_aside: None, input: None, input_came: false }
    }

    fn infno(&self) -> Option<Cow<'m, str>> {
        let raw = *self.head.cells.get(HEAD.infno.index())?;
        leaf::text_of(raw).filter(|infno| !infno.is_empty())
    }

    fn transaction(&self) -> Option<Transaction> {
        self.infno().and_then(|infno| Transaction::from_infno(&infno))
    }

    fn finish(mut self, trail: Trail) -> Result<RawMessage<'m>, ProtocolError> {
        let transaction = self.known_transaction()?;
        if let Some(aside) = self.input_aside.take() {
            let mut input = RawInput::new(transaction);
            serde_json::Deserializer::from_str(aside.get())
                .deserialize_map(InputVisitor { input: &mut input, trail: &trail })
                .map_err(|error| trail.explain(&error, "input"))?;
            self.input = Some(input);
        }
        let nodes = match self.input {
            Some(input) => input.finish(&trail),
            None => RawInput::new(transaction).nodes,
        };
        Ok(RawMessage { transaction, head: self.head, nodes, faults: trail.faults.into_inner() })
    }

    fn known_transaction(&self) -> Result<Transaction, ProtocolError> {
        let Some(infno) = self.infno() else {
            let fault = Fault {
                path: "infno".to_owned(),
                wire: "infno".to_owned(),
                chinese: "交易编号",
                trouble: Trouble::Missing,
            };
            return Err(ProtocolError::Fields(Faults::one(fault)));
        };
        let unknown = || ProtocolError::UnknownTransaction { infno: infno.chars().take(20).collect() };
        Transaction::from_infno(&infno).ok_or_else(unknown)
    }
}

struct HeadVisitor<'s, 'm> {
    raw: &'s mut RawBody<'m>,
    trail: &'s Trail,
}

impl<'m> Visitor<'m> for HeadVisitor<'_, 'm> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the envelope, an object")
    }

    fn visit_map<A: MapAccess<'m>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.raw.head.begin_row();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            if is_same_name("input", &key) {
                self.read_input(&mut map)?;
                continue;
            }
            let meaning = self.raw.head.meaning(key);
            self.trail
                .field
                .set(meaning.map_or("", |meaning| self.raw.head.table.fields[meaning.column].wire));
            let value: &'m RawValue = map.next_value()?;
            self.trail.measure(value.get())?;
            if let Some(meaning) = meaning {
                self.raw.head.put(meaning, value.get());
            }
        }
        Ok(())
    }
}

impl<'m> HeadVisitor<'_, 'm> {
    /// In one pass when `infno` came first, as it nearly always does; otherwise the nodes wait until it has
    /// come.
    fn read_input<A: MapAccess<'m>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        if core::mem::replace(&mut self.raw.input_came, true) {
            map.next_value::<IgnoredAny>()?;
            self.trail.fault("input".to_owned(), "input", "交易输入", Trouble::Conflict);
            return Ok(());
        }
        let Some(transaction) = self.raw.transaction() else {
            self.trail.field.set("input");
            self.raw.input_aside = Some(map.next_value()?);
            return Ok(());
        };
        self.trail.field.set("input");
        let mut input = RawInput::new(transaction);
        map.next_value_seed(InputVisitor { input: &mut input, trail: self.trail })?;
        self.raw.input = Some(input);
        self.trail.node.set("");
        Ok(())
    }
}

/// A key, borrowed where it holds no escape.
struct KeySeed;

impl<'m> DeserializeSeed<'m> for KeySeed {
    type Value = Cow<'m, str>;

    fn deserialize<D: Deserializer<'m>>(self, deserializer: D) -> Result<Cow<'m, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'m> Visitor<'m> for KeySeed {
    type Value = Cow<'m, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'m str) -> Result<Cow<'m, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'m, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// `input` while it is read.
#[derive(Debug)]
struct RawInput<'m> {
    slots: &'static [Slot],
    nodes: Vec<RawRows<'m>>,
    /// Fields that stand straight under `input`, as some clients send the only node of a transaction.
    flat: RawRows<'m>,
}

impl<'m> RawInput<'m> {
    fn new(transaction: Transaction) -> Self {
        let slots = transaction.slots();
        let nodes: Vec<RawRows<'m>> = slots.iter().map(|slot| RawRows::new((slot.table)())).collect();
        Self { slots, nodes, flat: RawRows::new((slots[0].table)()) }
    }

    fn slot(&self, key: &str) -> Option<usize> {
        self.nodes.iter().position(|node| is_same_name(node.table.wire, key))
    }

    fn finish(mut self, trail: &Trail) -> Vec<RawRows<'m>> {
        let has_flat_fields = self.flat.cells.iter().any(|cell| !cell.is_empty());
        if self.slots.len() == 1 && self.nodes[0].cells.is_empty() && has_flat_fields {
            self.nodes[0] = self.flat;
        }
        for (slot, node) in self.slots.iter().zip(&self.nodes) {
            let table = node.table;
            if !slot.many && node.len() > 1 {
                let path = format!("input.{}", table.wire);
                trail.fault(path, table.wire, table.chinese, Trouble::NotOne { got: node.len() });
            }
        }
        self.nodes
    }
}

struct InputVisitor<'s, 'm> {
    input: &'s mut RawInput<'m>,
    trail: &'s Trail,
}

impl<'m> DeserializeSeed<'m> for InputVisitor<'_, 'm> {
    type Value = ();

    fn deserialize<D: Deserializer<'m>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'m> Visitor<'m> for InputVisitor<'_, 'm> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the nodes of the transaction, an object")
    }

    fn visit_map<A: MapAccess<'m>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            self.trail.field.set("");
            match self.input.slot(&key) {
                Some(slot) => self.read_node(slot, &mut map)?,
                None => self.read_flat(key, &mut map)?,
            }
        }
        Ok(())
    }

    /// null: a transaction without any fields, which its required nodes then refuse by name.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if wire::is_nothing(text) { Ok(()) } else { Err(E::invalid_type(Unexpected::Str(text), &self)) }
    }
}

impl<'m> InputVisitor<'_, 'm> {
    fn read_node<A: MapAccess<'m>>(&mut self, slot: usize, map: &mut A) -> Result<(), A::Error> {
        let table = self.input.nodes[slot].table;
        self.trail.node.set(table.wire);
        self.trail.row.set(None);
        let mut rows = RawRows::new(table);
        map.next_value_seed(NodeVisitor { rows: &mut rows, trail: self.trail, in_list: false })?;
        let before = &mut self.input.nodes[slot];
        if before.cells.is_empty() {
            *before = rows;
        } else if !before.says_the_same(&rows) {
            self.trail.fault(format!("input.{}", table.wire), table.wire, table.chinese, Trouble::Conflict);
        }
        self.trail.node.set("");
        Ok(())
    }

    fn read_flat<A: MapAccess<'m>>(&mut self, key: Cow<'m, str>, map: &mut A) -> Result<(), A::Error> {
        if self.input.flat.cells.is_empty() {
            self.input.flat.begin_row();
        }
        let meaning = self.input.flat.meaning(key);
        let value: &'m RawValue = map.next_value()?;
        self.trail.measure(value.get())?;
        if let Some(meaning) = meaning {
            self.input.flat.put(meaning, value.get());
        }
        Ok(())
    }
}

/// A node: one object, a list of objects, or nothing.
struct NodeVisitor<'s, 'm> {
    rows: &'s mut RawRows<'m>,
    trail: &'s Trail,
    in_list: bool,
}

impl<'m> DeserializeSeed<'m> for NodeVisitor<'_, 'm> {
    type Value = ();

    fn deserialize<D: Deserializer<'m>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'m> Visitor<'m> for NodeVisitor<'_, 'm> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_map<A: MapAccess<'m>>(self, mut map: A) -> Result<(), A::Error> {
        let max = ROWS_MAX;
        let table = self.rows.table;
        if self.rows.len() >= max {
            return Err(self.trail.stop(ProtocolError::TooManyRows { node: table.wire, max }));
        }
        self.trail.row.set(self.in_list.then_some(self.rows.len()));
        self.rows.begin_row();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let meaning = self.rows.meaning(key);
            self.trail.field.set(meaning.map_or("", |meaning| table.fields[meaning.column].wire));
            let value: &'m RawValue = map.next_value()?;
            self.trail.measure(value.get())?;
            if let Some(meaning) = meaning {
                self.rows.put(meaning, value.get());
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'m>>(self, mut list: A) -> Result<(), A::Error> {
        if self.in_list {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            self.not_an_object();
            return Ok(());
        }
        let Self { rows, trail, .. } = self;
        while list.next_element_seed(NodeVisitor { rows, trail, in_list: true })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if !wire::is_nothing(wire::trimmed(text)) {
            self.not_an_object();
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.not_an_object();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.not_an_object();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.not_an_object();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.not_an_object();
        Ok(())
    }
}

impl NodeVisitor<'_, '_> {
    fn not_an_object(&self) {
        let table = self.rows.table;
        let path = format!("input.{}", table.wire);
        self.trail.fault(path, table.wire, table.chinese, Trouble::NotAnObject);
    }
}
