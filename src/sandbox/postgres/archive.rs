//! Owns a server whose log is archived, a base backup of it, and a server that is made of both, as an operator does it.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use crate::sandbox::postgres::NoServer;
use crate::sandbox::postgres::Server;
use crate::sandbox::postgres::run;
use crate::sandbox::postgres::system;
use crate::sandbox::postgres::user;

/// Puts each finished piece of the log into a folder: whole, durable, and never over another. docs/province.md shows it.
pub fn archive_command(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "test ! -f {folder}/%f && cp %p {folder}/%f.part && sync {folder}/%f.part && mv {folder}/%f.part {folder}/%f"
    )
}

/// Fetches a piece back.
pub fn restore_command(folder: &Path) -> String {
    format!("cp {}/%f %p", folder.display())
}

/// Lets the server's user write into a folder.
fn give(folder: &Path) -> Result<(), NoServer> {
    let Some((user, group)) = user()? else { return Ok(()) };
    chown(folder, Some(user), Some(group)).map_err(system("give the server a folder"))
}

impl Server {
    /// Lets the server write into a folder, a base backup for instance.
    ///
    /// # Errors
    /// When the folder is not ours to give.
    pub fn give(&self, folder: &Path) -> Result<(), NoServer> {
        give(folder)
    }

    /// As `start`; its log goes into that folder, which is given to its user.
    ///
    /// # Errors
    /// As `start`.
    pub fn archiving(folder: &Path) -> Result<Server, NoServer> {
        give(folder)?;
        Server::start_with(&[("archive_mode", "on"), ("archive_command", &archive_command(folder))])
    }

    /// A copy of the server while it works, into a folder that is not there yet.
    ///
    /// # Errors
    /// When the server or the disk refuses.
    pub fn base_backup(&self, to: &Path) -> Result<(), NoServer> {
        let from = self.url("postgres");
        let to = to.to_string_lossy();
        run("pg_basebackup", |c| c.args(["-D", &to, "-c", "fast", "-X", "stream", "-d", &from])).map(|_| ())
    }

    /// The piece of the log that is being written is finished, and everything finished is in the archive.
    ///
    /// # Errors
    /// When it does not come there.
    pub fn archive_all(&self) -> Result<(), NoServer> {
        const FINISH: &str = "SELECT pg_walfile_name(pg_switch_wal())";
        const ARCHIVED: &str = "SELECT COALESCE(MAX(last_archived_wal), '') FROM pg_stat_archiver";
        let last = self.query("postgres", FINISH)?;
        let there = || self.query("postgres", ARCHIVED).ok().filter(|wal| *wal >= last).map(|_| ());
        self.poll("archive its log", there)
    }

    /// A new server made of a base backup and an archive, to their end.
    ///
    /// # Errors
    /// As `start`.
    pub fn restored(backup: &Path, archive: &Path) -> Result<Server, NoServer> {
        let command = restore_command(archive);
        let settings = [("restore_command", command.as_str()), ("recovery_target_timeline", "latest")];
        let mut server = Server::place("restored", &settings, &std::env::temp_dir())?;
        let (from, data) = (backup.to_string_lossy(), server.data());
        run("cp", |c| c.args(["-a", &from, &data.to_string_lossy()]))?;
        let signal = data.join("recovery.signal");
        run("touch", |c| c.arg(&signal))?;
        fs::metadata(&signal).map_err(system("say that it is a recovery"))?;
        server.restart()?;
        let over = || {
            let asked = server.query("postgres", "SELECT pg_is_in_recovery()");
            asked.is_ok_and(|said| said == "f").then_some(())
        };
        server.poll("end its recovery", over)?;
        Ok(server)
    }
}
