//! THE table: which error gets which sentence, which code, and whether the caller may send again.
//!
//! The hospital face answers a refusal with HTTP 200, infcode -1 and the sentence in `err_msg`: cause and
//! next act in the first 60 characters, 200 in all, the code in brackets at the end. Codes are stable:
//! hospitals program on them.

mod business;
mod filing;
mod lines;
mod reading;
mod service;
mod undo;

pub use business::HOW_TO_FILE;
pub use business::business;
pub use lines::line;
pub use reading::protocol;
pub use service::service;

/// Whether the same message may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will be refused again.
    Never,
    /// After what it says was put right; the same message key may be used.
    AfterCorrection,
    /// Unchanged, with the same message key, after so long.
    SameMessage { after_ms: u64 },
}

/// A refusal as the hospital reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    text: String,
    code: &'static str,
    retry: Retry,
}

/// Longest `err_msg`, in characters (standard: C 200).
pub const TEXT_MAX: usize = 200;
/// Cause and next act stand within so many characters: what a small window of a HIS still shows.
pub const HEADLINE_MAX: usize = 60;

impl Refusal {
    /// Puts the sentence together: `cause，act。detail [code]`. What is too long is cut in the detail, then in
    /// the cause, never in the act or the code.
    pub fn new(code: &'static str, retry: Retry, cause: &str, act: &str, detail: &str) -> Refusal {
        debug_assert!(is_kebab_case(code), "codes are kebab-case: {code}");
        let act = cut(act, HEADLINE_MAX / 2);
        let cause = cut(cause, HEADLINE_MAX - 1 - act.chars().count());
        let headline = format!("{cause}，{act}");
        let room = TEXT_MAX.saturating_sub(headline.chars().count() + code.chars().count() + 4);
        let detail = cut(detail, room);
        let text = match detail.as_str() {
            "" => format!("{headline} [{code}]"),
            detail => format!("{headline}。{detail} [{code}]"),
        };
        Refusal { text, code, retry }
    }

    /// The whole sentence for `err_msg`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Stable, kebab-case.
    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn retry(&self) -> Retry {
        self.retry
    }
}

fn is_kebab_case(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !code.is_empty() && code.len() <= 40 && code.bytes().all(fits)
}

/// At most `max` characters, the last one an ellipsis where something was cut.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    if max > 0 {
        short.push('…');
    }
    short
}

/// Put right what it says, then send again; the same message id will do.
fn correct(code: &'static str, cause: &str, act: &str, detail: &str) -> Refusal {
    Refusal::new(code, Retry::AfterCorrection, cause, act, detail)
}

/// Sent again it is refused again.
fn never(code: &'static str, cause: &str, act: &str, detail: &str) -> Refusal {
    Refusal::new(code, Retry::Never, cause, act, detail)
}

/// The very same message will be taken after a while.
fn later(code: &'static str, after_ms: u64, cause: &str, act: &str, detail: &str) -> Refusal {
    Refusal::new(code, Retry::SameMessage { after_ms }, cause, act, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn keeps_the_rules(refusal: &Refusal, act: &str) {
        let text = refusal.text();
        assert!(text.chars().count() <= TEXT_MAX, "{} {text}", text.chars().count());
        assert!(text.ends_with(&format!(" [{}]", refusal.code())), "{text}");
        let headline: String = text.chars().take(HEADLINE_MAX).collect();
        assert!(headline.contains(act), "{headline}");
        assert!(is_kebab_case(refusal.code()), "{}", refusal.code());
    }

    #[test]
    fn a_sentence_that_is_too_long_loses_detail_and_never_its_code() {
        let long = "很长的说明".repeat(80);
        for (cause, act, detail) in
            [("因", "请重发", long.as_str()), (&long, "请重发", &long), (&long, &long, "")]
        {
            let refusal = Refusal::new("some-code", Retry::Never, cause, act, detail);
            keeps_the_rules(&refusal, &cut(act, HEADLINE_MAX / 2));
        }
        let exact = Refusal::new("some-code", Retry::Never, "因", "请重发", &long);
        assert_eq!(exact.text().chars().count(), TEXT_MAX);
        let short = Refusal::new("some-code", Retry::Never, "因", "请重发", "");
        assert_eq!(short.text(), "因，请重发 [some-code]");
    }
}
