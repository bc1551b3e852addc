//! `banyan import` against a real ledger: faults told, nothing half applied, differences shown, resumed after a stop.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use banyan::command::import::Arguments;
use banyan::command::import::Connected;
use banyan::command::import::failed::Failed;
use banyan::command::import::import;
use banyan::command::import::report::Report;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::codes::Scheme;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::money::Fen;
use banyan::ledger::Facts;
use banyan::ledger::Ledger;
use banyan::ledger::LookUp;
use banyan::ledger::Who;
use banyan::ledger::secrets::Secrets;
use banyan::ledger::sqlite::Settings;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::protocol::files::kind::Kind;
use banyan::sandbox::geography::REGIONS_CSV;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::sandbox::province::file_name;
use banyan::service::seams::Clock;

/// Noon of 24 November 2026 in China.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Instant {
        Instant(Instant::start_of(today()).0 + 12 * 3_600_000)
    }
}

fn today() -> Day {
    Day::from_number(20_261_124).unwrap()
}

/// A ledger in a folder of its own, with the shipped region table in it.
struct Desk {
    folder: tempfile::TempDir,
    ledger: Arc<SqliteLedger>,
}

impl Desk {
    async fn open() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        Secrets::make_in(folder.path(), Noon.now()).unwrap();
        let desk = Desk { ledger: Arc::new(open_ledger(folder.path())), folder };
        let report = desk.import(Kind::Regions, "standard", &desk.write("regions.csv", REGIONS_CSV)).await;
        assert_eq!((report.new, report.applied), (3348, true));
        desk
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn try_import(&self, arguments: &Arguments) -> Result<Report, Failed> {
        let connected = Connected {
            ledger: Arc::clone(&self.ledger) as Arc<dyn Ledger>,
            clock: Arc::new(Noon),
            operator: "test".into(),
            progress: false,
        };
        import(arguments, &connected, &|_| false).await
    }

    async fn import(&self, kind: Kind, source: &str, file: &Path) -> Report {
        self.try_import(&arguments(kind, source, file)).await.unwrap()
    }

    async fn import_text(&self, kind: Kind, source: &str, text: &str) -> Report {
        self.import(kind, source, &self.write("file.csv", text)).await
    }

    async fn facts(&self, number: &str) -> Option<Facts> {
        let person = PersonKey::parse(RegionCode(440_700), number).unwrap();
        let who = Who::Person(person);
        let wanted = LookUp::of(who);
        self.ledger.look_up(wanted).await.unwrap().facts
    }
}

fn open_ledger(folder: &Path) -> SqliteLedger {
    let now = Arc::new(|| Noon.now());
    let secrets = Secrets::open_in(folder).unwrap();
    SqliteLedger::open(&folder.join("ledger.db"), Settings::default(), secrets, now).unwrap()
}

fn arguments(kind: Kind, source: &str, file: &Path) -> Arguments {
    Arguments {
        file: file.to_owned(),
        kind,
        source: source.into(),
        config: PathBuf::new(),
        ledger: None,
        keys: None,
        yes: true,
        dry_run: false,
        differences: None,
        json: false,
    }
}

const PERSONS: &str = "poolarea_no,psn_no,psn_name,psn_cert_type,certno,tel,insutype,psn_type,psn_insu_stas,cvlserv_flag,insuplc_admdvs,begndate,enddate,psn_idet_type,idet_begndate,idet_enddate\n";

/// One active employee of Jiangmen a number, in one row each.
fn persons(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold(PERSONS.to_owned(), |mut text, number| {
        writeln!(text, "440700,{number},陈样甲,99,T{number},100{number:08},310,11,1,0,440703,2020-01-01,,,,")
            .unwrap();
        text
    })
}

fn assert_told(report: &Report, expected: &[&str]) {
    for sentence in expected {
        let told = report.faults.iter().any(|fault| fault.contains(sentence));
        assert!(told, "{sentence}\nin {:#?}", report.faults);
    }
    assert_eq!(report.faults.len(), expected.len(), "{:#?}", report.faults);
}

