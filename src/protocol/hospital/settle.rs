//! 2304: settles a stay, or a part of it.

use crate::domain::record::Body;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::setlinfo;
use crate::protocol::hospital::setlinfo::Settled;
use crate::protocol::hospital::tables::settlement::BILL;
use crate::protocol::hospital::tables::settlement::Bill;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::credential;
use crate::protocol::hospital::turn::stay_ref;
use crate::protocol::hospital::turn::told;
use crate::service::settle::GivenTotals;
use crate::service::settle::Settle;
use crate::telemetry::metrics::Outcome;

pub(super) async fn settle(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let answered = turn.service.settle(&turn.call(), order(turn.message)?).await?;
    let record = &answered.record;
    let (Body::Settled(settlement), Some((stay, _))) = (&record.body, &record.stay) else {
        return Err(broken("a settlement's record without one"));
    };
    let settled = Settled {
        stay: stay.as_str(),
        number: record.person.number(),
        person: &answered.person,
        settlement,
        message: record.meta.key.message.as_str(),
        at: record.at,
    };
    turn.answer_deed(record, answered.replayed, |output| setlinfo::write_settled(output, &settled))
}

/// The order of 2303 and 2304.
pub(super) fn order(message: &Message<'_>) -> Result<Settle, NotDone> {
    let row = message.one::<Bill>();
    let kind = row.get(&BILL.mdtrt_cert_type);
    Ok(Settle {
        stay: stay_ref(row.get(&BILL.mdtrt_id), row.get(&BILL.psn_no))?,
        credential: Some(credential(kind, row.get(&BILL.mdtrt_cert_no))),
        credential_type: kind.to_owned(),
        insutype: row.get(&BILL.insutype).to_owned(),
        fee: row.get(&BILL.medfee_sumamt),
        totals: GivenTotals {
            full_own_pay: row.get(&BILL.fulamt_ownpay_amt).unwrap_or_default(),
            over_limit: row.get(&BILL.overlmt_selfpay).unwrap_or_default(),
            first_pay: row.get(&BILL.preselfpay_amt).unwrap_or_default(),
            in_scope: row.get(&BILL.inscp_scp_amt).unwrap_or_default(),
        },
        psn_setlway: row.get(&BILL.psn_setlway).to_owned(),
        account_used: row.get(&BILL.acct_used_flag) == Some(true),
        part: row.get(&BILL.mid_setl_flag),
        up_to: row.get(&BILL.dscg_time),
        invoice: told(row.get(&BILL.invono)),
    })
}
