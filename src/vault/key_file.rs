//! Owns how a secret is read from a file: 64 hexadecimal digits, readable by its owner alone, wiped after use.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use ring::rand::SecureRandom as _;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use crate::vault::hex;

/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadKeyFile {
    #[error(
        "key file {path} cannot be read; for a new ledger `banyan keys make` makes it, for one that is there put its copy back"
    )]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("key file {path} is open to others (mode {mode:o}); run: chmod 600 {path}")]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("key file {path} must hold 64 hexadecimal digits, it holds {digits} characters")]
    Malformed { path: PathBuf, digits: usize },
    #[error("key file {path} cannot be made")]
    Unwritable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("no randomness from the system to make key file {path}")]
    NoRandomness { path: PathBuf },
}

/// Reads a key. A file that others may read is refused before it is opened.
pub fn read(path: &Path) -> Result<Secret, BadKeyFile> {
    let unreadable = |cause| BadKeyFile::Unreadable { path: path.to_owned(), cause };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BadKeyFile::OpenToOthers { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    let digits = text.trim();
    decode(digits).ok_or(BadKeyFile::Malformed { path: path.to_owned(), digits: digits.chars().count() })
}

/// Makes a key file with fresh random bytes, mode 600. An existing file is never replaced.
pub fn make(path: &Path) -> Result<Secret, BadKeyFile> {
    let mut secret = Secret::default();
    SystemRandom::new()
        .fill(secret.as_mut())
        .map_err(|_| BadKeyFile::NoRandomness { path: path.to_owned() })?;
    let text = Zeroizing::new(hex::encode(secret.as_slice()));
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| sync_folder_of(path))
        .map_err(|cause| BadKeyFile::Unwritable { path: path.to_owned(), cause })?;
    Ok(secret)
}

/// Makes sure that a file that was just made or renamed is still in its folder after a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn decode(digits: &str) -> Option<Secret> {
    let mut secret = Secret::default();
    hex::decode_into(digits, &mut secret).map(|()| secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_reads_back_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lookup.key");
        let made = make(&path).unwrap();
        assert_eq!(*read(&path).unwrap(), *made);
        assert!(matches!(make(&path), Err(BadKeyFile::Unwritable { .. })));
        assert_eq!(*read(&path).unwrap(), *made);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lookup.key");
        make(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = read(&path).unwrap_err().to_string();
        assert!(refusal.contains("mode 640") && refusal.contains("chmod 600"), "{refusal}");
    }

    #[test]
    fn a_short_or_wrong_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (at, text) in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"+1".repeat(32)].iter().enumerate() {
            let path = folder.path().join(format!("{at}.key"));
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(read(&path), Err(BadKeyFile::Malformed { .. })), "{text:?}");
        }
        assert!(matches!(read(&folder.path().join("none")), Err(BadKeyFile::Unreadable { .. })));
    }
}
