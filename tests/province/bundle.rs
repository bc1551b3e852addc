//! The bundle: a Debian package that installs without a network, runs from where it was put, and holds no secret.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use banyan::config::gateway::Gateway;

use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::banyan;
use crate::stage::done;

fn run(program: &str, arguments: &[&str]) -> String {
    done(&Command::new(program).args(arguments).output().unwrap())
}

fn made(from: &str, out: &Path, more: &[&str]) -> PathBuf {
    let command = ["bundle", "--from", from, "--out", out.to_str().unwrap()];
    let told = done(&banyan(&[&command, more].concat()));
    let path = told.split("  ").next().unwrap();
    assert!(told.contains("sha256 "), "{told}");
    PathBuf::from(path)
}

/// Refused without making anything; gives what is told.
#[track_caller]
fn refused(code: i32, from: &Path, out: &Path) -> String {
    let output = banyan(&["bundle", "--from", from.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    text
}

/// Puts a package into a folder as if that were a machine; as root dpkg itself does it.
fn installed(package: &Path, root: &Path) {
    let (package, root_text) = (package.to_str().unwrap(), root.to_str().unwrap());
    if !rustix::process::geteuid().is_root() {
        run("dpkg-deb", &["-x", package, root_text]);
        return;
    }
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    let root_option = format!("--root={root_text}");
    let there = ["--force-script-chrootless", "--force-depends"];
    run("dpkg", &[&[root_option.as_str()], &there[..], &["--install", package]].concat());
    let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(users.contains("banyan:") && users.contains("/nologin"), "{users}");
    // Installed once more, as an upgrade is: what an operator changed stays.
    let settings = root.join("etc/banyan/gateway.toml");
    let changed = format!("{}# ours\n", fs::read_to_string(&settings).unwrap());
    fs::write(&settings, &changed).unwrap();
    run("dpkg", &[&[root_option.as_str()], &there[..], &["--install", package]].concat());
    assert_eq!(fs::read_to_string(&settings).unwrap(), changed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_province_is_bundled_installed_into_another_root_checked_and_served_from_there() {
    let stage = Stage::make().await;
    let place = tempfile::tempdir().unwrap();
    let package = made(stage.folder.root().to_str().unwrap(), place.path(), &["--sandbox"]);
    let told = run("dpkg-deb", &["--info", package.to_str().unwrap()]);
    for field in ["Package: banyan", "Version: 0.1.0", "Depends: libc6 (>= 2.", "conffiles", "postinst"] {
        assert!(told.contains(field), "{field} is not in {told}");
    }
    let files = run("dpkg-deb", &["-c", package.to_str().unwrap()]);
    for file in [
        " usr/bin/banyan",
        " usr/lib/systemd/system/banyan.service",
        " etc/banyan/packs/440700.toml",
        " usr/share/banyan/alerts.yml",
        " usr/share/doc/banyan/province.md",
        " etc/banyan/keys -> ../../var/lib/banyan/keys",
    ] {
        assert!(files.contains(file), "{file} is not in {files}");
    }
    for secret in [".key", ".pem", "store.json", "ledger.db", "province/"] {
        assert!(!files.contains(secret), "{secret} is in {files}");
    }

    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    installed(&package, &root);
    let program = root.join("usr/bin/banyan");
    let settings = root.join("etc/banyan/gateway.toml");
    let check = || Command::new(&program).args(["check", "--config"]).arg(&settings).output().unwrap();
    let before = check();
    let text = String::from_utf8_lossy(&[before.stdout, before.stderr].concat()).into_owned();
    assert!(!before.status.success() && text.contains("hospital.certificate"), "{text}");
    assert!(!text.contains("packs"), "packs and settings are in place: {text}");
    // What an operator brings: keys and certificates.
    for (from, to) in [("keys", "var/lib/banyan/keys"), ("tls", "etc/banyan/tls")] {
        run("cp", &["-rpT", stage.path(from).to_str().unwrap(), root.join(to).to_str().unwrap()]);
    }
    done(&check());
    let mut serve = Command::new(&program);
    serve.arg("serve").arg("--config").arg(&settings);
    let gate = Gate::run(&mut serve);
    assert_eq!(gate.get("/ready").unwrap(), "ready\n");
    assert!(root.join("var/lib/banyan/data/ledger.db").exists(), "the ledger lies where the unit may write");
    assert!(gate.stop());
}

#[test]
fn the_shipped_settings_are_bundled_and_a_folder_without_packs_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("named.deb");
    assert_eq!(made("config", &file, &[]), file);
    let files = run("dpkg-deb", &["-c", file.to_str().unwrap()]);
    assert!(
        files.contains(" usr/share/banyan/regions.csv") && files.contains("packs/440100.toml"),
        "{files}"
    );
    assert!(refused(2, place.path(), place.path()).contains("gateway.toml is needed"));
}

#[test]
fn what_could_not_start_anywhere_is_not_packed_and_the_folder_is_looked_at_first() {
    let place = tempfile::tempdir().unwrap();
    let (from, out) = (place.path().join("from"), place.path().join("out"));
    fs::create_dir(&from).unwrap();
    run("cp", &["-r", "config/packs", from.to_str().unwrap()]);
    let shipped = fs::read_to_string("config/gateway.toml").unwrap();
    let with = |old: &str, new: &str| {
        assert!(shipped.contains(old), "{old}");
        fs::write(from.join("gateway.toml"), shipped.replace(old, new)).unwrap();
    };
    for missing in [out.join("here/banyan.deb"), out.join("")] {
        let told = refused(2, Path::new("config"), &missing);
        assert!(told.contains("is no folder that is there") && told.contains("--out"), "{told}");
    }
    fs::create_dir(&out).unwrap();
    with("burst = 400", "burst = 0");
    assert!(
        refused(2, &from, &out).contains("hospital.limits.burst = 0: must be"),
        "a fault of the settings"
    );
    with("folder = \"packs\"", "folder = \"other-packs\"");
    assert!(refused(2, &from, &out).contains("packs.folder"), "packs that would not be found");
    with("mode = \"production\"", "mode = \"sandbox\"");
    assert!(refused(1, &from, &out).contains("says mode = \"sandbox\""), "a sandbox by mistake");
    with("burst = 400", "burst = 401");
    let pack = from.join("packs/440700.toml");
    fs::write(&pack, "region = 1\n").unwrap();
    assert!(refused(2, &from, &out).contains("440700.toml"), "a pack that does not load");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing was made");
    // Whether candidates may settle is said on the machine where they shall.
    fs::copy("config/packs/440700.toml", &pack).unwrap();
    let made = banyan(&["bundle", "--from", from.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(done(&made).contains("no gateway starts with it before you have seen to this: "), "{made:?}");
}

#[test]
fn the_unit_is_sound_leaves_time_to_drain_and_gives_away_nothing_that_it_need_not() {
    let unit = fs::read_to_string("config/systemd/banyan.service").unwrap();
    let number = |key: &str| -> u64 {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key}")).parse().unwrap()
    };
    let (settings, _faults) = Gateway::read_on(Path::new("config/gateway.toml"));
    let settings = settings.unwrap();
    assert!(Duration::from_secs(number("TimeoutStopSec")) >= settings.drain_timeout * 2);
    assert!(number("LimitNOFILE") as usize > 2 * settings.hospital.connections_max);
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return; // a machine without systemd has nothing to say about units
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("banyan.service");
    fs::write(&file, unit.replace("/usr/bin/banyan", env!("CARGO_BIN_EXE_banyan"))).unwrap();
    let told = run("systemd-analyze", &["verify", "--man=no", file.to_str().unwrap()]);
    assert_eq!(told, "", "a unit without fault is passed over in silence");
    run("systemd-analyze", &["security", "--offline=true", "--threshold=20", file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_is_told_when_it_is_ready_and_when_it_stops() {
    let stage = Stage::make().await;
    let socket = stage.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.arg("serve").arg("--config").arg(stage.folder.settings()).env("NOTIFY_SOCKET", &socket);
    let gate = Gate::run(&mut command);
    assert_eq!(heard(), "READY=1");
    assert_eq!(gate.get("/ready").unwrap(), "ready\n");
    assert!(gate.stop());
    assert_eq!(heard(), "STOPPING=1");
}
