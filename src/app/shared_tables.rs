//! Owns how the shared tables come together: rows of the ledger and packs of the folder become one immutable set.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::config::gateway::Gateway;
use crate::config::gateway::Mode;
use crate::config::packs;
use crate::config::packs::FileFaults;
use crate::config::packs::PackSet;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueFault;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::pack::Pack;
use crate::domain::reference::Reference;
use crate::domain::region::Regions;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::PackText;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::telemetry::health;

/// Why the shared tables cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error("policy packs have faults; nothing was put in force:\n{}", lines(.0))]
    Packs(Vec<FileFaults>),
    #[error("{}", lines(.0))]
    NotAdmitted(Vec<packs::NotAdmitted>),
    #[error("the ledger holds the pack {hash} of {region} in a form that this program cannot read")]
    OldPack { region: RegionCode, hash: String },
    #[error("the catalogue of {place} has faults: {}", lines(.faults))]
    Catalogue { place: RegionCode, faults: Vec<CatalogueFault> },
    #[error("the shared tables cannot be read from the ledger")]
    Ledger(#[from] LedgerError),
}

fn lines<T: std::fmt::Display>(faults: &[T]) -> String {
    faults.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}

/// The set, and the ledger's version of it.
#[derive(Debug)]
pub struct SharedTables {
    pub reference: Reference,
    pub version: u64,
}

/// The packs of the configured folder, all or none; those that are not verified are told in the log.
pub fn load_packs(config: &Gateway) -> Result<PackSet, TablesError> {
    let set = packs::load_set(&config.packs.folder).map_err(TablesError::Packs)?;
    let mode = match config.mode {
        Mode::Production => packs::Mode::Production,
        Mode::Sandbox => packs::Mode::Sandbox,
    };
    packs::admit(&set, mode, &config.packs.allow_unverified).map_err(TablesError::NotAdmitted)?;
    let unverified = packs::unverified(&set);
    health::unverified_numbers(unverified.len());
    if !unverified.is_empty() {
        let regions: BTreeSet<String> = unverified.iter().map(|row| row.region.to_string()).collect();
        let regions = regions.into_iter().collect::<Vec<_>>().join(" ");
        tracing::warn!(
            regions,
            numbers = unverified.len(),
            "policy numbers without a verified source are in force"
        );
    }
    Ok(set)
}

/// Records packs that the ledger has not seen, reads the shared tables and puts everything together.
pub async fn load(ledger: &dyn Ledger, set: &PackSet) -> Result<SharedTables, TablesError> {
    let mut rows = ledger.reference().await?;
    let seen = |rows: &ReferenceRows, hash: &str| rows.packs.iter().any(|pack| pack.hash == hash);
    for file in set.files() {
        let (region, hash) = (file.pack.region(), file.pack.hash().to_string());
        if !seen(&rows, &hash) {
            let text = PackText { region, hash, text: file.text.to_string() };
            rows.version =
                ledger.record_reference("packs".to_owned(), ReferenceChange::Pack(text.clone())).await?;
            rows.packs.push(text);
        }
    }
    let version = rows.version;
    Ok(SharedTables { reference: put_together(rows, set)?, version })
}

/// Only what gives regions and institutions their names; records nothing.
pub async fn names(ledger: &dyn Ledger) -> Result<Reference, TablesError> {
    let rows = ledger.reference().await?;
    let institutions = by_code(rows.institutions);
    Ok(Reference { regions: Regions::new(rows.regions), institutions, ..Reference::default() })
}

fn by_code(rows: Vec<Institution>) -> HashMap<InstitutionCode, Vec<Institution>> {
    let mut institutions = HashMap::<_, Vec<_>>::new();
    for row in rows {
        institutions.entry(row.code.clone()).or_default().push(row);
    }
    institutions
}

fn put_together(rows: ReferenceRows, set: &PackSet) -> Result<Reference, TablesError> {
    let institutions = by_code(rows.institutions);
    let mut entries = BTreeMap::<RegionCode, Vec<_>>::new();
    for (place, entry) in rows.catalogue {
        entries.entry(place).or_default().push(entry);
    }
    let mut catalogues = HashMap::new();
    for (place, entries) in entries {
        let built =
            Catalogue::build(place, entries).map_err(|faults| TablesError::Catalogue { place, faults })?;
        catalogues.insert(place, Arc::new(built));
    }
    let current: HashMap<RegionCode, Arc<Pack>> =
        set.packs().map(|pack| (pack.region(), Arc::clone(pack))).collect();
    let packs_by_hash = every_pack(&rows.packs, &current)?;
    Ok(Reference {
        regions: Regions::new(rows.regions),
        institutions,
        catalogues,
        packs: current,
        packs_by_hash,
    })
}

/// Every pack that ever settled something, so that an explanation years later uses the numbers of its day.
fn every_pack(
    texts: &[PackText],
    current: &HashMap<RegionCode, Arc<Pack>>,
) -> Result<HashMap<String, Arc<Pack>>, TablesError> {
    let mut by_hash: HashMap<String, Arc<Pack>> =
        current.values().map(|pack| (pack.hash().to_string(), Arc::clone(pack))).collect();
    for old in texts {
        if !by_hash.contains_key(&old.hash) {
            let (region, hash) = (old.region, old.hash.clone());
            let read = packs::read(&old.text).map_err(|_| TablesError::OldPack { region, hash })?;
            by_hash.insert(old.hash.clone(), read.pack);
        }
    }
    Ok(by_hash)
}
