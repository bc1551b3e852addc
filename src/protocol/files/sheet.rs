//! Owns a file of one kind as a stream of what it says; never more of it in memory than one entry.

use std::io::Read;

use crate::protocol::files::balances;
use crate::protocol::files::catalogue;
use crate::protocol::files::faults::Fault;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::filings;
use crate::protocol::files::institutions;
use crate::protocol::files::kind::Kind;
use crate::protocol::files::persons;
use crate::protocol::files::recognitions;
use crate::protocol::files::regions;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::protocol::files::table::Table;
use crate::protocol::files::year;
use crate::service::import::incoming::Incoming;
use crate::service::import::source::Authority;

/// Most rows that one person may have in a file.
pub const ROWS_PER_ENTRY_MAX: usize = 200;

/// One thing that the file says, with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub line: u64,
    /// Its bytes in the file, from here …
    pub begins: u64,
    /// … to before here. Read again under the same header they say the same.
    pub ends: u64,
    pub what: Incoming,
}

/// A file being read. As an iterator it passes over what is faulty; the faults gather in `findings`.
#[derive(Debug)]
pub struct Sheet<R> {
    kind: Kind,
    table: Table<R>,
    pub findings: Findings,
    /// The first row of the next entry, when it was read to see that this one ends.
    ahead: Option<Row>,
    /// Rows of the entry being read, kept to be reused.
    rows: Vec<Row>,
}

impl<R: Read> Sheet<R> {
    /// Reads the header. For persons, `authority` says which columns the source may bring.
    pub fn open(kind: Kind, authority: Option<Authority>, source: R) -> Sheet<R> {
        let mut findings = Findings::default();
        let table = Table::open(source, kind.specs(), kind.strangers(), authority, &mut findings);
        Sheet { kind, table, findings, ahead: None, rows: Vec::new() }
    }

    /// Reads entries taken out of a file, under the header of that file.
    pub fn under(kind: Kind, header: Header, source: R) -> Sheet<R> {
        let table = Table::under(header, source);
        Sheet { kind, table, findings: Findings::default(), ahead: None, rows: Vec::new() }
    }

    pub fn header(&self) -> &Header {
        &self.table.header
    }

    /// Whether the header lets the rows be read at all.
    pub fn has_header(&self) -> bool {
        let keys = self.kind.specs().iter().enumerate();
        let mut wanted = keys.filter(|(_, spec)| spec.need == crate::protocol::files::columns::Need::Key);
        wanted.all(|(at, _)| self.table.header.has(at))
    }

    /// Gathers the rows of the next entry.
    fn gather(&mut self) -> bool {
        self.rows.clear();
        let first = self.ahead.take().or_else(|| self.table.next_row(&mut self.findings));
        let Some(first) = first else { return false };
        self.rows.push(first);
        let Some(columns) = self.kind.grouped_by() else { return true };
        while let Some(row) = self.table.next_row(&mut self.findings) {
            let header = &self.table.header;
            let same = columns.iter().all(|at| header.field(&row, *at) == header.field(&self.rows[0], *at));
            if !same {
                self.ahead = Some(row);
                break;
            }
            self.take(row);
        }
        true
    }

    fn take(&mut self, row: Row) {
        if self.rows.len() < ROWS_PER_ENTRY_MAX {
            self.rows.push(row);
        } else {
            let expected = format!("expected at most {ROWS_PER_ENTRY_MAX} rows of one person");
            self.findings.faults.push(Fault { line: row.line, column: None, expected, found: None });
        }
    }

    fn read(&mut self) -> Option<Incoming> {
        let (header, rows, findings) = (&self.table.header, &self.rows[..], &mut self.findings);
        match self.kind {
            Kind::Persons => {
                persons::read(header, rows, findings).map(|entry| Incoming::Person(Box::new(entry)))
            }
            Kind::Recognitions => {
                recognitions::read(header, rows, findings).map(|entry| Incoming::Person(Box::new(entry)))
            }
            Kind::Balances => balances::read(header, &rows[0], findings).map(Incoming::Balance),
            Kind::Year => {
                year::read(header, &rows[0], findings).map(|entry| Incoming::Outside(Box::new(entry)))
            }
            Kind::Filings => {
                filings::read(header, &rows[0], findings).map(|entry| Incoming::Filing(Box::new(entry)))
            }
            Kind::Regions => regions::read(header, &rows[0], findings).map(Incoming::Region),
            Kind::Institutions => {
                institutions::read(header, &rows[0], findings).map(|row| Incoming::Institution(Box::new(row)))
            }
            Kind::Catalogue => catalogue::read(header, &rows[0], findings)
                .map(|(place, entry)| Incoming::Catalogue(place, Box::new(entry))),
        }
    }
}

impl<R: Read> Iterator for Sheet<R> {
    type Item = Said;

    fn next(&mut self) -> Option<Said> {
        loop {
            if !self.has_header() || !self.gather() {
                return None;
            }
            let (line, begins) = (self.rows[0].line, self.rows[0].byte);
            let ends = self.ahead.as_ref().map_or_else(|| self.table.byte(), |row| row.byte);
            if let Some(what) = self.read() {
                return Some(Said { line, begins, ends, what });
            }
        }
    }
}
