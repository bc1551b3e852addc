//! 2303: what 2304 would do now.

use crate::protocol::hospital::setlinfo;
use crate::protocol::hospital::setlinfo::Settled;
use crate::protocol::hospital::settle;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::telemetry::metrics::Outcome;

pub(super) async fn quote(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let order = settle::order(turn.message)?;
    let stay = order.stay.clone();
    let asking = &turn.message.envelope.message;
    let quoted = turn.service.quote(&turn.caller(), asking, order).await?;
    let settled = Settled {
        stay: stay.stay.as_str(),
        number: &stay.number,
        person: &quoted.person,
        settlement: &quoted.settlement,
        message: turn.message.envelope.message.as_str(),
        at: turn.context.received,
    };
    Ok(turn.answer_with(&quoted.cautions, |output| setlinfo::write_quoted(output, &settled)))
}
