//! Owns the keys of a fee line of a written stay, under our names and the wire's.

use rust_decimal::Decimal;

use crate::config::reader::SignedFen;
use crate::config::reader::Table;
use crate::config::reader::UnitPrice;
use crate::config::stay::LineFacts;
use crate::config::stay::WrittenLine;
use crate::config::tree::Node;
use crate::domain::calendar::Day;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::money::Rate;

/// Lines of one stay.
const LINES_MAX: usize = 20_000;

/// What a class B line without a catalogue lacks.
pub(super) const FIRST_PAY_MISSING: &str = "the share that she pays first, which every class B item has";

/// The keys of a line that have a name of the wire too.
pub(super) const LINE_NAMES: [(&str, &str); 12] = [
    ("no", "feedetl_sn"),
    ("price", "pric"),
    ("count", "cnt"),
    ("amount", "det_item_fee_sumamt"),
    ("date", "fee_ocur_time"),
    ("class", "chrgitm_lv"),
    ("first_pay", "selfpay_prop"),
    ("limit", "pric_uplmt_amt"),
    ("restricted", "lmt_used_flag"),
    ("approved", "hosp_appr_flag"),
    ("code", "med_list_codg"),
    ("refund_of", "init_feedetl_sn"),
];

pub(super) fn lines(root: &Table<'_>) -> Option<Vec<WrittenLine>> {
    let tables = root.tables("lines");
    if tables.len() > LINES_MAX {
        root.fault("lines", format!("holds {} lines: expected at most {LINES_MAX}", tables.len()));
        return None;
    }
    let count = tables.len();
    let lines: Vec<_> = tables.into_iter().zip(1..).filter_map(|(table, n)| read_line(table, n)).collect();
    (lines.len() == count).then_some(lines)
}

fn read_line(table: Table<'_>, n: usize) -> Option<WrittenLine> {
    let no = label(&table, "no", "feedetl_sn").unwrap_or_else(|| n.to_string());
    let price = table.get_either::<Decimal>("price", "pric");
    let count = match table.has("count") || table.has("cnt") {
        true => table.get_either::<Decimal>("count", "cnt"),
        false => Some(Decimal::ONE),
    };
    let amount = table.get_either::<SignedFen>("amount", "det_item_fee_sumamt").map(|amount| amount.0);
    if !table.has("price") && !table.has("pric") {
        table.missing("price", "the price of one unit in yuan");
    }
    let day = table.get_either::<Day>("date", "fee_ocur_time");
    let refund_of = label(&table, "refund_of", "init_feedetl_sn");
    let facts = facts(&table);
    let approved = yes(&table, "approved", "hosp_appr_flag").unwrap_or(false);
    let wire_names = LINE_NAMES.iter().map(|(_, wire)| *wire).filter(|wire| table.has(wire)).collect();
    table.close();
    Some(WrittenLine {
        no,
        price: price?,
        count: count?,
        amount,
        day,
        facts,
        approved,
        refund_of,
        wire_names,
    })
}

/// A number of a line: text or digits.
fn label(table: &Table<'_>, key: &'static str, wire: &'static str) -> Option<String> {
    let read = |node: &Node| match node {
        Node::Text(text) if !text.is_empty() => Ok(text.clone()),
        Node::Number(digits) => Ok(digits.clone()),
        _ => Err("the number of a line, such as \"7\"".to_owned()),
    };
    let key = if table.has(key) { key } else { wire };
    table.get_with(key, read)
}

/// true or false, or the wire's "1" or "0".
fn yes(table: &Table<'_>, key: &'static str, wire: &'static str) -> Option<bool> {
    if table.has(key) && table.has(wire) {
        table.fault(wire, format!("says the same as {key}: keep one"));
        return None;
    }
    let own = table.get::<bool>(key);
    own.or_else(|| table.word(wire, &[("1", true), ("0", false), ("2", false)]))
}

const CLASSES: &[(&str, ChargeLevel)] = &[
    ("A", ChargeLevel::A),
    ("B", ChargeLevel::B),
    ("C", ChargeLevel::C),
    ("01", ChargeLevel::A),
    ("02", ChargeLevel::B),
    ("03", ChargeLevel::C),
];

/// What a line must have is asked for here as far as no catalogue could have it.
fn facts(table: &Table<'_>) -> LineFacts {
    let given = |key, wire| table.has(key) || table.has(wire);
    let looked_up = given("code", "med_list_codg") || given("refund_of", "init_feedetl_sn");
    let facts = LineFacts {
        class: class_of(table),
        code: label(table, "code", "med_list_codg"),
        first_pay: table.get_either::<Rate>("first_pay", "selfpay_prop"),
        limit: table.get_either::<UnitPrice>("limit", "pric_uplmt_amt").map(|limit| limit.0),
        restricted: yes(table, "restricted", "lmt_used_flag"),
        injury_catalogue: table.get::<bool>("injury_catalogue"),
    };
    if !given("class", "chrgitm_lv") && !looked_up {
        table.missing("class", "A, B or C, or the code of a catalogue, or refund_of");
    }
    if facts.class == Some(ChargeLevel::B) && !looked_up && !given("first_pay", "selfpay_prop") {
        table.missing("first_pay", FIRST_PAY_MISSING);
    }
    if facts.class == Some(ChargeLevel::C) && facts.first_pay.is_some_and(|share| share != Rate::ONE) {
        let key = if table.has("first_pay") { "first_pay" } else { "selfpay_prop" };
        table.fault(key, "must be 1 for class C, or be left out");
    }
    facts
}

fn class_of(table: &Table<'_>) -> Option<ChargeLevel> {
    if table.has("class") && table.has("chrgitm_lv") {
        table.fault("chrgitm_lv", "says the same as class: keep one");
        return None;
    }
    let own = table.word("class", CLASSES);
    own.or_else(|| table.word("chrgitm_lv", CLASSES))
}
