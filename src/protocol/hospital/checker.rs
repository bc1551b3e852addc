//! Owns the check of a message against its tables: type, length, code, presence, and one meaning for each field.
//!
//! All faults of a message are found before it is refused. A refusal never depends on a descriptive field that can be
//! kept as it came.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;
use crate::protocol::dates;
use crate::protocol::envelope::Envelope;
use crate::protocol::envelope::Operator;
use crate::protocol::error::Fault;
use crate::protocol::error::FaultList;
use crate::protocol::error::Faults;
use crate::protocol::error::Notice;
use crate::protocol::error::NoticeKind;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::codes::CodeTable;
use crate::protocol::hospital::field::Class;
use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Kind;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::reader::RawMessage;
use crate::protocol::hospital::reader::RawRows;
use crate::protocol::hospital::reader::Repeat;
use crate::protocol::hospital::reader::is_same_name;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::row::Rows;
use crate::protocol::hospital::row::Value;
use crate::protocol::hospital::tables::envelope::HEAD;
use crate::protocol::hospital::tables::envelope::Head;
use crate::protocol::hospital::transaction::Slot;
use crate::protocol::wire;

/// Longest value that a sentence repeats, in characters.
const ECHO_MAX: usize = 16;
/// Longest unknown descriptive code that is kept, in bytes.
const UNKNOWN_CODE_MAX: usize = 64;
/// Identifiers of the gateway and of institutions: no blanks inside up to this length (`domain::ids`).
const IDENTIFIER_LENGTH: u16 = 30;
/// Fields that clients also send inside the extension field (`exp_content`), where regions put what decides something.
const IN_EXTENSION: [&str; 2] = ["er_flag", "ttp_resp"];

