//! 2302: takes fee lines back, or with "0000" all that are not settled.

use crate::domain::ids::LineNo;
use crate::domain::withdraw::EVERY_LINE;
use crate::domain::withdraw::Which;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::lines::LINE_WITHDRAWAL;
use crate::protocol::hospital::tables::lines::LineWithdrawal;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::stay_ref;
use crate::service::withdraw::Withdraw;
use crate::telemetry::metrics::Outcome;

pub(super) async fn withdraw(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let withdrawn = turn.service.withdraw(&turn.call(), order(turn.message)?).await?;
    turn.answer_deed(&withdrawn.record, withdrawn.replayed, |_| {})
}

fn order(message: &Message<'_>) -> Result<Withdraw, NotDone> {
    let first = message.maybe::<LineWithdrawal>().ok_or_else(|| broken("2302 without lines"))?;
    let stay = stay_ref(first.get(&LINE_WITHDRAWAL.mdtrt_id), first.get(&LINE_WITHDRAWAL.psn_no))?;
    let numbers = || message.list::<LineWithdrawal>().map(|row| row.get(&LINE_WITHDRAWAL.feedetl_sn));
    if numbers().any(|number| number == EVERY_LINE) {
        return Ok(Withdraw { stay, which: Which::All });
    }
    let parse = |number| identifier("feedetl_sn", "费用明细流水号", number, LineNo::parse);
    let lines = numbers().map(parse).collect::<Result<_, _>>()?;
    Ok(Withdraw { stay, which: Which::These(lines) })
}
