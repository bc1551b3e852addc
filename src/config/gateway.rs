//! Owns `gateway.toml`: addresses, limits, keys, packs, and who may call. Each key is explained in `config/gateway.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::cache;
use crate::config::cache::RedisSection;
use crate::config::ledger;
use crate::config::ledger::DatabaseSection;
use crate::config::ledger::LedgerKept;
use crate::config::ledger::LedgerSection;
use crate::config::reading::Fault;
use crate::config::reading::Faults;
use crate::config::reading::Section;
use crate::config::reading::read_file;
use crate::config::reading::read_file_on;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;

/// Everything that `banyan serve` is told.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Region that signs answers, the first six digits of `inf_refmsgid`: the province's clearing center.
    pub region: RegionCode,
    /// Whom to call when a region is not connected or a person does not know what to do next.
    pub hotline: String,
    pub mode: Mode,
    pub ledger: LedgerSection,
    /// Where nodes remember together what may be lost.
    pub cache: Option<RedisSection>,
    /// Key of look-up hashes and buckets: made once, never changed.
    pub lookup_key: PathBuf,
    /// Keys of encryption and signatures.
    pub keys: KeysSection,
    pub packs: PacksSection,
    pub hospital: HospitalSection,
    pub persons: PageSection,
    pub center: PageSection,
    /// Metrics and health.
    pub operators: SocketAddr,
    /// Time that calls in flight have to finish when the gateway stops.
    pub drain_timeout: Duration,
    pub log: LogSection,
    pub callers: Vec<Caller>,
    pub institutions: Switches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Unverified packs are refused unless allowed by name.
    Production,
    /// Synthetic data: one-time codes are shown on the page, which says so.
    Sandbox,
}

/// Where the keys lie that are made, changed and destroyed over the years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysSection {
    /// The key store. Outside of what is backed up with the ledger.
    pub store: PathBuf,
    /// Where the master key comes from, under which all keys of the store are wrapped.
    pub master: MasterSource,
    /// Where the next master is put when it shall take over. While it is there, both are read.
    pub next_master: Option<MasterSource>,
    /// Other nodes have stores of their own, copies of this one: a month's keys are made beforehand, by nobody else.
    pub copied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterSource {
    /// 64 hexadecimal digits, mode 600.
    File(PathBuf),
    /// Name of an environment variable with 64 hexadecimal digits.
    Environment(String),
}

