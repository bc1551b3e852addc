//! Owns a throw-away Redis: a real server in a folder of its own on a free port, which can be killed, stopped from
//! answering, made to follow another and promoted. It is gone with its folder when dropped.

use std::fs;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

/// Other programs may take a port between our asking for a free one and the server's using it.
const PORTS_TRIED: u32 = 10;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const READY: &str = "Ready to accept connections";
const FOLLOWS: &str = "sync: Finished with success";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum NoRedis {
    #[error("redis-server cannot be started; is it installed, and in PATH?")]
    NotStarted(#[source] io::Error),
    #[error("redis-server ended at its start: {0}")]
    Ended(String),
    #[error("redis-server does not do as it is told")]
    Deaf(#[from] io::Error),
}

/// A Redis that keeps nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    folder: PathBuf,
    port: u16,
    follows: Option<u16>,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Result<RedisServer, NoRedis> {
        RedisServer::start_as(None, &[])
    }

    /// With further arguments for the server.
    pub fn start_with(arguments: &[&str]) -> Result<RedisServer, NoRedis> {
        RedisServer::start_as(None, arguments)
    }

    /// Another server that holds what this one holds, from its start on.
    pub fn replica(&self) -> Result<RedisServer, NoRedis> {
        RedisServer::start_as(Some(self.port), &[])
    }

    fn start_as(follows: Option<u16>, arguments: &[&str]) -> Result<RedisServer, NoRedis> {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("banyan-redis-{}-{serial}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = RedisServer { folder, port: 0, follows, arguments, process: None };
        let mut last = NoRedis::Ended("no port is free".to_owned());
        for _ in 0..PORTS_TRIED {
            server.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            match server.run() {
                Ok(()) => return Ok(server),
                Err(NoRedis::Ended(why)) => last = NoRedis::Ended(why),
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    /// Returns when the server says that it is ready.
    fn run(&mut self) -> Result<(), NoRedis> {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "no", "--repl-diskless-sync-delay", "0", "--dir"]).arg(&self.folder);
        command.args(&self.arguments);
        if let Some(port) = self.follows {
            command.args(["--replicaof", "127.0.0.1", &port.to_string()]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(NoRedis::NotStarted)?;
        let mut told = BufReader::new(process.stdout.take().expect("asked for"));
        let awaited = if self.follows.is_some() { FOLLOWS } else { READY };
        let mut all = String::new();
        let mut line = String::new();
        while !line.contains(awaited) {
            line.clear();
            if told.read_line(&mut line)? == 0 {
                process.wait()?;
                return Err(NoRedis::Ended(all));
            }
            all.push_str(&line);
        }
        // Whoever does not read on stops the server at a full pipe.
        std::thread::spawn(move || io::copy(&mut told, &mut io::sink()));
        self.process = Some(process);
        Ok(())
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// As settings name it.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// kill -9: no goodbye, nothing kept.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself; then there is nothing to do.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts again at the same port, empty.
    pub fn restart(&mut self) -> Result<(), NoRedis> {
        self.kill();
        self.run()
    }

    /// SIGSTOP: connections are still taken, and nothing is ever answered.
    pub fn stop_answering(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    pub fn go_on(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let process = self.process.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(kill_process(Pid::from_child(process), signal)?)
    }

    /// Makes a replica a server of its own that takes writes.
    pub fn promote(&mut self) -> Result<(), NoRedis> {
        self.command("REPLICAOF NO ONE")?;
        self.follows = None;
        Ok(())
    }

    /// Sends one line as an operator would type it; gives the answer as it came.
    pub fn command(&self, line: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        Ok(answer.strip_suffix("+OK\r\n").unwrap_or(&answer).to_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // A folder that stays behind harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
