//! Owns the catalogue of a place of care: which dated entry a code means for a hospital level and a person
//! type.

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
    #[error("med_list_codg {code} is not in the catalogue of {place}: map the item first")]
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
    /// The codes in order, for pages.
    sorted: Box<[Box<str>]>,
}

/// A row as a page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntrySeen<'a> {
    pub code: &'a str,
    pub level: Option<HospitalLevel>,
    pub person: Option<PersonType>,
    pub from: Day,
    /// Its own last day, or the day before its successor begins.
    pub last: Option<Day>,
    pub item: &'a CatalogueItem,
}

impl EntrySeen<'_> {
    pub fn is_in_force(&self, day: Day) -> bool {
        self.from <= day && self.last.is_none_or(|last| day <= last)
    }

    pub fn to_entry(&self) -> CatalogueEntry {
        CatalogueEntry {
            code: self.code.into(),
            level: self.level,
            person: self.person,
            from: self.from,
            to: self.last,
            item: self.item.clone(),
        }
    }
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
        let mut sorted: Box<[Box<str>]> = by_code.keys().cloned().collect();
        sorted.sort_unstable();
        let codes = by_code.into_iter().map(|(code, entries)| (code, versions(entries))).collect();
        Ok(Catalogue { place, codes, sorted })
    }

    pub fn place(&self) -> RegionCode {
        self.place
    }

    /// Every row in the order of codes, or those of one code. An empty `code` asks for all.
    pub fn entries<'a>(&'a self, code: &str) -> impl Iterator<Item = EntrySeen<'a>> {
        let codes = match self.sorted.binary_search_by(|known| (**known).cmp(code)) {
            Ok(at) => &self.sorted[at..=at],
            Err(_) if code.is_empty() => &self.sorted[..],
            Err(_) => &[],
        };
        codes.iter().flat_map(|code| self.entries_of(code))
    }

    fn entries_of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = EntrySeen<'a>> {
        let versions = self.codes.get(code).map(|versions| &**versions).unwrap_or_default();
        versions.iter().map(move |version| EntrySeen {
            code,
            level: version.level,
            person: version.person,
            from: version.from,
            last: version.last,
            item: &version.item,
        })
    }

    /// How many codes it holds.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The entry in force on the day of the fee. The most specific wins: level and person type, then level,
    /// then person type (a narrower type before its group), then the entry for all.
    pub fn find(&self, code: &str, day: Day, parties: CareParties) -> Result<&CatalogueItem, NotMapped> {
        let versions = self.codes.get(code).ok_or_else(|| self.unknown(code))?;
        // Versions lie sorted, the less specific first (see `twins`).
        let best = versions.iter().rfind(|version| version.fits(day, parties));
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
}

/// Not negative, at most six decimals.
fn is_price(price: Decimal) -> bool {
    price >= Decimal::ZERO && price.normalize().scale() <= 6
}

/// Sorts the entries of a code by level, person type and day, so that an entry for all comes before one for some,
/// and finds two that begin together.
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

/// Hashes short catalogue codes, eight bytes at a time. The keys come from catalogues, so nobody can choose
/// them to collide, and a look-up of a strange code adds nothing.
#[derive(Clone, Copy, Debug, Default)]
struct CodeHasher(u64);

impl Hasher for CodeHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let rest = rest.iter().fold(0, |word, byte| word * 256 + u64::from(*byte));
        self.mix(rest);
    }

    /// The product is best in its upper half, the table reads the lower one.
    fn finish(&self) -> u64 {
        self.0.rotate_left(32)
    }
}

