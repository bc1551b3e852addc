//! Messages as the field sends them, each beside its clean twin.

use super::*;
use crate::domain::calendar::Day;
use crate::domain::money::Fen;
use crate::protocol::answer;
use crate::protocol::error::NoticeKind;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::tables::lines::FEE_LINE;
use crate::protocol::hospital::tables::lines::FeeLine;
use crate::protocol::hospital::tables::settlement::BILL;
use crate::protocol::hospital::tables::settlement::Bill;
use crate::protocol::hospital::tables::stay::ADMISSION;
use crate::protocol::hospital::tables::stay::Admission;
use crate::protocol::hospital::tables::stay::AdmissionDiagnosis;
use crate::protocol::hospital::transaction::Transaction;
use proptest::prelude::*;

const SETTLE: &str = r#"{"infno":"2304","msgid":"H44070300001202611240830050001","mdtrtarea_admvs":"440703",
"insuplc_admdvs":"440700","recer_sys_code":"YBXT","dev_no":"","dev_safe_info":"","cainfo":"","signtype":"","infver":"V1.0",
"opter_type":"1","opter":"001","opter_name":"张三","inf_time":"2026-11-24 08:30:05","fixmedins_code":"H44070300001",
"fixmedins_name":"某医院","sign_no":"S1","input":{"data":{"psn_no":"44070000000001","mdtrt_cert_type":"02",
"mdtrt_cert_no":"44070319560101001X","medfee_sumamt":10000.00,"psn_setlway":"01","mdtrt_id":"A7F0001","insutype":"310",
"acct_used_flag":"0","invono":"","mid_setl_flag":"0","fulamt_ownpay_amt":0.00,"dscg_time":"2026-11-24",
"exp_content":""}}}"#;

const ADMIT: &str = r#"{"infno":"2401","msgid":"M1","mdtrtarea_admvs":"440703","insuplc_admdvs":"440700",
"fixmedins_code":"H44070300001","input":{"mdtrtinfo":{"psn_no":"44070000000001","insutype":"310","coner_name":"李四",
"begntime":"2026-11-01 09:00:00","mdtrt_cert_type":"03","mdtrt_cert_no":"C1","med_type":"21","ipt_no":"Z0001",
"atddr_no":"D1","chfpdr_name":"王五","adm_diag_dscr":"肺炎","adm_dept_codg":"K1","adm_dept_name":"呼吸科","adm_bed":"1",
"dscg_maindiag_code":"J18.900","dscg_maindiag_name":"肺炎","dise_codg":"B1","geso_val":39,"certno":"44070319560101001X",
"er_flag":"1","exp_content":""},"diseinfo":[{"psn_no":"44070000000001","diag_type":"1","maindiag_flag":"1",
"diag_srt_no":1,"diag_code":"J18.900","diag_name":"肺炎","diag_dept":"K1","dise_dor_no":"D1","dise_dor_name":"王五",
"diag_time":"2026-11-01 09:30:00"}]}}"#;

const LINE: &str = r#"{"feedetl_sn":"F1","init_feedetl_sn":"","mdtrt_id":"A7F0001","drord_no":"","psn_no":"44070000000001",
"med_type":"21","fee_ocur_time":"2026-11-02 10:00:00","med_list_codg":"XA01","medins_list_codg":"Y 1",
"det_item_fee_sumamt":"12.34","cnt":2,"pric":6.17,"bilg_dept_codg":"K1","bilg_dept_name":"呼吸科","bilg_dr_codg":"D1",
"bilg_dr_name":"王五","hosp_appr_flag":"1","memo":""}"#;

fn upload(lines: &str) -> String {
    let head = r#""infno":"2301","msgid":"M2","mdtrtarea_admvs":"440703","insuplc_admdvs":"440700","#;
    format!(r#"{{{head}"fixmedins_code":"H44070300001","input":{{"feedetail":{lines}}}}}"#)
}

/// Replaces one piece of a message; the piece must be there.
fn change(message: &str, from: &str, to: &str) -> String {
    assert!(message.contains(from), "the clean message has no {from}");
    message.replacen(from, to, 1)
}

fn read(body: &str) -> Message<'_> {
    match Message::read(body.as_bytes()) {
        Ok(message) => message,
        Err(error) => panic!("{}\n{body}", answer::protocol(&error).text()),
    }
}

