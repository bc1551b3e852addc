//! The envelope itself, read like a node. `input` is not in the table: it holds the nodes.
//!
//! What only describes the sender is neither demanded nor measured: it decides nothing, and a message must
//! not fail for it.

use crate::protocol::hospital::field::node;

node! {
    /// 请求报文.
    Head, HEAD = "" "请求报文" {
        infno "交易编号" required Key text(6);
        msgid "发送方报文ID" required Key text(30);
        mdtrtarea_admvs "就医地医保区划" required Key region also "mdtrtarea_admdvs";
        insuplc_admdvs "参保地医保区划" optional Key region also "insuplc_admvs";
        fixmedins_code "定点医药机构编号" required Key text(30);
        fixmedins_name "定点医药机构名称" optional Plain text(2000);
        sign_no "交易签到流水号" optional Plain text(2000);
        recer_sys_code "接收方系统代码" optional Plain text(2000);
        infver "接口版本号" optional Plain text(2000);
        opter_type "经办人类别" optional Plain code(OPTER_TYPE);
        opter "经办人" optional Plain text(2000);
        opter_name "经办人姓名" optional Plain text(2000);
        inf_time "交易时间" optional Plain text(2000);
        signtype "签名类型" optional Plain text(2000);
        cainfo "数字签名信息" optional Plain text(65000);
        dev_no "设备编号" optional Plain text(2000);
        dev_safe_info "设备安全信息" optional Plain text(65000);
    }
}