impl core::fmt::Display for MasterSource {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            MasterSource::File(path) => write!(f, "file {}", path.display()),
            MasterSource::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

#[derive(Clone, Debug)]
pub struct PacksSection {
    pub folder: PathBuf,
    /// Regions whose unverified packs may settle in production all the same.
    pub allow_unverified: Vec<RegionCode>,
}

#[derive(Clone, Debug)]
pub struct HospitalSection {
    pub address: SocketAddr,
    pub tls: TlsSection,
    /// Bundle of the authorities that sign institutions' certificates.
    pub client_authorities: Option<PathBuf>,
    pub connections_max: usize,
    pub handshake_timeout: Duration,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub body_bytes_max: usize,
    /// Of all bodies that are gathered or worked on together.
    pub bodies_bytes_max: usize,
    /// A body of this length is worked on apart from all others.
    pub bulk_bytes: usize,
    pub request_timeout: Duration,
    pub idle_timeout: Duration,
    pub limits: LimitsSection,
    /// How far `x-tif-timestamp` may lie from the gateway's clock; a nonce is remembered for as long.
    pub signature_window: Duration,
    /// Nonces remembered; when full, signed calls are refused until the oldest is forgotten.
    pub nonces_max: usize,
    /// Lines in one 2301, and standing lines of one stay.
    pub lines_per_call_max: usize,
    pub lines_per_stay_max: usize,
    /// By how much `det_item_fee_sumamt` may differ from price × count, in fen.
    pub amount_tolerance_fen: i64,
}

#[derive(Clone, Debug)]
pub struct LimitsSection {
    pub per_second: u32,
    pub burst: u32,
    pub in_flight_max: usize,
    pub waiting_max: usize,
    pub wait_max: Duration,
    pub retry_after: Duration,
}

#[derive(Clone, Debug)]
pub struct TlsSection {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// A face with pages. Without TLS only on a loopback address.
#[derive(Clone, Debug)]
pub struct PageSection {
    pub address: SocketAddr,
    pub tls: Option<TlsSection>,
}

#[derive(Clone, Debug)]
pub struct LogSection {
    pub json: bool,
    pub level: String,
}

/// Who calls: by certificate or by signature, bound to one or several institutions (a front machine serves several).
#[derive(Clone, Debug)]
pub struct Caller {
    pub proof: Proof,
    pub institutions: Vec<InstitutionCode>,
}

#[derive(Clone, Debug)]
pub enum Proof {
    /// SHA-256 of the client certificate, 64 lower-case hexadecimal digits.
    Certificate { fingerprint: String },
    /// `x-tif-paasid` with its secret, from these networks only.
    Signature { paas_id: String, secret_file: PathBuf, networks: Vec<Network> },
}

/// `10.1.0.0/16`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub address: std::net::IpAddr,
    pub bits: u8,
}

impl Network {
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits) = (address.parse::<std::net::IpAddr>().ok()?, bits.parse::<u8>().ok()?);
        let widest = if address.is_ipv4() { 32 } else { 128 };
        (bits <= widest).then_some(Network { address, bits })
    }

    pub fn holds(&self, address: std::net::IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (std::net::IpAddr::V4(net), std::net::IpAddr::V4(it)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(net) & mask == u32::from(it) & mask
            }
            (std::net::IpAddr::V6(net), std::net::IpAddr::V6(it)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                u128::from(net) & mask == u128::from(it) & mask
            }
            (std::net::IpAddr::V4(_), std::net::IpAddr::V6(_))
            | (std::net::IpAddr::V6(_), std::net::IpAddr::V4(_)) => false,
        }
    }
}

/// Switches of institutions, with the values of all others.
#[derive(Clone, Debug)]
pub struct Switches {
    pub default: Switch,
    pub by_code: BTreeMap<InstitutionCode, Switch>,
}

impl Switches {
    pub fn of(&self, code: &InstitutionCode) -> &Switch {
        self.by_code.get(code).unwrap_or(&self.default)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The first 2303 of an unfiled stay is refused with both cash figures; off: priced at once.
    pub refuse_unfiled_first: bool,
    /// 2304 refuses when cash differs from the last quote, until quoted again.
    pub quote_binds: bool,
    /// The caller must sign with the `x-tif-*` headers, also when its certificate is known.
    pub signature_required: bool,
}

impl Gateway {
    /// Reads and checks the whole file; every fault at once.
    pub fn read(file: &Path) -> Result<Gateway, Faults> {
        read_file(file, gateway)
    }

