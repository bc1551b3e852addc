//! A gateway as a process of its own, at an address that outlives it.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_banyan");

pub(crate) struct Node {
    pub(crate) binary: PathBuf,
    pub(crate) settings: PathBuf,
    pub(crate) address: SocketAddr,
    process: Option<Child>,
}

impl Node {
    /// The settings name the address.
    pub(crate) fn start(settings: PathBuf, address: SocketAddr) -> Node {
        let mut node = Node { binary: BINARY.into(), settings, address, process: None };
        node.run();
        node
    }

    /// Until it says where it listens. Blocks the thread.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--config").arg(&self.settings);
        // What it has to tell of faults that the test makes stays beside its settings.
        let log = self.settings.with_extension("log");
        let log = File::options().append(true).create(true).open(log).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().starts_with("hospitals"));
        self.process = Some(process);
        assert!(ready, "a node did not start");
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM: it ends well, with nothing cut. Blocks the thread.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(process.wait().unwrap().success(), "it was cut off");
    }

    /// It is the process that was started last.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_none())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ended = process.kill();
            let _ended = process.wait();
        }
    }
}

/// Below the ports that the system gives to whoever asks for any: nobody takes it while its node is away.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap() + 20_000;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
