//! Quirky messages say what their clean twins say.

use super::*;
use crate::domain::calendar::Day;
use crate::domain::money::Fen;
use crate::protocol::error::NoticeKind;
use crate::protocol::hospital::tables::lines::FEE_LINE;
use crate::protocol::hospital::tables::lines::FeeLine;
use crate::protocol::hospital::tables::settlement::BILL;
use crate::protocol::hospital::tables::settlement::Bill;
use crate::protocol::hospital::tables::stay::ADMISSION;
use crate::protocol::hospital::tables::stay::Admission;
use crate::protocol::hospital::tables::stay::AdmissionDiagnosis;
use crate::protocol::hospital::transaction::Transaction;

#[test]
fn a_clean_settlement_is_read_with_its_types() {
    let message = read(SETTLE);
    assert_eq!(message.transaction, Transaction::Settle);
    assert_eq!(message.envelope.institution.as_str(), "H44070300001");
    assert_eq!(message.envelope.operator.name.as_deref(), Some("张三"));
    assert_eq!(message.envelope.sent_at.unwrap().to_string(), "2026-11-24 08:30:05");
    let bill = message.one::<Bill>();
    assert_eq!(bill.get(&BILL.psn_no), "44070000000001");
    assert_eq!(bill.get(&BILL.medfee_sumamt), Fen(1_000_000));
    assert_eq!(bill.get(&BILL.fulamt_ownpay_amt), Some(Fen::ZERO));
    assert_eq!(bill.get(&BILL.overlmt_selfpay), None);
    assert_eq!(bill.get(&BILL.acct_used_flag), Some(false));
    assert_eq!(bill.get(&BILL.dscg_time), Day::new(2026, 11, 24));
    assert_eq!(message.notices, []);
}

