//! Why a filing is not made, changed or ended.

use crate::domain::filing_change::FilingRefusal;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::correct;
use crate::protocol::answer::never;

pub(super) fn refused(cause: &FilingRefusal) -> Refusal {
    use FilingRefusal as F;
    match cause {
        F::BackDated { from, made_on } => correct(
            "filing-back-dated",
            &format!("备案开始日{from}早于办理日{made_on}"),
            "请改为当日或以后重发",
            "备案不能倒签；入院后补办的备案自入院起有效",
        ),
        F::EndsBeforeItBegins { from, to } => correct(
            "filing-ends-before-begin",
            &format!("备案结束日{to}早于开始日{from}"),
            "请更正日期后重发",
            "",
        ),
        F::TargetIsHome { target } => {
            never("filing-not-needed", &format!("就医地{target}是其参保地"), "本地就医无需备案", "")
        }
        F::ReferralFromElsewhere { home, pool } => never(
            "referral-from-elsewhere",
            &format!("转院备案须由参保地{home}的医院办理"),
            "请联系参保地经办机构或医院",
            &format!("本机构属统筹区{pool}"),
        ),
        F::ReferralByHerself => {
            never("referral-by-herself", "转院备案须由医院或经办机构办理", "请改按其他临时外出就医备案", "")
        }
        F::LongTermStands { id } => correct(
            "long-term-filing-stands",
            "已有长期异地备案",
            "请变更原备案，勿重复办理",
            &format!("备案号{id}"),
        ),
        F::ReferralStands { id, to } => never(
            "referral-stands",
            &to.map_or("该就医地已有转院备案".into(), |to| {
                format!("该就医地已有转院备案，有效至{to}")
            }),
            "无需再次备案",
            &format!("trt_dcla_detl_sn {id}；要变更请先撤销原备案（2502）"),
        ),
        F::Locked { id, first_day } => correct(
            "filing-locked",
            &format!("长期备案{first_day}起方可变更或取消"),
            "请于该日后办理",
            &format!("备案号{id}"),
        ),
        F::Used { admitted } => correct(
            "filing-used",
            &format!("{admitted}入院的结算已使用此备案"),
            "请先撤销该结算（2305）再重发",
            "备案不能在其已用于结算的入院日或之前终止，补办的不能自其首日起终止；要自以后某日终止，由参保人或经办机构办理",
        ),
        F::EndBackDated { today } => correct(
            "filing-end-back-dated",
            &format!("备案终止日早于今日{today}"),
            "请改为今日或以后重发",
            "",
        ),
        F::AlreadyEnded { from } => {
            never("filing-already-ended", &format!("此备案已自{from}终止"), "无需再次撤销", "")
        }
        F::NotLongTerm => correct("filing-not-long-term", "只有长期备案可以变更", "请新办临时备案", ""),
    }
}
