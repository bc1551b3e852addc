//! What is wrong with fee lines: one sentence for the call, one for each line's `memo`.

use crate::domain::catalogue::NotMapped;
use crate::domain::refusal::LineFault;
use crate::domain::refusal::LineRefusal;
use crate::domain::split::NoSplit;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::correct;

/// A fault in short, what to do about it, and the figures.
struct Said {
    cause: &'static str,
    act: &'static str,
    detail: String,
}

/// Of a whole call: none of its lines was taken.
pub(super) fn faulty(faults: &[LineFault]) -> Refusal {
    let Some(first) = faults.first() else {
        return correct("lines-refused", "费用明细有误，均未接收", "请更正后重发", "");
    };
    let said = said(&first.cause);
    let cause = format!("{}（共{}条明细有误）", said.cause, faults.len());
    let detail =
        format!("feedetl_sn {}：{}；整批未处理，逐条原因见output.result.memo", first.no, said.detail);
    correct("lines-refused", &cause, said.act, &detail)
}

/// Of one line, for its `memo`.
pub fn line(cause: &LineRefusal) -> String {
    let said = said(cause);
    if said.detail.is_empty() {
        return format!("{}，{}", said.cause, said.act);
    }
    format!("{}，{}。{}", said.cause, said.act, said.detail)
}

fn said(cause: &LineRefusal) -> Said {
    use LineRefusal as L;
    let say = |cause, act, detail: String| Said { cause, act, detail };
    match cause {
        L::OtherContent => say(
            "明细流水号已有内容不同的明细",
            "请先撤销原明细（2302）或换号重传",
            "内容相同的重传不会重复记费".into(),
        ),
        L::MeansAll => say(
            "明细流水号不能为0000",
            "请换其他流水号后重传",
            "feedetl_sn 0000在2302中表示全部明细，不能单独撤销".into(),
        ),
        L::TwiceInCall => {
            say("明细流水号在本次上传中重复且内容不同", "请更正后重传", "feedetl_sn须在一次住院内唯一".into())
        }
        L::NotMapped(cause) => not_mapped(cause),
        L::NoSplit(cause) => no_split(cause),
        L::OutsideStay { day, first, last } => say(
            "费用发生日不在住院期间",
            "请更正fee_ocur_time后重传",
            format!("费用日{day}，住院{first}至{last}"),
        ),
        L::DaySettled { day, up_to, settlement } => say(
            "费用发生日已中途结算",
            "请先撤销该次结算（2305）再上传",
            format!("费用日{day}，已结算至{up_to}，setl_id {settlement}；撤销、上传后重新中途结算"),
        ),
        L::RefundOfUnknown { original } => {
            say("要退的原明细不存在", "请核对init_feedetl_sn后重传", format!("init_feedetl_sn {original}"))
        }
        L::RefundOfRefund { original } => {
            say("要退的原明细本身是退费", "请填原收费明细的流水号", format!("init_feedetl_sn {original}"))
        }
        L::RefundOfSettled { original, settlement } => say(
            "要退的明细已中途结算",
            "请先撤销该次结算（2305）",
            format!("init_feedetl_sn {original}，setl_id {settlement}"),
        ),
        L::RefundWithoutOriginal { count } => {
            say("退费明细未填原明细流水号", "请补填init_feedetl_sn后重传", format!("数量cnt为{count}"))
        }
        L::Unknown => say(
            "明细不存在或已撤销",
            "请按2301应答核对，或以0000全部撤销",
            "feedetl_sn填0000撤销全部未结算明细；已撤销的明细须以新msgid重新上传".into(),
        ),
        L::Settled { settlement } => {
            say("明细已中途结算", "请先撤销该次结算（2305）", format!("setl_id {settlement}"))
        }
        L::Refunded { by } => {
            say("明细另有退费明细", "请连同退费明细一并撤销", format!("退费明细feedetl_sn {by}"))
        }
    }
}

fn not_mapped(cause: &NotMapped) -> Said {
    match cause {
        NotMapped::UnknownCode { code, place } => Said {
            cause: "医疗目录编码未对照",
            act: "请先完成目录对照再上传",
            detail: format!("med_list_codg {code}不在就医地{place}的目录中"),
        },
        NotMapped::NotInForce { code, place, day } => Said {
            cause: "医疗目录编码在费用日未生效",
            act: "请核对编码与费用发生时间",
            detail: format!("med_list_codg {code}，就医地{place}，费用日{day}"),
        },
    }
}

fn no_split(cause: &NoSplit) -> Said {
    let say = |cause, act, detail: String| Said { cause, act, detail };
    match cause {
        NoSplit::AmountDiffers { amount, expected } => say(
            "明细金额不等于单价乘数量",
            "请更正后重传",
            format!("det_item_fee_sumamt {amount}，pric×cnt为{expected}"),
        ),
        NoSplit::TooManyDecimals { field, value, decimals_max } => {
            say("明细数值小数位过多", "请更正后重传", format!("{field} {value}，至多{decimals_max}位小数"))
        }
        NoSplit::WrongSign { field, value, wanted: _ } => say(
            "明细数值的正负不对",
            "请更正后重传",
            format!("{field} {value}；收费为正，退费的数量与金额为负"),
        ),
        NoSplit::CountNotLeft { asked, left } => {
            say("退费数量超过原明细所余", "请更正cnt后重传", format!("退{asked}，余{left}"))
        }
        NoSplit::AmountNotLeft { asked, left } => {
            say("退费金额超过原明细所余", "请更正金额后重传", format!("退{asked}元，余{left}元"))
        }
        NoSplit::AmountNotAllOfTheRest { asked, left } => {
            say("退完数量时金额也须退完", "请更正金额后重传", format!("退{asked}元，余{left}元"))
        }
        NoSplit::PriceDiffers { price, original } => {
            say("退费单价与原明细不同", "请更正pric后重传", format!("退费{price}，原{original}"))
        }
        NoSplit::OutOfRange { field, value } => {
            say("明细数值超出范围", "请更正后重传", format!("{field} {value}"))
        }
    }
}
