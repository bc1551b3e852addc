//! Owns how the parts are built, connected, reloaded and stopped. The only place that knows all of them.
//!
//! Start order: packs (nothing may start on a wrong policy), ledger, shared tables, use cases, then the faces; operators
//! first, so that "not ready" can be asked while the rest starts. Stop order: the faces finish what is in flight within
//! a deadline, then the ledger writes what is queued.

mod counted;
mod health;
pub(crate) mod keys_ahead;
pub mod remembering;
pub mod shared_tables;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::counted::Counted;
use crate::app::remembering::Remembering;
use crate::app::shared_tables::SharedTables;
use crate::app::shared_tables::TablesError;
use crate::cache::bus::Message;
use crate::cache::bus::Topic;
use crate::cache::memory::MemoryCache;
use crate::cache::redis::BadRedisFile;
use crate::config::gateway::Caller;
use crate::config::gateway::Gateway;
use crate::config::gateway::HospitalSection;
use crate::config::gateway::LimitsSection;
use crate::config::gateway::Mode;
use crate::config::gateway::PageSection;
use crate::config::gateway::TlsSection;
use crate::config::ledger::DatabaseSection;
use crate::config::ledger::LedgerKept;
use crate::domain::money::Fen;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::place::Place;
use crate::ledger::postgres;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite;
use crate::protocol::center;
use crate::protocol::center::CenterFace;
use crate::protocol::hospital::callers::BadCaller;
use crate::protocol::hospital::callers::Callers;
use crate::protocol::hospital::face;
use crate::protocol::hospital::face::HospitalFace;
use crate::protocol::hospital::sign::SignKey;
use crate::protocol::hospital::signature::SignatureCheck;
use crate::protocol::ops::Ops;
use crate::protocol::ops::Readiness;
use crate::protocol::person;
use crate::protocol::person::PersonFace;
use crate::protocol::person::one_time_code::Delivery;
use crate::service::Service;
use crate::service::credential::CardsOnly;
use crate::service::credential::Credentials;
use crate::service::credential::SandboxTokens;
use crate::service::seams::Clock;
use crate::service::settings::Settings;
use crate::service::settings::Switches;
use crate::telemetry::health as seen;
use crate::telemetry::ledger::LedgerMeter;
use crate::telemetry::metrics;
use crate::telemetry::metrics::Metrics;
use crate::transport;
use crate::transport::limits;
use crate::transport::limits::Limits;
use crate::transport::server::Face;
use crate::transport::server::Server;
use crate::transport::tls;
use crate::transport::tls::ReloadableTls;
use crate::vault::key_file;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::lookup::LookupKey;

/// Why the gateway did not start. Each says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Tables(#[from] TablesError),
    #[error(transparent)]
    Key(#[from] key_file::BadKeyFile),
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    #[error("the ledger {place} cannot be opened")]
    Ledger {
        place: String,
        #[source]
        cause: LedgerError,
    },
    #[error("cache.{}: {cause}", .cause.key())]
    Redis {
        #[from]
        cause: BadRedisFile,
    },
    #[error(transparent)]
    Callers(#[from] BadCaller),
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    #[error("{key}: {cause}")]
    Bind {
        /// Of the settings.
        key: &'static str,
        #[source]
        cause: transport::listener::BindError,
    },
}

/// Where the faces listen, ports being real ones.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub hospital: SocketAddr,
    pub persons: SocketAddr,
    pub persons_over_tls: bool,
    pub center: SocketAddr,
    pub center_over_tls: bool,
    pub operators: SocketAddr,
}

/// A gateway at work.
pub struct App {
    config: Gateway,
    pub service: Arc<Service>,
    ledger: Arc<dyn Ledger>,
    keys: Arc<KeyStore>,
    face: Arc<HospitalFace>,
    meter: LedgerMeter,
    tls: Vec<Named>,
    hospital: Server,
    persons: Server,
    center: Server,
    operators: Server,
    ready: Ready,
    tables_version: AtomicU64,
    /// Its tasks end with it.
    remembering: Remembering,
}

