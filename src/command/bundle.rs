//! `banyan bundle`: packs this program with its unit, settings and packs, to be installed where there is no network.

mod deb;
mod needs;

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use ring::digest;
use rustix::fs::Access;

use crate::command::Console;
use crate::command::Exit;
use crate::command::begin::stop;
use crate::command::bundle::deb::Deb;
use crate::command::check::settings::look_apart;
use crate::config::gateway::Mode;

/// Pack this program, its systemd unit, settings, packs and alert rules into one Debian package.
///
/// It installs without a network: `dpkg -i banyan_….deb`. No key, certificate or ledger is in it. Build it from a
/// release build (`cargo run --release -- bundle`). docs/province.md tells what comes next.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  banyan bundle
  banyan bundle --from /srv/our-province --out /media/usb

Settings and packs are checked first, but for keys, certificates and servers, which the other machine has: run
`banyan check --config` there.

Exit codes: 0 done, 1 the settings are a sandbox's, 2 settings or packs are lacking or have faults, or the folder to make it
in is not there, 3 a file cannot be read or written. But for 0, nothing was made.")]
pub struct Arguments {
    /// Where `gateway.toml` and `packs/` lie that go into it, and perhaps `regions.csv`; nothing else is taken.
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    pub from: PathBuf,
    /// The file to make, or the folder to make it in.
    #[arg(long, value_name = "FILE|FOLDER", default_value = ".")]
    pub out: PathBuf,
    /// Pack a sandbox's settings all the same: synthetic persons, one-time codes shown on the page
    #[arg(long)]
    pub sandbox: bool,
}

const UNIT: &str = include_str!("../../config/systemd/banyan.service");
const USER: &str = include_str!("../../config/systemd/banyan.sysusers");
const FOLDERS: &str = include_str!("../../config/systemd/banyan.tmpfiles");
const ALERTS: &str = include_str!("../../config/alerts.yml");
const LICENCE: &str = include_str!("../../LICENSE");
/// What an operator reads beside the machine, without a network.
const PAGES: [(&str, &str); 10] = [
    ("province.md", include_str!("../../docs/province.md")),
    ("postgres.md", include_str!("../../docs/postgres.md")),
    ("failover.md", include_str!("../../docs/failover.md")),
    ("redis.md", include_str!("../../docs/redis.md")),
    ("backup.md", include_str!("../../docs/backup.md")),
    ("keys.md", include_str!("../../docs/keys.md")),
    ("seals.md", include_str!("../../docs/seals.md")),
    ("import.md", include_str!("../../docs/import.md")),
    ("clear.md", include_str!("../../docs/clear.md")),
    ("CHANGELOG.md", include_str!("../../CHANGELOG.md")),
];

#[derive(Debug, thiserror::Error)]
enum NotBundled {
    #[error("{} is needed and not there; --from names a folder with gateway.toml and packs/*.toml", path.display())]
    Lacking { path: PathBuf },
    #[error("{}, in which the package shall be made, is no folder that is there; make it, or name another by --out", path.display())]
    NoFolder { path: PathBuf },
    #[error("{0}\nnothing was packed")]
    Faulty(String),
    #[error(
        "{} says mode = \"sandbox\", in which synthetic persons settle and one-time codes are shown to anybody; set production, or say --sandbox",
        path.display()
    )]
    Sandbox { path: PathBuf },
    #[error("{} cannot be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} cannot be written", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

pub fn run(arguments: &Arguments, console: &mut Console) -> io::Result<Exit> {
    match bundle(arguments) {
        Ok(made) => {
            for caution in &made.cautions {
                console.tell(&format!(
                    "banyan: no gateway starts with it before you have seen to this: {caution}"
                ));
            }
            console.say(&format!("{}  {} bytes", made.path.display(), made.bytes))?;
            console.say(&format!("sha256 {}", made.sum))?;
            console.say("install it: dpkg -i FILE; then read /usr/share/doc/banyan/province.md")?;
            Ok(Exit::Done)
        }
        Err(cause) => {
            let exit = match cause {
                NotBundled::Sandbox { .. } => Exit::Refused,
                NotBundled::Lacking { .. } | NotBundled::NoFolder { .. } | NotBundled::Faulty(_) => {
                    Exit::BadInput
                }
                NotBundled::Unreadable { .. } | NotBundled::Unwritable { .. } => Exit::CannotReach,
            };
            stop(console, exit, &crate::command::told(&cause))
        }
    }
}

