//! Owns what a deed keeps of a message beside its typed fields: one JSON object, written from checked rows and read
//! back for look-ups.

use serde_json::Map;
use serde_json::Value as Json;

use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::row::Value;
use crate::protocol::hospital::writer::Object;
use crate::protocol::hospital::writer::whole_object;

/// Most rows are shorter, so that they are written without growing.
const USUAL_BYTES: usize = 256;

/// Who the person is, told by the register and not by the message: never kept.
const IDENTITY: [&str; 8] = [
    "psn_no",
    "mdtrt_id",
    "mdtrt_cert_no",
    "card_sn",
    "certno",
    "psn_name",
    "psn_cert_type",
    "insuplc_admdvs",
];

/// The fields of a row that `takes` wants, as one object; empty text when there are none.
pub(super) fn kept<N: Node>(row: &Row<'_, '_, N>, takes: impl Fn(&str) -> bool) -> String {
    kept_with(row, takes, |_| false)
}

/// The same with further members; `more` says whether it wrote any.
pub(super) fn kept_with<N: Node>(
    row: &Row<'_, '_, N>,
    takes: impl Fn(&str) -> bool,
    more: impl FnOnce(&mut Object<'_>) -> bool,
) -> String {
    let (mut bytes, mut any) = (Vec::with_capacity(USUAL_BYTES), false);
    whole_object(&mut bytes, |object| {
        any = put_fields(object, row, takes);
        any |= more(object);
    });
    if any { text(bytes) } else { String::new() }
}

/// Writes the fields of a row that `takes` wants; whether there were any.
pub(super) fn put_fields<N: Node>(
    object: &mut Object<'_>,
    row: &Row<'_, '_, N>,
    takes: impl Fn(&str) -> bool,
) -> bool {
    let mut any = false;
    for (field, value) in row.fields().filter(|(field, _)| !IDENTITY.contains(&field.wire)) {
        if *value != Value::Absent && takes(field.wire) {
            put(object, field, value);
            any = true;
        }
    }
    any
}

/// Rows as an array of objects; empty text when there are none.
pub(super) fn kept_rows<'r, 'm: 'r, N: Node>(rows: impl ExactSizeIterator<Item = Row<'r, 'm, N>>) -> String {
    if rows.len() == 0 {
        return String::new();
    }
    let mut bytes = vec![b'['];
    for (at, row) in rows.enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        whole_object(&mut bytes, |object| _ = put_fields(object, &row, |_| true));
    }
    bytes.push(b']');
    text(bytes)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the writer writes UTF-8")
}

fn put(object: &mut Object<'_>, field: &'static Field, value: &Value<'_>) {
    let wire = field.wire;
    match value {
        Value::Absent => object,
        Value::Text(text) => object.text(wire, text),
        Value::Flag(yes) => object.flag(wire, *yes),
        Value::Money(amount) => object.fen(wire, *amount),
        Value::Exact(number) => object.decimal(wire, *number, 0),
        Value::Whole(number) => object.whole(wire, *number),
        Value::Day(day) => object.day(wire, *day),
        Value::Moment(moment) => object.moment(wire, *moment),
        Value::Region(region) => object.shown(wire, region),
    };
}

/// A kept object, read back. What cannot be read says nothing.
#[derive(Debug, Default)]
pub(super) struct Kept(Map<String, Json>);

impl Kept {
    pub(super) fn read(text: &str) -> Kept {
        Kept(serde_json::from_str(text).unwrap_or_default())
    }

    /// Several, of which an earlier one counts before a later one.
    pub(super) fn read_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> Kept {
        let mut all = Map::new();
        for text in texts {
            for (name, value) in Kept::read(text).0 {
                all.entry(name).or_insert(value);
            }
        }
        Kept(all)
    }

    /// The rows of a kept array.
    pub(super) fn rows(text: &str) -> Vec<Kept> {
        let rows: Vec<Map<String, Json>> = serde_json::from_str(text).unwrap_or_default();
        rows.into_iter().map(Kept).collect()
    }

    pub(super) fn text(&self, wire: &str) -> Option<&str> {
        self.0.get(wire)?.as_str()
    }

    fn whole(&self, wire: &str) -> Option<i64> {
        self.0.get(wire)?.as_i64()
    }

    /// Text fields under their own names, `null` where nothing was kept.
    pub(super) fn texts(&self, object: &mut Object<'_>, wires: &[&'static str]) {
        for wire in wires {
            object.maybe_text(wire, self.text(wire));
        }
    }

    /// Whole numbers under their own names, `null` where nothing was kept.
    pub(super) fn wholes(&self, object: &mut Object<'_>, wires: &[&'static str]) {
        for wire in wires {
            object.maybe_whole(wire, self.whole(wire));
        }
    }
}