/// Checks every field of a message.
pub(crate) fn check(raw: RawMessage<'_>) -> Result<Message<'_>, ProtocolError> {
    let RawMessage { transaction, head, nodes, faults } = raw;
    let mut checker = Checker { faults, notices: Vec::new() };
    let head = checker.rows(&head, None);
    let mut checked = Vec::with_capacity(nodes.len());
    for (slot, raw) in transaction.slots().iter().zip(&nodes) {
        checked.push(checker.rows(raw, Some(slot)));
    }
    let insured_region = checker.insured_region(&head, &checked);
    let Checker { faults, notices } = checker;
    faults.into_result()?;
    let envelope = envelope(head, insured_region)?;
    Ok(Message { transaction, envelope, nodes: checked, notices })
}

struct Checker {
    faults: FaultList,
    notices: Vec<Notice>,
}

impl Checker {
    fn rows<'m>(&mut self, raw: &RawRows<'m>, slot: Option<&Slot>) -> Rows<'m> {
        let table = raw.table;
        let mut values = Vec::with_capacity(raw.cells.len());
        let mut refused = Vec::new();
        for (row, cells) in raw.cells.chunks_exact(table.fields.len()).enumerate() {
            for (field, cell) in table.fields.iter().zip(cells) {
                let faults_before = self.faults.count();
                values.push(self.value(field, cell, &|| Place { slot, row, field }.path()));
                if self.faults.count() > faults_before {
                    refused.push(values.len() - 1);
                }
            }
        }
        let mut rows = Rows { table, values };
        for repeat in &raw.repeats {
            self.settle_repeat(&mut rows, slot, repeat);
        }
        self.lift_extension(&mut rows, slot);
        self.require(&rows, slot, &refused);
        rows
    }

    fn value<'m>(&mut self, field: &Field, raw: &'m str, path: &dyn Fn() -> String) -> Value<'m> {
        if raw.is_empty() {
            return Value::Absent;
        }
        match decode(field, raw) {
            Ok(value) => value,
            Err(trouble) => self.refuse_or_keep(field, raw, trouble, path),
        }
    }

    /// A descriptive code that no table holds is kept as it came; everything else that is wrong is refused.
    fn refuse_or_keep<'m>(
        &mut self,
        field: &Field,
        raw: &'m str,
        trouble: Trouble,
        path: &dyn Fn() -> String,
    ) -> Value<'m> {
        if !field.class.is_strict() {
            if let Trouble::UnknownCode { .. } = &trouble {
                self.notices.push(Notice { path: path(), kind: NoticeKind::UnknownCode });
                let kept = text_of(raw).filter(|code| code.len() <= UNKNOWN_CODE_MAX);
                return kept.map_or(Value::Absent, Value::Text);
            }
            if let Trouble::NotFlag { .. } = &trouble {
                self.notices.push(Notice { path: path(), kind: NoticeKind::LeftOut });
                return Value::Absent;
            }
        }
        self.fault(field, path(), trouble);
        Value::Absent
    }

    fn fault(&mut self, field: &Field, path: String, trouble: Trouble) {
        self.faults.push(Fault { path, wire: field.wire.to_owned(), chinese: field.chinese, trouble });
    }

    fn settle_repeat<'m>(&mut self, rows: &mut Rows<'m>, slot: Option<&Slot>, repeat: &Repeat<'m>) {
        let field = &rows.table.fields[repeat.column];
        let path = || Place { slot, row: repeat.row, field }.path();
        let other = self.value(field, repeat.raw, &path);
        let kept = &mut rows.values[repeat.row * rows.table.fields.len() + repeat.column];
        if *kept == other || (repeat.by_alias && other == Value::Absent) {
            return;
        }
        if repeat.by_alias && *kept == Value::Absent {
            *kept = other;
        } else if field.class.is_strict() {
            self.fault(field, path(), Trouble::Conflict);
        } else {
            self.notices.push(Notice { path: path(), kind: NoticeKind::SentTwice });
        }
    }

    /// Reads the deciding fields out of the extension field, as if they stood beside it.
    fn lift_extension(&mut self, rows: &mut Rows<'_>, slot: Option<&Slot>) {
        let table = rows.table;
        let Some(extension) = table.position("exp_content") else { return };
        for wire in IN_EXTENSION {
            let Some(column) = table.position(wire) else { continue };
            for row in 0..rows.len() {
                let start = row * table.fields.len();
                let Value::Text(content) = &rows.values[start + extension] else { continue };
                let Some(raw) = member(content, wire) else { continue };
                let field = &table.fields[column];
                let path =
                    || format!("{}.{wire}", Place { slot, row, field: &table.fields[extension] }.path());
                let lifted = into_owned(self.value(field, &raw, &path));
                self.put_lifted(field, &mut rows.values[start + column], lifted, &path);
            }
        }
    }

    fn put_lifted(
        &mut self,
        field: &Field,
        kept: &mut Value<'_>,
        lifted: Value<'static>,
        path: &dyn Fn() -> String,
    ) {
        match (&*kept, &lifted) {
            (_, Value::Absent) => {}
            (Value::Absent, _) => *kept = lifted,
            (kept, lifted) if kept == lifted => {}
            _ => self.fault(field, path(), Trouble::Conflict),
        }
    }

    /// `refused` are the places in `rows.values` whose fault is told already.
    fn require(&mut self, rows: &Rows<'_>, slot: Option<&Slot>, refused: &[usize]) {
        if let Some(slot) = slot.filter(|slot| slot.required && rows.is_empty()) {
            let table = (slot.table)();
            let (wire, chinese) = (table.wire.to_owned(), table.chinese);
            let path = format!("input.{wire}");
            self.faults.push(Fault { path, wire, chinese, trouble: Trouble::Missing });
        }
        let also_required = slot.map_or(&[][..], |slot| slot.also_required);
        let width = rows.table.fields.len();
        for (at, _) in rows.values.iter().enumerate().filter(|(_, value)| **value == Value::Absent) {
            let field = &rows.table.fields[at % width];
            let required = field.required || also_required.contains(&field.wire);
            if required && refused.binary_search(&at).is_err() {
                self.fault(field, Place { slot, row: at / width, field }.path(), Trouble::Missing);
            }
        }
    }

    /// The insured region comes with the envelope; some clients repeat it beside the person. Both must agree, and one
    /// must be there when a person is named, since her number is unique only inside her pool.
    fn insured_region(&mut self, head: &Rows<'_>, nodes: &[Rows<'_>]) -> Option<RegionCode> {
        let column = HEAD.insuplc_admdvs.index();
        let mut region = match head.values.get(column) {
            Some(Value::Region(region)) => Some(*region),
            _ => None,
        };
        let field = &head.table.fields[column];
        let mut names_a_person = false;
        for rows in nodes {
            let person = rows.table.position("psn_no");
            let inner = rows.table.position("insuplc_admdvs");
            for values in rows.iter() {
                names_a_person |= person.is_some_and(|at| values[at] != Value::Absent);
                let Some(Value::Region(other)) = inner.map(|at| &values[at]) else { continue };
                if *region.get_or_insert(*other) != *other {
                    self.fault(field, field.wire.to_owned(), Trouble::Conflict);
                }
            }
        }
        let asked = head.values.get(column).is_some_and(|value| *value == Value::Absent);
        if names_a_person && region.is_none() && asked {
            self.fault(field, field.wire.to_owned(), Trouble::Missing);
        }
        region
    }
}

