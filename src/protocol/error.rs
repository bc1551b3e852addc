//! Owns what can be wrong with a request before any business is asked. `answer` turns each into a sentence
//! and a code.

use core::fmt;

use crate::protocol::hospital::codes::CodeTable;
use crate::protocol::hospital::signature::SignatureError;
use crate::transport::client_certificate::Distrust;

/// Why a request was not understood, or not let in. `Display` is for the log and holds no value that was
/// sent.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    #[error("the body is empty")]
    Empty,
    #[error("the body is not UTF-8 (byte {at})")]
    NotUtf8 { at: usize },
    #[error("the body is not JSON near {place} (line {line}, column {column})")]
    NotJson { place: String, line: usize, column: usize },
    #[error("{place} is not a JSON object")]
    NotAnObject { place: &'static str },
    #[error("{place} is nested more than {max} levels deep")]
    TooDeep { place: String, max: usize },
    #[error("node {node} holds more than {max} rows")]
    TooManyRows { node: &'static str, max: usize },
    #[error("multipart bodies are not taken")]
    Multipart,
    #[error("compressed bodies are not taken")]
    Compressed,
    #[error("unknown transaction number")]
    UnknownTransaction { infno: String },
    #[error("{0}")]
    Fields(Faults),
    #[error("the body is over the limit of {max} bytes")]
    BodyTooLarge { max: usize },
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error("the body broke off")]
    BodyBroken,
    #[error("the caller is not known: shown was {shown:?}")]
    CallerUnknown { shown: Shown },
    #[error("the caller does not speak for institution {claimed}")]
    NotYourInstitution { claimed: String },
    #[error("gateway signature refused: {0}")]
    Signature(#[from] SignatureError),
    #[error("shed: too much in flight")]
    Overloaded { retry_after_ms: u64 },
    #[error("the institution sends more than its rate")]
    RateLimited { retry_after_ms: u64 },
    #[error("shed: draining before a stop")]
    Draining,
    #[error("no answer in time")]
    TimedOut,
    #[error("a fault of ours broke the call off")]
    Broken,
}

/// What an unknown caller brought to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// A certificate that the authorities signed and no institution is registered with.
    Certificate,
    /// A certificate that is not trusted.
    Distrusted(Distrust),
    /// An `x-tif-paasid` that is not registered, or not from this address.
    Signature,
}

/// All faulty fields of one message, at most [`Faults::KEPT_MAX`] of them in full.
#[derive(Debug)]
pub struct Faults {
    kept: Vec<Fault>,
    count: usize,
}

impl Faults {
    /// A message of 200 broken lines needs no 5,000 sentences.
    pub const KEPT_MAX: usize = 20;

    pub fn one(fault: Fault) -> Faults {
        Faults { kept: vec![fault], count: 1 }
    }

    /// How many fields are faulty, also those not kept.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn kept(&self) -> &[Fault] {
        &self.kept
    }

    /// The first fault in the order of the message's tables.
    pub fn first(&self) -> &Fault {
        self.kept.first().expect("made with at least one fault")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} faulty fields, first {}: {}", self.count, self.first().path, self.first().trouble)
    }
}

/// Gathers faults while a message is checked.
#[derive(Debug, Default)]
pub(crate) struct FaultList {
    kept: Vec<Fault>,
    count: usize,
}

impl FaultList {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.count += 1;
        if self.kept.len() < Faults::KEPT_MAX {
            self.kept.push(fault);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether a kept fault stands at this path.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.kept.iter().any(|fault| fault.path == path)
    }

    /// Ok when nothing was faulty.
    pub(crate) fn into_result(self) -> Result<(), ProtocolError> {
        if self.count == 0 {
            return Ok(());
        }
        Err(ProtocolError::Fields(Faults { kept: self.kept, count: self.count }))
    }
}

/// One faulty field: where, what it is called, what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// E.g. `input.feedetail[3].cnt`; counted from 0 like JSON.
    pub path: String,
    pub wire: String,
    pub chinese: &'static str,
    pub trouble: Trouble,
}

/// What is wrong with a field. `got` is the value sent, empty where it must not be echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    Missing,
    NotText,
    /// Text with an escape that means nothing: half of a surrogate pair.
    BrokenEscape,
    /// An identifier with a blank or a control character inside.
    Blank,
    NotMoney {
        got: String,
    },
    /// An amount of the right form that nothing here could hold.
    AmountTooLarge {
        got: String,
    },
    NotNumber {
        digits: u8,
        decimals: u8,
        got: String,
    },
    NotDay {
        got: String,
    },
    /// yyyyMM is wanted.
    NotMonth {
        got: String,
    },
    NotMoment {
        got: String,
    },
    /// A date of the right form in a year that no date here has.
    OutsideYears {
        got: String,
    },
    NotRegion {
        got: String,
    },
    NotFlag {
        got: String,
    },
    UnknownCode {
        table: &'static CodeTable,
        got: String,
    },
    TooLong {
        max: usize,
    },
    /// Sent more than once with different values.
    Conflict,
    /// Rows of one message name different persons or stays.
    Mixed,
    /// An object was expected.
    NotAnObject,
    /// One object was expected, several came.
    NotOne {
        got: usize,
    },
}

impl PartialEq for CodeTable {
    fn eq(&self, other: &CodeTable) -> bool {
        self.wire == other.wire
    }
}

impl Eq for CodeTable {}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::Missing => "missing",
            Trouble::NotText => "not text",
            Trouble::BrokenEscape => "an escape that means nothing",
            Trouble::Blank => "holds a blank",
            Trouble::NotMoney { .. } => "not an amount with at most two decimals",
            Trouble::AmountTooLarge { .. } => "an amount that is too large",
            Trouble::NotNumber { .. } => "not a number of its form",
            Trouble::NotDay { .. } => "not a date",
            Trouble::NotMonth { .. } => "not a month",
            Trouble::NotMoment { .. } => "not a date and time",
            Trouble::OutsideYears { .. } => "a date of another age",
            Trouble::NotRegion { .. } => "not a region of six digits",
            Trouble::NotFlag { .. } => "not 0 or 1",
            Trouble::UnknownCode { .. } => "not in its code table",
            Trouble::TooLong { .. } => "too long",
            Trouble::Conflict => "sent twice with different values",
            Trouble::Mixed => "not the same in all rows",
            Trouble::NotAnObject => "not an object",
            Trouble::NotOne { .. } => "several objects where one is expected",
        })
    }
}

/// What was put right or kept raw without refusing: told beside the answer, never alone what a cashier needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub path: String,
    pub kind: NoticeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A descriptive code that its table does not have; kept as sent.
    UnknownCode,
    /// A descriptive field sent twice with different values; the last was taken.
    SentTwice,
    /// A descriptive field of the wrong form; left out.
    LeftOut,
}