#[tokio::test]
async fn every_fault_is_told_with_line_and_column() {
    let desk = Desk::open().await;
    let bad = PERSONS.to_owned()
        + "440700,1,陈样甲,99,T1,,310,11,1,0,440703,2020-01-01,2019-01-01,,,\n"
        + "440700,2,陈样甲,99,T2,,310,abc,7,0,440703,2020-13-01,,,,\n"
        + "440700,3,陈样甲,99,T3,,310,11,1,0,440103,2020-01-01,,,,\n"
        + "440703,4,陈样甲,99,T4,,310,11,1,0,440703,2020-01-01,,,,\n"
        + "440700,5,陈样甲,99,T5\n"
        + "440700,6,,99,T6,,310,11,1,0,440703,2020-01-01,,,,\n"
        + "440700,7,陈样甲,99,T7,,310,11,1,0,440703,2020-01-01,,2399,2020-01-01,\n"
        + "440700,1,陈样甲,99,T1,,310,11,1,0,440703,2020-01-01,,,,\n";
    let report = desk.import_text(Kind::Persons, "register", &bad).await;
    assert_told(
        &report,
        &[
            "line 2, column enddate: expected a day not before 2020-01-01",
            "line 3, column psn_type: expected a person type",
            "line 3, column psn_insu_stas: expected 1 (active), 2 (paused) or 4 (ended), found \"7\"",
            "line 3, column begndate: expected a day like 2026-11-24",
            "line 4, column insuplc_admdvs: expected a region of pool 440700: 440103 is pooled in 440100",
            "line 5, column poolarea_no: expected a pooling region: 440703 is pooled in 440700",
            "line 6: expected 16 fields like the header, found 5",
            "line 7, column psn_name: must be filled in in one row of each person",
            "line 8, column psn_idet_type: expected an assistance category",
        ],
    );
    assert_eq!((report.applied, report.exit_code().code()), (false, 1));
    assert!(!report.faults.iter().any(|fault| fault.contains("陈样甲")), "a name is told");
}

#[tokio::test]
async fn what_no_register_can_mean_is_a_fault_and_what_it_hardly_means_a_warning() {
    let desk = Desk::open().await;
    let header = PERSONS.trim_end().to_owned() + ",brdy\n";
    let tomorrow = today().next();
    let bad = header.clone()
        + "440700,1,陈样甲,99,T1,,311,11,1,0,440703,2020-01-01,,,,,\n"
        + "440700,2,陈样甲,99,T2,,310,9999,1,0,440703,2020-01-01,,,,,\n"
        + &format!("440700,3,陈样甲,99,T3,,310,11,1,0,440703,2020-01-01,,,,,{tomorrow}\n")
        + "440700,4,陈样甲,99,T4,,310,1101,1,0,440703,2020-01-01,2024-12-31,,,,\n"
        + "440700,4,,,,,310,1201,1,0,440703,2024-12-31,,,,,\n"
        + "440700,5,陈样甲,99,T5,,390,1501,1,0,440703,2020-01-01,,,,,\n"
        + "440700,5,,,,,390,1501,1,0,440703,2019-01-01,,,,,\n";
    let report = desk.import_text(Kind::Persons, "register", &bad).await;
    assert_told(
        &report,
        &[
            "line 2, column insutype: expected an insutype of the code table, e.g. 310 or 390, found \"311\"",
            "line 3, column psn_type: expected a person type of the code table, e.g. 11, 1201 or 15, found \"9999\"",
            "line 4, column brdy: expected a day that has come",
            "line 6, column begndate: expected days of which no other row of this insutype has one: a row from \
             2020-01-01 to 2024-12-31 does",
            "line 8, column begndate: expected days of which no other row of this insutype has one: a row from \
             2020-01-01 on does",
        ],
    );
    assert!(!report.applied);

    let good = header
        + "440700,6,陈样甲,99,T6,,310,1501,1,0,440703,2020-01-01,,,,,\n"
        + "440700,7,陈样甲,99,T7,,310,116032,1,0,440703,2020-01-01,2024-12-31,,,,\n"
        + "440700,7,,,,,310,1201,1,0,440703,2025-01-01,,,,,\n"
        + "440700,7,,,,,510,1101,1,0,440703,2020-01-01,,,,,\n";
    let report = desk.import_text(Kind::Persons, "register", &good).await;
    assert_eq!((&report.faults, report.new, report.applied), (&Vec::new(), 2, true));
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    assert!(
        report.warnings[0]
            .starts_with("line 2, column psn_type: person type 1501 is unusual under insutype 310")
    );
}