/// Where a field stands; its path is written only when something is to be said about it.
struct Place<'p> {
    slot: Option<&'p Slot>,
    row: usize,
    field: &'p Field,
}

impl Place<'_> {
    fn path(&self) -> String {
        let wire = self.field.wire;
        match self.slot {
            None => wire.to_owned(),
            Some(slot) if slot.many => format!("input.{}[{}].{wire}", (slot.table)().wire, self.row),
            Some(slot) => format!("input.{}.{wire}", (slot.table)().wire),
        }
    }
}

// ---------------------------------------------------------------------------------------------------- single values

/// What a raw JSON value is.
enum Leaf<'m> {
    Nothing,
    Text(Cow<'m, str>),
    Number(&'m str),
    Bool(bool),
    Nested(&'m str),
    /// Text with an escape that means nothing.
    Broken,
}

fn leaf(raw: &str) -> Leaf<'_> {
    match raw.as_bytes().first() {
        Some(b'"') => unquoted(raw).map_or(Leaf::Broken, text_leaf),
        Some(b'{' | b'[') => Leaf::Nested(raw),
        Some(b't') => Leaf::Bool(true),
        Some(b'f') => Leaf::Bool(false),
        Some(b'n') | None => Leaf::Nothing,
        Some(_) => Leaf::Number(raw),
    }
}

fn unquoted(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    if inner.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

fn text_leaf(text: Cow<'_, str>) -> Leaf<'_> {
    let text = trim(text);
    if wire::is_nothing(&text) { Leaf::Nothing } else { Leaf::Text(text) }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(wire::trimmed(text)),
        Cow::Owned(text) => Cow::Owned(wire::trimmed(&text).to_owned()),
    }
}

/// Text or number as text, half-width, without blanks around it. `None` for what is neither.
pub(crate) fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    match leaf(raw) {
        Leaf::Text(text) => Some(trim(wire::half_width(text))),
        Leaf::Number(number) => Some(Cow::Borrowed(number)),
        Leaf::Nothing | Leaf::Bool(_) | Leaf::Nested(_) | Leaf::Broken => None,
    }
}

fn decode<'m>(field: &Field, raw: &'m str) -> Result<Value<'m>, Trouble> {
    let leaf = match leaf(raw) {
        Leaf::Nothing => return Ok(Value::Absent),
        leaf => leaf,
    };
    match field.kind {
        Kind::Text(max) => text(field, leaf, max),
        Kind::Code(table) => code(leaf, table),
        Kind::Flag => flag(leaf),
        Kind::Json(max) => json(leaf, max),
        Kind::Money | Kind::Exact(..) | Kind::Whole(_) | Kind::Day | Kind::Moment | Kind::Region => {
            plain(field, leaf)
        }
    }
}

