//! 2601: settles a call of unknown outcome.

use crate::domain::ids::MessageId;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::settlement::UNDO;
use crate::protocol::hospital::tables::settlement::Undo as Row;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::identifier;
use crate::service::undo::Undo;
use crate::telemetry::metrics::Outcome;

pub(super) async fn undo(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<Row>();
    let order = Undo {
        number: row.get(&UNDO.psn_no).to_owned(),
        message: identifier("omsgid", "原发送方报文ID", row.get(&UNDO.omsgid), MessageId::parse)?,
        transaction: transaction(row.get(&UNDO.oinfno))?,
    };
    let answered = turn.service.undo(&turn.call(), order).await?;
    turn.answer_deed(&answered.record, answered.replayed, |_| {})
}

/// The four digits of `oinfno`, whatever letter stands behind them.
fn transaction(infno: &str) -> Result<u16, NotDone> {
    let digits = infno.strip_suffix(|last: char| last.is_ascii_alphabetic()).unwrap_or(infno);
    let number = Some(digits).filter(|digits| digits.len() == 4).and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        let got = infno.to_owned();
        let trouble = Trouble::NotNumber { digits: 4, decimals: 0, got };
        Message::unusable::<Row>(UNDO.oinfno.index(), trouble).into()
    })
}
