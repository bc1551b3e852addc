//! Owns the import of what all share: regions, institutions, catalogues. Rows replace rows of the same code and day.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::region::Region;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::ReferenceChange;
use crate::ledger::ReferenceRows;
use crate::service::import::incoming::Incoming;
use crate::service::import::source::SourceName;

/// The rows of a file that are not in the ledger yet.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub regions: Vec<Region>,
    pub institutions: Vec<Institution>,
    /// By place of care.
    pub catalogue: BTreeMap<RegionCode, Vec<CatalogueEntry>>,
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub new: u64,
    pub changed: u64,
    pub unchanged: u64,
}

impl Counts {
    fn take(&mut self, held: Option<bool>) {
        match held {
            None => self.new += 1,
            Some(false) => self.changed += 1,
            Some(true) => self.unchanged += 1,
        }
    }
}

/// Why the rows, each fine by itself, do not make a table together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    #[error("region {code} names {named} as its {what}, which is neither in the file nor in the ledger")]
    UnknownRegion { code: RegionCode, named: RegionCode, what: &'static str },
    #[error("the catalogue of {place} would not hold: {fault}")]
    Catalogue { place: RegionCode, fault: String },
}

/// Compares the rows of a file with the ledger's.
///
/// # Errors
/// All the reasons for which the tables would be broken afterwards.
pub fn compare(rows: Vec<Incoming>, held: &ReferenceRows) -> Result<Changes, Vec<NoTable>> {
    let mut changes = Changes::default();
    let regions: HashMap<_, _> = held.regions.iter().map(|r| ((r.code, r.from), r)).collect();
    let institutions: HashMap<_, _> = held.institutions.iter().map(|i| ((&i.code, i.from), i)).collect();
    let catalogue: HashMap<_, _> =
        held.catalogue.iter().map(|(place, e)| (catalogue_key(*place, e), e)).collect();
    for row in rows {
        let same = match &row {
            Incoming::Region(region) => regions.get(&(region.code, region.from)).map(|held| *held == region),
            Incoming::Institution(row) => {
                institutions.get(&(&row.code, row.from)).map(|held| **held == **row)
            }
            Incoming::Catalogue(place, entry) => {
                catalogue.get(&catalogue_key(*place, entry)).map(|held| **held == **entry)
            }
            Incoming::Person(_) | Incoming::Balance(_) | Incoming::Outside(_) | Incoming::Filing(_) => {
                Some(true)
            }
        };
        changes.counts.take(same);
        if same != Some(true) {
            changes.take(row);
        }
    }
    let faults = changes.faults(held);
    if faults.is_empty() { Ok(changes) } else { Err(faults) }
}

type CatalogueKey<'a> = (RegionCode, &'a str, Option<u8>, Option<u32>, i32);

fn catalogue_key(place: RegionCode, entry: &CatalogueEntry) -> CatalogueKey<'_> {
    let level = entry.level.map(|level| level as u8);
    (place, &entry.code, level, entry.person.map(|p| p.code()), entry.from.number())
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.institutions.is_empty() && self.catalogue.is_empty()
    }

    fn take(&mut self, row: Incoming) {
        match row {
            Incoming::Region(region) => self.regions.push(region),
            Incoming::Institution(institution) => self.institutions.push(*institution),
            Incoming::Catalogue(place, entry) => self.catalogue.entry(place).or_default().push(*entry),
            Incoming::Person(_) | Incoming::Balance(_) | Incoming::Outside(_) | Incoming::Filing(_) => {}
        }
    }

    fn faults(&self, held: &ReferenceRows) -> Vec<NoTable> {
        let codes: HashSet<RegionCode> = self.regions.iter().chain(&held.regions).map(|r| r.code).collect();
        let mut faults = Vec::new();
        for region in &self.regions {
            let named = [(Some(region.pool), "pool"), (region.parent, "parent")];
            faults.extend(named.into_iter().filter_map(|(named, what)| {
                let named = named.filter(|named| !codes.contains(named))?;
                Some(NoTable::UnknownRegion { code: region.code, named, what })
            }));
        }
        for (place, entries) in &self.catalogue {
            let fault = self.catalogue_fault(*place, entries, held);
            faults.extend(fault.map(|fault| NoTable::Catalogue { place: *place, fault }));
        }
        faults
    }

    /// Builds the catalogue as it would be, and gives the first reason why it cannot.
    fn catalogue_fault(
        &self,
        place: RegionCode,
        entries: &[CatalogueEntry],
        held: &ReferenceRows,
    ) -> Option<String> {
        let replaced: HashSet<_> = entries.iter().map(|entry| catalogue_key(place, entry)).collect();
        let kept = held
            .catalogue
            .iter()
            .filter(|(at, entry)| *at == place && !replaced.contains(&catalogue_key(place, entry)));
        let all = kept.map(|(_, entry)| entry).chain(entries).cloned();
        let faults = Catalogue::build(place, all).err()?;
        faults.first().map(|fault| fault.to_string())
    }
}

/// Records the changes, table by table; each is there whole or not at all.
pub async fn record(
    ledger: &Arc<dyn Ledger>,
    source: &SourceName,
    changes: Changes,
) -> Result<(), LedgerError> {
    let mut all = Vec::new();
    if !changes.regions.is_empty() {
        all.push(ReferenceChange::Regions(changes.regions));
    }
    if !changes.institutions.is_empty() {
        all.push(ReferenceChange::Institutions(changes.institutions));
    }
    let catalogues = changes.catalogue.into_iter();
    all.extend(catalogues.map(|(place, entries)| ReferenceChange::Catalogue { place, entries }));
    for change in all {
        ledger.record_reference(source.as_str().to_owned(), change).await?;
    }
    Ok(())
}
