//! `banyan check --config`: every fault of the settings and of all that they name, at once and under its key; `banyan
//! serve` tells the same and starts nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use banyan::command::Exit;
use banyan::command::demo;
use banyan::config::gateway::Gateway;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with which a gateway starts.
struct Place {
    folder: TempDir,
}

struct Told {
    code: i32,
    out: String,
    errors: String,
}

fn banyan(arguments: &[&str], settings: &Path) -> Told {
    let output = Command::new(env!("CARGO_BIN_EXE_banyan"))
        .args(arguments)
        .arg("--config")
        .arg(settings)
        .output()
        .unwrap();
    Told {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Place {
    fn make() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let arguments = demo::Arguments { once: true, dir: Some(folder.path().to_owned()), persons: 21 };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut told = Vec::new();
        let ended = runtime.block_on(demo::run(&arguments, Arc::new(SystemClock), &mut told));
        assert_eq!(ended, Exit::Done, "{}", String::from_utf8_lossy(&told));
        Place { folder }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    fn text(&self) -> toml::Table {
        fs::read_to_string(self.settings()).unwrap().parse().unwrap()
    }

    /// Changes one value of the settings, `section.key`.
    fn set(&self, key: &str, value: impl Into<toml::Value>) {
        let mut root = self.text();
        match key.split_once('.') {
            Some((section, key)) => {
                root[section].as_table_mut().unwrap().insert(key.to_owned(), value.into());
            }
            None => drop(root.insert(key.to_owned(), value.into())),
        }
        fs::write(self.settings(), root.to_string()).unwrap();
    }

    fn named(&self, section: &str, key: &str) -> PathBuf {
        self.folder.path().join(self.text()[section][key].as_str().unwrap())
    }

    /// Every file with its length and when it was last written.
    fn files(&self) -> BTreeMap<PathBuf, (u64, SystemTime)> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.folder.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let (path, about) = entry.map(|it| (it.path(), it.metadata().unwrap())).unwrap();
                found.insert(path.clone(), (about.len(), about.modified().unwrap()));
                if about.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }
}

#[test]
fn sound_settings_are_told_so_and_nothing_is_written() {
    let place = Place::make();
    let before = place.files();
    let told = banyan(&["check"], &place.settings());
    assert_eq!(told.code, 0, "{}{}", told.out, told.errors);
    assert!(told.out.contains("can be used") && told.out.contains("nothing was started"), "{}", told.out);
    let told = banyan(&["check", "--json"], &place.settings());
    let json: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((told.code, &json["ok"], &json["faults"]), (0, &true.into(), &serde_json::json!([])));
    assert_eq!(place.files(), before);
}

#[test]
fn every_fault_is_told_at_once_under_its_key_by_check_and_by_serve() {
    let place = Place::make();
    let authorities = place.named("hospital", "client_authorities");
    fs::write(place.folder.path().join("no-authority.pem"), "nothing").unwrap();
    assert!(authorities.exists());
    let lookup = place.folder.path().join(place.text()["lookup_key"].as_str().unwrap());
    fs::set_permissions(&lookup, fs::Permissions::from_mode(0o644)).unwrap();
    let packs = place.folder.path().join("other-packs");
    fs::create_dir(&packs).unwrap();
    fs::write(packs.join("440700.toml"), "region = 1\n").unwrap();
    fs::write(packs.join("440100.toml"), "[").unwrap();
    let mut callers = place.text()["caller"].as_array().unwrap().clone();
    let caller: toml::Table = "paas_id = \"front\"\nsecret_file = \"none.secret\"\nnetworks = [\"10.0.0.0/8\"]\ninstitutions = [\"H44070300001\"]".parse().unwrap();
    let at = callers.len();
    callers.push(caller.into());
    place.set("caller", callers);
    place.set("hospital.certificate", "none.pem");
    place.set("hospital.client_authorities", "no-authority.pem");
    place.set("hospital.idle_timeout_ms", 1);
    place.set("keys.master", "none.key");
    place.set("keys.store", "none.json");
    place.set("ledger.file", "nowhere/ledger.db");
    place.set("packs.folder", "other-packs");
    place.set("log.level", "banyan=loud");
    let before = place.files();

    let told = banyan(&["check"], &place.settings());
    let caller = format!("caller[{at}].secret_file: ");
    let wanted = [
        ("hospital.idle_timeout_ms = 1: ", "must be a whole number"),
        ("hospital.certificate: ", "none.pem"),
        ("hospital.client_authorities: ", "no-authority.pem"),
        ("lookup_key: ", "chmod 600"),
        ("keys.master: ", "none.key cannot be read; for a new ledger `banyan keys make` makes it"),
        ("keys.store: ", "none.json; `banyan keys make` makes one"),
        (caller.as_str(), "none.secret"),
        ("ledger.file: ", "nowhere cannot be written"),
        ("packs.folder: ", "440700.toml"),
        ("packs.folder: ", "440100.toml"),
        ("log.level: ", "loud"),
    ];
    for (key, words) in wanted {
        let found = told.out.lines().any(|line| line.trim_start().starts_with(key) && line.contains(words));
        assert!(found, "{key}{words} in\n{}", told.out);
    }
    assert_eq!(told.code, 2, "settings that are wrong count before files that cannot be used");
    let json: Value = serde_json::from_str(&banyan(&["check", "--json"], &place.settings()).out).unwrap();
    let keys: Vec<&str> =
        json["faults"].as_array().unwrap().iter().map(|fault| fault["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"hospital.certificate") && keys.contains(&"keys.store"), "{keys:?}");
    assert_eq!(json["ok"], false);

    let started = banyan(&["serve"], &place.settings());
    assert_eq!((started.code, started.errors.trim()), (2, format!("banyan: {}", told.out).trim()));
    assert_eq!(place.files(), before);
}

#[test]
fn a_copied_store_without_this_month_s_keys_is_a_fault_and_without_next_month_s_a_warning() {
    let place = Place::make();
    let done = |arguments: &[&str]| {
        let told = banyan(arguments, &place.settings());
        assert_eq!(told.code, 0, "{}{}", told.out, told.errors);
        told.out
    };
    assert!(!done(&["check"]).contains("keys ahead"), "a node that makes its keys lacks none");

    place.set("keys.copied", true);
    let today = SystemClock.now().day().month();
    let told = done(&["check"]);
    let next =
        format!("warning: keys.store: a copy (`copied`) that lacks keys of next month, {}", today.next());
    assert!(told.contains(&next) && told.contains("`banyan keys ahead --months "), "{told}");
    let json: Value = serde_json::from_str(&done(&["check", "--json"])).unwrap();
    assert_eq!((&json["ok"], &json["warnings"][0]["key"]), (&true.into(), &"keys.store".into()));
    // It goes on as far as the port, which is another's.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = place.text()["hospital"]["address"].clone();
    place.set("hospital.address", taken.local_addr().unwrap().to_string());
    let started = banyan(&["serve"], &place.settings());
    let said = [started.out, started.errors].concat();
    assert!(started.code == 3 && said.contains("WARN") && said.contains("of next month"), "{said}");
    place.set("hospital.address", port);

    done(&["keys", "ahead", "--months", "1", "--yes"]);
    assert!(!done(&["check"]).contains("warning"));

    done(&["keys", "retire", "--class", "contact", "--month", &today.to_string(), "--yes"]);
    let told = banyan(&["check"], &place.settings());
    let this = format!("keys.store: a copy (`copied`) that lacks keys of this month, {today}");
    assert!(told.code == 2 && told.out.contains(&this), "{}", told.out);
    assert!(told.out.contains("`banyan keys ahead --months "), "{}", told.out);
    let started = banyan(&["serve"], &place.settings());
    assert_eq!((started.code, started.errors.trim()), (2, format!("banyan: {}", told.out).trim()));
    done(&["keys", "ahead", "--months", "1", "--yes"]);
    assert!(!done(&["check"]).contains("keys.store"));
}

#[test]
fn faults_of_the_shared_cache_are_told_and_a_redis_that_is_not_there_is_none() {
    let place = Place::make();
    let cache = |text: &str| section(&place, "cache", text);
    let told = cache("url = \"redis://127.0.0.1:1\"");
    assert_eq!(told.code, 0, "{}", told.out);
    assert!(told.out.contains("cache.url: no Redis was connected to"), "{}", told.out);
    assert!(!told.out.contains("database"), "{}", told.out);
    fs::write(place.folder.path().join("redis.password"), "open to all").unwrap();
    let told =
        cache("url = \"rediss://r1,r2:7000\"\nca_file = \"none.pem\"\npassword_file = \"redis.password\"");
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(told.out.contains("cache.ca_file: ") && told.out.contains("none.pem"), "{}", told.out);
    assert!(told.out.contains("cache.password_file: ") && told.out.contains("chmod 600"), "{}", told.out);
    let told = cache("url = \"redis://me:secret@127.0.0.1\"\nanswer_within_ms = 1");
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(told.out.contains("cache.url: ") && !told.out.contains("secret@"), "{}", told.out);
    assert!(told.out.contains("cache.answer_within_ms = 1: "), "{}", told.out);
}

/// What a section is read as, and the lines that tell so.
fn section(place: &Place, name: &str, text: &str) -> Told {
    let mut root = place.text();
    root.insert(name.to_owned(), text.parse::<toml::Table>().unwrap().into());
    fs::write(place.settings(), root.to_string()).unwrap();
    banyan(&["check"], &place.settings())
}

#[test]
fn a_database_that_cannot_be_used_is_one_fault_under_its_key_before_anything_connects() {
    let place = Place::make();
    fs::write(place.folder.path().join("ca.pem"), "nothing").unwrap();
    let url = |url: &str| format!("url = \"{url}\"");
    let here = url("postgres://banyan@127.0.0.1/banyan");
    for (ledger, told) in [
        (String::new(), "ledger.file: must be set, for a ledger in one file, or url for one in PostgreSQL"),
        (url(""), "ledger.url = \"\": must be a text that is not empty"),
        (url("postgres://127.0.0.1/banyan"), "ledger.url: must name the user: postgres://USER@HOST"),
        (url("postgres://banyan@/banyan"), "ledger.url: has an empty host"),
        (url("postgres://banyan@127.0.0.1:99999/banyan"), "ledger.url: has the port \"99999\" at 127.0.0.1"),
        (url("postgres://banyan@127.0.0.1,127.0.0.1:5432/banyan"), "ledger.url: names 127.0.0.1:5432 twice"),
        (url("postgres://banyan@127.0.0.1/our ledger"), "ledger.url: has a blank in the database's name"),
        (
            url("postgres://banyan@127.0.0.1/b?sslmode=require"),
            "ledger.url: must not have this parameter sslmode",
        ),
        (
            format!("{here}\nanswer_within_ms = 15001"),
            "ledger.answer_within_ms = 15001: must be at most 15000, a third of hospital.request_timeout_ms",
        ),
        (format!("{here}\nca_file = \"ca.pem\""), "ledger.ca_file: "),
        (format!("{here}\nca_file = \"none.pem\""), "ledger.ca_file: cannot read "),
        (format!("{here}\npassword_file = \"none\""), "ledger.password_file: cannot read "),
    ] {
        let found = section(&place, "ledger", &ledger);
        let faults: Vec<&str> = found.out.lines().skip(1).map(str::trim).collect();
        let faults: Vec<&&str> = faults.iter().filter(|line| !line.contains("was connected to")).collect();
        assert!(faults.len() == 1 && faults[0].starts_with(told), "{told} in {}", found.out);
        assert_eq!(found.code, 2, "{ledger}: {}", found.out);
    }
    let both =
        section(&place, "ledger", &format!("{here}\nca_file = \"none.pem\"\npassword_file = \"none\""));
    assert!(
        both.out.contains("ledger.ca_file: ") && both.out.contains("ledger.password_file: "),
        "{}",
        both.out
    );
    let sound = section(&place, "ledger", &format!("{here}\nanswer_within_ms = 15000"));
    assert_eq!(sound.code, 0, "{}", sound.out);
    let told = "ledger.url: no database was connected to; `banyan migrate` does, and `banyan serve`";
    assert!(sound.out.contains(told), "{}", sound.out);
    let json = banyan(&["check", "--json"], &place.settings());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["not_connected"], serde_json::json!(["ledger.url"]));
}

#[test]
fn addresses_that_cannot_be_meant_say_what_to_write() {
    let place = Place::make();
    for (cache, told) in [
        ("", "cache.url: must be set, like rediss://10.1.0.5:6379, or the section left out"),
        ("url = \"redis://127.0.0.1:0\"", "cache.url: has the port \"0\" at 127.0.0.1"),
        ("url = \"redis://127.0.0.1,127.0.0.1:6379\"", "cache.url: names 127.0.0.1:6379 twice"),
    ] {
        let found = section(&place, "cache", cache);
        assert!(found.code == 2 && found.out.contains("has 1 fault;"), "{}", found.out);
        assert!(found.out.contains(told), "{}", found.out);
    }
    let found = section(&place, "operators", "address = \"127.0.0.1:99999\"");
    assert!(found.out.contains("must be an IP address with a port up to 65535"), "{}", found.out);
}

#[test]
fn a_pack_that_production_does_not_admit_is_a_no_of_the_rules() {
    let place = Place::make();
    place.set("mode", "production");
    let told = banyan(&["check"], &place.settings());
    assert_eq!(told.code, 1, "{}", told.out);
    assert!(told.out.contains("packs.allow_unverified: the pack of"), "{}", told.out);
}

#[test]
fn a_port_in_use_is_told_with_the_key_that_names_it() {
    let place = Place::make();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    for section in ["persons", "center", "operators"] {
        place.set(&format!("{section}.address"), "127.0.0.1:0");
    }
    place.set("hospital.address", taken.local_addr().unwrap().to_string());
    let told = banyan(&["serve"], &place.settings());
    assert_eq!(told.code, 3, "{}", told.errors);
    assert!(told.errors.contains("banyan: hospital.address: cannot listen on"), "{}", told.errors);
}

/// The shipped settings with everything in force that stands there as a comment: a database in the place of a file, and a
/// Redis.
fn all_documented() -> Vec<String> {
    let is_setting = |text: &str| {
        let key = text.split(" = ").next().unwrap_or_default();
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let plain = |key: &str| !key.is_empty() && key.bytes().all(letter);
        plain(key) && text.contains(" = ") || ["[cache]", "[[caller]]", "[[institution]]"].contains(&text)
    };
    let shipped = fs::read_to_string("config/gateway.toml").unwrap();
    let in_force =
        shipped.lines().map(|line| line.strip_prefix("# ").filter(|text| is_setting(text)).unwrap_or(line));
    in_force.filter(|line| !line.starts_with("file = ")).map(str::to_owned).collect()
}

/// What is read out of these lines, for comparison.
fn read(lines: &[String]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, lines.join("\n")).unwrap();
    let config = Gateway::read(&file).map_err(|faults| faults.to_string())?;
    Ok(format!("{config:?}").replace(&folder.path().display().to_string(), "."))
}

#[test]
fn every_default_that_is_documented_is_the_one_in_force() {
    let lines = all_documented();
    let whole = read(&lines).unwrap();
    for part in [
        "db1.example",
        "database-ca.pem",
        "10.20.0.6:6379",
        "redis.password",
        "fingerprint: \"0000",
        "paas_id: \"jmyy-front\"",
        "quote_binds: true",
    ] {
        assert!(whole.contains(part), "{part} was not read: {whole}");
    }
    let (mut section, mut examples) = (String::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with('[') {
            section = line.split_whitespace().next().unwrap().to_owned();
        }
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
        let mut without = lines.clone();
        without.remove(at);
        // One that cannot be left out has no default.
        if read(&without).is_ok_and(|left| left != whole) {
            examples.push(format!("{section} {key}"));
        }
    }
    // Without them nothing is told of the kind, or a page stays on this machine.
    let wanted = [
        "[keys] next_master",
        "[ledger] ca_file",
        "[ledger] password_file",
        "[cache] user",
        "[hospital] client_authorities",
        "[persons] address",
        "[[institution]] quote_binds",
    ];
    assert_eq!(examples, wanted, "these are documented with another value than their default");
}

#[test]
fn every_setting_that_is_read_is_documented() {
    const READERS: [&str; 14] = [
        "integer",
        "size",
        "milliseconds",
        "flag",
        "text",
        "optional_text",
        "required_text",
        "parsed",
        "choice",
        "address",
        "path",
        "required_path",
        "texts",
        "whole",
    ];
    let mut documented = all_documented();
    documented.push("file = ".into());
    let (mut read, mut missing) = (0, Vec::new());
    for source in ["src/config/gateway.rs", "src/config/ledger.rs", "src/config/cache.rs"] {
        let text = fs::read_to_string(source).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let calls = code.split('(').zip(code.split('(').skip(1));
        for (before, after) in calls {
            let reader = before.rsplit(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
            let argument = after.trim_start().trim_start_matches("s, ");
            let key = argument.strip_prefix('"').and_then(|rest| rest.split('"').next());
            let Some(key) = key.filter(|_| READERS.contains(&reader)) else { continue };
            read += 1;
            let is_it = |line: &String| line.starts_with(&format!("{key} = "));
            if !documented.iter().any(is_it) {
                missing.push(format!("{key} of {source}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "config/gateway.toml does not explain them");
    assert!(read > 50, "{read} settings were found in the sources");
}
