//! What the law, or the state of things, forbids: a sentence for every refusal of `domain`.
//!
//! Identifiers of thirty characters and lists stand in the detail; cause and next act must fit a small window.

use crate::domain::calendar::Day;
use crate::domain::codes::Scheme;
use crate::domain::ids::InstitutionCode;
use crate::domain::institution::NotDesignated;
use crate::domain::institution::Reach;
use crate::domain::money::Fen;
use crate::domain::pack::NoPolicy;
use crate::domain::refusal;
use crate::domain::refusal::Bound;
use crate::domain::refusal::CoverageGap;
use crate::domain::refusal::NothingLeft;
use crate::domain::refusal::SettledAs;
use crate::domain::refusal::UnfiledTold;
use crate::domain::stay::OutOfOrder;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::correct;
use crate::protocol::answer::cut;
use crate::protocol::answer::filing;
use crate::protocol::answer::lines;
use crate::protocol::answer::never;
use crate::protocol::answer::undo;
use crate::protocol::hospital::codes;

/// Where a person files without a window, as every sentence about filing says it.
pub const HOW_TO_FILE: &str = "国家医保服务平台App、国家异地就医备案小程序或参保地经办机构";

/// A refusal of the domain in the hospital's words. `hotline`: whom to call when a region is not connected.
pub fn business(cause: &refusal::Refusal, hotline: &str) -> Refusal {
    use refusal::Refusal as R;
    match cause {
        R::InstitutionUnknown { institution } => correct(
            "institution-unknown",
            "定点机构登记中没有此机构编号",
            "请核对fixmedins_code后重发",
            &format!("机构编号{institution}；编号无误时请联系医保经办机构登记"),
        ),
        R::NotDesignated { institution, day, cause } => not_designated(institution, *day, *cause),
        R::LevelUnknown { institution, level } => correct(
            "institution-level-unknown",
            "医院等级登记有误，不能确定待遇",
            "请联系医保经办机构更正后重发",
            &format!("机构{institution}登记的hosp_lv为“{}”", cut(level, 10)),
        ),
        R::InsuredRegionMissing => correct(
            "insured-region-missing",
            "未填参保地医保区划insuplc_admdvs",
            "请按1101返回的参保地补填后重发",
            "人员编号psn_no只在统筹区内唯一",
        ),
        R::RegionUnknown { region } => {
            correct("region-unknown", &format!("区划表中没有医保区划{region}"), "请核对区划后重发", "")
        }
        // Perhaps a default of the hospital's system: who is sent home for that loses what is hers.
        R::RegionNotConnected { given, pool, name, agency, agency_name } => never(
            "region-not-connected",
            &format!("insuplc_admdvs {given}{}尚未接入本网关", cut(name, 12)),
            "请先核对；无误则自费，回参保地手工报销",
            &format!(
                "该字段取自1101应答，1101可留空；参保统筹区{pool}；咨询参保地经办机构{}{agency}，医保服务热线{}",
                cut(agency_name, 16),
                cut(hotline, 30)
            ),
        ),
        R::InsuredRegionDiffers { given } => correct(
            "insured-region-differs",
            &format!("insuplc_admdvs {given}不是该参保人的参保地"),
            "请按1101返回的参保地重发",
            "",
        ),
        R::InsuredRegionMistaken { given } => correct(
            "insured-region-differs",
            &format!("insuplc_admdvs {given}与该参保人的登记不符"),
            "请核对insuplc_admdvs或留空后重发",
            "留空时本网关按凭证查找参保地，并在insuinfo中返回",
        ),
        R::PlaceNotServed { place, name } => correct(
            "place-not-served",
            &format!("就医地{}的医保目录未接入本网关", cut(name, 12)),
            "请联系就医地医保经办机构",
            &format!("就医地{place}；目录接入后可原样重发"),
        ),
        R::PersonUnknown { pool } => correct(
            "person-unknown",
            &format!("参保地{pool}没有此人员编号psn_no"),
            "请以1101重新读取后重发",
            "",
        ),
        R::CredentialUnknown { kind } => correct(
            "credential-unknown",
            &format!("按{}查不到参保人", credential(kind)),
            "请核对证件或改用其他凭证重发",
            credential_advice(kind),
        ),
        R::CredentialOfAnother { kind } => correct(
            "credential-of-another",
            &format!("所用{}不是该参保人本人的", credential(kind)),
            "请核对本人凭证后重发",
            "",
        ),
        R::TokenNotServed => {
            correct("token-not-served", "暂不支持医保电子凭证（01）", "请改用身份证（02）或社保卡（03）", "")
        }
        R::PersonAmbiguous { pools } => correct(
            "person-ambiguous",
            &format!("该凭证在{}个统筹区有参保登记", pools.len()),
            "请在insuplc_admdvs填明参保地",
            &format!("统筹区：{}", listed(pools)),
        ),
        R::NotCovered { insutype, day, gap, others } => not_covered(insutype, *day, *gap, others),

        R::StayUnknown { stay } => correct(
            "stay-unknown",
            "本机构没有此就诊ID的住院",
            "请核对mdtrt_id后重发",
            &format!("mdtrt_id {stay}"),
        ),
        R::PersonDiffers { stay } => correct(
            "person-differs",
            "psn_no不是该次住院的参保人",
            "请核对psn_no与mdtrt_id后重发",
            &format!("mdtrt_id {stay}"),
        ),
        R::InsuranceDiffers { given, admitted } => correct(
            "insurance-differs",
            &format!("险种{}与入院登记的{}不一致", cut(given, 6), cut(admitted, 6)),
            "请按入院险种insutype重发",
            "",
        ),
        R::OutOfOrder { stay, cause, settled } => {
            out_of_order(*cause, &detail_of_stay(stay.as_str(), settled.as_ref()))
        }
        R::OpenStay { institution, name, since, own, stay, resuming } => {
            let (wish, act) = match (*resuming, *own) {
                (false, true) => ("办理入院", "请先办理出院（2402）或撤销入院"),
                (false, false) => ("办理入院", "请联系该机构先办理出院"),
                // Whether that stay began before or after this one: it has to end, or never have been.
                (true, true) => ("撤销另一次的出院", "请先将在院的那次办理出院（2402）或撤销入院"),
                (true, false) => ("撤销出院", "请联系该机构核对在院的那次"),
            };
            let own_stay = stay.as_ref().map(|stay| format!("；mdtrt_id {stay}")).unwrap_or_default();
            let detail = format!(
                "在院信息：机构编号：{institution}机构名称：{}，{}入院{own_stay}；无法办理时请联系经办机构解除",
                cut(name, 30),
                since.day()
            );
            correct("stay-open", &format!("该人员是在院状态不能{wish}"), act, &detail)
        }
        R::LinesStand { count } => correct(
            "lines-stand",
            &format!("该次住院还有{count}条费用明细"),
            "请先以2302撤销明细（0000）",
            "",
        ),
        R::ChangeWouldSplitAnew { count } => correct(
            "change-would-split-anew",
            &format!("此变更会改变已上传{count}条明细的分割"),
            "请先以2302撤销明细再变更",
            "变更后重新上传明细",
        ),
        R::ChangeAfterPart { field } => correct(
            "change-after-part",
            &format!("{field}已用于中途结算，不能变更"),
            "请先撤销中途结算（2305）",
            "",
        ),

        R::NotInpatient { med_type } => not_inpatient(med_type),

        R::InFuture { field, day, today } => {
            correct("day-in-future", &format!("{field} {day}晚于今日{today}"), "请更正日期后重发", "")
        }
        R::TooEarly { field, day, earliest, because } => correct(
            "day-too-early",
            &format!("{field} {day}早于{}{earliest}", bound(*because)),
            "请更正日期后重发",
            "",
        ),
        R::TooLate { field, day, latest, because } => correct(
            "day-too-late",
            &format!("{field} {day}晚于{}{latest}", bound(*because)),
            "请更正日期后重发",
            "",
        ),

        R::Lines(faults) => lines::faulty(faults),
        R::TooManyLines { given, max, of_stay: false } => correct(
            "too-many-lines",
            &format!("一次上传{given}条明细，超过{max}条"),
            "请分批上传（2301）",
            "",
        ),
        R::TooManyLines { given, max, of_stay: true } => correct(
            "too-many-lines",
            &format!("该次住院明细将达{given}条，超过{max}条"),
            "请联系医保经办机构",
            "",
        ),
        R::NothingToSettle(left) => nothing_to_settle(left),

        R::TotalDiffers { given, lines, count, up_to } => {
            let until = up_to.map(|day| format!("，截至{day}")).unwrap_or_default();
            correct(
                "total-differs",
                &format!("医疗费总额{given}与明细合计{lines}不符"),
                "请核对后重发",
                &format!(
                    "medfee_sumamt须等于{count}条未结算明细之和{until}；请与2301各行应答核对，或以2302（0000）全部撤销后重传"
                ),
            )
        }
        R::NoPolicy(cause) => no_policy(cause),
        R::InsuranceUnknown { insutype, med_type } => correct(
            "insurance-unknown",
            &format!("险种{}、医疗类别{}不能直接结算", cut(insutype, 6), cut(med_type, 6)),
            "请核对insutype与med_type",
            "",
        ),
        R::PersonTypeUnknown { person_type } => correct(
            "person-type-unknown",
            &format!("参保登记的人员类别“{}”无法识别", cut(person_type, 8)),
            "请联系参保地经办机构更正",
            "",
        ),
        R::Unfiled(told) => unfiled(told),
        R::UnfiledRefused => correct(
            "unfiled-refused",
            "未备案，参保地不予直接结算",
            "请先办理异地就医备案再结算",
            &format!("办理：{HOW_TO_FILE}；出院结算前补办有效"),
        ),
        R::EmergencyNotFiled { days } => correct(
            "unfiled-refused",
            &format!("省内急诊须在入院后{days}天内备案，未按时备案，参保地不予直接结算"),
            "请补办临时外出就医备案再结算",
            &format!("办理：{HOW_TO_FILE}；出院结算前补办有效"),
        ),
        R::ThirdParty => correct(
            "third-party",
            "有第三人责任（ttp_resp为1），基金不予支付",
            "请自费结算；有误以2403更正",
            "",
        ),
        R::CommitmentMissing => correct(
            "commitment-missing",
            "外伤住院缺少无第三人责任承诺书",
            "请签承诺书并以2403传ttp_resp为0",
            "ttp_resp为0表示承诺书已留存",
        ),
        R::NotRecognised { day } => correct(
            "injury-not-recognised",
            &format!("{day}尚无有效的工伤认定"),
            "请先自费，认定后申领",
            "认定登记后、结算前可原样重发",
        ),
        R::MaternityKindMissing => {
            correct("maternity-kind-missing", "生育住院未填生育类别matn_type", "请以2403补填后重发", "")
        }
        R::MaternityKindNotRuled { matn_type } => correct(
            "maternity-kind-not-ruled",
            &format!("参保地没有生育类别{}的待遇标准", cut(matn_type, 6)),
            "请核对matn_type后以2403更正",
            "",
        ),
        R::NegativeTotal { field, amount } => correct(
            "negative-total",
            &format!("{field}合计为负（{amount}元）"),
            "请核对退费明细后重发",
            "退费明细与其原明细应在同一次结算内",
        ),
        R::OutOfRange => correct("amount-out-of-range", "金额超出可处理范围", "请核对费用明细后重发", ""),
        R::QuoteAgain { quoted, now } => quote_again(*quoted, *now),
        // What is broken stands in the log: it is no business of the hospital's.
        R::Broken { what: _ } => internal(),

        R::SettlementUnknown { settlement } => correct(
            "settlement-unknown",
            "该次住院没有此结算ID",
            "请核对setl_id后重发",
            &format!("setl_id {settlement}"),
        ),
        R::IsReversal { settlement } => correct(
            "settlement-is-reversal",
            "setl_id是一次撤销结算的编号",
            "请填原结算的setl_id",
            &format!("setl_id {settlement}"),
        ),
        R::AlreadyReversed { settlement } => never(
            "already-reversed",
            "该结算已撤销",
            "无需再次撤销",
            &format!("setl_id {settlement}；可用5203查询"),
        ),
        R::LaterStands { scheme, year, day, region, region_name } => correct(
            "later-settlement-stands",
            &format!("另有费用至{day}的后续结算，不能先撤销本次"),
            "请先撤销后续结算或联系经办中心",
            &format!(
                "后续结算地：{}{region}；{}{year}年度累计须后结先撤",
                cut(region_name, 16),
                scheme_name(*scheme)
            ),
        ),
        R::LaterPartStands { settlement } => correct(
            "later-part-stands",
            "之后的中途结算尚未撤销",
            "请先撤销最后一次中途结算",
            &format!("setl_id {settlement}"),
        ),
        R::NotUndoable { transaction, cancel } => undo::not_undoable(*transaction, *cancel),
        R::UndoOfAnother { transaction, message } => undo::of_another(*transaction, message),
        R::UndoOfOtherTransaction { given, was, message } => {
            undo::of_other_transaction(*given, *was, message)
        }
        R::SettleAgain { settlement, since } => undo::settle_again(settlement, *since),

        R::Filing(cause) => filing::refused(cause),
        R::FilingUnknown { filing } => correct(
            "filing-unknown",
            "没有此转院备案",
            "请核对trt_dcla_detl_sn后重发",
            &format!("trt_dcla_detl_sn {filing}"),
        ),
        R::FilingOfAnother { filing } => never(
            "filing-of-another",
            "此备案不是本机构办理的",
            "请由原办理方或参保地经办机构撤销",
            &format!("trt_dcla_detl_sn {filing}"),
        ),
        R::FilingPlaceUnknown { region } => correct(
            "filing-place-unknown",
            &format!("就医地{region}不是可备案的地区"),
            "请填市、直辖市或省的区划",
            "字段mdtrtarea_admdvs",
        ),
        R::ReferralNotAgreed => correct(
            "referral-not-agreed",
            "医院不同意转院（hosp_agre_refl_flag为0）",
            "同意转院请填1后重发",
            "不同意转院的，不能办理转院备案",
        ),
        R::ReferralPlaceDiffers { hospital, name, region, target } => correct(
            "referral-place-differs",
            &format!("转往医院在{region}，与就医地{target}不符"),
            "请核对mdtrtarea_admdvs后重发",
            &format!("转往医院reflin_medins_no {hospital}{}", cut(name, 30)),
        ),
        R::FilingNotInsured { day } => {
            correct("filing-not-insured", &format!("{day}没有有效参保，不能备案"), "请核对日期或参保状态", "")
        }
    }
}

