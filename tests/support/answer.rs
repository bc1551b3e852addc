//! An answer as its hospital got it, and the rules that every answer keeps.

use bytes::Bytes;
use serde_json::Value;

/// Longest `err_msg`, and the window in which cause and next act must stand, in characters.
const TEXT_MAX: usize = 200;
const HEADLINE_MAX: usize = 60;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub value: Value,
    pub bytes: Bytes,
}

impl Answer {
    /// Reads one, and checks the envelope that every answer has.
    pub(crate) fn read(bytes: Bytes) -> Answer {
        let value: Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|cause| panic!("{cause}: {}", String::from_utf8_lossy(&bytes)));
        let code = value["infcode"].as_i64();
        assert!(matches!(code, Some(0 | -1)), "infcode {code:?}");
        for stamp in ["refmsg_time", "respond_time"] {
            let digits = value[stamp].as_str().unwrap_or_default();
            assert!(digits.len() == 17 && digits.bytes().all(|b| b.is_ascii_digit()), "{stamp}: {digits}");
        }
        let answer = Answer { value, bytes };
        if answer.ok() {
            assert!(answer.err_msg().is_empty(), "success with an error: {}", answer.err_msg());
            assert_eq!(answer.text("inf_refmsgid").len(), 30);
        } else {
            answer.keeps_the_rules_of_refusals();
        }
        answer
    }

    /// Cause and next act within the first 60 characters, 200 in all, a code at the end.
    fn keeps_the_rules_of_refusals(&self) {
        let text = self.err_msg();
        assert!(text.chars().count() <= TEXT_MAX, "{text}");
        let headline: String = text.chars().take(HEADLINE_MAX).collect();
        let (cause, act) = headline.split_once('，').unwrap_or_else(|| panic!("no act in {headline}"));
        let says_what_to_do = ["请", "无需", "不能新办"].iter().any(|word| act.contains(word));
        assert!(!cause.is_empty() && says_what_to_do, "{headline}");
        assert!(text.ends_with(']') && text.contains(" ["), "{text}");
    }

    pub(crate) fn ok(&self) -> bool {
        self.value["infcode"] == 0
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }

    pub(crate) fn err_msg(&self) -> &str {
        self.text("err_msg")
    }

    pub(crate) fn warn_msg(&self) -> &str {
        self.text("warn_msg")
    }

    pub(crate) fn output(&self) -> &Value {
        &self.value["output"]
    }

    /// The stable code in brackets of a refusal; empty for a success.
    pub(crate) fn code(&self) -> &str {
        let text = self.err_msg();
        text.rsplit_once(" [").and_then(|(_, code)| code.strip_suffix(']')).unwrap_or_default()
    }

    /// It worked.
    #[track_caller]
    pub(crate) fn done(self) -> Answer {
        assert!(self.ok(), "refused: {}", self.err_msg());
        self
    }

    /// It was refused, with this code.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Answer {
        assert_eq!(self.code(), code, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    pub(crate) fn mdtrt_id(&self) -> String {
        self.output()["result"]["mdtrt_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn setl_id(&self) -> String {
        self.output()["setlinfo"]["setl_id"].as_str().unwrap().to_owned()
    }

    /// An amount of `setlinfo` as it stands in the bytes, so that every digit is seen.
    #[track_caller]
    pub(crate) fn amount(&self, name: &str) -> &str {
        let text = std::str::from_utf8(&self.bytes).unwrap();
        let (_, info) = text.split_once("\"setlinfo\":{").unwrap_or_else(|| panic!("no setlinfo in {text}"));
        let (_, rest) =
            info.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("no {name} in {text}"));
        &rest[..rest.find([',', '}']).unwrap()]
    }
}
