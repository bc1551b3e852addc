//! Fee lines with and without a catalogue.

use std::fs;

use serde_json::Value;

use crate::{SANDBOX, banyan_fed, figure, quote};

/// A stay of two weeks at a third-level hospital of the own pool, with these lines.
pub(crate) fn of_lines(lines: &str) -> String {
    format!(
        r#"{{"scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-02","discharge":"2026-03-16","lines":[{lines}]}}"#
    )
}

/// Settles stays by the catalogue of the documents, or by that text.
fn quote_by(catalogue: Option<&str>, stays: &str) -> (Vec<Value>, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.csv");
    let text = fs::read_to_string("docs/examples/catalogue.csv").unwrap();
    fs::write(&file, catalogue.unwrap_or(&text)).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["quote", "--pack", SANDBOX, "--stays", "-", "--catalogue", file, "--json"];
    let output = banyan_fed(&arguments, stays);
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (answers, output.status.code().unwrap())
}

#[test]
fn with_a_catalogue_the_catalogue_decides_about_a_code() {
    let refused: &[(&str, &str, &str)] = &[
        (r#"{"code":"NO99","price":"1.00"}"#, "code", "未对照: code NO99"),
        (r#"{"code":"NO99","class":"A","price":"1.00"}"#, "code", "未对照"),
        (
            r#"{"med_list_codg":"NO99","chrgitm_lv":"01","pric":"1.00"}"#,
            "med_list_codg",
            "med_list_codg NO99 is not in the catalogue",
        ),
        (
            r#"{"code":"XB02","class":"A","price":"1.00"}"#,
            "class",
            "is A, but the entry of XB02 in the catalogue says B",
        ),
        (r#"{"code":"XB02","chrgitm_lv":"03","price":"1.00"}"#, "chrgitm_lv", "is C, but"),
        (
            r#"{"code":"XB02","first_pay":"0.20","price":"1.00"}"#,
            "first_pay",
            "is 0.2, but the entry of XB02 in the catalogue says 0.1:",
        ),
        (r#"{"code":"XB02","selfpay_prop":"0","price":"1.00"}"#, "selfpay_prop", "is 0, but"),
        (
            r#"{"code":"XB02","limit":"80.00","price":"1.00"}"#,
            "limit",
            "is 80, but the entry of XB02 in the catalogue says none",
        ),
        (
            r#"{"code":"ZL03","limit":"8000.00","price":"1.00"}"#,
            "limit",
            "is 8000, but the entry of ZL03 in the catalogue says 8500",
        ),
        (r#"{"code":"XR04","restricted":false,"price":"1.00"}"#, "restricted", "is false, but"),
        (r#"{"code":"XB02","lmt_used_flag":"1","price":"1.00"}"#, "lmt_used_flag", "is true, but"),
        (
            r#"{"code":"ZC05","class":"C","injury_catalogue":true,"price":"1.00"}"#,
            "injury_catalogue",
            "is true, but",
        ),
    ];
    let stays: Vec<String> = refused.iter().map(|(line, _, _)| of_lines(line)).collect();
    let (answers, exit) = quote_by(None, &stays.join("\n"));
    assert_eq!((answers.len(), exit), (refused.len(), 2));
    for ((line, field, message), answer) in refused.iter().zip(&answers) {
        assert_eq!(answer["faults"][0]["field"], format!("lines[no 1].{field}"), "{line}: {answer}");
        assert!(answer["faults"][0]["message"].as_str().unwrap().contains(message), "{line}: {answer}");
    }
    let equal = of_lines(
        r#"{"code":"XB02","class":"B","first_pay":"10%","restricted":false,"injury_catalogue":true,"price":"100.00"},
           {"code":"ZL03","chrgitm_lv":"02","limit":"8500","price":"9800.00"},{"class":"A","price":"1.00"}"#,
    );
    let (answers, exit) = quote_by(None, &equal.replace('\n', ""));
    assert_eq!(exit, 0, "{answers:?}");
    assert_eq!(figure(&answers[0], "preselfpay_amt"), "1710.00");
    assert_eq!(figure(&answers[0], "overlmt_selfpay"), "1300.00");
}

#[test]
fn without_a_catalogue_a_code_is_a_label_and_what_is_written_counts() {
    let written = of_lines(
        r#"{"code":"XB02","class":"B","first_pay":"20%","limit":"80.00","price":"100.00"},{"code":"XR04","class":"A","restricted":true,"price":"5.00"}"#,
    );
    let (answers, _) = quote(SANDBOX, &written);
    let parts = ["fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"];
    assert_eq!(parts.map(|part| figure(&answers[0], part)), ["5.00", "20.00", "16.00", "64.00"]);
    for (line, field, message) in [
        (r#"{"code":"XB02","limit":"80.00","price":"100.00"}"#, "code", "or write its class beside it"),
        (r#"{"code":"XB02","restricted":true,"price":"100.00"}"#, "code", "or write its class beside it"),
        (r#"{"code":"XB02","class":"B","price":"100.00"}"#, "first_pay", "every class B item has"),
    ] {
        let (answers, exit) = quote(SANDBOX, &of_lines(line));
        let fault = &answers[0]["faults"][0];
        assert_eq!((fault["field"].as_str(), exit), (Some(&*format!("lines[no 1].{field}")), 2), "{line}");
        assert!(fault["message"].as_str().unwrap().contains(message), "{line}: {fault}");
    }
}

#[test]
fn a_line_is_held_to_the_stay_and_to_its_own_figures() {
    for (lines, field, message) in [
        (
            r#"{"class":"A","price":"1.00","date":"2026-03-17"}"#,
            "lines[no 1].date",
            "is 2026-03-17, after the discharge on 2026-03-16",
        ),
        (
            r#"{"class":"A","pric":"1.00","fee_ocur_time":"2026-03-17 08:00:00"}"#,
            "lines[no 1].fee_ocur_time",
            "2026-03-16",
        ),
        (r#"{"class":"A","price":"1.00","limit":"-1.00"}"#, "lines[1].limit", "a price of zero or more"),
        (
            r#"{"class":"A","price":"1.00","amount":"2.00"}"#,
            "lines[no 1].amount",
            "amount 2.00 is not price × count = 1.00",
        ),
        (
            r#"{"class":"A","pric":"1.00","det_item_fee_sumamt":"2.00"}"#,
            "lines[no 1].det_item_fee_sumamt",
            "det_item_fee_sumamt 2.00 is not pric × count = 1.00",
        ),
        (
            r#"{"no":"a","class":"A","price":"33.333333","count":3},{"price":"33.333333","count":-1,"refund_of":"a"},{"price":"33.333333","count":-1,"refund_of":"a"},{"price":"33.333333","count":-1,"refund_of":"a"}"#,
            "lines[no 4].amount",
            "not all of the 33.34 that is left: send -33.34",
        ),
    ] {
        let (answers, exit) = quote(SANDBOX, &of_lines(lines));
        let fault = &answers[0]["faults"][0];
        assert_eq!((fault["field"].as_str(), exit), (Some(field), 2), "{lines}: {fault}");
        assert!(fault["message"].as_str().unwrap().contains(message), "{lines}: {fault}");
    }
    let first_pay_of_class_a = of_lines(r#"{"class":"A","first_pay":"5%","price":"100.00"}"#);
    assert_eq!(figure(&quote(SANDBOX, &first_pay_of_class_a).0[0], "preselfpay_amt"), "5.00");
}

#[test]
fn a_catalogue_is_read_strictly() {
    const HEADER: &str = "med_list_codg,chrgitm_lv,selfpay_prop,begndate";
    let line = of_lines(r#"{"code":"X1","price":"100.00"}"#);
    for (header, row, told) in [
        ("lmt_used_flg", "1", "line 1: \"lmt_used_flg\" is no column here: did you mean lmt_used_flag?"),
        ("remark", "", "line 1: \"remark\" is no column here: known are med_list_codg"),
        ("begndate", "2024-01-01", "line 1: the column begndate stands twice: keep one"),
        ("lmt_used_flag", "yes", "line 2: lmt_used_flag is \"yes\": expected 0, 1 or nothing"),
        ("lmt_used_flag", "2", "line 2: lmt_used_flag is \"2\": expected 0, 1 or nothing"),
        ("injury", "x", "line 2: injury is \"x\": expected 0, 1 or nothing"),
        ("psn_type", "1", "line 2: psn_type is \"1\": expected two to six digits"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.csv");
        fs::write(&file, format!("{HEADER},{header}\nX1,02,0.10,2024-01-01,{row}\n")).unwrap();
        let arguments = ["quote", "--pack", SANDBOX, "--stay", "-", "--catalogue", file.to_str().unwrap()];
        let output = banyan_fed(&arguments, &line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(told), "{header}: {errors}");
        assert_eq!(output.status.code(), Some(2));
    }
    let blank = format!("\u{feff}{HEADER},lmt_used_flag\nX1,02,0.10,2024-01-01,\n");
    assert_eq!(figure(&quote_by(Some(&blank), &line).0[0], "preselfpay_amt"), "10.00");
}

/// An entry that says nothing of the injury catalogue follows its class, as a line written out does.
#[test]
fn work_injury_goes_by_the_class_where_a_catalogue_says_nothing() {
    let rows = "A1,01,,2024-01-01\nB1,02,0.10,2024-01-01\nC1,03,,2024-01-01\n";
    let silent = format!("med_list_codg,chrgitm_lv,selfpay_prop,begndate\n{rows}");
    let blank = silent.replace("begndate\n", "begndate,injury\n").replace("2024-01-01\n", "2024-01-01,\n");
    let injury = |lines: &str| {
        of_lines(lines).replace(
            r#""scheme":"employee""#,
            r#""scheme":"work_injury","injury":{"work_injury_recognised":true}"#,
        )
    };
    let coded = injury(
        r#"{"code":"A1","price":"1.00"},{"code":"B1","price":"10.00"},{"code":"C1","price":"100.00"}"#,
    );
    let parts = ["fulamt_ownpay_amt", "preselfpay_amt", "inscp_scp_amt"];
    for catalogue in [&silent, &blank] {
        let (answers, _) = quote_by(Some(catalogue), &coded);
        assert_eq!(parts.map(|part| figure(&answers[0], part)), ["100.00", "0.00", "11.00"]);
    }
    let written = injury(
        r#"{"class":"A","price":"1.00"},{"class":"B","first_pay":"10%","price":"10.00"},{"class":"C","price":"100.00"},{"class":"A","restricted":true,"price":"1000.00"}"#,
    );
    let (answers, _) = quote(SANDBOX, &written);
    assert_eq!(parts.map(|part| figure(&answers[0], part)), ["1100.00", "0.00", "11.00"]);
}
