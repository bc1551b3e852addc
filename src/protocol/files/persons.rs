//! Owns the file of insured persons: a row per person and coverage, or assistance; the rows of a person stand together.

use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::PersonType;
use crate::domain::ids::PersonKey;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::EMPTIES;
use crate::protocol::files::cell::write_flag;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::Column as _;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::protocol::hospital::codes::INSUTYPE;
use crate::protocol::hospital::codes::PSN_TYPE;
use crate::service::import::incoming::IdentityEntry;
use crate::service::import::incoming::PersonEntry;

columns! {
    /// The columns of a persons file.
    PersonColumn {
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Number = "psn_no" ["人员编号"] Key Personal;
        Name = "psn_name" ["姓名", "人员姓名"] Expected Personal Identity;
        CertificateType = "psn_cert_type" ["人员证件类型", "证件类型"] Expected Open Identity;
        CertificateNumber = "certno" ["证件号码"] Expected Personal Identity;
        Gender = "gend" ["性别"] Optional Personal Identity;
        Ethnicity = "naty" ["民族"] Optional Personal Identity;
        Birth = "brdy" ["出生日期"] Optional Personal Identity;
        Phone = "tel" ["联系电话"] Optional Personal Contact;
        Card = "card_no" ["社会保障卡号", "社保卡号"] Optional Personal Card;
        Employer = "emp_name" ["单位名称"] Optional Personal Employer;
        Insutype = "insutype" ["险种类型"] Expected Open Coverage;
        PersonType = "psn_type" ["人员类别"] Expected Open Coverage;
        Status = "psn_insu_stas" ["人员参保状态", "参保状态"] Expected Open Coverage;
        CivilServant = "cvlserv_flag" ["公务员标志"] Expected Open Coverage;
        Region = "insuplc_admdvs" ["参保地医保区划", "参保地"] Expected Open Coverage;
        From = "begndate" ["开始日期", "参保开始日期"] Expected Open Coverage;
        To = "enddate" ["结束日期", "参保结束日期"] Optional Open Coverage;
        Assistance = "psn_idet_type" ["人员身份类别", "医疗救助类别"] Optional Open Assistance;
        AssistedFrom = "idet_begndate" ["救助开始日期"] Optional Open Assistance;
        AssistedTo = "idet_enddate" ["救助结束日期"] Optional Open Assistance;
    }
}

use PersonColumn as C;

/// Reads the rows of one person. `None` when one of them is faulty.
pub(crate) fn read(header: &Header, rows: &[Row], findings: &mut Findings) -> Option<PersonEntry> {
    let before = findings.faults.count();
    let mut person = None;
    let mut identity = IdentityEntry::default();
    let (mut coverages, mut assistance) = (Listed::default(), Listed::default());
    for row in rows {
        let mut cells = Cells::new(header, row, findings);
        person = cells.person(C::Pool, C::Number);
        read_identity(&mut cells, &mut identity);
        read_coverage(&mut cells, &mut coverages);
        read_assistance(&mut cells, &mut assistance);
    }
    if header.is_complete() && findings.faults.count() == before {
        let mut cells = Cells::new(header, rows.first()?, findings);
        for (column, said) in [
            (C::Name, identity.name.is_some()),
            (C::CertificateType, identity.certificate_type.is_some()),
            (C::CertificateNumber, identity.certificate_number.is_some()),
            (C::Insutype, coverages.is_said()),
        ] {
            if !said {
                cells.fault(column, "must be filled in in one row of each person");
            }
        }
    }
    if findings.faults.count() > before {
        return None;
    }
    Some(PersonEntry {
        person: person?,
        identity,
        coverages: coverages.said(),
        assistance: assistance.said(),
        recognitions: None,
    })
}

/// A list that rows add to; `-` says that it is empty.
struct Listed<T> {
    rows: Vec<T>,
    emptied: bool,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed { rows: Vec::new(), emptied: false }
    }
}

impl<T> Listed<T> {
    fn is_said(&self) -> bool {
        self.emptied || !self.rows.is_empty()
    }

    fn said(self) -> Option<Vec<T>> {
        self.is_said().then_some(self.rows)
    }
}