#[tokio::test]
async fn a_certificate_of_two_persons_is_warned_about_with_both_lines_or_with_who_has_it() {
    let desk = Desk::open().await;
    let row = |number: u32, certificate: &str| {
        format!("440700,{number},陈样甲,99,{certificate},,310,11,1,0,440703,2020-01-01,,,,\n")
    };
    let file = desk
        .write("p.csv", &(PERSONS.to_owned() + &row(8_001, "T1") + &row(8_002, "T2") + &row(8_003, "t1")));
    let dry = Arguments { dry_run: true, yes: false, ..arguments(Kind::Persons, "register", &file) };
    let report = desk.try_import(&dry).await.unwrap();
    let warning = "line 4, column certno: the person on line 2 has the same certificate";
    assert!(report.faults.is_empty() && report.warnings.len() == 1, "{report:?}");
    assert!(report.warnings[0].starts_with(warning), "{:?}", report.warnings);

    desk.import_text(Kind::Persons, "register", &(PERSONS.to_owned() + &row(8_001, "T1"))).await;
    let report = desk
        .import_text(Kind::Persons, "register", &(PERSONS.to_owned() + &row(8_001, "T1") + &row(8_004, "T1")))
        .await;
    let told = report.warnings.join("\n");
    assert!(told.contains("line 3, column certno: the person on line 2 has"), "{told}");
    assert!(
        told.contains("line 3, column certno: 440700/…") && told.contains("of the register has"),
        "{told}"
    );
    assert!(!told.contains("8001") && !told.contains("T1"), "{told}");
    let again = desk.import_text(Kind::Persons, "register", &(PERSONS.to_owned() + &row(8_001, "T1"))).await;
    assert!(again.warnings.is_empty(), "an unchanged person is not asked about: {:?}", again.warnings);
}

#[tokio::test]
async fn a_header_is_understood_in_any_order_and_in_chinese() {
    let desk = Desk::open().await;
    let text = "\u{feff}余额,人员编号,提取时间,统筹区,备注\r\n286.05,1,2026-11-23 02:00:00,440700,x\r\n";
    desk.import_text(Kind::Persons, "register", &persons([1])).await;
    let report = desk.import_text(Kind::Balances, "bank", text).await;
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(report.warnings, ["line 1, column 备注: no such column is known: it is read past"]);
    assert_eq!(desk.facts("1").await.unwrap().person.available_balance(), Fen(28_605));
}

#[tokio::test]
async fn a_missing_column_is_told_and_a_balance_without_its_instant_is_refused() {
    let desk = Desk::open().await;
    let report = desk.import_text(Kind::Balances, "bank", "poolarea_no,psn_no,balc\n440700,1,5.00\n").await;
    assert_told(&report, &["line 1, column taken_at: the file must have this column"]);
    let text = "poolarea_no,psn_no,balc,taken_at\n440700,1,5.00,\n440700,2,5.00,2026-11-23\n440700,3,5.00,2027-01-01 00:00:00\n";
    let report = desk.import_text(Kind::Balances, "bank", text).await;
    assert_told(
        &report,
        &[
            "line 2, column taken_at: must be filled in",
            "line 3, column taken_at: expected a day and time",
            "line 4, column taken_at: expected an instant that has come",
        ],
    );
}

