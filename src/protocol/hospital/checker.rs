//! Owns the check of a message against its tables: type, length, code, presence, and one meaning for each
//! field.
//!
//! All faults of a message are found before it is refused. A refusal never depends on a descriptive field
//! that can be kept as it came.

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
use crate::protocol::hospital::extension;
use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::field::NodeTable;
use crate::protocol::hospital::leaf;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::raw::RawRows;
use crate::protocol::hospital::raw::Repeat;
use crate::protocol::hospital::reader::RawMessage;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::row::Rows;
use crate::protocol::hospital::row::Value;
use crate::protocol::hospital::tables::envelope::HEAD;
use crate::protocol::hospital::tables::envelope::Head;
use crate::protocol::hospital::transaction::Slot;

/// A deed touches one person and one stay, so a message names one of each, however many rows it has.
const ONE_PER_MESSAGE: [&str; 2] = ["psn_no", "mdtrt_id"];
/// Most notices kept of one message.
const NOTICES_MAX: usize = 100;
/// Longest unknown descriptive code that is kept, in bytes.
const UNKNOWN_CODE_MAX: usize = 64;

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
    for wire in ONE_PER_MESSAGE {
        checker.require_one(wire, transaction.slots(), &checked);
    }
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
        let mut rows = Rows::new(table, values);
        if raw.has_too_many_repeats() {
            self.node_fault(table, Trouble::Conflict);
        }
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
        match leaf::decode(field, raw) {
            Ok(value) => value,
            Err(trouble) => self.refuse_or_keep(field, raw, trouble, path),
        }
    }

    /// A descriptive code that no table holds is kept as it came, and a descriptive flag that says neither
    /// yes nor no is left out where it may be; everything else that is wrong is refused.
    fn refuse_or_keep<'m>(
        &mut self,
        field: &Field,
        raw: &'m str,
        trouble: Trouble,
        path: &dyn Fn() -> String,
    ) -> Value<'m> {
        if !field.class.is_strict() {
            if let Trouble::UnknownCode { .. } = &trouble {
                self.notice(path, NoticeKind::UnknownCode);
                let kept = leaf::text_of(raw).filter(|code| code.len() <= UNKNOWN_CODE_MAX);
                return kept.map_or(Value::Absent, Value::Text);
            }
            if let (Trouble::NotFlag { .. }, false) = (&trouble, field.required) {
                self.notice(path, NoticeKind::LeftOut);
                return Value::Absent;
            }
        }
        self.fault(field, path(), trouble);
        Value::Absent
    }

    fn fault(&mut self, field: &Field, path: String, trouble: Trouble) {
        self.faults.push(Fault { path, wire: field.wire.to_owned(), chinese: field.chinese, trouble });
    }

    fn node_fault(&mut self, table: &NodeTable, trouble: Trouble) {
        let (wire, chinese) = (table.wire.to_owned(), table.chinese);
        self.faults.push(Fault { path: format!("input.{wire}"), wire, chinese, trouble });
    }

    fn notice(&mut self, path: &dyn Fn() -> String, kind: NoticeKind) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(Notice { path: path(), kind });
        }
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
            self.notice(&path, NoticeKind::SentTwice);
        }
    }

    /// Reads the deciding fields out of the extension field, as if they stood beside it.
    fn lift_extension(&mut self, rows: &mut Rows<'_>, slot: Option<&Slot>) {
        let table = rows.table;
        let Some(content_column) = table.position("exp_content") else { return };
        for wire in extension::LIFTED {
            let Some(column) = table.position(wire) else { continue };
            let field = &table.fields[column];
            for (row, values) in rows.values.chunks_exact_mut(table.fields.len()).enumerate() {
                let Value::Text(content) = &values[content_column] else { continue };
                let path =
                    || format!("{}.{wire}", Place { slot, row, field: &table.fields[content_column] }.path());
                for raw in extension::member(content, wire) {
                    let lifted = self.value(field, &raw, &path).into_owned();
                    self.put_lifted(field, &mut values[column], lifted, &path);
                }
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
        if slot.is_some_and(|slot| slot.required) && rows.is_empty() {
            self.node_fault(rows.table, Trouble::Missing);
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

    fn require_one(&mut self, wire: &str, slots: &[Slot], nodes: &[Rows<'_>]) {
        let mut first = None;
        for (slot, rows) in slots.iter().zip(nodes) {
            let Some(column) = rows.table.position(wire) else { continue };
            let field = &rows.table.fields[column];
            for (row, values) in rows.iter().enumerate().filter(|(_, values)| values[column] != Value::Absent)
            {
                if *first.get_or_insert(&values[column]) != &values[column] {
                    self.fault(field, Place { slot: Some(slot), row, field }.path(), Trouble::Mixed);
                }
            }
        }
    }

    /// The insured region comes with the envelope; some clients repeat it beside the person, perhaps as a
    /// district of the city that the envelope names, and then the envelope's counts. One must be there when a
    /// person is named, since her number is unique only inside her pool.
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
                if !is_same_city(*region.get_or_insert(*other), *other) {
                    self.fault(field, field.wire.to_owned(), Trouble::Conflict);
                }
            }
        }
        if names_a_person && region.is_none() && !self.faults.names(field.wire) {
            self.fault(field, field.wire.to_owned(), Trouble::Missing);
        }
        region
    }
}

/// Whether two codes may name one pool by their digits. Which pool that is, the region table says, never
/// this.
fn is_same_city(one: RegionCode, other: RegionCode) -> bool {
    one.0 / 100 == other.0 / 100
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
        receiver: take(HEAD.recer_sys_code.index()),
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
