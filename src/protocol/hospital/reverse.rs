//! 2305: a settlement taken back, as its exact negative with an id of its own.

use crate::domain::ids::SettlementId;
use crate::domain::record::Body;
use crate::protocol::hospital::setlinfo;
use crate::protocol::hospital::setlinfo::TakenBack;
use crate::protocol::hospital::tables::settlement::SETTLEMENT_CANCEL;
use crate::protocol::hospital::tables::settlement::SettlementCancel;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::stay_ref;
use crate::service::reverse::Reverse;
use crate::telemetry::metrics::Outcome;

pub(super) async fn reverse(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<SettlementCancel>();
    let order = Reverse {
        stay: stay_ref(row.get(&SETTLEMENT_CANCEL.mdtrt_id), row.get(&SETTLEMENT_CANCEL.psn_no))?,
        settlement: identifier(
            "setl_id",
            "结算ID",
            row.get(&SETTLEMENT_CANCEL.setl_id),
            SettlementId::parse,
        )?,
    };
    let answered = turn.service.reverse(&turn.call(), order).await?;
    let record = &answered.record;
    let (Body::Reversed(reversal), Some((stay, _))) = (&record.body, &record.stay) else {
        return Err(broken("a reversal's record without one"));
    };
    let taken_back =
        TakenBack { stay: stay.as_str(), reversal, message: record.meta.key.message.as_str(), at: record.at };
    turn.answer_deed(record, answered.replayed, |output| setlinfo::write_taken_back(output, &taken_back))
}
