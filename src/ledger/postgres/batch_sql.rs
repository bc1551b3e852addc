//! Owns the one statement that writes a batch, put together from the parts that the batch has rows for: parsing, binding,
//! an answer and a transaction are paid once a batch, and what its rows share is sent once.
//!
//! A guard that moved another number of rows than it must makes an error of its own kind, so that the server undoes all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

/// Integers of a deed: bucket, seen, at_ms, stay_seen, infno, keyed, recipe, registers.
pub(super) const DEED_NUMBERS: usize = 8;
/// Integers of a settlement: seven that place it and its amounts.
pub(super) const SETTLEMENT_NUMBERS: usize = 22;
/// Parameters of the part that every batch has.
pub(super) const ALWAYS_VALUES: usize = 27;

/// What the lane's guard does when its row is not as it must be: the root of less than nothing.
pub(super) const LANE_MOVED: SqlState = SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION;
/// What the guards of persons and stays do.
pub(super) const FACTS_MOVED: SqlState = SqlState::DIVISION_BY_ZERO;

/// Integers of all deeds lie in one array, as an element is found in it at once; so do those of settlements.
const ALWAYS: &str = "lane_moved AS (UPDATE lane SET sequence = $4, last_ms = $5, chain = $6
         WHERE bucket = $1 AND lane = $2 AND epoch = $3 AND sequence = $7 AND floor_ms <= $8 RETURNING 1),
     block_made AS (INSERT INTO block (bucket, lane, first_sequence, records, leaves, hash)
         VALUES ($1, $2, $7 + 1, $9, $10, $6)),
     deed AS MATERIALIZED (SELECT u.*, i[n * 8 - 7] AS bucket, i[n * 8 - 6] AS seen, i[n * 8 - 5] AS at_ms,
             i[n * 8 - 4] AS stay_seen, i[n * 8 - 3] AS infno, i[n * 8 - 2] AS keyed, i[n * 8 - 1] AS recipe,
             i[n * 8] AS registers
         FROM unnest($15::TEXT[], $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::TEXT[], $21::TEXT[],
                 $22::BYTEA[], $23::BYTEA[], $24::TEXT[], $25::TEXT[], $26::BYTEA[], $27::TEXT[])
                 WITH ORDINALITY
             AS u (person, stay, kind, institution, msgid, told, body, private, commitment, person_state,
                   stay_state, content, turned_msgid, n), (SELECT $14::BIGINT[] AS i) AS numbers),
     persons_moved AS (UPDATE person AS p SET version = p.version + 1, last_ms = d.at_ms,
             state = COALESCE(d.person_state, p.state),
             private = COALESCE(CASE WHEN d.registers = 1 THEN d.private END, p.private)
         FROM deed AS d WHERE p.bucket = d.bucket AND p.person = d.person AND p.version = d.seen RETURNING 1),
     stays_moved AS (UPDATE stay AS s SET version = s.version + 1, state = d.stay_state
         FROM deed AS d WHERE s.bucket = d.bucket AND s.stay = d.stay AND s.person = d.person
           AND s.version = d.stay_seen RETURNING 1),
     messages_made AS (INSERT INTO message
             (bucket, turned_msgid, institution, infno, person, version, undone_by, fence, recipe, content)
         SELECT bucket, turned_msgid, institution, infno, person, seen + 1, 0, 0, recipe, content
         FROM deed WHERE keyed = 1),
     records_made AS (INSERT INTO record
             (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence, institution, infno,
              msgid, keyed, format, told, body, private, commitment)
         SELECT bucket, person, seen + 1, stay, CASE WHEN stay IS NOT NULL THEN stay_seen + 1 END, kind, at_ms, $2,
             $7 + n, institution, infno, msgid, keyed, $13, told, body, private, commitment FROM deed)";

const GUARDS: &str = "SELECT sqrt((SELECT COUNT(*) FROM lane_moved) - 1),
         1 / ((SELECT COUNT(*) FROM persons_moved) = $11)::INT,
         1 / ((SELECT COUNT(*) FROM stays_moved) = $12)::INT";

const NEW_PERSONS: &str =
    "new_persons AS (INSERT INTO person (bucket, person, version, last_ms, state, private)
         SELECT bucket, person, 1, at_ms, person_state, CASE WHEN registers = 1 THEN private END
         FROM deed WHERE seen = 0)";

const NEW_STAYS: &str = "new_stays AS (INSERT INTO stay (bucket, stay, person, version, state)
         SELECT bucket, stay, person, 1, stay_state FROM deed WHERE stay IS NOT NULL AND stay_seen = 0)";

const SETTLEMENTS: &str = "settlements AS (INSERT INTO settlement
             (bucket, setl_id, person, version, kind, original, stay, institution, care_pool, insured_pool, scheme,
              benefit_year, setl_month, at_ms, medfee, hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm, oth, fund,
              hospital_part, person_part, account, mutual_aid, cash)
         SELECT i[n * 22 - 21], setl_id, person, i[n * 22 - 20], kind, original, stay, institution,
             i[n * 22 - 19], i[n * 22 - 18], scheme, i[n * 22 - 17], i[n * 22 - 16], i[n * 22 - 15],
             i[n * 22 - 14], i[n * 22 - 13], i[n * 22 - 12], i[n * 22 - 11], i[n * 22 - 10], i[n * 22 - 9],
             i[n * 22 - 8], i[n * 22 - 7], i[n * 22 - 6], i[n * 22 - 5], i[n * 22 - 4], i[n * 22 - 3],
             i[n * 22 - 2], i[n * 22 - 1], i[n * 22]
         FROM unnest($2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[])
             WITH ORDINALITY AS u (setl_id, person, kind, original, stay, institution, scheme, n),
             (SELECT $1::BIGINT[] AS i) AS numbers)";

