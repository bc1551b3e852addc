//! Owns a throw-away PostgreSQL server for tests and load tests: its own folder, its own port, durable as shipped, and
//! gone with the program that started it, however that ends.

pub mod archive;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;

/// How long a server may take to start, stop or die.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    #[error("PostgreSQL is not installed: no `{program}` in PATH or in {FOLDERS}/*/bin")]
    NotInstalled { program: &'static str },
    #[error("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it")]
    NoUser,
    #[error("could not {what}")]
    System {
        what: &'static str,
        #[source]
        cause: io::Error,
    },
    #[error("`{program}` failed: {told}")]
    Failed { program: String, told: String },
    #[error("PostgreSQL did not {what} within {} s: {log}", PATIENCE.as_secs())]
    TooLong { what: &'static str, log: String },
}

/// Where Debian keeps the programs of a server.
const FOLDERS: &str = "/usr/lib/postgresql";

/// A running, killed or stopped server. Its superuser `postgres` needs no password.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    name: String,
    options: Vec<String>,
    process: Option<Child>,
    /// Ends server and folder when its input is closed, which it is when this program ends.
    guard: Child,
}

impl Server {
    /// # Errors
    /// When PostgreSQL is not there or does not start.
    pub fn start() -> Result<Server, NoServer> {
        Server::start_with(&[])
    }

