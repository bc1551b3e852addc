//! 1201: the register of designated institutions.

use crate::domain::ids::InstitutionCode;
use crate::protocol::hospital::tables::person::INSTITUTION;
use crate::protocol::hospital::tables::person::Institution;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::told;
use crate::service::institution::FindInstitutions;
use crate::telemetry::metrics::Outcome;

/// Rows of one answer at most.
const ROWS_MAX: usize = 100;

pub(super) fn find(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<Institution>();
    let parse = |code: &str| identifier("fixmedins_code", "定点医药机构编号", code, InstitutionCode::parse);
    let order = FindInstitutions {
        kind: row.get(&INSTITUTION.fixmedins_type).to_owned(),
        name: told(row.get(&INSTITUTION.fixmedins_name)),
        code: row.get(&INSTITUTION.fixmedins_code).map(parse).transpose()?,
    };
    let found = turn.service.find_institutions(&order, ROWS_MAX);
    Ok(turn.answer(|output| {
        output.list("medinsinfo", &found, |row, institution| {
            row.shown("fixmedins_code", &institution.code).text("fixmedins_name", &institution.name);
            row.known("uscc", &institution.credit_code).text("fixmedins_type", &institution.kind);
            row.known("hosp_lv", &institution.hospital_level);
        });
    }))
}
