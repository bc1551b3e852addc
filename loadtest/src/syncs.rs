//! Owns the count of fsyncs: the kernel's own for a process, where `perf` may ask for it, and PostgreSQL's for its log.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::place::Database;

/// Counts while it lives; absent figures mean that this machine does not tell.
pub struct Syncs<'d> {
    perf: Option<(Child, PathBuf)>,
    database: Option<(&'d Database, u64)>,
}

const EVENTS: &str = "syscalls:sys_enter_fdatasync,syscalls:sys_enter_fsync";

impl<'d> Syncs<'d> {
    /// Begins to count those of a process, or those of the database that it writes to.
    pub fn begin(pid: u32, database: Option<&'d Database>, scratch: &Path) -> Syncs<'d> {
        if let Some(database) = database {
            return Syncs { perf: None, database: of_log(database).map(|before| (database, before)) };
        }
        let mut command = Command::new("perf");
        command.args(["stat", "-x", ",", "-e", EVENTS, "-p", &pid.to_string(), "-o"]).arg(scratch);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Syncs { perf: child.ok().map(|child| (child, scratch.to_owned())), database: None }
    }

    pub fn end(self) -> Option<u64> {
        if let Some((database, before)) = self.database {
            return of_log(database).map(|after| after.saturating_sub(before));
        }
        let (mut perf, file) = self.perf?;
        interrupt(&mut perf)?;
        counted(&fs::read_to_string(file).ok()?)
    }
}

/// Asks again until it ends: one that has only just begun may not hear the first time, where its parent ignores this signal.
fn interrupt(perf: &mut Child) -> Option<()> {
    const ASK_EVERY: Duration = Duration::from_millis(20);
    const ASKED_MAX: usize = 100;
    for _ in 0..ASKED_MAX {
        let pid = rustix::process::Pid::from_child(perf);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).ok()?;
        std::thread::sleep(ASK_EVERY);
        if perf.try_wait().ok()?.is_some() {
            return Some(());
        }
    }
    // Without its count.
    perf.kill().ok()?;
    perf.wait().ok()?;
    None
}

fn of_log(database: &Database) -> Option<u64> {
    database.server.query("postgres", "SELECT wal_sync FROM pg_stat_wal").ok()?.trim().parse().ok()
}

/// A line an event, its count first.
fn counted(report: &str) -> Option<u64> {
    let lines = report.lines().filter(|line| line.contains("sys_enter_f"));
    let counts: Option<Vec<u64>> = lines.map(|line| line.split(',').next()?.parse().ok()).collect();
    counts.filter(|counts| !counts.is_empty()).map(|counts| counts.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_fsync_are_counted_and_a_refusal_is_no_count() {
        let report = "# started on Thu\n\n17,,syscalls:sys_enter_fdatasync,1,100.00,,\n3,,syscalls:sys_enter_fsync,1,100.00,,\n";
        assert_eq!(counted(report), Some(20));
        assert_eq!(counted("<not supported>,,syscalls:sys_enter_fsync,0,100.00,,\n"), None);
        assert_eq!(counted(""), None);
    }
}
