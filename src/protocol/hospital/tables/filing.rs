//! 2501, 2501A, 2502: a referral is filed and withdrawn.

use crate::protocol::hospital::field::node;

node! {
    /// 2501 转院备案, and 2501A with the stay before the transfer.
    Referral, REFERRAL = "refmedin" "转院信息" {
        psn_no "人员编号" required Identity text(30);
        insutype "险种类型" optional Money code(INSUTYPE);
        tel "联系电话" optional Plain text(50);
        addr "联系地址" optional Plain text(200);
        insu_optins "参保机构医保区划" optional Key region;
        diag_code "诊断代码" required Plain text(20);
        diag_name "诊断名称" required Plain text(100);
        dise_cond_dscr "疾病病情描述" optional Plain text(2000);
        reflin_medins_no "转往定点医药机构编号" required Key text(30);
        reflin_medins_name "转往医院名称" required Plain text(200);
        mdtrtarea_admdvs "就医地行政区划" required Key region also "mdtrtarea_admvs";
        hosp_agre_refl_flag "医院同意转院标志" optional Money flag;
        refl_type "转院类型" required Money code(REFL_TYPE);
        refl_date "转院日期" required Date day;
        refl_rea "转院原因" required Plain text(100);
        refl_opnn "转院意见" required Plain text(200);
        begndate "开始日期" optional Date day;
        enddate "结束日期" optional Date day;
        refl_used_flag "转诊使用标志" optional Plain flag;
        refl_old_mdtrt_id "转院前就诊ID" optional Key text(30);
    }
}

node! {
    /// 2502 转院备案撤销.
    ReferralWithdrawal, REFERRAL_WITHDRAWAL = "data" "转院备案撤销" {
        trt_dcla_detl_sn "待遇申报明细流水号" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        memo "备注" optional Plain text(500);
    }
}
