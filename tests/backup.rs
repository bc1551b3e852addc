//! `banyan backup` and `banyan restore`, as somebody at a terminal uses them: beside a writer, to any anchor, with
//! everything that can be wrong with a folder, and killed in the middle.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod terminal;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;

use banyan::domain::calendar::Instant;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::ledger::Ledger as _;
use banyan::ledger::LookUp;
use banyan::ledger::Who;
use banyan::ledger::secrets::Secrets;
use banyan::ledger::sqlite::Settings;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::vault::key_store::Class;

use crate::terminal::Left;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

/// A ledger with the folder of its backup.
struct Kept {
    left: Left,
}

impl Kept {
    fn new() -> Kept {
        Kept { left: Left::by_a_demonstration() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.left.folder.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn back_up(&self) -> Output {
        banyan(&["backup", "--config", &self.left.config, "--to", &self.name("backup")])
    }

    /// What the last anchor is after a backup that must succeed.
    fn backed_up(&self) -> String {
        let done = self.back_up();
        assert_eq!(code(&done), 0, "{}", told(&done));
        head_in(&done)
    }

    fn files(&self) -> Vec<PathBuf> {
        whole_files(&self.path("backup"))
    }

    fn verify_backup(&self) -> Output {
        banyan(&["verify", "--config", &self.left.config, "--backup", &self.name("backup")])
    }

    fn verify(&self, ledger: &str) -> Output {
        banyan(&["verify", "--config", &self.left.config, "--ledger", ledger])
    }

    fn restore(&self, to: &str, more: &[&str]) -> Output {
        let (folder, to) = (self.name("backup"), self.name(to));
        let usual = ["restore", &folder, "--config", &self.left.config, "--to", &to];
        banyan(&[usual.as_slice(), more].concat())
    }

    fn import_command(&self, config: &str, numbers: std::ops::Range<u32>) -> Command {
        let file = self.path(&format!("persons-{}.csv", numbers.start));
        let header = "poolarea_no,psn_no,psn_name,psn_cert_type,certno,insutype,psn_type,psn_insu_stas,cvlserv_flag,insuplc_admdvs,begndate\n";
        let text = numbers.fold(header.to_owned(), |mut text, number| {
            writeln!(text, "440700,{number},陈样甲,99,T{number},310,11,1,0,440703,2020-01-01").unwrap();
            text
        });
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.args(["import", "--kind", "persons", "--source", "register", "--yes", "--config", config]);
        command.arg(file);
        command
    }

    fn import(&self, config: &str, numbers: std::ops::Range<u32>) {
        let done = self.import_command(config, numbers).output().unwrap();
        assert_eq!(code(&done), 0, "{}", told(&done));
    }

    /// The settings with another ledger.
    fn settings_with(&self, ledger: &str) -> String {
        let text = fs::read_to_string(&self.left.config).unwrap();
        let text = text.replace("\"data/ledger.db\"", &format!("\"{}\"", self.name(ledger)));
        let path = self.path("province/other.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A full file and two increments.
    fn with_three_files() -> Kept {
        let kept = Kept::new();
        kept.backed_up();
        for from in [1_000, 2_000] {
            kept.import(&kept.left.config, from..from + 150);
            kept.backed_up();
        }
        assert_eq!(kept.files().len(), 3);
        kept
    }
}

fn whole_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "backup")).collect();
    files.sort();
    files
}

fn head_in(output: &Output) -> String {
    let text = told(output);
    let line = text.lines().find_map(|line| line.strip_prefix("last anchor: "));
    line.unwrap_or_else(|| panic!("no last anchor in: {text}")).to_owned()
}

fn number_of(head: &str) -> u64 {
    head.split_once(':').unwrap().0.parse().unwrap()
}

fn number(file: &Path, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(file).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|cause| panic!("{sql}: {cause}"))
}

/// Every row of a table as text.
fn rows(file: &Path, table: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(file).unwrap();
    let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<Result<Vec<_>, _>>()
    });
    let mut rows: Vec<String> = rows.unwrap().map(|row| row.unwrap().join(" ")).collect();
    rows.sort();
    rows
}