/// A listener's identity.
type Named = (&'static str, Arc<ReloadableTls>);

/// Shared with the operators' face.
#[derive(Clone, Default)]
struct Ready(Arc<ReadyFlags>);

#[derive(Default)]
struct ReadyFlags {
    serving: AtomicBool,
    draining: AtomicBool,
}

impl Readiness for Ready {
    fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if !self.0.serving.load(Ordering::Acquire) {
            missing.push("still starting");
        }
        if self.0.draining.load(Ordering::Acquire) {
            missing.push("draining before a stop");
        }
        missing
    }
}

impl App {
    /// Builds and starts everything. `metrics` is absent where several gateways live in one process (tests).
    pub async fn start(
        config: Gateway,
        clock: Arc<dyn Clock>,
        metrics: Option<Metrics>,
    ) -> Result<App, AppError> {
        let packs = shared_tables::load_packs(&config)?;
        let ready = Ready::default();
        let ops = Arc::new(Ops { metrics, readiness: ready.clone() });
        let operators = Server::start(Face {
            name: "operators",
            address: config.operators,
            tls: None,
            settings: transport::Settings { connections_max: 64, ..transport::Settings::default() },
            handler: ops,
            observer: Arc::new(metrics::transport_observer("operators")),
        })
        .map_err(bind("operators.address"))?;

        let secrets = secrets(&config)?;
        let keys = Arc::clone(&secrets.keys);
        let meter = LedgerMeter::new(waiting_max(&config));
        let place = ledger_place(&config).observed(meter.observer());
        let now = Arc::clone(&clock);
        let ledger = place.open(secrets, Arc::new(move || now.now())).map_err(cannot_open(&place))?;
        let ledger: Arc<dyn Ledger> =
            Arc::new(Counted { ledger, meter: meter.clone(), clock: Arc::clone(&clock) });
        let shared = Arc::clone(&ledger);
        let SharedTables { reference, version } = shared_tables::load(shared.as_ref(), &packs).await?;
        let remembering = Remembering::start(&config).await?;
        let credentials: Arc<dyn Credentials> = match config.mode {
            Mode::Production => Arc::new(CardsOnly),
            Mode::Sandbox => Arc::new(SandboxTokens),
        };
        let cache = remembering.cache();
        let service = Service::new(shared, cache, clock, credentials, reference, service_settings(&config));
        let service = Arc::new(service.with_bus(remembering.bus()));

        let hospital_tls = Arc::new(ReloadableTls::load(hospital_tls(&config.hospital))?);
        let limits = remembering.limits(limits_settings(&config.hospital.limits));
        let face = Arc::new(hospital_face(&config, Arc::clone(&service), limits)?);
        let hospital = Server::start(Face {
            name: "hospitals",
            address: config.hospital.address,
            tls: Some(Arc::clone(&hospital_tls)),
            settings: hospital_settings(&config.hospital),
            handler: Arc::clone(&face),
            observer: Arc::new(metrics::transport_observer("hospitals")),
        })
        .map_err(bind("hospital.address"))?;
        let mut tls = vec![("hospitals", hospital_tls)];
        let persons = person_face(&config, Arc::clone(&service));
        let persons = start_pages(("persons", "persons.address"), &config.persons, persons, &mut tls)?;
        let center = center_face(&config, Arc::clone(&service));
        let center = start_pages(("center", "center.address"), &config.center, center, &mut tls)?;
        ready.0.serving.store(true, Ordering::Release);
        let tables_version = AtomicU64::new(version);
        Ok(App {
            config,
            service,
            ledger,
            keys,
            face,
            meter,
            tls,
            hospital,
            persons,
            center,
            operators,
            ready,
            tables_version,
            remembering,
        })
    }

    pub fn addresses(&self) -> Addresses {
        Addresses {
            hospital: self.hospital.address(),
            persons: self.persons.address(),
            persons_over_tls: self.config.persons.tls.is_some(),
            center: self.center.address(),
            center_over_tls: self.config.center.tls.is_some(),
            operators: self.operators.address(),
        }
    }