#[tokio::test]
async fn nothing_is_applied_when_one_row_is_bad() {
    let desk = Desk::open().await;
    let bad = persons(1..=500) + "440700,501,陈样甲,99,T501,,310,11,1,0,440703,someday,,,,\n";
    let report = desk.import_text(Kind::Persons, "register", &bad).await;
    assert_told(&report, &["line 502, column begndate"]);
    for number in ["1", "500", "501"] {
        assert!(desk.facts(number).await.is_none());
    }
}

#[tokio::test]
async fn a_person_whose_rows_do_not_stand_together_is_told_with_both_lines() {
    let desk = Desk::open().await;
    let report = desk.import_text(Kind::Persons, "register", &persons([1, 2, 1])).await;
    assert_told(
        &report,
        &["line 4: expected once in the file, with all its rows one after the other: it stands on line 2"],
    );
}

#[tokio::test]
async fn a_file_that_is_no_utf8_says_how_to_save_it() {
    let desk = Desk::open().await;
    let path = desk.folder.path().join("gbk.csv");
    let mut bytes = persons([1]).into_bytes();
    bytes.extend_from_slice(b"440700,2,\xb3\xc2,99,T2,,310,11,1,0,440703,2020-01-01,,,,\n");
    std::fs::write(&path, bytes).unwrap();
    let report = desk.import(Kind::Persons, "register", &path).await;
    assert_told(&report, &["line 3: expected UTF-8: save the file as \"CSV UTF-8\""]);
}

#[tokio::test]
async fn faults_are_listed_up_to_a_limit_and_counted_beyond_it() {
    let desk = Desk::open().await;
    let bad = (0..250).fold("poolarea_no,psn_no,balc,taken_at\n".to_owned(), |mut text, number| {
        writeln!(text, "440700,{number},x,2026-11-23 02:00:00").unwrap();
        text
    });
    let report = desk.import_text(Kind::Balances, "bank", &bad).await;
    assert_eq!((report.faults.len(), report.more_faults), (100, 150));
}

#[tokio::test]
async fn differences_are_shown_per_person_and_field_before_they_are_applied() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons(1..=20)).await;
    let changed = persons(1..=20)
        .replace("陈样甲,99,T7,", "陈样乙,99,T7,")
        .replace("10000000009,310,11", "10000000009,310,12");
    let file = desk.write("again.csv", &changed);
    let list = desk.folder.path().join("differences.csv");
    let asked = Arguments {
        yes: false,
        differences: Some(list.clone()),
        ..arguments(Kind::Persons, "register", &file)
    };
    let report = desk.try_import(&asked).await.unwrap();
    assert_eq!((report.new, report.changed, report.unchanged), (0, 2, 18));
    assert_eq!((report.applied, report.exit_code().code()), (false, 5));
    assert_eq!(report.changed_fields.into_iter().collect::<Vec<_>>(), [("insutype", 1), ("psn_name", 1)]);
    assert_eq!(report.examples[0].told, ["psn_name: 陈** → 陈**"]);
    assert!(report.examples[1].told[0].starts_with("insutype: 310 type 11 active in 440703"));
    let listed = std::fs::read_to_string(list).unwrap();
    assert!(listed.contains("440700,7,psn_name,陈**,陈**"), "{listed}");
    assert_eq!(desk.facts("7").await.unwrap().private.name, "陈样甲");

    let report = desk.import(Kind::Persons, "register", &file).await;
    assert_eq!((report.changed, report.applied), (2, true));
    assert_eq!(desk.facts("7").await.unwrap().private.name, "陈样乙");
    let nine = desk.facts("9").await.unwrap();
    assert_eq!((nine.person.register.coverages[0].person_type.as_str(), nine.version), ("12", 2));
    assert_eq!(desk.facts("8").await.unwrap().version, 1);
}