struct Made {
    path: PathBuf,
    bytes: usize,
    sum: String,
    cautions: Vec<String>,
}

fn bundle(arguments: &Arguments) -> Result<Made, NotBundled> {
    // What can be known at once is told before the program is read and packed, which takes its time.
    let path = target(&arguments.out)?;
    let cautions = checked(arguments)?;
    let program = std::env::current_exe()
        .map_err(|cause| NotBundled::Unreadable { path: PathBuf::from("/proc/self/exe"), cause })?;
    let bytes = read(&program)?;
    // The same program and files make the same package.
    let made = fs::metadata(&program).and_then(|it| it.modified()).ok();
    let made = made.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    let mut deb = Deb::new(made);
    fill(&mut deb, arguments, &bytes)?;
    let unwritable = |cause| NotBundled::Unwritable { path: path.clone(), cause };
    let package = deb.finish(&control(&bytes)).map_err(unwritable)?;
    fs::write(&path, &package).map_err(unwritable)?;
    let sum = digest::digest(&digest::SHA256, &package);
    let sum = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Made { path, bytes: package.len(), sum, cautions })
}

/// The file to make, in a folder that is there and can be written.
fn target(out: &Path) -> Result<PathBuf, NotBundled> {
    let name = format!("banyan_{}_{}.deb", env!("CARGO_PKG_VERSION"), needs::ARCHITECTURE);
    let path = if out.is_dir() { out.join(name) } else { out.to_owned() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A name that ends with a slash is one of a folder.
    if !folder.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/") && !out.is_dir() {
        let path = if folder.is_dir() { out } else { folder };
        return Err(NotBundled::NoFolder { path: path.to_owned() });
    }
    let writable = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
    writable.map_err(|cause| NotBundled::Unwritable { path: folder.to_owned(), cause: cause.into() })?;
    Ok(path)
}

/// Settings and packs with which a gateway can start, the other machine's own files apart; what is still to be done there.
fn checked(arguments: &Arguments) -> Result<Vec<String>, NotBundled> {
    let (settings, packs) = (arguments.from.join("gateway.toml"), arguments.from.join("packs"));
    needed(&settings)?;
    if !files_of(&packs)?.iter().any(|path| is_pack(path)) {
        return Err(NotBundled::Lacking { path: packs.join("*.toml") });
    }
    let (looked, cautions) = look_apart(&settings);
    let config = looked.sound().map_err(|(told, _)| NotBundled::Faulty(told))?;
    if config.packs.folder != packs {
        let file = settings.display();
        let told = format!(
            "{file}: packs.folder must be \"packs\", where the package puts those of {}",
            packs.display()
        );
        return Err(NotBundled::Faulty(told));
    }
    if config.mode == Mode::Sandbox && !arguments.sandbox {
        return Err(NotBundled::Sandbox { path: settings });
    }
    Ok(cautions)
}

