//! Owns the form of the key store's file: what stands in it, how its wholeness is proved, how it is replaced.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::vault::hex;
use crate::vault::key_file::sync_folder_of;
use crate::vault::key_store::Class;
use crate::vault::key_store::KeyStoreError;
use crate::vault::key_store::State;
use crate::vault::master::MasterKey;
use crate::vault::master::Masters;

const VERSION: u32 = 1;
/// A store of a thousand years is far smaller.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The file: the content, and a proof by the master that it is whole.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<C> {
    content: C,
    /// HMAC of the content without white space.
    proof: String,
}

#[derive(Deserialize)]
struct VersionOnly {
    content: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    version: u32,
    pub(super) made_ms: i64,
    /// Fingerprint of the master that proves the file and wraps new keys; others may still wrap old ones.
    pub(super) master: String,
    pub(super) data_keys: Vec<DataEntry>,
    pub(super) signing_keys: Vec<SigningEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataEntry {
    pub(super) number: u32,
    pub(super) class: Class,
    pub(super) month: u32,
    pub(super) made_ms: i64,
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrapped: Option<Wrapped>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningEntry {
    pub(super) id: String,
    pub(super) public: String,
    pub(super) made_ms: i64,
    pub(super) state: State,
    /// The secret half, while the key signs; a retired one needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrapped: Option<Wrapped>,
}

/// A key encrypted under a master.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    /// Fingerprint of the master.
    pub(super) master: String,
    /// Nonce, ciphertext and tag in hexadecimal digits.
    pub(super) bytes: String,
}

impl Content {
    pub(super) fn new(master: &MasterKey, now_ms: i64) -> Content {
        Content {
            version: VERSION,
            made_ms: now_ms,
            master: master.fingerprint(),
            data_keys: Vec::new(),
            signing_keys: Vec::new(),
        }
    }

    /// The secrets that stand in it, whichever kind.
    pub(super) fn wrapped(&self) -> impl Iterator<Item = &Wrapped> {
        let data = self.data_keys.iter().filter_map(|entry| entry.wrapped.as_ref());
        data.chain(self.signing_keys.iter().filter_map(|entry| entry.wrapped.as_ref()))
    }
}

/// Tells one state of the file from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    changed: (i64, i64),
    bytes: u64,
}

impl Stamp {
    fn of(file: &fs::Metadata) -> Stamp {
        Stamp { inode: file.ino(), changed: (file.mtime(), file.mtime_nsec()), bytes: file.len() }
    }
}

