//! Owns the writing of what is kept: JSON, straight into one text, with nothing counted, boxed or copied before.

use core::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// What can be kept.
pub trait Keep {
    fn keep(&self, to: &mut Text);
}

/// A kept text that is being written.
#[derive(Debug)]
pub struct Text(String);

/// Fields that are left out for what they hold, by the mark of their shape.
pub(super) mod left_out {
    pub(in crate::ledger::codec) fn default<T: Default + PartialEq>(value: &T) -> bool {
        *value == T::default()
    }
}

impl Text {
    /// The kept form of a value.
    pub(super) fn of(value: &(impl Keep + ?Sized)) -> String {
        const USUAL_BYTES: usize = 1024;
        let mut text = Text(String::with_capacity(USUAL_BYTES));
        value.keep(&mut text);
        text.0
    }

    /// An object. `fill` writes its fields.
    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Text)) {
        self.0.push('{');
        fill(self);
        self.0.push('}');
    }

    /// One field of it. `name` is quoted and ends with its colon.
    pub(super) fn field(&mut self, name: &'static str, value: &(impl Keep + ?Sized)) {
        self.separate();
        self.0.push_str(name);
        value.keep(self);
    }

    /// The same, unless the field is what a reader takes it for when it is not there.
    pub(super) fn unless<T: Keep + PartialEq>(&mut self, name: &'static str, value: &T, taken_for: &T) {
        if value != taken_for {
            self.field(name, value);
        }
    }

    /// The same, for what is read as its default when it is not there.
    pub(super) fn unless_default<T: Keep + Default + PartialEq>(&mut self, name: &'static str, value: &T) {
        self.unless(name, value, &T::default());
    }

    /// A list. `fill` writes its items.
    pub(super) fn list(&mut self, fill: impl FnOnce(&mut Text)) {
        self.0.push('[');
        fill(self);
        self.0.push(']');
    }

    pub(super) fn item(&mut self, value: &(impl Keep + ?Sized)) {
        self.separate();
        value.keep(self);
    }

    pub(super) fn string(&mut self, text: &str) {
        self.0.push('"');
        let mut written = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                self.0.push_str(&text[written..at]);
                self.escaped(byte);
                written = at + 1;
            }
        }
        self.0.push_str(&text[written..]);
        self.0.push('"');
    }

    pub(super) fn nothing(&mut self) {
        self.0.push_str("null");
    }

    /// Where the text ends now.
    pub(super) fn end(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was written after that.
    pub(super) fn cut(&mut self, end: usize) {
        self.0.truncate(end);
    }

    /// No value ends with an opening bracket: what stands behind one is the first.
    fn separate(&mut self) {
        if !matches!(self.0.as_bytes().last(), Some(b'{' | b'[')) {
            self.0.push(',');
        }
    }

    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' => self.0.push_str("\\\""),
            b'\\' => self.0.push_str("\\\\"),
            b'\n' => self.0.push_str("\\n"),
            b'\r' => self.0.push_str("\\r"),
            b'\t' => self.0.push_str("\\t"),
            control => self.shown(format_args!("\\u{control:04x}")),
        }
    }

    /// What prints as it is kept.
    fn shown(&mut self, value: impl core::fmt::Display) {
        write!(self.0, "{value}").expect("a text takes everything");
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Keep for $number {
            fn keep(&self, to: &mut Text) {
                to.0.push_str(itoa::Buffer::new().format(*self));
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, i32, i64);

impl Keep for bool {
    fn keep(&self, to: &mut Text) {
        to.0.push_str(if *self { "true" } else { "false" });
    }
}

impl Keep for str {
    fn keep(&self, to: &mut Text) {
        to.string(self);
    }
}

impl Keep for String {
    fn keep(&self, to: &mut Text) {
        to.string(self);
    }
}

impl Keep for SmolStr {
    fn keep(&self, to: &mut Text) {
        to.string(self);
    }
}

impl Keep for Box<str> {
    fn keep(&self, to: &mut Text) {
        to.string(self);
    }
}

/// Exact decimals as text, with the digits that they were given with.
impl Keep for Decimal {
    fn keep(&self, to: &mut Text) {
        to.0.push('"');
        to.shown(self);
        to.0.push('"');
    }
}

/// Bytes in Base64.
impl<const N: usize> Keep for [u8; N] {
    fn keep(&self, to: &mut Text) {
        to.0.push('"');
        STANDARD_NO_PAD.encode_string(self, &mut to.0);
        to.0.push('"');
    }
}

impl<T: Keep> Keep for Option<T> {
    fn keep(&self, to: &mut Text) {
        match self {
            Some(value) => value.keep(to),
            None => to.nothing(),
        }
    }
}

impl<T: Keep> Keep for [T] {
    fn keep(&self, to: &mut Text) {
        to.list(|to| self.iter().for_each(|item| to.item(item)));
    }
}

impl<T: Keep> Keep for Vec<T> {
    fn keep(&self, to: &mut Text) {
        self.as_slice().keep(to);
    }
}

impl<T: Keep + ?Sized> Keep for &T {
    fn keep(&self, to: &mut Text) {
        (**self).keep(to);
    }
}

impl<T: Keep> Keep for Arc<T> {
    fn keep(&self, to: &mut Text) {
        (**self).keep(to);
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn keep(&self, to: &mut Text) {
        to.list(|to| {
            to.item(&self.0);
            to.item(&self.1);
        });
    }
}