#[test]
fn a_restored_ledger_is_the_one_that_was_backed_up_row_by_row_and_goes_on() {
    let kept = Kept::new();
    let head = kept.backed_up();
    let checked = kept.verify_backup();
    assert_eq!((code(&checked), head_in(&checked)), (0, head.clone()), "{}", told(&checked));
    let restored = kept.restore("restored.db", &[]);
    assert_eq!((code(&restored), head_in(&restored)), (0, head.clone()), "{}", told(&restored));
    let ledger = kept.path("restored.db");
    for table in [
        "meta",
        "record",
        "reference_record",
        "block",
        "anchor",
        "anchored",
        "person",
        "stay",
        "message",
        "settlement",
        "credential",
        "region",
        "institution",
        "catalogue_entry",
        "pack",
    ] {
        assert_eq!(rows(&ledger, table), rows(&kept.left.ledger(), table), "{table}");
    }
    assert!(number(&ledger, "SELECT COUNT(*) FROM message") > 20);

    let lanes = number(&kept.left.ledger(), "SELECT MAX(lane) FROM lane");
    let other = kept.settings_with("restored.db");
    kept.import(&other, 1..20);
    let first_after = number(&ledger, "SELECT MIN(lane) FROM record WHERE person = '440700/7'");
    assert!(first_after > lanes, "lane {first_after} was used before");
    let sound = kept.verify(&kept.name("restored.db"));
    assert_eq!(code(&sound), 0, "{}", told(&sound));
    // It is the same history, so its next backup goes on in the same folder.
    let next = banyan(&["backup", "--config", &other, "--to", &kept.name("backup")]);
    assert_eq!((code(&next), kept.files().len()), (0, 2), "{}", told(&next));
    // The old ledger does not lead there.
    let apart = kept.back_up();
    assert_eq!(code(&apart), 1);
    assert!(told(&apart).contains("to which this ledger does not lead"), "{}", told(&apart));
}

#[test]
fn every_anchor_can_be_restored_from_a_full_file_and_increments() {
    let kept = Kept::with_three_files();
    let nothing = kept.back_up();
    assert_eq!((code(&nothing), kept.files().len()), (0, 3));
    assert!(told(&nothing).contains("nothing is new"), "{}", told(&nothing));
    let last = number_of(&head_in(&nothing));
    let original = kept.left.ledger();
    for anchor in 1..=last {
        let to = format!("at-{anchor}.db");
        let restored = kept.restore(&to, &["--anchor", &anchor.to_string(), "--yes", "--json"]);
        assert_eq!(code(&restored), 0, "{}", told(&restored));
        let found: serde_json::Value = serde_json::from_slice(&restored.stdout).unwrap();
        let covered =
            format!("SELECT SUM(last_sequence - first_sequence + 1) FROM anchored WHERE anchor <= {anchor}");
        assert_eq!(found["records"], number(&original, &covered), "anchor {anchor}");
        assert!(found["head"].as_str().unwrap().starts_with(&format!("{anchor}:")), "{found}");
        let lanes = "SELECT MAX(lane) FROM lane";
        assert_eq!(number(&kept.path(&to), lanes), number(&original, lanes), "none is taken twice");
    }
    let none = kept.restore("none.db", &["--anchor", &(last + 1).to_string()]);
    assert_eq!(code(&none), 1);
    assert!(told(&none).contains(&format!("its last is {last}")), "{}", told(&none));
}

#[test]
fn a_restore_that_would_lose_settlements_says_how_many_and_asks() {
    let kept = Kept::new();
    let head = kept.backed_up();
    let settled = kept.left.settlements().len();
    let asked = kept.restore("restored.db", &["--anchor", "1"]);
    assert_eq!(code(&asked), 5, "{}", told(&asked));
    let lost = number(
        &kept.left.ledger(),
        "SELECT COUNT(*) FROM record r JOIN anchored a ON a.lane = r.lane
             AND r.lane_sequence BETWEEN a.first_sequence AND a.last_sequence
         WHERE a.anchor > 1 AND r.kind IN ('settled', 'reversed', 'revived')",
    );
    assert!(lost > 0 && lost.unsigned_abs() <= settled as u64, "{lost} of {settled}");
    assert!(
        told(&asked).contains(&format!("{lost} settlements, reversals and revivals")),
        "{}",
        told(&asked)
    );
    assert!(!kept.path("restored.db").exists());

    // Without the ledger, a witness tells that something is lacking.
    fs::remove_file(kept.left.ledger()).unwrap();
    let (number, hash) = (number_of(&head), head.split_once(':').unwrap().1);
    let witness = format!("{}:{hash}", number + 4);
    let asked = kept.restore("restored.db", &["--witness", &witness]);
    assert_eq!(code(&asked), 5, "{}", told(&asked));
    assert!(told(&asked).contains(&format!("what 4 anchors behind {number} cover")), "{}", told(&asked));
    let wrong = format!("{number}:{}", "0".repeat(64));
    let refused = kept.restore("restored.db", &["--witness", &wrong]);
    assert_eq!((code(&refused), kept.path("restored.db").exists()), (1, false), "{}", told(&refused));
    let unknown = kept.restore("unknown.db", &[]);
    assert_eq!(code(&unknown), 0);
    assert!(told(&unknown).contains("nobody can say what came after"), "{}", told(&unknown));
    let restored = kept.restore("restored.db", &["--witness", &head]);
    assert_eq!((code(&restored), head_in(&restored)), (0, head), "{}", told(&restored));
}

