//! What a use case gives back instead of its deed.

use crate::domain::calendar::Instant;
use crate::domain::record::Body;
use crate::domain::record::Record;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::business;
use crate::protocol::answer::business::internal;
use crate::protocol::answer::later;
use crate::protocol::answer::never;
use crate::service::error::LedgerFault;
use crate::service::error::ServiceError;

/// How long to wait before the same message is sent again.
const AGAIN_MS: u64 = 1_000;

/// `hotline`: whom to call when a region is not connected.
pub fn service(error: &ServiceError, hotline: &str) -> Refusal {
    match error {
        ServiceError::Refused(cause) => business::business(cause, hotline),
        ServiceError::KeyReused { key, first } => never(
            "msgid-reused",
            &format!("msgid已用于内容不同的{:04}交易", key.transaction),
            "请换新msgid重发",
            &format!("原报文{}受理于{}", key.message, time_of(first.at)),
        ),
        ServiceError::Undone { by, .. } => never(
            "undone-since",
            &format!("此报文已办理，后于{}被{}", time_of(by.at), ending(by)),
            "需再办请换新msgid",
            &format!("由{:04}报文{}", by.meta.key.transaction, by.meta.key.message),
        ),
        ServiceError::Fenced { by, .. } => never(
            "fenced",
            &format!("此报文已于{}被2601冲正，未办理", time_of(by.at)),
            "需办理请换新msgid",
            &format!("冲正报文{}", by.meta.key.message),
        ),
        ServiceError::Contended { .. } => later(
            "try-again",
            AGAIN_MS,
            "该参保人正在办理其他业务",
            "请稍后以同一msgid原样重发",
            "未作任何处理",
        ),
        ServiceError::Ledger(_) => ledger(error.ledger_fault()),
    }
}

fn ledger(fault: LedgerFault) -> Refusal {
    match fault {
        LedgerFault::NotTaken => later(
            "try-again",
            AGAIN_MS,
            "系统繁忙，未作任何处理",
            "请稍后以同一msgid原样重发",
            "重发不会重复处理",
        ),
        LedgerFault::Ours => internal(),
        LedgerFault::Unknown => later(
            "ledger-unavailable",
            AGAIN_MS,
            "账本暂不可用，结果未知",
            "请以同一msgid原样重发",
            "重发不会重复处理：已完成的会返回首次结果；也可用2601冲正",
        ),
    }
}

/// How a later deed ended an earlier one.
fn ending(by: &Record) -> &'static str {
    match by.body {
        Body::Reversed(_) | Body::AdmissionCancelled | Body::DischargeCancelled | Body::LinesWithdrawn(_) => {
            "撤销"
        }
        Body::FilingEnded(_) => "终止",
        Body::Registered(_)
        | Body::BalanceTaken(_)
        | Body::OutsideEvent(_)
        | Body::FilingMade(_)
        | Body::Admitted(_)
        | Body::AdmissionChanged(_)
        | Body::Discharged(_)
        | Body::LinesUploaded(_)
        | Body::Settled(_)
        | Body::Revived(_)
        | Body::Fenced(_)
        | Body::UndoneWithoutEffect(_) => "冲正",
    }
}

fn time_of(at: Instant) -> String {
    at.moment().day().to_string()
}