fn is_pack(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

fn fill(deb: &mut Deb, arguments: &Arguments, program: &[u8]) -> Result<(), NotBundled> {
    deb.file("usr/bin/banyan", 0o755, program);
    deb.text("usr/lib/systemd/system/banyan.service", UNIT);
    deb.text("usr/lib/sysusers.d/banyan.conf", USER);
    deb.text("usr/lib/tmpfiles.d/banyan.conf", FOLDERS);
    deb.text("usr/share/banyan/alerts.yml", ALERTS);
    deb.text("usr/share/doc/banyan/copyright", LICENCE);
    for (name, page) in PAGES {
        deb.text(&format!("usr/share/doc/banyan/{name}"), page);
    }
    let settings = arguments.from.join("gateway.toml");
    deb.setting("etc/banyan/gateway.toml", &needed(&settings)?);
    let packs = arguments.from.join("packs");
    for path in files_of(&packs)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_pack(&path) {
            deb.setting(&format!("etc/banyan/packs/{name}"), &read(&path)?);
        } else if name == "README.md" {
            deb.file("usr/share/doc/banyan/packs.md", 0o644, &read(&path)?);
        }
    }
    for name in ["regions.csv", "regions.LICENSE"] {
        let path = arguments.from.join(name);
        if path.is_file() {
            deb.file(&format!("usr/share/banyan/{name}"), 0o644, &read(&path)?);
        }
    }
    deb.folder("etc/banyan/tls", 0o700);
    for kept in ["data", "keys"] {
        deb.folder(&format!("var/lib/banyan/{kept}"), 0o700);
        // The settings name places beside themselves; what is written lies where the unit may write.
        deb.link(&format!("etc/banyan/{kept}"), &format!("../../var/lib/banyan/{kept}"));
    }
    Ok(())
}

fn control(program: &[u8]) -> deb::Control {
    let fields = format!(
        "Package: banyan\nVersion: {}\nArchitecture: {}\nMaintainer: Banyan <root@localhost>\nSection: net\n\
         Priority: optional\nDepends: {}\nDescription: real-time, cross-region medical settlement gateway\n \
         One program, its systemd unit, settings, policy packs and alert rules.\n",
        env!("CARGO_PKG_VERSION"),
        needs::ARCHITECTURE,
        needs::libraries(program),
    );
    deb::Control { fields, scripts: &SCRIPTS }
}

/// `DPKG_ROOT` is the root of an installation into another folder.
const SCRIPTS: [(&str, &str); 3] = [
    (
        "postinst",
        r#"#!/bin/sh
set -e
if [ "$1" = configure ]; then
    if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
        systemd-sysusers --root="$DPKG_ROOT/" banyan.conf
        systemd-tmpfiles --root="$DPKG_ROOT/" --create banyan.conf
    elif [ -z "$DPKG_ROOT" ]; then
        getent passwd banyan >/dev/null ||
            useradd --system --user-group --home-dir /var/lib/banyan --shell /usr/sbin/nologin banyan
        chown banyan:banyan /var/lib/banyan /var/lib/banyan/data /var/lib/banyan/keys /etc/banyan/tls
        chmod 700 /var/lib/banyan
    fi
    # A gateway that runs goes on with the old program until it is restarted: docs/province.md, rolling upgrade.
    if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
fi
"#,
    ),
    (
        "prerm",
        r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now banyan.service
fi
"#,
    ),
    (
        "postrm",
        r#"#!/bin/sh
set -e
# Ledger and keys in /var/lib/banyan are never removed by a program.
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
"#,
    ),
];

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, NotBundled> {
    let unreadable = |cause| NotBundled::Unreadable { path: folder.to_owned(), cause };
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(NotBundled::Lacking { path: folder.to_owned() });
        }
        entries => entries.map_err(unreadable)?,
    };
    let paths: io::Result<Vec<_>> = entries.map(|entry| entry.map(|it| it.path())).collect();
    let mut paths: Vec<_> = paths.map_err(unreadable)?.into_iter().filter(|path| path.is_file()).collect();
    paths.sort();
    Ok(paths)
}

fn needed(path: &Path) -> Result<Vec<u8>, NotBundled> {
    if path.is_file() { read(path) } else { Err(NotBundled::Lacking { path: path.to_owned() }) }
}

fn read(path: &Path) -> Result<Vec<u8>, NotBundled> {
    fs::read(path).map_err(|cause| NotBundled::Unreadable { path: path.to_owned(), cause })
}
