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
        self.moved_with(&format!("url = \"{url}\""));
    }

    fn moved_with(&self, ledger: &str) {
        let mut root: toml::Table = fs::read_to_string(self.settings()).unwrap().parse().unwrap();
        let ledger = format!("{ledger}\nanswer_within_ms = 1000\nconnect_timeout_ms = 300");
        root["ledger"] = ledger.parse::<toml::Table>().unwrap().into();
        fs::write(self.settings(), root.to_string()).unwrap();
    }

    fn banyan(&self, command: &str) -> Told {
        self.run(&[command])
    }

    fn run(&self, words: &[&str]) -> Told {
        let mut banyan = Command::new(env!("CARGO_BIN_EXE_banyan"));
        let output = banyan.args(words).arg("--config").arg(self.settings()).output().unwrap();
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
        (&["restore", "--help"], &["--ledger postgres://", "<--to <FILE>|--ledger <URL>> <FOLDER>"]),
        (&["verify", "--help"], &["--ledger postgres://", "--password-file <FILE>", "--ca-file <FILE>"]),
    ] {
        let told = help(command);
        for words in words {
            assert!(told.contains(words), "{command:?} does not say {words:?}: {told}");
        }
    }
}

/// What every command that uses a database is asked with.
const COMMANDS: [&[&str]; 4] = [&["serve"], &["migrate"], &["verify"], &["verify", "--head"]];

/// A folder whose ledger was backed up, and how the backup is restored into a database.
struct BackedUp(Place);

impl BackedUp {
    fn make() -> BackedUp {
        let place = Place::make();
        // A gateway has been there, so that something is anchored.
        let folder = place.folder.path().join("backup");
        let told = place.run(&["backup", "--to", folder.to_str().unwrap()]);
        assert_eq!(told.code, 0, "{told:?}");
        BackedUp(place)
    }

    fn restored_to(&self, url: &str, more: &[&str]) -> Told {
        let folder = self.0.folder.path().join("backup");
        let words = ["restore", folder.to_str().unwrap(), "--ledger", url, "--yes"];
        self.0.run(&[&words, more].concat())
    }
}

/// What `restore` calls the address of its own command line.
fn as_option(words: &str) -> String {
    words.replace(" url ", " --ledger ")
}

#[track_caller]
fn says(told: &Told, code: i32, words: &str) {
    assert_eq!(told.code, code, "{told:?}");
    let text = if code == 0 { &told.out } else { &told.errors };
    assert!(text.contains(words), "{words:?} is not in {told:?}");
    // A sentence, and what it is because of: nobody has to look for it.
    assert!(text.lines().count() <= 4 && !text.contains("panicked"), "{told:?}");
    assert!(!text.contains("db error") && !text.contains("deadline has elapsed"), "{told:?}");
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
    let words = "the database of url is encoded in LATIN1: make one with ENCODING 'UTF8'";
    says(&place.banyan("migrate"), 2, words);
    says(&BackedUp::make().restored_to(&format!("{url}_latin"), &[]), 2, &as_option(words));
}

#[test]
fn a_database_of_another_program_is_no_place_for_a_ledger() {
    let server = Server::start().unwrap();
    let (place, backup) = (Place::make(), BackedUp::make());
    let url = server.create_database().unwrap();
    let database = url.rsplit('/').next().unwrap();
    server.query(database, "CREATE TABLE meta (id BIGINT, note TEXT)").unwrap();
    place.moved_to(&url);
    let words = "the database of url is not a ledger of Banyan: it has a table meta that another program made; name an empty database";
    for command in COMMANDS {
        says(&place.run(command), 2, words);
    }
    says(&backup.restored_to(&url, &[]), 2, &as_option(words));

    // Of the same form, and still not ours.
    server.query(database, "DROP TABLE meta; CREATE TABLE meta (name TEXT, value TEXT)").unwrap();
    says(&place.banyan("migrate"), 2, words);
    server.query(database, "DROP TABLE meta; CREATE TABLE record (id BIGINT)").unwrap();
    let holds = |tables: &str| {
        format!("the database of url holds tables of another program ({tables}): take an empty one")
    };
    says(&place.banyan("migrate"), 2, &holds("record"));
    says(&backup.restored_to(&url, &[]), 2, &as_option(&holds("record")));
    let others = "DROP TABLE record; CREATE TABLE visits (id BIGINT); CREATE TABLE customers (id BIGINT);
         CREATE TABLE orders (id BIGINT); CREATE TABLE stock (id BIGINT)";
    server.query(database, others).unwrap();
    says(&place.banyan("migrate"), 2, &holds("customers, orders, stock, …"));

    // Views and other schemas are in nobody's way.
    let aside = "DROP TABLE visits, customers, orders, stock; CREATE VIEW seen AS SELECT 1 AS id;
         CREATE SCHEMA theirs; CREATE TABLE theirs.customers (id BIGINT)";
    server.query(database, aside).unwrap();
    says(&place.banyan("migrate"), 0, "made the tables");
}

