//! `banyan quote` and `banyan check` as a person meets them: the examples of the documents, verbatim.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod faults;
mod lines;

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
    const E01: &str = include_str!("../../docs/examples/bill-m.toml");
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
