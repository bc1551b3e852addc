//! `banyan keys` as an operator runs it: told before done, confirmed, and nothing touched by what is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use banyan::config::gateway::KeysSection;
use banyan::config::gateway::MasterSource;
use banyan::vault::key_store::Class;
use banyan::vault::key_store::KeyStore;
use banyan::vault::key_store::Opened;
use banyan::vault::signing::PublicKey;
use serde_json::Value;

/// An operator with a gateway's settings in a folder of her own.
struct Operator(tempfile::TempDir);

impl Operator {
    fn new() -> Operator {
        let operator = Operator(tempfile::tempdir().unwrap());
        operator.settings(
            "store = \"keys/store.json\"\nmaster = \"keys/master.key\"\nnext_master = \"keys/next.key\"",
        );
        operator
    }

    fn with_keys() -> Operator {
        let operator = Operator::new();
        assert_eq!(operator.keys(&["make", "--yes"]).code, 0);
        operator
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self, keys: &str) {
        let text = format!(
            "region = \"440000\"\nlookup_key = \"lookup.key\"\n[keys]\n{keys}\n[ledger]\nfile = \"ledger.db\"\n\
             [packs]\nfolder = \"packs\"\n[hospital]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n"
        );
        fs::write(self.path("gateway.toml"), text).unwrap();
    }

    fn keys(&self, arguments: &[&str]) -> Said {
        self.keys_with(arguments, &[])
    }

    fn keys_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_banyan"))
            .arg("keys")
            .args(arguments)
            .arg("--config")
            .arg(self.path("gateway.toml"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said::of(&output)
    }

    fn list(&self) -> Value {
        let said = self.keys(&["list", "--json"]);
        assert_eq!(said.code, 0, "{}", said.errors);
        serde_json::from_str(&said.out).unwrap()
    }

    /// The store as a gateway opens it.
    fn gateway(&self) -> KeyStore {
        KeyStore::from_settings(&self.section()).unwrap()
    }

    fn section(&self) -> KeysSection {
        KeysSection {
            store: self.path("keys/store.json"),
            master: MasterSource::File(self.path("keys/master.key")),
            next_master: Some(MasterSource::File(self.path("keys/next.key"))),
            copied: false,
        }
    }

    /// Every file in the folder, but the lock of the store.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    gather(&path, files);
                } else if !path.ends_with("store.json.lock") {
                    let bytes = fs::read(&path).unwrap();
                    files.insert(path, bytes);
                }
            }
        }
        let mut files = BTreeMap::new();
        gather(self.0.path(), &mut files);
        files
    }

    /// Runs what must be refused: one error, this exit code, and no file changed.
    fn is_refused(&self, arguments: &[&str], code: i32, because: &str) {
        let before = self.files();
        let said = self.keys(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.errors);
        assert!(said.errors.contains(because), "{arguments:?}: {}", said.errors);
        assert_eq!(said.errors.matches("banyan: ").count(), 1, "{}", said.errors);
        assert!(said.out.is_empty(), "{}", said.out);
        assert_eq!(self.files(), before, "{arguments:?} touched something");
    }
}

struct Said {
    code: i32,
    out: String,
    errors: String,
}

