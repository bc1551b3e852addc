//! 1312 and 1316–1319: pages of the catalogue of a place of care.

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::ids::RegionCode;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::error::ServiceError;

/// What a page is asked for. Empty and `None` find everything.
#[derive(Clone, Debug, Default)]
pub struct CatalogueQuery {
    /// In force on this day.
    pub day: Option<Day>,
    /// `hilist_code` or `med_list_codg`
    pub code: String,
    /// Part of the name.
    pub name: String,
    /// `chrgitm_lv`, two digits
    pub charge_level: String,
    /// `med_chrgitm_type`
    pub charge_category: Option<u8>,
    pub list_type: Option<u16>,
    pub restricted: Option<bool>,
    /// 1318: only rows with a price limit.
    pub limited_only: bool,
    /// From 1.
    pub page: usize,
    pub page_size: usize,
}

#[derive(Clone, Debug)]
pub struct CataloguePage {
    pub place: RegionCode,
    pub rows: Vec<CatalogueEntry>,
    pub total: usize,
    pub page: usize,
    pub page_size: usize,
}

impl Service {
    /// # Errors
    /// `InstitutionUnknown`, `PlaceNotServed`.
    pub fn look_at_catalogue(
        &self,
        _caller: &Caller,
        _query: &CatalogueQuery,
    ) -> Result<CataloguePage, ServiceError> {
        unimplemented!()
    }
}
