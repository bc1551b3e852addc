//! Owns how a TOML file is read so that every fault is told at once, each with its key, what was expected and where.

use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

use toml::Table;
use toml::Value;

/// One fault of a file: `hospital.request_timeout_ms = 1: must lie between 100 and 120000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub key: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

/// All faults of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    pub file: PathBuf,
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.faults.len() == 1 { "fault" } else { "faults" };
        write!(f, "{} has {} {many}; nothing was started:", self.file.display(), self.faults.len())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

/// Reads a file with `take` and gives either what it made or every fault on the way.
pub fn read_file<T>(file: &Path, take: impl FnOnce(&mut Section) -> T) -> Result<T, Faults> {
    let (made, faults) = read_file_on(file, take);
    made.filter(|_| faults.is_empty()).ok_or_else(|| Faults { file: file.to_owned(), faults })
}

/// What `take` made although there may be faults, and the faults: to look further, never to start with.
pub fn read_file_on<T>(file: &Path, take: impl FnOnce(&mut Section) -> T) -> (Option<T>, Vec<Fault>) {
    match std::fs::read_to_string(file) {
        Ok(text) => read_text_on(&text, file.parent().unwrap_or(Path::new(".")), take),
        Err(cause) => (None, vec![Fault { key: "file".into(), what: format!("cannot be read: {cause}") }]),
    }
}

/// The same as [`read_file`] from a text; `folder` is where relative paths begin.
pub fn read_text<T>(
    text: &str,
    folder: &Path,
    take: impl FnOnce(&mut Section) -> T,
) -> Result<T, Vec<Fault>> {
    let (made, faults) = read_text_on(text, folder, take);
    made.filter(|_| faults.is_empty()).ok_or(faults)
}

fn read_text_on<T>(
    text: &str,
    folder: &Path,
    take: impl FnOnce(&mut Section) -> T,
) -> (Option<T>, Vec<Fault>) {
    let table: Table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(cause) => {
            let what = format!("is not TOML: {}", cause.to_string().trim());
            return (None, vec![Fault { key: "file".into(), what }]);
        }
    };
    let faults = Rc::new(RefCell::new(Vec::new()));
    let mut root =
        Section { path: String::new(), table, folder: folder.to_owned(), faults: Rc::clone(&faults) };
    let made = take(&mut root);
    root.finish();
    (Some(made), faults.take())
}

/// One table of the file. Each key is taken once; what is left at the end is a fault.
pub struct Section {
    path: String,
    table: Table,
    folder: PathBuf,
    faults: Rc<RefCell<Vec<Fault>>>,
}