#[test]
fn a_backup_beside_two_writers_is_whole_and_what_was_added_meanwhile_is_in_the_next() {
    let kept = Kept::new();
    let mut writers = [10_000..14_000, 20_000..24_000].map(|numbers| {
        let mut writer = kept.import_command(&kept.left.config, numbers);
        writer.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    });
    while writers.iter_mut().any(|writer| writer.try_wait().unwrap().is_none()) {
        kept.backed_up();
    }
    assert!(writers.iter_mut().all(|writer| writer.wait().unwrap().success()));
    assert!(kept.files().len() > 2, "{} files beside the writer", kept.files().len());
    kept.backed_up();
    let restored = kept.restore("restored.db", &[]);
    assert_eq!(code(&restored), 0, "{}", told(&restored));
    for table in ["record", "person", "message", "credential"] {
        assert_eq!(rows(&kept.path("restored.db"), table), rows(&kept.left.ledger(), table), "{table}");
    }
}

#[test]
fn a_master_can_be_given_up_after_a_backup_under_the_next_one() {
    let kept = Kept::with_three_files();
    let config = ["--config", kept.left.config.as_str()];
    let keys = |words: &[&str]| {
        let done = banyan(&[&["keys"], words, &config, &["--yes"]].concat());
        assert_eq!(code(&done), 0, "{}", told(&done));
    };
    keys(&["make", "--next"]);
    keys(&["rotate"]);
    let wrapped = kept.back_up();
    assert_eq!((code(&wrapped), kept.files().len()), (0, 3));
    assert!(told(&wrapped).contains("the keys of 3 files are wrapped"), "{}", told(&wrapped));
    fs::rename(kept.path("province/keys/master-next.key"), kept.path("province/keys/master.key")).unwrap();
    let whole = kept.verify_backup();
    assert_eq!(code(&whole), 0, "{}", told(&whole));
    assert!(told(&kept.back_up()).starts_with("nothing is new"));

    // A folder that waited too long is not gone on with: nobody could read its beginning.
    let late = Kept::new();
    late.backed_up();
    fs::copy(kept.path("province/keys/master.key"), late.path("province/keys/master.key")).unwrap();
    fs::copy(kept.path("province/keys/store.json"), late.path("province/keys/store.json")).unwrap();
    let refused = late.back_up();
    assert_eq!((code(&refused), late.files().len()), (2, 1));
    assert!(told(&refused).contains("needs master key"), "{}", told(&refused));
}

/// Something that is done to the three files of a folder.
type Harm = fn(&[PathBuf]);

