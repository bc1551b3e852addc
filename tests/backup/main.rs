//! `banyan backup` and `banyan restore`, as somebody at a terminal uses them: beside a writer, to any anchor, with
//! everything that can be wrong with a folder, and killed in the middle.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod by_password;
mod harm;
mod kept;
mod killed;
mod moved;
#[path = "../terminal/mod.rs"]
mod terminal;

use std::fs;
use std::path::Path;
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

use crate::kept::Kept;
use crate::kept::TABLES;
use crate::kept::head_in;
use crate::kept::number;
use crate::kept::number_of;
use crate::kept::rows;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

#[test]
fn a_restored_ledger_is_the_one_that_was_backed_up_row_by_row_and_goes_on() {
    let kept = Kept::new();
    let head = kept.backed_up();
    let checked = kept.verify_backup();
    assert_eq!((code(&checked), head_in(&checked)), (0, head.clone()), "{}", told(&checked));
    let restored = kept.restore("restored.db", &[]);
    assert_eq!((code(&restored), head_in(&restored)), (0, head.clone()), "{}", told(&restored));
    let ledger = kept.path("restored.db");
    for table in TABLES {
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
    // Once it has gone another way as far, nobody can count what is lost.
    let end = number_of(&head_in(&kept.verify_backup()));
    let mut persons = (100..).step_by(10);
    while number(&kept.left.ledger(), "SELECT MAX(number) FROM anchor").unsigned_abs() < end {
        let first = persons.next().unwrap();
        kept.import(&kept.left.config, first..first + 10);
    }
    let asked = kept.restore("third.db", &[]);
    assert_eq!((code(&asked), kept.path("third.db").exists()), (5, false), "{}", told(&asked));
    assert!(told(&asked).contains("does not lead to the anchors of this backup"), "{}", told(&asked));
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

    // One that cannot be read may have had more.
    for left in ["-wal", "-shm"] {
        let _absent = fs::remove_file(kept.path(&format!("province/data/ledger.db{left}")));
    }
    fs::write(kept.left.ledger(), "no ledger any more").unwrap();
    let asked = kept.restore("restored.db", &[]);
    assert_eq!((code(&asked), kept.path("restored.db").exists()), (5, false), "{}", told(&asked));
    assert!(told(&asked).contains("cannot be read, so nobody can say"), "{}", told(&asked));

    // Without the ledger, a witness tells that something is lacking.
    fs::remove_file(kept.left.ledger()).unwrap();
    let (number, hash) = (number_of(&head), head.split_once(':').unwrap().1);
    let witness = format!("{}:{hash}", number + 4);
    let asked = kept.restore("restored.db", &["--witness", &witness]);
    assert_eq!(code(&asked), 5, "{}", told(&asked));
    assert!(told(&asked).contains(&format!("what 4 anchors behind {number} cover")), "{}", told(&asked));
    let wrong = format!("{number}:{}", "0".repeat(64));
    for (kept_elsewhere, expected, words) in [
        (&head, 0, "✓ whole"),
        (&witness, 1, "there is no anchor"),
        (&wrong, 1, "another one than the witnessed"),
    ] {
        let (config, folder) = (kept.left.config.as_str(), kept.name("backup"));
        let held = banyan(&["verify", "--config", config, "--backup", &folder, "--witness", kept_elsewhere]);
        assert_eq!(code(&held), expected, "{}", told(&held));
        assert!(told(&held).contains(words), "{}", told(&held));
    }
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
    // A machine can end a round of writers before it ends a backup; then another round follows.
    let mut first = 10_000;
    while kept.files().len() < 3 {
        let mut writers = [first, first + 2_000].map(|first| {
            let mut writer = kept.import_command(&kept.left.config, first..first + 2_000);
            writer.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        });
        while writers.iter_mut().any(|writer| writer.try_wait().unwrap().is_none()) {
            kept.backed_up();
        }
        assert!(writers.iter_mut().all(|writer| writer.wait().unwrap().success()));
        first += 4_000;
    }
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

async fn name_kept_in(ledger: &Path, keys: &Path) -> String {
    let secrets = Secrets::open_in(keys).unwrap();
    let now = Arc::new(|| Instant(1_795_480_200_000));
    let ledger = SqliteLedger::open(ledger, Settings::default(), secrets, now).unwrap();
    let person = PersonKey::parse(RegionCode(440_700), "1000").unwrap();
    let wanted = LookUp::of(Who::Person(person));
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
