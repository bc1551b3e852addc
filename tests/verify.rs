//! `banyan verify` and `banyan receipt`, as somebody at a terminal uses them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod terminal;

use std::fs;

use crate::terminal::Left;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

#[test]
fn the_receipt_in_the_documentation_is_proven_by_its_key_and_by_no_change_of_it() {
    const RECEIPT: &str = "docs/examples/receipt.json";
    const KEY: &str = "docs/examples/signing-keys.pem";
    let good = banyan(&["verify", RECEIPT, "--key", KEY]);
    assert_eq!(code(&good), 0, "{}", told(&good));
    assert!(
        told(&good).contains("8076.51") && told(&good).contains("was recorded 2026-11-26"),
        "{}",
        told(&good)
    );
    let document = fs::read_to_string("docs/seals.md").unwrap();
    for line in told(&good).lines() {
        assert!(document.contains(line), "the page shows another answer: {line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let forged = folder.path().join("forged.json");
    let text = fs::read_to_string(RECEIPT).unwrap();
    fs::write(&forged, text.replace("psn_cash_pay\\\":174223", "psn_cash_pay\\\":74223")).unwrap();
    let refused = banyan(&["verify", forged.to_str().unwrap(), "--key", KEY]);
    assert_eq!(code(&refused), 1);
    assert!(told(&refused).contains("was changed"), "{}", told(&refused));
    let json = banyan(&["verify", forged.to_str().unwrap(), "--key", KEY, "--json"]);
    assert!(told(&json).contains("\"proven\":false"), "{}", told(&json));
}

#[test]
fn a_ledger_is_proven_a_change_behind_its_back_is_told_and_a_witness_catches_a_cut() {
    let left = Left::by_a_demonstration();
    let sound = banyan(&["verify", "--config", &left.config, "--json"]);
    assert_eq!(code(&sound), 0, "{}", told(&sound));
    let found: serde_json::Value = serde_json::from_slice(&sound.stdout).unwrap();
    assert_eq!(found["tail"], 0, "the gateway was stopped in order");
    let head = banyan(&["verify", "--config", &left.config, "--head"]);
    let head = String::from_utf8(head.stdout).unwrap().trim().to_owned();
    assert_eq!(found["head"], head.as_str());
    let held = banyan(&["verify", "--config", &left.config, "--witness", &head]);
    assert_eq!(code(&held), 0, "{}", told(&held));

    let db = rusqlite::Connection::open(left.ledger()).unwrap();
    db.execute_batch("UPDATE record SET msgid = msgid || '0' WHERE kind = 'settled'").unwrap();
    drop(db);
    let changed = banyan(&["verify", "--config", &left.config]);
    assert_eq!(code(&changed), 1, "{}", told(&changed));
    assert!(told(&changed).contains("it is not what was sealed"), "{}", told(&changed));
    let db = rusqlite::Connection::open(left.ledger()).unwrap();
    db.execute_batch("DELETE FROM anchored; DELETE FROM anchor").unwrap();
    drop(db);
    let cut = banyan(&["verify", "--config", &left.config, "--witness", &head]);
    assert_eq!(code(&cut), 1);
    assert!(told(&cut).contains("the end was cut off"), "{}", told(&cut));
}

/// In a file records are come by through the tree of their persons, which no seal covers.
#[test]
fn a_file_in_which_a_record_cannot_be_come_by_or_only_as_another_one_is_told() {
    let left = Left::by_a_demonstration();
    let persons: Vec<String> = {
        let db = rusqlite::Connection::open(left.ledger()).unwrap();
        let mut persons = db.prepare("SELECT DISTINCT person FROM person").unwrap();
        persons.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let table = [
        (
            "INSERT INTO record SELECT bucket, person, version + 100, stay, stay_version, kind, at_ms, lane, 9999,
                 institution, infno, msgid, keyed, format, told, body, private, commitment, NULL
             FROM record WHERE kind = 'settled' LIMIT 1",
            "are held by no person",
        ),
        (
            "PRAGMA ignore_check_constraints = ON;
             INSERT INTO record SELECT bucket, person, version + 100, stay, stay_version, kind, at_ms, lane, 9999,
                 institution, infno, msgid, keyed, format, told, body, private, commitment, 0
             FROM record WHERE kind = 'settled' LIMIT 1",
            "a record stands at place 0",
        ),
        (
            "PRAGMA ignore_check_constraints = ON; UPDATE record SET record_place = -3 WHERE record_place = 5;
             UPDATE person SET record_place = -3 WHERE record_place = 5",
            "a record stands at place -3",
        ),
        (
            "INSERT INTO person (bucket, person, record_version, record_place)
             SELECT bucket, person, 1000, 1000000 FROM person LIMIT 1",
            "1 places of persons lead to no record",
        ),
        // One fault does not hide another.
        (
            "INSERT INTO record SELECT bucket, person, version + 100, stay, stay_version, kind, at_ms, lane, 9999,
                 institution, infno, msgid, keyed, format, told, body, private, commitment, NULL
             FROM record WHERE kind = 'settled' LIMIT 1;
             INSERT INTO person (bucket, person, record_version, record_place)
             SELECT bucket, person, 1000, 1000000 FROM person LIMIT 1",
            "are held by no person",
        ),
        ("DROP VIEW record_of", "open it with the version that did, or restore its backup"),
        ("DELETE FROM person WHERE record_version = 2 AND person = (SELECT MIN(person) FROM person)", "is missing"),
        (
            "UPDATE person SET record_place = (SELECT o.record_place FROM person o
                 WHERE o.person = person.person AND o.record_version = 3 - person.record_version)
             WHERE record_version < 3 AND person = (SELECT MIN(person) FROM person)",
            "it is found as another one",
        ),
    ];
    for (sql, words) in table {
        let altered = left.folder.path().join("altered.db");
        let _absent = fs::remove_file(&altered);
        let db = rusqlite::Connection::open(left.ledger()).unwrap();
        db.execute("VACUUM INTO ?1", [altered.to_str().unwrap()]).unwrap();
        let db = rusqlite::Connection::open(&altered).unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        let altered = altered.to_str().unwrap();
        let told_of = banyan(&["verify", "--config", &left.config, "--ledger", altered]);
        assert_ne!(code(&told_of), 0, "{sql}: {}", told(&told_of));
        assert!(told(&told_of).contains(words), "{sql}: {}", told(&told_of));
        let named = persons.iter().find(|person| told(&told_of).contains(person.as_str()));
        assert_eq!(named, None, "{sql}: {}", told(&told_of));
    }
}

#[test]
fn every_settlement_has_a_receipt_that_another_gateway_s_key_does_not_prove() {
    let left = Left::by_a_demonstration();
    let keys = left.folder.path().join("keys.pem");
    fs::write(&keys, banyan(&["keys", "export", "--config", &left.config]).stdout).unwrap();
    let settlements = left.settlements();
    assert!(settlements.len() > 5, "{settlements:?}");
    for id in &settlements {
        let receipt = left.folder.path().join("receipt.json");
        let given = banyan(&["receipt", id, "--config", &left.config]);
        assert_eq!(code(&given), 0, "{}", told(&given));
        fs::write(&receipt, given.stdout).unwrap();
        let proven = banyan(&["verify", receipt.to_str().unwrap(), "--key", keys.to_str().unwrap()]);
        assert_eq!(code(&proven), 0, "{}", told(&proven));
        assert!(told(&proven).contains(id.as_str()));
        let other = banyan(&["verify", receipt.to_str().unwrap(), "--key", "docs/examples/signing-keys.pem"]);
        assert_eq!(code(&other), 1);
        assert!(told(&other).contains("another gateway's"), "{}", told(&other));
    }
}

#[test]
fn each_wrong_input_has_one_clear_sentence() {
    let left = Left::by_a_demonstration();
    let (config, folder) = (left.config.as_str(), left.folder.path());
    let empty = folder.join("empty");
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    let table: [(&[&str], i32, &str); 8] = [
        (&["verify", "--config", "nowhere.toml"], 2, "nowhere.toml"),
        (&["verify", "--config", config, "--ledger", "nowhere.db"], 3, "could not find its file"),
        (&["verify", "--config", config, "--witness", "9"], 2, "a number, a colon and 64 hexadecimal digits"),
        (&["verify", "nowhere.json", "--config", config], 3, "nowhere.json cannot be read"),
        (&["verify", empty, "--config", config], 1, "is not a receipt"),
        (&["verify", empty, "--key", empty], 2, "holds no public key in PEM"),
        (&["receipt", "none", "--config", config], 1, "knows no settlement none"),
        (&["receipt", "none", "--config", "nowhere.toml"], 2, "nowhere.toml"),
    ];
    for (arguments, expected, words) in table {
        let output = banyan(arguments);
        assert_eq!((code(&output), output.stdout.len()), (expected, 0), "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(words), "{arguments:?}: {}", told(&output));
    }
}
