//! 2401: begins a stay.

use crate::domain::record::AdmissionPrivate;
use crate::protocol::hospital::kept;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::tables::stay::ADMISSION;
use crate::protocol::hospital::tables::stay::Admission;
use crate::protocol::hospital::tables::stay::AdmissionDiagnosis;
use crate::protocol::hospital::tables::stay::Agent;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::credential;
use crate::protocol::hospital::turn::told;
use crate::service::admit::Admit;
use crate::telemetry::metrics::Outcome;

/// Kept in the open part of the record: they name neither a person nor a disease.
pub(super) const OPEN: [&str; 7] =
    ["atddr_no", "psn_type", "adm_way", "er_flag", "ttp_resp", "repeat_ipt_flag", "merg_setl_flag"];
/// Fields with a place of their own in the record, open or private.
pub(super) const TYPED: [&str; 15] = [
    "insutype",
    "coner_name",
    "tel",
    "begntime",
    "mdtrt_cert_type",
    "med_type",
    "ipt_no",
    "ipt_otp_no",
    "adm_diag_dscr",
    "adm_dept_codg",
    "adm_dept_name",
    "adm_bed",
    "dscg_maindiag_code",
    "dscg_maindiag_name",
    "matn_type",
];

/// The code of `er_flag` that means an emergency; the others name elective care and examinations.
const EMERGENCY: &str = "1";

pub(super) async fn admit(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let answered = turn.service.admit(&turn.call(), order(turn.message)).await?;
    let stay = answered.record.stay.as_ref().map(|(stay, _)| stay.as_str());
    let stay = stay.ok_or_else(|| broken("an admission without its stay"))?;
    turn.answer_deed(&answered.record, answered.replayed, |output| {
        output.object("result", |row| _ = row.text("mdtrt_id", stay));
    })
}

fn order(message: &Message<'_>) -> Admit {
    let row = message.one::<Admission>();
    let third_party = row.get(&ADMISSION.ttp_resp);
    Admit {
        number: row.get(&ADMISSION.psn_no).to_owned(),
        credential: credential(row.get(&ADMISSION.mdtrt_cert_type), row.get(&ADMISSION.mdtrt_cert_no)),
        insutype: row.get(&ADMISSION.insutype).to_owned(),
        med_type: row.get(&ADMISSION.med_type).to_owned(),
        begun: row.get(&ADMISSION.begntime),
        emergency: row.get(&ADMISSION.er_flag).is_some_and(is_emergency),
        third_party: third_party == Some(true),
        commitment: third_party.is_some_and(declares_no_third_party),
        matn_type: told(row.get(&ADMISSION.matn_type)),
        work_injury: message.envelope.is_work_injury(),
        inpatient_no: row.get(&ADMISSION.ipt_no).to_owned(),
        department: row.get(&ADMISSION.adm_dept_codg).to_owned(),
        department_name: row.get(&ADMISSION.adm_dept_name).to_owned(),
        bed: row.get(&ADMISSION.adm_bed).to_owned(),
        raw: kept::kept(&row, |wire| OPEN.contains(&wire)),
        private: private(message, &row),
    }
}

fn private(message: &Message<'_>, row: &Row<'_, '_, Admission>) -> AdmissionPrivate {
    let agent = message.maybe::<Agent>();
    AdmissionPrivate {
        contact_name: told(row.get(&ADMISSION.coner_name)),
        contact_phone: told(row.get(&ADMISSION.tel)),
        main_diagnosis_code: row.get(&ADMISSION.dscg_maindiag_code).to_owned(),
        main_diagnosis_name: row.get(&ADMISSION.dscg_maindiag_name).to_owned(),
        description: row.get(&ADMISSION.adm_diag_dscr).to_owned(),
        diagnoses: kept::kept_rows(message.list::<AdmissionDiagnosis>()),
        raw: kept::kept_with(row, is_other, |object| {
            let Some(agent) = agent else { return false };
            object.object("agnterinfo", |object| _ = kept::put_fields(object, &agent, |_| true));
            true
        }),
    }
}

/// Neither open nor typed: may name a person or a disease.
pub(super) fn is_other(wire: &str) -> bool {
    !OPEN.contains(&wire) && !TYPED.contains(&wire)
}

pub(super) fn is_emergency(er_flag: &str) -> bool {
    er_flag == EMERGENCY
}

/// The standard has no field for the signed commitment. A hospital that says outright that no third party is liable
/// (`ttp_resp` 0) says that it holds the commitment.
pub(super) fn declares_no_third_party(third_party: bool) -> bool {
    !third_party
}
