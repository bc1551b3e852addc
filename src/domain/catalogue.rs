//! Owns the catalogue of a place of care: which dated entry a code means for a hospital level and a person type.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::hash::Hasher;

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::ids::RegionCode;
use crate::domain::money::Rate;

/// 收费项目等级 `chrgitm_lv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChargeLevel {
    /// 01 甲类.
    A,
    /// 02 乙类.
    B,
    /// 03 丙类: all of it is the patient's.
    C,
}

/// What a catalogue says about one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueItem {
    pub name: Box<str>,
    pub charge_level: ChargeLevel,
    /// 自付比例 `selfpay_prop`: share of the price within the limit that the patient pays first.
    pub self_pay: Rate,
    /// 定价上限 `pric_uplmt_amt` in yuan for one unit, at most six decimals; `None` without a limit.
    pub price_limit: Option<Decimal>,
    /// 限制使用 `lmt_used_flag`: in scope only with the hospital's approval.
    pub restricted: bool,
    /// 医疗收费项目类别 `med_chrgitm_type`, 1–14.
    pub charge_category: u8,
    /// 目录类别 `list_type`, e.g. 101.
    pub list_type: u16,
    /// 基本药物 `bas_medn_flag`.
    pub basic_drug: bool,
    /// 医保谈判药品 `hi_nego_drug_flag`.
    pub negotiated: bool,
    /// 儿童用药 `chld_medc_flag`.
    pub child: bool,
    /// 目录特项 `list_sp_item_flag`.
    pub special: bool,
    /// Stands in the injury catalogue: in scope for work injury.
    pub injury: bool,
}

/// One row of a catalogue: a code, whom it is for, when, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// 医疗目录编码 `med_list_codg`.
    pub code: Box<str>,
    /// `None`: every level.
    pub level: Option<HospitalLevel>,
    /// `None`: every person.
    pub person: Option<PersonType>,
    pub from: Day,
    /// Last day; `None`: until the next entry for the same code, level and person.
    pub to: Option<Day>,
    pub item: CatalogueItem,
}

/// Why a row cannot be in a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueFault {
    #[error("{code}: two entries for the same hospital level and person type begin on {from}")]
    TwoFromOneDay { code: Box<str>, from: Day },
    #[error("{code}: ends on {to}, before it begins on {from}")]
    EndsBeforeItBegins { code: Box<str>, from: Day, to: Day },
    #[error("{code}: self-pay share {share} is not between 0 and 1")]
    NotARate { code: Box<str>, share: Rate },
    #[error("{code}: class C needs self-pay share 1, not {share}")]
    ClassCNotFullyPaid { code: Box<str>, share: Rate },
    #[error("{code}: price limit {limit} must be a price with at most six decimals, or be left out")]
    NotAPrice { code: Box<str>, limit: Decimal },
}

/// Why a code means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMapped {
    /// 未对照.
    #[error(
        "med_list_codg {code} is not in the catalogue of {place}: map the item, or use the code for self-paid items"
    )]
    UnknownCode { code: Box<str>, place: RegionCode },
    #[error("med_list_codg {code} is not in force in the catalogue of {place} on fee_ocur_time {day}")]
    NotInForce { code: Box<str>, place: RegionCode, day: Day },
}

/// Who charges whom: narrows the entry of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CareParties {
    pub hospital: HospitalLevel,
    pub person: PersonType,
}

/// The catalogue of one place of care (a province or a city). Built once, then only read.
#[derive(Clone, Debug)]
pub struct Catalogue {
    place: RegionCode,
    codes: HashMap<Box<str>, Box<[Version]>, BuildHasherDefault<CodeHasher>>,
}

/// An entry with the last day that it holds by itself or until its successor.
#[derive(Clone, Debug)]
struct Version {
    level: Option<HospitalLevel>,
    person: Option<PersonType>,
    from: Day,
    last: Option<Day>,
    item: CatalogueItem,
}

impl Catalogue {
    /// From rows in any order.
    ///
    /// # Errors
    /// Every faulty row.
    pub fn build(
        place: RegionCode,
        entries: impl IntoIterator<Item = CatalogueEntry>,
    ) -> Result<Catalogue, Vec<CatalogueFault>> {
        let mut by_code: HashMap<Box<str>, Vec<CatalogueEntry>, BuildHasherDefault<CodeHasher>> =
            HashMap::default();
        let mut faults = Vec::new();
        for entry in entries {
            faults.extend(entry.fault());
            by_code.entry(entry.code.clone()).or_default().push(entry);
        }
        faults.extend(by_code.values_mut().filter_map(|entries| twins(entries)));
        if !faults.is_empty() {
            return Err(faults);
        }
        let codes = by_code.into_iter().map(|(code, entries)| (code, versions(entries))).collect();
        Ok(Catalogue { place, codes })
    }