#[test]
fn a_quirky_settlement_says_what_its_clean_twin_says() {
    let cases = [
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"10000""#, "a number as text"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":" 10000.0 ""#, "blanks around a number"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"１００００．００""#, "full-width digits"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":1E+4"#, "an exponent that is exact"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":10000.000000"#, "decimals that are zero"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":44070000000001"#, "an identifier as a number"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":"\u00344070000000001""#, "an escape"),
        (r#""psn_no":"44070000000001""#, r#""PSN_NO":"44070000000001""#, "a key in upper case"),
        (r#""psn_no":"44070000000001""#, r#""psnNo":"44070000000001""#, "a key in camel case"),
        (r#""psn_no":"44070000000001""#, r#""psn\u005fno":"44070000000001""#, "a key with an escape"),
        (
            r#""psn_no":"44070000000001""#,
            r#""psn_no":"44070000000001","psn_no":"44070000000001""#,
            "a key twice with one value",
        ),
        (
            r#""medfee_sumamt":10000.00"#,
            r#""medfee_sumamt":"10000.00","MEDFEE_SUMAMT":10000"#,
            "an amount twice in two spellings of one value",
        ),
        (r#""mdtrt_cert_type":"02""#, r#""mdtrt_cert_type":"2""#, "a code without its zero"),
        (r#""mdtrt_cert_type":"02""#, r#""mdtrt_cert_type":2"#, "a code as a number"),
        (r#""insutype":"310""#, r#""insutype":310"#, "a scheme as a number"),
        (r#""acct_used_flag":"0""#, r#""acct_used_flag":false"#, "a flag as a boolean"),
        (r#""acct_used_flag":"0""#, r#""acct_used_flag":"否""#, "a flag as a word"),
        (r#""acct_used_flag":"0""#, r#""acct_used_flag":0"#, "a flag as a number"),
        (r#""invono":"","#, r#""invono":null,"#, "null for nothing"),
        (r#""invono":"","#, r#""invono":"null","#, "the word null for nothing"),
        (r#""invono":"","#, "", "nothing at all"),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"2026-11-24 10:11:12""#, "a date with a time"),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":20261124"#, "a date as a number"),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"2026/11/24""#, "a date with slashes"),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"2026-11-23T16:00:00.000Z""#, "a date in UTC"),
        (r#""data":{"#, r#""Data":{"#, "a node in another case"),
        (r#""data":{"#, r#""unknown":[[1,{"a":"]"}]],"data":{"x":{"y":[1]},"#, "unknown fields"),
        (r#"{"infno":"2304","#, r#"{"infno":2304,"#, "a transaction number as a number"),
        (r#""mdtrtarea_admvs""#, r#""mdtrtarea_admdvs""#, "the other spelling of the place"),
        (r#""mdtrtarea_admvs":"440703""#, r#""mdtrtarea_admvs":440703"#, "a region as a number"),
        (r#""inf_time":"2026-11-24 08:30:05""#, r#""inf_time":"yesterday""#, "a clock that says nothing"),
        (
            r#""psn_setlway":"01""#,
            r#""psn_setlway":"01","insuplc_admdvs":"440703""#,
            "the district beside the city",
        ),
        (r#""opter_name":"张三""#, r#""opter_name":"李四""#, "another clerk"),
        (r#""sign_no":"S1""#, r#""sign_no":"S2""#, "another sign-in"),
        (r#""mdtrt_cert_no":"44070319560101001X""#, r#""mdtrt_cert_no":"token""#, "a fresh credential"),
    ];
    for (from, to, what) in cases {
        let quirky = change(SETTLE, from, to);
        let certificate_only = what == "a fresh credential";
        if certificate_only {
            assert_eq!(read(&quirky).content_hash(), read(SETTLE).content_hash(), "{what}");
        } else {
            same_as_twin(SETTLE, &quirky, what);
        }
    }
}

#[test]
fn the_shape_around_a_settlement_may_differ() {
    let (head, data) = SETTLE.split_once(r#""input":{"data":"#).unwrap();
    let data = data.strip_suffix("}}").unwrap();
    let head = head.strip_prefix('{').unwrap();
    let cases = [
        (format!("{{{head}\"input\":{{\"data\":[{data}]}}}}"), "a list of one for an object"),
        (format!("{{{head}\"input\":{data}}}"), "the fields straight under input"),
        (
            format!("{{\"input\":{{\"data\":{data}}},{}}}", head.trim_end().trim_end_matches(',')),
            "input first",
        ),
        (format!("\u{feff}{SETTLE}\r\n\0"), "a byte order mark, and a zero at the end"),
        (format!("{{{head}\"input\":{{\"data\":{data},\"data\":{data}}}}}"), "a node twice with one content"),
        (format!("{{{head}\"input\":{{\"data\":null,\"data\":{data}}}}}"), "a node first null"),
    ];
    for (quirky, what) in &cases {
        same_as_twin(SETTLE, quirky, what);
    }
}

#[test]
fn the_later_form_of_a_number_is_the_same_content() {
    same_as_twin(SETTLE, &change(SETTLE, r#""2304""#, r#""2304A""#), "2304A");
}

#[test]
fn another_content_has_another_hash() {
    let cases = [
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":10000.01"#),
        (r#""mid_setl_flag":"0""#, r#""mid_setl_flag":"1""#),
        (r#""psn_no":"44070000000001""#, r#""psn_no":"44070000000002""#),
        (r#""insuplc_admdvs":"440700""#, r#""insuplc_admdvs":"440100""#),
        (r#""fixmedins_code":"H44070300001""#, r#""fixmedins_code":"H44070300002""#),
        (r#""invono":"""#, r#""invono":"1""#),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"2026-11-23""#),
        (r#""fulamt_ownpay_amt":0.00"#, r#""overlmt_selfpay":0.00"#),
        (r#""infno":"2304""#, r#""infno":"2303""#),
    ];
    for (from, to) in cases {
        let other = change(SETTLE, from, to);
        assert_ne!(read(&other).content_hash(), read(SETTLE).content_hash(), "{to}");
    }
}

#[test]
fn the_recipe_of_the_hash_does_not_move_unnoticed() {
    let hash = read(SETTLE).content_hash();
    let hexadecimal = signature::hexadecimal(&hash.digest);
    insta::assert_snapshot!(format!("{} {hexadecimal}", hash.recipe), @"3 501a924ec2989e75cffbf88e21318d97da95d10ffd46ea6a7e4252ed387f4f2a");
}

#[test]
fn a_quirky_admission_says_what_its_clean_twin_says() {
    let cases = [
        (r#""ipt_no":"Z0001""#, r#""ipt_otp_no":"Z0001""#, "the number under the name of 2403"),
        (r#""ipt_no":"Z0001""#, r#""ipt_otp_no":"M9","ipt_no":"Z0001""#, "both names, the own one counts"),
        (r#""ipt_no":"Z0001""#, r#""ipt_no":"Z0001","ipt_otp_no":"M9""#, "both names in the other order"),
        (r#""ipt_no":"Z0001""#, r#""ipt_no":"","ipt_otp_no":"Z0001""#, "the own name empty"),
        (r#""ipt_no":"Z0001""#, r#""ipt_otp_no":"Z0001","ipt_no":"""#, "the own name empty and last"),
        (
            r#""exp_content":"""#,
            r#""exp_content":{"er_flag":null}"#,
            "a flag that the extension leaves empty",
        ),
        (r#""dise_codg":"B1""#, r#""dise_code":"B1""#, "the other spelling of a disease"),
        (r#""geso_val":39"#, r#""geso_val":"39.0""#, "a count as text"),
        (
            r#""certno":"44070319560101001X""#,
            r#""certno":"44070319560101001x""#,
            "a check letter in lower case",
        ),
        (
            r#""er_flag":"1","exp_content":"""#,
            r#""exp_content":{"er_flag":"1"}"#,
            "a flag inside the extension",
        ),
        (
            r#""er_flag":"1","exp_content":"""#,
            r#""expContent":"{\"erFlag\": 1, \"other\": [1,2]}""#,
            "a flag inside the extension as text",
        ),
        (
            r#""er_flag":"1","exp_content":"""#,
            r#""er_flag":1,"exp_content":"not json""#,
            "an extension of its own kind",
        ),
        (r#""diag_type":"1""#, r#""diag_type":"01""#, "a code with a zero too many"),
        (r#""birctrl_matn_date":"""#, r#""birctrl_matn_date":"0001-01-01""#, "a date never set"),
        (
            r#""begntime":"2026-11-01 09:00:00""#,
            r#""begntime":"2026-11-01T09:00:00+08:00""#,
            "a time in ISO form",
        ),
        (r#""begntime":"2026-11-01 09:00:00""#, r#""begntime":1793494800000"#, "milliseconds since 1970"),
    ];
    let clean = change(ADMIT, r#""coner_name""#, r#""birctrl_matn_date":"","coner_name""#);
    for (from, to, what) in cases {
        same_as_twin(&clean, &change(&clean, from, to), what);
    }
    let object = change(&change(&clean, r#""diseinfo":[{"#, r#""diseinfo":{"#), "}]}}", "}}}");
    same_as_twin(&clean, &object, "one object for a list");
    assert_eq!(read(&clean).list::<AdmissionDiagnosis>().len(), 1);
    let bare = change(&clean, r#""diseinfo":["#, r#""other":["#);
    assert_eq!(read(&bare).list::<AdmissionDiagnosis>().len(), 0);
}

#[test]
fn what_only_describes_is_kept_and_told() {
    let body = change(ADMIT, r#""diag_type":"1""#, r#""diag_type":"44""#);
    let body = change(&body, r#""geso_val":39"#, r#""latechb_flag":"9","adm_bed":"2""#);
    let message = read(&body);
    let told: Vec<_> = message.notices.iter().map(|notice| (notice.path.as_str(), notice.kind)).collect();
    let expected = [
        ("input.mdtrtinfo.latechb_flag", NoticeKind::LeftOut),
        ("input.mdtrtinfo.adm_bed", NoticeKind::SentTwice),
        ("input.diseinfo[0].diag_type", NoticeKind::UnknownCode),
    ];
    assert_eq!(told, expected);
    assert_eq!(message.one::<Admission>().get(&ADMISSION.adm_bed), "2", "the last one counts");
}

#[test]
fn an_upload_may_bring_one_line_or_many_in_any_order_of_keys() {
    let clean = upload(&format!("[{LINE}]"));
    same_as_twin(&clean, &upload(LINE), "an object for a list");
    let fields: Vec<&str> = LINE.trim_matches(['{', '}']).split(',').collect();
    let turned = format!("{{{}}}", fields.iter().rev().copied().collect::<Vec<_>>().join(","));
    same_as_twin(&clean, &upload(&turned), "keys in reverse");
    let three = upload(&format!("[{LINE},{turned},null,{LINE}]"));
    let message = read(&three);
    assert_eq!(message.list::<FeeLine>().len(), 3);
    for line in message.list::<FeeLine>() {
        assert_eq!(line.get(&FEE_LINE.det_item_fee_sumamt), Fen(1_234));
        assert_eq!(line.get(&FEE_LINE.cnt).to_string(), "2");
        assert_eq!(line.get(&FEE_LINE.pric).to_string(), "6.17");
        assert_eq!(line.get(&FEE_LINE.medins_list_codg), "Y 1");
        assert_eq!(line.get(&FEE_LINE.init_feedetl_sn), None);
    }
}

#[test]
fn a_line_end_left_raw_in_a_text_is_mended() {
    let body = change(ADMIT, r#""coner_name":"李四""#, "\"coner_name\":\"李\n四\"");
    assert!(matches!(Message::read(body.as_bytes()), Err(ProtocolError::NotJson { .. })));
    let mended = body::mend(body.as_bytes()).unwrap();
    let message = Message::read(&mended).unwrap();
    assert_eq!(message.one::<Admission>().get(&ADMISSION.coner_name), Some("李\n四"));
}
