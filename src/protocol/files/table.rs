//! Owns CSV as such: the header matched with the columns of a kind, then rows with their line numbers, one at a time.

use std::io::Read;

use csv::StringRecord;

use crate::config::nearest::nearest;
use crate::protocol::files::columns::Need;
use crate::protocol::files::columns::Spec;
use crate::protocol::files::faults::Fault;
use crate::protocol::files::faults::Findings;
use crate::service::import::source::Authority;

/// Longest field that a row may hold, in bytes; longer ones are told, never truncated.
pub const FIELD_BYTES_MAX: usize = 8 * 1024;

/// What becomes of columns that the kind does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// An extract of a register has columns of its own.
    ReadPast,
    /// A column that is misspelt would change what is paid.
    Refused,
}

/// Which field of a row holds which column.
#[derive(Clone, Debug)]
pub struct Header {
    specs: &'static [Spec],
    /// For each column of the kind, its place in the file.
    places: Vec<Option<usize>>,
    /// Headings as the file spells them.
    headings: Vec<String>,
    /// Whether the source brings whole persons.
    complete: bool,
}

impl Header {
    /// Matches headings in any order. Missing columns are faults, those that the authority does not own are warned
    /// about and read past; so are unknown ones, where the kind has it so.
    fn of(
        record: &StringRecord,
        specs: &'static [Spec],
        strangers: Strangers,
        authority: Option<Authority>,
        findings: &mut Findings,
    ) -> Header {
        let headings: Vec<String> =
            record.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        let mut places = vec![None; specs.len()];
        for (place, heading) in headings.iter().enumerate() {
            match specs.iter().position(|spec| spec.is_called(heading)) {
                None if strangers == Strangers::ReadPast => {
                    findings.warnings.push(about_header(heading, "no such column is known: it is read past"))
                }
                None => findings.faults.push(about_header(heading, &no_such_column(heading, specs))),
                Some(at) if !specs[at].allowed(authority) => {
                    findings
                        .warnings
                        .push(about_header(heading, "the source does not own this column: it is read past"));
                }
                Some(at) if places[at].is_some() => {
                    findings.faults.push(about_header(heading, "this column stands there twice: keep one"));
                }
                Some(at) => places[at] = Some(place),
            }
        }
        for (spec, place) in specs.iter().zip(&places) {
            let wanted = match spec.need {
                Need::Key => true,
                Need::Expected => authority.is_none_or(Authority::may_introduce) && spec.allowed(authority),
                Need::Optional => false,
            };
            if wanted && place.is_none() {
                findings.faults.push(about_header(spec.name, "the file must have this column"));
            }
        }
        Header { specs, places, headings, complete: authority.is_none_or(Authority::may_introduce) }
    }

    /// Whether each person must be there with all that the register needs.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn spec(&self, at: usize) -> &'static Spec {
        &self.specs[at]
    }

    /// The heading of a column as the file spells it.
    pub fn heading(&self, at: usize) -> &str {
        self.places[at].map_or(self.specs[at].name, |place| &self.headings[place])
    }

    pub fn has(&self, at: usize) -> bool {
        self.places[at].is_some()
    }

    /// The field of a column, trimmed; empty when the file does not have it.
    pub fn field<'r>(&self, row: &'r Row, at: usize) -> &'r str {
        self.places[at].and_then(|place| row.record.get(place)).unwrap_or_default().trim()
    }
}

fn no_such_column(heading: &str, specs: &'static [Spec]) -> String {
    let known: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
    match nearest(heading, &known) {
        Some(near) => format!("no such column is known: did you mean {near}?"),
        None => "no such column is known: take it out".to_owned(),
    }
}

fn about_header(column: &str, expected: &str) -> Fault {
    Fault { line: 1, column: Some(column.to_owned()), expected: expected.to_owned(), found: None }
}

/// One row, with the line and the byte at which it begins.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub line: u64,
    pub byte: u64,
    record: StringRecord,
}

/// A source whose last line ends, too.
type Closed<R> = std::io::Chain<R, &'static [u8]>;

