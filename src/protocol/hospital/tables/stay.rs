//! 2401–2405: a stay begins, changes, ends, and each of these undone.

use crate::protocol::hospital::field::node;

node! {
    /// 2401 入院办理, the stay.
    Admission, ADMISSION = "mdtrtinfo" "就诊信息" {
        psn_no "人员编号" required Identity text(30);
        insutype "险种类型" required Money code(INSUTYPE);
        coner_name "联系人姓名" optional Plain text(50);
        tel "联系电话" optional Plain text(50);
        begntime "开始时间" required Date moment;
        mdtrt_cert_type "就诊凭证类型" required Identity code(MDTRT_CERT_TYPE);
        mdtrt_cert_no "就诊凭证编号" required Identity text(4000);
        med_type "医疗类别" required Money code(MED_TYPE);
        // The hospital's own number; some clients send it under the name that 2403 has.
        ipt_no "住院号" required Plain text(30) also "ipt_otp_no";
        medrcdno "病历号" optional Plain text(30);
        atddr_no "主治医生编码" required Plain text(30);
        chfpdr_name "主诊医师姓名" required Plain text(50);
        adm_diag_dscr "入院诊断描述" required Plain text(200);
        adm_dept_codg "入院科室编码" required Plain text(30);
        adm_dept_name "入院科室名称" required Plain text(100);
        adm_bed "入院床位" required Plain text(30);
        dscg_maindiag_code "住院主诊断代码" required Plain text(20);
        dscg_maindiag_name "住院主诊断名称" required Plain text(300);
        main_cond_dscr "主要病情描述" optional Plain text(1000);
        dise_codg "病种编码" optional Plain text(30) also "dise_code";
        dise_name "病种名称" optional Plain text(500);
        oprn_oprt_code "手术操作代码" optional Plain text(30);
        oprn_oprt_name "手术操作名称" optional Plain text(500);
        fpsc_no "计划生育服务证号" optional Plain text(50);
        matn_type "生育类别" optional Money code(MATN_TYPE);
        birctrl_type "计划生育手术类别" optional Money code(BIRCTRL_TYPE);
        latechb_flag "晚育标志" optional Plain flag;
        geso_val "孕周数" optional Plain whole(2);
        fetts "胎次" optional Plain whole(3);
        fetus_cnt "胎儿数" optional Plain whole(3);
        pret_flag "早产标志" optional Plain flag;
        birctrl_matn_date "计划生育手术或生育日期" optional Date day;
        dise_type_code "病种类型" optional Plain text(6);
        exp_content "扩展字段" optional Plain json(4000);
        // Beyond the standard's table.
        card_sn "卡识别码" optional Identity text(200);
        psn_cert_type "人员证件类型" optional Identity code(PSN_CERT_TYPE) also "cert_type";
        certno "证件号码" optional Identity text(50);
        psn_name "人员姓名" optional Identity text(50);
        psn_type "人员类别" optional Plain code(PSN_TYPE);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
        adm_way "入院方式" optional Plain text(30);
        er_flag "急诊标志" optional Money code(ER_FLAG);
        ttp_resp "第三方责任标志" optional Money flag;
        repeat_ipt_flag "重复住院标志" optional Plain flag;
        merg_setl_flag "合并结算标志" optional Plain flag;
    }
}

node! {
    /// 2401 入院办理, its diagnoses.
    AdmissionDiagnosis, ADMISSION_DIAGNOSIS = "diseinfo" "入院诊断信息" {
        psn_no "人员编号" required Identity text(30);
        diag_type "诊断类别" required Plain code(DIAG_TYPE);
        maindiag_flag "主诊断标志" required Plain flag;
        diag_srt_no "诊断排序号" required Plain whole(2);
        diag_code "诊断代码" required Plain text(20);
        diag_name "诊断名称" required Plain text(100);
        adm_cond "入院病情" optional Plain text(500);
        diag_dept "诊断科室" required Plain text(50);
        dise_dor_no "诊断医生编码" required Plain text(30);
        dise_dor_name "诊断医生姓名" required Plain text(50);
        diag_time "诊断时间" required Date moment;
    }
}

node! {
    /// 2401 入院办理, who acts for her.
    Agent, AGENT = "agnterinfo" "代办人信息" {
        agnter_name "代办人姓名" optional Plain text(50);
        agnter_rlts "代办人关系" optional Plain code(AGNTER_RLTS);
        agnter_cert_type "代办人证件类型" optional Plain code(PSN_CERT_TYPE);
        agnter_certno "代办人证件号码" optional Plain text(50);
        agnter_tel "代办人联系电话" optional Plain text(50);
        agnter_addr "代办人联系地址" optional Plain text(200);
    }
}

