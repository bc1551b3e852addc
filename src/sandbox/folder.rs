//! Owns the folder of a sandbox gateway: settings, keys, certificates and packs, each in its place. The ledger and the
//! province's files are filled in by whoever makes it.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use crate::domain::calendar::Day;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::sandbox::geography::CITIES;
use crate::sandbox::identities::Authority;

/// The packs of the sandbox, by region. TP-1 stands in for every pool that has none of its own.
const PACKS: [(u32, &str); 4] = [
    (440_400, include_str!("../../config/packs/sandbox/440400.toml")),
    (440_600, include_str!("../../config/packs/sandbox/440600.toml")),
    (440_700, TP_1),
    (442_000, include_str!("../../config/packs/sandbox/442000.toml")),
];
const TP_1: &str = include_str!("../../config/packs/sandbox/440700.toml");

/// Ports that a sandbox listens on; 0 lets the system choose.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub hospital: u16,
    pub persons: u16,
    pub center: u16,
    pub operators: u16,
}

impl Ports {
    /// The ports of `gateway.toml`.
    pub const USUAL: Ports = Ports { hospital: 8443, persons: 8445, center: 8446, operators: 8447 };
    pub const ANY: Ports = Ports { hospital: 0, persons: 0, center: 0, operators: 0 };
}

/// Why a sandbox folder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    #[error("{path} cannot be written")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("certificates cannot be made")]
    Certificates(#[from] rcgen::Error),
    #[error("the look-up key cannot be made")]
    Key {
        #[source]
        cause: io::Error,
    },
}

/// Where things lie in a sandbox folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder(path.to_owned())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn settings(&self) -> PathBuf {
        self.0.join("gateway.toml")
    }

    pub fn lookup_key(&self) -> PathBuf {
        self.0.join("keys/lookup.key")
    }

    pub fn ledger(&self) -> PathBuf {
        self.0.join("data/ledger.db")
    }

    /// The CSV files of the province.
    pub fn province(&self) -> PathBuf {
        self.0.join("province")
    }

    pub fn packs(&self) -> PathBuf {
        self.0.join("packs")
    }

    /// Certificate of the authority that signs all others here.
    pub fn authority(&self) -> PathBuf {
        self.0.join("tls/authority.pem")
    }

    /// Certificate and key of the gateway.
    pub fn gateway_identity(&self) -> (PathBuf, PathBuf) {
        (self.0.join("tls/gateway.pem"), self.0.join("tls/gateway.key"))
    }

    /// Certificate and key of an institution.
    pub fn identity(&self, code: &str) -> (PathBuf, PathBuf) {
        let folder = self.0.join("tls/institutions");
        (folder.join(format!("{code}.pem")), folder.join(format!("{code}.key")))
    }

    /// One call that works as it stands, for the shell; each start writes the address that hospitals call into it.
    pub fn first_call(&self) -> PathBuf {
        self.0.join("first-call.txt")
    }

    /// Whether the folder was made whole: the mark is written last.
    pub fn is_made(&self) -> bool {
        self.mark().exists()
    }

    /// Says that the folder is whole.
    pub fn mark_made(&self) -> Result<(), NotMade> {
        write(&self.mark(), "A sandbox: nothing in this folder is real.\n", 0o644)
    }

    fn mark(&self) -> PathBuf {
        self.0.join("SANDBOX")
    }

    /// Writes packs, certificates for these institutions, and settings. Replaces what an interrupted start left.
    pub fn make(&self, institutions: &[InstitutionCode], today: Day, ports: Ports) -> Result<(), NotMade> {
        for below in ["keys", "data", "packs", "tls/institutions", "province"] {
            let path = self.0.join(below);
            fs::create_dir_all(&path).map_err(|cause| NotMade::File { path, cause })?;
        }
        self.write_packs()?;
        let callers = self.write_identities(institutions, today)?;
        write(&self.settings(), &settings(ports, &callers), 0o644)
    }

    fn write_packs(&self) -> Result<(), NotMade> {
        CITIES.iter().try_for_each(|city| {
            write(&self.packs().join(format!("{}.toml", city.pool)), &pack_of(city.pool), 0o644)
        })
    }

    /// Gives the `[[caller]]` sections of the settings.
    fn write_identities(&self, institutions: &[InstitutionCode], today: Day) -> Result<String, NotMade> {
        let authority = Authority::make(today)?;
        write(&self.authority(), &authority.certificate(), 0o644)?;
        let gateway = authority.server(&["localhost", "127.0.0.1"])?;
        let (certificate, key) = self.gateway_identity();
        write(&certificate, &gateway.certificate, 0o644)?;
        write(&key, &gateway.key, 0o600)?;
        let mut callers = String::new();
        for code in institutions {
            let identity = authority.institution(code)?;
            let (certificate, key) = self.identity(code.as_str());
            write(&certificate, &identity.certificate, 0o644)?;
            write(&key, &identity.key, 0o600)?;
            let fingerprint = identity.fingerprint;
            callers.push_str(&format!(
                "\n[[caller]]\ncertificate_sha256 = \"{fingerprint}\"\ninstitutions = [\"{code}\"]\n"
            ));
        }
        Ok(callers)
    }
}

