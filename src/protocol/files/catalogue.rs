//! Owns the file of catalogues: dated entries per place of care, narrowed by hospital level and person type.

use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::PersonType;
use crate::domain::ids::RegionCode;
use crate::domain::money::Rate;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::write_flag;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;

columns! {
    /// The columns of a catalogue file.
    CatalogueColumn {
        /// A city, or a province whose cities share one catalogue.
        Place = "mdtrtarea_admdvs" ["就医地", "就医地行政区划"] Key Open;
        Code = "med_list_codg" ["医疗目录编码"] Key Open;
        Name = "hilist_name" ["目录名称", "医保目录名称"] Key Open;
        ChargeLevel = "chrgitm_lv" ["收费项目等级"] Key Open;
        SelfPay = "selfpay_prop" ["自付比例"] Key Open;
        PriceLimit = "pric_uplmt_amt" ["定价上限金额"] Optional Open;
        Restricted = "lmt_used_flag" ["限制使用标志"] Optional Open;
        ChargeCategory = "med_chrgitm_type" ["医疗收费项目类别"] Key Open;
        ListType = "list_type" ["目录类别"] Key Open;
        /// Empty: every level.
        Level = "level" ["限定医院级别", "医院级别"] Optional Open;
        /// Empty: every person.
        PersonType = "psn_type" ["限定人员类别", "人员类别"] Optional Open;
        From = "begndate" ["开始日期"] Key Open;
        To = "enddate" ["结束日期"] Optional Open;
        BasicDrug = "bas_medn_flag" ["基本药物标志"] Optional Open;
        Negotiated = "hi_nego_drug_flag" ["医保谈判药品标志"] Optional Open;
        Child = "chld_medc_flag" ["儿童用药标志"] Optional Open;
        Special = "list_sp_item_flag" ["目录特项标志"] Optional Open;
        Injury = "injury_flag" ["工伤目录标志"] Optional Open;
    }
}

use CatalogueColumn as C;

pub(crate) fn read(
    header: &Header,
    row: &Row,
    findings: &mut Findings,
) -> Option<(RegionCode, CatalogueEntry)> {
    let before = findings.faults.count();
    let mut cells = Cells::new(header, row, findings);
    let place = cells.region(C::Place);
    let code = cells.text(C::Code, 50);
    let level = cells.parsed(C::Level, "0 (primary), 1, 2, 3 or nothing", level);
    let person = cells.parsed(C::PersonType, "a person type, e.g. 12 or 1401, or nothing", |field| {
        field.parse().ok().and_then(PersonType::new)
    });
    let interval = cells.interval(C::From, C::To);
    let item = read_item(&mut cells);
    let read = || {
        let (from, to) = interval?;
        Some(CatalogueEntry { code: code?.into(), level, person, from, to, item: item? })
    };
    let entry = read();
    if let Some(fault) = entry.as_ref().and_then(CatalogueEntry::fault) {
        cells.fault(C::SelfPay, fault.to_string());
    }
    if findings.faults.count() > before {
        return None;
    }
    Some((place?, entry?))
}

fn read_item(cells: &mut Cells<'_>) -> Option<CatalogueItem> {
    let name = cells.text(C::Name, 200);
    let charge_level = cells.parsed(C::ChargeLevel, "01 (A), 02 (B) or 03 (C)", charge_level);
    let self_pay = cells.decimal(C::SelfPay);
    let price_limit = cells.decimal(C::PriceLimit);
    let injury = cells.flag(C::Injury);
    let charge_category = cells.parsed(C::ChargeCategory, "01 to 14", |field| {
        field.parse().ok().filter(|category| (1..=14).contains(category))
    });
    let list_type = cells.number(C::ListType, "a number, e.g. 101, 201 or 301");
    Some(CatalogueItem {
        restricted: cells.flag_or_no(C::Restricted),
        basic_drug: cells.flag_or_no(C::BasicDrug),
        negotiated: cells.flag_or_no(C::Negotiated),
        child: cells.flag_or_no(C::Child),
        special: cells.flag_or_no(C::Special),
        injury: injury.unwrap_or(charge_level != Some(ChargeLevel::C)),
        name: name?.into(),
        charge_level: charge_level?,
        self_pay: Rate(self_pay?),
        price_limit,
        charge_category: charge_category?,
        list_type: list_type?,
    })
}

fn charge_level(field: &str) -> Option<ChargeLevel> {
    match field {
        "01" | "1" => Some(ChargeLevel::A),
        "02" | "2" => Some(ChargeLevel::B),
        "03" | "3" => Some(ChargeLevel::C),
        _ => None,
    }
}

fn level(field: &str) -> Option<HospitalLevel> {
    match field {
        "0" => Some(HospitalLevel::Primary),
        "1" => Some(HospitalLevel::One),
        "2" => Some(HospitalLevel::Two),
        "3" => Some(HospitalLevel::Three),
        _ => None,
    }
}

/// The row that reads back as this entry, in the order of `CatalogueColumn::ALL`.
pub fn write(place: RegionCode, entry: &CatalogueEntry) -> Vec<String> {
    let item = &entry.item;
    let charge_level = match item.charge_level {
        ChargeLevel::A => "01",
        ChargeLevel::B => "02",
        ChargeLevel::C => "03",
    };
    let level = entry.level.map_or("", |level| match level {
        HospitalLevel::Primary => "0",
        HospitalLevel::One => "1",
        HospitalLevel::Two => "2",
        HospitalLevel::Three => "3",
    });
    vec![
        place.to_string(),
        entry.code.to_string(),
        item.name.to_string(),
        charge_level.to_owned(),
        item.self_pay.to_string(),
        item.price_limit.map(|limit| limit.to_string()).unwrap_or_default(),
        write_flag(item.restricted),
        format!("{:02}", item.charge_category),
        item.list_type.to_string(),
        level.to_owned(),
        entry.person.map(|person| person.to_string()).unwrap_or_default(),
        entry.from.to_string(),
        write_last_day(entry.to),
        write_flag(item.basic_drug),
        write_flag(item.negotiated),
        write_flag(item.child),
        write_flag(item.special),
        write_flag(item.injury),
    ]
}
