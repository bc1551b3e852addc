//! Owns the comparison of credentials: they lie in buckets of their own, so that they are asked for many at once.

use std::collections::HashSet;

use crate::domain::ids::Bucket;
use crate::ledger::LedgerError;
use crate::ledger::row::column;
use crate::ledger::sql::Database;
use crate::ledger::sql::Value;

type Read<T> = Result<T, LedgerError>;

type Kept = (u16, Vec<u8>, String);

/// Credentials that the records make.
#[derive(Default)]
pub(super) struct Credentials {
    pub(super) made: i64,
    waiting: Vec<Kept>,
}

impl Credentials {
    /// As many as one statement asks for.
    pub(super) const AT_ONCE: usize = 64;

    pub(super) fn expect<const N: usize>(
        &mut self,
        person: &str,
        hashes: impl IntoIterator<Item = (Bucket, [u8; N])>,
    ) {
        for (bucket, hash) in hashes {
            self.made += 1;
            self.waiting.push((bucket.get(), hash.to_vec(), person.to_owned()));
        }
    }

    /// Whose are not there. Asks only when more than `at_least` wait.
    pub(super) fn missing(&mut self, db: &dyn Database, at_least: usize) -> Read<Vec<String>> {
        let mut missing = Vec::new();
        while !self.waiting.is_empty() && self.waiting.len() >= at_least {
            let rest = self.waiting.split_off(self.waiting.len().min(Credentials::AT_ONCE));
            let asked = std::mem::replace(&mut self.waiting, rest);
            let kept = kept_of(db, &asked)?;
            missing.extend(asked.into_iter().filter(|asked| !kept.contains(asked)).map(|(.., her)| her));
        }
        Ok(missing)
    }
}

fn kept_of(db: &dyn Database, asked: &[Kept]) -> Read<HashSet<Kept>> {
    let mut values = Vec::with_capacity(3 * Credentials::AT_ONCE);
    // Always as many, so that the statement is always the same.
    let padded = asked.iter().chain(std::iter::repeat(&asked[asked.len() - 1]));
    for (bucket, hash, person) in padded.take(Credentials::AT_ONCE) {
        values.extend([Value::from(*bucket), Value::Bytes(hash), Value::Text(person)]);
    }
    let one = |at: usize| {
        format!("(bucket = ?{} AND hash = ?{} AND person = ?{})", 3 * at + 1, 3 * at + 2, 3 * at + 3)
    };
    let each: Vec<String> = (0..Credentials::AT_ONCE).map(one).collect();
    let sql = format!("SELECT bucket, hash, person FROM credential WHERE {}", each.join(" OR "));
    let kept = db.few("read credentials", &sql, &values, |row| {
        Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?))
    })?;
    Ok(kept.into_iter().collect())
}
