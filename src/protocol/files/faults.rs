//! Owns what is wrong with a file: which line, which column, what was expected. Listed up to a limit, counted beyond it.

use core::fmt;

/// How many faults are listed; the rest is counted.
pub const FAULTS_LISTED_MAX: usize = 100;
/// How many warnings are listed; the rest is counted.
pub const WARNINGS_LISTED_MAX: usize = 20;

/// One fault, or one warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file, the header being 1.
    pub line: u64,
    /// The column as the header names it; absent when the whole line is meant.
    pub column: Option<String>,
    pub expected: String,
    /// What stood there instead; never told of a personal column.
    pub found: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.expected)?;
        match &self.found {
            Some(found) if found.is_empty() => f.write_str(", found nothing"),
            Some(found) => write!(f, ", found \"{found}\""),
            None => Ok(()),
        }
    }
}

/// Faults, or warnings, of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    limit: usize,
    listed: Vec<Fault>,
    more: u64,
}

impl List {
    fn new(limit: usize) -> List {
        List { limit, listed: Vec::new(), more: 0 }
    }

    pub fn push(&mut self, fault: Fault) {
        if self.listed.len() < self.limit {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Brings what is listed into the order of the file.
    pub fn sort(&mut self) {
        self.listed.sort_by_key(|fault| fault.line);
    }

    pub fn listed(&self) -> &[Fault] {
        &self.listed
    }

    /// How many there are beyond those listed.
    pub fn more(&self) -> u64 {
        self.more
    }

    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub fn count(&self) -> u64 {
        self.more + u64::try_from(self.listed.len()).unwrap_or(u64::MAX)
    }
}

/// All that was found while a file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Nothing of the file is applied while there is one.
    pub faults: List,
    /// Told, and read past.
    pub warnings: List,
}

impl Default for Findings {
    fn default() -> Self {
        Findings { faults: List::new(FAULTS_LISTED_MAX), warnings: List::new(WARNINGS_LISTED_MAX) }
    }
}

impl Findings {
    /// `first`: the line of another person of the pool with the same certificate.
    pub fn warnings_of_certificate(&mut self, line: u64, first: Option<u64>) {
        let Some(first) = first else { return };
        let expected = format!(
            "the person on line {first} has the same certificate: is she one person with two numbers?"
        );
        self.warnings.push(Fault { line, column: Some("certno".to_owned()), expected, found: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: u64) -> Fault {
        Fault { line, column: Some("balc".into()), expected: "expected yuan".into(), found: Some("x".into()) }
    }

    #[test]
    fn a_fault_says_where_and_what() {
        assert_eq!(fault(7).to_string(), "line 7, column balc: expected yuan, found \"x\"");
        let whole_line = Fault { column: None, found: None, ..fault(8) };
        assert_eq!(whole_line.to_string(), "line 8: expected yuan");
        assert!(Fault { found: Some(String::new()), ..fault(9) }.to_string().ends_with("found nothing"));
    }

    #[test]
    fn a_list_is_bounded_and_counts_the_rest() {
        let mut findings = Findings::default();
        (0..250).for_each(|line| findings.faults.push(fault(line)));
        assert_eq!(findings.faults.listed().len(), FAULTS_LISTED_MAX);
        assert_eq!((findings.faults.more(), findings.faults.count()), (150, 250));
    }
}
