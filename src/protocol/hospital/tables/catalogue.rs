//! 1312, 1316–1319: paged look-ups of the catalogues.

use crate::protocol::hospital::field::node;

node! {
    /// 1312 医保目录信息查询.
    Items, ITEMS = "data" "医保目录信息查询" {
        query_date "查询时间点" optional Date moment;
        hilist_code "医保目录编码" optional Key text(50);
        insu_admdvs "参保机构医保区划" optional Key region;
        begndate "开始日期" optional Date day;
        hilist_name "医保目录名称" optional Plain text(200);
        wubi "五笔助记码" optional Plain text(30);
        pinyin "拼音助记码" optional Plain text(30);
        med_chrgitm_type "医疗收费项目类别" optional Plain code(MED_CHRGITM_TYPE);
        chrgitm_lv "收费项目等级" optional Money code(CHRGITM_LV);
        lmt_used_flag "限制使用标志" optional Plain flag;
        list_type "目录类别" optional Plain code(LIST_TYPE);
        med_use_flag "医疗使用标志" optional Plain flag;
        matn_used_flag "生育使用标志" optional Plain flag;
        hilist_use_type "医保目录使用类别" optional Plain text(3);
        lmt_cpnd_type "限复方使用类型" optional Plain text(3);
        vali_flag "有效标志" optional Plain flag;
        updt_time "更新时间" required Date moment;
        page_num "当前页数" required Plain whole(4);
        page_size "本页数据量" required Plain whole(4);
    }
}

node! {
    /// 1316 医疗目录与医保目录匹配信息查询.
    Matches, MATCHES = "data" "医疗目录与医保目录匹配信息查询" {
        query_date "查询时间点" optional Date moment;
        medins_list_codg "定点医药机构目录编号" optional Key text(150);
        hilist_code "医保目录编码" optional Key text(50);
        list_type "目录类别" optional Plain code(LIST_TYPE);
        insu_admdvs "参保机构医保区划" optional Key region;
        begndate "开始日期" optional Date day;
        vali_flag "有效标志" optional Plain flag;
        updt_time "更新时间" required Date moment;
        page_num "当前页数" required Plain whole(4);
        page_size "本页数据量" required Plain whole(4);
    }
}

node! {
    /// 1317 医药机构目录匹配信息查询.
    InstitutionMatches, INSTITUTION_MATCHES = "data" "医药机构目录匹配信息查询" {
        query_date "查询时间点" optional Date moment;
        fixmedins_code "定点医药机构编号" optional Key text(30);
        medins_list_codg "定点医药机构目录编号" optional Key text(150);
        medins_list_name "定点医药机构目录名称" optional Plain text(200);
        insu_admdvs "参保机构医保区划" optional Key region;
        list_type "目录类别" optional Plain code(LIST_TYPE);
        med_list_codg "医疗目录编码" optional Key text(50);
        begndate "开始日期" optional Date day;
        vali_flag "有效标志" optional Plain flag;
        updt_time "更新时间" required Date moment;
        page_num "当前页数" required Plain whole(4);
        page_size "本页数据量" required Plain whole(4);
    }
}

node! {
    /// 1318 医保目录限价信息查询.
    PriceLimits, PRICE_LIMITS = "data" "医保目录限价信息查询" {
        query_date "查询时间点" optional Date moment;
        hilist_code "医保目录编码" optional Key text(50);
        hilist_lmtpric_type "医保目录限价类型" optional Plain text(6);
        overlmt_dspo_way "医保目录超限处理方式" optional Plain text(6);
        insu_admdvs "参保机构医保区划" optional Key region;
        begndate "开始日期" optional Date day;
        enddate "结束日期" optional Date day;
        vali_flag "有效标志" optional Plain flag;
        rid "唯一记录号" optional Plain text(40);
        tabname "表名" optional Plain text(100);
        poolarea_no "统筹区" optional Key region;
        updt_time "更新时间" required Date moment;
        page_num "当前页数" required Plain whole(4);
        page_size "本页数据量" required Plain whole(4);
    }
}

node! {
    /// 1319 医保目录先自付比例信息查询.
    FirstPayRates, FIRST_PAY_RATES = "data" "医保目录先自付比例信息查询" {
        query_date "查询时间点" optional Date moment;
        hilist_code "医保目录编码" optional Key text(50);
        selfpay_prop_psn_type "医保目录自付比例人员类别" optional Plain text(6);
        selfpay_prop_type "目录自付比例类别" optional Plain code(SELFPAY_PROP_TYPE);
        insu_admdvs "参保机构医保区划" optional Key region;
        begndate "开始日期" optional Date day;
        enddate "结束日期" optional Date day;
        vali_flag "有效标志" optional Plain flag;
        rid "唯一记录号" optional Plain text(40);
        tabname "表名" optional Plain text(100);
        poolarea_no "统筹区" optional Key region;
        updt_time "更新时间" required Date moment;
        page_num "当前页数" required Plain whole(4);
        page_size "本页数据量" required Plain whole(4);
    }
}
