//! `banyan quote` and `banyan check` as a person meets them: the examples of the documents, verbatim.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::io::Write;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;

fn banyan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_banyan")).args(arguments).output().unwrap()
}

fn banyan_fed(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_banyan"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    // Apart, since the answers fill their pipe while stays are still being written.
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    output
}

/// Standard output, then standard error, then the exit code, as the documents show them.
fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let ended = output.status.code().unwrap();
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    format!("{}\n(exit code {ended})\n", masked(all.trim_end()))
}

/// A pack's hash changes with every remark in it.
fn masked(text: &str) -> String {
    let Some(at) = text.find("\"hash\":\"") else {
        return text.to_owned();
    };
    let digits = at + "\"hash\":\"".len();
    format!("{}…{}", &text[..digits], &text[digits + 64..])
}

/// Console examples of a page: the command line, what the page says, and where it says it.
fn examples(page: &str) -> Vec<(String, String)> {
    page.split("```console\n")
        .skip(1)
        .map(|rest| {
            let block = rest.split("```\n").next().unwrap();
            let (command, told) = block.split_once('\n').unwrap();
            (command.strip_prefix("$ banyan ").unwrap().to_owned(), told.to_owned())
        })
        .collect()
}

#[test]
fn the_examples_of_the_documents_are_what_the_program_says() {
    const PAGE: &str = "docs/quote.md";
    let page = fs::read_to_string(PAGE).unwrap();
    let all = examples(&page);
    assert_eq!(all.len(), 5);
    let (mut written, rewrite) = (page.clone(), std::env::var_os("BANYAN_REWRITE_DOCS").is_some());
    for (command, told) in all {
        let said = shown(&banyan(&command.split(' ').collect::<Vec<_>>()));
        if rewrite {
            written = written.replace(
                &format!("$ banyan {command}\n{told}```"),
                &format!("$ banyan {command}\n{said}```"),
            );
        } else {
            assert_eq!(said, told, "banyan {command}\n(BANYAN_REWRITE_DOCS=1 writes the page anew)");
        }
    }
    if rewrite {
        fs::write(PAGE, written).unwrap();
    }
}

const SANDBOX: &str = "config/packs/sandbox/440700.toml";

/// The answers to stays on standard input, and the exit code.
fn quote(pack: &str, stays: &str) -> (Vec<Value>, i32) {
    let output = banyan_fed(&["quote", "--pack", pack, "--stays", "-", "--json"], stays);
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (answers, output.status.code().unwrap())
}

/// A figure of the last settlement.
fn figure<'a>(answer: &'a Value, name: &str) -> &'a str {
    let last = answer["settlements"].as_array().unwrap_or_else(|| panic!("{answer}")).last().unwrap();
    last["breakdown"][name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"))
}