fn closed<R: Read>(source: R) -> Closed<R> {
    source.chain(b"\n")
}

fn builder() -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    // Lines end with LF; the CR before it is a blank at the end of a field, and is dropped with other blanks. So lines
    // are counted alike in both kinds of files.
    builder.flexible(true).comment(Some(b'#')).terminator(csv::Terminator::Any(b'\n'));
    builder
}

/// A CSV stream whose header is understood.
#[derive(Debug)]
pub struct Table<R> {
    reader: csv::Reader<Closed<R>>,
    pub header: Header,
    /// Reading stops at the first broken stream.
    broken: bool,
}

impl<R: Read> Table<R> {
    pub fn open(
        source: R,
        specs: &'static [Spec],
        strangers: Strangers,
        authority: Option<Authority>,
        findings: &mut Findings,
    ) -> Table<R> {
        let mut reader = builder().has_headers(true).from_reader(closed(source));
        let mut broken = false;
        let headings = match reader.headers() {
            Ok(headings) => headings.clone(),
            Err(cause) => {
                findings.faults.push(unreadable(1, &cause));
                broken = true;
                StringRecord::new()
            }
        };
        let header = if broken {
            Header { specs, places: vec![None; specs.len()], headings: Vec::new(), complete: false }
        } else {
            Header::of(&headings, specs, strangers, authority, findings)
        };
        Table { reader, header, broken }
    }

    /// Rows without a header of their own, under one that was read before.
    pub fn under(header: Header, source: R) -> Table<R> {
        Table { reader: builder().has_headers(false).from_reader(closed(source)), header, broken: false }
    }

    /// How far the file has been read: one byte beyond its end, where its last line did not end.
    pub fn byte(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row that is a row: as many fields as the header, valid UTF-8, no field beyond the limit. Others are
    /// faults and passed over.
    pub fn next_row(&mut self, findings: &mut Findings) -> Option<Row> {
        let mut record = StringRecord::new();
        while !self.broken {
            let read = self.reader.read_record(&mut record);
            match read {
                Ok(false) => return None,
                Ok(true) => {
                    if is_blank(&record) {
                        continue;
                    }
                    let (line, byte) =
                        (self.line_of(&record), record.position().map_or(0, csv::Position::byte));
                    match self.misshapen(&record) {
                        Some(expected) => {
                            findings.faults.push(Fault { line, column: None, expected, found: None });
                        }
                        None => return Some(Row { line, byte, record }),
                    }
                }
                Err(cause) => {
                    let line =
                        cause.position().map_or_else(|| self.reader.position().line(), csv::Position::line);
                    self.broken = !matches!(cause.kind(), csv::ErrorKind::Utf8 { .. });
                    findings.faults.push(unreadable(line, &cause));
                }
            }
        }
        None
    }

    /// The line on which a record begins that was just read. The reader's own word for it is the line after the
    /// record before, remarks and blank lines between them included.
    fn line_of(&self, record: &StringRecord) -> u64 {
        let inside = record.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.reader.position().line().saturating_sub(inside + 1)
    }

    fn misshapen(&self, record: &StringRecord) -> Option<String> {
        let (found, wanted) = (record.len(), self.header.headings.len());
        if found != wanted {
            return Some(format!("expected {wanted} fields like the header, found {found}"));
        }
        let too_long = record.iter().position(|field| field.len() > FIELD_BYTES_MAX)?;
        let heading = &self.header.headings[too_long];
        Some(format!("column {heading}: expected at most {FIELD_BYTES_MAX} bytes"))
    }
}

/// A line of a file with CR LF on which nothing stands.
fn is_blank(record: &StringRecord) -> bool {
    record.len() == 1 && record.as_slice().trim().is_empty()
}

fn unreadable(line: u64, cause: &csv::Error) -> Fault {
    let expected = match cause.kind() {
        csv::ErrorKind::Utf8 { .. } => "expected UTF-8: save the file as \"CSV UTF-8\"".to_owned(),
        _ => format!("the file could not be read on: {cause}"),
    };
    Fault { line, column: None, expected, found: None }
}
