//! 2403: changes what an admission said.

use crate::domain::record::AdmissionPrivate;
use crate::protocol::hospital::admit;
use crate::protocol::hospital::kept;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::stay::STAY_CHANGE;
use crate::protocol::hospital::tables::stay::StayChange;
use crate::protocol::hospital::tables::stay::StayDiagnosis;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::stay_ref;
use crate::protocol::hospital::turn::told;
use crate::service::change::Change;
use crate::telemetry::metrics::Outcome;

pub(super) async fn change(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let answered = turn.service.change(&turn.call(), order(turn.message)?).await?;
    turn.answer_deed(&answered.record, answered.replayed, |_| {})
}

fn order(message: &Message<'_>) -> Result<Change, NotDone> {
    let row = message.one::<StayChange>();
    let third_party = row.get(&STAY_CHANGE.ttp_resp);
    Ok(Change {
        stay: stay_ref(row.get(&STAY_CHANGE.mdtrt_id), row.get(&STAY_CHANGE.psn_no))?,
        begun: row.get(&STAY_CHANGE.begntime),
        med_type: row.get(&STAY_CHANGE.med_type).to_owned(),
        emergency: row.get(&STAY_CHANGE.er_flag).map(admit::is_emergency),
        third_party,
        commitment: third_party.map(admit::declares_no_third_party),
        // Only an admission can be sent to the work-injury system; a change that goes elsewhere does not take it back.
        work_injury: message.envelope.is_work_injury().then_some(true),
        matn_type: row.get(&STAY_CHANGE.matn_type).map(str::to_owned),
        credential_type: row.get(&STAY_CHANGE.mdtrt_cert_type).to_owned(),
        inpatient_no: row.get(&STAY_CHANGE.ipt_otp_no).to_owned(),
        department: row.get(&STAY_CHANGE.adm_dept_codg).to_owned(),
        department_name: row.get(&STAY_CHANGE.adm_dept_name).to_owned(),
        bed: row.get(&STAY_CHANGE.adm_bed).to_owned(),
        raw: kept::kept(&row, |wire| admit::OPEN.contains(&wire)),
        private: AdmissionPrivate {
            contact_name: told(row.get(&STAY_CHANGE.coner_name)),
            contact_phone: told(row.get(&STAY_CHANGE.tel)),
            main_diagnosis_code: row.get(&STAY_CHANGE.dscg_maindiag_code).to_owned(),
            main_diagnosis_name: row.get(&STAY_CHANGE.dscg_maindiag_name).to_owned(),
            description: row.get(&STAY_CHANGE.adm_diag_dscr).to_owned(),
            diagnoses: kept::kept_rows(message.list::<StayDiagnosis>()),
            raw: kept::kept(&row, admit::is_other),
        },
    })
}