/// Where a store lies.
#[derive(Clone, Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new(path: &Path) -> Place {
        // A link is followed here, or the first change would replace the link instead of the file.
        Place(fs::canonicalize(path).unwrap_or_else(|_nothing_there_yet| path.to_owned()))
    }

    fn unusable(&self, cause: io::Error) -> KeyStoreError {
        let path = self.0.clone();
        if cause.kind() == io::ErrorKind::NotFound {
            KeyStoreError::Missing { path }
        } else {
            KeyStoreError::Unusable { path, cause }
        }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> KeyStoreError {
        KeyStoreError::Damaged { path: self.0.clone(), what: what.into() }
    }

    pub(super) fn other_master(&self, wanted: &str, held: &Masters) -> KeyStoreError {
        let (wanted, held) = (wanted.to_owned(), held.fingerprints());
        KeyStoreError::OtherMaster { path: self.0.clone(), wanted, held }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    }

    /// The file as it is now; nothing where it is not there.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.0).ok().as_ref().map(Stamp::of)
    }

    /// Reads and proves the file.
    pub(super) fn read(&self, masters: &Masters) -> Result<(Content, Stamp), KeyStoreError> {
        self.refuse_unless_private()?;
        let lock = self.lock_file()?;
        lock.lock_shared().map_err(|cause| self.unusable(cause))?;
        self.read_locked(masters)
    }

    /// The same without taking, or making, the lock file: the file is only ever replaced whole.
    pub(super) fn look(&self, masters: &Masters) -> Result<(Content, Stamp), KeyStoreError> {
        self.refuse_unless_private()?;
        self.read_locked(masters)
    }

    /// Writes the first content. A file that is there is never replaced.
    pub(super) fn create(&self, content: &Content, master: &MasterKey) -> Result<Stamp, KeyStoreError> {
        let lock = self.lock_file()?;
        lock.lock().map_err(|cause| self.unusable(cause))?;
        if self.0.exists() {
            return Err(KeyStoreError::AlreadyThere { path: self.0.clone() });
        }
        self.replace(content, master).map_err(|cause| self.unusable(cause))
    }

    /// Reads, lets `change` work, and replaces the file when it says that something changed. Whoever else wants to
    /// change the store, in this process or in another, waits until it is done.
    pub(super) fn change<T>(
        &self,
        masters: &Masters,
        change: impl FnOnce(&mut Content) -> Result<Changed<T>, KeyStoreError>,
    ) -> Result<(T, Content, Stamp), KeyStoreError> {
        self.refuse_unless_private()?;
        let lock = self.lock_file()?;
        lock.lock().map_err(|cause| self.unusable(cause))?;
        let (mut content, stamp) = self.read_locked(masters)?;
        match change(&mut content)? {
            Changed::No(told) => Ok((told, content, stamp)),
            Changed::Yes(told) => {
                let fingerprint = &content.master;
                let master =
                    masters.find(fingerprint).ok_or_else(|| self.other_master(fingerprint, masters))?;
                let stamp = self.replace(&content, master).map_err(|cause| self.unusable(cause))?;
                Ok((told, content, stamp))
            }
        }
    }

    /// Others may neither read it nor know how it is wrapped.
    fn refuse_unless_private(&self) -> Result<(), KeyStoreError> {
        let mode = fs::metadata(&self.0).map_err(|cause| self.unusable(cause))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyStoreError::OpenToOthers { path: self.0.clone(), mode });
        }
        Ok(())
    }

    fn lock_file(&self) -> Result<File, KeyStoreError> {
        let options = fs::OpenOptions::new().create(true).append(true).mode(0o600).clone();
        options
            .open(self.beside(".lock"))
            .map_err(|cause| KeyStoreError::Unusable { path: self.beside(".lock"), cause })
    }

    fn read_locked(&self, masters: &Masters) -> Result<(Content, Stamp), KeyStoreError> {
        let mut text = Vec::new();
        let unusable = |cause| self.unusable(cause);
        let file = File::open(&self.0).map_err(unusable)?;
        let stamp = Stamp::of(&file.metadata().map_err(unusable)?);
        file.take(BYTES_MAX).read_to_end(&mut text).map_err(unusable)?;
        Ok((self.proved(&text, masters)?, stamp))
    }

    fn proved(&self, text: &[u8], masters: &Masters) -> Result<Content, KeyStoreError> {
        let not_a_store = |cause: serde_json::Error| {
            self.damaged(format!("line {} is not as it was written", cause.line()))
        };
        let VersionOnly { content: Version { version } } =
            serde_json::from_slice(text).map_err(not_a_store)?;
        if version != VERSION {
            return Err(KeyStoreError::OtherVersion { path: self.0.clone(), version });
        }
        let Stored { content, proof } =
            serde_json::from_slice::<Stored<Content>>(text).map_err(not_a_store)?;
        let master =
            masters.find(&content.master).ok_or_else(|| self.other_master(&content.master, masters))?;
        if hex::encode(&master.proof(&compact(&content))) != proof {
            return Err(self.damaged("it is not what was written last under this master key"));
        }
        Ok(content)
    }

    /// A new file takes the place of the old one; the old one's bytes are overwritten, so that what was wrapped in it
    /// does not lie about on the disk.
    fn replace(&self, content: &Content, master: &MasterKey) -> io::Result<Stamp> {
        let fresh = self.beside(".new");
        match fs::remove_file(&fresh) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        let proof = hex::encode(&master.proof(&compact(content)));
        let mut text = serde_json::to_vec_pretty(&Stored { content, proof })?;
        text.push(b'\n');
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&text)?;
        file.sync_all()?;
        let stamp = Stamp::of(&file.metadata()?);
        let old = fs::OpenOptions::new().write(true).open(&self.0);
        fs::rename(&fresh, &self.0)?;
        sync_folder_of(&self.0)?;
        if let Ok(old) = old {
            overwrite(old)?;
        }
        Ok(stamp)
    }
}

/// What a change did.
pub(super) enum Changed<T> {
    Yes(T),
    No(T),
}

fn compact(content: &Content) -> Vec<u8> {
    serde_json::to_vec(content).expect("texts and numbers can always be written as JSON")
}

/// Zeros over a file that no folder names any more. One that is still named elsewhere is somebody's copy.
fn overwrite(mut old: File) -> io::Result<()> {
    let about = old.metadata()?;
    if about.nlink() == 0 {
        let zeros = vec![0; usize::try_from(about.len()).unwrap_or(0)];
        old.write_all(&zeros)?;
        old.sync_all()?;
    }
    Ok(())
}
