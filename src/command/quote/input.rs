//! Owns where written stays come from: a file or standard input, one stay or a line each, read as they come.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use crate::config::reader::Fault;
use crate::config::stay;
use crate::config::stay::WrittenStay;
use crate::config::tree::BYTE_ORDER_MARK;
use crate::config::tree::NOT_UTF8;
use crate::config::tree::from_json;
use crate::domain::catalogue::Catalogue;
use crate::domain::ids::RegionCode;

/// Bytes of one stay.
const STAY_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a catalogue.
const CATALOGUE_BYTES_MAX: u64 = 256 << 20;

/// What an empty file lacks.
const EMPTY: &str = "is empty: expected a stay as TOML or JSON; docs/quote.md says how one is written";

/// A stay, or all that is wrong with its text.
pub(super) type ReadStay = Result<WrittenStay, Vec<Fault>>;

/// What a run settles.
pub(super) enum Input {
    One(Box<ReadStay>),
    Many(Lines),
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    #[error("{path} cannot be read: {cause}", path = path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{path} is larger than {limit} bytes", path = path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    #[error("{path} {NOT_UTF8}", path = path.display())]
    NotText { path: PathBuf },
    #[error("{}", faults.join("\n"))]
    Catalogue { faults: Vec<String> },
}

impl NotOpened {
    /// Whether the file is at fault, not what stands in it.
    pub(super) fn is_reach(&self) -> bool {
        matches!(self, NotOpened::Unreadable { .. })
    }
}

/// One line of many.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Its label as far as it can be read.
    pub(super) id: Option<String>,
    /// Or why the line cannot be read.
    pub(super) stay: Result<ReadStay, io::Error>,
}

/// Bytes that are not UTF-8.
struct NotText;

/// Stays line by line; empty lines pass by.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    number: u64,
    ended: bool,
}

/// One stay or several, found out by the name of the file and by what stands in it.
pub(super) fn open(path: &Path) -> Result<Input, NotOpened> {
    if path.extension().is_some_and(|end| end == "jsonl" || end == "ndjson") {
        return open_lines(path);
    }
    let text = read(path, STAY_BYTES_MAX)?;
    if text.trim().is_empty() {
        let fault = Fault { line: None, path: String::new(), message: EMPTY.to_owned() };
        return Ok(Input::One(Box::new(Err(vec![fault]))));
    }
    let is_json = text.trim_start().starts_with('{') || from_json(&text).is_ok();
    if !is_json {
        return Ok(Input::One(Box::new(stay::read_toml(&text))));
    }
    // Several complete objects, a line each, are JSON lines.
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let many = lines.next().is_some_and(|first| from_json(first).is_ok()) && lines.next().is_some();
    if !many {
        return Ok(Input::One(Box::new(stay::read_json(&text))));
    }
    Ok(Input::Many(Lines { reader: Box::new(io::Cursor::new(text)), number: 0, ended: false }))
}

/// Many stays.
pub(super) fn open_lines(path: &Path) -> Result<Input, NotOpened> {
    let reader: Box<dyn BufRead> = if is_standard_input(path) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(|cause| unreadable(path, cause))?))
    };
    Ok(Input::Many(Lines { reader, number: 0, ended: false }))
}

/// A catalogue of the place of care.
pub(super) fn catalogue(path: &Path, place: RegionCode) -> Result<Catalogue, NotOpened> {
    let text = read(path, CATALOGUE_BYTES_MAX)?;
    stay::read_catalogue(&text, place).map_err(|faults| {
        let told = faults.iter().map(|fault| format!("{}: {fault}", path.display()));
        NotOpened::Catalogue { faults: told.collect() }
    })
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn read(path: &Path, limit: u64) -> Result<String, NotOpened> {
    let reader: Box<dyn Read> = if is_standard_input(path) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|cause| unreadable(path, cause))?)
    };
    let mut bytes = Vec::new();
    let count = reader.take(limit + 1).read_to_end(&mut bytes).map_err(|cause| unreadable(path, cause))?;
    if count as u64 > limit {
        return Err(NotOpened::TooLarge { path: path.to_owned(), limit });
    }
    let text = String::from_utf8(bytes).map_err(|_| NotOpened::NotText { path: path.to_owned() })?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

fn unreadable(path: &Path, cause: io::Error) -> NotOpened {
    NotOpened::Unreadable { path: path.to_owned(), cause }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        while !self.ended {
            self.number += 1;
            let number = self.number;
            match self.read_line() {
                Ok(Some(Ok(text))) if text.trim().is_empty() => {}
                Ok(Some(Ok(text))) => {
                    return Some(Line { number, id: label(&text), stay: Ok(stay::read_json(&text)) });
                }
                Ok(Some(Err(NotText))) => {
                    let fault = Fault { line: None, path: String::new(), message: NOT_UTF8.to_owned() };
                    return Some(Line { number, id: None, stay: Ok(Err(vec![fault])) });
                }
                Ok(None) => self.ended = true,
                Err(cause) => {
                    self.ended = true;
                    return Some(Line { number, id: None, stay: Err(cause) });
                }
            }
        }
        None
    }
}

impl Lines {
    /// The next line as text, if it is text.
    fn read_line(&mut self) -> io::Result<Option<Result<String, NotText>>> {
        let mut bytes = Vec::new();
        let count = (&mut self.reader).take(STAY_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if count as u64 == STAY_BYTES_MAX {
            return Err(io::Error::other(format!("is longer than {STAY_BYTES_MAX} bytes")));
        }
        if count == 0 {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|_| NotText);
        Ok(Some(text.map(|text| text.trim_start_matches(BYTE_ORDER_MARK).to_owned())))
    }
}

/// The label of a stay that may be faulty otherwise.
fn label(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    match value.get("id")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