    /// Reads certificates, the secrets of these callers, and packs again. What cannot be read leaves the old in force;
    /// every fault is given back.
    pub async fn reload(&self, callers: &[Caller]) -> Vec<String> {
        let mut faults = Vec::new();
        let tls = self.tls.iter().filter_map(|(_, tls)| tls.reload().err());
        faults.extend(tls.map(|fault| fault.to_string()));
        match Callers::load(callers) {
            Ok(callers) => self.face.replace_callers(callers),
            Err(fault) => faults.push(fault.to_string()),
        }
        if let Err(fault) = self.reload_keys() {
            faults.push(fault.to_string());
        }
        if let Err(fault) = self.reload_tables().await {
            faults.push(fault.to_string());
        }
        seen::reload_faults(faults.len());
        faults
    }

    async fn reload_tables(&self) -> Result<(), TablesError> {
        let packs = shared_tables::load_packs(&self.config)?;
        let tables = shared_tables::load(self.service.ledger.as_ref(), &packs).await?;
        self.service.reference.store(Arc::new(tables.reference));
        self.tables_version.store(tables.version, Ordering::Release);
        Ok(())
    }

    /// Looks every second whether an import has changed the shared tables, and at once when another node says so; returns
    /// never.
    pub async fn follow_changes(&self) {
        let mut told = self.service.bus.subscribe(Topic::Changes);
        let mut ticks = tokio::time::interval(TABLES_ASKED_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if self.look_at_tables().await {
                        self.service.bus.publish(Message::TablesChanged); // others need not wait for their second
                    }
                }
                message = told.recv() => match message {
                    Ok(Message::KeysChanged) => self.look_at_keys(),
                    // Too many to follow: what they said is seen by looking.
                    Ok(_) | Err(_) => drop(self.look_at_tables().await),
                }
            }
        }
    }

    /// Whether they were others than before, and are in force now.
    async fn look_at_tables(&self) -> bool {
        let known = self.tables_version.load(Ordering::Acquire);
        match self.service.ledger.reference_version().await {
            Ok(version) if version == known => return false,
            Ok(_) => match self.reload_tables().await {
                Ok(()) => return true,
                Err(fault) => {
                    seen::reload_faults(1);
                    tracing::warn!(%fault, "shared tables changed but cannot be loaded; the old ones stay in force");
                }
            },
            Err(fault) if fault.is_known_outage() => {}
            Err(fault) => {
                let fault: &(dyn std::error::Error + 'static) = &fault;
                tracing::warn!(fault, "cannot ask for the version of the shared tables");
            }
        }
        false
    }

    /// What was read with keys that may be destroyed now is read anew, or found to be forgotten.
    fn reload_keys(&self) -> Result<(), KeyStoreError> {
        let reloaded = self.keys.reload_from_settings(&self.config.keys);
        self.service.ledger.forget_recent();
        reloaded
    }

    fn look_at_keys(&self) {
        if let Err(fault) = self.reload_keys() {
            seen::reload_faults(1);
            tracing::warn!(%fault, "the key store was changed but cannot be read; what was read before stays in force");
        }
    }

    /// Ends well: no new call, those in flight finish within the deadline, then the ledger writes what is queued.
    /// Gives back how many connections were cut.
    pub async fn drain(self) -> usize {
        self.ready.0.draining.store(true, Ordering::Release);
        let within = self.config.drain_timeout;
        let (hospital, persons, center) =
            tokio::join!(self.hospital.drain(within), self.persons.drain(within), self.center.drain(within));
        self.operators.drain(OPERATORS_DRAIN).await;
        drop((self.service, self.face));
        drop((self.ledger, self.remembering));
        hospital.cut + persons.cut + center.cut
    }
}

/// Hints, sessions and codes that one node keeps in memory.
const CACHE_ENTRIES_MAX: usize = 100_000;
/// A form, or a filing as JSON.
const PAGE_BODY_BYTES_MAX: usize = 64 * 1024;
const TABLES_ASKED_EVERY: Duration = Duration::from_secs(1);
const OPERATORS_DRAIN: Duration = Duration::from_secs(1);

