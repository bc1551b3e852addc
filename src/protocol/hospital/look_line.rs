//! How 5204 tells a fee line.

use crate::domain::ids::StayId;
use crate::domain::lines::Standing;
use crate::protocol::hospital::kept::Kept;
use crate::protocol::hospital::upload;
use crate::protocol::hospital::writer::Object;

pub(super) fn write(row: &mut Object<'_>, stay: &StayId, standing: &Standing) {
    let (line, kept) = (&standing.line, Kept::read(&standing.line.raw));
    row.shown("mdtrt_id", stay);
    row.maybe_text("setl_id", standing.settled_by.as_ref().map(|id| id.as_str()));
    row.shown("feedetl_sn", &line.no)
        .maybe_text("init_feedetl_sn", line.refunds.as_ref().map(|no| no.as_str()));
    row.maybe_text("rx_drord_no", kept.text("drord_no"));
    kept.texts(row, &["med_type"]);
    row.moment("fee_ocur_time", line.at).decimal("cnt", line.count, 4).decimal("pric", line.price, 6);
    row.nulls(&["sin_dos_dscr", "used_frqu_dscr", "prd_days", "medc_way_dscr"]);
    row.fen("det_item_fee_sumamt", line.amount);
    upload::write_split(row, line);
    row.text("chrgitm_lv", upload::charge_level(line.item.charge_level));
    row.text("hilist_code", &line.code).null("hilist_name").shown("list_type", line.item.list_type);
    row.text("med_list_codg", &line.code).text("medins_list_codg", &line.own_code).null("medins_list_name");
    row.text("med_chrgitm_type", &format!("{:02}", line.item.charge_category));
    row.nulls(&["prodname", "spec", "dosform_name"]);
    kept.texts(row, &["bilg_dept_codg", "bilg_dept_name", "bilg_dr_codg", "bilg_dr_name"]);
    kept.texts(row, &["acord_dept_codg", "acord_dept_name", "orders_dr_code", "orders_dr_name"]);
    row.flag("lmt_used_flag", line.item.restricted).null("hosp_prep_flag");
    kept.texts(row, &["hosp_appr_flag", "tcmdrug_used_way"]);
    row.null("prodplac_type").flag("bas_medn_flag", line.item.basic_drug);
    row.flag("hi_nego_drug_flag", line.item.negotiated).flag("chld_medc_flag", line.item.child);
    kept.texts(row, &["etip_flag", "etip_hosp_code", "dscg_tkdrug_flag"]);
    row.flag("list_sp_item_flag", line.item.special);
    kept.texts(row, &["matn_fee_flag"]);
    row.null("drt_reim_flag").maybe_text("memo", line.cut.full_own_pay.map(upload::why_all_hers));
    row.nulls(&["opter_id", "opter_name", "opt_time"]);
}