fn text<'m>(field: &Field, leaf: Leaf<'m>, max: u16) -> Result<Value<'m>, Trouble> {
    let text = match leaf {
        Leaf::Text(text) => text,
        // 1.0E10 is how a spreadsheet spells an identifier that it has spoilt.
        Leaf::Number(number) if field.class.is_strict() && number.contains(['.', 'e', 'E']) => {
            return Err(Trouble::NotText);
        }
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(_) | Leaf::Nested(_) | Leaf::Nothing | Leaf::Broken => return Err(Trouble::NotText),
    };
    let text = if field.class.is_strict() { identifier(text) } else { text };
    if text.len() > usize::from(max) && text.chars().count() > usize::from(max) {
        return Err(Trouble::TooLong { max: usize::from(max) });
    }
    let is_identifier = field.class == Class::Key && max <= IDENTIFIER_LENGTH || field.wire == "psn_no";
    if is_identifier && text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Trouble::NotText);
    }
    Ok(Value::Text(text))
}

/// Half-width, and an identity number of eighteen digits with its check letter in upper case.
fn identifier(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = trim(wire::half_width(text));
    let is_identity_number =
        text.len() == 18 && text.ends_with('x') && text.bytes().take(17).all(|byte| byte.is_ascii_digit());
    if is_identity_number { Cow::Owned(text.to_ascii_uppercase()) } else { text }
}

fn code<'m>(leaf: Leaf<'m>, table: &'static CodeTable) -> Result<Value<'m>, Trouble> {
    let sent = match leaf {
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(yes) => Cow::Borrowed(if yes { "1" } else { "0" }),
        Leaf::Nested(_) | Leaf::Nothing | Leaf::Broken => return Err(Trouble::NotText),
    };
    let known = table.canonical(&sent);
    known
        .map(|code| Value::Text(Cow::Borrowed(code)))
        .ok_or_else(|| Trouble::UnknownCode { table, got: echo(&sent) })
}

fn flag(leaf: Leaf<'_>) -> Result<Value<'_>, Trouble> {
    let sent = match leaf {
        Leaf::Bool(yes) => return Ok(Value::Flag(yes)),
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Nested(_) | Leaf::Nothing | Leaf::Broken => return Err(Trouble::NotText),
    };
    wire::flag(&sent).map(Value::Flag).ok_or_else(|| Trouble::NotFlag { got: echo(&sent) })
}

fn json(leaf: Leaf<'_>, max: u16) -> Result<Value<'_>, Trouble> {
    let content = match leaf {
        Leaf::Text(text) => text,
        Leaf::Number(raw) | Leaf::Nested(raw) => Cow::Borrowed(raw),
        Leaf::Bool(_) | Leaf::Nothing => return Ok(Value::Absent),
        Leaf::Broken => return Err(Trouble::NotText),
    };
    if content.chars().count() > usize::from(max) {
        return Err(Trouble::TooLong { max: usize::from(max) });
    }
    Ok(Value::Text(content))
}

/// Numbers, dates and regions: text or number, read by `wire` and `dates`.
fn plain<'m>(field: &Field, leaf: Leaf<'m>) -> Result<Value<'m>, Trouble> {
    let sent = match leaf {
        Leaf::Text(text) => trim(wire::half_width(text)),
        Leaf::Number(number) => Cow::Borrowed(number),
        Leaf::Bool(_) | Leaf::Nested(_) | Leaf::Nothing | Leaf::Broken => Cow::Borrowed(""),
    };
    let read = match field.kind {
        Kind::Money => wire::money(&sent).map(Value::Money),
        Kind::Exact(precision, scale) => wire::exact(&sent, precision, scale).map(Value::Exact),
        Kind::Whole(precision) => wire::whole(&sent, precision).map(Value::Whole),
        Kind::Day | Kind::Moment if dates::is_unset(&sent) => Some(Value::Absent),
        Kind::Day => dates::day(&sent).map(Value::Day),
        Kind::Moment => dates::moment(&sent).map(Value::Moment),
        Kind::Region => RegionCode::parse(&sent).ok().map(Value::Region),
        Kind::Text(_) | Kind::Code(_) | Kind::Flag | Kind::Json(_) => None,
    };
    read.ok_or_else(|| not_plain(field.kind, echo(&sent)))
}

