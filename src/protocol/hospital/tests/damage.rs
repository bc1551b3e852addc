//! No bytes, however broken, deep or many, do harm.

use super::*;
use proptest::prelude::*;

#[test]
fn a_flood_of_repeated_keys_hides_nothing() {
    let flood: String = (0..2_000).map(|n| format!("\"invono\":\"{n}\",")).collect();
    let body = change(SETTLE, r#""invono":"","#, &format!("{flood}\"mdtrt_id\":\"other\","));
    assert!(!faults(&body).is_empty());
    let flood: String = (0..2_000).map(|n| format!("\"opter\":\"{n}\",")).collect();
    let body = change(SETTLE, r#"{"infno""#, &format!("{{{flood}\"msgid\":\"other\",\"infno\""));
    assert!(!faults(&body).is_empty());
}

#[test]
fn a_thousand_faulty_lines_cost_twenty_faults() {
    let bad = change(LINE, r#""cnt":2"#, r#""cnt":"two""#);
    let body = upload(&format!("[{}]", vec![bad.as_str(); 1000].join(",")));
    match Message::read(body.as_bytes()) {
        Err(ProtocolError::Fields(faults)) => assert_eq!((faults.kept().len(), faults.count()), (20, 1000)),
        other => panic!("{other:?}"),
    }
    let body = upload(&format!("[{}]", vec!["{}"; reader::ROWS_MAX + 1].join(",")));
    assert!(matches!(Message::read(body.as_bytes()), Err(ProtocolError::TooManyRows { .. })));
}

#[test]
fn deep_nesting_is_refused_wherever_it_stands() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let bodies = [
        deep("[", "]"),
        deep(r#"{"a":"#, "}"),
        format!(r#"{{"infno":"2304","x":{}}}"#, deep("[", "]")),
        format!(r#"{{"infno":"2304","input":{}}}"#, deep("[", "]")),
        format!(r#"{{"infno":"2304","input":{{"data":{}}}}}"#, deep("[", "]")),
        format!(r#"{{"infno":"2304","input":{{"data":[{}]}}}}"#, deep("[", "]")),
        format!(r#"{{"infno":"2304","input":{{"data":{{"psn_no":{}}}}}}}"#, deep("[", "]")),
        format!(r#"{{"infno":"2304","input":{{"data":{{"unknown":{}}}}}}}"#, deep(r#"{"a":["#, "]}")),
        format!(r#"{{"input":{{"data":{}}},"infno":"2304"}}"#, deep("[", "]")),
        "[".repeat(1_000_000),
        r#"{"infno":"2304","input":{"data":{"a":"#.to_owned() + &"[".repeat(1_000_000),
    ];
    for body in bodies {
        assert!(Message::read(body.as_bytes()).is_err());
    }
}

#[test]
fn what_is_no_message_is_refused_for_what_it_is() {
    let reads_as = |body: &[u8]| answer::protocol(&Message::read(body).unwrap_err()).code();
    assert_eq!(reads_as(b""), "malformed-message");
    assert_eq!(reads_as(b" \r\n"), "malformed-message");
    assert_eq!(reads_as(b"\xd5\xc5\xc8\xfd"), "not-utf8");
    assert_eq!(reads_as(b"<xml/>"), "malformed-message");
    assert_eq!(reads_as(b"[]"), "malformed-message");
    assert_eq!(reads_as(b"null"), "malformed-message");
    assert_eq!(reads_as(br#"{"infno":"2304"} x"#), "malformed-message");
    assert_eq!(reads_as(br#"{"infno":"9999"}"#), "unknown-transaction");
    assert_eq!(reads_as(br#"{"infno":"2304","input":"{}"}"#), "malformed-message");
    assert_eq!(reads_as(br#"{"infno":"2304","input":[{}]}"#), "malformed-message");
    assert_eq!(reads_as(br#"{"infno":"2304","input":5}"#), "malformed-message");
    assert_eq!(reads_as(br#"{"infno":"2304"}"#), "missing-field");
    let nan = change(SETTLE, "10000.00", "NaN");
    match Message::read(nan.as_bytes()) {
        Err(ProtocolError::NotJson { place, .. }) => assert_eq!(place, "input.data.medfee_sumamt"),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_the_reader_panic(body: Vec<u8>) {
        let _ = Message::read(&body);
    }

    #[test]
    fn no_damage_to_a_message_makes_the_reader_panic(
        which in 0_usize..3,
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        instead in "[\\[\\]{}\",:0-9a-z\\\\ .eE-]{0,12}",
    ) {
        let message = [SETTLE.to_owned(), ADMIT.to_owned(), upload(&format!("[{LINE},{LINE}]"))][which].clone();
        let from = at.index(message.len());
        let to = (from + length).min(message.len());
        prop_assume!(message.is_char_boundary(from) && message.is_char_boundary(to));
        let damaged = format!("{}{instead}{}", &message[..from], &message[to..]);
        if let Err(error) = Message::read(damaged.as_bytes()) {
            prop_assert!(answer::protocol(&error).text().chars().count() <= answer::TEXT_MAX);
        }
    }

    #[test]
    fn any_value_in_any_field_is_read_or_refused(
        field in 0_usize..12,
        value in prop_oneof![
            any::<f64>().prop_map(|number| if number.is_finite() { number.to_string() } else { "0".to_owned() }),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap_or_default()),
            "[0-9:/ T.年月日-]{1,24}".prop_map(|text| format!("\"{text}\"")),
        ],
    ) {
        let fields = ["psn_no", "mdtrt_cert_type", "medfee_sumamt", "psn_setlway", "mdtrt_id", "insutype",
            "acct_used_flag", "invono", "mid_setl_flag", "fulamt_ownpay_amt", "dscg_time", "exp_content"];
        let name = format!("\"{}\":", fields[field]);
        let start = SETTLE.find(&name).unwrap() + name.len();
        let end = start + SETTLE[start..].find([',', '}']).unwrap();
        let body = format!("{}{value}{}", &SETTLE[..start], &SETTLE[end..]);
        if let Err(error) = Message::read(body.as_bytes()) {
            prop_assert!(matches!(error, ProtocolError::Fields(_)), "{error} {body}");
        }
    }
}
