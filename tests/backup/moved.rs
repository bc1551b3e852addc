//! A ledger that moves from a file into a database by its backup, is served there, and is backed up from there.

use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::OnceLock;

use banyan::sandbox::postgres::Server;
use rusqlite::types::ValueRef;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

use crate::kept::Kept;
use crate::kept::TABLES;
use crate::kept::head_in;
use crate::kept::number;
use crate::kept::rows;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

/// One for all tests; it ends with the program.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start().unwrap())
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

fn asked(url: &str, sql: &str) -> String {
    server().query(name_of(url), sql).unwrap().trim().to_owned()
}

fn restored_into(kept: &Kept, url: &str) -> Output {
    let folder = kept.name("backup");
    banyan(&["restore", &folder, "--config", &kept.left.config, "--ledger", url])
}

/// Every row of a table as text, written as those of a file are.
fn rows_in(url: &str, table: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut rows: Vec<String> = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let found = client.query(&format!("SELECT * FROM {table}"), &[]).await.unwrap();
        found
            .iter()
            .map(|row| (0..row.len()).map(|at| column(row, at)).collect::<Vec<_>>().join(" "))
            .collect()
    });
    rows.sort();
    rows
}

fn column(row: &tokio_postgres::Row, at: usize) -> String {
    let value = match *row.columns()[at].type_() {
        Type::INT8 => row.get::<_, Option<i64>>(at).map(ValueRef::Integer),
        Type::TEXT => row.get::<_, Option<&str>>(at).map(|text| ValueRef::Text(text.as_bytes())),
        Type::BYTEA => row.get::<_, Option<&[u8]>>(at).map(ValueRef::Blob),
        ref other => panic!("{other} is not a type of ours"),
    };
    format!("{:?}", value.unwrap_or(ValueRef::Null))
}

#[test]
fn a_ledger_moves_into_a_database_and_every_answer_is_the_same() {
    let kept = Kept::new();
    let head = kept.backed_up();
    let url = server().create_database().unwrap();
    let restored = restored_into(&kept, &url);
    assert_eq!((code(&restored), head_in(&restored)), (0, head.clone()), "{}", told(&restored));
    for table in TABLES {
        assert_eq!(rows_in(&url, table), rows(&kept.left.ledger(), table), "{table}");
    }
    assert!(rows_in(&url, "message").len() > 20);

    let moved = kept.settings_with_database(&url);
    let same = |words: &[&str]| {
        let [before, after] =
            [&kept.left.config, &moved].map(|config| banyan(&[words, &["--config", config]].concat()));
        assert_eq!((code(&before), told(&before)), (0, told(&after)), "{words:?}");
    };
    for settlement in kept.left.settlements() {
        same(&["receipt", &settlement]);
    }
    let settled = asked(&url, "SELECT MIN(msgid) FROM record WHERE kind = 'settled'");
    same(&["trace", &settled, "--json"]);
    let month = asked(&url, "SELECT MAX(setl_month) FROM settlement");
    same(&["clear", "--month", &month, "--settlements", "--format", "csv"]);
    same(&["verify", "--head"]);
    for sound in [
        banyan(&["verify", "--config", &moved, "--witness", &head]),
        banyan(&["verify", "--config", &kept.left.config, "--ledger", &url]),
    ] {
        assert_eq!((code(&sound), head_in(&sound)), (0, head.clone()), "{}", told(&sound));
    }

    let again = restored_into(&kept, &url);
    assert_eq!(code(&again), 1);
    assert!(told(&again).contains("holds a ledger already"), "{}", told(&again));
}

#[test]
fn a_moved_ledger_goes_on_and_its_backup_with_it_until_it_is_a_file_again() {
    let kept = Kept::new();
    kept.backed_up();
    let url = server().create_database().unwrap();
    assert_eq!(code(&restored_into(&kept, &url)), 0);
    let moved = kept.settings_with_database(&url);
    let lanes = number(&kept.left.ledger(), "SELECT MAX(lane) FROM lane");
    kept.import(&moved, 1_000..1_300);
    let first_after: i64 =
        asked(&url, "SELECT MIN(lane) FROM record WHERE person = '440700/1007'").parse().unwrap();
    assert!(first_after > lanes, "lane {first_after} was used before");

    let next = banyan(&["backup", "--config", &moved, "--to", &kept.name("backup")]);
    assert_eq!((code(&next), kept.files().len()), (0, 2), "{}", told(&next));
    let nothing = banyan(&["backup", "--config", &moved, "--to", &kept.name("backup")]);
    assert!(told(&nothing).contains("nothing is new"), "{}", told(&nothing));
    // The file that was left behind lacks what the database has recorded since, and its backup would go another way.
    assert!(told(&kept.back_up()).contains("to which this ledger does not lead"));

    let head = head_in(&next);
    assert_eq!(head_in(&kept.verify_backup()), head);
    let file = banyan(&["restore", &kept.name("backup"), "--config", &moved, "--to", &kept.name("file.db")]);
    assert_eq!((code(&file), head_in(&file)), (0, head), "{}", told(&file));
    for table in TABLES {
        assert_eq!(rows(&kept.path("file.db"), table), rows_in(&url, table), "{table}");
    }
    // What was recorded after the backup is told before it would be lost.
    kept.import(&moved, 2_000..2_010);
    let asked =
        banyan(&["restore", &kept.name("backup"), "--config", &moved, "--to", &kept.name("older.db")]);
    assert_eq!(code(&asked), 5, "{}", told(&asked));
    assert!(told(&asked).contains("among 10 records"), "{}", told(&asked));
}

#[test]
fn a_move_that_is_killed_leaves_an_empty_database() {
    let kept = Kept::new();
    kept.import(&kept.left.config, 10_000..10_600);
    let head = kept.backed_up();
    let url = server().create_database().unwrap();
    for _ in 0..3 {
        let (folder, config) = (kept.name("backup"), kept.left.config.clone());
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.args(["restore", &folder, "--config", &config, "--ledger", &url]);
        let restore = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        killed_in_the_middle(restore, &url);
        assert_eq!(asked(&url, "SELECT COUNT(*) FROM record"), "0");
        // What would begin a ledger of its own there is refused until a restore has ended.
        let looked = banyan(&["verify", "--config", &config, "--ledger", &url]);
        assert_eq!(code(&looked), 3, "{}", told(&looked));
        let words = "is no ledger yet: a restore into it has not ended: wait for it, or run it again";
        assert!(told(&looked).contains(words) && !told(&looked).contains("damaged"), "{}", told(&looked));
        let migrated = banyan(&["migrate", "--config", &kept.settings_with_database(&url)]);
        assert_eq!(code(&migrated), 3, "{}", told(&migrated));
        assert!(told(&migrated).contains(words), "{}", told(&migrated));
    }
    let restored = restored_into(&kept, &url);
    assert_eq!((code(&restored), head_in(&restored)), (0, head), "{}", told(&restored));
}

/// Kills it once it has begun to write rows.
fn killed_in_the_middle(mut restore: Child, url: &str) {
    let writing = format!(
        "SELECT COUNT(*) FROM pg_stat_activity
         WHERE datname = '{}' AND backend_xid IS NOT NULL AND query LIKE 'INSERT INTO record%'",
        name_of(url)
    );
    while asked(url, &writing) == "0" {
        assert!(restore.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    restore.kill().unwrap();
    restore.wait().unwrap();
}
