//! Owns how a column is read, whatever database gave the row. Whole numbers are `BIGINT`, words `TEXT`, the rest bytes.

use std::fmt::Display;

use rusqlite::types::FromSqlError;

use crate::domain::ids::Bucket;
use crate::domain::ids::PersonKey;
use crate::ledger::LedgerError;
use crate::ledger::key;

type Read<T> = Result<T, LedgerError>;

/// A row, its columns by their places.
pub(super) trait Row {
    fn int(&self, at: usize) -> Read<Option<i64>>;
    fn text(&self, at: usize) -> Read<Option<&str>>;
    fn bytes(&self, at: usize) -> Read<Option<&[u8]>>;
    /// Names of the columns: all that may be told of a row that cannot be read.
    fn names(&self) -> String;
}

impl Row for rusqlite::Row<'_> {
    fn int(&self, at: usize) -> Read<Option<i64>> {
        self.get(at).map_err(|cause| misread(self, &cause))
    }

    fn text(&self, at: usize) -> Read<Option<&str>> {
        let value = self.get_ref(at).map_err(|cause| misread(self, &cause))?;
        value.as_str_or_null().map_err(|cause: FromSqlError| misread(self, &cause))
    }

    fn bytes(&self, at: usize) -> Read<Option<&[u8]>> {
        let value = self.get_ref(at).map_err(|cause| misread(self, &cause))?;
        value.as_blob_or_null().map_err(|cause: FromSqlError| misread(self, &cause))
    }

    fn names(&self) -> String {
        self.as_ref().column_names().collect::<Vec<_>>().join(", ")
    }
}

impl Row for tokio_postgres::Row {
    fn int(&self, at: usize) -> Read<Option<i64>> {
        self.try_get(at).map_err(|cause| misread(self, &cause))
    }

    fn text(&self, at: usize) -> Read<Option<&str>> {
        self.try_get(at).map_err(|cause| misread(self, &cause))
    }

    fn bytes(&self, at: usize) -> Read<Option<&[u8]>> {
        self.try_get(at).map_err(|cause| misread(self, &cause))
    }

    fn names(&self) -> String {
        self.columns().iter().map(tokio_postgres::Column::name).collect::<Vec<_>>().join(", ")
    }
}

/// A part of a row that begins at a later column: several tables read in one statement.
pub(super) struct Shifted<'r, R: ?Sized>(pub(super) &'r R, pub(super) usize);

impl<R: Row + ?Sized> Row for Shifted<'_, R> {
    fn int(&self, at: usize) -> Read<Option<i64>> {
        self.0.int(self.1 + at)
    }

    fn text(&self, at: usize) -> Read<Option<&str>> {
        self.0.text(self.1 + at)
    }

    fn bytes(&self, at: usize) -> Read<Option<&[u8]>> {
        self.0.bytes(self.1 + at)
    }

    fn names(&self) -> String {
        self.0.names()
    }
}

/// What a column can be read as.
pub(super) trait Column: Sized {
    /// `None` where the column holds nothing.
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<Self>>;
}

impl Column for i64 {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<i64>> {
        row.int(at)
    }
}

macro_rules! narrower {
    ($($whole:ty),*) => {$(
        impl Column for $whole {
            fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<$whole>> {
                let kept = row.int(at)?;
                kept.map(<$whole>::try_from).transpose().map_err(|cause| misread(row, &cause))
            }
        }
    )*};
}
narrower!(u8, u16, u32, u64, i32);

impl Column for bool {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<bool>> {
        Ok(row.int(at)?.map(|kept| kept != 0))
    }
}

impl Column for String {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<String>> {
        Ok(row.text(at)?.map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<Vec<u8>>> {
        Ok(row.bytes(at)?.map(<[u8]>::to_vec))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<[u8; N]>> {
        let kept = row.bytes(at)?;
        kept.map(<[u8; N]>::try_from).transpose().map_err(|cause| misread(row, &cause))
    }
}

/// What may be absent is asked for as an `Option`.
impl<T: Column> Column for Option<T> {
    fn read<R: Row + ?Sized>(row: &R, at: usize) -> Read<Option<Option<T>>> {
        T::read(row, at).map(Some)
    }
}

pub(super) fn column<T: Column>(row: &(impl Row + ?Sized), at: usize) -> Read<T> {
    T::read(row, at)?.ok_or_else(|| misread(row, &format!("column {at} holds nothing")))
}

/// A word in place, without a copy of it.
pub(super) fn text<R: Row + ?Sized>(row: &R, at: usize) -> Read<&str> {
    row.text(at)?.ok_or_else(|| misread(row, &format!("column {at} holds nothing")))
}

pub(super) fn person<R: Row + ?Sized>(row: &R, at: usize) -> Read<PersonKey> {
    key::person_of(text(row, at)?).ok_or_else(|| damaged("a person's key", "it is not a pool and a number"))
}

pub(super) fn bucket<R: Row + ?Sized>(row: &R, at: usize) -> Read<Bucket> {
    Bucket::new(column(row, at)?).ok_or_else(|| damaged("a bucket", "it is not below 4096"))
}

pub(super) fn parsed<T, E: Display, R: Row + ?Sized>(
    row: &R,
    at: usize,
    parse: fn(&str) -> Result<T, E>,
) -> Read<T> {
    parse(text(row, at)?).map_err(|cause| misread(row, &cause))
}

/// A row that cannot be read. Named by its columns only: its text may hold what must not be told.
pub(super) fn misread<R: Row + ?Sized>(row: &R, cause: &dyn Display) -> LedgerError {
    damaged(&format!("a row of ({})", row.names()), &cause.to_string())
}

pub(super) fn damaged(at: &str, what: &str) -> LedgerError {
    LedgerError::Damaged { at: at.into(), what: what.into() }
}
