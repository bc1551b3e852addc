//! `banyan verify` and `banyan receipt`, as somebody at a terminal uses them, and what a ledger's files give away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod terminal;

use std::fs;
use std::path::Path;

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

/// Forms in which a text may lie in a file: as it is, as UTF-16, and as base64 at each of three alignments.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let wide: Vec<u16> = text.encode_utf16().collect();
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        wide.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        wide.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
    ];
    forms.extend((0..3).map(|skip| base64_within(&text.as_bytes()[skip..])));
    forms
}

/// What stands in a base64 text wherever these bytes begin at a multiple of three: whole groups only.
fn base64_within(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.as_chunks::<3>().0.iter();
    groups
        .flat_map(|[a, b, c]| {
            let bits = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
            [18, 12, 6, 0].map(|shift| DIGITS[usize::try_from(bits >> shift & 63).unwrap()])
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The people of the story are in the register's files and nowhere in what the program made of them.
#[test]
fn nothing_of_a_person_stands_in_clear_in_what_a_gateway_writes() {
    let left = Left::by_a_demonstration();
    let province = left.folder.path().join("province");
    let backup = province.join("data/backup");
    let made = banyan(&["backup", "--config", &left.config, "--to", backup.to_str().unwrap()]);
    assert_eq!(code(&made), 0, "{}", told(&made));
    let register = fs::read_to_string(province.join("province/persons.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(register.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|title| title == name).unwrap();
    let columns = ["psn_name", "certno", "tel", "card_no"].map(column);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut markers: Vec<String> = rows
        .iter()
        .take(20)
        .flat_map(|row| columns.map(|at| row[at].to_owned()))
        .filter(|text| text.len() > 5)
        .collect();
    markers.extend(["沙盒样本诊断".to_owned(), "SBX.001".to_owned()]);
    assert!(markers.len() > 40, "{markers:?}");
    let written: Vec<_> = files_below(&province.join("data")).into_iter().collect();
    assert!(written.iter().any(|path| path.ends_with("ledger.db")));
    for path in written {
        let bytes = fs::read(&path).unwrap();
        for marker in &markers {
            for form in forms(marker) {
                let found = memchr::memmem::find(&bytes, &form).is_some();
                assert!(!found, "{marker} stands in {}", path.display());
            }
        }
    }
}