#[test]
fn the_worked_examples_come_out_to_the_fen() {
    const E01: &str = include_str!("../docs/examples/bill-m.toml");
    let prepay = "config/packs/sandbox/442000.toml";
    type Figures = &'static [(&'static str, &'static str)];
    let table: &[(&str, String, Figures)] = &[
        (SANDBOX, E01.to_owned(), &[("hifp_pay", "29987.49"), ("psn_cash_pay", "12081.96")]),
        (
            SANDBOX,
            E01.replace("LT_RESIDENT", "TMP_OTHER"),
            &[("pool_rate", "0.63"), ("hifp_pay", "22761.59"), ("act_pay_dedc", "900.00")],
        ),
        (
            prepay,
            E01.replace("LT_RESIDENT", "TMP_OTHER"),
            &[("extra_first_pay", "7405.90"), ("hifp_pay", "23840.59"), ("psn_part_amt", "18228.86")],
        ),
    ];
    for (pack, stay, figures) in table {
        let output = banyan_fed(&["quote", "--pack", pack, "--stay", "-", "--json"], stay);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        for (name, amount) in *figures {
            assert_eq!(figure(&answer, name), *amount, "{name} by {pack}");
        }
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn filings_decide_by_place_and_day() {
    let stay = |rest: &str| {
        format!(
            r#"{{"scheme":"employee","hospital_level":"3","admission":"2026-03-10","discharge":"2026-03-20","totals":{{"in_scope":"1000.00"}},{rest}}}"#
        )
    };
    let table = [
        (r#""place":"own_pool""#, "local"),
        (
            r#""place":"own_pool","filings":[{"category":"LT_WORKER","from":"2026-01-01","place":"elsewhere"}]"#,
            "long_term_home",
        ),
        (r#""place":"same_province""#, "in_province"),
        (r#""place":"other_province""#, "unfiled"),
        (r#""place":"other_province","emergency":true"#, "emergency"),
        (r#""place":"other_province","med_type":24"#, "emergency"),
        (r#""place":"other_province","filings":[{"category":"LT_WORKER","from":"2026-01-01"}]"#, "long_term"),
        (
            r#""place":"other_province","filings":[{"category":"LT_WORKER","from":"2026-01-01","place":"elsewhere"}]"#,
            "unfiled",
        ),
        (r#""place":"other_province","filings":[{"category":"TMP_OTHER","from":"2025-09-01"}]"#, "unfiled"),
        (
            r#""place":"other_province","filings":[{"category":"TMP_OTHER","from":"2026-03-15"}]"#,
            "other_temporary",
        ),
        (r#""place":"other_province","filings":[{"category":"TMP_OTHER","from":"2026-03-21"}]"#, "unfiled"),
        (r#""mdtrtarea_admdvs":"440703""#, "local"),
        (r#""mdtrtarea_admdvs":"440104""#, "in_province"),
        (
            r#""mdtrtarea_admdvs":"430102","filings":[{"category":"TMP_REFERRAL","from":"2026-03-01","place":"430100"}]"#,
            "referral",
        ),
        (
            r#""mdtrtarea_admdvs":"430102","filings":[{"category":"TMP_REFERRAL","from":"2026-03-01","place":"420100"}]"#,
            "unfiled",
        ),
        (
            r#""mdtrtarea_admdvs":"310104","filings":[{"category":"LT_RETIREE","from":"2026-03-01","place":"310000"}]"#,
            "long_term",
        ),
        (r#""benefit_level":"in_province""#, "in_province"),
    ];
    let stays: Vec<String> = table.iter().map(|(rest, _)| stay(rest)).collect();
    let (answers, _) = quote(SANDBOX, &stays.join("\n"));
    for ((rest, level), answer) in table.iter().zip(&answers) {
        assert_eq!(answer["settlements"][0]["benefit_level"], *level, "{rest}: {answer}");
    }
    assert_eq!(answers.len(), table.len());
}

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
fn refusals_have_their_codes_and_exit_with_one() {
    let stay = |rest: &str| {
        format!(
            r#"{{"hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20","totals":{{"in_scope":"1000.00"}},{rest}}}"#
        )
    };
    for (rest, code) in [
        (r#""scheme":"work_injury""#, "not-recognised"),
        (r#""scheme":"work_injury","injury":{"work_injury_recognised":false}"#, "not-recognised"),
        (
            r#""scheme":"employee","injury":{"third_party_liable":true,"commitment_signed":true}"#,
            "third-party-liable",
        ),
        (r#""scheme":"employee","injury":{}"#, "no-commitment"),
        (
            r#""scheme":"work_injury","injury":{"work_injury_recognised":true,"third_party_liable":true}"#,
            "third-party-liable",
        ),
        (r#""scheme":"maternity""#, "matn-type-missing"),
        (r#""scheme":"maternity","matn_type":9"#, "matn-type-not-ruled"),
        (r#""insutype":340"#, "scheme-not-ruled"),
    ] {
        let (answers, exit) = quote(SANDBOX, &stay(rest));
        assert_eq!((answers[0]["code"].as_str(), exit), (Some(code), 1), "{rest}: {}", answers[0]);
    }
    for rest in [
        r#""scheme":"employee","injury":{"commitment_signed":true}"#,
        r#""scheme":"employee","injury":{"traumatic":false}"#,
        r#""scheme":"work_injury","injury":{"work_injury_recognised":true}"#,
    ] {
        assert_eq!(quote(SANDBOX, &stay(rest)).1, 0, "{rest}");
    }
    let early = stay(r#""scheme":"employee""#).replace("2026", "2019");
    assert_eq!(quote(SANDBOX, &early).0[0]["code"], "no-policy-yet");
}

#[test]
fn a_refund_of_a_settled_part_asks_for_its_reversal() {
    let stay = |reverse: &str| {
        format!(
            r#"{{"scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20",
            "lines":[{{"no":"a","class":"A","price":"100.00","count":10,"date":"2026-03-11"}},
                     {{"price":"100.00","count":-4,"date":"2026-03-15","refund_of":"a"}}],
            "settlements":[{{"kind":"part","through":"2026-03-12"}},{reverse}{{"kind":"final"}}]}}"#
        )
        .replace('\n', " ")
    };
    let (refused, _) = quote(SANDBOX, &stay(""));
    assert_eq!(refused[0]["faults"][0]["field"], "settlements[2].kind");
    let (settled, exit) = quote(SANDBOX, &stay(r#"{"kind":"reverse"},"#));
    assert_eq!((figure(&settled[0], "medfee_sumamt"), exit), ("600.00", 0));
    assert_eq!(settled[0]["total"]["medfee_sumamt"], "600.00");
    let admissions: Vec<_> = settled[0]["settlements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["year_after"]["admissions"])
        .collect();
    assert_eq!(admissions, [1, 0, 1]);
}

#[test]
fn the_account_pays_through_the_parts_until_it_is_empty() {
    let stay = r#"{"scheme":"employee","hospital_level":3,"place":"own_pool","admission":"2026-03-10","discharge":"2026-03-20","use_account":true,"person":{"account_balance":"1500.00"},"totals":{"in_scope":"10000.00"},"settlements":[{"kind":"part","through":"2026-03-12","totals":{"in_scope":"2000.00"}},{"kind":"final"}]}"#;
    let (answers, _) = quote(SANDBOX, stay);
    let paid: Vec<_> = answers[0]["settlements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["breakdown"]["acct_pay"].as_str().unwrap())
        .collect();
    // 900 + 1,100 × .17 = 1,087.00 of the first part; the rest of the balance goes into the second.
    assert_eq!(paid, ["1087.00", "413.00"]);
}

#[test]
fn thousands_of_stays_run_through() {
    let stay = |n: u32| {
        format!(
            r#"{{"id":{n},"scheme":"employee","hospital_level":3,"place":"other_province","admission":"2026-03-10","discharge":"2026-03-20","totals":{{"in_scope":"{n}.00"}}}}"#
        )
    };
    let stays: Vec<String> = (0..3000).map(stay).collect();
    let output =
        banyan_fed(&["quote", "--pack", SANDBOX, "--stays", "-", "--json", "--brief"], &stays.join("\n"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 3000);
    assert!(text.lines().last().unwrap().contains(r#""id":"2999","#));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "3000 settled, 0 refused, 0 badly written, 0 unreadable, 0 failed\n"
    );
}

#[test]
fn mistakes_of_usage_end_with_two_and_missing_files_with_three() {
    let table: &[(&[&str], i32, &str)] = &[
        (&["quote"], 2, "--pack <FILE>"),
        (&["quote", "--pack", SANDBOX], 2, "--stay <FILE>"),
        (&["quote", "--pack", SANDBOX, "--stay", "a", "--stays", "b"], 2, "cannot be used with"),
        (&["quote", "--pack", "Cargo.toml", "--stay", "docs/examples/e08.json"], 2, "Cargo.toml:1: "),
        (&["quote", "--pack", SANDBOX, "--stay", "no/such.toml"], 3, "no/such.toml cannot be read"),
        (
            &["quote", "--pack", SANDBOX, "--stay", "docs/examples/e08.json", "--catalogue", "Cargo.toml"],
            2,
            "med_list_codg is missing",
        ),
        (&["quoet"], 2, "quote"),
        (
            &["quote", "--pack", "no/such.toml", "--stay", "docs/examples/e08.json"],
            3,
            "no/such.toml: cannot be read",
        ),
        (&["check", "--packs", "no/such"], 3, "cannot be read"),
        (&["check", "--packs", "config/packs", "--production"], 1, ""),
        (
            &["check", "--packs", "config/packs", "--production", "--allow", "440100", "--allow", "440700"],
            0,
            "",
        ),
        (&["--help"], 0, ""),
        (&["quote", "--help"], 0, ""),
        (&["--version"], 0, ""),
    ];
    for (arguments, exit, told) in table {
        let output = banyan(arguments);
        let errors = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(*exit), "{arguments:?}: {errors}");
        assert!(errors.contains(told), "{arguments:?}: {errors}");
    }
}

#[test]
fn check_says_in_json_what_it_found() {
    let output = banyan(&["check", "--packs", "config/packs/sandbox", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["ok"].as_bool(), output.status.code()), (Some(true), Some(0)));
    let packs = found["packs"].as_array().unwrap();
    assert_eq!(packs.len(), 4);
    for pack in packs {
        assert_eq!(pack["status"], "synthetic");
        assert_eq!(pack["differing"], serde_json::json!([]));
        assert_eq!(pack["unverified"].as_array().unwrap().len() as u64, pack["values"].as_u64().unwrap());
    }

    let folder = tempfile::tempdir().unwrap();
    let wrong =
        fs::read_to_string(SANDBOX).unwrap().replace("hifp_pay = \"29987.49\"", "hifp_pay = \"29987.48\"");
    fs::write(folder.path().join("440700.toml"), wrong).unwrap();
    let output = banyan(&["check", "--packs", folder.path().to_str().unwrap(), "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["ok"].as_bool(), output.status.code()), (Some(false), Some(1)));
    assert_eq!(found["packs"][0]["differing"][0]["message"], "hifp_pay is 29987.49, expected 29987.48");
}

/// A stay of two weeks at a third-level hospital of the own pool, with these lines.
fn of_lines(lines: &str) -> String {
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

#[test]
fn an_emergency_filed_too_late_inside_the_province_is_told_what_it_missed() {
    let stay = |place: &str| {
        format!(
            r#"{{"scheme":"employee","hospital_level":3,"place":"{place}","emergency":true,"admission":"2026-03-02","discharge":"2026-03-16","totals":{{"in_scope":"1000.00"}}}}"#
        )
    };
    let pack = "config/packs/sandbox/442000.toml";
    let (refused, exit) = quote(pack, &stay("same_province"));
    assert_eq!((refused[0]["code"].as_str(), exit), (Some("unfiled"), 1));
    let told = refused[0]["message"].as_str().unwrap();
    assert!(told.contains("within 10 days of admission, here until 2026-03-12"), "{told}");
    assert!(told.contains("before the settlement file as other temporary care"), "{told}");
    let (settled, _) = quote(pack, &stay("other_province"));
    assert_eq!(settled[0]["settlements"][0]["benefit_level"], "emergency");
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
    let (answers, _) = quote(SANDBOX, &of_lines(r#"{"price":"1.00","count":-1,"refund_of":""}"#));
    assert_eq!(answers[0]["faults"].as_array().unwrap().len(), 1, "{}", answers[0]);
}

#[test]
fn check_warns_of_what_a_pack_hardly_means() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(SANDBOX).unwrap();
    let head = &text[..text.find("[[cases]]").unwrap()];
    let account =
        "\n[[resident.account]]\nfrom = 2020-01-01\npays = []\nsource = \"x\"\ntrust = \"synthetic\"\n";
    fs::write(folder.path().join("jiangmen.toml"), head.to_owned() + account).unwrap();
    let output = banyan(&["check", "--packs", folder.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    for warning in [
        "  warning: resident.account: 个人账户 is usually for employees (310) only",
        "  warning: has no case",
        "  warning: stands in jiangmen.toml: name the file 440700.toml",
    ] {
        assert!(told.contains(warning), "{told}");
    }
    assert_eq!(output.status.code(), Some(0));
    let shipped = banyan(&["check", "--packs", "config/packs/sandbox"]);
    assert!(!String::from_utf8(shipped.stdout).unwrap().contains("warning"));
}