/// Deeds that may wait at this node: in each of its lanes.
fn waiting_max(config: &Gateway) -> usize {
    let lanes = match &config.ledger.kept {
        LedgerKept::File(_) => 1,
        LedgerKept::Database(section) => section.lanes,
    };
    config.ledger.queue_max * lanes
}

/// The ledger that a configuration names. Whoever lets it go last waits until everything is written.
pub fn open_ledger(config: &Gateway, clock: Arc<dyn Clock>) -> Result<Arc<dyn Ledger>, AppError> {
    let (place, secrets) = (ledger_place(config), secrets(config)?);
    place.open(secrets, Arc::new(move || clock.now())).map_err(cannot_open(&place))
}

fn cannot_open(place: &Place) -> impl FnOnce(LedgerError) -> AppError {
    let place = place.told();
    move |cause| AppError::Ledger { place, cause }
}

/// Where the ledger is that a configuration names.
pub fn ledger_place(config: &Gateway) -> Place {
    match &config.ledger.kept {
        LedgerKept::File(file) => Place::File { path: file.clone(), settings: ledger_settings(config) },
        LedgerKept::Database(section) => Place::Database(database_settings(config, section)),
    }
}

fn ledger_settings(config: &Gateway) -> sqlite::Settings {
    sqlite::Settings {
        queue_limit: config.ledger.queue_max,
        batch_max: config.ledger.batch_max,
        ..sqlite::Settings::default()
    }
}

pub fn database_settings(config: &Gateway, section: &DatabaseSection) -> postgres::Settings {
    postgres::Settings {
        url: section.url.clone(),
        ca_file: section.authority.clone(),
        password_file: section.password_file.clone(),
        lanes: section.lanes,
        readers: section.readers,
        queue_limit: config.ledger.queue_max,
        batch_max: config.ledger.batch_max,
        connect_timeout: section.connect_timeout,
        answer_within: section.answer_within,
        ..postgres::Settings::default()
    }
}

/// The keys that a configuration names.
pub fn secrets(config: &Gateway) -> Result<Secrets, AppError> {
    let lookup = LookupKey::new(&key_file::read(&config.lookup_key)?);
    Ok(Secrets { lookup, keys: Arc::new(KeyStore::from_settings(&config.keys)?) })
}

/// The use cases over a ledger that is only read: for reports beside a running gateway. They know the names of regions and
/// institutions, and no packs or catalogues.
pub async fn to_read(config: &Gateway, clock: Arc<dyn Clock>) -> Result<Service, AppError> {
    let place = ledger_place(config);
    let ledger = place.open_to_read(secrets(config)?).map_err(cannot_open(&place))?;
    let names = shared_tables::names(ledger.as_ref()).await?;
    let cache = Arc::new(MemoryCache::new(CACHE_ENTRIES_MAX));
    Ok(Service::new(ledger, cache, clock, Arc::new(CardsOnly), names, service_settings(config)))
}

fn person_face(config: &Gateway, service: Arc<Service>) -> PersonFace {
    let sandbox = config.mode == Mode::Sandbox;
    let delivery = if sandbox { Delivery::Shown } else { Delivery::NotConnected };
    let (over_tls, hotline) = (config.persons.tls.is_some(), config.hotline.clone());
    PersonFace::new(service, person::Settings { sandbox, over_tls, hotline, delivery })
}

fn center_face(config: &Gateway, service: Arc<Service>) -> CenterFace {
    let (sandbox, over_tls) = (config.mode == Mode::Sandbox, config.center.tls.is_some());
    CenterFace::new(service, center::Settings { sandbox, over_tls, hotline: config.hotline.clone() })
}

