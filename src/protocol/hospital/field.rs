//! Owns what a field table is: the standard's description of a node as data, and the typed keys into it.
//!
//! A table is written once with `node!` in `tables/`; from it come the checks, the error sentences and the
//! keys with which a transaction reads a checked row, so a misspelt field or a wrong type does not compile.

use core::marker::PhantomData;

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::protocol::hospital::codes::CodeTable;
use crate::protocol::hospital::row::Value;

use rust_decimal::Decimal;

/// What a wrong value of a field could spoil. All but `Plain` are refused when in doubt; `Plain` warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Who the person is. Never echoed in a sentence.
    Identity,
    /// Decides an amount, also codes such as `insutype`.
    Money,
    Date,
    /// Names a stay, a settlement, a line, a filing, a message, an institution, a catalogue code.
    Key,
    /// Describes; decides nothing.
    Plain,
}

impl Class {
    pub fn is_strict(self) -> bool {
        self != Class::Plain
    }
}

/// The type column of the standard: C, N(p,s), D, DT, and what they carry.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text of at most so many characters.
    Text(u16),
    /// A coded value of a table; read back in the table's own spelling.
    Code(&'static CodeTable),
    /// 0 no, 1 yes.
    Flag,
    /// N(16,2) in yuan.
    Money,
    /// N(p,s), exact.
    Exact(u8, u8),
    /// N(p), whole.
    Whole(u8),
    Day,
    Moment,
    /// Six digits of an administrative region.
    Region,
    /// JSON text or an object (扩展字段), at most so many characters.
    Json(u16),
}

/// One line of a field table.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire, e.g. `psn_no`.
    pub wire: &'static str,
    /// Another name seen in the field for the same thing.
    pub alias: Option<&'static str>,
    pub chinese: &'static str,
    pub required: bool,
    pub class: Class,
    pub kind: Kind,
}

/// One node of a transaction's `input`.
#[derive(Debug)]
pub struct NodeTable {
    /// The name on the wire, e.g. `mdtrtinfo`.
    pub wire: &'static str,
    pub chinese: &'static str,
    pub fields: &'static [Field],
}

impl NodeTable {
    /// Position of a field by its exact wire name.
    pub fn position(&self, wire: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.wire == wire)
    }
}

/// A node known at compile time: the marker that ties keys and rows together.
pub trait Node: 'static {
    fn table() -> &'static NodeTable;
}

/// The key of a field that every checked row of `N` has.
#[derive(Debug)]
pub struct Required<N, T> {
    index: u8,
    node: PhantomData<fn() -> (N, T)>,
}

/// The key of a field that a row of `N` may lack.
#[derive(Debug)]
pub struct Optional<N, T> {
    index: u8,
    node: PhantomData<fn() -> (N, T)>,
}

impl<N, T> Required<N, T> {
    pub(crate) const fn at(index: usize) -> Self {
        Self { index: index as u8, node: PhantomData }
    }

    pub fn index(&self) -> usize {
        usize::from(self.index)
    }
}

impl<N, T> Optional<N, T> {
    pub(crate) const fn at(index: usize) -> Self {
        Self { index: index as u8, node: PhantomData }
    }

    pub fn index(&self) -> usize {
        usize::from(self.index)
    }
}

/// How a checked value is read back.
pub trait Read {
    type Out<'m>;
    fn read<'m>(value: &'m Value<'_>) -> Option<Self::Out<'m>>;
}

/// Kinds whose value is borrowed text.
macro_rules! readable_text {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Read for $name {
            type Out<'m> = &'m str;
            fn read<'m>(value: &'m Value<'_>) -> Option<&'m str> {
                if let Value::Text(text) = value { Some(text.as_ref()) } else { None }
            }
        }
    )+};
}

/// Kinds whose value is copied out.
macro_rules! readable {
    ($($(#[$doc:meta])* $name:ident -> $out:ty, $variant:ident);+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Read for $name {
            type Out<'m> = $out;
            fn read(value: &Value<'_>) -> Option<$out> {
                if let Value::$variant(inner) = value { Some(*inner) } else { None }
            }
        }
    )+};
}

readable_text! {
    /// Text as sent, blanks around it removed.
    AsText,
    /// A code in its table's spelling; an unknown descriptive code as sent.
    AsCode,
    /// JSON text, whether it came as text or as an object.
    AsJson
}

readable! {
    AsFlag -> bool, Flag;
    AsMoney -> Fen, Money;
    AsExact -> Decimal, Exact;
    AsWhole -> i64, Whole;
    AsDay -> Day, Day;
    /// A date without a time is read as its midnight.
    AsMoment -> Moment, Moment;
    AsRegion -> RegionCode, Region
}

