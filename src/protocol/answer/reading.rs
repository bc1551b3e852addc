//! What is refused before any business is asked: reading the message and letting it in.

use crate::domain::calendar::Day;
use crate::protocol::answer::Refusal;
use crate::protocol::answer::Retry;
use crate::protocol::answer::correct;
use crate::protocol::answer::cut;
use crate::protocol::answer::later;
use crate::protocol::error::Fault;
use crate::protocol::error::Faults;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Shown;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::codes::CodeTable;
use crate::protocol::hospital::signature::SignatureError;
use crate::transport::client_certificate::Distrust;

/// Errors of reading and of letting in.
pub fn protocol(error: &ProtocolError) -> Refusal {
    use ProtocolError as E;
    match error {
        E::Empty => correct("malformed-message", "报文为空", "请发送交易报文", ""),
        E::NotUtf8 { at } => {
            let detail = format!("第{at}字节起不是UTF-8，不接受GBK等其他编码");
            correct("not-utf8", "报文不是UTF-8编码", "请改用UTF-8后重发", &detail)
        }
        E::NotJson { place, line, column } => {
            let detail = format!("{place}附近出错，第{line}行第{column}列");
            correct("malformed-message", "报文不是合法的JSON", "请更正后重发", &detail)
        }
        E::NotAnObject { place } => {
            correct("malformed-message", &format!("{place}应为JSON对象"), "请按接口规范更正后重发", "")
        }
        E::TooDeep { place, max } => {
            let detail = format!("{place}处嵌套超过{max}层");
            correct("message-too-deep", "报文嵌套过深", "请按接口规范更正后重发", &detail)
        }
        E::TooManyRows { node, max } => {
            let cause = format!("{node}超过{max}行");
            correct("too-many-rows", &cause, "请分批上传", "")
        }
        E::Multipart => correct("multipart-not-taken", "此交易不接受multipart报文", "请以JSON正文发送", ""),
        E::Compressed => correct("compressed-not-taken", "不接受压缩的报文", "请发送未压缩的JSON", ""),
        E::UnknownTransaction { infno } => unknown_transaction(infno),
        E::Fields(faults) => fields(faults),
        E::BodyTooLarge { max } => correct(
            "body-too-large",
            "报文超过大小上限",
            "请分批发送",
            &format!("上限{max}字节；未作任何处理；2301可分多次上传"),
        ),
        E::BodyTooSlow => later(
            "body-too-slow",
            1_000,
            "报文未在限时内收全",
            "请检查网络后原样重发",
            "未作任何处理，请保持msgid不变",
        ),
        E::BodyBroken => later(
            "body-broken",
            1_000,
            "报文未能完整接收",
            "请检查网络后原样重发",
            "未作任何处理，请保持msgid不变",
        ),
        E::CallerUnknown { shown } => unknown_caller(*shown),
        E::NotYourInstitution { claimed } => {
            let cause = format!("fixmedins_code {}不属于本调用方", cut(claimed, 14));
            correct(
                "not-your-institution",
                &cause,
                "请填本机构编号后重发",
                "证书或签名所登记的机构与报文不一致",
            )
        }
        E::Signature(error) => signature(*error),
        E::Overloaded { retry_after_ms } => {
            let act = format!("请{}秒后原样重发", seconds(*retry_after_ms));
            later("overloaded", *retry_after_ms, "系统繁忙", &act, "未作任何处理，请保持msgid不变")
        }
        E::RateLimited { retry_after_ms } => {
            let act = format!("请{}秒后原样重发", seconds(*retry_after_ms));
            later(
                "rate-limited",
                *retry_after_ms,
                "本机构请求过于频繁",
                &act,
                "未作任何处理，请保持msgid不变",
            )
        }
        E::Draining => {
            later("draining", 1_000, "本节点正在停机", "请原样重发", "未作任何处理，请保持msgid不变")
        }
        E::Broken => later(
            "broken-off",
            1_000,
            "本网关出错，结果未知",
            "请以同一msgid原样重发，或以2601冲正",
            "故障已记录；重发不会重复记账",
        ),
        E::TimedOut => later(
            "timed-out",
            1_000,
            "处理超时，结果未知",
            "请以同一msgid原样重发，或以2601冲正",
            "重发不会重复记账：已完成的会返回首次结果",
        ),
    }
}

/// Whole seconds, at least one.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000).max(1)
}