    /// The same for `banyan check`, which looks at the files that are named rightly although another key is wrong.
    pub fn read_on(file: &Path) -> (Option<Gateway>, Vec<Fault>) {
        read_file_on(file, gateway)
    }
}

fn gateway(root: &mut Section) -> Gateway {
    let with_cache = root.has("cache");
    let gateway = Gateway {
        region: region(root, "region").unwrap_or(RegionCode(0)),
        hotline: root.text("hotline", "12393"),
        mode: root.choice(
            "mode",
            &[("production", Mode::Production), ("sandbox", Mode::Sandbox)],
            Mode::Production,
        ),
        drain_timeout: root.milliseconds("drain_timeout_ms", 0..=600_000, 20_000),
        lookup_key: root.required_path("lookup_key"),
        keys: root.section("keys", keys),
        ledger: root.section("ledger", ledger::ledger),
        cache: root.section("cache", |s| cache::cache(s, with_cache)),
        packs: root.section("packs", packs),
        hospital: root.section("hospital", hospital),
        persons: root.section("persons", |s| pages(s, "127.0.0.1:8445")),
        center: root.section("center", |s| pages(s, "127.0.0.1:8446")),
        operators: root.section("operators", |s| s.address("address", "127.0.0.1:8447")),
        log: root.section("log", log),
        callers: root.sections("caller", caller).into_iter().flatten().collect(),
        institutions: switches(root),
    };
    waits_fit(root, &gateway);
    gateway
}

/// A call that is cut by its own limit learns nothing, where the ledger would soon have told what became of it.
fn waits_fit(root: &mut Section, gateway: &Gateway) {
    let LedgerKept::Database(database) = &gateway.ledger.kept else { return };
    let request_timeout = gateway.hospital.request_timeout;
    let longest = DatabaseSection::longest_wait(request_timeout);
    if database.answer_within > longest {
        let (limit, longest) = (request_timeout.as_millis(), longest.as_millis());
        let what = format!(
            "must be at most {longest}, a third of hospital.request_timeout_ms = {limit}: a call waits three times at most, to look up, to write, and to ask what became of it"
        );
        root.fault(&format!("ledger.answer_within_ms = {}", database.answer_within.as_millis()), what);
    }
}

fn region(section: &mut Section, key: &str) -> Option<RegionCode> {
    if !section.has(key) {
        section.fault(key, "must be set");
    }
    section.parsed(key, "a six-digit region code", |text| RegionCode::parse(text).ok())
}

fn keys(s: &mut Section) -> KeysSection {
    let store = s.required_path("store");
    if !s.has("master") {
        s.fault("master", "must be set");
    }
    let (master, next_master) = (master(s, "master"), master(s, "next_master"));
    if master.is_some() && master == next_master {
        s.fault("next_master", "must name another place than master");
    }
    let copied = s.flag("copied", false);
    KeysSection { store, master: master.unwrap_or(MasterSource::File(PathBuf::new())), next_master, copied }
}

/// `env:NAME`, or a file.
fn master(s: &mut Section, key: &str) -> Option<MasterSource> {
    let text = s.optional_text(key)?;
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        s.fault(key, "must say where the key is, not hold it; who has read this file knows it: make another");
        return None;
    }
    let Some(name) = text.strip_prefix("env:") else {
        return Some(MasterSource::File(s.placed(&text)));
    };
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        // The text is not shown: it may be the key itself.
        s.fault(key, "after env: must be the name of an environment variable: letters, digits and _");
        return None;
    }
    Some(MasterSource::Environment(name.to_owned()))
}

fn packs(s: &mut Section) -> PacksSection {
    let folder = s.required_path("folder");
    let named = s.texts("allow_unverified");
    let allow_unverified = named.iter().filter_map(|text| match RegionCode::parse(text) {
        Ok(region) => Some(region),
        Err(cause) => {
            s.fault("allow_unverified", format!("{text:?} {cause}"));
            None
        }
    });
    PacksSection { allow_unverified: allow_unverified.collect(), folder }
}

fn hospital(s: &mut Section) -> HospitalSection {
    const MIB: i64 = 1024 * 1024;
    let body_bytes_max = s.size("body_bytes_max", 4_096..=256 * MIB, 8 * MIB);
    let bodies_bytes_max = s.size("bodies_bytes_max", 4_096..=1024 * 1024 * MIB, 256 * MIB);
    if bodies_bytes_max < body_bytes_max {
        let what =
            format!("must be at least body_bytes_max ({body_bytes_max}): one so long would never find room");
        s.fault(&format!("bodies_bytes_max = {bodies_bytes_max}"), what);
    }
    HospitalSection {
        address: s.address("address", "0.0.0.0:8443"),
        tls: TlsSection { certificate: s.required_path("certificate"), key: s.required_path("key") },
        client_authorities: s.path("client_authorities"),
        connections_max: s.size("connections_max", 1..=1_000_000, 10_000),
        handshake_timeout: s.milliseconds("handshake_timeout_ms", 100..=60_000, 10_000),
        header_timeout: s.milliseconds("header_timeout_ms", 100..=60_000, 10_000),
        body_timeout: s.milliseconds("body_timeout_ms", 100..=120_000, 30_000),
        body_bytes_max,
        bodies_bytes_max,
        bulk_bytes: s.size("bulk_bytes", 1..=256 * MIB, 16 * 1024),
        request_timeout: s.milliseconds("request_timeout_ms", 100..=120_000, 45_000),
        idle_timeout: s.milliseconds("idle_timeout_ms", 1_000..=3_600_000, 120_000),
        limits: s.section("limits", limits),
        signature_window: s.milliseconds("signature_window_ms", 1_000..=3_600_000, 300_000),
        nonces_max: s.size("nonces_max", 1_024..=100_000_000, 1_000_000),
        lines_per_call_max: s.size("lines_per_call_max", 1..=10_000, 1_000),
        lines_per_stay_max: s.size("lines_per_stay_max", 1..=1_000_000, 50_000),
        amount_tolerance_fen: s.integer("amount_tolerance_fen", 0..=100, 1),
    }
}

