//! 2301, 2302: fee lines go up and are withdrawn.

use crate::protocol::hospital::field::node;

node! {
    /// 2301 住院费用明细上传.
    FeeLine, FEE_LINE = "feedetail" "费用明细" {
        feedetl_sn "费用明细流水号" required Key text(30);
        init_feedetl_sn "原费用流水号" optional Key text(30);
        mdtrt_id "就诊ID" required Key text(30);
        drord_no "医嘱号" optional Plain text(30);
        psn_no "人员编号" required Identity text(30);
        med_type "医疗类别" required Money code(MED_TYPE);
        fee_ocur_time "费用发生时间" required Date moment;
        med_list_codg "医疗目录编码" required Key text(50);
        medins_list_codg "医药机构目录编码" required Key text(150);
        det_item_fee_sumamt "明细项目费用总额" required Money money;
        cnt "数量" required Money exact(16, 4);
        pric "单价" required Money exact(16, 6);
        bilg_dept_codg "开单科室编码" required Plain text(30);
        bilg_dept_name "开单科室名称" required Plain text(100);
        bilg_dr_codg "开单医生编码" required Plain text(30);
        bilg_dr_name "开单医师姓名" required Plain text(50);
        acord_dept_codg "受单科室编码" optional Plain text(30);
        acord_dept_name "受单科室名称" optional Plain text(100);
        orders_dr_code "受单医生编码" optional Plain text(30);
        orders_dr_name "受单医生姓名" optional Plain text(50);
        hosp_appr_flag "医院审批标志" optional Money code(HOSP_APPR_FLAG);
        tcmdrug_used_way "中药使用方式" optional Plain text(6);
        etip_flag "外检标志" optional Plain flag;
        etip_hosp_code "外检医院编码" optional Plain text(30);
        dscg_tkdrug_flag "出院带药标志" optional Plain flag;
        matn_fee_flag "生育费用标志" optional Plain flag;
        memo "备注" optional Plain text(500);
        exp_content "扩展字段" optional Plain json(4000);
        er_flag "急诊标志" optional Money code(ER_FLAG);
    }
}

node! {
    /// 2302 住院费用明细撤销; `feedetl_sn` 0000 withdraws all lines that are not settled.
    LineWithdrawal, LINE_WITHDRAWAL = "data" "费用明细撤销" {
        feedetl_sn "费用明细流水号" required Key text(30);
        mdtrt_id "就诊ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        exp_content "扩展字段" optional Plain json(4000);
    }
}
