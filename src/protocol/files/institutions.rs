//! Owns the file of designated institutions, inside and outside the province.

use crate::domain::ids::InstitutionCode;
use crate::domain::institution::Institution;
use crate::domain::institution::Suspension;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::write_flag;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;

columns! {
    /// The columns of an institutions file.
    InstitutionColumn {
        Code = "fixmedins_code" ["定点医药机构编号", "机构编码"] Key Open;
        Name = "fixmedins_name" ["定点医药机构名称", "机构名称"] Key Open;
        Region = "admdvs" ["医保区划", "所属区划"] Key Open;
        Level = "hosp_lv" ["医院等级"] Key Open;
        Kind = "fixmedins_type" ["定点医疗服务机构类型", "机构类型"] Key Open;
        CreditCode = "uscc" ["统一社会信用代码"] Expected Open;
        InProvince = "in_province" ["省内异地开通"] Key Open;
        CrossProvince = "cross_province" ["跨省异地开通"] Key Open;
        From = "begndate" ["开始日期", "定点开始日期"] Key Open;
        To = "enddate" ["结束日期", "定点结束日期"] Optional Open;
        SuspendedFrom = "suspended_from" ["暂停开始日期"] Optional Open;
        SuspendedTo = "suspended_to" ["暂停结束日期"] Optional Open;
    }
}

use InstitutionColumn as C;

pub(crate) fn read(header: &Header, row: &Row, findings: &mut Findings) -> Option<Institution> {
    const LEVELS: &[&str] = &["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"];
    let before = findings.faults.count();
    let mut cells = Cells::new(header, row, findings);
    let code =
        cells.parsed(C::Code, "an institution code of at most 12 characters without blanks", |field| {
            InstitutionCode::parse(field).ok().filter(|_| field.len() <= 12)
        });
    let (name, region) = (cells.text(C::Name, 200), cells.region(C::Region));
    let level = cells.code(C::Level, LEVELS);
    let kind = cells.code(C::Kind, &["1", "2", "3", "4", "5"]);
    let credit_code = cells.text(C::CreditCode, 50).unwrap_or_default();
    let (in_province, cross_province) = (cells.flag(C::InProvince), cells.flag(C::CrossProvince));
    let interval = cells.interval(C::From, C::To);
    let suspended = cells.interval(C::SuspendedFrom, C::SuspendedTo);
    if cells.is_empty(C::SuspendedFrom) && !cells.is_empty(C::SuspendedTo) {
        cells.fault(C::SuspendedFrom, "must be filled in where the suspension has a last day");
    }
    if findings.faults.count() > before {
        return None;
    }
    let (from, to) = interval?;
    Some(Institution {
        code: code?,
        name: name?,
        region: region?,
        hospital_level: level?.to_owned(),
        kind: kind?.to_owned(),
        credit_code,
        in_province: in_province?,
        cross_province: cross_province?,
        suspended: suspended.map(|(from, to)| Suspension { from, to }),
        from,
        to,
    })
}

/// The row that reads back as this institution, in the order of `InstitutionColumn::ALL`.
pub fn write(institution: &Institution) -> Vec<String> {
    vec![
        institution.code.to_string(),
        institution.name.clone(),
        institution.region.to_string(),
        institution.hospital_level.clone(),
        institution.kind.clone(),
        institution.credit_code.clone(),
        write_flag(institution.in_province),
        write_flag(institution.cross_province),
        institution.from.to_string(),
        write_last_day(institution.to),
        write_last_day(institution.suspended.map(|s| s.from)),
        write_last_day(institution.suspended.and_then(|s| s.to)),
    ]
}
