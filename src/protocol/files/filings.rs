//! Owns the file of filings (异地就医备案) that a pool already holds, under the source's own ids.

use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::record::FilingPrivate;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::OneOf;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::service::import::incoming::FilingEntry;

columns! {
    /// The columns of a filings file.
    FilingColumn {
        SourceId = "source_id" ["来源流水号", "备案编号"] Key Open;
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Number = "psn_no" ["人员编号"] Key Personal;
        Category = "category" ["备案类别"] Key Open;
        Target = "mdtrtarea_admdvs" ["就医地", "就医地行政区划", "安置地区划"] Key Open;
        From = "begndate" ["开始日期"] Key Open;
        To = "enddate" ["结束日期"] Optional Open;
        MadeOn = "made_on" ["备案日期", "申请日期"] Key Open;
        Proof = "proof" ["证明材料"] Optional Open;
        /// It stands no longer from this day on.
        EndedFrom = "ended_from" ["终止日期"] Optional Open;
        Phone = "tel" ["联系电话"] Optional Personal;
        Address = "addr" ["联系地址"] Optional Personal;
    }
}

use FilingColumn as C;

pub(crate) fn read(header: &Header, row: &Row, findings: &mut Findings) -> Option<FilingEntry> {
    let before = findings.faults.count();
    let mut cells = Cells::new(header, row, findings);
    let source_id = cells.source_id(C::SourceId);
    let person = cells.person(C::Pool, C::Number);
    let names = FilingCategory::ALL.map(FilingCategory::code);
    let category = cells.parsed(C::Category, OneOf(&names), category);
    let target = cells.region(C::Target);
    let interval = cells.interval(C::From, C::To);
    let made_on = cells.day(C::MadeOn);
    let proof = cells.parsed(C::Proof, "documents or commitment", |field| match field {
        "documents" => Some(FilingProof::Documents),
        "commitment" => Some(FilingProof::Commitment),
        _ => None,
    });
    let ended_from = cells.last_day(C::EndedFrom);
    let phone = cells.text(C::Phone, 50).unwrap_or_default();
    let address = cells.text(C::Address, 200).unwrap_or_default();
    if findings.faults.count() > before {
        return None;
    }
    let (from, to) = interval?;
    Some(FilingEntry {
        person: person?,
        source_id: source_id?,
        category: category?,
        target: target?,
        from,
        to,
        made_on: made_on?,
        proof: proof.unwrap_or(FilingProof::Documents),
        ended_from,
        private: FilingPrivate { phone, address, ..FilingPrivate::default() },
    })
}

/// The gateway's own codes, and the `out_fil_type` seen in the field (which has none for emergencies).
fn category(field: &str) -> Option<FilingCategory> {
    match field {
        "02" => Some(FilingCategory::LongTermRetiree),
        "06" => Some(FilingCategory::Referral),
        "07" => Some(FilingCategory::LongTermResident),
        "08" => Some(FilingCategory::LongTermWorker),
        "11" => Some(FilingCategory::OtherTemporary),
        code => FilingCategory::from_code(code),
    }
}

/// The row that reads back as this filing, in the order of `FilingColumn::ALL`.
pub fn write(entry: &FilingEntry) -> Vec<String> {
    let proof = match entry.proof {
        FilingProof::Documents => "documents",
        FilingProof::Commitment => "commitment",
    };
    vec![
        entry.source_id.to_string(),
        entry.person.pool.to_string(),
        entry.person.number().to_owned(),
        entry.category.code().to_owned(),
        entry.target.to_string(),
        entry.from.to_string(),
        write_last_day(entry.to),
        entry.made_on.to_string(),
        proof.to_owned(),
        write_last_day(entry.ended_from),
        entry.private.phone.clone(),
        entry.private.address.clone(),
    ]
}
