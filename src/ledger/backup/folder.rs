//! Owns a folder of backups: which files it has, that each goes on where the one before ended, and how one more is put
//! into it whole or not at all.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use crate::ledger::Witness;
use crate::ledger::backup::BackupError;
use crate::ledger::backup::header::Header;
use crate::ledger::backup::header::Part;
use crate::ledger::seal::anchor;
use crate::vault::key_file::sync_folder_of;
use crate::vault::key_store::KeyStore;

const ENDING: &str = ".backup";
/// A file that is being written, or was when the machine stopped.
const UNFINISHED: &str = ".unfinished";

/// The files of a folder, in order, without a gap.
#[derive(Clone, Debug)]
pub struct Folder {
    pub path: PathBuf,
    pub files: Vec<(PathBuf, Header)>,
}

impl Folder {
    /// Reads the beginning of every file. A folder that is not there has none.
    ///
    /// # Errors
    /// When a file is not what its name says, one is missing in between, or two do not belong together.
    pub fn read(path: &Path) -> Result<Folder, BackupError> {
        let mut files = Vec::new();
        for file in names(path)? {
            let (part, _) = Part::open(&file)?;
            if file.file_name() != Some(name_of(&part.header).as_ref()) {
                return Err(BackupError::damaged(&file, "has another name than it was given"));
            }
            files.push((file, part.header));
        }
        files.sort_by_key(|(_, header)| (header.from, header.to));
        let folder = Folder { path: path.to_owned(), files };
        folder.hold_together()?;
        Ok(folder)
    }

    /// The same; there must be a file.
    pub fn read_some(path: &Path) -> Result<Folder, BackupError> {
        let folder = Folder::read(path)?;
        if folder.files.is_empty() {
            return Err(BackupError::Empty { folder: path.to_owned() });
        }
        Ok(folder)
    }

    /// The last anchor.
    pub fn end(&self) -> Option<Witness> {
        self.files.last().map(|(_, header)| header.end())
    }

    /// Anchors of which the hash is known without opening a file, the oldest first.
    pub fn known(&self) -> Vec<Witness> {
        let first = self.files.first().map(|(_, header)| Witness { number: 1, hash: header.ledger });
        first.into_iter().chain(self.files.iter().map(|(_, header)| header.end())).collect()
    }

    fn hold_together(&self) -> Result<(), BackupError> {
        let mut end = Witness { number: 0, hash: anchor::BEGINNING };
        for (path, header) in &self.files {
            if header.ledger != self.files[0].1.ledger || header.lookup != self.files[0].1.lookup {
                return Err(BackupError::OtherLedger { path: path.clone() });
            }
            if header.from > end.number {
                let (first, last) = (end.number + 1, header.from);
                return Err(BackupError::Gap { folder: self.path.clone(), first, last });
            }
            if header.begin() != end {
                let what = format!("does not go on where the file before ended, at anchor {}", end.number);
                return Err(BackupError::damaged(path, what));
            }
            end = header.end();
        }
        Ok(())
    }
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::disk(folder, "read"))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(BackupError::disk(folder, "read"))?;
    paths.retain(|path| path.to_string_lossy().ends_with(ENDING));
    Ok(paths)
}

/// `anchors-000000001-000000042.backup`.
fn name_of(header: &Header) -> String {
    format!("anchors-{:09}-{:09}{ENDING}", header.from + 1, header.to)
}

/// The right to add to a folder; one at a time has it.
#[derive(Debug)]
pub struct Adding {
    folder: PathBuf,
    _lock: File,
}

impl Adding {
    /// Makes the folder where there is none, and drops what a backup that was killed has left.
    pub fn begin(folder: &Path) -> Result<Adding, BackupError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.and_then(|()| sync_folder_of(folder)).map_err(BackupError::disk(folder, "made"))?;
        let lock = locked(&folder.join(".lock"))?;
        let leftovers = fs::read_dir(folder).map_err(BackupError::disk(folder, "read"))?;
        for path in leftovers.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.to_string_lossy().ends_with(&format!("{ENDING}{UNFINISHED}")) {
                fs::remove_file(&path).map_err(BackupError::disk(&path, "removed"))?;
            }
        }
        Ok(Adding { folder: folder.to_owned(), _lock: lock })
    }

    /// Lets `write` fill a file, which gets its name once it is whole and durable.
    pub fn add(
        &self,
        header: &Header,
        write: impl FnOnce(&Path, &mut File) -> Result<(), BackupError>,
    ) -> Result<PathBuf, BackupError> {
        let path = self.folder.join(name_of(header));
        let unfinished = self.folder.join(format!("{}{UNFINISHED}", name_of(header)));
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&unfinished).map_err(BackupError::disk(&unfinished, "made"))?;
        let done = write(&unfinished, &mut file).and_then(|()| {
            let durable = file.sync_all().and_then(|()| fs::rename(&unfinished, &path));
            durable.and_then(|()| sync_folder_of(&path)).map_err(BackupError::disk(&path, "written"))
        });
        if done.is_err() {
            // What cannot be removed now is dropped by the next backup.
            let _left = fs::remove_file(&unfinished);
        }
        done.map(|()| path)
    }

    /// Wraps the key of each file anew that another master than the store's wraps, so that the other can be given up.
    /// Gives how many there were.
    pub fn rewrap(&self, folder: &Folder, keys: &KeyStore) -> Result<usize, BackupError> {
        let mut count = 0;
        for (path, _) in &folder.files {
            let (part, mut body) = Part::open(path)?;
            let key = keys.rewrap_stream_key(part.header.file.as_bytes(), &part.key);
            let key = key.map_err(|cause| BackupError::Key { path: path.clone(), cause })?;
            let Some(key) = key else { continue };
            let (lines, facts) = Part::lines(&part.header, &key);
            if facts != part.facts {
                return Err(BackupError::NotABackup { path: path.clone() });
            }
            self.add(&part.header, |name, file| {
                let written = file.write_all(lines.as_bytes()).and_then(|()| io::copy(&mut body, file));
                written.map(|_| ()).map_err(BackupError::disk(name, "written"))
            })?;
            count += 1;
        }
        Ok(count)
    }
}

/// Takes a file for oneself, made where there is none. Given back when it is closed, also by a kill.
pub fn locked(path: &Path) -> Result<File, BackupError> {
    let mut options = fs::OpenOptions::new();
    let options = options.create(true).append(true).mode(0o600);
    let file = options.open(path).map_err(BackupError::disk(path, "made"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(BackupError::disk(path, "locked")(cause)),
    }
}