#[tokio::test]
async fn an_authority_changes_its_own_columns_only() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons(1..=3)).await;
    let police = "poolarea_no,psn_no,psn_name,insutype\n440700,1,黄样丁,\n440700,9,黄样丁,\n";
    let report = desk.import_text(Kind::Persons, "psb", police).await;
    assert_eq!(
        report.warnings,
        ["line 1, column insutype: the source does not own this column: it is read past"]
    );
    assert_eq!((report.changed, report.skipped["unknown_person"]), (1, 1));
    let civil = "poolarea_no,psn_no,psn_idet_type,idet_begndate,idet_enddate\n440700,1,2303,2026-01-01,\n440700,2,-,,\n";
    let report = desk.import_text(Kind::Persons, "civil", civil).await;
    assert_eq!((report.changed, report.unchanged), (1, 1));
    let one = desk.facts("1").await.unwrap();
    assert_eq!(one.private.name, "黄样丁");
    assert_eq!(one.private.certificate_number, "T1");
    assert_eq!(one.person.register.coverages.len(), 1);
    assert_eq!(one.person.register.assistance[0].category, "2303");
    let report = desk.import_text(Kind::Persons, "civil", &civil.replace("1,2303,2026-01-01", "1,-,")).await;
    assert_eq!(report.changed, 1);
    assert!(desk.facts("1").await.unwrap().person.register.assistance.is_empty());
    let unknown = desk.try_import(&arguments(Kind::Persons, "neighbours", &desk.write("n.csv", civil))).await;
    assert!(matches!(unknown, Err(Failed::NoSuchAuthority { .. })));
}

#[tokio::test]
async fn an_older_extract_is_left_out_and_told() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons([1, 2])).await;
    let extract = |yuan, at| format!("poolarea_no,psn_no,balc,taken_at\n440700,1,{yuan},{at}\n");
    let newer = extract("80.00", "2026-11-20 02:00:00");
    assert_eq!(desk.import_text(Kind::Balances, "bank", &newer).await.recorded, 1);
    assert_eq!(desk.import_text(Kind::Balances, "bank", &newer).await.unchanged, 1);
    let older = extract("95.00", "2026-11-19 02:00:00");
    let report = desk.import_text(Kind::Balances, "bank", &older).await;
    assert_eq!(report.skipped["older_balance"], 1);
    assert!(report.examples[0].told[0].contains("2026-11-20 02:00:00"));
    assert_eq!(desk.facts("1").await.unwrap().person.available_balance(), Fen(8_000));
}

#[tokio::test]
async fn what_happened_elsewhere_counts_once() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons([1])).await;
    let header = "source_id,poolarea_no,psn_no,kind,scheme,year,date,sign,admissions,hifp_pay,inscp_burden\n";
    let events = header.to_owned()
        + "K1,440700,1,opening,310,2026,2026-01-01,+,1,9000.00,3500.00\n"
        + "E2,440700,1,chronic_outpatient,310,2026,2026-05-04,+,0,120.00,30.00\n";
    assert_eq!(desk.import_text(Kind::Year, "core", &events).await.recorded, 2);
    assert_eq!(desk.import_text(Kind::Year, "core", &events).await.unchanged, 2);
    let withdrawn =
        header.to_owned() + "E3,440700,1,chronic_outpatient,310,2026,2026-05-04,-,0,120.00,30.00\n";
    assert_eq!(desk.import_text(Kind::Year, "core", &withdrawn).await.recorded, 1);
    let other = events.replace("9000.00", "9999.00");
    let report = desk.import_text(Kind::Year, "core", &other).await;
    assert_eq!((report.skipped["other_content"], report.unchanged), (1, 1));
    let facts = desk.facts("1").await.unwrap();
    let used = facts.person.used(Scheme::Employee, banyan::domain::calendar::BenefitYear(2026));
    assert_eq!((used.admissions, used.hifp, used.burden), (1, Fen(900_000), Fen(350_000)));
}

