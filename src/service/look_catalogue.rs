//! 1312 and 1316–1319: pages of the catalogue of a place of care.

use crate::domain::calendar::Day;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::catalogue::EntrySeen;
use crate::domain::ids::RegionCode;
use crate::domain::refusal::Refusal;
use crate::domain::scene::institution;
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
    /// `InstitutionUnknown`, `RegionUnknown`, `PlaceNotServed`.
    pub fn look_at_catalogue(
        &self,
        caller: &Caller,
        query: &CatalogueQuery,
    ) -> Result<CataloguePage, ServiceError> {
        let (reference, today) = (self.reference.load(), self.today());
        let region = institution(&reference, &caller.institution, today)?.region;
        let place = reference.regions.pool_of(region, today).ok_or(Refusal::RegionUnknown { region })?;
        let catalogue = reference
            .catalogue(place)
            .ok_or_else(|| Refusal::PlaceNotServed { place, name: reference.regions.name(place, today) })?;
        let (page, page_size) = (query.page.max(1), query.page_size.clamp(1, PAGE_SIZE_MAX));
        let first = (page - 1).saturating_mul(page_size);
        let (mut rows, mut total) = (Vec::new(), 0);
        for entry in catalogue.entries(&query.code).filter(|entry| query.takes(entry)) {
            if total >= first && rows.len() < page_size {
                rows.push(entry.to_entry());
            }
            total += 1;
        }
        Ok(CataloguePage { place: catalogue.place(), rows, total, page, page_size })
    }
}

/// Rows of one page at most.
pub const PAGE_SIZE_MAX: usize = 500;

impl CatalogueQuery {
    fn takes(&self, entry: &EntrySeen<'_>) -> bool {
        let item = entry.item;
        let level = match item.charge_level {
            ChargeLevel::A => "01",
            ChargeLevel::B => "02",
            ChargeLevel::C => "03",
        };
        self.day.is_none_or(|day| entry.is_in_force(day))
            && (self.name.is_empty() || item.name.contains(&self.name))
            && (self.charge_level.is_empty() || self.charge_level == level)
            && self.charge_category.is_none_or(|category| category == item.charge_category)
            && self.list_type.is_none_or(|list| list == item.list_type)
            && self.restricted.is_none_or(|restricted| restricted == item.restricted)
            && (!self.limited_only || item.price_limit.is_some())
    }
}