fn unknown_caller(shown: Shown) -> Refusal {
    let (cause, act, detail) = match shown {
        Shown::Nothing => {
            ("无法识别调用方", "请使用本机构的客户端证书或网关签名", "未收到客户端证书，也没有x-tif签名头")
        }
        Shown::Certificate => (
            "客户端证书未登记到任何机构",
            "请联系医保经办机构登记后重发",
            "证书由受信机构签发，但指纹不在登记中；换发证书后须重新登记",
        ),
        Shown::Distrusted(why) => return distrusted(why),
        Shown::Signature => (
            "网关签名账号未登记",
            "请核对x-tif-paasid与来源地址后重发",
            "账号不在登记中，或请求来自未登记的网段",
        ),
    };
    correct("caller-unknown", cause, act, detail)
}

fn distrusted(why: Distrust) -> Refusal {
    let (cause, act, detail) = match why {
        Distrust::UnknownAuthority => (
            "客户端证书不是受信机构签发",
            "请向医保经办机构申领证书，安装后重发",
            "所示证书为自签名，或由本网关不信任的机构签发；中级证书须一并发送",
        ),
        Distrust::Expired => {
            ("客户端证书已过期", "请向医保经办机构换领证书，安装后重发", "新证书的指纹须重新登记")
        }
        Distrust::NotYetValid => (
            "客户端证书尚未生效",
            "请改用已生效的证书后重发，或联系医保经办机构",
            "所示证书的生效日期晚于本网关的时钟",
        ),
        Distrust::Unfit => (
            "客户端证书不能用于客户端认证",
            "请向医保经办机构申领客户端证书，安装后重发",
            "所示证书的用途或内容不符合要求，例如为服务器证书",
        ),
    };
    correct("caller-unknown", cause, act, detail)
}

/// The standard's own words come first; clients look for them.
fn unknown_transaction(infno: &str) -> Refusal {
    let cause = format!("交易报文不正确：未知交易编号！infno为“{}”", cut(infno, 10));
    Refusal::new("unknown-transaction", Retry::Never, &cause, "请核对交易编号", "本网关不提供此交易")
}

fn signature(error: SignatureError) -> Refusal {
    use SignatureError as S;
    match error {
        S::HeaderMissing(name) => {
            correct("signature-missing", &format!("缺少请求头{name}"), "请补齐网关签名头后重发", "")
        }
        S::HeaderTooLong(name) => correct("signature-bad", &format!("请求头{name}过长"), "请更正后重发", ""),
        S::NotATimestamp => correct("signature-bad", "x-tif-timestamp不是Unix秒", "请更正后重发", ""),
        S::OutsideWindow { off_seconds, window_seconds } => {
            let cause = format!("签名时间与本网关相差{}秒", off_seconds.unsigned_abs());
            let detail = format!("允许相差{window_seconds}秒");
            correct("signature-expired", &cause, "请校准时钟并重新签名", &detail)
        }
        S::Wrong => correct("signature-bad", "网关签名不一致", "请核对密钥与签名算法后重发", ""),
        S::Replayed => correct("signature-replayed", "x-tif-nonce已用过", "请换新的nonce重新签名后重发", ""),
        S::MemoryFull => {
            later("overloaded", 5_000, "系统繁忙", "请5秒后重新签名重发", "未作任何处理，请保持msgid不变")
        }
    }
}

fn fields(faults: &Faults) -> Refusal {
    let fault = faults.first();
    let (code, cause, act, more) = field(fault);
    let mut detail = format!("位置{}", fault.path);
    if faults.count() > 1 {
        detail = format!("另有{}处有误；{detail}", faults.count() - 1);
    }
    if !more.is_empty() {
        detail = format!("{detail}；{more}");
    }
    correct(code, &cause, act, &detail)
}

