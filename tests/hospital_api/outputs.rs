//! What answers hold: every field that the interface names, under its name and in its form, in the node where clients
//! look for it.

use std::collections::BTreeMap;

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::filing::FilingCategory::LongTermWorker;
use banyan::sandbox::play;
use banyan::sandbox::story::KNEE;
use serde_json::Value;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

/// (`infno`, node of the output, names): an empty node is the output itself.
const NODES: [(&str, &str, &str); 22] = [
    ("9001", "signinoutb", "sign_time sign_no"),
    ("9002", "signoutoutb", "sign_time"),
    ("1101", "baseinfo", "psn_no psn_cert_type certno psn_name gend naty brdy age exp_content"),
    (
        "1101",
        "insuinfo",
        "balc insutype psn_type psn_insu_stas psn_insu_date paus_insu_date cvlserv_flag insuplc_admdvs \
         emp_name",
    ),
    ("1201", "medinsinfo", "fixmedins_code fixmedins_name uscc fixmedins_type hosp_lv"),
    ("2001", "trtinfo", "psn_no trt_chk_type fund_pay_type trt_enjymnt_flag begndate enddate trt_chk_rslt"),
    ("2401", "result", "mdtrt_id"),
    (
        "2301",
        "result",
        "feedetl_sn det_item_fee_sumamt cnt pric pric_uplmt_amt selfpay_prop fulamt_ownpay_amt overlmt_amt \
         preselfpay_amt inscp_scp_amt chrgitm_lv med_chrgitm_type bas_medn_flag hi_nego_drug_flag \
         chld_medc_flag list_sp_item_flag lmt_used_flag drt_reim_flag memo",
    ),
    (
        "2303",
        "setlinfo",
        "mdtrt_id psn_no psn_name psn_cert_type certno gend naty brdy age insutype psn_type cvlserv_flag \
         setl_time mdtrt_cert_type med_type medfee_sumamt fulamt_ownpay_amt overlmt_selfpay preselfpay_amt \
         inscp_scp_amt act_pay_dedc hifp_pay pool_prop_selfpay cvlserv_pay hifes_pay hifmi_pay hifob_pay \
         maf_pay oth_pay fund_pay_sumamt psn_part_amt acct_pay psn_cash_pay hosp_part_amt balc \
         acct_mulaid_pay medins_setl_id clr_optins clr_way clr_type",
    ),
    (
        "2303",
        "setldetail",
        "fund_pay_type inscp_scp_amt crt_payb_lmt_amt fund_payamt fund_pay_type_name setl_proc_info",
    ),
    (
        "2304",
        "setlinfo",
        "mdtrt_id setl_id psn_no psn_name psn_cert_type certno gend naty brdy age insutype psn_type \
         cvlserv_flag setl_time mdtrt_cert_type med_type medfee_sumamt fulamt_ownpay_amt overlmt_selfpay \
         preselfpay_amt inscp_scp_amt act_pay_dedc hifp_pay pool_prop_selfpay cvlserv_pay hifes_pay hifmi_pay \
         hifob_pay maf_pay hosp_part_amt oth_pay fund_pay_sumamt psn_part_amt acct_pay psn_cash_pay balc \
         acct_mulaid_pay medins_setl_id clr_optins clr_way clr_type",
    ),
    (
        "2305",
        "setlinfo",
        "mdtrt_id setl_id clr_optins setl_time medfee_sumamt fulamt_ownpay_amt overlmt_selfpay preselfpay_amt \
         inscp_scp_amt act_pay_dedc hifp_pay pool_prop_selfpay cvlserv_pay hifes_pay hifmi_pay hifob_pay \
         maf_pay oth_pay fund_pay_sumamt psn_part_amt acct_pay psn_cash_pay hosp_part_amt balc \
         acct_mulaid_pay medins_setl_id hifdm_pay",
    ),
    (
        "5201",
        "mdtrtinfo",
        "mdtrt_id psn_no psn_cert_type certno psn_name gend naty brdy age coner_name tel insutype psn_type \
         maf_psn_flag cvlserv_flag flxempe_flag nwb_flag insu_optins emp_name begntime endtime \
         mdtrt_cert_type med_type ars_year_ipt_flag pre_pay_flag ipt_otp_no medrcdno atddr_no chfpdr_name \
         adm_dept_codg adm_dept_name adm_bed dscg_maindiag_code dscg_maindiag_name dscg_dept_codg \
         dscg_dept_name dscg_bed dscg_way main_cond_dscr dise_codg dise_name oprn_oprt_code oprn_oprt_name \
         otp_diag_info inhosp_stas die_date ipt_days fpsc_no matn_type birctrl_type latechb_flag geso_val \
         fetts fetus_cnt pret_flag birctrl_matn_date cop_flag opter_id opter_name opt_time memo",
    ),
    (
        "5202",
        "diseinfo",
        "diag_info_id mdtrt_id psn_no inout_diag_type diag_type maindiag_flag diag_srt_no diag_code diag_name \
         adm_cond diag_dept dise_dor_no dise_dor_name diag_time opter_id opter_name opt_time",
    ),
    (
        "5203",
        "setlinfo",
        "setl_id mdtrt_id psn_no psn_name psn_cert_type certno gend naty brdy age insutype psn_type \
         cvlserv_flag flxempe_flag nwb_flag insu_optins emp_name pay_loc fixmedins_code fixmedins_name \
         hosp_lv fixmedins_poolarea lmtpric_hosp_lv dedc_hosp_lv begndate enddate setl_time mdtrt_cert_type \
         med_type clr_type clr_way clr_optins balc acct_mulaid_pay medins_setl_id refd_setl_flag year \
         dise_codg dise_name invono opter_id opter_name opt_time psn_pay cash_payamt",
    ),
    (
        "5204",
        "",
        "mdtrt_id setl_id feedetl_sn rx_drord_no med_type fee_ocur_time cnt pric sin_dos_dscr used_frqu_dscr \
         prd_days medc_way_dscr det_item_fee_sumamt pric_uplmt_amt selfpay_prop fulamt_ownpay_amt overlmt_amt \
         preselfpay_amt inscp_scp_amt chrgitm_lv hilist_code hilist_name list_type med_list_codg \
         medins_list_codg medins_list_name med_chrgitm_type prodname spec dosform_name bilg_dept_codg \
         bilg_dept_name bilg_dr_codg bilg_dr_name acord_dept_codg acord_dept_name orders_dr_code \
         orders_dr_name lmt_used_flag hosp_prep_flag hosp_appr_flag tcmdrug_used_way prodplac_type \
         bas_medn_flag hi_nego_drug_flag chld_medc_flag etip_flag etip_hosp_code dscg_tkdrug_flag \
         list_sp_item_flag matn_fee_flag drt_reim_flag memo opter_id opter_name opt_time",
    ),
    ("5206", "cuminfo", "insutype year cum_ym cum_type_code cum"),
    (
        "5303",
        "data",
        "mdtrt_id psn_no psn_cert_type certno psn_name gend brdy age insutype begndate med_type ipt_otp_no \
         out_flag",
    ),
    (
        "1312",
        "data",
        "hilist_code hilist_name insu_admdvs begndate enddate med_chrgitm_type chrgitm_lv lmt_used_flag \
         list_type med_use_flag matn_used_flag hilist_use_type lmt_cpnd_type wubi pinyin memo vali_flag rid \
         updt_time crter_id crter_name crte_time crte_optins_no opter_id opter_name opt_time optins_no \
         poolarea_no",
    ),
    (
        "1316",
        "data",
        "begndate list_type insu_admdvs med_list_codg opt_time vali_flag hilist_code memo rid updt_time \
         enddate crter_id crter_name crte_time crte_optins_no opter_id opter_name optins_no poolarea_no",
    ),
    (
        "1318",
        "data",
        "hilist_code hilist_lmtpric_type overlmt_dspo_way insu_admdvs begndate enddate hilist_pric_uplmt_amt \
         vali_flag rid updt_time crter_id crter_name crte_time crte_optins_no opter_id opter_name opt_time \
         optins_no tabname poolarea_no",
    ),
    (
        "1319",
        "data",
        "hilist_code selfpay_prop_psn_type selfpay_prop_type insu_admdvs begndate enddate selfpay_prop \
         vali_flag rid updt_time crter_id crter_name crte_time crte_optins_no opter_id opter_name opt_time \
         optins_no tabname poolarea_no",
    ),
];

