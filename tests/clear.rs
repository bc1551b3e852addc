//! `banyan clear` over the ledger that the demonstration's hospitals filled: the figures worked out by hand come back,
//! add up to zero, and lead to their settlements.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;

use banyan::command::Exit;
use banyan::command::demo;
use banyan::domain::calendar::Instant;
use banyan::domain::calendar::Month;
use banyan::service::seams::Clock;
use banyan::service::seams::SystemClock;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

/// Stands at the moment when it was made: certificates are judged by the machine's clock, and no month ends meanwhile.
struct Standing(Instant);

impl Clock for Standing {
    fn now(&self) -> Instant {
        self.0
    }
}

/// A province whose hospitals have settled the stories of the demonstration.
struct Center {
    folder: TempDir,
    month: Month,
}

impl Center {
    fn open() -> Center {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let arguments = demo::Arguments { once: true, dir: Some(folder.path().to_owned()), persons: 21 };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut told = Vec::new();
        let ended = runtime.block_on(demo::run(&arguments, Arc::new(Standing(now)), &mut told));
        assert_eq!(ended, Exit::Done, "{}", String::from_utf8_lossy(&told));
        Center { folder, month: now.day().month() }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    fn clear(&self, options: &[&str]) -> Told {
        clear(&self.month.to_string(), &self.settings(), options)
    }
}

struct Told {
    code: i32,
    out: String,
    errors: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|cause| panic!("{cause}: {}", self.out))
    }
}

fn clear(month: &str, settings: &Path, options: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.args(["clear", "--month", month, "--config"]).arg(settings).args(options);
    let Output { status, stdout, stderr } = command.output().unwrap();
    Told {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        errors: String::from_utf8(stderr).unwrap(),
    }
}

#[test]
fn a_month_by_region_and_hospital_adds_up_to_zero() {
    let center = Center::open();
    let told = center.clear(&["--json"]);
    assert_eq!((told.code, told.errors.as_str()), (0, ""));
    let month = told.json();
    assert_eq!((&month["net_sum"], &month["balanced"]), (&json!("0.00"), &json!(true)));
    let region = |code: &str| {
        let rows = month["regions"].as_array().unwrap();
        let row =
            rows.iter().find(|row| row["region"] == code).unwrap_or_else(|| panic!("{code} in {month}"));
        [&row["owed"], &row["owing"], &row["net"]].map(|amount| amount.as_str().unwrap().to_owned())
    };
    // Changsha: 29,987.49 long-term and 22,761.59 filed late. Guangzhou and Jiangmen: 29,987.49 each way.
    assert_eq!(region("430100"), ["52749.08", "0.00", "52749.08"]);
    assert_eq!(region("440100"), ["29987.49", "29987.49", "0.00"]);
    assert_eq!(region("450100"), ["23911.47", "0.00", "23911.47"]);
    // 29,987.49 + 52,749.08 + 23,911.47
    assert_eq!(region("440700"), ["29987.49", "106648.04", "-76660.55"]);

    let table = center.clear(&[]);
    assert_eq!(table.code, 0);
    for words in ["长沙市", "江门市沙盒第2医院", "-76660.55", "Σ = 0.00", "账目平衡 balanced"]
    {
        assert!(table.out.contains(words), "{words} in\n{}", table.out);
    }
    assert!(!table.out.lines().any(|line| line.ends_with(' ')), "{}", table.out);
}

