//! Owns the code tables of the hospital interface: code and Chinese name, as data for checks and pages.
//!
//! Regional codes stand beside the national ones, since a client sends what its region taught it.

/// One code table (值域) of the standard.
#[derive(Debug)]
pub struct CodeTable {
    /// The wire name of the field that the table is named after.
    pub wire: &'static str,
    pub chinese: &'static str,
    /// Code and Chinese name, in the order in which a sentence lists them.
    pub entries: &'static [(&'static str, &'static str)],
}

impl CodeTable {
    /// The Chinese name of a code.
    pub fn name(&self, code: &str) -> Option<&'static str> {
        self.entries.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
    }

    /// The table's own spelling of a code. `1` is read as `01`, and `01` as `1`, where the table has only the
    /// one.
    pub fn canonical(&self, code: &str) -> Option<&'static str> {
        let exact =
            |wanted: &str| self.entries.iter().map(|(known, _)| *known).find(|known| *known == wanted);
        exact(code).or_else(|| self.padded(code)).or_else(|| exact(code.strip_prefix('0')?))
    }

    fn padded(&self, code: &str) -> Option<&'static str> {
        let spelled_short = |known: &str| known.strip_prefix('0').is_some_and(|short| short == code);
        self.entries.iter().map(|(known, _)| *known).find(|known| spelled_short(known))
    }
}

