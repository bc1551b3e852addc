//! Owns how a written stay becomes a hospital's messages: the inputs of 2401, 2301, 2402, 2303, 2304, 2305.

use serde_json::Value;
use serde_json::json;

use crate::domain::ids::RegionCode;
use crate::sandbox::stays::Stay;
use crate::sandbox::stays::StayLine;

/// The region under which the envelope names the insured.
pub fn insured_region(stay: &Stay) -> Option<RegionCode> {
    RegionCode::parse(&stay.insuplc_admdvs).ok()
}

/// 1101 by identity card.
pub fn identify(stay: &Stay) -> Value {
    json!({"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": stay.certno, "psn_cert_type": "01"}})
}

/// 2001 for the day of admission.
pub fn entitle(stay: &Stay) -> Value {
    json!({"data": {
        "psn_no": stay.psn_no,
        "insutype": stay.insutype,
        "fixmedins_code": stay.fixmedins_code,
        "med_type": stay.med_type,
        "begntime": stay.begntime,
        "matn_type": stay.matn_type,
    }})
}

/// 2401.
pub fn admit(stay: &Stay) -> Value {
    json!({
        "mdtrtinfo": {
            "psn_no": stay.psn_no,
            "insutype": stay.insutype,
            "begntime": stay.begntime,
            "mdtrt_cert_type": "02",
            "mdtrt_cert_no": stay.certno,
            "med_type": stay.med_type,
            "matn_type": stay.matn_type,
            "ipt_no": stay.ipt_no,
            "atddr_no": "D0001",
            "chfpdr_name": "样医生",
            "adm_diag_dscr": stay.diag_name,
            "adm_dept_codg": "A03",
            "adm_dept_name": "内科",
            "adm_bed": "12",
            "dscg_maindiag_code": stay.diag_code,
            "dscg_maindiag_name": stay.diag_name,
            "er_flag": if stay.emergency { "1" } else { "0" },
        },
        "diseinfo": [diagnosis(stay)],
    })
}

fn diagnosis(stay: &Stay) -> Value {
    json!({
        "psn_no": stay.psn_no,
        "diag_type": "1",
        "maindiag_flag": "1",
        "diag_srt_no": 1,
        "diag_code": stay.diag_code,
        "diag_name": stay.diag_name,
        "diag_dept": "内科",
        "dise_dor_no": "D0001",
        "dise_dor_name": "样医生",
        "diag_time": stay.begntime,
    })
}

/// 2301 with these lines of the stay.
pub fn upload(stay: &Stay, mdtrt_id: &str, lines: &[StayLine]) -> Value {
    let rows: Vec<Value> = lines.iter().map(|line| fee_line(stay, mdtrt_id, line)).collect();
    json!({"feedetail": rows})
}

fn fee_line(stay: &Stay, mdtrt_id: &str, line: &StayLine) -> Value {
    json!({
        "feedetl_sn": line.feedetl_sn,
        "mdtrt_id": mdtrt_id,
        "psn_no": stay.psn_no,
        "med_type": stay.med_type,
        "fee_ocur_time": line.fee_ocur_time,
        "med_list_codg": line.med_list_codg,
        "medins_list_codg": line.medins_list_codg,
        "det_item_fee_sumamt": line.det_item_fee_sumamt,
        "cnt": line.cnt,
        "pric": line.pric,
        "bilg_dept_codg": "A03",
        "bilg_dept_name": "内科",
        "bilg_dr_codg": "D0001",
        "bilg_dr_name": "样医生",
        "hosp_appr_flag": line.hosp_appr_flag,
    })
}

/// 2302 of everything.
pub fn withdraw_all(stay: &Stay, mdtrt_id: &str) -> Value {
    json!({"data": [{"feedetl_sn": "0000", "mdtrt_id": mdtrt_id, "psn_no": stay.psn_no}]})
}

/// 2402.
pub fn discharge(stay: &Stay, mdtrt_id: &str) -> Value {
    json!({
        "dscginfo": {
            "mdtrt_id": mdtrt_id,
            "psn_no": stay.psn_no,
            "insutype": stay.insutype,
            "endtime": stay.endtime,
            "dscg_dept_codg": "A03",
            "dscg_dept_name": "内科",
            "dscg_bed": "12",
            "dscg_way": "1",
        },
        "diseinfo": [diagnosis_of(stay, mdtrt_id)],
    })
}

fn diagnosis_of(stay: &Stay, mdtrt_id: &str) -> Value {
    let mut row = diagnosis(stay);
    row["mdtrt_id"] = json!(mdtrt_id);
    row
}

/// 2303 and 2304 of the whole stay: `fee` is the total in yuan.
pub fn settle(stay: &Stay, mdtrt_id: &str, fee: &str) -> Value {
    json!({"data": {
        "psn_no": stay.psn_no,
        "mdtrt_cert_type": "02",
        "mdtrt_cert_no": stay.certno,
        "medfee_sumamt": fee,
        "psn_setlway": "01",
        "mdtrt_id": mdtrt_id,
        "acct_used_flag": if stay.use_account { "1" } else { "0" },
        "insutype": stay.insutype,
        "invono": "",
        "mid_setl_flag": "0",
        "fulamt_ownpay_amt": 0,
        "overlmt_selfpay": 0,
        "preselfpay_amt": 0,
        "inscp_scp_amt": 0,
    }})
}

/// 2305.
pub fn reverse(stay: &Stay, mdtrt_id: &str, setl_id: &str) -> Value {
    json!({"data": {"mdtrt_id": mdtrt_id, "setl_id": setl_id, "psn_no": stay.psn_no}})
}

/// 2404 and 2405.
pub fn cancel(stay: &Stay, mdtrt_id: &str) -> Value {
    json!({"data": {"mdtrt_id": mdtrt_id, "psn_no": stay.psn_no}})
}

/// 2601 of a message of unknown outcome.
pub fn undo(stay: &Stay, infno: &str, msgid: &str) -> Value {
    json!({"data": {"psn_no": stay.psn_no, "omsgid": msgid, "oinfno": infno}})
}
