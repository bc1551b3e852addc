//! What is wrong with a folder, a ledger or a target is found and named, and nothing is touched.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::kept::Kept;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

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