/// The later rows of a person may leave her personal fields empty, or must say the same again.
fn read_identity(cells: &mut Cells<'_>, identity: &mut IdentityEntry) {
    const CERTIFICATES: &[&str] = &[
        "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "90",
        "99",
    ];
    let same = |cells: &mut Cells<'_>, column: C, held: &mut Option<String>, said: Option<String>| match (
        &*held, said,
    ) {
        (Some(first), Some(again)) if *first != again => {
            cells.fault(column, "expected the same as in the first row of this person, or nothing");
        }
        (None, said) => *held = said,
        (Some(_), _) => {}
    };
    for (column, held, characters_max) in [
        (C::Name, &mut identity.name, 50),
        (C::Ethnicity, &mut identity.ethnicity, 3),
        (C::Phone, &mut identity.phone, 50),
        (C::Card, &mut identity.card_number, 50),
        (C::Employer, &mut identity.employer, 200),
    ] {
        let said = cells.said(column, characters_max);
        same(cells, column, held, said);
    }
    let kind = cells.code(C::CertificateType, CERTIFICATES).map(str::to_owned);
    same(cells, C::CertificateType, &mut identity.certificate_type, kind);
    let gender = cells.code(C::Gender, &["0", "1", "2", "9"]).map(str::to_owned);
    same(cells, C::Gender, &mut identity.gender, gender);
    let number = cells.text(C::CertificateNumber, 50).map(|number| number.to_ascii_uppercase());
    let is_identity_card = identity.certificate_type.as_deref() == Some("01");
    if number.as_deref().is_some_and(|number| is_identity_card && !has_valid_check_digit(number)) {
        cells.warn(
            C::CertificateNumber,
            "this is no identity number with a valid check digit: taken as it is",
        );
    }
    same(cells, C::CertificateNumber, &mut identity.certificate_number, number);
    read_birth(cells, identity);
}

fn read_birth(cells: &mut Cells<'_>, identity: &mut IdentityEntry) {
    let said = if cells.raw(C::Birth) == EMPTIES { Some(None) } else { cells.day(C::Birth).map(Some) };
    match (identity.birth, said) {
        (Some(first), Some(again)) if first != again => {
            cells.fault(C::Birth, "expected the same as in the first row of this person, or nothing");
        }
        (None, said) => identity.birth = said,
        (Some(_), _) => {}
    }
}

fn read_coverage(cells: &mut Cells<'_>, coverages: &mut Listed<Coverage>) {
    if cells.raw(C::Insutype) == EMPTIES {
        coverages.emptied = true;
        return;
    }
    let columns = [C::Insutype, C::PersonType, C::Status, C::CivilServant, C::Region, C::From, C::To];
    if columns.iter().all(|column| cells.is_empty(*column)) {
        return;
    }
    for column in &columns[..6] {
        if cells.is_empty(*column) {
            cells.fault(*column, "must be filled in where a coverage is given");
        }
    }
    let insutype = cells.parsed(C::Insutype, "an insutype of the code table, e.g. 310 or 390", |field| {
        INSUTYPE.name(field).map(|_| field.to_owned())
    });
    let person_type =
        cells.parsed(C::PersonType, "a person type of the code table, e.g. 11, 1201 or 15", person_type);
    let status = cells.parsed(C::Status, "1 (active), 2 (paused) or 4 (ended)", status);
    let (servant, region) = (cells.flag(C::CivilServant), cells.region(C::Region));
    let interval = cells.interval(C::From, C::To);
    let read = || {
        let (from, to) = interval?;
        let (insutype, person_type, status) = (insutype?, person_type?, status?);
        Some(Coverage { insutype, person_type, status, civil_servant: servant?, region: region?, from, to })
    };
    let Some(coverage) = read() else { return };
    if is_of_another_scheme(&coverage) {
        let (kind, insutype) = (&coverage.person_type, &coverage.insutype);
        cells.warn(
            C::PersonType,
            format!("person type {kind} is unusual under insutype {insutype}: taken as it is"),
        );
    }
    let same = |row: &&Coverage| row.insutype == coverage.insutype && overlap(row, &coverage);
    if let Some(row) = coverages.rows.iter().find(same) {
        let until = row.to.map_or_else(|| "on".to_owned(), |to| format!("to {to}"));
        let expected = format!(
            "expected days of which no other row of this insutype has one: a row from {} {until} does",
            row.from
        );
        cells.fault(C::From, expected);
    }
    coverages.rows.push(coverage);
}

fn overlap(one: &Coverage, other: &Coverage) -> bool {
    let begins_in = |later: &Coverage, earlier: &Coverage| earlier.covers(later.from);
    begins_in(one, other) || begins_in(other, one)
}

/// Of the code table, or one that a region has made below its `地方其他扩展`, e.g. 116032.
fn person_type(field: &str) -> Option<String> {
    const REGIONAL: [&str; 5] = ["1160", "1260", "1360", "1460", "1560"];
    let kind = field.parse().ok().and_then(PersonType::new)?.to_string();
    let known = PSN_TYPE.name(&kind).is_some() || REGIONAL.iter().any(|group| kind.starts_with(group));
    known.then_some(kind)
}

