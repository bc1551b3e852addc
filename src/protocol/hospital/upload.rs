//! 2301: fee lines go up and come back split.

use rust_decimal::Decimal;

use crate::domain::catalogue::ChargeLevel;
use crate::domain::ids::LineNo;
use crate::domain::record::Line;
use crate::domain::record::RowDigest;
use crate::domain::refusal::LineFault;
use crate::domain::split::FullOwnPay;
use crate::domain::upload::LineOrder;
use crate::protocol::answer;
use crate::protocol::hospital::kept;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::row::Row;
use crate::protocol::hospital::tables::lines::FEE_LINE;
use crate::protocol::hospital::tables::lines::FeeLine;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::stay_ref;
use crate::protocol::hospital::writer::Object;
use crate::service::upload::Upload;
use crate::telemetry::metrics::Outcome;

/// Fields with a place of their own in a line.
const TYPED: [&str; 8] = [
    "feedetl_sn",
    "init_feedetl_sn",
    "fee_ocur_time",
    "med_list_codg",
    "medins_list_codg",
    "det_item_fee_sumamt",
    "cnt",
    "pric",
];
/// The code of `hosp_appr_flag` that approves a restricted item.
const APPROVED: &str = "1";

pub(super) async fn upload(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let uploaded = turn.service.upload(&turn.call(), order(turn.message)?).await?;
    let lines = |output: &mut Object<'_>| _ = output.list("result", &uploaded.lines, write_line);
    turn.answer_deed(&uploaded.record, uploaded.replayed, lines)
}

fn order(message: &Message<'_>) -> Result<Upload, NotDone> {
    let first = message.maybe::<FeeLine>().ok_or_else(|| broken("2301 without lines"))?;
    Ok(Upload {
        stay: stay_ref(first.get(&FEE_LINE.mdtrt_id), first.get(&FEE_LINE.psn_no))?,
        lines: message
            .list::<FeeLine>()
            .zip(message.digests::<FeeLine>())
            .map(|(row, digest)| line(&row, *digest))
            .collect::<Result<_, _>>()?,
    })
}

fn line(row: &Row<'_, '_, FeeLine>, content: RowDigest) -> Result<LineOrder, NotDone> {
    let original = row.get(&FEE_LINE.init_feedetl_sn);
    let original = original.map(|no| identifier("init_feedetl_sn", "原费用流水号", no, LineNo::parse));
    Ok(LineOrder {
        no: identifier("feedetl_sn", "费用明细流水号", row.get(&FEE_LINE.feedetl_sn), LineNo::parse)?,
        refunds: original.transpose()?,
        at: row.get(&FEE_LINE.fee_ocur_time),
        code: row.get(&FEE_LINE.med_list_codg).into(),
        own_code: row.get(&FEE_LINE.medins_list_codg).into(),
        price: row.get(&FEE_LINE.pric),
        count: row.get(&FEE_LINE.cnt),
        approved: row.get(&FEE_LINE.hosp_appr_flag) == Some(APPROVED),
        amount: row.get(&FEE_LINE.det_item_fee_sumamt),
        content,
        raw: kept::kept(row, |wire| !TYPED.contains(&wire)).into(),
    })
}

/// One row of `result`, also of 5204.
fn write_line(row: &mut Object<'_>, line: &Line) {
    row.shown("feedetl_sn", &line.no).fen("det_item_fee_sumamt", line.amount);
    row.decimal("cnt", line.count, 4).decimal("pric", line.price, 6);
    write_split(row, line);
    write_item(row, line);
    row.null("drt_reim_flag").maybe_text("memo", line.cut.full_own_pay.map(why_all_hers));
}

/// From `pric_uplmt_amt` to `inscp_scp_amt`.
pub(super) fn write_split(row: &mut Object<'_>, line: &Line) {
    let (parts, cut) = (&line.split.parts, &line.cut);
    row.maybe_decimal("pric_uplmt_amt", cut.price_limit, 6).decimal("selfpay_prop", share(line), 4);
    row.fen("fulamt_ownpay_amt", parts.full_own_pay).fen("overlmt_amt", parts.over_limit);
    row.fen("preselfpay_amt", parts.first_pay).fen("inscp_scp_amt", parts.in_scope);
}

/// What of a line is hers before anything else, as a share.
fn share(line: &Line) -> Decimal {
    if line.cut.full_own_pay.is_some() { Decimal::ONE } else { line.cut.self_pay.0 }
}

/// From `chrgitm_lv` to `lmt_used_flag`.
fn write_item(row: &mut Object<'_>, line: &Line) {
    let item = &line.item;
    row.text("chrgitm_lv", charge_level(item.charge_level));
    row.text("med_chrgitm_type", &format!("{:02}", item.charge_category));
    row.flag("bas_medn_flag", item.basic_drug).flag("hi_nego_drug_flag", item.negotiated);
    row.flag("chld_medc_flag", item.child).flag("list_sp_item_flag", item.special);
    row.flag("lmt_used_flag", item.restricted);
}

/// 收费项目等级 as the wire has it.
pub(super) fn charge_level(level: ChargeLevel) -> &'static str {
    match level {
        ChargeLevel::A => "01",
        ChargeLevel::B => "02",
        ChargeLevel::C => "03",
    }
}

pub(super) fn why_all_hers(cause: FullOwnPay) -> &'static str {
    match cause {
        FullOwnPay::ClassC => "丙类（自费）项目，全额自费",
        FullOwnPay::RestrictedWithoutApproval => "限制使用项目，医院未审批（hosp_appr_flag不为1），全额自费",
        FullOwnPay::NotInInjuryCatalogue => "不在工伤目录内，全额自费",
    }
}

/// `result` of a refused call: the lines at fault, each with its fault in `memo`. Nothing was split.
pub(super) fn write_faults(output: &mut Object<'_>, message: &Message<'_>, faults: &[LineFault]) {
    let sent = |fault: &LineFault| {
        message.list::<FeeLine>().find(|row| row.get(&FEE_LINE.feedetl_sn) == fault.no.as_str())
    };
    output.list("result", faults, |row, fault| {
        let line = sent(fault);
        row.shown("feedetl_sn", &fault.no);
        row.maybe_fen("det_item_fee_sumamt", line.map(|line| line.get(&FEE_LINE.det_item_fee_sumamt)));
        row.maybe_decimal("cnt", line.map(|line| line.get(&FEE_LINE.cnt)), 4);
        row.maybe_decimal("pric", line.map(|line| line.get(&FEE_LINE.pric)), 6);
        row.nulls(&NOT_SPLIT).text("memo", &answer::line(&fault.cause));
    });
}

/// The fields of `result` that only a split line has.
const NOT_SPLIT: [&str; 14] = [
    "pric_uplmt_amt",
    "selfpay_prop",
    "fulamt_ownpay_amt",
    "overlmt_amt",
    "preselfpay_amt",
    "inscp_scp_amt",
    "chrgitm_lv",
    "med_chrgitm_type",
    "bas_medn_flag",
    "hi_nego_drug_flag",
    "chld_medc_flag",
    "list_sp_item_flag",
    "lmt_used_flag",
    "drt_reim_flag",
];
