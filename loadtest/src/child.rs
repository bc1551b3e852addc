//! Owns a server that runs as a process of its own: its start, its address, what it has used, its end.

use std::fs;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::failed::Failed;
use crate::failed::cannot;

/// A server that was started here and ends with us.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub cpu: Duration,
    /// Bytes that it has sent to the disk.
    pub written: u64,
}

impl Used {
    pub fn since(self, before: Used) -> Used {
        Used {
            cpu: self.cpu.saturating_sub(before.cpu),
            written: self.written.saturating_sub(before.written),
        }
    }
}

impl Server {
    /// Starts it and waits until it prints the line that begins with `hospitals` and names its address. What it
    /// complains of goes to `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Server, Failed> {
        let log_file = File::create(log).map_err(cannot("open a log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
        let mut child = command.spawn().map_err(cannot("start a server"))?;
        let out = child.stdout.take().map(BufReader::new);
        let address =
            out.and_then(|out| out.lines().map_while(Result::ok).find_map(|line| address_in(&line)));
        if let Some(address) = address {
            return Ok(Server { child, address });
        }
        let _killed = child.kill();
        let ended = child.wait().map_err(cannot("wait for a server"))?;
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(Failed::Said(format!("a server did not start ({ended}): {}", said.trim())))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end well and waits until it has.
    pub fn stop(&mut self) -> Result<(), Failed> {
        let kill = format!("kill -TERM {}", self.pid());
        Command::new("sh").args(["-c", &kill]).status().map_err(cannot("stop a server"))?;
        let ended = self.child.wait().map_err(cannot("wait for a server"))?;
        if ended.success() { Ok(()) } else { Err(Failed::Said(format!("a server ended badly: {ended}"))) }
    }
}

/// A run that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let url = line.strip_prefix("hospitals")?.trim().strip_prefix("https://")?;
    url.split('/').next()?.parse().ok()
}

/// Whose use of the machine is counted.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    pub process: Option<u32>,
    /// A database's first process: its children count too.
    pub database: Option<u32>,
}

impl Meter {
    /// This program.
    pub fn this() -> Meter {
        Meter { process: Some(std::process::id()), database: None }
    }

    /// What they have used so far. Linux only: elsewhere nothing is known.
    pub fn used(&self) -> Used {
        let children = self.database.map(children_of).unwrap_or_default();
        let all = self.process.into_iter().chain(self.database).chain(children);
        all.map(used).fold(Used::default(), |sum, one| Used {
            cpu: sum.cpu + one.cpu,
            written: sum.written + one.written,
        })
    }
}

fn used(pid: u32) -> Used {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    Used { cpu: cpu_in(&read("stat")), written: written_in(&read("io")) }
}

/// Bytes of memory that a process has held at most.
pub fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn children_of(parent: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time are the 14th and 15th word, those of children that have ended the next two, all in hundredths of
/// a second; the second word may hold blanks.
fn cpu_in(stat: &str) -> Duration {
    const TICK_MS: u64 = 10;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK_MS)
}

fn written_in(io: &str) -> u64 {
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_used_is_user_and_system_time_whatever_the_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 10 20 30 40 150 50 0 0 20 0 4 0 100 1000 10";
        assert_eq!(cpu_in(stat), Duration::from_secs(2));
    }

    #[test]
    fn the_address_is_the_hospitals() {
        let found = address_in("hospitals  https://127.0.0.1:8443/fsi/api/x");
        assert_eq!(found, Some(SocketAddr::from(([127, 0, 0, 1], 8443))));
        assert_eq!(address_in("persons    http://127.0.0.1:8445/"), None);
    }
}