/// A fault of ours: nothing was done, someone must look.
pub(super) fn internal() -> Refusal {
    never(
        "internal-check-failed",
        "本网关自检未通过，未作任何处理",
        "请联系医保网关运维处理",
        "故障已记录，未记账、未动用基金",
    )
}

fn not_designated(institution: &InstitutionCode, day: Day, cause: NotDesignated) -> Refusal {
    let detail = format!("机构{institution}，日期{day}");
    let call = "请联系医保经办机构";
    match cause {
        NotDesignated::NotYet { from } => {
            correct("designation-not-begun", &format!("本机构定点资格自{from}起"), call, &detail)
        }
        NotDesignated::Expired { to } => {
            correct("designation-ended", &format!("本机构定点资格已于{to}到期"), call, &detail)
        }
        NotDesignated::Suspended { from } => correct(
            "designation-suspended",
            &format!("本机构自{from}起暂停医保服务"),
            "不能新办，请转其他定点机构",
            &detail,
        ),
        NotDesignated::NotOpened { reach } => {
            let service = match reach {
                Reach::OwnPool => "本地",
                Reach::OtherCity => "省内异地",
                Reach::OtherProvince => "跨省异地",
            };
            correct(
                "service-not-opened",
                &format!("本机构未开通{service}住院直接结算"),
                "请先自费，回参保地手工报销",
                &detail,
            )
        }
    }
}

