//! `banyan migrate` at the command line, and what `serve` says of a database that it cannot use.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use banyan::command::sandbox_folder;
use banyan::domain::calendar::Day;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::postgres::Server;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use tempfile::TempDir;

/// A folder with which a gateway starts.
struct Place {
    folder: TempDir,
}

#[derive(Debug)]
struct Told {
    code: i32,
    out: String,
    errors: String,
}

impl Place {
    fn make() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let today: Day = clock.now().day();
        let province = Province::new(Size { seed: 1, persons: 21, codes: 20, stays: 1 }, today);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let made = Folder::new(folder.path());
        runtime.block_on(sandbox_folder::make(&made, &province, Ports::ANY, clock)).unwrap();
        Place { folder }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// The same gateway over a database.
    fn moved_to(&self, url: &str) {
        let mut root: toml::Table = fs::read_to_string(self.settings()).unwrap().parse().unwrap();
        let ledger = format!("url = \"{url}\"\nanswer_within_ms = 1000\nconnect_timeout_ms = 300");
        root["ledger"] = ledger.parse::<toml::Table>().unwrap().into();
        fs::write(self.settings(), root.to_string()).unwrap();
    }

    fn banyan(&self, command: &str) -> Told {
        let mut banyan = Command::new(env!("CARGO_BIN_EXE_banyan"));
        let output = banyan.arg(command).arg("--config").arg(self.settings()).output().unwrap();
        Told {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn the_help_teaches_what_many_nodes_need() {
    let help = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_banyan")).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (command, words) in [
        (
            &["--help"][..],
            &["banyan migrate --config", "--ledger postgres://", "docs/postgres.md", "docs/redis.md"][..],
        ),
        (&["serve", "--help"], &["[ledger] url", "banyan migrate"]),
        (&["migrate", "--help"], &["url = \"postgres://", "ca_file", "password_file", "docs/postgres.md"]),
        (&["restore", "--help"], &["--ledger postgres://"]),
    ] {
        let told = help(command);
        for words in words {
            assert!(told.contains(words), "{command:?} does not say {words:?}: {told}");
        }
    }
}

#[track_caller]
fn says(told: &Told, code: i32, words: &str) {
    assert_eq!(told.code, code, "{told:?}");
    let text = if code == 0 { &told.out } else { &told.errors };
    assert!(text.contains(words), "{words:?} is not in {told:?}");
    // A sentence, and what it is because of: nobody has to look for it.
    assert!(text.lines().count() <= 4 && !text.contains("panicked"), "{told:?}");
}

#[test]
fn an_embedded_ledger_needs_no_migration() {
    says(&Place::make().banyan("migrate"), 0, "nothing to do: an embedded ledger is brought up to date");
}

#[test]
fn a_database_is_made_ready_once_and_never_by_an_older_version() {
    let server = Server::start().unwrap();
    let place = Place::make();
    let url = server.create_database().unwrap();
    place.moved_to(&url);
    says(&place.banyan("serve"), 3, "run `banyan migrate`");
    says(&place.banyan("migrate"), 0, "made the tables: the schema is at step 1");
    says(&place.banyan("migrate"), 0, "nothing to do: the schema is at step 1");

    let database = url.rsplit('/').next().unwrap();
    let newer = "UPDATE meta SET value = '2' WHERE name = 'schema_version'";
    server.query(database, newer).unwrap();
    says(&place.banyan("migrate"), 2, "is at step 2, this version knows 1: start a newer version");
    says(&place.banyan("serve"), 2, "is at step 2, this version knows 1: start a newer version");

    let other = Place::make();
    other.moved_to(&url);
    server.query(database, "UPDATE meta SET value = '1' WHERE name = 'schema_version'").unwrap();
    says(&other.banyan("migrate"), 2, "another look-up key");
    says(&other.banyan("serve"), 2, "another look-up key");

    place.moved_to(&server.url("nowhere"));
    says(&place.banyan("migrate"), 3, "database \"nowhere\" does not exist");
}

#[test]
fn a_server_that_cannot_be_reached_is_named_and_not_waited_for() {
    let place = Place::make();
    // Somebody takes connections there and says nothing; at the other nobody listens.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_at = silent.local_addr().unwrap();
    let nobody_at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.moved_to(&format!("postgres://banyan@{silent_at},{nobody_at}/banyan"));
    for command in ["migrate", "serve"] {
        let told = place.banyan(command);
        says(&told, 3, &format!("{silent_at}: it has not answered within 300 ms"));
        says(&told, 3, &format!("{nobody_at}: Connection refused"));
    }
    place.moved_to("postgres://banyan@db1.example/banyan");
    for command in ["migrate", "serve", "check"] {
        let told = place.banyan(command);
        let text = format!("{}{}", told.out, told.errors);
        assert!(text.contains("db1.example:5432 is another machine: name the authority"), "{text}");
        assert_eq!(told.code, 2, "{text}");
    }
}

#[test]
fn of_several_at_once_one_makes_the_tables_and_none_fails() {
    let server = Server::start().unwrap();
    for _ in 0..5 {
        let place = Place::make();
        place.moved_to(&server.create_database().unwrap());
        let told: Vec<Told> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..3).map(|_| scope.spawn(|| place.banyan("migrate"))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(told.iter().all(|told| told.code == 0), "{told:?}");
        assert_eq!(told.iter().filter(|told| told.out.contains("made the tables")).count(), 1, "{told:?}");
    }
}

#[test]
fn a_database_of_another_encoding_is_refused_before_anything_is_made() {
    let server = Server::start().unwrap();
    let url = server.create_database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    let latin = format!(
        "CREATE DATABASE {name}_latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    server.query("postgres", &latin).unwrap();
    let place = Place::make();
    place.moved_to(&format!("{url}_latin"));
    let told = place.banyan("migrate");
    assert!(told.code != 0 && told.errors.contains("LATIN1") && told.errors.contains("UTF8"), "{told:?}");
}