#[tokio::test]
async fn a_filing_is_made_once_and_ended_by_its_source() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons([1])).await;
    let header =
        "source_id,poolarea_no,psn_no,category,mdtrtarea_admdvs,begndate,enddate,made_on,ended_from\n";
    let filed = header.to_owned() + "B1,440700,1,LT_WORKER,430100,2026-01-05,,2026-01-05,\n";
    assert_eq!(desk.import_text(Kind::Filings, "core", &filed).await.recorded, 1);
    assert_eq!(desk.import_text(Kind::Filings, "core", &filed).await.unchanged, 1);
    let ended = filed.replace("2026-01-05,\n", "2026-01-05,2026-10-01\n");
    assert_eq!(desk.import_text(Kind::Filings, "core", &ended).await.recorded, 1);
    assert_eq!(desk.import_text(Kind::Filings, "core", &ended).await.unchanged, 1);
    let filings = desk.facts("1").await.unwrap().person.filings.clone();
    assert_eq!((filings.len(), filings[0].ended_from), (1, Day::from_number(20_261_001)));
    let far = desk.import_text(Kind::Filings, "core", &filed.replace("430100", "999999")).await;
    assert_told(&far, &["line 2, column mdtrtarea_admdvs: expected a region of the region table"]);
}

#[tokio::test]
async fn an_interrupted_import_is_resumed_by_running_it_again() {
    // More than the ledger's queue holds: what waits there when the import is stopped is written all the same.
    const ALL: u64 = 20_000;
    let desk = Arc::new(Desk::open().await);
    let file = desk.write("persons.csv", &persons(1..=20_000));
    let (at_work, path) = (Arc::clone(&desk), file.clone());
    let running = tokio::spawn(async move { at_work.import(Kind::Persons, "register", &path).await });
    // Rows go in by the order of a keyed hash: of forty some come early.
    let watched: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
    let any_is_in = async || {
        for number in &watched {
            if desk.facts(number).await.is_some() {
                return true;
            }
        }
        false
    };
    while !any_is_in().await {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled(), "it was over before it could be stopped");
    // A second process opens the same file, as after a kill.
    let again =
        Desk { ledger: Arc::new(open_ledger(desk.folder.path())), folder: tempfile::tempdir().unwrap() };
    let report = again.import(Kind::Persons, "register", &file).await;
    assert_eq!(report.new + report.unchanged, ALL);
    assert!(report.unchanged > 0 && report.new > 0, "{} new, {} there already", report.new, report.unchanged);
    for number in ["1", "600", "19999", "20000"] {
        assert_eq!(again.facts(number).await.unwrap().version, 1, "{number}");
    }
}

