//! Owns the bytes of an answer: the standard's envelope and exact JSON, written by hand into a buffer that is
//! reused.
//!
//! Amounts are numbers with exactly two decimals made from fen; no float is ever made. A known field without
//! a value is `null`, never left out, since clients read fields without asking whether they are there.

use core::fmt::Write;

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::money::Fen;
use crate::protocol::answer::Refusal;
use crate::protocol::envelope::ReferenceId;
use crate::protocol::envelope::Stamp;

/// What an answer says around its output. A replay is written from the same head, so its bytes are the same.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'h> {
    pub reference: ReferenceId,
    pub responded: Instant,
    /// `warn_msg`; nothing that a cashier needs may stand here alone.
    pub warning: Option<&'h str>,
}

/// Writes a successful answer; `output` fills the object of that name, `{}` when it writes nothing.
pub fn success(buffer: &mut Vec<u8>, head: &AnswerHead<'_>, output: impl FnOnce(&mut Object<'_>)) {
    answer(buffer, head, None, output);
}

/// Writes a successful answer whose output is a list, as 5204 has it.
pub fn success_list<T>(
    buffer: &mut Vec<u8>,
    head: &AnswerHead<'_>,
    items: impl IntoIterator<Item = T>,
    fill: impl FnMut(&mut Object<'_>, T),
) {
    envelope(buffer, head, None, |envelope| _ = envelope.list("output", items, fill));
}

/// Writes a refusal: infcode -1 and an empty output.
pub fn refusal(buffer: &mut Vec<u8>, head: &AnswerHead<'_>, refusal: &Refusal) {
    answer(buffer, head, Some(refusal), |_| {});
}

/// Writes a refusal that says in `output` which rows are at fault.
pub fn refusal_with(
    buffer: &mut Vec<u8>,
    head: &AnswerHead<'_>,
    refusal: &Refusal,
    output: impl FnOnce(&mut Object<'_>),
) {
    answer(buffer, head, Some(refusal), output);
}

fn answer(
    buffer: &mut Vec<u8>,
    head: &AnswerHead<'_>,
    refusal: Option<&Refusal>,
    output: impl FnOnce(&mut Object<'_>),
) {
    envelope(buffer, head, refusal, |envelope| _ = envelope.object("output", output));
}

/// Clears the buffer first, so that nothing of a half-written answer is left when a refusal follows it.
fn envelope(
    buffer: &mut Vec<u8>,
    head: &AnswerHead<'_>,
    refusal: Option<&Refusal>,
    output: impl FnOnce(&mut Object<'_>),
) {
    buffer.clear();
    whole_object(buffer, |envelope| {
        envelope.whole("infcode", if refusal.is_some() { -1 } else { 0 });
        envelope.shown("inf_refmsgid", head.reference);
        envelope.shown("refmsg_time", Stamp(head.reference.received));
        envelope.shown("respond_time", Stamp(head.responded));
        envelope.text("err_msg", refusal.map_or("", |refusal| refusal.text()));
        envelope.maybe_text("warn_msg", head.warning);
        envelope.text("cainfo", "").text("signtype", "").text("enctype", "");
        output(envelope);
    });
}

/// Writes one object that stands alone.
pub fn whole_object(buffer: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    buffer.push(b'{');
    fill(&mut Object { buffer, is_empty: true });
    buffer.push(b'}');
}

/// An object that is being written. Keys are written as given, in the order of the calls.
#[derive(Debug)]
pub struct Object<'b> {
    buffer: &'b mut Vec<u8>,
    is_empty: bool,
}

impl Object<'_> {
    fn key(&mut self, key: &'static str) {
        if !core::mem::replace(&mut self.is_empty, false) {
            self.buffer.push(b',');
        }
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
    }

    pub fn null(&mut self, key: &'static str) -> &mut Self {
        self.key(key);
        self.buffer.extend_from_slice(b"null");
        self
    }

    pub fn text(&mut self, key: &'static str, text: &str) -> &mut Self {
        self.key(key);
        quoted(self.buffer, text);
        self
    }

    /// Text that may be unknown: `null` when it is empty.
    pub fn known(&mut self, key: &'static str, text: &str) -> &mut Self {
        if text.is_empty() { self.null(key) } else { self.text(key, text) }
    }

    /// Fields that are never known here.
    pub fn nulls(&mut self, keys: &[&'static str]) -> &mut Self {
        for key in keys {
            self.null(key);
        }
        self
    }

    /// Anything that prints as plain text: codes and identifiers.
    pub fn shown(&mut self, key: &'static str, value: impl core::fmt::Display) -> &mut Self {
        self.key(key);
        self.buffer.push(b'"');
        // Writing into memory does not fail.
        let _written = write!(Escaping(self.buffer), "{value}");
        self.buffer.push(b'"');
        self
    }

    /// A flag as the standard writes it: the text 0 or 1.
    pub fn flag(&mut self, key: &'static str, yes: bool) -> &mut Self {
        self.text(key, if yes { "1" } else { "0" })
    }

    /// true or false: only the paging fields of the catalogue answers.
    pub fn boolean(&mut self, key: &'static str, yes: bool) -> &mut Self {
        self.key(key);
        self.buffer.extend_from_slice(if yes { b"true" } else { b"false" });
        self
    }

    pub fn whole(&mut self, key: &'static str, number: i64) -> &mut Self {
        self.key(key);
        integer(self.buffer, number);
        self
    }

    /// Yuan with exactly two decimals.
    pub fn fen(&mut self, key: &'static str, amount: Fen) -> &mut Self {
        self.key(key);
        fixed(self.buffer, amount.0.into(), 2);
        self
    }

    /// An exact number with `scale` decimals; with more where it has more, since nothing is rounded here.
    pub fn decimal(&mut self, key: &'static str, number: Decimal, scale: u32) -> &mut Self {
        self.key(key);
        let number = number.normalize();
        let missing = scale.saturating_sub(number.scale());
        let widened = 10_i128.checked_pow(missing).and_then(|factor| number.mantissa().checked_mul(factor));
        match widened {
            Some(mantissa) => fixed(self.buffer, mantissa, number.scale() + missing),
            None => fixed(self.buffer, number.mantissa(), number.scale()),
        }
        self
    }

    pub fn day(&mut self, key: &'static str, day: Day) -> &mut Self {
        self.key(key);
        self.buffer.push(b'"');
        date(self.buffer, day);
        self.buffer.push(b'"');
        self
    }

    /// yyyy-MM-dd HH:mm:ss.
    pub fn moment(&mut self, key: &'static str, moment: Moment) -> &mut Self {
        self.key(key);
        self.buffer.push(b'"');
        date(self.buffer, moment.day());
        let (hour, minute, second) = moment.time();
        for (separator, part) in [(b' ', hour), (b':', minute), (b':', second)] {
            self.buffer.push(separator);
            padded(self.buffer, part.unsigned_abs().into(), 2);
        }
        self.buffer.push(b'"');
        self
    }

    pub fn maybe_text(&mut self, key: &'static str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(key, text),
            None => self.null(key),
        }
    }

    pub fn maybe_flag(&mut self, key: &'static str, yes: Option<bool>) -> &mut Self {
        match yes {
            Some(yes) => self.flag(key, yes),
            None => self.null(key),
        }
    }

    pub fn maybe_whole(&mut self, key: &'static str, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.whole(key, number),
            None => self.null(key),
        }
    }

    pub fn maybe_fen(&mut self, key: &'static str, amount: Option<Fen>) -> &mut Self {
        match amount {
            Some(amount) => self.fen(key, amount),
            None => self.null(key),
        }
    }

    pub fn maybe_decimal(&mut self, key: &'static str, number: Option<Decimal>, scale: u32) -> &mut Self {
        match number {
            Some(number) => self.decimal(key, number, scale),
            None => self.null(key),
        }
    }

    pub fn maybe_day(&mut self, key: &'static str, day: Option<Day>) -> &mut Self {
        match day {
            Some(day) => self.day(key, day),
            None => self.null(key),
        }
    }

    pub fn maybe_moment(&mut self, key: &'static str, moment: Option<Moment>) -> &mut Self {
        match moment {
            Some(moment) => self.moment(key, moment),
            None => self.null(key),
        }
    }

    pub fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.key(key);
        whole_object(self.buffer, fill);
        self
    }

    /// A list of objects, `[]` when there are no items.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) -> &mut Self {
        self.key(key);
        self.buffer.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.buffer.push(b',');
            }
            whole_object(self.buffer, |object| fill(object, item));
        }
        self.buffer.push(b']');
        self
    }
}

