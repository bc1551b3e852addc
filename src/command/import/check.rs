//! Owns the check of a whole file before anything of it is applied.

use std::fs::File;
use std::io::BufReader;
use std::io::Seek as _;
use std::path::PathBuf;
use std::time::SystemTime;

use indicatif::ProgressBar;

use crate::command::import::failed::Failed;
use crate::command::import::places::Places;
use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::protocol::files::faults::Fault;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::kind::Kind;
use crate::protocol::files::repeats::Repeats;
use crate::protocol::files::sheet::Sheet;
use crate::service::import::incoming::Incoming;
use crate::service::import::objections::Known;
use crate::service::import::source::Authority;

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 18;

/// Which file, and how it is to be read.
#[derive(Clone, Debug)]
pub struct Subject {
    pub kind: Kind,
    pub authority: Option<Authority>,
    pub path: PathBuf,
}

/// A file that was read to its end.
#[derive(Debug)]
pub struct Checked {
    pub findings: Findings,
    pub entries: u64,
    /// The entries themselves, of the shared tables only: those are small.
    pub rows: Vec<Incoming>,
    /// Where the entries stand, of the other kinds.
    pub places: Places,
    pub file: Marked,
}

/// Finds where all that belongs to a person lies.
pub type Buckets<'a> = &'a dyn Fn(&PersonKey) -> Bucket;

/// An open file, with what would tell that someone writes into it.
#[derive(Debug)]
pub struct Marked {
    pub path: PathBuf,
    pub file: File,
    length: u64,
    changed: Option<SystemTime>,
}

impl Marked {
    fn open(subject: &Subject) -> Result<Marked, Failed> {
        let cannot = |cause| Failed::File { path: subject.path.clone(), cause };
        let file = File::open(&subject.path).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if !about.is_file() {
            let cause = std::io::Error::other("not a regular file: it must be read twice");
            return Err(cannot(cause));
        }
        Ok(Marked { path: subject.path.clone(), length: about.len(), changed: about.modified().ok(), file })
    }

    /// Whether it still is what was checked.
    pub fn is_same(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|about| about.len() == self.length && about.modified().ok() == self.changed)
    }

    /// The file from its beginning.
    fn again(&self) -> std::io::Result<BufReader<File>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(BufReader::with_capacity(READ_BYTES, file))
    }
}

/// Reads the file, once, or twice when something seems to stand in it twice.
pub fn check(
    subject: &Subject,
    known: &Known<'_>,
    buckets: Buckets<'_>,
    progress: bool,
) -> Result<Checked, Failed> {
    let cannot = |cause| Failed::File { path: subject.path.clone(), cause };
    let file = Marked::open(subject)?;
    let bar = bar(file.length, progress, "checking");
    let mut sheet =
        Sheet::open(subject.kind, subject.authority, bar.wrap_read(file.again().map_err(cannot)?));
    let (mut entries, mut rows, mut repeats, mut holders) =
        (0, Vec::new(), Repeats::default(), Repeats::default());
    let mut places = Places::new(subject.kind, sheet.header().clone(), file.length);
    while let Some(said) = sheet.next() {
        entries += 1;
        repeats.note(&said.what.identity());
        if let Some(certificate) = said.what.certificate() {
            holders.note(&certificate);
        }
        for objection in known.objections(&said.what) {
            let (column, expected) = (Some(objection.column.to_owned()), objection.what);
            sheet.findings.faults.push(Fault { line: said.line, column, expected, found: None });
        }
        match said.what.person() {
            Some(person) => places.note(&said, person, buckets(person)),
            None => rows.push(said.what),
        }
    }
    let mut findings = sheet.findings;
    let (mut twice, mut shared) = (repeats.suspicion(), holders.suspicion());
    if twice.is_some() || shared.is_some() {
        for said in Sheet::open(subject.kind, subject.authority, file.again().map_err(cannot)?) {
            if let Some(twice) = &mut twice {
                twice.note(&said.what.identity(), said.line, &mut findings);
            }
            let certificate = said.what.certificate();
            let first =
                shared.as_mut().zip(certificate).and_then(|(it, own)| it.stood_before(&own, said.line));
            findings.warnings_of_certificate(said.line, first);
        }
    }
    if entries == 0 && findings.faults.is_empty() {
        let expected = "expected at least one row below the header".to_owned();
        findings.faults.push(Fault { line: 1, column: None, expected, found: None });
    }
    findings.faults.sort();
    findings.warnings.sort();
    places.sort();
    bar.finish_and_clear();
    Ok(Checked { findings, entries, rows, places, file })
}

/// A progress bar on standard error, or one that nobody sees.
pub(super) fn bar(length: u64, shown: bool, what: &'static str) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{msg} {bar:30} {percent}% {eta} left")
        .expect("the template is written right");
    ProgressBar::new(length).with_style(style).with_message(what)
}
