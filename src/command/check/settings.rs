//! Owns what can be known of settings before anything starts: every fault of the file, and of every file that it names,
//! each under its key. Nothing is started, and nothing is written.

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::Access;

use serde_json::Value;
use serde_json::json;

use crate::app;
use crate::app::database_settings;
use crate::app::keys_ahead::months_left;
use crate::app::shared_tables;
use crate::app::shared_tables::TablesError;
use crate::cache::redis;
use crate::cache::redis::BadRedisFile;
use crate::command::Exit;
use crate::config::gateway::Caller;
use crate::config::gateway::Gateway;
use crate::config::gateway::KeysSection;
use crate::config::ledger::DatabaseSection;
use crate::config::ledger::LedgerKept;
use crate::config::reading::Fault;
use crate::config::reading::Faults;
use crate::domain::calendar::Month;
use crate::ledger::postgres::BadAddress;
use crate::ledger::postgres::Target;
use crate::protocol::hospital::callers::BadCaller;
use crate::protocol::hospital::callers::Callers;
use crate::telemetry;
use crate::transport::tls;
use crate::transport::tls::Part;
use crate::transport::tls::TlsError;
use crate::vault::key_file;
use crate::vault::key_file::BadKeyFile;
use crate::vault::key_store::Inventory;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::master::BadMaster;
use crate::vault::master::MasterKey;
use crate::vault::master::Masters;

/// Settings, and all that is wrong with them and with what they name.
pub(crate) struct Looked {
    file: PathBuf,
    /// What a gateway may start with, when there is no fault.
    config: Option<Gateway>,
    faults: Vec<Fault>,
    /// What hinders nothing yet, and will.
    cautions: Vec<Fault>,
    exit: Exit,
}

/// Reads the settings and everything that they name, in this month. `banyan check` and `banyan serve` tell what this tells.
pub(crate) fn look(file: &Path, this: Month) -> Looked {
    let (config, faults) = Gateway::read_on(file);
    let exit = if faults.is_empty() { Exit::Done } else { Exit::BadInput };
    let mut looked = Looked { file: file.to_owned(), config: None, faults, cautions: Vec::new(), exit };
    if let Some(config) = &config {
        looked.keys(config, this);
        looked.identities(config);
        looked.callers(&config.callers);
        match &config.ledger.kept {
            LedgerKept::File(file) => looked.ledger(file),
            LedgerKept::Database(section) => looked.database(config, section),
        }
        looked.packs(config);
        looked.cache(config);
        looked.log(&config.log.level);
    }
    looked.config = config;
    looked
}

/// Settings that are for another machine: what holds wherever they are, the keys and certificates of that machine apart.
/// Beside the faults, what the operator must still do.
pub(crate) fn look_apart(file: &Path) -> (Looked, Vec<String>) {
    let (config, faults) = Gateway::read_on(file);
    let exit = if faults.is_empty() { Exit::Done } else { Exit::BadInput };
    let mut looked = Looked { file: file.to_owned(), config: None, faults, cautions: Vec::new(), exit };
    let mut cautions = Vec::new();
    if let Some(config) = &config {
        match shared_tables::load_packs(config) {
            Err(TablesError::NotAdmitted(packs)) => cautions.extend(packs.iter().map(ToString::to_string)),
            _ => looked.packs(config),
        }
        looked.log(&config.log.level);
    }
    looked.config = config;
    (looked, cautions)
}

impl Looked {
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The settings, or every fault in words and the exit code.
    pub(crate) fn sound(self) -> Result<Gateway, (String, Exit)> {
        let (text, exit) = (self.told(), self.exit);
        self.config.filter(|_| self.faults.is_empty()).ok_or((text, exit))
    }

    pub(crate) fn told(&self) -> String {
        if self.faults.is_empty() {
            let callers = self.config.as_ref().map_or(0, |config| config.callers.len());
            return format!(
                "{} and all that it names can be used ({callers} callers); nothing was started",
                self.file.display()
            );
        }
        Faults { file: self.file.clone(), faults: self.faults.clone() }.to_string()
    }

