//! Owns the body of a backup file: rows, cut into pieces that are encrypted one by one.
//!
//! A chunk is: 1 when it is the last, else 0 (1 byte) ‖ length of the rest (4, big-endian) ‖ nonce ‖ ciphertext ‖ tag. It opens
//! only in its file, at its number and with its mark: what was cut, swapped, added or changed is found.

use std::io;
use std::io::Read;
use std::io::Write;

use crate::ledger::backup::row;
use crate::ledger::backup::row::FRAME;
use crate::ledger::backup::row::Row;
use crate::ledger::seal::merkle::Hash;
use crate::vault::key_store::stream::STREAM_OVERHEAD;
use crate::vault::key_store::stream::StreamKey;

/// Plain bytes in a chunk; the last may have fewer.
pub const CHUNK_BYTES: usize = 256 * 1024;

const HEAD: usize = 1 + 4;

/// What a chunk is bound to.
fn context(file: &Hash, number: u64, last: bool) -> Vec<u8> {
    [b"banyan backup chunk 1".as_slice(), file, &number.to_be_bytes(), &[last.into()]].concat()
}

/// Writes rows. Without [`RowWriter::finish`] the file has no end and is refused.
pub struct RowWriter<W> {
    out: W,
    key: StreamKey,
    file: Hash,
    number: u64,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

impl<W: Write> RowWriter<W> {
    /// `file` stands for the file's header.
    pub fn new(out: W, key: StreamKey, file: Hash) -> RowWriter<W> {
        RowWriter { out, key, file, number: 0, plain: Vec::new(), sealed: Vec::new() }
    }

    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        row::write(row, &mut self.plain);
        let whole = self.plain.len() - self.plain.len() % CHUNK_BYTES;
        if whole > 0 {
            let plain = std::mem::take(&mut self.plain);
            for chunk in plain[..whole].chunks(CHUNK_BYTES) {
                self.chunk(chunk, false)?;
            }
            self.plain = plain;
            self.plain.drain(..whole);
        }
        Ok(())
    }

    /// Writes the rest and the mark of the end.
    pub fn finish(mut self) -> io::Result<W> {
        let plain = std::mem::take(&mut self.plain);
        self.chunk(&plain, true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn chunk(&mut self, plain: &[u8], last: bool) -> io::Result<()> {
        self.sealed.clear();
        self.key.seal(&context(&self.file, self.number, last), plain, &mut self.sealed);
        self.number += 1;
        let length = u32::try_from(self.sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&[last.into()])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.sealed)
    }
}

/// Why the body of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadBody {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is cut off in chunk {0}: it has no end")]
    CutOff(u64),
    #[error("was changed in chunk {0}, or that chunk was moved there")]
    Changed(u64),
    #[error("goes on behind its end")]
    GoesOn,
    #[error("holds what is not a row in chunk {0}")]
    NotRows(u64),
}

/// Reads rows; holds one chunk and one row at a time.
pub struct RowReader<R> {
    from: R,
    key: StreamKey,
    file: Hash,
    number: u64,
    plain: Vec<u8>,
    /// Where the next row begins.
    at: usize,
    ended: bool,
}

impl<R: Read> RowReader<R> {
    pub fn new(from: R, key: StreamKey, file: Hash) -> RowReader<R> {
        RowReader { from, key, file, number: 0, plain: Vec::new(), at: 0, ended: false }
    }

    /// The next row, or nothing at the end, which is there.
    pub fn next_row(&mut self) -> Result<Option<Row>, BadBody> {
        loop {
            let rest = &self.plain[self.at..];
            let length = rest.first_chunk::<FRAME>().map(|frame| FRAME.saturating_add(row::length(*frame)));
            if let Some(bytes) = length.and_then(|length| rest.get(..length)) {
                let row = row::read(bytes).ok_or(BadBody::NotRows(self.number))?;
                self.at += bytes.len();
                return Ok(Some(row));
            }
            if self.ended {
                return if rest.is_empty() { Ok(None) } else { Err(BadBody::NotRows(self.number)) };
            }
            self.next_chunk()?;
        }
    }