fn not_covered(insutype: &str, day: Day, gap: CoverageGap, others: &[String]) -> Refusal {
    let insurance = cut(insutype, 6);
    let (code, why) = match gap {
        CoverageGap::Never => ("not-insured", format!("没有险种{insurance}的参保登记")),
        CoverageGap::NotYet { from } => ("not-insured-yet", format!("险种{insurance}自{from}起参保")),
        CoverageGap::Ended { to } => ("insurance-ended", format!("险种{insurance}参保至{to}")),
        CoverageGap::Between { ended, from } => {
            ("insurance-interrupted", format!("险种{insurance}自{}至{}中断", ended.next(), from.previous()))
        }
        CoverageGap::Paused { from } => ("insurance-paused", format!("险种{insurance}自{from}暂停")),
        CoverageGap::Terminated { from } => ("insurance-ended", format!("险种{insurance}自{from}终止")),
    };
    if others.is_empty() {
        let detail = format!("{day}没有有效参保；补缴或恢复后可原样重发");
        return correct(code, &why, "请先自费或联系参保地经办机构", &detail);
    }
    correct(code, &why, "请按有效险种重新办理", &format!("{day}有效险种：{}", others.join("、")))
}

fn not_inpatient(med_type: &str) -> Refusal {
    let name = codes::MED_TYPE.name(med_type).unwrap_or_default();
    correct(
        "not-inpatient",
        &format!("med_type {}{}不是住院类别", cut(med_type, 6), cut(name, 8)),
        "请改填21、22、23、24或52后重发",
        "21普通住院、22外伤住院、23转外诊治住院、24急诊转住院、52生育住院；门诊与购药不在本网关结算",
    )
}

