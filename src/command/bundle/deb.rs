//! Owns the form of a Debian package: an `ar` of its version, what dpkg is told, and the files, each a packed `tar`.

use std::collections::BTreeSet;
use std::io;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Builder;
use tar::EntryType;
use tar::Header;

/// What dpkg is told beside the files.
pub(super) struct Control {
    /// The file `control`.
    pub(super) fields: String,
    /// Names and texts of what runs when it is installed and removed.
    pub(super) scripts: &'static [(&'static str, &'static str)],
}

enum Kind {
    File(Vec<u8>),
    Folder,
    Link(String),
}

struct Entry {
    path: String,
    mode: u32,
    kind: Kind,
}

/// A package that is being filled. Everything in it belongs to root.
pub(super) struct Deb {
    /// Of every entry, in seconds since 1970.
    made: u64,
    entries: Vec<Entry>,
    /// What an upgrade does not replace when an operator has changed it.
    settings: Vec<String>,
}

impl Deb {
    pub(super) fn new(made: u64) -> Deb {
        Deb { made, entries: Vec::new(), settings: Vec::new() }
    }

    pub(super) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) {
        self.entries.push(Entry { path: path.to_owned(), mode, kind: Kind::File(bytes.to_owned()) });
    }

    pub(super) fn text(&mut self, path: &str, text: &str) {
        self.file(path, 0o644, text.as_bytes());
    }

    pub(super) fn setting(&mut self, path: &str, bytes: &[u8]) {
        self.file(path, 0o644, bytes);
        self.settings.push(path.to_owned());
    }

    pub(super) fn folder(&mut self, path: &str, mode: u32) {
        self.entries.push(Entry { path: path.to_owned(), mode, kind: Kind::Folder });
    }

    pub(super) fn link(&mut self, path: &str, to: &str) {
        self.entries.push(Entry { path: path.to_owned(), mode: 0o777, kind: Kind::Link(to.to_owned()) });
    }

    /// The package's bytes.
    ///
    /// # Errors
    /// When a path is longer than a tar can hold.
    pub(super) fn finish(self, control: &Control) -> io::Result<Vec<u8>> {
        let told = self.told(control)?;
        let files = self.files()?;
        let mut package = b"!<arch>\n".to_vec();
        for (name, bytes) in
            [("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", told), ("data.tar.gz", files)]
        {
            let (made, length) = (self.made, bytes.len());
            writeln!(package, "{name:<16}{made:<12}{:<6}{:<6}{:<8}{length:<10}`", 0, 0, "100644")?;
            package.extend(bytes);
            if package.len() % 2 == 1 {
                package.push(b'\n');
            }
        }
        Ok(package)
    }

    fn told(&self, control: &Control) -> io::Result<Vec<u8>> {
        let mut tar = packed();
        let size: usize = self.entries.iter().map(|entry| entry.size()).sum();
        let fields = format!("{}Installed-Size: {}\n", ahead(&control.fields), size.div_ceil(1024));
        let fields = format!("{fields}{}", last(&control.fields));
        self.append(&mut tar, "./", 0o755, &Kind::Folder)?;
        self.append(&mut tar, "control", 0o644, &Kind::File(fields.into_bytes()))?;
        let settings: String = self.settings.iter().map(|path| format!("/{path}\n")).collect();
        self.append(&mut tar, "conffiles", 0o644, &Kind::File(settings.into_bytes()))?;
        for (name, text) in control.scripts {
            let text = Kind::File(text.as_bytes().to_vec());
            self.append(&mut tar, name, 0o755, &text)?;
        }
        tar.into_inner()?.finish()
    }

    fn files(&self) -> io::Result<Vec<u8>> {
        let mut tar = packed();
        self.append(&mut tar, "./", 0o755, &Kind::Folder)?;
        let mut there = BTreeSet::new();
        for Entry { path, mode, kind } in &self.entries {
            // Folders come before what lies in them.
            for (at, _) in path.match_indices('/') {
                let above = &path[..at];
                let named = self.entries.iter().any(|entry| entry.path == above);
                if !named && there.insert(above.to_owned()) {
                    self.append(&mut tar, &format!("{above}/"), 0o755, &Kind::Folder)?;
                }
            }
            let slash = if matches!(kind, Kind::Folder) { "/" } else { "" };
            self.append(&mut tar, &format!("{path}{slash}"), *mode, kind)?;
        }
        tar.into_inner()?.finish()
    }

    fn append(
        &self,
        tar: &mut Builder<GzEncoder<Vec<u8>>>,
        path: &str,
        mode: u32,
        kind: &Kind,
    ) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_mode(mode);
        header.set_mtime(self.made);
        header.set_username("root")?;
        header.set_groupname("root")?;
        let bytes = match kind {
            Kind::File(bytes) => bytes.as_slice(),
            Kind::Folder => {
                header.set_entry_type(EntryType::Directory);
                &[]
            }
            Kind::Link(to) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                return tar.append_link(&mut header, path, to);
            }
        };
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, bytes)
    }
}

impl Entry {
    fn size(&self) -> usize {
        match &self.kind {
            Kind::File(bytes) => bytes.len(),
            Kind::Folder | Kind::Link(_) => 0,
        }
    }
}

fn packed() -> Builder<GzEncoder<Vec<u8>>> {
    Builder::new(GzEncoder::new(Vec::new(), Compression::default()))
}

/// The fields before the description, which ends the file.
fn ahead(fields: &str) -> &str {
    fields.find("Description:").map_or(fields, |at| &fields[..at])
}

fn last(fields: &str) -> &str {
    fields.find("Description:").map_or("", |at| &fields[at..])
}
