//! A file of 100,000 persons is checked in far less memory than it is long. Alone in its program: it looks at the memory
//! of the whole process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use banyan::command::import::check::Subject;
use banyan::command::import::check::check;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::region::Regions;
use banyan::protocol::files::kind::Kind;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::service::import::objections::Known;
use banyan::service::import::source::Authority;

/// Most memory that the process has held so far, in bytes.
fn memory_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_of_a_hundred_thousand_persons_is_streamed() {
    let today = Day::from_number(20_261_124).unwrap();
    let size = Size { seed: 5, persons: 100_000, codes: 17, stays: 0 };
    let folder = tempfile::tempdir().unwrap();
    let province = Province::new(size, today);
    province.write_kind(folder.path(), Kind::Persons, &mut |_| {}).unwrap();
    let path: PathBuf = folder.path().join("persons.csv");
    let length = std::fs::metadata(&path).unwrap().len();
    let regions = Regions::new(province.regions.clone());
    let before = memory_peak();
    let subject = Subject { kind: Kind::Persons, authority: Some(Authority::Register), path };
    let known = Known { regions: &regions, now: Instant::start_of(today) };
    let checked = check(&subject, &known, false).unwrap();
    let grown = memory_peak() - before;
    assert_eq!(checked.findings.faults.count(), 0, "{:?}", checked.findings.faults.listed());
    assert_eq!(checked.entries, 100_000 + 11);
    assert!(grown < 8 << 20 && grown * 2 < length, "{grown} bytes more for a file of {length}");
}