fn detail_of_stay(stay: &str, settled: Option<&SettledAs>) -> String {
    match settled {
        None => format!("mdtrt_id {stay}"),
        Some(settled) => format!("结算ID {}，结算报文msgid {}", settled.settlement, settled.message),
    }
}

fn out_of_order(cause: OutOfOrder, detail: &str) -> Refusal {
    match cause {
        OutOfOrder::AdmissionCancelled => {
            correct("admission-cancelled", "该次住院的入院登记已撤销", "请重新办理入院（2401）", detail)
        }
        OutOfOrder::AlreadySettled => {
            correct("already-settled", "该次住院已结算", "如需更改请先撤销结算（2305）", detail)
        }
        OutOfOrder::AlreadyDischarged => {
            correct("already-discharged", "该次住院已办理出院", "如需更改请先撤销出院（2405）", detail)
        }
        OutOfOrder::NotDischarged => {
            correct("not-discharged", "该次住院尚未办理出院", "请先办理出院（2402）", detail)
        }
        OutOfOrder::NotSettled => {
            correct("not-settled", "该次住院没有可撤销的结算", "请核对mdtrt_id与setl_id", detail)
        }
        OutOfOrder::PartsStand => {
            correct("parts-stand", "该次住院有中途结算未撤销", "请先逐次撤销（2305），后结先撤", detail)
        }
        OutOfOrder::FinalStands => {
            correct("final-stands", "该次住院的出院结算未撤销", "请先撤销出院结算（2305）", detail)
        }
    }
}