#[tokio::test]
async fn a_sandbox_province_goes_in_whole_and_a_second_time_changes_nothing() {
    let desk = Desk::open().await;
    let folder = desk.folder.path().join("province");
    let size = Size { seed: 7, persons: 3_000, codes: 200, stays: 100 };
    let written = Province::new(size, today()).write(&folder, &mut |_| {}).unwrap();
    for kind in Kind::ALL {
        let report = desk.import(kind, "register", &folder.join(file_name(kind))).await;
        assert_eq!(report.faults, Vec::<String>::new(), "{kind}");
        assert_eq!(report.warnings, Vec::<String>::new(), "{kind}");
        assert!(report.skipped.is_empty(), "{kind}: {:?}", report.skipped);
        let rows = written.iter().find(|w| w.file == file_name(kind)).unwrap().rows;
        assert!(report.entries > 0 && report.entries <= rows, "{kind}");
    }
    for kind in Kind::ALL {
        let report = desk.import(kind, "register", &folder.join(file_name(kind))).await;
        assert_eq!(report.unchanged, report.entries, "{kind}: {report:?}");
        assert_eq!(report.exit_code().code(), 0);
    }
    assert_eq!(desk.ledger.check(10).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_region_without_its_pool_and_a_catalogue_that_contradicts_itself_are_refused() {
    let desk = Desk::open().await;
    let regions = "admdvs,admdvs_name,parent_admdvs,poolarea_no,clr_optins,begndate\n448801,新区,448800,448800,448800,2026-01-01\n";
    let report = desk.import_text(Kind::Regions, "standard", regions).await;
    assert_told(&report, &["names 448800 as its pool", "names 448800 as its parent"]);
    let header = "mdtrtarea_admdvs,med_list_codg,hilist_name,chrgitm_lv,selfpay_prop,med_chrgitm_type,list_type,begndate\n";
    let rows = "440000,X1,药,01,0,09,101,2026-01-01\n440000,X2,药,03,0.5,09,101,2026-01-01\n440000,X1,药,02,0.1,09,101,2026-01-01\n";
    let report = desk.import_text(Kind::Catalogue, "bureau", &(header.to_owned() + rows)).await;
    assert_told(
        &report,
        &[
            "line 3, column selfpay_prop: X2: class C needs self-pay share 1",
            "line 4: expected once in the file",
        ],
    );
    let misspelt = header.replace("list_type", "list_type,lmt_used_flg");
    let report = desk.import_text(Kind::Catalogue, "bureau", &misspelt).await;
    assert_told(
        &report,
        &["line 1, column lmt_used_flg: no such column is known: did you mean lmt_used_flag?"],
    );
    let flagged =
        header.replace("list_type", "list_type,lmt_used_flag") + "440000,X1,药,01,0,09,101,2,2026-01-01\n";
    let report = desk.import_text(Kind::Catalogue, "bureau", &flagged).await;
    assert_told(&report, &["line 2, column lmt_used_flag: expected 0 or 1"]);
    let changed = rows.replace("X1,药,02,0.1", "X3,药,02,0.1").replace("03,0.5", "03,1");
    let report = desk.import_text(Kind::Catalogue, "bureau", &(header.to_owned() + &changed)).await;
    assert_eq!((report.new, report.applied), (3, true));
    let report = desk
        .import_text(Kind::Catalogue, "bureau", &(header.to_owned() + &changed.replace("0.1", "0.2")))
        .await;
    assert_eq!((report.changed, report.unchanged), (1, 2));
    let held = desk.ledger.reference().await.unwrap().catalogue;
    let injury: Vec<_> = held.iter().map(|(_, entry)| (&*entry.code, entry.item.injury)).collect();
    assert_eq!(
        injury,
        [("X1", true), ("X2", false), ("X3", true)],
        "as the class where the file says nothing"
    );
}

#[test]
fn the_same_seed_writes_the_same_files() {
    let size = Size { seed: 3, persons: 1_500, codes: 60, stays: 40 };
    let (first, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let written = Province::new(size, today()).write(first.path(), &mut |_| {}).unwrap();
    Province::new(size, today()).write(again.path(), &mut |_| {}).unwrap();
    for file in written {
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(&file.file)).unwrap();
        assert!(read(&first) == read(&again), "{}", file.file);
        assert!(file.rows > 0, "{}", file.file);
    }
}

#[test]
fn every_column_is_in_the_documentation() {
    let text = std::fs::read_to_string("docs/import.md").unwrap();
    for kind in Kind::ALL {
        let section = text.split("\n## ").find(|s| s.starts_with(&format!("`{kind}`"))).unwrap_or_default();
        for spec in kind.specs() {
            assert!(section.contains(&format!("| `{}` |", spec.name)), "{kind}: {}", spec.name);
            assert!(spec.aliases.iter().all(|alias| section.contains(alias)), "{kind}: {}", spec.name);
        }
    }
}

#[tokio::test]
async fn the_commands_report_in_text_or_json_and_by_their_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let province = folder.path().join("province");
    Secrets::make_in(folder.path(), Noon.now()).unwrap();
    let mut told = Vec::new();
    let sandbox = banyan::command::sandbox::Arguments {
        out: province.clone(),
        seed: 1,
        persons: 200,
        codes: 20,
        stays: 5,
        day: Some(today()),
        json: false,
    };
    assert_eq!(banyan::command::sandbox::run(&sandbox, &Noon, &mut told).code(), 0);
    assert!(String::from_utf8(told).unwrap().contains("persons.csv"));
    let with_ledger = |kind: Kind| Arguments {
        ledger: Some(folder.path().join("ledger.db")),
        keys: Some(folder.path().to_owned()),
        json: true,
        ..arguments(kind, "register", &province.join(file_name(kind)))
    };
    let run = async |arguments: &Arguments| {
        let mut out = Vec::new();
        let code = banyan::command::import::run(arguments, Arc::new(Noon), &mut out).await;
        (code.code(), String::from_utf8(out).unwrap())
    };
    let (code, text) = run(&Arguments { json: false, ..with_ledger(Kind::Persons) }).await;
    assert_eq!(code, 1);
    assert!(text.contains("expected a pooling region: the region table does not hold"), "{text}");
    assert!(text.contains("nothing was applied"), "{text}");
    let (code, text) = run(&with_ledger(Kind::Regions)).await;
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["new"], &report["applied"]), (0, &3348.into(), &true.into()));
    let (code, _) = run(&Arguments { dry_run: true, yes: false, ..with_ledger(Kind::Persons) }).await;
    assert_eq!(code, 0);
    let (code, text) = run(&Arguments { json: false, ..with_ledger(Kind::Persons) }).await;
    assert_eq!(code, 0);
    assert!(text.contains("211 entries checked; applied 211 new, 0 changed"), "{text}");
    let missing = Arguments { json: false, ..arguments(Kind::Persons, "register", Path::new("nowhere.csv")) };
    let missing = Arguments {
        ledger: with_ledger(Kind::Persons).ledger,
        keys: Some(folder.path().to_owned()),
        ..missing
    };
    let (code, text) = run(&missing).await;
    assert_eq!(code, 2);
    assert!(text.contains("nowhere.csv cannot be read"), "{text}");
}