fn limits(s: &mut Section) -> LimitsSection {
    let whole = |s: &mut Section, key: &str, default: i64| {
        u32::try_from(s.integer(key, 1..=1_000_000, default)).unwrap_or(1)
    };
    LimitsSection {
        per_second: whole(s, "per_second", 200),
        burst: whole(s, "burst", 400),
        in_flight_max: s.size("in_flight_max", 1..=1_000_000, 256),
        waiting_max: s.size("waiting_max", 0..=1_000_000, 8_192),
        wait_max: s.milliseconds("wait_max_ms", 0..=60_000, 2_000),
        retry_after: s.milliseconds("retry_after_ms", 1..=60_000, 1_000),
    }
}

fn pages(s: &mut Section, default: &str) -> PageSection {
    let address = s.address("address", default);
    let (certificate, key) = (s.path("certificate"), s.path("key"));
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsSection { certificate, key }),
        (None, None) => {
            if !address.ip().is_loopback() {
                s.fault("address", "needs certificate and key: pages leave this machine only over TLS");
            }
            None
        }
        (Some(_), None) => {
            s.fault("key", "must be set with certificate");
            None
        }
        (None, Some(_)) => {
            s.fault("certificate", "must be set with key");
            None
        }
    };
    PageSection { address, tls }
}

fn log(s: &mut Section) -> LogSection {
    LogSection {
        json: s.choice("format", &[("text", false), ("json", true)], true),
        level: s.text("level", "info"),
    }
}

fn caller(s: &mut Section) -> Option<Caller> {
    let codes = s.texts("institutions");
    if codes.is_empty() {
        s.fault("institutions", "must name at least one institution code");
    }
    let institutions = codes.iter().filter_map(|text| institution(s, "institutions", text)).collect();
    let fingerprint = s.parsed("certificate_sha256", "64 lower-case hexadecimal digits", |text| {
        let plain =
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        plain.then(|| text.to_owned())
    });
    let (paas_id, secret_file) = (s.optional_text("paas_id"), s.path("secret_file"));
    let networks: Vec<Network> = s
        .texts("networks")
        .iter()
        .filter_map(|text| {
            let network = Network::parse(text);
            if network.is_none() {
                s.fault("networks", format!("{text:?} must be a network like 10.1.0.0/16"));
            }
            network
        })
        .collect();
    let proof = match (fingerprint, paas_id, secret_file) {
        (Some(fingerprint), None, None) => Proof::Certificate { fingerprint },
        (None, Some(paas_id), Some(secret_file)) => {
            if networks.is_empty() {
                s.fault("networks", "must name the networks from which this signature is taken");
            }
            Proof::Signature { paas_id, secret_file, networks }
        }
        _ => {
            s.fault(
                "certificate_sha256",
                "set either certificate_sha256, or paas_id with secret_file and networks",
            );
            return None;
        }
    };
    Some(Caller { proof, institutions })
}

fn institution(s: &Section, key: &str, text: &str) -> Option<InstitutionCode> {
    InstitutionCode::parse(text).map_err(|cause| s.fault(key, format!("{text:?} {cause}"))).ok()
}

fn switches(root: &mut Section) -> Switches {
    const USUAL: Switch =
        Switch { refuse_unfiled_first: true, quote_binds: false, signature_required: false };
    let default = root.section("institution_default", |s| switch(s, USUAL));
    let rows = root.sections("institution", |s| {
        let code = s.required_text("code");
        let switch = switch(s, default);
        institution(s, "code", &code).map(|code| (code, switch))
    });
    Switches { default, by_code: rows.into_iter().flatten().collect() }
}