/// Code, cause, next act, and what else helps.
fn field(fault: &Fault) -> (&'static str, String, &'static str, String) {
    let name = format!("{}{}", cut(fault.chinese, 14), fault.wire);
    let got = |got: &str| if got.is_empty() { String::new() } else { format!("收到“{got}”") };
    let malformed =
        |what: &str, sent: &str| ("malformed-field", format!("{name}{what}"), "请更正后重发", got(sent));
    match &fault.trouble {
        Trouble::Missing => ("missing-field", format!("{name}不能为空"), "请补填后重发", String::new()),
        Trouble::NotText => malformed("须为文本", ""),
        Trouble::BrokenEscape => (
            "malformed-field",
            format!("{name}含无效的\\u转义"),
            "请更正后重发",
            "\\ud800至\\udfff须成对出现；可直接发送UTF-8文字".to_owned(),
        ),
        Trouble::Blank => malformed("不能含空格或控制字符", ""),
        Trouble::NotMoney { got } => malformed("须为至多两位小数的金额", got),
        Trouble::AmountTooLarge { got } => malformed("金额过大，至多1000亿元", got),
        Trouble::NotNumber { decimals: 0, digits, got } => malformed(&format!("须为至多{digits}位整数"), got),
        Trouble::NotNumber { digits, decimals, got } => {
            malformed(&format!("须为数值（{digits}位，其中小数至多{decimals}位）"), got)
        }
        Trouble::NotDay { got } => malformed("须为日期yyyy-MM-dd", got),
        Trouble::NotMonth { got } => malformed("须为年月yyyyMM", got),
        Trouble::NotMoment { got } => malformed("须为时间yyyy-MM-dd HH:mm:ss", got),
        Trouble::OutsideYears { got } => {
            malformed(&format!("年份须在{}至{}之间", Day::YEARS.start(), Day::YEARS.end()), got)
        }
        Trouble::NotRegion { got } => malformed("须为6位区划代码", got),
        Trouble::NotFlag { got } => malformed("须为0或1", got),
        Trouble::UnknownCode { table, got } => {
            let cause = format!("{name}没有代码“{}”", cut(got, 8));
            ("unknown-code", cause, "请按代码表更正后重发", format!("可用：{}", allowed(table)))
        }
        Trouble::TooLong { max } => {
            ("field-too-long", format!("{name}超过{max}个字符"), "请缩短后重发", String::new())
        }
        Trouble::Conflict => {
            ("conflicting-field", format!("{name}重复且值不一致"), "请只保留一个值后重发", String::new())
        }
        Trouble::Mixed => (
            "mixed-message",
            format!("各行{name}不一致"),
            "请按人、按住院分开重发",
            "一次交易只办一人一次住院".to_owned(),
        ),
        Trouble::NotAnObject => malformed("须为对象或对象数组", ""),
        Trouble::NotOne { got } => malformed(&format!("只能有一条，收到{got}条"), ""),
    }
}