/// Path and trouble of every fault.
fn faults(body: &str) -> Vec<(String, Trouble)> {
    match Message::read(body.as_bytes()) {
        Err(ProtocolError::Fields(faults)) => {
            faults.kept().iter().map(|fault| (fault.path.clone(), fault.trouble.clone())).collect()
        }
        other => panic!("{other:?}\n{body}"),
    }
}

fn same_as_twin(clean: &str, quirky: &str, what: &str) {
    let (clean, quirky) = (read(clean), read(quirky));
    assert_eq!(quirky.content_hash(), clean.content_hash(), "{what}");
    for (quirky, clean) in quirky.nodes.iter().zip(&clean.nodes) {
        let kept = |rows: &row::Rows<'_>| -> Vec<row::Value<'static>> {
            let extension = rows.table.position("exp_content");
            let values = rows.values.iter().enumerate();
            let stays = |at: usize| Some(at % rows.table.fields.len()) != extension;
            values.filter(|(at, _)| stays(*at)).map(|(_, value)| checker::into_owned(value.clone())).collect()
        };
        assert_eq!(kept(quirky), kept(clean), "{what}");
    }
    assert_eq!(quirky.envelope.insured_region, clean.envelope.insured_region, "{what}");
}

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
    insta::assert_snapshot!(format!("{} {hexadecimal}", hash.recipe), @"1 412276e14c131e893a79574c090b7615cf7ece36ca40a9e12d365bf7158db194");
}

