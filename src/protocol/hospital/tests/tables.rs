//! Every line of every table is held.

use super::*;
use crate::protocol::hospital::field::Field;
use crate::protocol::hospital::field::Kind;
use crate::protocol::hospital::transaction::Transaction;

/// A value that a field takes, a value of a wrong type, and one that is too long or outside its code table.
fn samples(field: &Field) -> (String, &'static str, String) {
    let nines = |count: usize| "9".repeat(count);
    match field.kind {
        Kind::Text(max) => {
            (r#""A1""#.to_owned(), r#"{"a":1}"#, format!("\"{}\"", nines(usize::from(max) + 1)))
        }
        Kind::Code(table) => (format!("\"{}\"", table.entries[0].0), "[]", r#""zz""#.to_owned()),
        Kind::Flag => (r#""1""#.to_owned(), "{}", r#""7""#.to_owned()),
        Kind::Money => ("12.34".to_owned(), r#""x""#, r#""12.345""#.to_owned()),
        Kind::Exact(precision, scale) => {
            ("1.5".to_owned(), r#""x""#, nines(usize::from(precision - scale) + 1))
        }
        Kind::Whole(precision) => ("1".to_owned(), "1.5", nines(usize::from(precision) + 1)),
        Kind::Day => (r#""2026-11-24""#.to_owned(), r#""x""#, r#""2026-11-31""#.to_owned()),
        Kind::Moment => {
            (r#""2026-11-24 08:30:05""#.to_owned(), "true", r#""2026-11-24 25:00:00""#.to_owned())
        }
        Kind::Region => (r#""440700""#.to_owned(), r#""x""#, r#""4407000""#.to_owned()),
        Kind::Json(max) => {
            (r#"{"a":1}"#.to_owned(), r#""\ud800""#, format!("\"{}\"", nines(usize::from(max) + 1)))
        }
    }
}

/// A message of a transaction that fills every field of every table; `instead` may replace or drop one.
fn full_message(transaction: Transaction, instead: Option<(&Field, Option<&str>)>) -> String {
    let row = |table: &field::NodeTable| {
        let cell = |field: &Field| {
            let value = match instead {
                Some((other, value)) if core::ptr::eq(other, field) => value?.to_owned(),
                _ => samples(field).0,
            };
            Some(format!("\"{}\":{value}", field.wire))
        };
        table.fields.iter().filter_map(cell).collect::<Vec<_>>().join(",")
    };
    let nodes = transaction.slots().iter().map(|slot| {
        let table = (slot.table)();
        if slot.many {
            format!("\"{}\":[{{{}}}]", table.wire, row(table))
        } else {
            format!("\"{}\":{{{}}}", table.wire, row(table))
        }
    });
    let head = r#""msgid":"M1","mdtrtarea_admvs":"440700","insuplc_admdvs":"440700","fixmedins_code":"H44070300001""#;
    let nodes = nodes.collect::<Vec<_>>().join(",");
    format!(r#"{{"infno":"{}",{head},"input":{{{nodes}}}}}"#, transaction.number())
}

#[test]
fn every_field_of_every_transaction_is_checked() {
    let mut checked = 0;
    for transaction in Transaction::ALL {
        read(&full_message(transaction, None));
        for slot in transaction.slots() {
            for field in (slot.table)().fields {
                let required = field.required || slot.also_required.contains(&field.wire);
                let told = |value: Option<&str>| -> Vec<Trouble> {
                    let body = full_message(transaction, Some((field, value)));
                    match Message::read(body.as_bytes()) {
                        Ok(_) => Vec::new(),
                        Err(ProtocolError::Fields(faults)) => {
                            assert!(faults.first().path.ends_with(field.wire), "{body} {faults}");
                            faults.kept().iter().map(|fault| fault.trouble.clone()).collect()
                        }
                        Err(other) => panic!("{other} {body}"),
                    }
                };
                let missing = if required { vec![Trouble::Missing] } else { Vec::new() };
                for nothing in [None, Some("null"), Some("\"\""), Some("\" null \"")] {
                    assert_eq!(told(nothing), missing, "{} {}", transaction.number(), field.wire);
                }
                let (_, wrong_type, outside) = samples(field);
                assert_eq!(
                    told(Some(wrong_type)).len(),
                    1,
                    "{} {} {wrong_type}",
                    transaction.number(),
                    field.wire
                );
                let vague = matches!(field.kind, Kind::Code(_))
                    || matches!(field.kind, Kind::Flag) && !field.required;
                let kept_raw = vague && !field.class.is_strict();
                let refused = usize::from(!kept_raw);
                assert_eq!(
                    told(Some(&outside)).len(),
                    refused,
                    "{} {} {outside}",
                    transaction.number(),
                    field.wire
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn only_descriptive_fields_may_be_vague() {
    let deciding = [
        "psn_no",
        "mdtrt_id",
        "setl_id",
        "insutype",
        "med_type",
        "mdtrt_cert_type",
        "acct_used_flag",
        "mid_setl_flag",
        "hosp_appr_flag",
        "matn_type",
        "er_flag",
        "ttp_resp",
        "cnt",
        "pric",
        "feedetl_sn",
        "det_item_fee_sumamt",
        "medfee_sumamt",
        "fee_ocur_time",
        "begntime",
        "endtime",
        "omsgid",
        "oinfno",
        "med_list_codg",
        "trt_dcla_detl_sn",
    ];
    for slot in Transaction::ALL.into_iter().flat_map(|one| one.slots()) {
        for field in (slot.table)().fields {
            let decides = deciding.contains(&field.wire);
            assert!(!decides || field.class.is_strict(), "{} {}", (slot.table)().wire, field.wire);
        }
    }
}