fn allowed(table: &CodeTable) -> String {
    let entries = table.entries.iter().map(|(code, name)| format!("{code}{name}"));
    entries.collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::answer::tests::keeps_the_rules;
    use crate::protocol::hospital::codes;
    use crate::protocol::hospital::field::Node;
    use crate::protocol::hospital::transaction::Transaction;

    #[test]
    fn every_field_of_every_table_can_be_refused_within_the_rules() {
        let troubles = [
            Trouble::Missing,
            Trouble::NotText,
            Trouble::BrokenEscape,
            Trouble::Blank,
            Trouble::Mixed,
            Trouble::NotMoney { got: "12.345".to_owned() },
            Trouble::NotNumber { digits: 16, decimals: 4, got: "x".repeat(16) },
            Trouble::NotNumber { digits: 4, decimals: 0, got: "x".repeat(16) },
            Trouble::NotDay { got: String::new() },
            Trouble::AmountTooLarge { got: "9".repeat(17) },
            Trouble::NotMonth { got: "x".repeat(10) },
            Trouble::NotMoment { got: "x".repeat(17) },
            Trouble::OutsideYears { got: "9".repeat(16) },
            Trouble::NotRegion { got: "x".repeat(17) },
            Trouble::NotFlag { got: "x".repeat(17) },
            Trouble::UnknownCode { table: &codes::MED_TYPE, got: "x".repeat(17) },
            Trouble::TooLong { max: 4000 },
            Trouble::Conflict,
            Trouble::NotAnObject,
            Trouble::NotOne { got: 2000 },
        ];
        let slots = Transaction::ALL.into_iter().flat_map(|one| one.slots()).map(|slot| (slot.table)());
        let head = crate::protocol::hospital::tables::envelope::Head::table();
        for table in slots.chain([head]) {
            for field in table.fields {
                for trouble in &troubles {
                    let path = format!("input.{}[1999].{}", table.wire, field.wire);
                    let fault = Fault {
                        path,
                        wire: field.wire.to_owned(),
                        chinese: field.chinese,
                        trouble: trouble.clone(),
                    };
                    let refusal = protocol(&ProtocolError::Fields(Faults::one(fault)));
                    keeps_the_rules(&refusal, "重发");
                    assert!(refusal.text().contains(field.wire), "{}", refusal.text());
                }
            }
        }
    }

    #[test]
    fn every_other_refusal_says_cause_and_act_first() {
        use ProtocolError as E;
        use SignatureError as S;
        let place = || "input.feedetail[1999].det_item_fee_sumamt".to_owned();
        let errors = [
            (E::Empty, "请发送"),
            (E::NotUtf8 { at: 10_000_000 }, "请改用UTF-8"),
            (E::NotJson { place: place(), line: 100_000, column: 100_000 }, "请更正后重发"),
            (E::NotAnObject { place: "input" }, "请按接口规范更正后重发"),
            (E::TooDeep { place: place(), max: 32 }, "请按接口规范更正后重发"),
            (E::TooManyRows { node: "feedetail", max: 2000 }, "请分批上传"),
            (E::Multipart, "请以JSON正文发送"),
            (E::Compressed, "请发送未压缩的JSON"),
            (E::UnknownTransaction { infno: "9".repeat(20) }, "请核对交易编号"),
            (E::BodyTooLarge { max: 8_388_608 }, "请分批发送"),
            (E::BodyTooSlow, "原样重发"),
            (E::BodyBroken, "原样重发"),
            (E::CallerUnknown { shown: Shown::Nothing }, "请使用本机构的客户端证书"),
            (E::CallerUnknown { shown: Shown::Certificate }, "请联系医保经办机构登记"),
            (E::CallerUnknown { shown: Shown::Distrusted(Distrust::UnknownAuthority) }, "申领证书"),
            (E::CallerUnknown { shown: Shown::Distrusted(Distrust::Expired) }, "换领证书"),
            (E::CallerUnknown { shown: Shown::Distrusted(Distrust::NotYetValid) }, "已生效的证书"),
            (E::CallerUnknown { shown: Shown::Distrusted(Distrust::Unfit) }, "申领客户端证书"),
            (E::CallerUnknown { shown: Shown::Signature }, "请核对x-tif-paasid"),
            (E::NotYourInstitution { claimed: "H".repeat(30) }, "请填本机构编号后重发"),
            (E::Overloaded { retry_after_ms: 120_000 }, "请120秒后原样重发"),
            (E::RateLimited { retry_after_ms: 1 }, "请1秒后原样重发"),
            (E::Draining, "请原样重发"),
            (E::TimedOut, "请以同一msgid原样重发"),
            (E::Signature(S::HeaderMissing("x-tif-signature")), "请补齐"),
            (E::Signature(S::HeaderTooLong("x-tif-signature")), "请更正"),
            (E::Signature(S::NotATimestamp), "请更正"),
            (E::Signature(S::OutsideWindow { off_seconds: i64::MIN, window_seconds: 300 }), "请校准时钟"),
            (E::Signature(S::Wrong), "请核对密钥"),
            (E::Signature(S::Replayed), "请换新的nonce"),
            (E::Signature(S::MemoryFull), "请5秒后重新签名重发"),
        ];
        for (error, act) in errors {
            keeps_the_rules(&protocol(&error), act);
        }
    }

    #[test]
    fn an_unknown_transaction_gets_the_words_of_the_standard() {
        let refusal = protocol(&ProtocolError::UnknownTransaction { infno: "9999".to_owned() });
        assert!(refusal.text().starts_with("交易报文不正确：未知交易编号！"), "{}", refusal.text());
        assert_eq!(refusal.retry(), Retry::Never);
    }

    #[test]
    fn an_unknown_code_is_told_which_ones_there_are() {
        let fault = Fault {
            path: "input.data.mdtrt_cert_type".to_owned(),
            wire: "mdtrt_cert_type".to_owned(),
            chinese: "就诊凭证类型",
            trouble: Trouble::UnknownCode { table: &codes::MDTRT_CERT_TYPE, got: "88".to_owned() },
        };
        assert_eq!(
            protocol(&ProtocolError::Fields(Faults::one(fault))).text(),
            "就诊凭证类型mdtrt_cert_type没有代码“88”，请按代码表更正后重发。位置input.data.mdtrt_cert_type；\
             可用：01医保电子凭证、02居民身份证、03社会保障卡、04澳门居民证件、05香港居民证件、06本地社会保障卡、\
             17港澳台居民证件、99其他 [unknown-code]"
        );
    }
}