fn edited(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn whatever_is_done_to_a_folder_is_found_named_and_nothing_is_restored() {
    let kept = Kept::with_three_files();
    let sound: Vec<(PathBuf, Vec<u8>)> =
        kept.files().into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    let table: [(&str, Harm, i32, &str); 14] = [
        ("a cut end", |files| edited(&files[1], |all| all.truncate(all.len() - 1)), 1, "is cut off in chunk"),
        (
            "a cut to the beginning",
            |files| edited(&files[2], |all| all.truncate(700)),
            1,
            "is cut off in chunk 0",
        ),
        ("nothing left of it", |files| edited(&files[2], Vec::clear), 1, "is not a backup"),
        (
            "a byte changed",
            |files| edited(&files[0], |all| *all.last_mut().unwrap() ^= 1),
            1,
            "was changed in chunk",
        ),
        ("a byte more", |files| edited(&files[1], |all| all.push(0)), 1, "goes on behind its end"),
        (
            "facts changed",
            |files| edited(&files[1], |all| swap(all, "\"floor_ms\":0", "\"floor_ms\":1")),
            1,
            "was changed in chunk 0",
        ),
        (
            "a range changed",
            |files| edited(&files[1], |all| swap(all, "\"to\":", "\"to\":1")),
            1,
            "has another name",
        ),
        (
            "another form",
            |files| edited(&files[1], |all| swap(all, "backup-1", "backup-2")),
            2,
            "use a newer version",
        ),
        (
            "another master",
            |files| edited(&files[1], |all| swap(all, "\"master\":\"", "\"master\":\"0")),
            2,
            "needs master key 0",
        ),
        (
            "another file's key",
            |files| {
                let lines = |path: &PathBuf| {
                    fs::read(path).unwrap().split(|byte| *byte == b'\n').nth(1).unwrap().to_vec()
                };
                let (own, other) = (lines(&files[1]), lines(&files[2]));
                edited(&files[1], |all| {
                    let at = memchr::memmem::find(all, &own).unwrap();
                    all[at..at + own.len()].copy_from_slice(&other);
                });
            },
            2,
            "carries a key that was changed",
        ),
        (
            "another file's body",
            |files| {
                let other = fs::read(&files[2]).unwrap();
                edited(&files[1], |all| {
                    let body = |bytes: &[u8]| {
                        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1
                    };
                    let (from, own) = (body(&other), body(all));
                    all.truncate(own);
                    all.extend_from_slice(&other[from..]);
                });
            },
            1,
            "was changed in chunk 0",
        ),
        (
            "the first is missing",
            |files| fs::remove_file(&files[0]).unwrap(),
            1,
            "lacks the file of anchors 1 to",
        ),
        (
            "one between is missing",
            |files| fs::remove_file(&files[1]).unwrap(),
            1,
            "lacks the file of anchors",
        ),
        (
            "two names exchanged",
            |files| {
                let other = fs::read(&files[2]).unwrap();
                fs::rename(&files[1], &files[2]).unwrap();
                fs::write(&files[1], other).unwrap();
            },
            1,
            "has another name",
        ),
    ];
    for (what, harm, expected, words) in table {
        harm(&sound.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>());
        for output in [kept.verify_backup(), kept.restore("restored.db", &["--yes"])] {
            assert_eq!(code(&output), expected, "{what}: {}", told(&output));
            assert!(told(&output).contains(words), "{what}: {}", told(&output));
            assert_eq!(told(&output).trim().lines().count(), 1, "{what}: {}", told(&output));
        }
        let left = fs::read_dir(kept.left.folder.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("restored")), "{what}: {left:?}");
        sound.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }
    // A gap is not gone on from.
    fs::remove_file(&sound[1].0).unwrap();
    kept.import(&kept.left.config, 5_000..5_010);
    let refused = kept.back_up();
    assert_eq!((code(&refused), kept.files().len()), (1, 2), "{}", told(&refused));
    assert!(told(&refused).contains("lacks the file of anchors"), "{}", told(&refused));
}

fn swap(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let at = memchr::memmem::find(bytes, from.as_bytes()).unwrap_or_else(|| panic!("no {from}"));
    bytes.splice(at..at + from.len(), to.bytes());
}