#[test]
fn a_user_without_rights_is_told_which_it_lacks() {
    let server = Server::start().unwrap();
    let (place, backup) = (Place::make(), BackedUp::make());
    let owned = server.create_database().unwrap();
    let database = owned.rsplit('/').next().unwrap();
    server.query(database, "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE guest LOGIN").unwrap();
    let url = owned.replace("postgres@", "guest@");
    place.moved_to(&url);
    let words = format!(
        "the user guest may not make tables in database {database}: let it own the database (ALTER DATABASE {database} OWNER TO guest), or GRANT USAGE, CREATE ON SCHEMA public TO guest"
    );
    for command in COMMANDS {
        says(&place.run(command), 3, &words);
    }
    says(&backup.restored_to(&url, &[]), 3, &words);

    // It sees tables that somebody else has made, and may not use them.
    place.moved_to(&owned);
    says(&place.banyan("migrate"), 0, "made the tables");
    server.query(database, "GRANT USAGE ON SCHEMA public TO guest").unwrap();
    place.moved_to(&url);
    let words = "permission denied for table meta (SQLSTATE 42501); the user of url must own the database";
    for command in COMMANDS {
        says(&place.run(command), 3, words);
    }

    server.query(database, "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest").unwrap();
    server.query(database, "ALTER ROLE guest CONNECTION LIMIT 2").unwrap();
    let full = "it has no connection to spare: too many connections for role \"guest\" (SQLSTATE 53300); a node holds lanes + readers + 8 connections: lower `lanes` or `readers`, or raise max_connections";
    let crowd: Vec<_> = (0..2).map(|_| idle(&url)).collect();
    for command in COMMANDS {
        says(&place.run(command), 3, full);
    }
    drop(crowd);
}

/// A connection that does nothing, for as long as it is held.
fn idle(url: &str) -> (tokio::runtime::Runtime, tokio_postgres::Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    (runtime, client)
}

#[test]
fn a_server_that_takes_no_writes_is_told_to_be_a_standby_or_read_only() {
    let server = Server::start().unwrap();
    let (place, backup) = (Place::make(), BackedUp::make());
    let url = server.create_database().unwrap();
    let database = url.rsplit('/').next().unwrap();
    place.moved_to(&url);
    says(&place.banyan("migrate"), 0, "made the tables");
    let standby = Server::standby_of(&server, "second").unwrap();
    let at_standby = standby.url(database);
    let words = |port: u16| {
        format!(
            "127.0.0.1:{port}: it takes no writes, it is a standby or read-only: name the primary in url too or promote this one"
        )
    };
    place.moved_to(&at_standby);
    for command in COMMANDS {
        says(&place.run(command), 3, &words(standby.port()));
    }
    says(&backup.restored_to(&at_standby, &[]), 3, &as_option(&words(standby.port())));
    let read_only = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    server.query("postgres", &read_only).unwrap();
    place.moved_to(&url);
    says(&place.banyan("serve"), 3, &words(server.port()));
}

#[test]
fn a_commit_that_no_standby_confirms_is_told_with_what_is_missing() {
    let server = Server::start().unwrap();
    let (place, backup) = (Place::make(), BackedUp::make());
    let (url, empty) = (server.create_database().unwrap(), server.create_database().unwrap());
    place.moved_to(&url);
    says(&place.banyan("migrate"), 0, "made the tables");
    server.set("synchronous_standby_names", "gone").unwrap();
    let shown = || server.query("postgres", "SHOW synchronous_standby_names").unwrap() == "gone";
    while !shown() {
        std::thread::yield_now();
    }
    let words = |limit: u32| {
        format!(
            "the server has not confirmed the commit within {limit} ms (answer_within_ms); most likely no standby that synchronous_standby_names asks for is there"
        )
    };
    says(&place.banyan("serve"), 3, &words(1_000));
    place.moved_to(&empty);
    says(&place.banyan("migrate"), 3, &words(1_000));
    let other = server.url("other");
    // It is made while it can be.
    server.set("synchronous_standby_names", "").unwrap();
    server.query("postgres", "CREATE DATABASE other").unwrap();
    server.set("synchronous_standby_names", "gone").unwrap();
    while !shown() {
        std::thread::yield_now();
    }
    says(&backup.restored_to(&other, &[]), 3, &words(5_000));
    server.set("synchronous_standby_names", "").unwrap();
    says(&place.banyan("migrate"), 0, "the schema is at step 1");
    let restored = backup.restored_to(&other, &[]);
    says(&restored, 0, &format!("restored: postgres://127.0.0.1:{}/other", server.port()));
}

#[test]
fn what_is_wrong_with_the_settings_ends_with_2_whatever_the_command() {
    let server = Server::start().unwrap();
    let (place, backup) = (Place::make(), BackedUp::make());
    let url = server.create_database().unwrap();
    let missing = place.folder.path().join("nowhere");
    let missing = missing.to_str().unwrap();
    place.moved_with(&format!("url = \"{url}\"\npassword_file = \"{missing}\""));
    says(&place.banyan("migrate"), 2, &format!("cannot read {missing}"));
    says(&place.banyan("verify"), 2, &format!("cannot read {missing}"));
    says(&backup.restored_to(&url, &["--password-file", missing]), 2, &format!("cannot read {missing}"));
    says(&backup.restored_to("postgres://banyan@127.0.0.1", &[]), 2, "--ledger must name the database");
    let elsewhere = "postgres://banyan@db1.example/banyan";
    says(&backup.restored_to(elsewhere, &[]), 2, "db1.example:5432 is another machine");
}
