//! Why 2601 undoes nothing.

use crate::domain::ids::MessageId;
use crate::domain::ids::SettlementId;
use crate::domain::refusal::Since;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::correct;
use crate::protocol::answer::never;
use crate::protocol::hospital::transaction::Transaction;

pub(super) fn not_undoable(transaction: u16, cancel: Option<u16>) -> Refusal {
    if Transaction::from_infno(&format!("{transaction:04}")).is_none() {
        let cause = format!("本接口没有{transaction:04}交易");
        return correct("not-undoable", &cause, "请核对oinfno后重发", "可冲正的交易：2304、2305、2401");
    }
    let cause = format!("{transaction:04}交易不能以2601冲正");
    match cancel {
        Some(cancel) => never(
            "not-undoable",
            &cause,
            &format!("请以同一msgid原样重发或用{cancel:04}撤销"),
            "重发不会重复处理：已完成的会返回首次结果",
        ),
        None => never("not-undoable", &cause, "请以同一msgid原样重发", "可冲正的交易：2304、2305、2401"),
    }
}

pub(super) fn of_another(transaction: u16, message: &MessageId) -> Refusal {
    correct(
        "undo-of-another",
        "要冲正的报文不是此参保人的",
        "请核对psn_no与omsgid后重发",
        &format!("{transaction:04}报文{message}为另一参保人办理，未冲正"),
    )
}

pub(super) fn of_other_transaction(given: u16, was: u16, message: &MessageId) -> Refusal {
    let cause = format!("oinfno为{given:04}，但该报文是{was:04}交易");
    let act = format!("请核对，冲正该报文请填oinfno {was:04}");
    correct("undo-of-other-transaction", &cause, &act, &format!("omsgid {message}；未冲正"))
}

pub(super) fn settle_again(settlement: &SettlementId, since: Since) -> Refusal {
    let (cause, act) = match since {
        Since::DischargeCancelled => ("撤销后出院已撤销", "请办理出院（2402）后重新结算（2304）"),
        Since::SettledAgain => ("撤销后已重新结算", "请以新结算为准"),
        Since::YearMoved => ("撤销后年度累计已变", "请重新结算（2304）"),
        Since::StayMoved => ("撤销后住院信息或明细已变", "请核对并补齐明细后重新结算（2304）"),
        Since::AccountShort => ("撤销后个人账户余额已不足", "请重新结算（2304）"),
        Since::FilingGone => ("撤销后原结算所用备案已失效", "请重新结算（2304）"),
    };
    let detail = format!("原结算setl_id {settlement}");
    correct("settle-again", &format!("{cause}，原结算不能恢复"), act, &detail)
}