#[tokio::test]
async fn rows_are_read_again_in_the_order_of_the_ledger_whatever_stands_round_them() {
    let desk = Desk::open().await;
    let text = "\u{feff}".to_owned()
        + &PERSONS.replace('\n', "\r\n")
        + "# a remark\r\n440700,2,\"陈,样\r\n乙\",99,T2,,310,11,1,0,440703,2020-01-01,2023-12-31,,,\r\n"
        + "# another, between two rows of one person\r\n440700,2,,,,,310,12,1,0,440703,2024-01-01,,2303,2026-01-01,\r\n\r\n"
        + "440700,1,陈样甲,99,T1,,310,11,1,0,440703,2020-01-01,,,,\r\n"
        + "440700,3,陈样丙,99,T3,,390,15,1,0,440703,2020-01-01,,,,";
    let control = desk.import_text(Kind::Persons, "register", &text).await;
    assert_told(&control, &["line 3, column psn_name: expected at most 50 characters"]);
    let late = text.replace("T3,,390,15", "T3,,390,x").replace("陈,样\r\n乙", "陈,样乙");
    let report = desk.import_text(Kind::Persons, "register", &late).await;
    assert_told(&report, &["line 8, column psn_type"]);
    let report = desk.import_text(Kind::Persons, "register", &text.replace("陈,样\r\n乙", "陈,样乙")).await;
    assert_eq!((report.new, report.faults), (3, Vec::new()));
    let two = desk.facts("2").await.unwrap();
    assert_eq!((two.private.name.as_str(), two.version), ("陈,样乙", 1));
    assert_eq!(two.person.register.coverages.len(), 2);
    assert_eq!(desk.facts("3").await.unwrap().person.register.coverages[0].insutype, "390");
}

#[tokio::test]
async fn one_person_may_have_many_events_anywhere_in_a_file() {
    let desk = Desk::open().await;
    desk.import_text(Kind::Persons, "register", &persons([1, 2])).await;
    let header = "source_id,poolarea_no,psn_no,kind,scheme,year,date,sign,hifp_pay\n".to_owned();
    let events = (0..400).fold(header, |mut text, at| {
        writeln!(text, "E{at},440700,{},chronic_outpatient,310,2026,2026-05-04,+,1.00", at % 2 + 1).unwrap();
        text
    });
    assert_eq!(desk.import_text(Kind::Year, "core", &events).await.recorded, 400);
    let used = desk.facts("1").await.unwrap();
    let used = used.person.used(Scheme::Employee, banyan::domain::calendar::BenefitYear(2026));
    assert_eq!(used.hifp, Fen(20_000));
}