/// Messages that are fenced off; and those that are turned: what is undone stays undone by the record that came first;
/// 0 makes it stand again.
const TURNS: &str = "fences AS (INSERT INTO message
             (bucket, turned_msgid, institution, infno, person, version, undone_by, fence, recipe, content)
         SELECT bucket, msgid, institution, infno, person, version, 0, 1, recipe, content
         FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[],
                 $8::BYTEA[])
             AS u (bucket, msgid, institution, infno, person, version, recipe, content)),
     turned AS (UPDATE message AS m SET undone_by = u.by
         FROM unnest($9::BIGINT[], $10::TEXT[], $11::TEXT[], $12::BIGINT[], $13::TEXT[], $14::BIGINT[])
             AS u (bucket, msgid, institution, infno, person, by)
         WHERE m.bucket = u.bucket AND m.turned_msgid = u.msgid AND m.institution = u.institution AND m.infno = u.infno
           AND m.person = u.person AND (u.by = 0 OR m.undone_by = 0 AND m.fence = 0))";

/// A hash that one person gives up and another takes is two rows.
const CREDENTIALS: &str = "forgotten AS (DELETE FROM credential AS c
         USING unnest($1::BIGINT[], $2::BYTEA[], $3::TEXT[]) AS u (bucket, hash, person)
         WHERE c.bucket = u.bucket AND c.hash = u.hash AND c.person = u.person),
     learned AS (INSERT INTO credential (bucket, hash, person)
         SELECT bucket, hash, person FROM unnest($4::BIGINT[], $5::BYTEA[], $6::TEXT[]) AS u (bucket, hash, person)
         ON CONFLICT (bucket, hash, person) DO NOTHING)";

/// What not every batch has, in the order in which their values follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Parts {
    pub(super) new_persons: bool,
    pub(super) new_stays: bool,
    pub(super) settlements: bool,
    pub(super) turns: bool,
    pub(super) credentials: bool,
}

impl Parts {
    /// Each with how many values it has.
    fn chosen(self) -> impl Iterator<Item = (&'static str, usize)> {
        let all = [
            (self.new_persons, NEW_PERSONS, 0),
            (self.new_stays, NEW_STAYS, 0),
            (self.settlements, SETTLEMENTS, 8),
            (self.turns, TURNS, 14),
            (self.credentials, CREDENTIALS, 6),
        ];
        all.into_iter().filter_map(|(wanted, sql, values)| wanted.then_some((sql, values)))
    }

    fn sql(self) -> String {
        let mut sql = format!("WITH {ALWAYS}");
        let mut before = ALWAYS_VALUES;
        for (part, values) in self.chosen() {
            sql.push_str(",\n     ");
            renumber(&mut sql, part, before);
            before += values;
        }
        sql + "\n     " + GUARDS
    }
}

/// Each part counts its own values from 1.
fn renumber(into: &mut String, part: &str, before: usize) {
    let mut pieces = part.split('$');
    into.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        let number: usize = number.parse().unwrap_or_default();
        let _never_fails = write!(into, "${}{rest}", before + number);
    }
}

/// Those of one connection that were needed so far; there are no more than the parts can be combined.
#[derive(Default)]
pub(super) struct BatchStatements(HashMap<Parts, Statement>);

impl BatchStatements {
    /// Those that every day needs, ahead of the first batch.
    pub(super) async fn prepare(client: &Client) -> Result<BatchStatements, Error> {
        let mut prepared = BatchStatements::default();
        let plain = Parts::default();
        for parts in [plain, Parts { new_stays: true, ..plain }, Parts { settlements: true, ..plain }] {
            prepared.of(client, parts).await?;
        }
        Ok(prepared)
    }

    pub(super) async fn of(&mut self, client: &Client, parts: Parts) -> Result<&Statement, Error> {
        Ok(match self.0.entry(parts) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(client.prepare(&parts.sql()).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_the_parts_that_are_wanted_and_counts_their_values_on() {
        let parts = Parts { new_stays: true, settlements: true, credentials: true, ..Parts::default() };
        let sql = parts.sql();
        assert!(
            sql.contains("new_stays AS") && !sql.contains("new_persons AS") && !sql.contains("turned AS")
        );
        // The numbers of settlements follow the values that all batches have, and credentials follow their eight.
        assert!(sql.contains("(SELECT $28::BIGINT[] AS i)") && sql.contains("FROM unnest($29::TEXT[]"));
        assert!(sql.contains("USING unnest($36::BIGINT[]") && sql.contains("FROM unnest($39::BIGINT[]"));
        assert!(!sql.contains("$42"));
    }
}