    /// With further settings, such as `("shared_buffers", "512MB")`.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Server, NoServer> {
        Server::start_in(&std::env::temp_dir(), settings)
    }

    /// With its folder below another one, which the server's user may enter.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_in(parent: &Path, settings: &[(&str, &str)]) -> Result<Server, NoServer> {
        let mut server = Server::place("primary", settings, parent)?;
        let data = server.data();
        let data = data.to_string_lossy();
        run("initdb", |c| {
            c.args(["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]).args([
                "--locale",
                "C",
                "--no-sync",
            ])
        })?;
        server.restart()?;
        Ok(server)
    }

    /// A further server that follows this one; `name` is what `synchronous_standby_names` calls it.
    ///
    /// # Errors
    /// As `start`.
    pub fn standby_of(primary: &Server, name: &str) -> Result<Server, NoServer> {
        let mut server = Server::place(name, &[], &std::env::temp_dir())?;
        server.options.clone_from(&primary.options);
        server.copy(primary)?;
        Ok(server)
    }

    /// Gives up what it holds and comes back as a standby of another server, at its own port: what becomes of a killed
    /// primary.
    ///
    /// # Errors
    /// As `start`.
    pub fn rebuild_from(&mut self, primary: &Server) -> Result<(), NoServer> {
        self.stop()?;
        fs::remove_dir_all(self.data()).map_err(system("remove the server's data"))?;
        self.copy(primary)
    }

    /// Makes a running standby follow another server.
    ///
    /// # Errors
    /// When it refuses.
    pub fn follow(&self, primary: &Server) -> Result<(), NoServer> {
        self.set("primary_conninfo", &self.way_to(primary))
    }

    fn copy(&mut self, primary: &Server) -> Result<(), NoServer> {
        let (data, from) = (self.data(), self.way_to(primary));
        let data = data.to_string_lossy();
        run("pg_basebackup", |c| c.args(["-D", &data, "-R", "-c", "fast", "--no-sync", "-d", &from]))?;
        self.restart()
    }

    fn way_to(&self, primary: &Server) -> String {
        let Server { port, .. } = primary;
        format!("host=127.0.0.1 port={port} user=postgres application_name={}", self.name)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// An empty database of a name of its own; gives its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_database(&self) -> Result<String, NoServer> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("banyan{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// Runs statements and gives what they print: a line a row, `|` between columns.
    ///
    /// # Errors
    /// When the server refuses them or is not there.
    pub fn query(&self, database: &str, sql: &str) -> Result<String, NoServer> {
        let url = self.url(database);
        run("psql", |c| c.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql]))
    }

    /// Changes a setting of the running server, `synchronous_standby_names` for instance.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn set(&self, name: &str, value: &str) -> Result<(), NoServer> {
        self.query("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.query("postgres", "SELECT pg_reload_conf()").map(|_| ())
    }

    /// Kills every process of the server at once, as a power cut would.
    ///
    /// # Errors
    /// When one of them cannot be killed.
    pub fn kill(&mut self) -> Result<(), NoServer> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let failed = |cause: rustix::io::Errno| system("kill the server")(cause.into());
        let postmaster = Pid::from_child(&process);
        // Stopped first, so that it starts no process that the list lacks.
        rustix::process::kill_process(postmaster, Signal::STOP).map_err(failed)?;
        let children = children_of(process.id());
        for pid in children.iter().copied().chain([postmaster]) {
            match rustix::process::kill_process(pid, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(cause) => return Err(failed(cause)),
            }
        }
        process.wait().map_err(system("wait for the killed server"))?;
        let gone = || children.iter().all(|pid| !is_alive(*pid)).then_some(());
        self.poll("die", gone)?;
        // Its number may soon be another program's.
        remove(&self.pid_file()).map_err(system("remove the server's pid file"))
    }

    /// Stops every process of the server where it is: connections are still taken, and nothing is ever answered.
    ///
    /// # Errors
    /// When one of them cannot be stopped.
    pub fn stop_answering(&self) -> Result<(), NoServer> {
        let Some(process) = &self.process else { return Ok(()) };
        let postmaster = Pid::from_child(process);
        // First, so that it starts no process that the list lacks.
        self.halt(&[postmaster])?;
        self.halt(&children_of(process.id()))
    }

    fn halt(&self, processes: &[Pid]) -> Result<(), NoServer> {
        signal(processes, Signal::STOP)?;
        let halted = |pid: &Pid| {
            !is_alive(*pid) || stat(pid.as_raw_nonzero().get()).is_some_and(|(state, _)| state == "T")
        };
        self.poll("halt", || processes.iter().all(halted).then_some(()))
    }

    /// Goes on where `stop_answering` stopped it.
    ///
    /// # Errors
    /// When one of its processes does not.
    pub fn go_on(&self) -> Result<(), NoServer> {
        let Some(process) = &self.process else { return Ok(()) };
        signal(&children_of(process.id()), Signal::CONT)?;
        signal(&[Pid::from_child(process)], Signal::CONT)
    }

    /// Writes a file into the server's data as the server wants it: its own, and open to nobody else. It is read at the
    /// next start.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, name: &str, text: &str) -> Result<(), NoServer> {
        let file = self.data().join(name);
        fs::write(&file, text).map_err(system("write a file of the server"))?;
        if let Some((user, group)) = user()? {
            chown(&file, Some(user), Some(group)).map_err(system("give the server a file"))?;
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
            .map_err(system("close a file of the server"))
    }

    /// Stops it in order, if it runs.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&mut self) -> Result<(), NoServer> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        rustix::process::kill_process(Pid::from_child(&process), Signal::INT)
            .map_err(|cause| system("stop the server")(cause.into()))?;
        self.poll("stop", || process.try_wait().ok().flatten().map(|_| ()))
    }

    /// It has ended by itself, after a fault that it could not go on with.
    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(Some(_))))
    }

    /// Starts it again on its folder and port, after `kill` or `stop` or in their stead.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), NoServer> {
        self.stop()?;
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.map_err(system("open the server's log"))?;
        let again = log.try_clone().map_err(system("open the server's log"))?;
        let mut command = command("postgres")?;
        let (port, data) = (self.port.to_string(), self.data());
        command.args(["-D", &data.to_string_lossy(), "-p", &port]).args(&self.options);
        command.stdin(Stdio::null()).stdout(log).stderr(again).process_group(0);
        let mut process = command.spawn().map_err(system("start postgres"))?;
        let pid = process.id().to_string();
        let ready = || {
            let told = fs::read_to_string(self.pid_file()).unwrap_or_default();
            let lines: Vec<_> = told.lines().map(str::trim).collect();
            let ready =
                lines.first() == Some(&pid.as_str()) && matches!(lines.get(7), Some(&"ready" | &"standby"));
            // One that has ended is told by what it says below.
            (ready || matches!(process.try_wait(), Ok(Some(_)))).then_some(ready)
        };
        let ready = self.poll("start", ready)?;
        self.process = Some(process);
        if ready { Ok(()) } else { Err(NoServer::TooLong { what: "start", log: self.log() }) }
    }

    /// Makes a standby the primary.
    ///
    /// # Errors
    /// When it is none, or does not become one.
    pub fn promote(&self) -> Result<(), NoServer> {
        self.query("postgres", "SELECT pg_promote(true, 60)").map(|_| ())
    }

    /// What the server has said, from its end.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// A folder that the server's user owns, a port, and the guard that removes the one and ends what is on the other.
    fn place(name: &str, settings: &[(&str, &str)], parent: &Path) -> Result<Server, NoServer> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("banyan-postgres-{}-{number}", std::process::id());
        let folder = parent.join(folder);
        fs::create_dir(&folder).map_err(system("make the server's folder"))?;
        if let Some((user, group)) = user()? {
            chown(&folder, Some(user), Some(group)).map_err(system("give the server its folder"))?;
        }
        let port = free_port().map_err(system("find a free port"))?;
        let sockets = folder.to_string_lossy().into_owned();
        let ours = [("unix_socket_directories", sockets.as_str()), ("listen_addresses", "127.0.0.1")];
        let options =
            ours.iter().chain(settings).flat_map(|(key, value)| ["-c".into(), format!("{key}={value}")]);
        let options = options.collect();
        let guard = guard(&folder).map_err(system("start the server's guard"))?;
        Ok(Server { folder, port, name: name.into(), options, process: None, guard })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    fn poll<T>(&self, what: &'static str, mut done: impl FnMut() -> Option<T>) -> Result<T, NoServer> {
        for _ in 0..PATIENCE.as_millis() / POLL.as_millis() {
            if let Some(done) = done() {
                return Ok(done);
            }
            std::thread::sleep(POLL);
        }
        Err(NoServer::TooLong { what, log: self.log() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guard does the rest, and does it too when this program is killed.
        drop(self.guard.stdin.take());
        let _ended = self.guard.wait();
        if let Some(mut process) = self.process.take() {
            let _ended = process.wait();
        }
    }
}

/// Waits for the end of its input, then ends whatever server runs in the folder and removes the folder.
fn guard(folder: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"trap '' INT TERM HUP
        cat > /dev/null
        pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null)
        if [ -n "$pid" ]; then
            kill -QUIT "$pid" 2> /dev/null
            kill -CONT "$pid" 2> /dev/null
            tries=0
            while kill -0 "$pid" 2> /dev/null && [ -e "$0/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do
                sleep 0.05
                tries=$((tries + 1))
            done
        fi
        rm -rf "$0""#;
    let mut command = Command::new("sh");
    command.arg("-c").arg(SCRIPT).arg(folder).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
}

fn run(
    program: &'static str,
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<String, NoServer> {
    let mut command = command(program)?;
    let done = arguments(&mut command).stdin(Stdio::null()).output().map_err(system("start a program"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned());
    }
    let told = String::from_utf8_lossy(&done.stderr).trim_end().to_owned();
    Err(NoServer::Failed { program: program.into(), told })
}

/// As the server's user, in a folder that this user may be in.
fn command(program: &'static str) -> Result<Command, NoServer> {
    let mut command = Command::new(find(program)?);
    // Ours may be closed to that user, and what lies there is not about this server.
    command.current_dir("/").env("HOME", "/").env("LC_ALL", "C");
    if let Some((user, group)) = user()? {
        command.uid(user).gid(group);
    }
    Ok(command)
}

fn find(program: &'static str) -> Result<PathBuf, NoServer> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(program));
    let versions = fs::read_dir(FOLDERS).into_iter().flatten().flatten();
    let mut installed: Vec<_> = versions.map(|version| version.path().join("bin").join(program)).collect();
    installed.sort();
    // Debian's wrappers for clients are on the path; the newest server's own programs come first.
    let mut places = installed.into_iter().rev().chain(on_path);
    places.find(|place| place.is_file()).ok_or(NoServer::NotInstalled { program })
}

/// Whom the server must run as: `None` when it may run as we do.
fn user() -> Result<Option<(u32, u32)>, NoServer> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(system("read the users"))?;
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut columns = line.split(':').skip(2).map(str::parse);
        Some((columns.next()?.ok()?, columns.next()?.ok()?))
    };
    of("postgres").or_else(|| of("nobody")).map(Some).ok_or(NoServer::NoUser)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn children_of(parent: u32) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |pid: &i32| stat(*pid).is_some_and(|(_, of)| of == parent.to_string());
    numbers.filter(is_child).filter_map(Pid::from_raw).collect()
}

