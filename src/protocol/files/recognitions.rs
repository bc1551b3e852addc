//! Owns the file of work-injury recognitions (工伤认定): all of a person's stand together and replace those held.

use crate::domain::ids::PersonKey;
use crate::domain::person::Recognition;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::EMPTIES;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::service::import::incoming::IdentityEntry;
use crate::service::import::incoming::PersonEntry;

columns! {
    /// The columns of a recognitions file.
    RecognitionColumn {
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Number = "psn_no" ["人员编号"] Key Personal;
        /// `-` says that she has none any more.
        Decision = "recognition_no" ["工伤认定书编号", "认定书编号"] Key Open;
        From = "begndate" ["开始日期"] Expected Open;
        To = "enddate" ["结束日期"] Optional Open;
    }
}

use RecognitionColumn as C;

pub(crate) fn read(header: &Header, rows: &[Row], findings: &mut Findings) -> Option<PersonEntry> {
    let before = findings.faults.count();
    let (mut person, mut recognitions) = (None, Vec::new());
    for row in rows {
        let mut cells = Cells::new(header, row, findings);
        person = cells.person(C::Pool, C::Number);
        if cells.raw(C::Decision) != EMPTIES {
            recognitions.extend(read_one(&mut cells));
        }
    }
    if findings.faults.count() > before {
        return None;
    }
    Some(PersonEntry {
        person: person?,
        identity: IdentityEntry::default(),
        coverages: None,
        assistance: None,
        recognitions: Some(recognitions),
    })
}

fn read_one(cells: &mut Cells<'_>) -> Option<Recognition> {
    let number = cells.text(C::Decision, 60);
    if cells.is_empty(C::From) {
        cells.fault(C::From, "must be filled in");
    }
    let (from, to) = cells.interval(C::From, C::To)?;
    Some(Recognition { number: number?, from, to })
}

/// The row that reads back as this recognition, in the order of `RecognitionColumn::ALL`.
pub fn write(person: &PersonKey, recognition: &Recognition) -> Vec<String> {
    vec![
        person.pool.to_string(),
        person.number().to_owned(),
        recognition.number.clone(),
        recognition.from.to_string(),
        write_last_day(recognition.to),
    ]
}