fn quoted(buffer: &mut Vec<u8>, text: &str) {
    buffer.push(b'"');
    within_quotes(buffer, text);
    buffer.push(b'"');
}

/// What is printed into it becomes part of a JSON text.
struct Escaping<'b>(&'b mut Vec<u8>);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        within_quotes(self.0, text);
        Ok(())
    }
}

fn within_quotes(buffer: &mut Vec<u8>, text: &str) {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        buffer.extend_from_slice(&text.as_bytes()[written..at]);
        escaped(buffer, byte);
        written = at + 1;
    }
    buffer.extend_from_slice(&text.as_bytes()[written..]);
}

fn escaped(buffer: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => buffer.extend_from_slice(&[b'\\', byte]),
        b'\n' => buffer.extend_from_slice(b"\\n"),
        b'\r' => buffer.extend_from_slice(b"\\r"),
        b'\t' => buffer.extend_from_slice(b"\\t"),
        _ => {
            buffer.extend_from_slice(b"\\u00");
            buffer.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
}

fn date(buffer: &mut Vec<u8>, day: Day) {
    let number = day.number().unsigned_abs();
    padded(buffer, number / 10_000, 4);
    buffer.push(b'-');
    padded(buffer, number / 100 % 100, 2);
    buffer.push(b'-');
    padded(buffer, number % 100, 2);
}

fn padded(buffer: &mut Vec<u8>, number: u32, width: u32) {
    for place in (0..width).rev() {
        buffer.push(digit(number / 10_u32.pow(place) % 10));
    }
}

fn integer(buffer: &mut Vec<u8>, number: i64) {
    fixed(buffer, number.into(), 0);
}

/// `mantissa / 10^scale` with all its decimals.
fn fixed(buffer: &mut Vec<u8>, mantissa: i128, scale: u32) {
    if mantissa < 0 {
        buffer.push(b'-');
    }
    let start = buffer.len();
    let mut written = 0;
    let mut rest = mantissa.unsigned_abs();
    while rest > 0 || written <= scale {
        if written == scale && scale > 0 {
            buffer.push(b'.');
        }
        // Most amounts fit 64 bits, and those are divided much faster.
        let last = match u64::try_from(rest) {
            Ok(small) => small % 10,
            Err(_) => u64::try_from(rest % 10).unwrap_or_default(),
        };
        buffer.push(digit(u32::try_from(last).unwrap_or_default()));
        rest = u64::try_from(rest).map_or_else(|_| rest / 10, |small| (small / 10).into());
        written += 1;
    }
    buffer[start..].reverse();
}

fn digit(number: u32) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RegionCode;
    use crate::protocol::answer::Retry;

    const RECEIVED: Instant = Instant(1_795_480_205_123);

    fn head(warning: Option<&str>) -> AnswerHead<'_> {
        let reference = ReferenceId { region: RegionCode(440_700), received: RECEIVED, sequence: 42 };
        AnswerHead { reference, responded: Instant(RECEIVED.0 + 7), warning }
    }

    fn object(fill: impl FnOnce(&mut Object<'_>)) -> String {
        let mut buffer = Vec::new();
        whole_object(&mut buffer, fill);
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn a_success_is_the_standard_envelope_to_the_byte() {
        let mut buffer = b"left over from the last answer".to_vec();
        success(&mut buffer, &head(None), |output| {
            output.object("setlinfo", |setlinfo| {
                setlinfo
                    .text("setl_id", "A7F0001")
                    .fen("medfee_sumamt", Fen(1_000_005))
                    .null("hosp_part_amt");
            });
            output.list("setldetail", [Fen(0), Fen(-128)], |row, amount| {
                row.fen("fund_payamt", amount);
            });
        });
        let golden = concat!(
            r#"{"infcode":0,"inf_refmsgid":"440700202611240830050000000042","refmsg_time":"20261124083005123","#,
            r#""respond_time":"20261124083005130","err_msg":"","warn_msg":null,"cainfo":"","signtype":"","enctype":"","#,
            r#""output":{"setlinfo":{"setl_id":"A7F0001","medfee_sumamt":10000.05,"hosp_part_amt":null},"#,
            r#""setldetail":[{"fund_payamt":0.00},{"fund_payamt":-1.28}]}}"#,
        );
        assert_eq!(String::from_utf8(buffer).unwrap(), golden);
    }

    #[test]
    fn a_refusal_has_infcode_minus_one_and_an_empty_output() {
        let mut buffer = Vec::new();
        let no = Refusal::new("already-settled", Retry::Never, "该次住院已结算", "如需更改请先撤销结算", "");
        refusal(&mut buffer, &head(None), &no);
        let golden = concat!(
            r#"{"infcode":-1,"inf_refmsgid":"440700202611240830050000000042","refmsg_time":"20261124083005123","#,
            r#""respond_time":"20261124083005130","err_msg":"该次住院已结算，如需更改请先撤销结算 [already-settled]","#,
            r#""warn_msg":null,"cainfo":"","signtype":"","enctype":"","output":{}}"#,
        );
        assert_eq!(String::from_utf8(buffer).unwrap(), golden);
    }

    #[test]
    fn amounts_have_two_decimals_and_numbers_keep_theirs() {
        for (fen, text) in
            [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (10, "0.10"), (i64::MAX, "92233720368547758.07")]
        {
            assert_eq!(object(|o| _ = o.fen("a", Fen(fen))), format!("{{\"a\":{text}}}"));
        }
        let cases = [
            ("12.5", 6, "12.500000"),
            ("-3", 4, "-3.0000"),
            ("0", 4, "0.0000"),
            ("0.83", 4, "0.8300"),
            ("0.123456789", 4, "0.123456789"),
            ("100", 0, "100"),
            ("1.500", 1, "1.5"),
            ("79228162514264337593543950335", 6, "79228162514264337593543950335.000000"),
        ];
        for (number, scale, text) in cases {
            let number: Decimal = number.parse().unwrap();
            assert_eq!(object(|o| _ = o.decimal("a", number, scale)), format!("{{\"a\":{text}}}"));
        }
    }

    #[test]
    fn dates_and_text_are_written_as_the_standard_has_them() {
        let day = Day::from_number(20_260_105).unwrap();
        let moment = Moment::new(day, 8, 5, 9).unwrap();
        let written = object(|o| {
            o.day("d", day).moment("t", moment).flag("f", true).boolean("last", false).whole("n", -7);
            o.text("s", "引\"号\\ \n\t\u{1}尾").maybe_fen("m", None).list("l", [0_u8; 0], |_, _| {});
        });
        let golden = concat!(
            r#"{"d":"2026-01-05","t":"2026-01-05 08:05:09","f":"1","last":false,"n":-7,"#,
            r#""s":"引\"号\\ \n\t\u0001尾","m":null,"l":[]}"#,
        );
        assert_eq!(written, golden);
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_from_a_json_reader(text: String) {
            let written = object(|o| _ = o.text("s", &text));
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            proptest::prop_assert_eq!(read["s"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn any_number_is_written_exactly(mantissa: i64, scale in 0_u32..=18) {
            let number = Decimal::new(mantissa, scale);
            let written = object(|o| _ = o.decimal("n", number, 4));
            let text = written.strip_prefix("{\"n\":").and_then(|rest| rest.strip_suffix('}')).unwrap();
            proptest::prop_assert_eq!(text.parse::<Decimal>().unwrap(), number);
        }
    }
}