fn is_alive(pid: Pid) -> bool {
    stat(pid.as_raw_nonzero().get()).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process.
fn stat(pid: i32) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything but ends with the last parenthesis.
    let mut columns = stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned);
    Some((columns.next()?, columns.next()?))
}

/// One that has ended meanwhile is none to tell.
fn signal(processes: &[Pid], signal: Signal) -> Result<(), NoServer> {
    for pid in processes {
        match rustix::process::kill_process(*pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(cause) => return Err(system("tell a process of the server")(cause.into())),
        }
    }
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> NoServer {
    move |cause| NoServer::System { what, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_outlives_a_kill_and_a_standby_takes_over() {
        let mut server = Server::start().unwrap();
        server.create_database().unwrap();
        server.query("postgres", "CREATE TABLE kept (word TEXT); INSERT INTO kept VALUES ('first')").unwrap();
        server.kill().unwrap();
        assert!(server.query("postgres", "SELECT 1").is_err());
        server.restart().unwrap();
        assert_eq!(server.query("postgres", "SELECT word FROM kept").unwrap(), "first");
        let standby = Server::standby_of(&server, "second").unwrap();
        server.set("synchronous_standby_names", "ANY 1 (second)").unwrap();
        server.query("postgres", "INSERT INTO kept VALUES ('last')").unwrap();
        server.kill().unwrap();
        standby.promote().unwrap();
        assert_eq!(standby.query("postgres", "SELECT word FROM kept").unwrap(), "first\nlast");
        let folders = [server.folder.clone(), standby.folder.clone()];
        drop((server, standby));
        assert!(folders.iter().all(|folder| !folder.exists()));
    }
}
