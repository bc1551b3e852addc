//! Owns policy packs as files: reading one, loading a set as a whole or not at all, and who may decide about money.

mod admission;
mod cases;
mod parameters;
mod report;
mod schema;
mod warnings;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::admission::Mode;
pub use self::admission::NotAdmitted;
pub use self::admission::admit;
pub use self::cases::Case;
pub use self::cases::CaseFault;
pub use self::cases::run as run_cases;
pub use self::parameters::CATEGORIES;
pub use self::parameters::maternity_kind;
pub use self::report::Unverified;
pub use self::report::unverified;
pub use self::schema::content_hash;
pub use self::schema::status_word;
pub use self::schema::trust_word;
pub use self::warnings::Warning;
pub use self::warnings::warnings;

use crate::config::reader::Fault;
use crate::config::tree::NOT_UTF8;
use crate::domain::ids::RegionCode;
use crate::domain::pack::Pack;

/// Packs that a set may hold: every pooling region of the country, with room.
const PACKS_MAX: usize = 1000;
/// Bytes of one pack file.
const FILE_BYTES_MAX: u64 = 4_000_000;

/// A pack with the cases that its file carries.
#[derive(Clone, Debug)]
pub struct PackFile {
    pub pack: Arc<Pack>,
    pub cases: Vec<Case>,
    /// Where it was loaded from.
    pub path: Option<PathBuf>,
    /// The file itself: kept in the ledger, so that an audit years later reads the same numbers.
    pub text: Arc<str>,
}

/// All packs of a folder, one for each pool, sorted by region.
#[derive(Clone, Debug, Default)]
pub struct PackSet(Vec<PackFile>);

/// What is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFaults {
    pub file: PathBuf,
    pub faults: Vec<Fault>,
    /// Whether the file or folder could not be read at all, rather than being written wrongly.
    pub unreadable: bool,
}

/// One line for each fault: `440700.toml:45: employee.deductible[2].level3: is …`.
impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            let (line, path) = (fault.line.map(|line| format!(":{line}")), &fault.path);
            let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
            let end = if at + 1 < self.faults.len() { "\n" } else { "" };
            let file = self.file.display();
            write!(f, "{file}{}: {path}{}{end}", line.unwrap_or_default(), fault.message)?;
        }
        Ok(())
    }
}

impl PackSet {
    pub fn files(&self) -> &[PackFile] {
        &self.0
    }

    pub fn packs(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.0.iter().map(|file| &file.pack)
    }

    pub fn of(&self, region: RegionCode) -> Option<&Arc<Pack>> {
        self.packs().find(|pack| pack.region() == region)
    }
}

/// Reads a pack from its text.
///
/// # Errors
/// Every fault of the text, in its order.
pub fn read(text: &str) -> Result<PackFile, Vec<Fault>> {
    schema::read(text)
}

/// Reads one pack file.
///
/// # Errors
/// Every fault of the file, or why it cannot be read at all.
pub fn load_file(path: &Path) -> Result<PackFile, FileFaults> {
    let text = read_bounded(path).map_err(|cause| not_read(path, &cause))?;
    let file = read(&text);
    let file = file.map_err(|faults| FileFaults { file: path.to_owned(), faults, unreadable: false })?;
    Ok(PackFile { path: Some(path.to_owned()), ..file })
}

/// Loads every `*.toml` of a folder (folders below it are sets of their own).
///
/// # Errors
/// Every fault of every file; two packs for one region are a fault. Nothing is loaded then.
pub fn load_set(folder: &Path) -> Result<PackSet, Vec<FileFaults>> {
    let paths = pack_paths(folder).map_err(|cause| vec![not_read(folder, &cause)])?;
    let (mut files, mut faults) = (Vec::new(), Vec::new());
    for path in &paths {
        match load_file(path) {
            Ok(file) => files.push((path, file)),
            Err(of_file) => faults.push(of_file),
        }
    }
    files.sort_by_key(|(_, file)| file.pack.region());
    faults.extend(twins(&files));
    if faults.is_empty() {
        Ok(PackSet(files.into_iter().map(|(_, file)| file).collect()))
    } else {
        Err(faults)
    }
}

fn pack_paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.len() {
        0 => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "holds no *.toml file: name the folder with the packs",
        )),
        count if count > PACKS_MAX => Err(io::Error::other(format!("holds more than {PACKS_MAX} packs"))),
        _ => Ok(paths),
    }
}

fn twins(files: &[(&PathBuf, PackFile)]) -> Vec<FileFaults> {
    let same = files.windows(2).filter(|pair| pair[0].1.pack.region() == pair[1].1.pack.region());
    let twin = same.map(|pair| {
        let (region, first) = (pair[0].1.pack.region(), pair[0].0.display());
        let message = format!("is {region}, as in {first}: keep one pack for each region");
        let fault = Fault { line: None, path: "region".to_owned(), message };
        FileFaults { file: pair[1].0.clone(), faults: vec![fault], unreadable: false }
    });
    twin.collect()
}

fn read_bounded(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(path)
}

fn not_read(path: &Path, cause: &io::Error) -> FileFaults {
    let not_utf8 = cause.kind() == io::ErrorKind::InvalidData;
    let message = if not_utf8 { NOT_UTF8.to_owned() } else { format!("cannot be read: {cause}") };
    let fault = Fault { line: None, path: String::new(), message };
    FileFaults { file: path.to_owned(), faults: vec![fault], unreadable: !not_utf8 }
}