/// A face with pages; its certificate joins those that are read anew.
fn start_pages<H: transport::Handler>(
    (name, key): (&'static str, &'static str),
    section: &PageSection,
    face: H,
    identities: &mut Vec<Named>,
) -> Result<Server, AppError> {
    let tls = match &section.tls {
        None => None,
        Some(files) => {
            let identity = Arc::new(ReloadableTls::load(pages_tls(files))?);
            identities.push((name, Arc::clone(&identity)));
            Some(identity)
        }
    };
    let face = Face {
        name,
        address: section.address,
        tls,
        settings: transport::Settings {
            body_bytes_max: PAGE_BODY_BYTES_MAX,
            ..transport::Settings::default()
        },
        handler: Arc::new(face),
        observer: Arc::new(metrics::transport_observer(name)),
    };
    Server::start(face).map_err(bind(key))
}

fn bind(key: &'static str) -> impl FnOnce(transport::listener::BindError) -> AppError {
    move |cause| AppError::Bind { key, cause }
}

fn hospital_face(config: &Gateway, service: Arc<Service>, limits: Limits) -> Result<HospitalFace, AppError> {
    let section = &config.hospital;
    let window_seconds = i64::try_from(section.signature_window.as_secs()).unwrap_or(i64::MAX);
    Ok(HospitalFace::new(face::Parts {
        service,
        callers: Callers::load(&config.callers)?,
        switches: config.institutions.clone(),
        limits,
        signatures: SignatureCheck::new(window_seconds, section.nonces_max),
        // Every node has the look-up key, so a desk that signed in at one is known to all.
        sign_key: SignKey::new(&LookupKey::new(&key_file::read(&config.lookup_key)?).hash("sign_no", &[])),
        region: config.region,
        body_bytes_max: config.hospital.body_bytes_max,
    }))
}

fn service_settings(config: &Gateway) -> Settings {
    let switches = |s: &crate::config::gateway::Switch| Switches {
        unfiled_refused_first: s.refuse_unfiled_first,
        quote_again: s.quote_binds,
    };
    let named = config.institutions.by_code.iter();
    Settings {
        hotline: config.hotline.clone(),
        lines_per_call_max: config.hospital.lines_per_call_max,
        lines_per_stay_max: config.hospital.lines_per_stay_max,
        amount_tolerance: Fen(config.hospital.amount_tolerance_fen),
        usual: switches(&config.institutions.default),
        institutions: named.map(|(code, switch)| (code.clone(), switches(switch))).collect(),
        ..Settings::default()
    }
}

pub(crate) fn pages_tls(files: &TlsSection) -> tls::Settings {
    let (chain, key) = (files.certificate.clone(), files.key.clone());
    tls::Settings { chain, key, clients: tls::ClientCertificates::Off }
}

pub(crate) fn hospital_tls(section: &HospitalSection) -> tls::Settings {
    let clients = match &section.client_authorities {
        None => tls::ClientCertificates::Off,
        // Callers known by signature show none; who shows one must be signed by these.
        Some(authorities) => tls::ClientCertificates::Accepted { authorities: authorities.clone() },
    };
    tls::Settings { chain: section.tls.certificate.clone(), key: section.tls.key.clone(), clients }
}

fn hospital_settings(section: &HospitalSection) -> transport::Settings {
    transport::Settings {
        connections_max: section.connections_max,
        handshake_timeout: section.handshake_timeout,
        header_timeout: section.header_timeout,
        body_timeout: section.body_timeout,
        body_bytes_max: section.body_bytes_max,
        bodies_bytes_max: section.bodies_bytes_max,
        bulk_bytes: section.bulk_bytes,
        request_timeout: section.request_timeout,
        idle_timeout: section.idle_timeout,
        ..transport::Settings::default()
    }
}

fn limits_settings(section: &LimitsSection) -> limits::Settings {
    let at_least_one = |number: u32| std::num::NonZeroU32::new(number).unwrap_or(std::num::NonZeroU32::MIN);
    limits::Settings {
        per_second: at_least_one(section.per_second),
        burst: at_least_one(section.burst),
        in_flight_max: section.in_flight_max,
        waiting_max: section.waiting_max,
        wait_max: section.wait_max,
        busy_retry_after_ms: u64::try_from(section.retry_after.as_millis()).unwrap_or(u64::MAX),
        ..limits::Settings::default()
    }
}
