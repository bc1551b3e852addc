//! 1101, 1201, 2001: who she is, where she is, what she is entitled to.

use crate::protocol::hospital::field::node;

node! {
    /// 1101 人员基本信息获取.
    Identification, IDENTIFICATION = "data" "人员基本信息获取" {
        mdtrt_cert_type "就诊凭证类型" required Identity code(MDTRT_CERT_TYPE);
        // Encrypted card data after a bar sign makes it far longer than the 50 of the standard.
        mdtrt_cert_no "就诊凭证编号" required Identity text(4000);
        card_sn "卡识别码" optional Identity text(200);
        begntime "开始时间" optional Date moment;
        psn_cert_type "人员证件类型" optional Identity code(PSN_CERT_TYPE);
        certno "证件号码" optional Identity text(50);
        psn_name "人员姓名" optional Identity text(50);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}

node! {
    /// 1201 医药机构信息获取.
    Institution, INSTITUTION = "medinsinfo" "医药机构信息获取" {
        fixmedins_type "定点医疗服务机构类型" required Plain code(FIXMEDINS_TYPE);
        fixmedins_name "定点医药机构名称" optional Plain text(200);
        fixmedins_code "定点医药机构编号" optional Key text(30);
    }
}

node! {
    /// 2001 人员待遇享受检查.
    Entitlement, ENTITLEMENT = "data" "人员待遇享受检查" {
        psn_no "人员编号" required Identity text(30);
        insutype "险种类型" required Money code(INSUTYPE);
        fixmedins_code "定点医药机构编号" required Key text(30);
        med_type "医疗类别" required Money code(MED_TYPE);
        begntime "开始时间" required Date moment;
        endtime "结束时间" optional Date moment;
        dise_codg "病种编码" optional Plain text(30) also "dise_code";
        dise_name "病种名称" optional Plain text(500);
        oprn_oprt_code "手术操作代码" optional Plain text(30);
        oprn_oprt_name "手术操作名称" optional Plain text(500);
        matn_type "生育类别" optional Money code(MATN_TYPE);
        birctrl_type "计划生育手术类别" optional Money code(BIRCTRL_TYPE);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}