    pub fn place(&self) -> RegionCode {
        self.place
    }

    /// How many codes it holds.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The entry in force on the day of the fee. The most specific wins: level and person type, then level, then
    /// person type (a narrower type before its group), then the entry for all.
    pub fn find(&self, code: &str, day: Day, parties: CareParties) -> Result<&CatalogueItem, NotMapped> {
        let versions = self.codes.get(code).ok_or_else(|| self.unknown(code))?;
        let fitting = versions.iter().filter(|version| version.fits(day, parties));
        let best = fitting.max_by_key(|version| version.specificity());
        best.map(|version| &version.item).ok_or_else(|| self.not_in_force(code, day))
    }

    fn unknown(&self, code: &str) -> NotMapped {
        NotMapped::UnknownCode { code: code.into(), place: self.place }
    }

    fn not_in_force(&self, code: &str, day: Day) -> NotMapped {
        NotMapped::NotInForce { code: code.into(), place: self.place, day }
    }
}

impl CatalogueEntry {
    /// What is wrong with this row alone, if anything.
    pub fn fault(&self) -> Option<CatalogueFault> {
        let code = || self.code.clone();
        let (from, share) = (self.from, self.item.self_pay);
        if let Some(to) = self.to.filter(|to| *to < from) {
            return Some(CatalogueFault::EndsBeforeItBegins { code: code(), from, to });
        }
        if share != share.clamped() {
            return Some(CatalogueFault::NotARate { code: code(), share });
        }
        if self.item.charge_level == ChargeLevel::C && share != Rate::ONE {
            return Some(CatalogueFault::ClassCNotFullyPaid { code: code(), share });
        }
        let limit = self.item.price_limit.filter(|limit| !is_price(*limit))?;
        Some(CatalogueFault::NotAPrice { code: code(), limit })
    }

    fn key(&self) -> (Option<HospitalLevel>, Option<PersonType>) {
        (self.level, self.person)
    }
}

impl Version {
    fn fits(&self, day: Day, parties: CareParties) -> bool {
        self.from <= day
            && self.last.is_none_or(|last| day <= last)
            && self.level.is_none_or(|level| level == parties.hospital)
            && self.person.is_none_or(|person| parties.person.is_within(person))
    }

    fn specificity(&self) -> (bool, Option<PersonType>) {
        (self.level.is_some(), self.person)
    }
}

/// Not negative, at most six decimals.
fn is_price(price: Decimal) -> bool {
    price >= Decimal::ZERO && price.normalize().scale() <= 6
}

/// Sorts the entries of a code by key and day, and finds two that begin together.
fn twins(entries: &mut [CatalogueEntry]) -> Option<CatalogueFault> {
    entries.sort_by_key(|entry| (entry.key(), entry.from));
    let twin =
        entries.windows(2).find(|pair| pair[0].key() == pair[1].key() && pair[0].from == pair[1].from)?;
    Some(CatalogueFault::TwoFromOneDay { code: twin[0].code.clone(), from: twin[0].from })
}

/// Each entry ends the day before its successor of the same key begins, or earlier by its own last day.
fn versions(entries: Vec<CatalogueEntry>) -> Box<[Version]> {
    let successors: Vec<Option<Day>> = (0..entries.len()).map(|index| successor(&entries, index)).collect();
    let ended = entries.into_iter().zip(successors);
    ended
        .map(|(entry, next)| {
            let last = [entry.to, next.map(Day::previous)].into_iter().flatten().min();
            Version { level: entry.level, person: entry.person, from: entry.from, last, item: entry.item }
        })
        .collect()
}

fn successor(sorted: &[CatalogueEntry], index: usize) -> Option<Day> {
    let next = sorted.get(index + 1)?;
    (next.key() == sorted[index].key()).then_some(next.from)
}

/// Hashes short catalogue codes, eight bytes at a time. The keys come from catalogues, so nobody can choose them to
/// collide, and a look-up of a strange code adds nothing.
#[derive(Clone, Copy, Debug, Default)]
struct CodeHasher(u64);

impl Hasher for CodeHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

impl CodeHasher {
    fn mix(&mut self, word: u64) {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(ODD);
    }
}
