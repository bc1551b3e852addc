//! Owns the file of the year so far: opening totals, and what was settled elsewhere and used the year's caps.

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::BenefitYear;
use crate::domain::codes::Scheme;
use crate::domain::money::Fen;
use crate::domain::record::OutsideEvent;
use crate::domain::record::OutsideKind;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::OneOf;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::service::import::incoming::OutsideEntry;

columns! {
    /// The columns of a file of the year so far.
    YearColumn {
        SourceId = "source_id" ["来源流水号"] Key Open;
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Number = "psn_no" ["人员编号"] Key Personal;
        Kind = "kind" ["类别", "业务类别"] Key Open;
        Scheme = "scheme" ["险种", "险种类别"] Key Open;
        Year = "year" ["年度", "待遇年度"] Key Open;
        On = "date" ["发生日期"] Key Open;
        /// `+` adds, `-` takes back what the source has withdrawn. The amounts themselves are not negative.
        Sign = "sign" ["正负", "符号"] Key Open;
        Admissions = "admissions" ["住院次数"] Optional Open;
        Deductible = "act_pay_dedc" ["起付线累计", "已付起付线"] Optional Personal;
        Hifp = "hifp_pay" ["统筹基金支付"] Optional Personal;
        Hifob = "hifob_pay" ["大额支付"] Optional Personal;
        Hifmi = "hifmi_pay" ["大病支付"] Optional Personal;
        Burden = "inscp_burden" ["政策范围内自付"] Optional Personal;
        Maf = "maf_pay" ["医疗救助支付"] Optional Personal;
    }
}

use YearColumn as C;

pub(crate) fn read(header: &Header, row: &Row, findings: &mut Findings) -> Option<OutsideEntry> {
    let before = findings.faults.count();
    let mut cells = Cells::new(header, row, findings);
    let source_id = cells.source_id(C::SourceId);
    let person = cells.person(C::Pool, C::Number);
    let kind = cells.parsed(C::Kind, OneOf(&KINDS.map(|(_, name)| name)), kind);
    let scheme = cells.parsed(C::Scheme, "310 (employee), 390 (resident), maternity or work_injury", scheme);
    let year = cells.parsed(C::Year, "the year in which the benefit year begins, e.g. 2026", |field| {
        field.parse().ok().filter(|year| (2000..2200).contains(year)).map(BenefitYear)
    });
    let on = cells.day(C::On);
    let takes_back = cells.parsed(C::Sign, "+ or -", |field| match field {
        "+" | "1" => Some(false),
        "-" | "-1" => Some(true),
        _ => None,
    });
    let amounts = read_amounts(&mut cells);
    if findings.faults.count() > before {
        return None;
    }
    let used = if takes_back? { -amounts } else { amounts };
    let event = OutsideEvent { kind: kind?, scheme: scheme?, year: year?, used, on: on? };
    Some(OutsideEntry { person: person?, source_id: source_id?, event })
}

fn read_amounts(cells: &mut Cells<'_>) -> Accumulators {
    let mut amount = |column: C| {
        let fen = cells.yuan(column).unwrap_or(Fen::ZERO);
        if fen.is_negative() {
            cells.fault(column, "expected an amount that is not negative: the sign has a column of its own");
        }
        fen
    };
    let (deductible, hifp, hifob) = (amount(C::Deductible), amount(C::Hifp), amount(C::Hifob));
    let (hifmi, burden, maf) = (amount(C::Hifmi), amount(C::Burden), amount(C::Maf));
    let admissions = cells.parsed(C::Admissions, "a number of admissions, 0 to 366", |field| {
        field.parse().ok().filter(|n| (0..=366).contains(n))
    });
    Accumulators { admissions: admissions.unwrap_or(0), deductible, hifp, hifob, hifmi, burden, maf }
}

const KINDS: [(OutsideKind, &str); 5] = [
    (OutsideKind::Opening, "opening"),
    (OutsideKind::LocalStay, "local_stay"),
    (OutsideKind::ChronicOutpatient, "chronic_outpatient"),
    (OutsideKind::ManualReimbursement, "manual_reimbursement"),
    (OutsideKind::Other, "other"),
];

fn kind(field: &str) -> Option<OutsideKind> {
    KINDS.into_iter().find(|(_, name)| *name == field).map(|(kind, _)| kind)
}

fn scheme(field: &str) -> Option<Scheme> {
    match field {
        "310" => Some(Scheme::Employee),
        "390" => Some(Scheme::Resident),
        name => Scheme::ALL.into_iter().find(|scheme| scheme.to_string() == name),
    }
}

/// The row that reads back as this event, in the order of `YearColumn::ALL`.
pub fn write(entry: &OutsideEntry) -> Vec<String> {
    let event = &entry.event;
    let takes_back = event.used.hifp.is_negative() || event.used.burden.is_negative();
    let used = if takes_back { -event.used } else { event.used };
    let kind = KINDS.into_iter().find(|(kind, _)| *kind == event.kind).map_or("other", |(_, name)| name);
    let mut row = vec![
        entry.source_id.to_string(),
        entry.person.pool.to_string(),
        entry.person.number().to_owned(),
        kind.to_owned(),
        event.scheme.to_string(),
        event.year.to_string(),
        event.on.to_string(),
        if takes_back { "-" } else { "+" }.to_owned(),
        used.admissions.to_string(),
    ];
    let amounts = [used.deductible, used.hifp, used.hifob, used.hifmi, used.burden, used.maf];
    row.extend(amounts.map(|amount| amount.to_string()));
    row
}