impl CodeHasher {
    fn mix(&mut self, word: u64) {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(ODD);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const PLACE: RegionCode = RegionCode(440_000);

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    pub(crate) fn item(name: &str) -> CatalogueItem {
        CatalogueItem {
            name: name.into(),
            charge_level: ChargeLevel::A,
            self_pay: Rate::ZERO,
            price_limit: None,
            restricted: false,
            charge_category: 9,
            list_type: 101,
            basic_drug: false,
            negotiated: false,
            child: false,
            special: false,
            injury: false,
        }
    }

    /// For everyone, from 2024 on.
    fn entry(code: &str, name: &str) -> CatalogueEntry {
        CatalogueEntry {
            code: code.into(),
            level: None,
            person: None,
            from: day(20_240_101),
            to: None,
            item: item(name),
        }
    }

    fn person(code: u32) -> PersonType {
        PersonType::new(code).unwrap()
    }

    fn parties(hospital: HospitalLevel, code: u32) -> CareParties {
        CareParties { hospital, person: person(code) }
    }

    fn build(entries: Vec<CatalogueEntry>) -> Catalogue {
        Catalogue::build(PLACE, entries).unwrap()
    }

    fn name(catalogue: &Catalogue, on: i32, parties: CareParties) -> Option<String> {
        catalogue.find("X1", day(on), parties).ok().map(|item| item.name.to_string())
    }

    #[test]
    fn an_entry_holds_until_its_successor_or_its_own_end() {
        let catalogue = build(vec![
            CatalogueEntry { from: day(20_260_101), to: Some(day(20_260_630)), ..entry("X1", "third") },
            CatalogueEntry { to: Some(day(20_261_231)), ..entry("X1", "first") },
            CatalogueEntry { from: day(20_250_101), to: Some(day(20_250_630)), ..entry("X1", "second") },
            CatalogueEntry { from: day(20_270_101), ..entry("X1", "last") },
        ]);
        for (on, found) in [
            (20_231_231, None),
            (20_240_101, Some("first")),
            (20_241_231, Some("first")),
            (20_250_101, Some("second")),
            (20_250_630, Some("second")),
            (20_250_701, None),
            (20_260_101, Some("third")),
            (20_260_630, Some("third")),
            (20_260_701, None),
            (20_270_101, Some("last")),
            (20_990_101, Some("last")),
        ] {
            let found = found.map(String::from);
            assert_eq!(name(&catalogue, on, parties(HospitalLevel::Two, 11)), found, "{on}");
        }
    }

    #[test]
    fn the_most_specific_entry_wins() {
        let (two, three) = (HospitalLevel::Two, HospitalLevel::Three);
        let catalogue = build(vec![
            entry("X1", "all"),
            CatalogueEntry { level: Some(three), ..entry("X1", "three") },
            CatalogueEntry { person: Some(person(14)), ..entry("X1", "young") },
            CatalogueEntry { person: Some(person(1402)), ..entry("X1", "small") },
            CatalogueEntry { level: Some(three), person: Some(person(12)), ..entry("X1", "three retired") },
        ]);
        for (hospital, code, found) in [
            (two, 11, "all"),
            (two, 1401, "young"),
            (two, 1402, "small"),
            (two, 12, "all"),
            (three, 11, "three"),
            (three, 1402, "three"),
            (three, 1201, "three retired"),
        ] {
            assert_eq!(
                name(&catalogue, 20_260_101, parties(hospital, code)).as_deref(),
                Some(found),
                "{hospital:?} {code}"
            );
        }
    }

    #[test]
    fn a_special_entry_that_ran_out_gives_way_to_the_general_one() {
        let three = HospitalLevel::Three;
        let special =
            CatalogueEntry { level: Some(three), to: Some(day(20_251_231)), ..entry("X1", "special") };
        let catalogue = build(vec![entry("X1", "all"), special]);
        assert_eq!(name(&catalogue, 20_251_231, parties(three, 11)).as_deref(), Some("special"));
        assert_eq!(name(&catalogue, 20_260_101, parties(three, 11)).as_deref(), Some("all"));
    }

    #[test]
    fn a_code_that_means_nothing_is_refused() {
        let only_young = CatalogueEntry { person: Some(person(14)), ..entry("X2", "young") };
        let catalogue = build(vec![entry("X1", "all"), only_young]);
        let adult = parties(HospitalLevel::Two, 11);
        let find = |code, on| catalogue.find(code, day(on), adult).map(|item| item.name.to_string());
        assert_eq!(find("X1", 20_260_101), Ok("all".into()));
        assert_eq!(find("X", 20_260_101), Err(NotMapped::UnknownCode { code: "X".into(), place: PLACE }));
        let too_early = NotMapped::NotInForce { code: "X1".into(), place: PLACE, day: day(20_231_231) };
        assert_eq!(find("X1", 20_231_231), Err(too_early));
        let not_for_her = NotMapped::NotInForce { code: "X2".into(), place: PLACE, day: day(20_260_101) };
        assert_eq!(find("X2", 20_260_101), Err(not_for_her));
        assert_eq!((catalogue.place(), catalogue.len(), catalogue.is_empty()), (PLACE, 2, false));
        assert!(build(vec![]).is_empty());
    }

    #[test]
    fn each_faulty_row_is_named() {
        let with = |item| CatalogueEntry { item, ..entry("X1", "bad") };
        let share = |text: &str| Rate(text.parse().unwrap());
        let limit = |text: &str| Some(text.parse::<Decimal>().unwrap());
        let code = || Box::from("X1");
        let (from, to) = (day(20_240_101), day(20_231_231));
        for (bad, fault) in [
            (
                CatalogueEntry { to: Some(to), ..entry("X1", "") },
                CatalogueFault::EndsBeforeItBegins { code: code(), from, to },
            ),
            (
                with(CatalogueItem { self_pay: share("1.01"), ..item("") }),
                CatalogueFault::NotARate { code: code(), share: share("1.01") },
            ),
            (
                with(CatalogueItem { self_pay: share("-0.01"), ..item("") }),
                CatalogueFault::NotARate { code: code(), share: share("-0.01") },
            ),
            (
                with(CatalogueItem { charge_level: ChargeLevel::C, self_pay: share("0.99"), ..item("") }),
                CatalogueFault::ClassCNotFullyPaid { code: code(), share: share("0.99") },
            ),
            (
                with(CatalogueItem { price_limit: limit("-1"), ..item("") }),
                CatalogueFault::NotAPrice { code: code(), limit: Decimal::NEGATIVE_ONE },
            ),
            (
                with(CatalogueItem { price_limit: limit("1.0000001"), ..item("") }),
                CatalogueFault::NotAPrice { code: code(), limit: Decimal::new(10_000_001, 7) },
            ),
        ] {
            assert_eq!(Catalogue::build(PLACE, [bad]).unwrap_err(), [fault]);
        }
        for good in [
            CatalogueEntry { to: Some(from), ..entry("X1", "") },
            with(CatalogueItem { charge_level: ChargeLevel::C, self_pay: Rate::ONE, ..item("") }),
            with(CatalogueItem { price_limit: limit("0"), ..item("") }),
            with(CatalogueItem { price_limit: limit("1.0000010"), ..item("") }),
        ] {
            assert!(Catalogue::build(PLACE, [good]).is_ok());
        }
    }

    #[test]
    fn two_entries_may_not_begin_together() {
        let twins = vec![entry("X1", "one"), entry("X2", "other code"), entry("X1", "two")];
        let fault = CatalogueFault::TwoFromOneDay { code: "X1".into(), from: day(20_240_101) };
        assert_eq!(Catalogue::build(PLACE, twins).unwrap_err(), [fault]);
        let for_another_level = CatalogueEntry { level: Some(HospitalLevel::Two), ..entry("X1", "two") };
        assert!(Catalogue::build(PLACE, [entry("X1", "one"), for_another_level]).is_ok());
    }

    #[test]
    fn similar_codes_land_in_different_places() {
        let hash = |text: &str| {
            let mut hasher = CodeHasher::default();
            std::hash::Hash::hash(text, &mut hasher);
            hasher.finish()
        };
        let codes =
            ["", "A", "B", "AB", "BA", "XA01BCD234A001010101234", "XA01BCD234A001010101235", "XA01BCD2"];
        let hashes: std::collections::HashSet<u64> = codes.iter().map(|code| hash(code)).collect();
        assert_eq!(hashes.len(), codes.len());
        let many: std::collections::HashSet<u64> = (0..20_000)
            .map(|n| hash(&format!("XJ01DD{n:014}")) >> 57 << 32 | hash(&format!("XJ01DD{n:014}")) & 0xFFFF)
            .collect();
        assert!(many.len() > 19_900, "{} of 20000", many.len());
    }

    #[test]
    fn a_page_shows_every_version_of_a_code_and_which_is_in_force() {
        let later = CatalogueEntry { from: day(20_260_101), item: item("later"), ..entry("X1", "first") };
        let catalogue = build(vec![entry("X1", "first"), later, entry("X2", "other")]);
        let seen: Vec<EntrySeen<'_>> = catalogue.entries("X1").collect();
        let in_force = |on: i32| seen.iter().map(|entry| entry.is_in_force(day(on))).collect::<Vec<_>>();
        assert_eq!(in_force(20_231_231), [false, false]);
        assert_eq!(in_force(20_240_101), [true, false]);
        assert_eq!(in_force(20_251_231), [true, false]);
        assert_eq!(in_force(20_260_101), [false, true]);
        assert_eq!(catalogue.entries("").count(), 3);
        assert_eq!(catalogue.entries("X9").count(), 0);
    }
}