#[test]
fn figures_lead_to_their_settlements() {
    let center = Center::open();
    let csv = center.clear(&["--format", "csv"]);
    let head = "\u{feff}month,insured_pool,insured_pool_name,care_pool,care_pool_name,hospital,hospital_name,settlements,reversals,medfee,fund,account,owed,cash,crosses_border,month_state";
    assert_eq!((csv.code, csv.out.lines().next().unwrap()), (0, head));
    let local = csv.out.lines().find(|line| line.contains(",440700,江门市,440700,江门市,")).unwrap();
    assert!(local.ends_with(",2,1,8850.51,7030.88,0.00,7030.88,1819.63,0,open"), "{local}");

    // The hospital of that row: settled without the bed, reversed, settled with it.
    let hospital = local.split(',').nth(5).unwrap();
    let behind = center.clear(&["--settlements", "--institution", hospital, "--format", "csv"]);
    let rows: Vec<Vec<&str>> = behind.out.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|head| *head == name).unwrap();
    let cells = |name: &str| rows[1..].iter().map(|row| row[column(name)]).collect::<Vec<_>>();
    assert_eq!(cells("kind"), ["settlement", "reversal", "settlement"]);
    assert_eq!(cells("owed"), ["6334.28", "-6334.28", "7030.88"]);
    assert_eq!(cells("original")[1], cells("settlement")[0]);
    let as_told = center.clear(&["--settlements", "--institution", hospital, "--json"]).json();
    for (at, cell) in cells("settlement").iter().enumerate() {
        let id = as_told["settlements"][at]["settlement"].as_str().unwrap();
        let number = id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'E');
        assert_eq!(*cell, if number { format!("{id}\t") } else { id.to_owned() }, "a spreadsheet keeps it");
    }

    let behind = center.clear(&["--settlements", "--region", "430100", "--json"]).json();
    let rows = behind["settlements"].as_array().unwrap().iter();
    let owed: BTreeSet<&str> = rows.map(|row| row["owed"].as_str().unwrap()).collect();
    assert_eq!(owed, BTreeSet::from(["22761.59", "29987.49"]));
    let last = |options: &[&str]| {
        let told = center.clear(&[&["--settlements"], options].concat()).out;
        told.lines().find(|line| line.contains("笔 rows")).unwrap().to_owned()
    };
    assert!(last(&["--region", "430100"]).contains("owed in all 52749.08"));
    let at_home = last(&["--institution", hospital, "--region", "440700"]);
    assert!(at_home.contains("paid at home, owed to nobody 7030.88"), "{at_home}");
    // 29,987.49 + 52,749.08 + 23,911.47 of its own elsewhere, 29,987.49 of visitors; 7,030.88 at home.
    let both = last(&["--region", "440700"]);
    assert!(both.contains("owed across pools 136635.53") && both.contains("paid at home 7030.88"), "{both}");
    let crosses = |row: &Value| row["insured_pool"] != row["care_pool"];
    let all = center.clear(&["--settlements", "--json"]).json();
    for row in all["settlements"].as_array().unwrap() {
        assert_eq!(row["crosses_border"], crosses(row), "{row}");
    }
    let month = center.clear(&["--json"]).json();
    for row in month["hospitals"].as_array().unwrap() {
        assert_eq!(row["crosses_border"], crosses(row), "{row}");
    }

    let one = center.clear(&["--region", "430100", "--json"]).json();
    assert_eq!((one["regions"].as_array().unwrap().len(), &one["net_sum"]), (1, &json!("0.00")));
}

#[test]
fn no_name_or_number_of_a_person_is_told() {
    let center = Center::open();
    let persons = std::fs::read_to_string(center.folder.path().join("province/persons.csv")).unwrap();
    let told: String = [
        &["--settlements"][..],
        &["--json"],
        &["--settlements", "--json"],
        &["--settlements", "--format", "csv"],
    ]
    .iter()
    .map(|options| center.clear(options).out)
    .collect();
    let head: Vec<&str> = persons.lines().next().unwrap().trim_start_matches('\u{feff}').split(',').collect();
    let personal =
        ["psn_no", "psn_name", "certno"].map(|name| head.iter().position(|cell| *cell == name).unwrap());
    for row in persons.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        for cell in personal.map(|at| cells[at]) {
            assert!(cell.is_empty() || !told.contains(cell), "{cell}");
        }
    }
}

#[test]
fn a_ledger_is_only_read() {
    let center = Center::open();
    let file = center.folder.path().join("data/ledger.db");
    let before = std::fs::read(&file).unwrap();
    assert_eq!(center.clear(&[]).code, 0);
    assert_eq!(before, std::fs::read(&file).unwrap());
}

