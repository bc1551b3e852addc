//! Owns the reading of a catalogue for offline quotes: CSV with the wire's column names.

use rust_decimal::Decimal;

use crate::config::nearest::nearest;
use crate::config::reader::Reads;
use crate::config::tree::Node;
use crate::domain::calendar::Day;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::ids::RegionCode;
use crate::domain::money::Rate;

/// A fault of a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct CatalogueFault {
    pub line: Option<u64>,
    pub message: String,
}

/// Columns that must be there.
const NEEDED: [&str; 3] = ["med_list_codg", "chrgitm_lv", "begndate"];
/// Columns that may be there.
const OPTIONAL: [&str; 8] = [
    "name",
    "selfpay_prop",
    "pric_uplmt_amt",
    "lmt_used_flag",
    "hospital_level",
    "psn_type",
    "enddate",
    "injury",
];

/// Reads a catalogue. `place` only stands in messages.
///
/// # Errors
/// Every fault.
pub fn read_catalogue(text: &str, place: RegionCode) -> Result<Catalogue, Vec<CatalogueFault>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let fault = |line, message: String| CatalogueFault { line, message };
    let header = reader.headers().map_err(|cause| vec![fault(Some(1), cause.to_string())])?.clone();
    let wrong = header_faults(&header);
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|message| fault(Some(1), message)).collect());
    }
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map(csv::Position::line);
                let row = Row { header: &header, record: &record };
                match row.entry() {
                    Ok(entry) => entries.push(entry),
                    Err(message) => faults.push(fault(line, message)),
                }
            }
            Err(cause) => faults.push(fault(cause.position().map(csv::Position::line), cause.to_string())),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let built = Catalogue::build(place, entries);
    built.map_err(|causes| causes.into_iter().map(|cause| fault(None, cause.to_string())).collect())
}

fn header_faults(header: &csv::StringRecord) -> Vec<String> {
    let known = [&NEEDED[..], &OPTIONAL[..]].concat();
    let missing = NEEDED.into_iter().filter(|name| !header.iter().any(|column| column == *name));
    let missing = missing.map(|name| format!("the column {name} is missing"));
    let unknown =
        header.iter().filter(|column| !known.contains(column)).map(|column| match nearest(column, &known) {
            Some(near) => format!("{column:?} is no column here: did you mean {near}?"),
            None => format!("{column:?} is no column here: known are {}", known.join(", ")),
        });
    let twice =
        header.iter().enumerate().filter(|(at, column)| header.iter().take(*at).any(|c| c == *column));
    let twice = twice.map(|(_, column)| format!("the column {column} stands twice: keep one"));
    missing.chain(unknown).chain(twice).collect()
}

struct Row<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    fn entry(&self) -> Result<CatalogueEntry, String> {
        let charge_level = self.charge_level()?;
        let self_pay = match charge_level {
            ChargeLevel::C => Rate::ONE,
            ChargeLevel::A => self.value::<Rate>("selfpay_prop")?.unwrap_or(Rate::ZERO),
            ChargeLevel::B => self.needed("selfpay_prop")?,
        };
        Ok(CatalogueEntry {
            code: self.needed::<String>("med_list_codg")?.into(),
            level: self.level()?,
            person: self.person()?,
            from: self.needed::<Day>("begndate")?,
            to: self.value::<Day>("enddate")?,
            item: CatalogueItem {
                name: self.cell("name").unwrap_or_default().into(),
                charge_level,
                self_pay,
                price_limit: self.value::<Decimal>("pric_uplmt_amt")?,
                restricted: self.flag("lmt_used_flag")?.unwrap_or(false),
                charge_category: 14,
                list_type: 0,
                basic_drug: false,
                negotiated: false,
                child: false,
                special: false,
                injury: self.flag("injury")?.unwrap_or(charge_level != ChargeLevel::C),
            },
        })
    }

    fn person(&self) -> Result<Option<PersonType>, String> {
        let Some(cell) = self.cell("psn_type") else { return Ok(None) };
        let read = cell.parse().ok().and_then(PersonType::new);
        read.map(Some)
            .ok_or_else(|| format!("psn_type is {cell:?}: expected two to six digits, such as 12 or 1403"))
    }

    fn charge_level(&self) -> Result<ChargeLevel, String> {
        match self.cell("chrgitm_lv") {
            Some("01" | "1" | "A") => Ok(ChargeLevel::A),
            Some("02" | "2" | "B") => Ok(ChargeLevel::B),
            Some("03" | "3" | "C") => Ok(ChargeLevel::C),
            other => Err(format!("chrgitm_lv is {:?}: expected 01, 02 or 03", other.unwrap_or_default())),
        }
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, String> {
        match self.cell(column) {
            None => Ok(None),
            Some("1") => Ok(Some(true)),
            Some("0") => Ok(Some(false)),
            Some(other) => Err(format!("{column} is {other:?}: expected 0, 1 or nothing")),
        }
    }

    fn level(&self) -> Result<Option<HospitalLevel>, String> {
        match self.cell("hospital_level") {
            None => Ok(None),
            Some("primary") => Ok(Some(HospitalLevel::Primary)),
            Some("1") => Ok(Some(HospitalLevel::One)),
            Some("2") => Ok(Some(HospitalLevel::Two)),
            Some("3") => Ok(Some(HospitalLevel::Three)),
            Some(other) => Err(format!("hospital_level is {other:?}: expected primary, 1, 2 or 3")),
        }
    }

    fn needed<T: Reads>(&self, column: &str) -> Result<T, String> {
        self.value(column)?.ok_or_else(|| format!("{column} is empty"))
    }

    fn value<T: Reads>(&self, column: &str) -> Result<Option<T>, String> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let read = T::read(&Node::Text(cell.to_owned()));
        read.map(Some).map_err(|expected| format!("{column} is {cell:?}: expected {expected}"))
    }

    /// `None` where the column is not there or the cell is empty.
    fn cell(&self, column: &str) -> Option<&str> {
        let at = self.header.iter().position(|name| name == column)?;
        self.record.get(at).filter(|cell| !cell.is_empty())
    }
}