impl Section {
    /// Key with its path, as a fault names it.
    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports a fault of a key of this section.
    pub fn fault(&self, key: &str, what: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { key: self.key(key), what: what.into() });
    }

    fn unexpected(&self, key: &str, value: &Value, expected: &str) {
        self.faults.borrow_mut().push(Fault {
            key: format!("{} = {}", self.key(key), shown(value)),
            what: format!("must be {expected}"),
        });
    }

    /// Refuses a key that is known and has no place beside the others, where it is.
    pub fn refuse(&mut self, key: &str, what: &str) {
        if self.table.remove(key).is_some() {
            self.fault(key, what);
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub fn integer(&mut self, key: &str, range: RangeInclusive<i64>, default: i64) -> i64 {
        match self.table.remove(key) {
            None => default,
            Some(Value::Integer(number)) if range.contains(&number) => number,
            Some(other) => {
                let expected = format!("a whole number between {} and {}", range.start(), range.end());
                self.unexpected(key, &other, &expected);
                default
            }
        }
    }

    pub fn size(&mut self, key: &str, range: RangeInclusive<i64>, default: i64) -> usize {
        usize::try_from(self.integer(key, range, default)).unwrap_or(usize::MAX)
    }

    /// Milliseconds.
    pub fn milliseconds(
        &mut self,
        key: &str,
        range: RangeInclusive<i64>,
        default: i64,
    ) -> std::time::Duration {
        std::time::Duration::from_millis(self.integer(key, range, default).unsigned_abs())
    }

    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.table.remove(key) {
            None => default,
            Some(Value::Boolean(flag)) => flag,
            Some(other) => {
                self.unexpected(key, &other, "true or false");
                default
            }
        }
    }

    pub fn text(&mut self, key: &str, default: &str) -> String {
        self.optional_text(key).unwrap_or_else(|| default.to_owned())
    }

    pub fn optional_text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            other => {
                self.unexpected(key, &other, "a text that is not empty");
                None
            }
        }
    }

    /// A text that must be there; empty when it is not, with the fault reported.
    pub fn required_text(&mut self, key: &str) -> String {
        if !self.has(key) {
            self.fault(key, "must be set");
        }
        self.optional_text(key).unwrap_or_default()
    }

    /// A text that parses.
    pub fn parsed<T>(&mut self, key: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.optional_text(key)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.unexpected(key, &Value::String(text), expected);
        }
        parsed
    }

    /// One of the named values.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)], default: T) -> T {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        let find = |text: &str| choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        self.parsed(key, &expected, find).unwrap_or(default)
    }

    pub fn address(&mut self, key: &str, default: &str) -> SocketAddr {
        let parse = |text: &str| text.parse::<SocketAddr>().ok();
        let given = self.parsed(key, "an IP address with a port up to 65535, e.g. 127.0.0.1:8443", parse);
        given.or_else(|| parse(default)).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A path; relative ones begin at the folder of the file.
    pub fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.optional_text(key).map(|text| self.folder.join(text))
    }

    /// Where a path that stands in a text lies.
    pub fn placed(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    pub fn required_path(&mut self, key: &str) -> PathBuf {
        let text = self.required_text(key);
        self.folder.join(text)
    }

    pub fn texts(&mut self, key: &str) -> Vec<String> {
        match self.table.remove(key) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.iter().all(Value::is_str) => {
                values.into_iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
            }
            Some(other) => {
                self.unexpected(key, &other, "a list of texts");
                Vec::new()
            }
        }
    }

    /// A table inside this one, read by `take`; an absent one is read as empty.
    pub fn section<T>(&mut self, key: &str, take: impl FnOnce(&mut Section) -> T) -> T {
        let table = match self.table.remove(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.unexpected(key, &other, "a section, written [name]");
                Table::new()
            }
        };
        let mut inner = self.inner(self.key(key), table);
        let made = take(&mut inner);
        inner.finish();
        made
    }

    /// Each table of a list, written `[[name]]`.
    pub fn sections<T>(&mut self, key: &str, mut take: impl FnMut(&mut Section) -> T) -> Vec<T> {
        let tables = match self.table.remove(key) {
            None => Vec::new(),
            Some(Value::Array(values)) if values.iter().all(Value::is_table) => values,
            Some(other) => {
                self.unexpected(key, &other, "a list of sections, written [[name]]");
                Vec::new()
            }
        };
        let numbered = tables.into_iter().enumerate();
        numbered
            .filter_map(|(at, value)| match value {
                Value::Table(table) => Some((at, table)),
                _ => None,
            })
            .map(|(at, table)| {
                let mut inner = self.inner(format!("{}[{at}]", self.key(key)), table);
                let made = take(&mut inner);
                inner.finish();
                made
            })
            .collect()
    }

    fn inner(&self, path: String, table: Table) -> Section {
        Section { path, table, folder: self.folder.clone(), faults: Rc::clone(&self.faults) }
    }

    /// Whatever was not taken is not known.
    fn finish(&mut self) {
        let left: Vec<String> = std::mem::take(&mut self.table).into_iter().map(|(key, _)| key).collect();
        left.iter().for_each(|key| self.fault(key, "is not known here; check its spelling and its section"));
    }
}

fn shown(value: &Value) -> String {
    const SHOWN_MAX: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    text.chars().take(SHOWN_MAX).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once_with_its_key() {
        let text = "spelt_wrong = 1\n[hospital]\nrequest_timeout_ms = 1\naddress = \"nowhere\"\n[[caller]]\n[[caller]]\nmode = \"x\"\n";
        let faults = read_text(text, Path::new("."), |root| {
            root.section("hospital", |hospital| {
                hospital.integer("request_timeout_ms", 100..=30_000, 5_000);
                hospital.address("address", "127.0.0.1:1");
            });
            root.sections("caller", |caller| {
                caller.choice("mode", &[("a", 1), ("b", 2)], 1);
                caller.required_text("name");
            });
        })
        .unwrap_err();
        let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
        assert_eq!(
            told,
            [
                "hospital.request_timeout_ms = 1: must be a whole number between 100 and 30000",
                "hospital.address = \"nowhere\": must be an IP address with a port up to 65535, e.g. 127.0.0.1:8443",
                "caller[0].name: must be set",
                "caller[1].mode = \"x\": must be one of a, b",
                "caller[1].name: must be set",
                "spelt_wrong: is not known here; check its spelling and its section",
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_toml_says_where() {
        let faults = read_text("a = [", Path::new("."), |_| ()).unwrap_err();
        assert!(faults[0].what.contains("line 1"), "{faults:?}");
    }

    #[test]
    fn relative_paths_begin_at_the_file() {
        let path =
            read_text("key = \"keys/a.key\"", Path::new("/etc/banyan"), |root| root.path("key")).unwrap();
        assert_eq!(path, Some(PathBuf::from("/etc/banyan/keys/a.key")));
    }
}