macro_rules! code_table {
    ($(#[$doc:meta])* $name:ident = $wire:literal $chinese:literal { $($code:literal $meaning:literal),+ $(,)? }) => {
        $(#[$doc])*
        pub static $name: CodeTable =
            CodeTable { wire: $wire, chinese: $chinese, entries: &[$(($code, $meaning)),+] };
    };
}

code_table! { INSUTYPE = "insutype" "险种类型" {
    "310" "职工基本医疗保险", "390" "城乡居民基本医疗保险", "510" "生育保险", "320" "公务员医疗补助",
    "330" "大额医疗费用补助", "340" "离休人员医疗保障", "350" "一至六级残废军人医疗补助", "360" "老红军医疗保障",
    "370" "企业补充医疗保险", "380" "新型农村合作医疗", "391" "城镇居民基本医疗保险", "392" "城乡居民大病医疗保险",
    "399" "其他特殊人员医疗保障", "410" "长期照护保险", "39999" "其他（地方）",
} }

code_table! {
    /// National codes first, then what single regions add. A regional number that means different things in
    /// different regions keeps the name of the first.
    MED_TYPE = "med_type" "医疗类别" {
    "21" "普通住院", "22" "外伤住院", "23" "转外诊治住院", "24" "急诊转住院", "52" "生育住院", "92" "其他住院",
    "11" "普通门诊", "12" "门诊挂号", "13" "急诊", "14" "门诊慢特病", "41" "定点药店购药", "51" "生育门诊",
    "53" "计划生育手术费", "91" "其他门诊", "93" "其他购药", "99" "地方扩展", "15" "特药", "16" "中医特色门诊",
    "19" "意外伤害门诊", "25" "异地住院", "26" "单病种住院", "27" "自主就医", "28" "日间手术", "29" "起付线治疗",
    "54" "地方扩展", "61" "照护保险", "81" "意外伤害门诊", "2101" "普通住院", "2102" "单病种住院",
    "2106" "生育平产（居民）", "2107" "生育剖宫产（居民）", "2114" "舒缓疗护住院", "3101" "低自付住院",
    "3102" "低自付门诊", "5212" "生育新生儿费用", "9107" "体检", "9901" "重大疾病门诊", "9902" "重大疾病住院",
    "9903" "儿童两病门诊", "9904" "儿童两病住院", "9906" "耐多药结核门诊", "9907" "耐多药结核住院",
    "9921" "新生儿随母住院", "9925" "转入住院", "9931" "终止妊娠住院", "140104" "门诊慢病", "140201" "门诊特病",
} }

code_table! { PSN_TYPE = "psn_type" "人员类别" {
    "11" "在职", "1101" "职工在职", "1102" "公务员在职", "1103" "灵活就业人员在职", "1160" "地方其他扩展",
    "12" "退休人员", "1201" "职工退休", "1202" "公务员退休", "1203" "灵活就业退休", "1260" "地方其他扩展",
    "13" "离休", "1300" "离休", "1360" "地方其他扩展", "14" "居民（未成年）", "1401" "新生儿", "1402" "学龄前儿童",
    "1403" "中小学生", "1404" "大学生", "1405" "未成年（未入学）", "1460" "地方其他扩展", "15" "居民（成年）",
    "1501" "普通居民（成年）", "1560" "地方其他扩展", "16" "居民（老年）", "116032" "地方其他扩展",
} }

code_table! { MDTRT_CERT_TYPE = "mdtrt_cert_type" "就诊凭证类型" {
    "01" "医保电子凭证", "02" "居民身份证", "03" "社会保障卡", "04" "澳门居民证件", "05" "香港居民证件",
    "06" "本地社会保障卡", "17" "港澳台居民证件", "99" "其他",
} }

code_table! { PSN_CERT_TYPE = "psn_cert_type" "人员证件类型" {
    "01" "居民身份证（户口簿）", "02" "中国人民解放军军官证", "03" "武装警察警官证",
    "04" "香港特区护照/港澳居民来往内地通行证", "05" "澳门特区护照/港澳居民来往内地通行证",
    "06" "台湾居民来往大陆通行证", "07" "外国人永久居留证", "08" "外国人护照", "09" "残疾人证", "10" "军烈属证明",
    "11" "外国人就业证", "12" "外国专家证", "13" "外国人常驻记者证", "14" "台港澳人员就业证",
    "15" "回国（来华）定居专家证", "16" "中国护照", "90" "社会保障卡", "99" "其他身份证件",
} }

code_table! { AGNTER_RLTS = "agnter_rlts" "代办人关系" {
    "1" "配偶", "2" "子女", "4" "孙子女或外孙子女", "5" "父母", "6" "祖父母或外祖父母", "7" "兄弟姐妹",
    "8" "其他亲属", "9" "非亲属",
} }

code_table! { GEND = "gend" "性别" { "1" "男", "2" "女", "0" "未知", "9" "未说明" } }

code_table! { CLR_TYPE = "clr_type" "清算类别" {
    "21" "住院", "11" "门诊", "41" "药店购药", "51" "暂缓结算", "99" "其他", "9902" "省内异地", "9903" "省内异地",
    "9907" "省内异地", "9908" "省内异地", "9909" "跨省异地", "9910" "跨省异地", "9921" "跨省异地",
    "9936" "跨省异地",
} }

code_table! { CLR_WAY = "clr_way" "清算方式" {
    "1" "按项目", "2" "单病种", "3" "按病种分值", "4" "疾病诊断相关分组（DRG）", "5" "按床日", "6" "按人头",
    "9" "其他",
} }

code_table! { PSN_SETLWAY = "psn_setlway" "个人结算方式" { "01" "按项目结算", "02" "按定额结算" } }

code_table! { VALI_FLAG = "vali_flag" "有效标志" { "1" "有效", "0" "无效" } }

code_table! { REFL_TYPE = "refl_type" "转院类型" { "1" "市内转院", "2" "转往省内异地", "3" "转往省外异地" } }

code_table! { BIZ_APPY_TYPE = "biz_appy_type" "业务申请类型" {
    "01" "门诊慢特病登记", "02" "意外伤害登记", "03" "就医定点医疗机构登记", "04" "家庭病床登记",
    "05" "家庭医生签约登记", "06" "转诊转院登记", "07" "异地急诊住院登记", "08" "异地安置登记",
    "09" "特检特治登记", "10" "特殊药品登记", "11" "长期带药登记", "12" "代购药品登记", "13" "生育备案登记",
    "14" "账户备案登记", "15" "临时医疗救助人员资格认定", "16" "年度救助备案登记", "17" "按病种结算登记",
    "18" "无医保凭证结算备案登记", "19" "退费备案登记", "20" "外检外购登记", "99" "其他",
} }

code_table! { OUT_FIL_TYPE = "out_fil_type" "异地备案类型" {
    "02" "异地安置退休人员", "06" "异地转诊人员", "07" "异地长期居住人员", "08" "常驻异地工作人员",
    "09" "跨省异地长期居住人员", "10" "跨省临时外出就医人员", "11" "其他跨省临时外出就医人员",
} }

code_table! { DCLA_SOUC = "dcla_souc" "申报来源" {
    "01" "定点医药机构", "02" "中心经办系统", "03" "网上经办系统", "04" "APP", "05" "一体机", "99" "其他",
} }

code_table! { CHRGITM_LV = "chrgitm_lv" "收费项目等级" { "01" "甲类", "02" "乙类", "03" "丙类/自费" } }

code_table! { MED_CHRGITM_TYPE = "med_chrgitm_type" "医疗收费项目类别" {
    "01" "床位费", "02" "诊察费", "03" "检查费", "04" "化验费", "05" "治疗费", "06" "手术费", "07" "护理费",
    "08" "卫生材料费", "09" "西药费", "10" "中药饮片费", "11" "中成药费", "12" "一般诊疗费", "13" "挂号费",
    "14" "其他费",
} }

code_table! { LIST_TYPE = "list_type" "目录类别" {
    "101" "西药", "102" "中成药", "103" "中药饮片", "104" "自制剂", "105" "民族药", "201" "医疗服务项目",
    "301" "医用耗材",
} }

code_table! { DIAG_TYPE = "diag_type" "诊断类别" { "1" "西医诊断", "2" "中医主病诊断", "3" "中医主证诊断" } }

code_table! { INOUT_DIAG_TYPE = "inout_diag_type" "出入院诊断类别" { "1" "入院诊断", "2" "出院诊断" } }

code_table! { DSCG_WAY = "dscg_way" "离院方式" {
    "1" "医嘱离院", "2" "医嘱转院", "3" "医嘱转社区卫生服务机构/乡镇卫生院", "4" "非医嘱离院", "5" "死亡", "9" "其他",
} }

code_table! { MATN_TYPE = "matn_type" "生育类别" {
    "1" "正常产", "2" "助娩产", "3" "剖宫产", "4" "难产", "5" "流产", "6" "引产", "7" "产前检查", "9" "其他",
    "10" "地方扩展", "11" "地方扩展", "12" "地方扩展", "13" "地方扩展",
} }

code_table! { BIRCTRL_TYPE = "birctrl_type" "计划生育手术类别" {
    "1" "放置宫内节育器", "2" "取出宫内节育器", "3" "流产术", "4" "引产术", "5" "绝育手术", "6" "绝育复通手术",
    "7" "绝育手术（输精管）", "8" "绝育复通手术（输精管）", "9" "其他", "10" "地方扩展", "11" "地方扩展",
    "12" "地方扩展",
} }

code_table! {
/// 2 is in the field, though the tables seen list only no and yes; only 1 is an approval.
HOSP_APPR_FLAG = "hosp_appr_flag" "医院审批标志" { "0" "无须审批或未审批", "1" "审批通过", "2" "审批不通过" } }

code_table! { ER_FLAG = "er_flag" "急诊标志" {
    "0" "非急诊", "1" "急诊", "2" "术前门诊检查", "3" "择期手术",
} }

code_table! { FUND_PAY_TYPE = "fund_pay_type" "基金支付类型" {
    "310100" "城镇职工基本医疗保险统筹基金", "310200" "城镇职工基本医疗保险个人账户基金", "310300" "职工大病保险基金",
    "310400" "军转干部医疗补助基金", "310500" "代缴基金", "320100" "公务员医疗补助基金", "320200" "厅级干部补助基金",
    "330100" "大额医疗费用补助基金", "330200" "职工意外伤害基金", "340100" "离休人员医疗保障基金",
    "340200" "离休老工人门慢保障基金", "350100" "一至六级残疾军人医疗补助基金", "360100" "财政基金",
    "370100" "企业补充医疗保险基金", "370200" "公益补充保险基金", "390100" "城乡居民基本医疗保险基金",
    "390200" "城乡居民大病医疗保险基金", "390300" "城乡居民大病补充保险基金", "390400" "居民意外伤害基金",
    "390500" "居民家庭账户金", "410100" "工伤保险基金", "510100" "生育基金", "610100" "医疗救助基金",
    "610200" "优抚对象医疗补助基金", "620100" "商业或照护补充保险", "630100" "医院减免金额", "640100" "政府兜底基金",
    "999109" "农村低收入人口医疗补充保险", "999996" "医院垫付基金", "999997" "其他基金",
} }

code_table! { TRT_CHK_TYPE = "trt_chk_type" "待遇检查类型" { "1" "基金项检查", "99" "其他检查" } }

code_table! { PSN_INSU_STAS = "psn_insu_stas" "人员参保状态" {
    "0" "未参保", "1" "正常参保", "2" "暂停参保", "3" "无效参保", "4" "终止参保",
} }

code_table! { INHOSP_STAS = "inhosp_stas" "在院状态" { "0" "出院", "1" "在院" } }

code_table! { PAY_LOC = "pay_loc" "支付地点类别" { "1" "中心", "2" "医药机构", "3" "省内异地", "4" "跨省异地" } }

code_table! { REFD_SETL_FLAG = "refd_setl_flag" "退费结算标志" { "0" "未退费", "1" "已退费" } }

code_table! { HOSP_LV = "hosp_lv" "医院等级" {
    "01" "三级特等", "02" "三级甲等", "03" "三级乙等", "04" "三级丙等", "05" "二级甲等", "06" "二级乙等",
    "07" "二级丙等", "08" "一级甲等", "09" "一级乙等", "10" "一级丙等", "11" "无等级",
} }

code_table! { DEDC_HOSP_LV = "dedc_hosp_lv" "起付线医院等级" {
    "1" "一级及以下", "2" "二级", "3" "三级", "9" "未定级",
} }

code_table! { SELFPAY_PROP_TYPE = "selfpay_prop_type" "目录自付比例类别" {
    "10" "先自付", "20" "直接报销", "30" "按单价范围",
} }

code_table! { PSN_IDET_TYPE = "psn_idet_type" "人员身份类别" {
    "2301" "三无人员", "2302" "建档立卡贫困人员", "2303" "最低生活保障对象", "2304" "特困供养人员",
    "2305" "低收入人员", "2306" "因病致贫人员",
} }

code_table! { FIXMEDINS_TYPE = "fixmedins_type" "定点医疗服务机构类型" {
    "1" "定点医疗机构", "2" "定点零售药店", "3" "工伤定点康复机构", "4" "辅助器具配置机构", "5" "计划生育服务机构",
} }

code_table! { OPTER_TYPE = "opter_type" "经办人类别" { "1" "经办人", "2" "自助终端", "3" "移动终端" } }

/// Every table, for pages and for whoever looks one up by name.
pub static ALL: [&CodeTable; 37] = [
    &INSUTYPE,
    &MED_TYPE,
    &PSN_TYPE,
    &MDTRT_CERT_TYPE,
    &PSN_CERT_TYPE,
    &AGNTER_RLTS,
    &GEND,
    &CLR_TYPE,
    &CLR_WAY,
    &PSN_SETLWAY,
    &VALI_FLAG,
    &REFL_TYPE,
    &BIZ_APPY_TYPE,
    &OUT_FIL_TYPE,
    &DCLA_SOUC,
    &CHRGITM_LV,
    &MED_CHRGITM_TYPE,
    &LIST_TYPE,
    &DIAG_TYPE,
    &INOUT_DIAG_TYPE,
    &DSCG_WAY,
    &MATN_TYPE,
    &BIRCTRL_TYPE,
    &HOSP_APPR_FLAG,
    &ER_FLAG,
    &FUND_PAY_TYPE,
    &TRT_CHK_TYPE,
    &PSN_INSU_STAS,
    &INHOSP_STAS,
    &PAY_LOC,
    &REFD_SETL_FLAG,
    &HOSP_LV,
    &DEDC_HOSP_LV,
    &SELFPAY_PROP_TYPE,
    &PSN_IDET_TYPE,
    &FIXMEDINS_TYPE,
    &OPTER_TYPE,
];

/// The table named after a field, e.g. `med_type`.
pub fn table(wire: &str) -> Option<&'static CodeTable> {
    ALL.into_iter().find(|table| table.wire == wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_with_or_without_its_leading_zero() {
        let cases = [
            (&MDTRT_CERT_TYPE, "1", Some("01")),
            (&MDTRT_CERT_TYPE, "01", Some("01")),
            (&DIAG_TYPE, "01", Some("1")),
            (&DIAG_TYPE, "001", None),
            (&MED_TYPE, "021", Some("21")),
            (&MED_TYPE, "1", None),
            (&INSUTYPE, "31", None),
            (&INSUTYPE, "", None),
        ];
        for (table, sent, read) in cases {
            assert_eq!(table.canonical(sent), read, "{} {sent}", table.wire);
        }
    }

    #[test]
    fn no_table_has_a_code_twice_nor_two_codes_that_a_zero_tells_apart() {
        for table in ALL {
            for (place, (code, _)) in table.entries.iter().enumerate() {
                let twins = |(other, _): &&(&str, &str)| {
                    other.trim_start_matches('0') == code.trim_start_matches('0')
                };
                assert_eq!(table.entries[place..].iter().filter(twins).count(), 1, "{} {code}", table.wire);
            }
        }
    }

    #[test]
    fn a_table_is_found_by_the_name_of_its_field() {
        assert_eq!(table("med_type").and_then(|table| table.name("21")), Some("普通住院"));
        assert!(table("no_such_field").is_none());
    }
}