#[test]
fn an_ambiguous_settlement_is_refused_by_the_name_of_its_field() {
    let cases = [
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":1,"medfee_sumamt":2"#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":1,"medfeeSumamt":2"#, "input.data.medfee_sumamt"),
        (
            r#""medfee_sumamt":10000.00"#,
            r#""medfee_sumamt":null,"medfee_sumamt":2"#,
            "input.data.medfee_sumamt",
        ),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"1,234.56""#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":12.345"#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"NaN""#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":1e300"#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":true"#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":[1]"#, "input.data.medfee_sumamt"),
        (r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"""#, "input.data.medfee_sumamt"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":4.4070000000001E13"#, "input.data.psn_no"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":"1","psn_no":"2""#, "input.data.psn_no"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":"4407 0000""#, "input.data.psn_no"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":"\ud800""#, "input.data.psn_no"),
        (r#""psn_no":"44070000000001""#, r#""psn_no":{"v":1}"#, "input.data.psn_no"),
        (
            r#""psn_no":"44070000000001""#,
            r#""psn_no":"4407000000000144070000000001444""#,
            "input.data.psn_no",
        ),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"24/11/2026""#, "input.data.dscg_time"),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"2026-02-30""#, "input.data.dscg_time"),
        (
            r#""dscg_time":"2026-11-24""#,
            r#""dscg_time":"2026-11-24","dscg_time":"2026-11-23""#,
            "input.data.dscg_time",
        ),
        (r#""insutype":"310""#, r#""insutype":"311""#, "input.data.insutype"),
        (r#""mdtrt_cert_type":"02""#, r#""mdtrt_cert_type":"88""#, "input.data.mdtrt_cert_type"),
        (r#""mid_setl_flag":"0""#, r#""mid_setl_flag":"2""#, "input.data.mid_setl_flag"),
        (r#""acct_used_flag":"0","#, "", "input.data.acct_used_flag"),
        (r#""mdtrtarea_admvs":"440703""#, r#""mdtrtarea_admvs":"4407""#, "mdtrtarea_admvs"),
        (r#""insuplc_admdvs":"440700","#, "", "insuplc_admdvs"),
        (r#""psn_setlway":"01""#, r#""psn_setlway":"01","insuplc_admdvs":"440100""#, "insuplc_admdvs"),
        (r#""msgid":"H44070300001202611240830050001""#, r#""msgid":"a","msgid":"b""#, "msgid"),
        (r#""msgid":"H44070300001202611240830050001","#, "", "msgid"),
        (r#""infno":"2304","#, "", "infno"),
        (r#""infno":"2304","#, r#""infno":"2304","infno":"2305","#, "infno"),
        (r#""input":{"#, r#""input":{},"input":{"#, "input"),
        (r#""data":{"#, r#""data":{"psn_no":"1"},"data":{"#, "input.data"),
        (r#""data":{"#, r#""data":7,"x":{"#, "input.data"),
        (r#""data":{"#, r#""x":{"#, "input.data"),
    ];
    for (from, to, path) in cases {
        let body = change(SETTLE, from, to);
        let found = faults(&body);
        assert!(found.iter().any(|(at, _)| at == path), "{to}: {found:?}");
        let sentence = answer::protocol(&Message::read(body.as_bytes()).unwrap_err());
        let wire = path.rsplit('.').next().unwrap();
        assert!(sentence.text().contains(wire), "{}", sentence.text());
    }
}

#[test]
fn a_list_of_two_is_not_one_object() {
    let body = change(SETTLE, r#""data":{"#, r#""data":[{"psn_no":"1"},{"#);
    let body = change(&body, r#""exp_content":""}}}"#, r#""exp_content":""}]}}"#);
    assert!(
        faults(&body)
            .iter()
            .any(|(path, trouble)| path == "input.data" && *trouble == Trouble::NotOne { got: 2 })
    );
}

#[test]
fn all_faulty_fields_are_counted_and_the_first_is_told() {
    let body = change(SETTLE, r#""medfee_sumamt":10000.00"#, r#""medfee_sumamt":"x""#);
    let body = change(&body, r#""insutype":"310""#, r#""insutype":"""#);
    let body = change(&body, r#""dscg_time":"2026-11-24""#, r#""dscg_time":"soon""#);
    let refusal = answer::protocol(&Message::read(body.as_bytes()).unwrap_err());
    insta::assert_snapshot!(refusal.text(), @"医疗费总额medfee_sumamt须为至多两位小数的金额，请更正后重发。另有2处有误；位置input.data.medfee_sumamt；收到“x” [malformed-field]");
    assert_eq!(faults(&body).len(), 3);
}

#[test]
fn a_quirky_admission_says_what_its_clean_twin_says() {
    let cases = [
        (r#""ipt_no":"Z0001""#, r#""ipt_otp_no":"Z0001""#, "the number under the name of 2403"),
        (r#""ipt_no":"Z0001""#, r#""ipt_otp_no":"M9","ipt_no":"Z0001""#, "both names, the own one counts"),
        (r#""ipt_no":"Z0001""#, r#""ipt_no":"Z0001","ipt_otp_no":"M9""#, "both names in the other order"),
        (r#""ipt_no":"Z0001""#, r#""ipt_no":"","ipt_otp_no":"Z0001""#, "the own name empty"),
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
fn a_flag_in_the_extension_that_says_otherwise_is_refused() {
    let body = change(ADMIT, r#""exp_content":"""#, r#""exp_content":{"er_flag":"0"}"#);
    assert_eq!(faults(&body), [("input.mdtrtinfo.exp_content.er_flag".to_owned(), Trouble::Conflict)]);
    let body = change(ADMIT, r#""er_flag":"1""#, r#""er_flag":"7""#);
    assert_eq!(faults(&body)[0].0, "input.mdtrtinfo.er_flag");
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
fn a_faulty_line_is_named_by_its_place() {
    let bad = change(LINE, r#""cnt":2"#, r#""cnt":"two""#);
    let body = upload(&format!("[{LINE},{LINE},{LINE},{bad}]"));
    let refusal = answer::protocol(&Message::read(body.as_bytes()).unwrap_err());
    insta::assert_snapshot!(refusal.text(), @"数量cnt须为数值（16位，其中小数至多4位），请更正后重发。位置input.feedetail[3].cnt；收到“two” [malformed-field]");
    for element in ["7", "\"x\"", "[{}]", "true", "1.5"] {
        let found = faults(&upload(&format!("[{LINE},{element}]")));
        assert_eq!(found, [("input.feedetail".to_owned(), Trouble::NotAnObject)], "{element}");
    }
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
        Err(ProtocolError::NotJson { place, .. }) => assert_eq!(place, "input.data[0].medfee_sumamt"),
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