fn not_plain(kind: Kind, got: String) -> Trouble {
    match kind {
        Kind::Money => Trouble::NotMoney { got },
        Kind::Exact(digits, decimals) => Trouble::NotNumber { digits, decimals, got },
        Kind::Whole(digits) => Trouble::NotNumber { digits, decimals: 0, got },
        Kind::Day => Trouble::NotDay { got },
        Kind::Moment => Trouble::NotMoment { got },
        Kind::Region => Trouble::NotRegion { got },
        Kind::Text(_) | Kind::Code(_) | Kind::Flag | Kind::Json(_) => Trouble::NotText,
    }
}

fn echo(sent: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = sent.chars().take(ECHO_MAX).map(clean).collect();
    if sent.chars().count() > ECHO_MAX {
        short.push('…');
    }
    short
}

/// The raw value of a member of an object in JSON text.
fn member(content: &str, wire: &str) -> Option<String> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(content).ok()?;
    let found = members.into_iter().find(|(key, _)| is_same_name(wire, key));
    found.map(|(_, raw)| raw.get().to_owned())
}

pub(crate) fn into_owned(value: Value<'_>) -> Value<'static> {
    match value {
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

// ------------------------------------------------------------------------------------------------------ the envelope

fn envelope(head: Rows<'_>, insured_region: Option<RegionCode>) -> Result<Envelope<'_>, ProtocolError> {
    let row: Row<'_, '_, Head> = Row::new(&head.values);
    let message = MessageId::parse(row.get(&HEAD.msgid)).map_err(|_| unusable(HEAD.msgid.index()))?;
    let code = row.get(&HEAD.fixmedins_code);
    let institution = InstitutionCode::parse(code).map_err(|_| unusable(HEAD.fixmedins_code.index()))?;
    let place_of_care = row.get(&HEAD.mdtrtarea_admvs);
    let sent_at = row.get(&HEAD.inf_time).and_then(dates::moment);
    let mut values = head.values;
    let mut take = |index: usize| match core::mem::replace(&mut values[index], Value::Absent) {
        Value::Text(text) => Some(text),
        _ => None,
    };
    Ok(Envelope {
        infno: take(HEAD.infno.index()).unwrap_or_default(),
        message,
        institution,
        institution_name: take(HEAD.fixmedins_name.index()),
        place_of_care,
        insured_region,
        operator: Operator {
            kind: take(HEAD.opter_type.index()),
            number: take(HEAD.opter.index()),
            name: take(HEAD.opter_name.index()),
        },
        sent_at,
        sign_no: take(HEAD.sign_no.index()),
        sign_type: take(HEAD.signtype.index()),
        seal: take(HEAD.cainfo.index()),
        interface_version: take(HEAD.infver.index()),
    })
}

/// A head field that its table let pass and its identifier does not.
fn unusable(column: usize) -> ProtocolError {
    let field = &Head::table().fields[column];
    let (path, wire) = (field.wire.to_owned(), field.wire.to_owned());
    ProtocolError::Fields(Faults::one(Fault {
        path,
        wire,
        chinese: field.chinese,
        trouble: Trouble::NotText,
    }))
}
