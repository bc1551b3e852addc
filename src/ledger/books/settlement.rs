//! Owns a row of the settlements as its record makes it.

use crate::ledger::LedgerError;
use crate::ledger::kept::amounts;
use crate::ledger::replay::Settled;
use crate::ledger::row::Row;
use crate::ledger::row::column;
use crate::ledger::sql::Bulk;
use crate::ledger::sql::Value;
use crate::ledger::whole;

type Read<T> = Result<T, LedgerError>;

/// The columns after bucket and id, in the order of [`Columns`].
pub(super) const COLUMNS: &str = "person, kind, original, stay, institution, scheme, \
     version, care_pool, insured_pool, benefit_year, setl_month, at_ms, \
     medfee, hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm, oth, fund, hospital_part, person_part, \
     account, mutual_aid, cash";

const WORDS: usize = 6;
const NUMBERS: usize = 6 + 15;
/// Where the month stands among the numbers.
const MONTH: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Columns {
    words: [Option<String>; WORDS],
    numbers: [i64; NUMBERS],
}

impl Columns {
    pub(super) fn of(person: &str, Settled { row, version, at, stay }: &Settled) -> Columns {
        let words = [
            Some(person.to_owned()),
            Some(row.kind.word().into()),
            row.original.as_ref().map(ToString::to_string),
            stay.as_ref().map(ToString::to_string),
            Some(row.institution.to_string()),
            Some(row.scheme.to_string()),
        ];
        let facts = [
            whole(*version),
            i64::from(row.care_pool.0),
            i64::from(row.insured_pool.0),
            i64::from(row.year.0),
            i64::from(at.day().month().number()),
            at.0,
        ];
        let mut numbers = [0; NUMBERS];
        let amounts = amounts(&row.breakdown).map(|amount| amount.0);
        numbers.iter_mut().zip(facts.into_iter().chain(amounts)).for_each(|(to, from)| *to = from);
        Columns { words, numbers }
    }

    /// From a row in which [`COLUMNS`] begin at a place.
    pub(super) fn kept(row: &dyn Row, from: usize) -> Read<Columns> {
        let (mut words, mut numbers) = ([const { None }; WORDS], [0; NUMBERS]);
        for (at, word) in words.iter_mut().enumerate() {
            *word = column(row, from + at)?;
        }
        for (at, number) in numbers.iter_mut().enumerate() {
            *number = column(row, from + WORDS + at)?;
        }
        Ok(Columns { words, numbers })
    }

    pub(super) fn month(&self) -> i64 {
        self.numbers[MONTH]
    }

    /// The row for a [`Bulk`] of bucket, id and [`COLUMNS`].
    pub(super) fn put(&self, into: &mut Bulk<'_>, bucket: u16, id: &str) -> Read<()> {
        let words = self.words.iter().map(|word| Value::from(word.as_deref()));
        let numbers = self.numbers.iter().map(|number| Value::Int(*number));
        let key = [Value::from(bucket), Value::from(id)];
        into.put(&key.into_iter().chain(words).chain(numbers).collect::<Vec<_>>())
    }
}