/// A resident insured as an employee, or the other way round.
fn is_of_another_scheme(coverage: &Coverage) -> bool {
    let resident = match coverage.insutype.as_str() {
        "310" => false,
        "390" => true,
        _ => return false,
    };
    let group = coverage.person_type.get(..2);
    group.is_some_and(|group| matches!(group, "14" | "15" | "16") != resident)
}

fn status(field: &str) -> Option<CoverageStatus> {
    match field {
        "1" => Some(CoverageStatus::Active),
        "2" => Some(CoverageStatus::Paused),
        "4" => Some(CoverageStatus::Ended),
        _ => None,
    }
}

fn read_assistance(cells: &mut Cells<'_>, assistance: &mut Listed<AssistanceSpan>) {
    if cells.raw(C::Assistance) == EMPTIES {
        assistance.emptied = true;
        return;
    }
    if [C::Assistance, C::AssistedFrom, C::AssistedTo].iter().all(|column| cells.is_empty(*column)) {
        return;
    }
    for column in [C::Assistance, C::AssistedFrom] {
        if cells.is_empty(column) {
            cells.fault(column, "must be filled in where assistance is given");
        }
    }
    let category = cells.parsed(C::Assistance, "an assistance category, 2301 to 2306", |field| {
        field.parse().ok().and_then(AssistanceCategory::from_code).map(|category| category.code().to_string())
    });
    let interval = cells.interval(C::AssistedFrom, C::AssistedTo);
    if let (Some(category), Some((from, to))) = (category, interval) {
        assistance.rows.push(AssistanceSpan { category, from, to });
    }
}

/// 18 characters whose last is the check digit of ISO 7064 mod 11-2.
fn has_valid_check_digit(number: &str) -> bool {
    let Some((body, check)) = number.split_at_checked(17) else { return false };
    check_digit(body).is_some_and(|expected| check.chars().eq([expected]))
}

/// The eighteenth character of an identity number; `None` when the seventeen before it are not digits.
pub fn check_digit(seventeen: &str) -> Option<char> {
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits: Vec<u32> = seventeen.chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    if digits.len() != WEIGHTS.len() {
        return None;
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECKS.get(usize::try_from(sum % 11).ok()?).copied()
}

/// The rows that read back as this person, in the order of `PersonColumn::ALL`.
pub fn write(person: &PersonKey, private: &PersonPrivate, register: &Register) -> Vec<Vec<String>> {
    let rows = register.coverages.len().max(register.assistance.len()).max(1);
    (0..rows)
        .map(|at| {
            let mut row = vec![String::new(); C::ALL.len()];
            write_identity(&mut row, person, private);
            if let Some(coverage) = register.coverages.get(at) {
                write_coverage(&mut row, coverage);
            }
            if let Some(span) = register.assistance.get(at) {
                set(&mut row, C::Assistance, span.category.clone());
                set(&mut row, C::AssistedFrom, span.from.to_string());
                set(&mut row, C::AssistedTo, write_last_day(span.to));
            }
            row
        })
        .collect()
}

fn set(row: &mut [String], column: C, text: String) {
    row[column.at()] = text;
}

fn write_identity(row: &mut [String], person: &PersonKey, private: &PersonPrivate) {
    set(row, C::Pool, person.pool.to_string());
    set(row, C::Number, person.number().to_owned());
    set(row, C::Name, private.name.clone());
    set(row, C::CertificateType, private.certificate_type.clone());
    set(row, C::CertificateNumber, private.certificate_number.clone());
    set(row, C::Gender, private.gender.clone());
    set(row, C::Ethnicity, private.ethnicity.clone());
    set(row, C::Birth, write_last_day(private.birth));
    set(row, C::Phone, private.phone.clone());
    set(row, C::Card, private.card_number.clone());
    set(row, C::Employer, private.employer.clone());
}

fn write_coverage(row: &mut [String], coverage: &Coverage) {
    let status = match coverage.status {
        CoverageStatus::Active => "1",
        CoverageStatus::Paused => "2",
        CoverageStatus::Ended => "4",
    };
    set(row, C::Insutype, coverage.insutype.clone());
    set(row, C::PersonType, coverage.person_type.clone());
    set(row, C::Status, status.to_owned());
    set(row, C::CivilServant, write_flag(coverage.civil_servant));
    set(row, C::Region, coverage.region.to_string());
    set(row, C::From, coverage.from.to_string());
    set(row, C::To, write_last_day(coverage.to));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // Example of GB 11643: 11010519491231002X.
        assert_eq!(check_digit("11010519491231002"), Some('X'));
        assert!(has_valid_check_digit("11010519491231002X"));
        assert!(!has_valid_check_digit("110105194912310021"));
        assert!(!has_valid_check_digit("11010519491231"));
        assert!(!has_valid_check_digit("身份证"));
    }
}