node! {
    /// 2402 出院办理, the stay.
    Discharge, DISCHARGE = "dscginfo" "出院信息" {
        mdtrt_id "就诊ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        insutype "险种类型" required Money code(INSUTYPE);
        endtime "结束时间" required Date moment;
        dise_codg "病种编码" optional Plain text(30) also "dise_code";
        dise_name "病种名称" optional Plain text(500);
        oprn_oprt_code "手术操作代码" optional Plain text(30);
        oprn_oprt_name "手术操作名称" optional Plain text(500);
        fpsc_no "计划生育服务证号" optional Plain text(50);
        matn_type "生育类别" optional Money code(MATN_TYPE);
        birctrl_type "计划生育手术类别" optional Money code(BIRCTRL_TYPE);
        latechb_flag "晚育标志" optional Plain flag;
        geso_val "孕周数" optional Plain whole(2);
        fetts "胎次" optional Plain whole(3);
        fetus_cnt "胎儿数" optional Plain whole(3);
        pret_flag "早产标志" optional Plain flag;
        birctrl_matn_date "计划生育手术或生育日期" optional Date day;
        cop_flag "伴有并发症标志" optional Plain flag;
        // Required by the standard, left out by two clients of seven, and decides nothing.
        dscg_dept_codg "出院科室编码" optional Plain text(30);
        dscg_dept_name "出院科室名称" required Plain text(100);
        dscg_bed "出院床位" optional Plain text(30);
        dscg_way "离院方式" required Plain code(DSCG_WAY);
        die_date "死亡日期" optional Date day;
        exp_content "扩展字段" optional Plain json(4000);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}

node! {
    /// 2402 出院办理 and 2403 住院信息变更, the diagnoses.
    StayDiagnosis, STAY_DIAGNOSIS = "diseinfo" "诊断信息" {
        // Required by the standard, yet seen in three sources only: the stay beside it says it.
        mdtrt_id "就诊ID" optional Key text(30);
        psn_no "人员编号" required Identity text(30);
        diag_type "诊断类别" required Plain code(DIAG_TYPE);
        maindiag_flag "主诊断标志" required Plain flag;
        diag_srt_no "诊断排序号" required Plain whole(2);
        diag_code "诊断代码" required Plain text(20);
        diag_name "诊断名称" required Plain text(100);
        adm_cond "入院病情" optional Plain text(500);
        diag_dept "诊断科室" required Plain text(50);
        dise_dor_no "诊断医生编码" required Plain text(30);
        dise_dor_name "诊断医生姓名" required Plain text(50);
        diag_time "诊断时间" required Date moment;
        vali_flag "有效标志" optional Plain flag;
    }
}

node! {
    /// 2403 住院信息变更, the stay. The credential and the scheme cannot be changed, so they are not in it.
    StayChange, STAY_CHANGE = "adminfo" "入院信息" {
        mdtrt_id "就诊ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        coner_name "联系人姓名" optional Plain text(50);
        tel "联系电话" optional Plain text(50);
        begntime "开始时间" required Date moment;
        endtime "结束时间" optional Date moment;
        mdtrt_cert_type "就诊凭证类型" required Identity code(MDTRT_CERT_TYPE);
        med_type "医疗类别" required Money code(MED_TYPE);
        ipt_otp_no "住院/门诊号" required Plain text(30) also "ipt_no";
        medrcdno "病历号" optional Plain text(30);
        atddr_no "主治医生编码" required Plain text(30);
        chfpdr_name "主诊医师姓名" required Plain text(50);
        adm_diag_dscr "入院诊断描述" required Plain text(200);
        adm_dept_codg "入院科室编码" required Plain text(30);
        adm_dept_name "入院科室名称" required Plain text(100);
        adm_bed "入院床位" required Plain text(30);
        dscg_maindiag_code "住院主诊断代码" required Plain text(20);
        dscg_maindiag_name "住院主诊断名称" required Plain text(300);
        main_cond_dscr "主要病情描述" optional Plain text(1000);
        dise_codg "病种编码" optional Plain text(30) also "dise_code";
        dise_name "病种名称" optional Plain text(500);
        oprn_oprt_code "手术操作代码" optional Plain text(30);
        oprn_oprt_name "手术操作名称" optional Plain text(500);
        fpsc_no "计划生育服务证号" optional Plain text(50);
        matn_type "生育类别" optional Money code(MATN_TYPE);
        birctrl_type "计划生育手术类别" optional Money code(BIRCTRL_TYPE);
        latechb_flag "晚育标志" optional Plain flag;
        geso_val "孕周数" optional Plain whole(2);
        fetts "胎次" optional Plain whole(3);
        fetus_cnt "胎儿数" optional Plain whole(3);
        pret_flag "早产标志" optional Plain flag;
        birctrl_matn_date "计划生育手术或生育日期" optional Date day;
        dise_type_code "病种编号" optional Plain text(6);
        exp_content "扩展字段" optional Plain json(4000);
        // Beyond the standard's table.
        er_flag "急诊标志" optional Money code(ER_FLAG);
        ttp_resp "第三方责任标志" optional Money flag;
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}

node! {
    /// 2404 入院撤销 and 2405 出院撤销.
    StayCancel, STAY_CANCEL = "data" "撤销信息" {
        mdtrt_id "就诊ID" required Key text(30);
        psn_no "人员编号" required Identity text(30);
        exp_content "扩展字段" optional Plain json(4000);
        insuplc_admdvs "参保地医保区划" optional Key region also "insu_admdvs";
    }
}