/// TP-1 under the region's own code where the pool has no pack of its own.
fn pack_of(pool: RegionCode) -> String {
    match PACKS.iter().find(|(region, _)| *region == pool.0) {
        Some((_, text)) => (*text).to_owned(),
        None => TP_1.replace("440700", &pool.to_string()),
    }
}

fn settings(ports: Ports, callers: &str) -> String {
    let Ports { hospital, persons, center, operators } = ports;
    format!(
        r#"# A sandbox gateway. Nothing here is real; config/gateway.toml of the project explains every key.
region = "440000"
hotline = "12393（沙盒）"
mode = "sandbox"
lookup_key = "keys/lookup.key"
drain_timeout_ms = 5000

[keys]
store = "keys/store.json"
master = "keys/master.key"
next_master = "keys/master-next.key"

[ledger]
file = "data/ledger.db"

[packs]
folder = "packs"

[hospital]
address = "127.0.0.1:{hospital}"
certificate = "tls/gateway.pem"
key = "tls/gateway.key"
client_authorities = "tls/authority.pem"

[persons]
address = "127.0.0.1:{persons}"

[center]
address = "127.0.0.1:{center}"

[operators]
address = "127.0.0.1:{operators}"

[log]
format = "text"
level = "warn"
{callers}"#
    )
}

/// Writes a file whole, with its mode from the first byte on.
pub fn write(path: &Path, text: &str, mode: u32) -> Result<(), NotMade> {
    let failed = |cause| NotMade::File { path: path.to_owned(), cause };
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(cause)),
        Ok(()) | Err(_) => {}
    }
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::gateway::Gateway;
    use crate::config::gateway::Mode;
    use crate::config::packs;

    #[test]
    fn a_made_folder_holds_settings_and_packs_without_a_fault() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let hospital = InstitutionCode::parse("H44070300001").unwrap();
        let today = Day::from_number(20_261_124).unwrap();
        folder.make(std::slice::from_ref(&hospital), today, Ports::ANY).unwrap();
        // An interrupted start is made again over what it left.
        folder.make(std::slice::from_ref(&hospital), today, Ports::ANY).unwrap();
        assert!(!folder.is_made());
        folder.mark_made().unwrap();
        assert!(folder.is_made());

        let settings = Gateway::read(&folder.settings()).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!((settings.mode, settings.callers.len()), (Mode::Sandbox, 1));
        assert_eq!(settings.keys.store, place.path().join("keys/store.json"));
        let set = packs::load_set(&folder.packs()).unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(set.packs().count(), CITIES.len());
    }
}