fn bound(because: Bound) -> &'static str {
    match because {
        Bound::Admission => "入院日",
        Bound::Discharge => "出院日",
        Bound::RegionTable => "区划表首日",
        Bound::LastLine => "末条费用日",
        Bound::FirstLine => "首条费用日",
        Bound::LastPart => "中途结算日",
        Bound::Today => "今日",
        Bound::PeriodBegin => "begntime ",
    }
}

fn nothing_to_settle(left: &NothingLeft) -> Refusal {
    const CODE: &str = "nothing-to-settle";
    match left {
        NothingLeft::NoLines { discharged } => {
            let ways = if *discharged {
                "先撤销出院（2405），再撤销入院（2404）"
            } else {
                "撤销入院（2404）"
            };
            let detail = format!("未发生费用即离院的，{ways}");
            correct(CODE, "没有可结算的费用明细", "请先上传明细（2301）；无费用请撤销入院", &detail)
        }
        NothingLeft::AllSettled { settlement, up_to } => correct(
            CODE,
            &format!("费用明细均已中途结算（至{up_to}）"),
            "请先上传新的费用明细（2301）",
            &format!("没有新费用的，无需再中途结算，出院后办理出院结算；setl_id {settlement}"),
        ),
        NothingLeft::OnlyLater { up_to, first } => correct(
            CODE,
            &format!("至{up_to}没有未结算的费用明细"),
            "请核对dscg_time后重发",
            &format!("未结算的首条费用在{first}"),
        ),
    }
}