/// Writes one field table: a line per field, `name "中文" required|optional Class kind(arguments) [also
/// "alias"];`.
///
/// Makes a marker type (also the struct of keys), a constant holding the keys, and the table itself.
macro_rules! node {
    (
        $(#[$doc:meta])*
        $marker:ident, $keys:ident = $wire:literal $title:literal {
            $($field:ident $chinese:literal $need:ident $class:ident $kind:ident $(($($argument:tt),+))? $(also $alias:literal)?;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $marker {
            $(
                #[doc = $chinese]
                pub $field: $crate::protocol::hospital::field::need_type!($need, $marker, $kind),
            )+
        }

        #[doc = concat!("The keys of `", $wire, "`: ", $title, ".")]
        pub static $keys: $marker = {
            #[allow(non_camel_case_types, reason = "positions are named like the wire")]
            enum At { $($field),+ }
            $marker { $($field: $crate::protocol::hospital::field::need_key!($need, At::$field as usize)),+ }
        };

        impl $crate::protocol::hospital::field::Node for $marker {
            fn table() -> &'static $crate::protocol::hospital::field::NodeTable {
                static TABLE: $crate::protocol::hospital::field::NodeTable =
                    $crate::protocol::hospital::field::NodeTable {
                        wire: $wire,
                        chinese: $title,
                        fields: &[$(
                            $crate::protocol::hospital::field::Field {
                                wire: stringify!($field),
                                alias: $crate::protocol::hospital::field::alias!($($alias)?),
                                chinese: $chinese,
                                required: $crate::protocol::hospital::field::is_required!($need),
                                class: $crate::protocol::hospital::field::Class::$class,
                                kind: $crate::protocol::hospital::field::kind!($kind $($($argument),+)?),
                            }
                        ),+],
                    };
                &TABLE
            }
        }
    };
}

macro_rules! need_type {
    (required, $node:ident, $kind:ident) => {
        $crate::protocol::hospital::field::Required<$node, $crate::protocol::hospital::field::read_as!($kind)>
    };
    (optional, $node:ident, $kind:ident) => {
        $crate::protocol::hospital::field::Optional<$node, $crate::protocol::hospital::field::read_as!($kind)>
    };
}

macro_rules! need_key {
    (required, $index:expr) => {
        $crate::protocol::hospital::field::Required::at($index)
    };
    (optional, $index:expr) => {
        $crate::protocol::hospital::field::Optional::at($index)
    };
}

macro_rules! is_required {
    (required) => {
        true
    };
    (optional) => {
        false
    };
}

macro_rules! alias {
    () => {
        None
    };
    ($alias:literal) => {
        Some($alias)
    };
}

macro_rules! read_as {
    (text) => {
        $crate::protocol::hospital::field::AsText
    };
    (code) => {
        $crate::protocol::hospital::field::AsCode
    };
    (flag) => {
        $crate::protocol::hospital::field::AsFlag
    };
    (money) => {
        $crate::protocol::hospital::field::AsMoney
    };
    (exact) => {
        $crate::protocol::hospital::field::AsExact
    };
    (whole) => {
        $crate::protocol::hospital::field::AsWhole
    };
    (day) => {
        $crate::protocol::hospital::field::AsDay
    };
    (moment) => {
        $crate::protocol::hospital::field::AsMoment
    };
    (region) => {
        $crate::protocol::hospital::field::AsRegion
    };
    (json) => {
        $crate::protocol::hospital::field::AsJson
    };
}

macro_rules! kind {
    (text $length:expr) => {
        $crate::protocol::hospital::field::Kind::Text($length)
    };
    (code $table:ident) => {
        $crate::protocol::hospital::field::Kind::Code(&$crate::protocol::hospital::codes::$table)
    };
    (flag) => {
        $crate::protocol::hospital::field::Kind::Flag
    };
    (money) => {
        $crate::protocol::hospital::field::Kind::Money
    };
    (exact $precision:expr, $scale:expr) => {
        $crate::protocol::hospital::field::Kind::Exact($precision, $scale)
    };
    (whole $precision:expr) => {
        $crate::protocol::hospital::field::Kind::Whole($precision)
    };
    (day) => {
        $crate::protocol::hospital::field::Kind::Day
    };
    (moment) => {
        $crate::protocol::hospital::field::Kind::Moment
    };
    (region) => {
        $crate::protocol::hospital::field::Kind::Region
    };
    (json $length:expr) => {
        $crate::protocol::hospital::field::Kind::Json($length)
    };
}

pub(crate) use alias;
pub(crate) use is_required;
pub(crate) use kind;
pub(crate) use need_key;
pub(crate) use need_type;
pub(crate) use node;
pub(crate) use read_as;