/// Each transaction in the course of a stay, asked in the order in which it has something to say.
async fn answers(visit: &mut Visit<'_>) -> BTreeMap<&'static str, Answer> {
    let mut all = BTreeMap::new();
    let sign_in = json!({"signIn": {"opter_no": "1", "mac": "00-00", "ip": "127.0.0.1"}});
    let signed = visit.call("9001", sign_in).await.done();
    let sign_no = &signed.output()["signinoutb"]["sign_no"];
    let sign_out = json!({"signOut": {"opter_no": "1", "sign_no": sign_no}});
    all.insert("9002", visit.call("9002", sign_out).await);
    all.insert("9001", signed);
    all.insert("1101", visit.identify().await);
    all.insert("1201", visit.call("1201", json!({"medinsinfo": {"fixmedins_type": "1"}})).await);
    all.insert("2001", visit.entitle().await);
    all.insert("2401", visit.admit().await);
    all.insert("2301", visit.upload().await);
    let psn_no = visit.stay.psn_no.clone();
    let days = json!({"psn_no": psn_no, "begntime": "2026-11-01", "endtime": "2026-11-24", "med_type": "21"});
    let days = json!({ "data": days });
    all.insert("5303", visit.call("5303", days.clone()).await);
    visit.call("2402", play::discharge(&visit.stay, &visit.mdtrt_id)).await.done();
    all.insert("2303", visit.quote().await);
    let settled = visit.settle().await.done();
    let named = json!({"data": {
        "psn_no": psn_no,
        "mdtrt_id": visit.mdtrt_id,
        "setl_id": settled.setl_id(),
        "cum_ym": "202611",
        "biz_appy_type": "03",
    }});
    for infno in ["5202", "5203", "5204", "5206", "5302"] {
        all.insert(infno, visit.call(infno, named.clone()).await);
    }
    for infno in ["5201", "5205", "5301", "5304"] {
        all.insert(infno, visit.call(infno, days.clone()).await);
    }
    let page = json!({"data": {"updt_time": "2020-01-01", "page_num": 1, "page_size": 5}});
    for infno in ["1312", "1316", "1317", "1318", "1319"] {
        all.insert(infno, visit.call(infno, page.clone()).await);
    }
    all.insert("2305", visit.reverse(&settled.setl_id()).await);
    all.insert("2304", settled);
    all
}

/// The one row of a node, or the first of several.
fn row<'a>(output: &'a Value, node: &str) -> &'a Value {
    let found = if node.is_empty() { output } else { &output[node] };
    found.get(0).unwrap_or(found)
}