#[test]
fn what_cannot_be_told_is_said_in_one_sentence_and_by_the_exit_code() {
    let center = Center::open();
    let empty = clear("202001", &center.settings(), &[]);
    assert!(
        empty.code == 0 && empty.out.contains("本月没有结算。Nothing was settled in this month."),
        "{}",
        empty.out
    );
    let future = clear("209901", &center.settings(), &[]).out;
    assert!(future.contains("The month has not begun yet.") && !future.contains("still running"), "{future}");
    for (month, state, note) in [
        ("202001", "ended", ""),
        (&*center.month.to_string(), "open", ""),
        ("209901", "not begun", "banyan: 本月尚未开始。The month has not begun yet.\n"),
    ] {
        for options in [&["--json"][..], &["--json", "--settlements"]] {
            let told = clear(month, &center.settings(), options);
            assert_eq!((told.code, told.errors.as_str(), &told.json()["state"]), (0, note, &json!(state)));
        }
    }
    let rows = center.clear(&["--settlements", "--format", "csv"]).out;
    assert!(rows.lines().skip(1).all(|line| line.ends_with(",open")), "{rows}");
    let empty = clear("202001", &center.settings(), &["--format", "csv"]);
    assert_eq!((empty.code, empty.out.lines().count()), (0, 1), "the head alone");
    let empty = clear("202001", &center.settings(), &["--json"]).json();
    assert_eq!((&empty["hospitals"], &empty["net_sum"]), (&json!([]), &json!("0.00")));

    for month in ["2026-11", "202613", "202600", "november", ""] {
        let bad = clear(month, &center.settings(), &[]);
        assert_eq!((bad.code, bad.out.as_str()), (2, ""), "{month}");
        assert!(
            month.is_empty() || bad.errors.contains("write a month as YYYYMM, like 202611"),
            "{}",
            bad.errors
        );
    }
    let missing = clear("202611", &center.folder.path().join("none.toml"), &[]);
    assert!(missing.code == 2 && missing.errors.contains("none.toml"), "{}", missing.errors);
    assert_eq!(center.clear(&["--json", "--format", "csv"]).code, 2, "one of them");

    std::fs::remove_file(center.folder.path().join("data/ledger.db")).unwrap();
    let gone = center.clear(&[]);
    assert!(gone.code == 3 && gone.errors.contains("there is no ledger"), "{}", gone.errors);
    assert!(!center.folder.path().join("data/ledger.db").exists(), "nothing was made in its place");
}

#[test]
fn what_cannot_be_meant_is_refused_and_a_quiet_city_is_told_from_broken_books() {
    let center = Center::open();
    for (options, why) in [
        (["--region", "440703"], "440703 is in pool 440700 (江门市): ask for that"),
        (["--region", "110100"], "110100 is in pool 110000 (北京市): ask for that"),
        (["--region", "440000"], "440000 (广东省) is a province of several pools: ask for one of them"),
        (["--region", "999999"], "no region has the code 999999: ask for a pool, like 440700"),
        (["--institution", "H44079900001"], "the register knows no institution H44079900001"),
    ] {
        for told in [center.clear(&options), clear("202001", &center.settings(), &options)] {
            assert_eq!((told.code, told.out.as_str(), told.errors), (2, "", format!("banyan: {why}\n")));
        }
    }

    let month = center.month;
    for (options, what) in [
        (&["--region", "440200"][..], "440200 韶关市"),
        (&["--region", "110000"], "110000 北京市"),
        (&["--institution", "H43010500004"], "H43010500004 长沙市沙盒第4医院"),
        (
            &["--region", "440200", "--institution", "H43010500004"],
            "440200 韶关市、H43010500004 长沙市沙盒第4医院",
        ),
    ] {
        let quiet = center.clear(&[options, &["--json"]].concat());
        let note =
            format!("banyan: {month}没有与{what}有关的结算。Nothing in {month} has to do with {what}.\n");
        assert_eq!((quiet.code, quiet.errors), (0, note));
        let told: Value = serde_json::from_str(&quiet.out).unwrap();
        assert_eq!((&told["hospitals"], &told["balanced"]), (&json!([]), &json!(true)));
        let quiet = center.clear(&[options, &["--settlements", "--format", "csv"]].concat());
        assert_eq!((quiet.code, quiet.out.lines().count()), (0, 1), "the head alone");
    }
}
