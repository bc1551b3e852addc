//! Owns the words of `warn_msg`: what was put right while reading, and what the domain wants to be heard.
//!
//! Many hospital systems never show them, so nothing that a cashier needs stands here alone.

use crate::domain::breakdown::Fund;
use crate::domain::codes::BenefitLevel;
use crate::domain::filing::FilingCategory;
use crate::domain::refusal::Caution;
use crate::protocol::error::Notice;
use crate::protocol::error::NoticeKind;
use crate::protocol::hospital::codes;
use crate::protocol::hospital::sign::NotSignedIn;

/// Notices told in full; of the rest only how many there are.
const NOTICES_TOLD: usize = 5;

pub(super) fn notices(notices: &[Notice]) -> Vec<String> {
    let mut told: Vec<String> = notices.iter().take(NOTICES_TOLD).map(notice).collect();
    if let Some(more) = notices.len().checked_sub(NOTICES_TOLD).filter(|more| *more > 0) {
        told.push(format!("另有{more}处类似"));
    }
    told
}

fn notice(notice: &Notice) -> String {
    let path = &notice.path;
    match notice.kind {
        NoticeKind::UnknownCode => format!("{path}不在代码表中，已按原值保存"),
        NoticeKind::SentTwice => format!("{path}重复且值不一致，已取最后一个"),
        NoticeKind::LeftOut => format!("{path}格式不符，未采用"),
    }
}

pub(super) fn sign_in(cause: NotSignedIn) -> &'static str {
    match cause {
        NotSignedIn::Missing => "未签到，请以9001签到",
        NotSignedIn::Wrong => "签到编号sign_no不是本机构本操作员的，请重新签到（9001）",
        NotSignedIn::Expired => "签到已过期，请重新签到（9001）",
    }
}

pub(super) fn caution(caution: &Caution) -> String {
    match caution {
        Caution::CashDiffers { quoted, now } => {
            format!("现金自付{now}元，与预结算的{quoted}元不同，以本次结算为准")
        }
        Caution::TotalIgnored { field, given, ours } => {
            format!("{field}上传{given}，按明细应为{ours}，以明细为准")
        }
        Caution::ThirdParty => "已标记第三人责任，结算时基金不予支付".to_owned(),
        Caution::CommitmentMissing => "外伤未留存无第三人责任承诺书，结算前请以2403传ttp_resp为0".to_owned(),
        Caution::StaysOverlap { from, to, region, region_name } => {
            format!("住院日期与{from}至{to}在{region_name}{region}的已结算住院重叠，请核对")
        }
        Caution::Unfiled { place } => format!("未查到就医地{place}的异地就医备案，出院结算前可补办"),
        Caution::QuotedUnfiled => {
            "未查到就医地的异地就医备案，按未备案标准计算，结算前补办备案有效".to_owned()
        }
        Caution::SettledUnfiled => {
            "未查到就医地的异地就医备案，已按未备案标准结算；如已补办，请撤销（2305）后重新结算".to_owned()
        }
        Caution::NeverDone => "原报文未曾办理，已作废：再送达将被拒绝，需办理请换新msgid".to_owned(),
        Caution::ReversalUndone => "原撤销此前已被冲正，本次无须处理".to_owned(),
        Caution::NothingToUndo => "原报文此前已撤销或作废，本次无须处理".to_owned(),
    }
}

/// How a benefit level is called.
pub(super) fn level(level: BenefitLevel) -> &'static str {
    match level {
        BenefitLevel::Local => "本地就医",
        BenefitLevel::LongTermHome => "长期异地备案人员回参保地就医",
        BenefitLevel::InProvince => "省内异地就医",
        BenefitLevel::LongTerm => "异地长期居住",
        BenefitLevel::Referral => "异地转诊",
        BenefitLevel::Emergency => "异地急诊抢救",
        BenefitLevel::OtherTemporary => "其他临时外出就医",
        BenefitLevel::Unfiled => "未备案",
    }
}

pub(super) fn category(category: FilingCategory) -> &'static str {
    match category {
        FilingCategory::LongTermRetiree => "异地安置退休人员",
        FilingCategory::LongTermResident => "异地长期居住人员",
        FilingCategory::LongTermWorker => "常驻异地工作人员",
        FilingCategory::Referral => "异地转诊人员",
        FilingCategory::Emergency => "异地急诊抢救人员",
        FilingCategory::OtherTemporary => "其他临时外出就医人员",
    }
}

/// `fund_pay_type_name`.
pub(super) fn fund(fund: Fund) -> &'static str {
    codes::FUND_PAY_TYPE.name(&fund.code().to_string()).unwrap_or("")
}