    pub(crate) fn cautions(&self) -> &[Fault] {
        &self.cautions
    }

    /// The same in words; empty where there is none.
    pub(crate) fn cautions_told(&self) -> String {
        let tells =
            self.cautions.iter().map(|caution| format!("  warning: {}: {}\n", caution.key, caution.what));
        tells.collect()
    }

    /// The keys of the servers that these settings name and that were not asked.
    pub(crate) fn unasked(&self) -> Vec<&'static str> {
        let config = self.config.as_ref();
        let database = config.is_some_and(|it| matches!(it.ledger.kept, LedgerKept::Database(_)));
        let redis = config.is_some_and(|it| it.cache.is_some());
        [(database, "ledger.url"), (redis, "cache.url")]
            .into_iter()
            .filter_map(|(named, key)| named.then_some(key))
            .collect()
    }

    /// The same in words; empty where there is none.
    pub(crate) fn unasked_told(&self) -> String {
        let tells = self.unasked().into_iter().map(|key| match key {
            "ledger.url" => {
                "  ledger.url: no database was connected to; `banyan migrate` does, and `banyan serve`\n"
            }
            _ => "  cache.url: no Redis was connected to; `banyan serve` does, and starts without one too\n",
        });
        tells.collect()
    }

    pub(crate) fn json(&self) -> Value {
        let each = |all: &[Fault]| {
            let objects = all.iter().map(|fault| json!({ "key": fault.key, "message": fault.what }));
            objects.collect::<Vec<_>>()
        };
        json!({
            "ok": self.faults.is_empty(),
            "file": self.file.display().to_string(),
            "faults": each(&self.faults),
            "warnings": each(&self.cautions),
            "not_connected": self.unasked(),
        })
    }

    /// A key that is wrong itself names no file.
    fn fault(&mut self, key: impl Into<String>, exit: Exit, what: String) {
        let key = key.into();
        let said = |fault: &Fault| fault.key == key || fault.key.starts_with(&format!("{key} "));
        if !self.faults.iter().any(said) {
            self.faults.push(Fault { key, what });
            self.exit = worse(self.exit, exit);
        }
    }

    fn keys(&mut self, config: &Gateway, this: Month) {
        if let Err(fault) = key_file::read(&config.lookup_key) {
            self.fault("lookup_key", of_key_file(&fault), in_one_line(&fault));
        }
        let KeysSection { store, master, next_master, copied } = &config.keys;
        let mut masters = true;
        if let Err(fault) = MasterKey::read(master) {
            self.fault("keys.master", of_master(&fault), in_one_line(&fault));
            masters = false;
        }
        if let Some(Err(fault)) = next_master.as_ref().map(MasterKey::read_if_there) {
            self.fault("keys.next_master", of_master(&fault), in_one_line(&fault));
            masters = false;
        }
        let opened = if masters {
            Masters::read(&config.keys)
                .map_err(KeyStoreError::from)
                .and_then(|masters| KeyStore::check(store, &masters))
                .map(Some)
        } else {
            // Without its master a store proves nothing, but it can be seen whether there is one.
            let there = fs::metadata(store).map(|_| None);
            there.map_err(|cause| match cause.kind() {
                io::ErrorKind::NotFound => KeyStoreError::Missing { path: store.clone() },
                _ => KeyStoreError::Unusable { path: store.clone(), cause },
            })
        };
        match opened {
            Err(fault) => self.fault("keys.store", of_store(&fault), in_one_line(&fault)),
            Ok(Some(inventory)) if *copied => self.months(&inventory, this),
            Ok(_) => {}
        }
    }

    /// A node that makes no month's keys by itself writes nothing in a month that has none.
    fn months(&mut self, store: &Inventory, this: Month) {
        const KEY: &str = "keys.store";
        const MEND: &str =
            "run `banyan keys ahead --months 24` on the node where keys are made, and copy its store here";
        match months_left(store, this) {
            None => {
                let what = format!("a copy (`copied`) that lacks keys of this month, {this}: {MEND}");
                self.fault(KEY, Exit::BadInput, what);
            }
            Some(0) => {
                let next = this.next();
                let what = format!(
                    "a copy (`copied`) that lacks keys of next month, {next}, when nothing could be written: {MEND}"
                );
                self.cautions.push(Fault { key: KEY.to_owned(), what });
            }
            Some(_) => {}
        }
    }

    fn identities(&mut self, config: &Gateway) {
        let pages = |tls: &Option<_>| tls.as_ref().map(app::pages_tls);
        let faces = [
            ("hospital", Some(app::hospital_tls(&config.hospital))),
            ("persons", pages(&config.persons.tls)),
            ("center", pages(&config.center.tls)),
        ];
        for (section, settings) in faces {
            for (part, fault) in settings.iter().flat_map(tls::faults) {
                let key = match part {
                    Part::Chain => "certificate",
                    Part::Key => "key",
                    Part::ClientAuthorities => "client_authorities",
                };
                self.fault(format!("{section}.{key}"), of_tls(&fault), in_one_line(&fault));
            }
        }
    }

    fn callers(&mut self, callers: &[Caller]) {
        if self.faults.iter().any(|fault| fault.key.starts_with("caller[")) {
            return; // those that were read are not numbered as in the file
        }
        let mut each = true;
        for (at, caller) in callers.iter().enumerate() {
            if let Err(fault) = Callers::load(core::slice::from_ref(caller)) {
                self.fault(format!("caller[{at}].secret_file"), of_caller(&fault), in_one_line(&fault));
                each = false;
            }
        }
        if let Some(fault) = each.then(|| Callers::load(callers).err()).flatten() {
            self.fault("caller", of_caller(&fault), in_one_line(&fault));
        }
    }

    /// The ledger makes its file, and other files beside it.
    fn ledger(&mut self, file: &Path) {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let usable = |path: &Path, wanted| rustix::fs::access(path, wanted).map_err(io::Error::from);
        let there = usable(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK);
        if let Err(cause) = there {
            let what = format!("its folder {} cannot be written: {cause}", folder.display());
            self.fault("ledger.file", Exit::CannotReach, what);
        } else if file.is_dir() {
            self.fault("ledger.file", Exit::CannotReach, format!("{} is a folder", file.display()));
        } else if let Err(cause) = usable(file, Access::READ_OK | Access::WRITE_OK)
            && cause.kind() != io::ErrorKind::NotFound
        {
            self.fault(
                "ledger.file",
                Exit::CannotReach,
                format!("{} cannot be written: {cause}", file.display()),
            );
        }
    }

    /// What can be said of it without asking the server.
    fn database(&mut self, config: &Gateway, section: &DatabaseSection) {
        if self.faults.iter().any(|fault| fault.key == "ledger.url") {
            return;
        }
        let mut settings = database_settings(config, section);
        while let Err(fault) = Target::new(&settings) {
            let (key, exit) = of_address(&fault, section);
            self.fault(key, exit, in_one_line(&fault));
            // Behind a password that cannot be read the authority may be wrong too.
            if key != "ledger.password_file" || settings.password_file.take().is_none() {
                return;
            }
        }
    }

    /// Only the files: a gateway starts without Redis too.
    fn cache(&mut self, config: &Gateway) {
        for fault in config.cache.iter().flat_map(redis::faults) {
            let exit = match fault {
                BadRedisFile::Unreadable { ref cause, .. } => of_named_file(cause),
                _ => Exit::BadInput,
            };
            self.fault(format!("cache.{}", fault.key()), exit, in_one_line(&fault));
        }
    }

    fn log(&mut self, level: &str) {
        if let Err(cause) = telemetry::check(level) {
            self.fault("log.level", Exit::BadInput, in_one_line(&cause));
        }
    }

    fn packs(&mut self, config: &Gateway) {
        let (key, exit, lines) = match shared_tables::load_packs(config) {
            Ok(_) => return,
            Err(TablesError::Packs(files)) => {
                ("packs.folder", Exit::BadInput, files.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            Err(TablesError::NotAdmitted(packs)) => {
                ("packs.allow_unverified", Exit::Refused, packs.iter().map(ToString::to_string).collect())
            }
            Err(other) => ("packs.folder", Exit::BadInput, vec![in_one_line(&other)]),
        };
        let lines = lines.iter().flat_map(|text| text.lines());
        let mut faults: Vec<Fault> =
            lines.map(|line| Fault { key: key.to_owned(), what: line.to_owned() }).collect();
        if self.faults.iter().all(|fault| !fault.key.starts_with("packs")) {
            self.faults.append(&mut faults);
            self.exit = worse(self.exit, exit);
        }
    }
}

/// Settings that are wrong count before what could not be reached: trying again later mends nothing.
fn worse(one: Exit, other: Exit) -> Exit {
    if [one, other].contains(&Exit::BadInput) { Exit::BadInput } else { one.max(other) }
}

/// The key that an address's fault belongs to.
fn of_address(fault: &BadAddress, section: &DatabaseSection) -> (&'static str, Exit) {
    const PASSWORD: &str = "ledger.password_file";
    match fault {
        BadAddress::Unreadable { path, cause } => {
            let key = if section.authority.as_ref() == Some(path) { "ledger.ca_file" } else { PASSWORD };
            (key, of_named_file(cause))
        }
        BadAddress::OpenToOthers { .. } | BadAddress::NoPassword { .. } => (PASSWORD, Exit::BadInput),
        BadAddress::NoCertificate { .. } | BadAddress::Plain { .. } | BadAddress::Tls(_) => {
            ("ledger.ca_file", Exit::BadInput)
        }
        BadAddress::Malformed(_) | BadAddress::NoHost | BadAddress::NoDatabase => {
            ("ledger.url", Exit::BadInput)
        }
    }
}

/// Settings that name a file which is not there are wrong; one that is there and cannot be read is the machine's fault.
fn of_named_file(cause: &io::Error) -> Exit {
    if cause.kind() == io::ErrorKind::NotFound { Exit::BadInput } else { Exit::CannotReach }
}

/// A file that cannot be read is the machine's fault, one that says the wrong thing is the input's.
fn of_key_file(fault: &BadKeyFile) -> Exit {
    if matches!(fault, BadKeyFile::Unreadable { .. }) { Exit::CannotReach } else { Exit::BadInput }
}

fn of_master(fault: &BadMaster) -> Exit {
    match fault {
        BadMaster::File(file) => of_key_file(file),
        BadMaster::NoVariable { .. } | BadMaster::Malformed { .. } => Exit::BadInput,
    }
}

fn of_store(fault: &KeyStoreError) -> Exit {
    let unreachable = matches!(fault, KeyStoreError::Unusable { .. } | KeyStoreError::Missing { .. });
    if unreachable { Exit::CannotReach } else { Exit::BadInput }
}

fn of_tls(fault: &TlsError) -> Exit {
    if matches!(fault, TlsError::Unreadable { .. }) { Exit::CannotReach } else { Exit::BadInput }
}

fn of_caller(fault: &BadCaller) -> Exit {
    if matches!(fault, BadCaller::Secret { .. }) { Exit::CannotReach } else { Exit::BadInput }
}

fn in_one_line(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(deeper) = cause {
        let sentence = deeper.to_string();
        if !text.contains(&sentence) {
            text = format!("{text} ({sentence})");
        }
        cause = deeper.source();
    }
    text
}
