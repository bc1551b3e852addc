//! 2402: ends a stay.

use crate::domain::record::DischargePrivate;
use crate::protocol::hospital::kept;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::stay::DISCHARGE;
use crate::protocol::hospital::tables::stay::Discharge;
use crate::protocol::hospital::tables::stay::StayDiagnosis;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::stay_ref;
use crate::protocol::hospital::turn::told;
use crate::service::discharge::DischargeOrder;
use crate::telemetry::metrics::Outcome;

/// Fields with a place of their own in the record.
const TYPED: [&str; 7] =
    ["insutype", "endtime", "dscg_way", "dscg_dept_codg", "dscg_dept_name", "dscg_bed", "matn_type"];

pub(super) async fn discharge(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let answered = turn.service.discharge(&turn.call(), order(turn.message)?).await?;
    turn.answer_deed(&answered.record, answered.replayed, |_| {})
}

fn order(message: &Message<'_>) -> Result<DischargeOrder, NotDone> {
    let row = message.one::<Discharge>();
    Ok(DischargeOrder {
        stay: stay_ref(row.get(&DISCHARGE.mdtrt_id), row.get(&DISCHARGE.psn_no))?,
        insutype: row.get(&DISCHARGE.insutype).to_owned(),
        ended: row.get(&DISCHARGE.endtime),
        way: row.get(&DISCHARGE.dscg_way).to_owned(),
        department: told(row.get(&DISCHARGE.dscg_dept_codg)),
        department_name: row.get(&DISCHARGE.dscg_dept_name).to_owned(),
        bed: told(row.get(&DISCHARGE.dscg_bed)),
        matn_type: told(row.get(&DISCHARGE.matn_type)),
        // What is left names a disease, an operation, a birth or a death.
        raw: String::new(),
        private: DischargePrivate {
            diagnoses: kept::kept_rows(message.list::<StayDiagnosis>()),
            raw: kept::kept(&row, |wire| !TYPED.contains(&wire)),
        },
    })
}
