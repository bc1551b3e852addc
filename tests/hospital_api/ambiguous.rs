//! Messages that may mean two things, or nothing, each with the field that its refusal must name.

use crate::quirks::Change;
use crate::quirks::Quirk;

type Ambiguous = (Quirk, &'static str);

const fn sent(
    infno: &'static str,
    what: &'static str,
    from: &'static str,
    to: &'static str,
    field: &'static str,
) -> Ambiguous {
    (Quirk { infno, what, change: Change::Text(from, to) }, field)
}

const FEE: &str = r#""medfee_sumamt":"40835.00""#;
const CERTIFICATE: &str = r#""mdtrt_cert_type":"02""#;

pub(crate) const ALL: [Ambiguous; 34] = [
    sent("2304", "a separator of thousands", FEE, r#""medfee_sumamt":"40,835.00""#, "medfee_sumamt"),
    sent("2304", "a third decimal", FEE, r#""medfee_sumamt":40835.001"#, "medfee_sumamt"),
    sent("2304", "a unit behind the amount", FEE, r#""medfee_sumamt":"40835.00元""#, "medfee_sumamt"),
    sent("2304", "what floats leave behind", FEE, r#""medfee_sumamt":40834.99999999999"#, "medfee_sumamt"),
    sent("2304", "two amounts", FEE, r#""medfee_sumamt":"40835.00","medfeeSumamt":1"#, "medfee_sumamt"),
    sent("2304", "no amount", FEE, r#""medfee_sumamt":"""#, "medfee_sumamt"),
    sent("2304", "a list for an amount", FEE, r#""medfee_sumamt":[40835.00]"#, "medfee_sumamt"),
    sent("2304", "two persons", r#""psn_no":"$psn""#, r#""psn_no":"$psn","PSN_NO":"44070071""#, "psn_no"),
    sent("2304", "a number with a blank in it", r#""psn_no":"$psn""#, r#""psn_no":"44 07""#, "psn_no"),
    sent(
        "2304",
        "a flag with a third value",
        r#""acct_used_flag":"0""#,
        r#""acct_used_flag":"2""#,
        "acct_used_flag",
    ),
    sent(
        "2304",
        "a flag that may be either",
        r#""mid_setl_flag":"0""#,
        r#""mid_setl_flag":"有""#,
        "mid_setl_flag",
    ),
    sent("2304", "no flag where it decides", r#""mid_setl_flag":"0","#, "", "mid_setl_flag"),
    sent("2304", "an unknown scheme", r#""insutype":"310""#, r#""insutype":"999""#, "insutype"),
    sent(
        "2304",
        "an unknown sort of credential",
        CERTIFICATE,
        r#""mdtrt_cert_type":"88""#,
        "mdtrt_cert_type",
    ),
    sent(
        "2304",
        "two insured places",
        r#""invono":"""#,
        r#""invono":"","insuplc_admdvs":"440100""#,
        "insuplc_admdvs",
    ),
    sent(
        "2304",
        "no insured place",
        r#""insuplc_admdvs":"440703""#,
        r#""insuplc_admdvs":"""#,
        "insuplc_admdvs",
    ),
    sent(
        "2304",
        "a region of five digits",
        r#""insuplc_admdvs":"440703""#,
        r#""insuplc_admdvs":"44070""#,
        "insuplc_admdvs",
    ),
    sent(
        "2304",
        "a day and month in an unknown order",
        r#""invono""#,
        r#""dscg_time":"11/12/2026","invono""#,
        "dscg_time",
    ),
    sent(
        "2304",
        "a day that no month has",
        r#""invono""#,
        r#""dscg_time":"2026-11-31","invono""#,
        "dscg_time",
    ),
    sent("2304", "no message id", r#""msgid":"#, r#""message_id":"#, "msgid"),
    sent(
        "2401",
        "no time of admission",
        r#""begntime":"2026-11-09 09:00:00""#,
        r#""begntime":"""#,
        "begntime",
    ),
    sent(
        "2401",
        "a time that is none",
        r#""begntime":"2026-11-09 09:00:00""#,
        r#""begntime":"昨天上午""#,
        "begntime",
    ),
    sent("2401", "a sort of care in words", r#""med_type":"21""#, r#""med_type":"普通住院""#, "med_type"),
    sent(
        "2401",
        "an emergency and none",
        r#""er_flag":"0""#,
        r#""er_flag":"0","exp_content":"{\"er_flag\":\"1\"}""#,
        "er_flag",
    ),
    sent("2401", "a third party or not", r#""er_flag":"0""#, r#""er_flag":"0","ttp_resp":"?""#, "ttp_resp"),
    sent("2401", "a diagnosis of another person", r#"{"adm_"#, r#"{"psn_no":"44070071","adm_"#, "psn_no"),
    sent("2301", "a decimal comma", r#""cnt":"14""#, r#""cnt":"14,0""#, "cnt"),
    sent("2301", "a number with two points", r#""pric":"120.00""#, r#""pric":"120.0.0""#, "pric"),
    sent("2301", "more decimals than money has", r#""pric":"120.00""#, r#""pric":"120.0000001""#, "pric"),
    sent("2301", "lines of two stays", r#""mdtrt_id":"$stay""#, r#""mdtrt_id":"A1""#, "mdtrt_id"),
    sent(
        "2301",
        "no catalogue code",
        r#""med_list_codg":"SBX-BED""#,
        r#""med_list_codg":null"#,
        "med_list_codg",
    ),
    sent(
        "2301",
        "a day that no year has",
        r#":"2026-11-09 10:00:00""#,
        r#":"2026-02-30 10:00:00""#,
        "fee_ocur_time",
    ),
    sent("2402", "no end", r#""endtime":"2026-11-23 15:00:00""#, r#""endtime":null"#, "endtime"),
    sent("2305", "two settlements", r#""setl_id":"#, r#""setlId":"X","setl_id":"#, "setl_id"),
];