fn switch(s: &mut Section, usual: Switch) -> Switch {
    Switch {
        refuse_unfiled_first: s.flag("refuse_unfiled_first", usual.refuse_unfiled_first),
        quote_binds: s.flag("quote_binds", usual.quote_binds),
        signature_required: s.flag("signature_required", usual.signature_required),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reading::read_text;

    #[test]
    fn the_shipped_file_reads_without_a_fault() {
        let shipped =
            Gateway::read(Path::new("config/gateway.toml")).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(shipped.region, RegionCode(440_000));
        assert_eq!(shipped.mode, Mode::Production);
        assert!(shipped.callers.is_empty() && shipped.institutions.by_code.is_empty(), "nobody but yours");
    }

    #[test]
    fn an_empty_file_is_told_all_that_it_lacks() {
        let faults = read_text("", Path::new("."), gateway).unwrap_err();
        let keys: Vec<&str> = faults.iter().map(|f| f.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "region",
                "lookup_key",
                "keys.store",
                "keys.master",
                "ledger.file",
                "packs.folder",
                "hospital.certificate",
                "hospital.key"
            ]
        );
    }

    #[test]
    fn a_master_key_is_named_and_never_written_into_the_settings() {
        let read = |text: &str| read_text(text, Path::new("/etc/banyan"), keys);
        let good =
            read("store = \"s.json\"\nmaster = \"env:BANYAN_MASTER\"\nnext_master = \"next.key\"").unwrap();
        assert_eq!(good.master, MasterSource::Environment("BANYAN_MASTER".to_owned()));
        assert_eq!(good.next_master, Some(MasterSource::File(PathBuf::from("/etc/banyan/next.key"))));
        let digits = "0123456789abcdef".repeat(4);
        let faults = read(&format!("master = \"{digits}\"\nnext_master = \"env:1\"")).unwrap_err();
        let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("store: must be set"));
        assert!(told.iter().all(|fault| !fault.contains(&digits)), "{told:?}");
        assert_eq!(read("store = \"a\"\nmaster = \"b\"\nnext_master = \"b\"").unwrap_err().len(), 1);
        assert_eq!(read("").unwrap_err().len(), 2);
    }

    #[test]
    fn pages_without_tls_stay_on_this_machine() {
        let page = |text: &str| {
            read_text(text, Path::new("."), |s| pages(s, "127.0.0.1:1")).map(|p| p.tls.is_some())
        };
        assert_eq!(page("address = \"127.0.0.1:8445\""), Ok(false));
        assert_eq!(page("address = \"0.0.0.0:8445\"\ncertificate = \"c\"\nkey = \"k\""), Ok(true));
        let faults = page("address = \"0.0.0.0:8445\"").unwrap_err();
        assert!(faults[0].what.contains("TLS"), "{faults:?}");
        let half: Vec<Fault> = page("certificate = \"c\"").unwrap_err();
        assert_eq!(half[0].key, "key");
    }

    #[test]
    fn all_bodies_together_have_room_for_one_of_the_longest() {
        let read = |bodies: u32| {
            let text = format!(
                "certificate = \"c\"\nkey = \"k\"\nbody_bytes_max = 9000\nbodies_bytes_max = {bodies}"
            );
            read_text(&text, Path::new("."), hospital).map(|section| section.bodies_bytes_max)
        };
        assert_eq!(read(9_000), Ok(9_000));
        let faults = read(8_999).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].to_string().starts_with("bodies_bytes_max = 8999: must be")
                && faults[0].what.contains("body_bytes_max (9000)"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let table = [
            ("10.1.0.0/16", "10.1.255.3", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("10.1.0.0/16", "::ffff:10.1.0.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "10.0.0.1", false),
        ];
        for (network, address, held) in table {
            assert_eq!(
                Network::parse(network).unwrap().holds(address.parse().unwrap()),
                held,
                "{network} {address}"
            );
        }
        for bad in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
