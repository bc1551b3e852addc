//! Owns the small shared tables that every decision may look into: regions, institutions, catalogues, packs.
//!
//! One immutable set, replaced whole, so that a decision never sees half of a change.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::calendar::Day;
use crate::domain::catalogue::Catalogue;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::Reach;
use crate::domain::pack::Pack;
use crate::domain::region::Regions;

#[derive(Clone, Debug, Default)]
pub struct Reference {
    pub regions: Regions,
    /// Dated rows by code, any order.
    pub institutions: HashMap<InstitutionCode, Vec<Institution>>,
    /// By place of care: a pool, or a province whose pools share one.
    pub catalogues: HashMap<RegionCode, Arc<Catalogue>>,
    /// By pool. The pools that this gateway holds.
    pub packs: HashMap<RegionCode, Arc<Pack>>,
    /// Every pack version that ever settled something, by content hash.
    pub packs_by_hash: HashMap<String, Arc<Pack>>,
}

impl Reference {
    /// The row of an institution for a day: the one in force, else the nearest (so that a refusal can say from when to
    /// when it was designated).
    pub fn institution(&self, code: &InstitutionCode, day: Day) -> Option<&Institution> {
        let rows = self.institutions.get(code)?;
        let in_force = rows.iter().find(|i| i.from <= day && i.to.is_none_or(|to| day <= to));
        in_force
            .or_else(|| rows.iter().filter(|i| i.from <= day).max_by_key(|i| i.from))
            .or_else(|| rows.first())
    }

    /// The catalogue of a place of care: its pool's own, else its province's.
    pub fn catalogue(&self, care_pool: RegionCode) -> Option<&Arc<Catalogue>> {
        self.catalogues.get(&care_pool).or_else(|| self.catalogues.get(&care_pool.province()))
    }

    /// How an insured pool lies to an institution's pool.
    pub fn reach(&self, insured_pool: RegionCode, care_pool: RegionCode) -> Reach {
        if insured_pool == care_pool {
            Reach::OwnPool
        } else if insured_pool.province() == care_pool.province() {
            Reach::OtherCity
        } else {
            Reach::OtherProvince
        }
    }
}
