//! 2001: what she would get here, fund by fund, and what filing has to do with it.

use crate::domain::calendar::Day;
use crate::domain::entitlement::Denied;
use crate::domain::entitlement::FundEntitlement;
use crate::domain::filing::Filing;
use crate::domain::filing::Reason;
use crate::protocol::answer;
use crate::protocol::hospital::tables::person::ENTITLEMENT;
use crate::protocol::hospital::tables::person::Entitlement as Row;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::words;
use crate::protocol::hospital::writer::Object;
use crate::service::entitle::Entitle;
use crate::service::entitle::Entitlement;
use crate::service::entitle::FilingSeen;
use crate::telemetry::metrics::Outcome;

/// Longest `trt_chk_rslt`, in characters.
const RESULT_MAX: usize = 500;

pub(super) async fn entitle(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<Row>();
    let order = Entitle {
        number: row.get(&ENTITLEMENT.psn_no).to_owned(),
        insutype: row.get(&ENTITLEMENT.insutype).to_owned(),
        med_type: row.get(&ENTITLEMENT.med_type).to_owned(),
        day: row.get(&ENTITLEMENT.begntime).day(),
        emergency: false,
        work_injury: turn.message.envelope.is_work_injury(),
    };
    let number = order.number.clone();
    let entitlement = turn.service.entitle(&turn.caller(), order).await?;
    let hotline = &turn.service.settings.hotline;
    Ok(turn.answer(|output| write(output, &number, &entitlement, hotline)))
}

fn write(output: &mut Object<'_>, number: &str, entitlement: &Entitlement, hotline: &str) {
    // The filing decides the rate of the first row, the pool; the other funds pay whatever it left.
    let filing = entitlement.filing.as_ref().map(filing);
    output.list("trtinfo", entitlement.funds.iter().enumerate(), |row, (at, fund)| {
        let filing = filing.as_deref().filter(|_| at == 0);
        let result = [Some(result(fund, hotline)), filing.map(str::to_owned)].into_iter().flatten();
        let result = result.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("；");
        row.text("psn_no", number).text("trt_chk_type", "1").shown("fund_pay_type", fund.fund.code());
        row.flag("trt_enjymnt_flag", fund.denied.is_none()).day("begndate", fund.from);
        row.maybe_day("enddate", fund.to).known("trt_chk_rslt", &cut(&result));
    });
}

fn cut(text: &str) -> String {
    text.chars().take(RESULT_MAX).collect()
}

/// Why it pays nothing, or how much room it has.
fn result(fund: &FundEntitlement, hotline: &str) -> String {
    match (&fund.denied, fund.room) {
        (Some(Denied::Refused(cause)), _) => answer::business(cause, hotline).text().to_owned(),
        (Some(Denied::NotInGroup), _) => "不属于该项待遇的享受人群".to_owned(),
        (Some(Denied::NotRuled), _) => "参保地政策未设该项待遇".to_owned(),
        (Some(Denied::CapReached), _) => "本年度限额已用完".to_owned(),
        (None, Some(room)) => format!("本年度限额剩余{room}元"),
        (None, None) => String::new(),
    }
}

/// Whether a filing is needed, is there, and how to make one that is missing.
fn filing(seen: &FilingSeen) -> String {
    match seen.reason {
        Reason::AtHome => "本地就医，无需备案".to_owned(),
        Reason::InProvinceNeedsNone => "省内异地就医，参保地无需备案".to_owned(),
        Reason::EmergencyFlag => "急诊抢救，视同已备案".to_owned(),
        Reason::AtHomeFiledElsewhere => format!("{}，回参保地就医", filed(seen.filing.as_ref())),
        Reason::InProvinceFiled
        | Reason::LongTermFiling
        | Reason::ReferralFiling
        | Reason::EmergencyFiling
        | Reason::OtherTemporaryFiling => {
            format!("{}，按“{}”享受待遇", filed(seen.filing.as_ref()), words::level(seen.level))
        }
        Reason::EmergencyNotFiledInTime => missing(seen, "省内急诊未在参保地规定天数内备案"),
        Reason::NoFiling => missing(seen, "未办理异地就医备案"),
        Reason::NoFilingCounts => missing(seen, "已有备案的就医地、日期或类别不适用于本次就医"),
    }
}

fn filed(filing: Option<&Filing>) -> String {
    let Some(filing) = filing else { return "已备案".to_owned() };
    let until = filing.to.map_or("长期有效".to_owned(), |to: Day| format!("至{to}"));
    let category = words::category(filing.category);
    format!("已备案（{category}，备案号{}，就医地{}，{}起{until}）", filing.id, filing.target, filing.from)
}

fn missing(seen: &FilingSeen, why: &str) -> String {
    format!(
        "{why}（就医地{}{}），将按“{}”结算。办理备案：{}；出院结算前补办有效",
        seen.place_name,
        seen.place,
        words::level(seen.level),
        answer::HOW_TO_FILE,
    )
}