#[tokio::test]
async fn answers_hold_every_field_of_the_interface_in_its_form() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.filed(LongTermWorker, 430_100).with_balance(286_050)).await;
    let mut visit = world.visit(&insured, 430_100, Three, &KNEE);
    let answers = answers(&mut visit).await;
    for (infno, answer) in &answers {
        assert!(answer.ok(), "{infno}: {}", answer.err_msg());
        keeps_the_forms(infno, answer);
    }
    for (infno, node, names) in NODES {
        let output = row(answers[infno].output(), node);
        for name in names.split_whitespace() {
            assert!(output.get(name).is_some(), "{infno} {node} lacks {name}: {output}");
        }
    }
    let list = |infno: &str, node: &str| answers[infno].output()[node].is_array();
    for (infno, node) in [("1101", "insuinfo"), ("1101", "idetinfo"), ("2001", "trtinfo"), ("2301", "result")]
    {
        assert!(list(infno, node), "{infno} {node}");
    }
    assert!(answers["5204"].output().is_array(), "a list straight under output");
}

/// Amounts are numbers with two decimals; times and days are texts of their length; flags and codes are texts.
fn keeps_the_forms(infno: &str, answer: &Answer) {
    let text = std::str::from_utf8(&answer.bytes).unwrap();
    for (at, _) in text.match_indices("\":") {
        let name = text[..at].rsplit('"').next().unwrap();
        let rest = &text[at + 2..];
        let value = &rest[..rest.find([',', '}', ']']).unwrap_or(rest.len())];
        let is_amount =
            name.ends_with("_amt") || name.ends_with("_pay") || name.ends_with("sumamt") || name == "balc";
        let wanted_decimals = match name {
            "pric_uplmt_amt" | "hilist_pric_uplmt_amt" => 6,
            _ => 2,
        };
        if is_amount && value != "null" {
            let decimals = value.split_once('.').map_or(0, |(_, behind)| behind.len());
            assert_eq!(decimals, wanted_decimals, "{infno} {name}: {value}");
        }
        if name.ends_with("_flag") && value != "null" {
            assert!(matches!(value, "\"0\"" | "\"1\""), "{infno} {name}: {value}");
        }
        let length = match name {
            "begndate" | "enddate" | "brdy" => 10,
            "setl_time" | "sign_time" | "begntime" | "endtime" | "fee_ocur_time" | "opt_time" => 19,
            _ => continue,
        };
        assert!(value == "null" || value.len() == length + 2, "{infno} {name}: {value}");
    }
}

#[tokio::test]
async fn totals_of_a_month_are_those_at_its_end() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.filed(LongTermWorker, 430_100)).await;
    let mut visit = world.visit(&insured, 430_100, Three, &KNEE);
    let setl_id = visit.through().await.setl_id();
    let ask = |cum_ym: &str| json!({"data": {"psn_no": visit.stay.psn_no, "cum_ym": cum_ym}});
    let total = |answer: &Answer, code: &str| {
        let rows = answer.output()["cuminfo"].as_array().unwrap().clone();
        rows.iter().find(|row| row["cum_type_code"] == code).map(|row| row["cum"].as_f64().unwrap())
    };
    // Reversed in the month after: at the end of November it stood.
    world.clock.set(crate::support::people::day(20_261_210), 10);
    visit.reverse(&setl_id).await.done();
    for (month, admissions) in [("202610", None), ("202611", Some(1.0)), ("202612", Some(0.0))] {
        let answer = visit.call("5206", ask(month)).await.done();
        assert_eq!(total(&answer, "C0000"), admissions, "{month}");
        let asked = answer.output()["cuminfo"].as_array().unwrap().iter();
        assert!(asked.into_iter().all(|row| row["cum_ym"] == json!(month)), "{month}");
    }
    assert_eq!(visit.call("5206", ask("202511")).await.done().output()["cuminfo"], json!([]));
    for wrong in ["2026", "2026-11", "202613", "20261101", "2026-11-01 00:00:00"] {
        let refused = visit.call("5206", ask(wrong)).await.refused("malformed-field");
        assert!(refused.err_msg().contains("累计年月cum_ym须为年月yyyyMM"), "{}", refused.err_msg());
    }
}
