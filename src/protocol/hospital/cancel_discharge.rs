//! 2405: a discharge that was none.

use crate::protocol::hospital::tables::stay::STAY_CANCEL;
use crate::protocol::hospital::tables::stay::StayCancel;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::stay_ref;
use crate::telemetry::metrics::Outcome;

pub(super) async fn cancel_discharge(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<StayCancel>();
    let stay = stay_ref(row.get(&STAY_CANCEL.mdtrt_id), row.get(&STAY_CANCEL.psn_no))?;
    let answered = turn.service.cancel_discharge(&turn.call(), stay).await?;
    turn.answer_deed(&answered.record, answered.replayed, |_| {})
}
