//! Owns the reading of a catalogue for offline quotes: CSV with the wire's column names.

use rust_decimal::Decimal;

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

/// Reads a catalogue. `place` only stands in messages.
///
/// # Errors
/// Every fault.
pub fn read_catalogue(text: &str, place: RegionCode) -> Result<Catalogue, Vec<CatalogueFault>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let fault = |line, message: String| CatalogueFault { line, message };
    let header = reader.headers().map_err(|cause| vec![fault(Some(1), cause.to_string())])?.clone();
    let missing: Vec<_> = NEEDED
        .into_iter()
        .filter(|name| !header.iter().any(|column| column == *name))
        .map(|name| fault(Some(1), format!("the column {name} is missing")))
        .collect();
    if !missing.is_empty() {
        return Err(missing);
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
            person: self.value::<u32>("psn_type")?.and_then(PersonType::new),
            from: self.needed::<Day>("begndate")?,
            to: self.value::<Day>("enddate")?,
            item: CatalogueItem {
                name: self.cell("name").unwrap_or_default().into(),
                charge_level,
                self_pay,
                price_limit: self.value::<Decimal>("pric_uplmt_amt")?,
                restricted: self.cell("lmt_used_flag") == Some("1"),
                charge_category: 14,
                list_type: 0,
                basic_drug: false,
                negotiated: false,
                child: false,
                special: false,
                injury: self.cell("injury") == Some("1"),
            },
        })
    }

    fn charge_level(&self) -> Result<ChargeLevel, String> {
        match self.cell("chrgitm_lv") {
            Some("01" | "1" | "A") => Ok(ChargeLevel::A),
            Some("02" | "2" | "B") => Ok(ChargeLevel::B),
            Some("03" | "3" | "C") => Ok(ChargeLevel::C),
            other => Err(format!("chrgitm_lv is {:?}: expected 01, 02 or 03", other.unwrap_or_default())),
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
