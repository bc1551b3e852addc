//! 5201–5206 and 5301–5304: a hospital looks things up.

use crate::protocol::hospital::field::node;

node! {
    /// 5201 就诊信息查询.
    Visits, VISITS = "data" "就诊信息查询" {
        psn_no "人员编号" required Identity text(30);
        begntime "开始时间" required Date moment;
        endtime "结束时间" required Date moment;
        med_type "医疗类别" required Money code(MED_TYPE);
        mdtrt_id "就诊ID" optional Key text(30);
    }
}

node! {
    /// 5202 诊断信息查询.
    Diagnoses, DIAGNOSES = "data" "诊断信息查询" {
        mdtrt_id "就诊ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
    }
}

node! {
    /// 5203 结算信息查询 and 5204 费用明细查询.
    Settlement, SETTLEMENT = "data" "结算查询" {
        psn_no "人员编号" required Identity text(30);
        setl_id "结算ID" required Key text(30);
        mdtrt_id "就诊ID" required Key text(30);
    }
}

node! {
    /// 5205 人员慢特病用药记录查询.
    ChronicDrugs, CHRONIC_DRUGS = "data" "慢特病用药记录查询" {
        psn_no "人员编号" required Identity text(30);
        begntime "开始时间" required Date moment;
        endtime "结束时间" optional Date moment;
    }
}

node! {
    /// 5206 人员累计信息查询. `cum_ym` has six digits: what is longer is told its form.
    Totals, TOTALS = "data" "人员累计信息查询" {
        psn_no "人员编号" required Identity text(30);
        cum_ym "累计年月" optional Date text(30);
    }
}

node! {
    /// 5301 人员慢特病备案查询.
    ChronicFilings, CHRONIC_FILINGS = "data" "慢特病备案查询" {
        psn_no "人员编号" required Identity text(30);
    }
}

node! {
    /// 5302 人员定点备案查询.
    ChosenInstitutions, CHOSEN_INSTITUTIONS = "data" "人员定点备案查询" {
        psn_no "人员编号" required Identity text(30);
        biz_appy_type "业务申请类型" optional Plain code(BIZ_APPY_TYPE);
    }
}

node! {
    /// 5303 在院信息查询 and 5304 转院信息查询.
    Period, PERIOD = "data" "在院与转院信息查询" {
        psn_no "人员编号" required Identity text(30);
        begntime "开始时间" required Date moment;
        endtime "结束时间" optional Date moment;
    }
}