impl Said {
    fn of(output: &Output) -> Said {
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            errors: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn make_gives_a_look_up_key_a_master_and_a_store_that_only_their_owner_reads() {
    let operator = Operator::new();
    let said = operator.keys(&["make", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(
        said.errors.contains("This makes") && said.errors.contains("a copy of each in a place of its own")
    );
    assert!(
        said.out.contains("lookup.key, the look-up key") && said.out.contains("signing key"),
        "{}",
        said.out
    );
    for name in ["lookup.key", "keys/master.key", "keys/store.json"] {
        assert_eq!(mode(&operator.path(name)), 0o600, "{name}");
    }
    let list = operator.list();
    assert_eq!(list["signing_keys"][0]["state"], "active");
    assert_eq!(list["data_keys"], Value::Array(Vec::new()));
    operator.is_refused(&["make", "--yes"], 1, "is there already");
    // A look-up key of another ledger is never made beside a store.
    fs::remove_file(operator.path("lookup.key")).unwrap();
    operator.is_refused(&["make", "--yes"], 2, "put the old one back");

    let second = Operator::new();
    let lookup = "ab".repeat(32);
    fs::write(second.path("lookup.key"), &lookup).unwrap();
    second.is_refused(&["make", "--yes"], 3, "chmod 600");
    fs::set_permissions(second.path("lookup.key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(second.keys(&["make", "--yes"]).code, 0);
    assert_eq!(fs::read_to_string(second.path("lookup.key")).unwrap(), lookup);
}

#[test]
fn a_store_with_the_coming_months_is_copied_and_both_nodes_read_what_either_wrote() {
    let operator = Operator::with_keys();
    let said = operator.keys(&["ahead", "--months", "2", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(said.out.starts_with("made 6 keys: those of "), "{}", said.out);
    let again = operator.keys(&["ahead", "--months", "2"]);
    assert!(again.code == 0 && again.out.contains("is there already"), "{}{}", again.out, again.errors);
    let list = operator.list();
    let months: Vec<u64> =
        list["data_keys"].as_array().unwrap().iter().map(|key| key["month"].as_u64().unwrap()).collect();
    let (first, last) = (u32::try_from(months[0]).unwrap(), u32::try_from(months[5]).unwrap());
    assert!([2, 90].contains(&(last - first)), "{months:?}");

    let other = Operator::new();
    for name in ["lookup.key", "keys/master.key", "keys/store.json"] {
        fs::create_dir_all(other.path("keys")).unwrap();
        fs::copy(operator.path(name), other.path(name)).unwrap();
    }
    let nodes = [operator.gateway(), other.gateway()];
    for month in [first, last] {
        for class in Class::ALL {
            let blobs =
                nodes.each_ref().map(|node| node.data_key(class, month).unwrap().encrypt(b"c", b"name"));
            for (node, blob) in nodes.iter().zip(blobs.iter().rev()) {
                assert!(matches!(node.decrypt(b"c", blob), Ok(Opened::Plain(plain)) if *plain == b"name"));
            }
        }
    }

    let copy = KeyStore::from_settings(&KeysSection { copied: true, ..other.section() }).unwrap();
    let mut next = last + 1;
    if next % 100 > 12 {
        next += 88;
    }
    let lacking = copy.data_key(Class::Contact, next).unwrap_err().to_string();
    assert!(lacking.contains("run `banyan keys ahead` on the node where keys are made"), "{lacking}");
    let more = operator.keys(&["ahead", "--months", "3", "--yes"]);
    assert!(more.out.starts_with("made 2 keys"), "{}", more.out);
    fs::copy(operator.path("keys/store.json"), other.path("keys/store.json")).unwrap();
    let made = operator.gateway().data_key(Class::Contact, next).unwrap().encrypt(b"c", b"name");
    copy.data_key(Class::Contact, next).unwrap();
    assert!(matches!(copy.decrypt(b"c", &made), Ok(Opened::Plain(plain)) if *plain == b"name"));
    assert_eq!(operator.keys(&["ahead", "--months", "0"]).code, 2);
}

#[test]
fn nothing_is_done_that_nobody_confirmed() {
    let operator = Operator::new();
    let before = operator.files();
    let said = operator.keys(&["make"]);
    assert_eq!((said.code, operator.files() == before), (5, true));
    assert!(said.errors.contains("This makes") && said.errors.contains("Not confirmed, nothing was changed"));

    let operator = Operator::with_keys();
    operator.gateway().data_key(Class::Contact, 202_001).unwrap();
    assert_eq!(operator.keys(&["make", "--next", "--yes"]).code, 0);
    let before = operator.files();
    for arguments in [
        &["rotate"] as &[&str],
        &["rotate", "--signing"],
        &["ahead"],
        &["retire", "--class", "contact", "--month", "202001"],
        &["destroy", "--class", "contact", "--month", "202001"],
    ] {
        let said = operator.keys(arguments);
        assert_eq!((said.code, operator.files() == before), (5, true), "{arguments:?}");
        assert!(said.errors.starts_with("This "), "{arguments:?}: {}", said.errors);
    }
}

#[test]
fn a_list_shows_every_key_and_no_secret() {
    let operator = Operator::with_keys();
    operator.gateway().data_key(Class::Medical, 202_611).unwrap();
    let text = operator.keys(&["list"]).out;
    let row = text.lines().find(|line| line.starts_with("1 ")).unwrap();
    let words: Vec<&str> = row.split_whitespace().take(4).collect();
    assert_eq!(words, ["1", "medical", "202611", "active"], "{text}");
    let stored: Value = serde_json::from_slice(&fs::read(operator.path("keys/store.json")).unwrap()).unwrap();
    let wrapped = stored["content"]["data_keys"][0]["wrapped"]["bytes"].as_str().unwrap();
    assert!(!text.contains(wrapped) && !operator.list().to_string().contains(wrapped));
}

#[test]
fn the_master_changes_under_a_running_gateway_step_by_step_as_the_page_says() {
    let operator = Operator::with_keys();
    let gateway = operator.gateway();
    let blob = gateway.data_key(Class::Medical, 202_611).unwrap().encrypt(b"c", b"secret");
    operator.is_refused(&["rotate", "--yes"], 2, "there is no next master key");

    assert_eq!(operator.keys(&["make", "--next", "--yes"]).code, 0);
    operator.is_refused(&["make", "--next", "--yes"], 1, "never replaced");
    gateway.reload_from_settings(&operator.section()).unwrap();
    let said = operator.keys(&["rotate", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(said.errors.contains("This wraps 2 keys") && said.out.contains("every key is wrapped"));
    // Under way: the gateway makes the keys of a new month and reads on.
    let fresh = gateway.data_key(Class::Contact, 202_612).unwrap().encrypt(b"c", b"new");
    assert!(matches!(gateway.decrypt(b"c", &blob), Ok(Opened::Plain(_))));
    let again = operator.keys(&["rotate", "--yes"]);
    assert_eq!((again.code, again.out.contains("already")), (0, true), "{}", again.errors);

    fs::rename(operator.path("keys/next.key"), operator.path("keys/master.key")).unwrap();
    gateway.reload_from_settings(&operator.section()).unwrap();
    for store in [&gateway, &operator.gateway()] {
        assert!(matches!(store.decrypt(b"c", &blob), Ok(Opened::Plain(plain)) if *plain == b"secret"));
        assert!(matches!(store.decrypt(b"c", &fresh), Ok(Opened::Plain(plain)) if *plain == b"new"));
    }
}

#[test]
fn a_change_of_master_that_is_killed_is_taken_up_by_the_same_command() {
    let operator = Operator::with_keys();
    let gateway = operator.gateway();
    let months = (2_000..2_011).flat_map(|year| (1..=12).map(move |month| year * 100 + month));
    let blobs: Vec<Vec<u8>> = months
        .map(|month| gateway.data_key(Class::Medical, month).unwrap().encrypt(b"c", b"secret"))
        .collect();
    assert_eq!(operator.keys(&["make", "--next", "--yes"]).code, 0);
    let store = operator.path("keys/store.json");
    let before = fs::metadata(&store).unwrap().ino();
    let mut rotating = Command::new(env!("CARGO_BIN_EXE_banyan"))
        .args(["keys", "rotate", "--yes", "--config"])
        .arg(operator.path("gateway.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while fs::metadata(&store).unwrap().ino() == before && rotating.try_wait().unwrap().is_none() {}
    rotating.kill().unwrap();
    rotating.wait().unwrap();

    let reads =
        |store: &KeyStore| blobs.iter().all(|blob| matches!(store.decrypt(b"c", blob), Ok(Opened::Plain(_))));
    assert!(reads(&operator.gateway()), "both masters read whatever was left");
    let said = operator.keys(&["rotate", "--yes"]);
    assert!(said.code == 0 && said.out.contains("every key is wrapped under"), "{}", said.errors);
    fs::rename(operator.path("keys/next.key"), operator.path("keys/master.key")).unwrap();
    assert!(reads(&operator.gateway()), "the new master alone reads all");
}

#[test]
fn a_new_signing_key_signs_and_the_exported_old_one_still_verifies() {
    let operator = Operator::with_keys();
    let old = operator.gateway().signing_key();
    let signature = old.sign(b"anchor");
    let said = operator.keys(&["rotate", "--signing", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(said.out.contains(&format!("{} is retired", old.id())));

    let pem = operator.keys(&["export", "--id", old.id()]).out;
    assert!(PublicKey::from_pem(&pem).unwrap().verify(b"anchor", &signature), "{pem}");
    let all: Value = serde_json::from_str(&operator.keys(&["export", "--json"]).out).unwrap();
    let states: Vec<&str> =
        all.as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["retired", "active"]);
    let public = PublicKey::from_hex(all[0]["public"].as_str().unwrap()).unwrap();
    assert_eq!(public.id(), old.id());
    operator.is_refused(&["export", "--id", "0000"], 1, "no signing key 0000");
}

#[test]
fn a_month_that_is_retired_reads_and_one_that_is_destroyed_is_forgotten() {
    let operator = Operator::with_keys();
    let gateway = operator.gateway();
    let blob = gateway.data_key(Class::Contact, 202_001).unwrap().encrypt(b"c", b"a name");
    let said = operator.keys(&["retire", "--class", "contact", "--month", "202001", "--yes"]);
    assert_eq!((said.code, said.out.as_str()), (0, "retired key 1 (contact, 202001)\n"), "{}", said.errors);
    gateway.reload().unwrap();
    assert!(matches!(gateway.decrypt(b"c", &blob), Ok(Opened::Plain(_))));
    assert_eq!(gateway.data_key(Class::Contact, 202_001).unwrap().number(), 2);

    let said = operator.keys(&["destroy", "--class", "contact", "--month", "202001", "--yes"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "destroyed key 1, 2 (contact, 202001)\n"),
        "{}",
        said.errors
    );
    assert!(said.errors.contains("Copies of the key store that were made before still hold the key"));
    gateway.reload().unwrap();
    assert_eq!(gateway.decrypt(b"c", &blob).unwrap(), Opened::Erased);
    let states: Vec<Value> =
        operator.list()["data_keys"].as_array().unwrap().iter().map(|key| key["state"].clone()).collect();
    assert_eq!(states, ["destroyed", "destroyed"]);
    operator.is_refused(
        &["destroy", "--class", "contact", "--month", "202001", "--yes"],
        1,
        "no contact key",
    );
    operator.is_refused(&["retire", "--class", "medical", "--month", "202001", "--yes"], 1, "no medical key");
}

#[test]
fn no_key_is_destroyed_before_its_term_is_over() {
    let operator = Operator::with_keys();
    let gateway = operator.gateway();
    gateway.data_key(Class::Medical, 202_001).unwrap();
    gateway.data_key(Class::Contact, 299_901).unwrap();
    let told = "must be kept until the end of month";
    operator.is_refused(&["destroy", "--class", "medical", "--month", "202001", "--yes"], 1, told);
    operator.is_refused(&["destroy", "--class", "contact", "--month", "299901", "--yes"], 1, told);
}

#[test]
fn a_master_key_from_the_environment_is_taken_and_never_shown() {
    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let operator = Operator::new();
    operator.settings("store = \"store.json\"\nmaster = \"env:BANYAN_TEST_MASTER\"");
    operator.is_refused(&["make", "--yes"], 2, "BANYAN_TEST_MASTER cannot be set from here");
    for (wrong, told) in
        [("abc", "it holds 3 characters"), (&DIGITS.replace('0', "g"), "64 hexadecimal digits")]
    {
        let said = operator.keys_with(&["make", "--yes"], &[("BANYAN_TEST_MASTER", wrong)]);
        assert!(said.code == 2 && said.errors.contains(told), "{}", said.errors);
        assert!(!said.errors.contains(wrong), "{}", said.errors);
    }
    let said = operator.keys_with(&["make", "--yes"], &[("BANYAN_TEST_MASTER", DIGITS)]);
    assert_eq!(said.code, 0, "{}", said.errors);
    let said = operator.keys_with(&["list"], &[("BANYAN_TEST_MASTER", DIGITS)]);
    assert!(said.code == 0 && !said.out.contains(DIGITS), "{}", said.errors);
    operator.is_refused(&["list"], 2, "BANYAN_TEST_MASTER is not set");
}

/// Every deed that needs the store.
const DEEDS: [&[&str]; 7] = [
    &["list"],
    &["ahead", "--yes"],
    &["export"],
    &["rotate", "--yes"],
    &["rotate", "--signing", "--yes"],
    &["retire", "--class", "contact", "--month", "202001", "--yes"],
    &["destroy", "--class", "contact", "--month", "202001", "--yes"],
];

/// With a key that could be rotated, retired and destroyed.
fn with_something_to_do() -> Operator {
    let operator = Operator::with_keys();
    operator.gateway().data_key(Class::Contact, 202_001).unwrap();
    assert_eq!(operator.keys(&["make", "--next", "--yes"]).code, 0);
    operator
}

#[test]
fn a_master_key_that_is_wrong_short_missing_or_open_to_others_is_refused_and_nothing_is_touched() {
    type Spoil = fn(&Path);
    let spoils: [(Spoil, &str); 4] = [
        (|path| fs::write(path, "ab".repeat(32)).unwrap(), "needs master key"),
        (|path| fs::write(path, "ab".repeat(31)).unwrap(), "64 hexadecimal digits, it holds 62"),
        (|path| fs::remove_file(path).unwrap(), "cannot be read"),
        (|path| fs::set_permissions(path, fs::Permissions::from_mode(0o604)).unwrap(), "chmod 600"),
    ];
    for (spoil, told) in spoils {
        let operator = with_something_to_do();
        spoil(&operator.path("keys/master.key"));
        DEEDS.iter().for_each(|deed| operator.is_refused(deed, 2, told));
    }
    let operator = with_something_to_do();
    fs::remove_file(operator.path("keys/master.key")).unwrap();
    operator.is_refused(&["make", "--yes"], 2, "put the old one back");
}

#[test]
fn a_next_master_that_is_short_or_open_to_others_stops_every_deed() {
    let operator = with_something_to_do();
    let next = operator.path("keys/next.key");
    fs::set_permissions(&next, fs::Permissions::from_mode(0o660)).unwrap();
    DEEDS.iter().for_each(|deed| operator.is_refused(deed, 2, "chmod 600"));
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&next, "short").unwrap();
    DEEDS.iter().for_each(|deed| operator.is_refused(deed, 2, "it holds 5 characters"));
}

#[test]
fn a_store_that_is_damaged_missing_or_open_to_others_is_refused_and_nothing_is_touched() {
    type Spoil = fn(&Path);
    let spoils: [(Spoil, i32, &str); 5] = [
        (|path| fs::write(path, &fs::read(path).unwrap()[..300]).unwrap(), 3, "is damaged"),
        (|path| fs::write(path, [0xff; 99]).unwrap(), 3, "is damaged"),
        (
            |path| {
                let text = fs::read_to_string(path).unwrap().replace("202001", "202002");
                fs::write(path, text).unwrap();
            },
            3,
            "not what was written last",
        ),
        (|path| fs::remove_file(path).unwrap(), 2, "`banyan keys make` makes one"),
        (|path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap(), 2, "chmod 600"),
    ];
    for (spoil, code, told) in spoils {
        let operator = with_something_to_do();
        spoil(&operator.path("keys/store.json"));
        DEEDS.iter().for_each(|deed| operator.is_refused(deed, code, told));
    }
}

#[test]
fn wrong_settings_and_arguments_are_told() {
    let operator = Operator::new();
    operator.settings("store = \"store.json\"\nmaster = \"env:no good\"\nnext_master = 7");
    operator.is_refused(&["list"], 2, "keys.master: after env:");
    operator.is_refused(&["list"], 2, "keys.next_master = 7");
    operator.settings("store = \"store.json\"\nmaster = \"a.key\"");
    operator.is_refused(&["rotate", "--yes"], 2, "name no next_master");
    operator.is_refused(&["make", "--next", "--yes"], 2, "name no next_master");
    let text = fs::read_to_string(operator.path("gateway.toml")).unwrap();
    let without = text.replace("[keys]\nstore = \"store.json\"\nmaster = \"a.key\"\n", "");
    fs::write(operator.path("gateway.toml"), without).unwrap();
    operator.is_refused(&["list"], 2, "keys.store: must be set");

    for arguments in [
        &["destroy", "--class", "all", "--month", "202001"] as &[&str],
        &["destroy", "--class", "contact", "--month", "202013"],
        &["retire", "--class", "contact"],
        &["list", "--yes"],
    ] {
        assert_eq!(operator.keys(arguments).code, 2, "{arguments:?}");
    }
}
