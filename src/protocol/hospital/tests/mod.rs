//! Messages as the field sends them: the clean ones, and what the tests do with them.

mod damage;
mod refusals;
mod tables;
mod twins;

use super::*;
use crate::protocol::answer;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;

const SETTLE: &str = r#"{"infno":"2304","msgid":"H44070300001202611240830050001","mdtrtarea_admvs":"440703",
"insuplc_admdvs":"440700","recer_sys_code":"YBXT","dev_no":"","dev_safe_info":"","cainfo":"","signtype":"","infver":"V1.0",
"opter_type":"1","opter":"001","opter_name":"张三","inf_time":"2026-11-24 08:30:05","fixmedins_code":"H44070300001",
"fixmedins_name":"某医院","sign_no":"S1","input":{"data":{"psn_no":"44070000000001","mdtrt_cert_type":"02",
"mdtrt_cert_no":"44070319560101001X","medfee_sumamt":10000.00,"psn_setlway":"01","mdtrt_id":"A7F0001","insutype":"310",
"acct_used_flag":"0","invono":"","mid_setl_flag":"0","fulamt_ownpay_amt":0.00,"dscg_time":"2026-11-24",
"exp_content":""}}}"#;

const ADMIT: &str = r#"{"infno":"2401","msgid":"M1","mdtrtarea_admvs":"440703","insuplc_admdvs":"440700",
"fixmedins_code":"H44070300001","input":{"mdtrtinfo":{"psn_no":"44070000000001","insutype":"310","coner_name":"李四",
"begntime":"2026-11-01 09:00:00","mdtrt_cert_type":"03","mdtrt_cert_no":"C1","med_type":"21","ipt_no":"Z0001",
"atddr_no":"D1","chfpdr_name":"王五","adm_diag_dscr":"肺炎","adm_dept_codg":"K1","adm_dept_name":"呼吸科","adm_bed":"1",
"dscg_maindiag_code":"J18.900","dscg_maindiag_name":"肺炎","dise_codg":"B1","geso_val":39,"certno":"44070319560101001X",
"er_flag":"1","exp_content":""},"diseinfo":[{"psn_no":"44070000000001","diag_type":"1","maindiag_flag":"1",
"diag_srt_no":1,"diag_code":"J18.900","diag_name":"肺炎","diag_dept":"K1","dise_dor_no":"D1","dise_dor_name":"王五",
"diag_time":"2026-11-01 09:30:00"}]}}"#;

const LINE: &str = r#"{"feedetl_sn":"F1","init_feedetl_sn":"","mdtrt_id":"A7F0001","drord_no":"","psn_no":"44070000000001",
"med_type":"21","fee_ocur_time":"2026-11-02 10:00:00","med_list_codg":"XA01","medins_list_codg":"Y 1",
"det_item_fee_sumamt":"12.34","cnt":2,"pric":6.17,"bilg_dept_codg":"K1","bilg_dept_name":"呼吸科","bilg_dr_codg":"D1",
"bilg_dr_name":"王五","hosp_appr_flag":"1","memo":""}"#;

fn upload(lines: &str) -> String {
    let head = r#""infno":"2301","msgid":"M2","mdtrtarea_admvs":"440703","insuplc_admdvs":"440700","#;
    format!(r#"{{{head}"fixmedins_code":"H44070300001","input":{{"feedetail":{lines}}}}}"#)
}

/// Replaces one piece of a message; the piece must be there.
fn change(message: &str, from: &str, to: &str) -> String {
    assert!(message.contains(from), "the clean message has no {from}");
    message.replacen(from, to, 1)
}

fn read(body: &str) -> Message<'_> {
    match Message::read(body.as_bytes()) {
        Ok(message) => message,
        Err(error) => panic!("{}\n{body}", answer::protocol(&error).text()),
    }
}

/// Path and trouble of every fault.
fn faults(body: &str) -> Vec<(String, Trouble)> {
    match Message::read(body.as_bytes()) {
        Err(ProtocolError::Fields(faults)) => {
            faults.kept().iter().map(|fault| (fault.path.clone(), fault.trouble.clone())).collect()
        }
        other => panic!("{other:?}\n{body}"),
    }
}

fn same_as_twin(clean: &str, quirky: &str, what: &str) {
    let (clean, quirky) = (read(clean), read(quirky));
    assert_eq!(quirky.content_hash(), clean.content_hash(), "{what}");
    for (quirky, clean) in quirky.nodes.iter().zip(&clean.nodes) {
        let kept = |rows: &row::Rows<'_>| -> Vec<row::Value<'static>> {
            let free = ["exp_content", "insuplc_admdvs"].map(|wire| rows.table.position(wire));
            let values = rows.values.iter().enumerate();
            let stays = |at: usize| !free.contains(&Some(at % rows.table.fields.len()));
            values.filter(|(at, _)| stays(*at)).map(|(_, value)| value.clone().into_owned()).collect()
        };
        assert_eq!(kept(quirky), kept(clean), "{what}");
    }
    assert_eq!(quirky.envelope.insured_region, clean.envelope.insured_region, "{what}");
}