fn no_policy(cause: &NoPolicy) -> Refusal {
    match cause {
        NoPolicy::UnknownInsurance { region, insurance, care } => correct(
            "insurance-not-ruled",
            &format!("参保地{region}不受理险种{insurance}、类别{care}"),
            "请核对insutype与med_type",
            "",
        ),
        NoPolicy::SchemeNotRuled { region, scheme } => never(
            "scheme-not-ruled",
            &format!("参保地{region}未开通{}直接结算", scheme_name(*scheme)),
            "请先自费，回参保地手工报销",
            "",
        ),
        NoPolicy::NotYetInForce { region, scheme, day, first, block: _ } => never(
            "policy-not-in-force",
            &format!("参保地{region}的待遇政策自{first}起"),
            "请先自费，回参保地手工报销",
            &format!("{}，结算所依日期{day}", scheme_name(*scheme)),
        ),
    }
}

/// The first quote of an unfiled stay. Both figures must be seen at the desk, so they are the cause.
fn unfiled(told: &UnfiledTold) -> Refusal {
    let filed = told.cash_filed;
    let now = match told.cash_unfiled {
        Some(cash) => format!("未备案现自付{cash}元，今日备案后{filed}元"),
        None => format!("未备案不能直接结算，今日备案后自付{filed}元"),
    };
    let again = match told.cash_unfiled {
        Some(_) => "不备案请再次预结算",
        None => "备案后请再次预结算",
    };
    let detail =
        format!("{again}。备案：{HOW_TO_FILE}；就医地{}，其他临时外出就医，出院结算前补办有效", told.place);
    correct("unfiled", &now, "请先备案再预结算", &detail)
}

fn quote_again(quoted: Option<Fen>, now: Fen) -> Refusal {
    let cause = match quoted {
        Some(quoted) => format!("现金自付{now}元，预结算时为{quoted}元"),
        None => format!("尚未预结算，现金自付{now}元"),
    };
    correct("quote-again", &cause, "请重新预结算（2303）", "确认后再结算（2304）")
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Employee => "职工医保",
        Scheme::Resident => "居民医保",
        Scheme::Maternity => "生育保险",
        Scheme::WorkInjury => "工伤保险",
    }
}

fn credential(kind: &str) -> &str {
    codes::MDTRT_CERT_TYPE.name(kind).unwrap_or("就诊凭证")
}

/// What else may be wrong with a credential that leads to nobody. Only a token runs out.
fn credential_advice(kind: &str) -> &'static str {
    match kind {
        "01" => "电子凭证令牌可能已失效，请重新扫码",
        "02" => "请核对证件号码，或确认其在参保地已有登记",
        _ => "",
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join("、")
}
