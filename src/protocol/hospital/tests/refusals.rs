//! What is ambiguous or wrong is refused by the name of its field.

use super::*;
use crate::protocol::hospital::tables::settlement::UNDO;
use crate::protocol::hospital::tables::settlement::Undo;

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
fn a_flag_in_the_extension_that_says_otherwise_is_refused() {
    let body = change(ADMIT, r#""exp_content":"""#, r#""exp_content":{"er_flag":"0"}"#);
    assert_eq!(faults(&body), [("input.mdtrtinfo.exp_content.er_flag".to_owned(), Trouble::Conflict)]);
    let twice = r#""exp_content":{"er_flag":"1","erFlag":"0"}"#;
    let body = change(ADMIT, r#""exp_content":"""#, twice);
    assert_eq!(faults(&body), [("input.mdtrtinfo.exp_content.er_flag".to_owned(), Trouble::Conflict)]);
    let body = change(ADMIT, r#""er_flag":"1""#, r#""er_flag":"7""#);
    assert_eq!(faults(&body)[0].0, "input.mdtrtinfo.er_flag");
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
fn a_message_names_one_person_and_one_stay() {
    let other_person = change(LINE, r#""psn_no":"44070000000001""#, r#""psn_no":"44070000000002""#);
    let other_stay = change(LINE, "A7F0001", "A7F0002");
    for (other, path) in
        [(other_person, "input.feedetail[1].psn_no"), (other_stay, "input.feedetail[1].mdtrt_id")]
    {
        let found = faults(&upload(&format!("[{LINE},{other},{LINE}]")));
        assert_eq!(found, [(path.to_owned(), Trouble::Mixed)]);
    }
    let body = change(ADMIT, r#""diseinfo":[{"psn_no":"44070000000001""#, r#""diseinfo":[{"psn_no":"2""#);
    assert_eq!(faults(&body), [("input.diseinfo[0].psn_no".to_owned(), Trouble::Mixed)]);
    let clean = upload(LINE);
    let message = read(&clean);
    assert_eq!((message.psn_no(), message.mdtrt_id()), (Some("44070000000001"), Some("A7F0001")));
    let institution = r#"{"infno":"1201","msgid":"M","mdtrtarea_admvs":"440703","fixmedins_code":"H1","input":{"medinsinfo":{"fixmedins_type":"1"}}}"#;
    assert_eq!((read(institution).psn_no(), read(institution).mdtrt_id()), (None, None));
}

#[test]
fn a_region_of_the_wrong_form_is_one_fault() {
    let body = change(SETTLE, r#""insuplc_admdvs":"440700""#, r#""insuplc_admdvs":"江门""#);
    assert_eq!(faults(&body).len(), 1);
    let body = change(SETTLE, r#""insuplc_admdvs":"440700""#, r#""insuplc_admdvs":"""#);
    assert_eq!(faults(&body), [("insuplc_admdvs".to_owned(), Trouble::Missing)]);
    let inside = change(SETTLE, r#""insuplc_admdvs":"440700","#, "");
    let inside = change(&inside, r#""invono":"","#, r#""insu_admdvs":"440700","#);
    same_as_twin(SETTLE, &inside, "the insured region only beside the person");
}

#[test]
fn a_field_that_cannot_be_used_is_refused_by_its_name() {
    let error = Message::unusable::<Undo>(UNDO.oinfno.index(), Trouble::NotText);
    insta::assert_snapshot!(answer::protocol(&error).text(), @"原交易编号oinfno须为文本，请更正后重发。位置input.data.oinfno [malformed-field]");
}

#[test]
fn a_missing_field_is_named_by_its_row() {
    let bad = change(LINE, r#""cnt":2,"#, "");
    let found = faults(&upload(&format!("[{LINE},{LINE},{bad}]")));
    assert_eq!(found, [("input.feedetail[2].cnt".to_owned(), Trouble::Missing)]);
}

#[test]
fn an_alias_excuses_no_other_field() {
    let aliased = r#""ipt_otp_no":"M9","ipt_no":"Z0001","insutype":null,"insutype":"310""#;
    let body =
        change(&change(ADMIT, r#""ipt_no":"Z0001""#, aliased), r#""insutype":"310","coner"#, r#""coner"#);
    assert_eq!(faults(&body), [("input.mdtrtinfo.insutype".to_owned(), Trouble::Conflict)]);
}

#[test]
fn a_long_value_is_repeated_in_part() {
    for (sent, told) in [("x".repeat(16), "x".repeat(16)), ("x".repeat(17), format!("{}…", "x".repeat(16)))]
    {
        let body = change(SETTLE, r#""dscg_time":"2026-11-24""#, &format!("\"dscg_time\":\"{sent}\""));
        assert_eq!(faults(&body)[0].1, Trouble::NotDay { got: told });
    }
}

#[test]
fn half_a_pair_of_escapes_is_told_whatever_the_field_holds() {
    for (from, to) in [
        (r#""psn_no":"44070000000001""#, r#""psn_no":"\ud83d""#),
        (r#""dscg_time":"2026-11-24""#, r#""dscg_time":"\ude00""#),
        (r#""insutype":"310""#, r#""insutype":"310\ud83d""#),
        (r#""invono":"""#, r#""invono":"\ude00\ud83d""#),
        (r#""mid_setl_flag":"0""#, r#""mid_setl_flag":"\ud83dx""#),
    ] {
        let found = faults(&change(SETTLE, from, to));
        assert_eq!(
            found.iter().map(|(_, trouble)| trouble).collect::<Vec<_>>(),
            [&Trouble::BrokenEscape],
            "{to}"
        );
    }
    let error = Message::unusable::<Undo>(UNDO.psn_no.index(), Trouble::BrokenEscape);
    insta::assert_snapshot!(answer::protocol(&error).text(), @r"人员编号psn_no含无效的\u转义，请更正后重发。位置input.data.psn_no；\ud800至\udfff须成对出现；可直接发送UTF-8文字 [malformed-field]");
    same_as_twin(
        &change(SETTLE, r#""invono":"""#, r#""invono":"😀""#),
        &change(SETTLE, r#""invono":"""#, r#""invono":"\ud83d\ude00""#),
        "a whole pair",
    );
}