    fn next_chunk(&mut self) -> Result<(), BadBody> {
        let number = self.number;
        let mut head = [0; HEAD];
        self.fill(&mut head)?;
        let [mark, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if mark > 1 || !(STREAM_OVERHEAD..=CHUNK_BYTES + STREAM_OVERHEAD).contains(&length) {
            return Err(BadBody::Changed(number));
        }
        let mut sealed = vec![0; length];
        self.fill(&mut sealed)?;
        let opened = self.key.open(&context(&self.file, number, mark == 1), &sealed);
        let plain = opened.map_err(|_| BadBody::Changed(number))?;
        self.plain.drain(..self.at);
        self.at = 0;
        self.plain.extend_from_slice(&plain);
        self.number += 1;
        self.ended = mark == 1;
        if self.ended && self.from.read(&mut [0])? > 0 {
            return Err(BadBody::GoesOn);
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BadBody> {
        self.from.read_exact(bytes).map_err(|cause| match cause.kind() {
            io::ErrorKind::UnexpectedEof => BadBody::CutOff(self.number),
            _ => BadBody::Unreadable(cause),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::backup::row::ReferenceRow;
    use crate::vault::key_store::KeyStore;
    use crate::vault::key_store::stream::WrappedStreamKey;

    struct Store {
        keys: KeyStore,
        wrapped: WrappedStreamKey,
        _folder: tempfile::TempDir,
    }

    fn rows(count: u64) -> Vec<Row> {
        let body = |n: u64| "x".repeat(usize::try_from(n % 7).unwrap() * 50_000);
        let row =
            |version| Row::Reference(ReferenceRow { version, body: body(version), ..Default::default() });
        (0..count).map(row).collect()
    }

    fn written(rows: &[Row]) -> (Store, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let master = crate::vault::master::MasterKey::new(&zeroize::Zeroizing::new([1; 32]));
        let keys = KeyStore::create(&folder.path().join("store.json"), &master, 0).unwrap();
        let (key, wrapped) = keys.make_stream_key(b"a file");
        let mut writer = RowWriter::new(Vec::new(), key, [7; 32]);
        rows.iter().for_each(|row| writer.write(row).unwrap());
        let bytes = writer.finish().unwrap();
        (Store { keys, wrapped, _folder: folder }, bytes)
    }

    fn read(store: &Store, bytes: &[u8], file: Hash) -> Result<Vec<Row>, BadBody> {
        let key = store.keys.open_stream_key(b"a file", &store.wrapped).unwrap();
        let mut reader = RowReader::new(bytes, key, file);
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row()? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// Where each chunk begins.
    fn chunks(bytes: &[u8]) -> Vec<usize> {
        let mut starts = vec![0];
        while let Some(head) =
            bytes.get(starts[starts.len() - 1] + 1..).and_then(|rest| rest.first_chunk::<4>())
        {
            let length = usize::try_from(u32::from_be_bytes(*head)).unwrap();
            starts.push(starts[starts.len() - 1] + HEAD + length);
        }
        starts
    }

    #[test]
    fn rows_come_back_whatever_their_length() {
        let rows = rows(10);
        let (store, bytes) = written(&rows);
        assert!(chunks(&bytes).len() > 4);
        assert_eq!(read(&store, &bytes, [7; 32]).unwrap(), rows);
        let (store, nothing) = written(&[]);
        assert_eq!(read(&store, &nothing, [7; 32]).unwrap(), []);
    }

    #[test]
    fn what_was_cut_swapped_repeated_added_or_changed_is_found() {
        let (store, bytes) = written(&rows(7));
        let starts = chunks(&bytes);
        let chunk = |n: usize| &bytes[starts[n]..starts[n + 1]];
        let last = starts.len() - 2;
        let all = |order: &[usize]| order.iter().flat_map(|n| chunk(*n).to_vec()).collect::<Vec<u8>>();
        let in_order: Vec<usize> = (0..=last).collect();
        let without = |n: usize| in_order.iter().copied().filter(|at| *at != n).collect::<Vec<_>>();
        let mut swapped = in_order.clone();
        swapped.swap(0, 1);
        let mut marked = bytes.clone();
        marked[starts[1]] = 1;
        let spoilt = [
            all(&swapped),
            all(&without(0)),
            all(&without(1)),
            all(&without(last)),
            all(&[in_order.as_slice(), &[last]].concat()),
            bytes[..bytes.len() - 1].to_vec(),
            bytes[..starts[1] + 2].to_vec(),
            marked,
            Vec::new(),
        ];
        for (at, bytes) in spoilt.iter().enumerate() {
            assert!(read(&store, bytes, [7; 32]).is_err(), "{at}");
        }
        for at in [0, 1, 4, 5, 20, starts[1] - 1, starts[last], starts[last] + 4, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&store, &changed, [7; 32]).is_err(), "byte {at}");
        }
        assert!(matches!(read(&store, &bytes, [8; 32]), Err(BadBody::Changed(0))), "another file's");
        assert!(matches!(read(&store, &bytes[..starts[2]], [7; 32]), Err(BadBody::CutOff(2))));
    }
}
