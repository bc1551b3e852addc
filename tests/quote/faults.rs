//! What is badly written is told once, by its place.

use std::fs;

use serde_json::Value;

use crate::{SANDBOX, banyan, quote};

#[test]
fn one_bad_line_is_named_and_the_rest_go_on() {
    let good = r#"{"id":"g","scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20","totals":{"in_scope":"1000.00"}}"#;
    let bad = [
        ("{", "", "EOF while parsing"),
        ("[]", "", "expected a table of keys"),
        (&good.replace("\"id\"", "\"scheme\""), "", "stands twice"),
        (&good.replace("totals", "total"), "totals", "did you mean totals?"),
        (
            &good.replace("in_scope", "class_c\":\"1.00\",\"fulamt_ownpay_amt"),
            "totals.fulamt_ownpay_amt",
            "keep one",
        ),
        (&good.replace("\"1000.00\"", "1000.001"), "totals.in_scope", "at most two decimals"),
        (&good.replace("\"1000.00\"", "12345678901234.567"), "totals.in_scope", "write it as text"),
        (&good.replace("\"1000.00\"", "\"-1.00\""), "totals.in_scope", "zero or more"),
        (
            &good.replace("\"1000.00\"", "\"1000.00\",\"medfee_sumamt\":\"999.00\""),
            "totals.medfee_sumamt",
            "sum to 1000.00",
        ),
        (
            &good.replace("\"scheme\":\"employee\"", "\"insutype\":340"),
            "insutype",
            "no rules for insurance code 340",
        ),
        (&good.replace("own_pool", "home"), "place", "expected one of"),
        (&good.replace("\"place\"", "\"hosp_lv\":\"02\",\"place\""), "hosp_lv", "keep one"),
        (&good.replace("2026-03-20", "2026-03-09"), "discharge", "before the admission"),
        (
            &good.replace(r#""totals":{"in_scope":"1000.00"}"#, r#""lines":[{"class":"B","price":"1"}]"#),
            "lines[1].first_pay",
            "class B",
        ),
        (
            &good.replace(
                r#""totals":{"in_scope":"1000.00"}"#,
                r#""lines":[{"class":"A","price":"1.00","count":2,"amount":"2.02"}]"#,
            ),
            "lines[no 1].amount",
            "is not price × count",
        ),
        (
            &good.replace(r#""totals":{"in_scope":"1000.00"}"#, r#""lines":[{"code":"X","price":"1.00"}]"#),
            "lines[no 1].code",
            "--catalogue",
        ),
        (
            &good.replace(
                r#""totals":{"in_scope":"1000.00"}"#,
                r#""lines":[{"price":"1.00","count":-1,"refund_of":"9"}]"#,
            ),
            "lines[no 1].refund_of",
            "no earlier line",
        ),
        (
            &good.replace("\"id\":\"g\"", r#""settlements":[{"kind":"final"},{"kind":"final"}]"#),
            "settlements[2].kind",
            "reverse that first",
        ),
        (
            &good.replace("\"id\":\"g\"", r#""settlements":[{"kind":"reverse"}]"#),
            "settlements[1].kind",
            "no settlement",
        ),
        (
            &good.replace("\"id\":\"g\"", r#""settlements":[{"kind":"part","through":"2026-03-12"}]"#),
            "settlements[1].totals",
            "no lines that the day could cut",
        ),
    ];
    let stays: Vec<&str> = bad.iter().flat_map(|(line, _, _)| [*line, good]).collect();
    let (answers, exit) = quote(SANDBOX, &stays.join("\n"));
    assert_eq!((answers.len(), exit), (stays.len(), 2));
    for (at, (line, field, message)) in bad.iter().enumerate() {
        let (answer, next) = (&answers[at * 2], &answers[at * 2 + 1]);
        assert_eq!(answer["line"], at * 2 + 1);
        assert_eq!(next["status"], "settled");
        let text = answer.to_string().replace("\\\"", "\"");
        assert!(text.contains(message), "{line}\n{text}");
        if answer["status"] == "bad_input" {
            assert_eq!(answer["faults"][0]["field"], *field, "{line}\n{text}");
        } else {
            assert_eq!(answer["field"], *field, "{line}\n{text}");
        }
    }
}

#[test]
fn a_file_that_is_no_stay_says_so_in_one_sentence() {
    let good = r#"{"scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20","totals":{"in_scope":"1000.00"}}"#;
    let toml = "scheme = “employee”\nhospital_level = 3\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stay");
    let run = |option: &str, bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let output = banyan(&["quote", "--pack", SANDBOX, option, file.to_str().unwrap(), "--json"]);
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (told, output.status.code().unwrap())
    };
    for (text, told) in [
        ("", "is empty: expected a stay"),
        (" \n", "is empty: expected a stay"),
        ("null", "is null: expected a table of keys for one stay"),
        (
            "[]",
            "is a list of 0: expected a table of keys for one stay; write several stays as one object a line",
        ),
        ("{}", "holds no key: expected a stay"),
        (toml, "holds the Chinese quote “: write straight quotes"),
    ] {
        let (answer, exit) = run("--stay", text.as_bytes());
        assert_eq!(exit, 2, "{text}: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let faults = answer["faults"].as_array().unwrap();
        assert!(
            matches!(&faults[..], [one] if one["message"].as_str().unwrap().contains(told)),
            "{text}: {faults:?}"
        );
    }
    let (told, exit) = run("--stay", b"id = \"\xd6\xd0\"\n");
    assert!(told.contains("is not UTF-8: save the file as UTF-8"), "{told}");
    assert_eq!(exit, 2);
    let (told, exit) = run("--stays", b"{\"id\": \"\xd6\xd0\"}\n");
    assert!(told.contains("is not UTF-8: save the file as UTF-8"), "{told}");
    assert_eq!(exit, 2);
    let (told, exit) = run("--stays", b"\n");
    assert_eq!((told.as_str(), exit), ("the file holds no stay: expected a JSON object a line\n", 2));
    assert_eq!(run("--stay", format!("\u{feff}{good}").as_bytes()).1, 0);
}

#[test]
fn a_value_out_of_its_range_is_one_fault_that_names_the_range() {
    let stay = |rest: &str| {
        format!(
            r#"{{"scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20","totals":{{"in_scope":"1000.00"}},{rest}}}"#
        )
    };
    for (rest, field, told) in [
        (r#""person":{"age":70000}"#, "person.age", "is 70000: expected a whole number from 0 to 65535"),
        (r#""year":{"admissions":-1}"#, "year.admissions", "expected a whole number from 0 to 999999999"),
        (r#""matn_type":300"#, "matn_type", "is 300: expected a 生育类别 from 1 to 99"),
        (r#""person":{"birth":"1800-01-01"}"#, "person.birth", "a day of the calendar from 1900 to 2199"),
    ] {
        let (answers, _) = quote(SANDBOX, &stay(rest));
        let faults = answers[0]["faults"].as_array().unwrap();
        let right =
            |fault: &Value| fault["field"] == field && fault["message"].as_str().unwrap().contains(told);
        assert!(matches!(&faults[..], [one] if right(one)), "{rest}: {faults:?}");
    }
    let (answers, _) =
        quote(SANDBOX, &crate::lines::of_lines(r#"{"price":"1.00","count":-1,"refund_of":""}"#));
    assert_eq!(answers[0]["faults"].as_array().unwrap().len(), 1, "{}", answers[0]);
}