#[test]
fn a_damaged_ledger_makes_no_backup_and_another_gateway_s_folder_is_left_alone() {
    let kept = Kept::new();
    kept.backed_up();
    let other = Kept::new();
    let refused = banyan(&["backup", "--config", &other.left.config, "--to", &kept.name("backup")]);
    assert_eq!((code(&refused), kept.files().len()), (1, 1));
    assert!(told(&refused).contains("is of another ledger"), "{}", told(&refused));
    let keys = banyan(&[
        "restore",
        &kept.name("backup"),
        "--config",
        &other.left.config,
        "--to",
        &other.name("r.db"),
        "--yes",
    ]);
    assert_eq!((code(&keys), other.path("r.db").exists()), (2, false), "{}", told(&keys));
    assert!(told(&keys).contains("look-up key"), "{}", told(&keys));

    let db = rusqlite::Connection::open(other.left.ledger()).unwrap();
    db.execute_batch("UPDATE record SET at_ms = at_ms + 1 WHERE kind = 'settled'").unwrap();
    drop(db);
    let damaged = other.back_up();
    assert_eq!((code(&damaged), other.files().len()), (1, 0));
    assert!(told(&damaged).contains("it is not what was sealed"), "{}", told(&damaged));
    let unfinished = fs::read_dir(other.path("backup")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(unfinished.collect::<Vec<_>>(), [".lock"], "nothing is left of it");
}

#[test]
fn a_restore_onto_a_ledger_or_what_is_left_of_one_touches_nothing() {
    let kept = Kept::new();
    kept.backed_up();
    let before = fs::read(kept.left.ledger()).unwrap();
    let refused = kept.restore("province/data/ledger.db", &["--yes"]);
    assert_eq!(code(&refused), 1);
    assert!(told(&refused).contains("is there already"), "{}", told(&refused));
    assert!(fs::read(kept.left.ledger()).unwrap() == before, "the ledger was touched");
    // SQLite would take the log of a ledger that is gone for a part of the new file.
    fs::write(kept.path("restored.db-wal"), "left").unwrap();
    let refused = kept.restore("restored.db", &["--yes"]);
    assert_eq!((code(&refused), kept.path("restored.db").exists()), (1, false));
    assert!(told(&refused).contains("restored.db-wal is there already"), "{}", told(&refused));
    let empty = banyan(&[
        "restore",
        &kept.name("nowhere"),
        "--config",
        &kept.left.config,
        "--to",
        &kept.name("r.db"),
    ]);
    assert_eq!((code(&empty), kept.path("nowhere").exists()), (2, false));
    assert!(told(&empty).contains("holds no backup"), "{}", told(&empty));
}

/// Kills it as soon as a file is there.
fn killed_at(mut child: Child, file: impl Fn() -> bool) {
    while !file() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn started(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_kill_leaves_no_half_file_that_could_be_taken_for_a_whole_one() {
    let kept = Kept::new();
    kept.import(&kept.left.config, 10_000..14_000);
    let unfinished = || {
        let names = fs::read_dir(kept.path("backup")).into_iter().flatten();
        names.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".unfinished"))
    };
    for _ in 0..3 {
        let backup = started(&["backup", "--config", &kept.left.config, "--to", &kept.name("backup")]);
        killed_at(backup, unfinished);
        assert_eq!(kept.files(), Vec::<PathBuf>::new());
    }
    let head = kept.backed_up();
    assert!(!unfinished(), "what was left is gone");
    for _ in 0..3 {
        let (folder, to) = (kept.name("backup"), kept.name("restored.db"));
        let restore = started(&["restore", &folder, "--config", &kept.left.config, "--to", &to]);
        killed_at(restore, || kept.path("restored.db.restoring").exists());
        assert!(!kept.path("restored.db").exists());
    }
    let restored = kept.restore("restored.db", &[]);
    assert_eq!((code(&restored), head_in(&restored)), (0, head), "{}", told(&restored));
    let names = fs::read_dir(kept.left.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("restoring")).collect();
    assert!(left.is_empty(), "{left:?}");
}

async fn name_kept_in(ledger: &Path, keys: &Path) -> String {
    let secrets = Secrets::open_in(keys).unwrap();
    let now = Arc::new(|| Instant(1_795_480_200_000));
    let ledger = SqliteLedger::open(ledger, Settings::default(), secrets, now).unwrap();
    let person = PersonKey::parse(RegionCode(440_700), "1000").unwrap();
    let wanted = LookUp { key: None, who: Who::Person(person), lines: false, settlement: None, about: None };
    ledger.look_up(wanted).await.unwrap().facts.unwrap().private.name.clone()
}

#[tokio::test]
async fn a_backup_does_not_bring_back_what_was_forgotten_and_its_seals_stay_whole() {
    let kept = Kept::new();
    kept.import(&kept.left.config, 1_000..1_010);
    kept.backed_up();
    let keys = kept.path("province/keys");
    assert_eq!(code(&kept.restore("before.db", &[])), 0);
    assert_eq!(name_kept_in(&kept.path("before.db"), &keys).await, "陈样甲");
    assert!(number(&kept.path("before.db"), "SELECT COUNT(*) FROM credential") > 0);

    let store = Secrets::open_in(&keys).unwrap().keys;
    let months = store.inventory().data.into_iter().filter(|key| key.class == Class::Contact);
    months.for_each(|key| drop(store.destroy(Class::Contact, key.month).unwrap()));
    let whole = kept.verify_backup();
    assert_eq!(code(&whole), 0, "{}", told(&whole));
    let restored = kept.restore("after.db", &[]);
    assert_eq!(code(&restored), 0, "{}", told(&restored));
    assert_eq!(name_kept_in(&kept.path("after.db"), &keys).await, "");
    assert_eq!(number(&kept.path("after.db"), "SELECT COUNT(*) FROM credential"), 0);
    assert_eq!(rows(&kept.path("after.db"), "settlement"), rows(&kept.left.ledger(), "settlement"));
}
