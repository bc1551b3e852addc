//! 2303, 2304, 2305 and 2601: quote, settle, cancel, undo a call of unknown outcome.

use crate::protocol::hospital::field::node;

node! {
    /// 2303 住院预结算 and 2304 住院结算 with their A variants. The four split totals are the hospital's own sums:
    /// compared, never used, and all zero means not supplied, so they may be missing.
    Bill, BILL = "data" "结算信息" {
        psn_no "人员编号" required Identity text(30);
        mdtrt_cert_type "就诊凭证类型" required Identity code(MDTRT_CERT_TYPE);
        mdtrt_cert_no "就诊凭证编号" required Identity text(4000);
        medfee_sumamt "医疗费总额" required Money money;
        psn_setlway "个人结算方式" required Plain code(PSN_SETLWAY);
        mdtrt_id "就诊ID" required Key text(30);
        insutype "险种类型" required Money code(INSUTYPE);
        acct_used_flag "个人账户使用标志" optional Money flag;
        invono "发票号" optional Plain text(20);
        mid_setl_flag "中途结算标志" required Money flag;
        fulamt_ownpay_amt "全自费金额" optional Money money;
        overlmt_selfpay "超限价金额" optional Money money;
        preselfpay_amt "先行自付金额" optional Money money;
        inscp_scp_amt "符合政策范围金额" optional Money money;
        dscg_time "出院时间" optional Date day;
        exp_content "扩展字段" optional Plain json(4000);
        // Beyond the standard's table.
        med_type "医疗类别" optional Money code(MED_TYPE);
        card_sn "卡识别码" optional Identity text(200);
        psn_cert_type "人员证件类型" optional Identity code(PSN_CERT_TYPE) also "cert_type";
        certno "证件号码" optional Identity text(50);
        psn_name "人员姓名" optional Identity text(50);
        psn_type "人员类别" optional Plain code(PSN_TYPE);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}

node! {
    /// 2305 住院结算撤销.
    SettlementCancel, SETTLEMENT_CANCEL = "data" "结算撤销信息" {
        mdtrt_id "就诊ID" required Key text(30);
        setl_id "结算ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        exp_content "扩展字段" optional Plain json(4000);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}

node! {
    /// 2601 冲正交易. Clients send five characters (2304A) where the standard's table has four.
    Undo, UNDO = "data" "冲正信息" {
        psn_no "人员编号" required Identity text(30);
        omsgid "原发送方报文ID" required Key text(30);
        oinfno "原交易编号" required Key text(6);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}
