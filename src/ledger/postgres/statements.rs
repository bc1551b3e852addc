//! Owns the statements of a lane: each writes or reads for a whole batch, its rows as arrays.
//!
//! A guard that must move a number of rows divides by zero when it moved another, so that the transaction is undone
//! by the server although its end is sent in the same breath.

use futures_util::future::try_join_all;
use tokio_postgres::Client;
use tokio_postgres::Statement;

/// Of every session of a lane: each statement is planned once, by the primary keys, however few rows there are yet.
pub(super) const SESSION: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
     -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off -c jit=off \
     -c idle_in_transaction_session_timeout=10s";

const LANE: &str = "WITH moved AS (UPDATE lane SET sequence = $4, last_ms = $5, chain = $6
         WHERE bucket = $1 AND lane = $2 AND epoch = $3 AND sequence = $7 AND floor_ms <= $8 RETURNING 1)
     SELECT 1 / COUNT(*) FROM moved";

const BLOCK: &str = "INSERT INTO block (bucket, lane, first_sequence, records, leaves, hash)
     VALUES ($1, $2, $3, $4, $5, $6)";

const PERSONS: &str = "WITH moved AS (UPDATE person AS p SET version = p.version + 1, last_ms = u.last_ms,
             state = COALESCE(u.state, p.state), private = COALESCE(u.private, p.private)
         FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::BYTEA[])
             AS u (bucket, person, version, last_ms, state, private)
         WHERE p.bucket = u.bucket AND p.person = u.person AND p.version = u.version RETURNING 1)
     SELECT 1 / (COUNT(*) = $7)::INT FROM moved";

const NEW_PERSONS: &str = "INSERT INTO person (bucket, person, version, last_ms, state, private)
     SELECT bucket, person, 1, last_ms, state, private
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[], $5::BYTEA[])
         AS u (bucket, person, last_ms, state, private)";

const STAYS: &str = "WITH moved AS (UPDATE stay AS s SET version = s.version + 1, state = u.state
         FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[])
             AS u (bucket, stay, person, version, state)
         WHERE s.bucket = u.bucket AND s.stay = u.stay AND s.person = u.person AND s.version = u.version
         RETURNING 1)
     SELECT 1 / (COUNT(*) = $6)::INT FROM moved";

const NEW_STAYS: &str = "INSERT INTO stay (bucket, stay, person, version, state)
     SELECT bucket, stay, person, 1, state FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[])
         AS u (bucket, stay, person, state)";

const MESSAGES: &str = "INSERT INTO message
         (bucket, msgid, institution, infno, person, version, undone_by, fence, recipe, content)
     SELECT bucket, msgid, institution, infno, person, version, 0, fence, recipe, content
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[],
             $8::BIGINT[], $9::BYTEA[])
         AS u (bucket, msgid, institution, infno, person, version, fence, recipe, content)";

/// What is undone stays undone by the record that came first; 0 makes it stand again.
const TURN: &str = "UPDATE message AS m SET undone_by = u.by
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[])
         AS u (bucket, msgid, institution, infno, person, by)
     WHERE m.bucket = u.bucket AND m.msgid = u.msgid AND m.institution = u.institution AND m.infno = u.infno
       AND m.person = u.person AND (u.by = 0 OR m.undone_by = 0 AND m.fence = 0)";

const RECORDS: &str = "INSERT INTO record
         (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence, institution, infno, msgid,
          keyed, format, told, body, private, commitment)
     SELECT bucket, person, version, stay, stay_version, kind, at_ms, $1, lane_sequence, institution, infno, msgid,
         keyed, $2, told, body, private, commitment
     FROM unnest($3::BIGINT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::BIGINT[], $8::TEXT[], $9::BIGINT[],
             $10::BIGINT[], $11::TEXT[], $12::BIGINT[], $13::TEXT[], $14::BIGINT[], $15::TEXT[], $16::TEXT[],
             $17::BYTEA[], $18::BYTEA[])
         AS u (bucket, person, version, stay, stay_version, kind, at_ms, lane_sequence, institution, infno, msgid,
               keyed, told, body, private, commitment)";

/// The amounts of all rows lie in one array, fifteen a row.
const SETTLEMENTS: &str = "INSERT INTO settlement
         (bucket, setl_id, person, version, kind, original, stay, institution, care_pool, insured_pool, scheme,
          benefit_year, setl_month, at_ms, medfee, hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm, oth, fund,
          hospital_part, person_part, account, mutual_aid, cash)
     SELECT bucket, setl_id, person, version, kind, original, stay, institution, care_pool, insured_pool, scheme,
         benefit_year, setl_month, at_ms, a[n * 15 - 14], a[n * 15 - 13], a[n * 15 - 12], a[n * 15 - 11],
         a[n * 15 - 10], a[n * 15 - 9], a[n * 15 - 8], a[n * 15 - 7], a[n * 15 - 6], a[n * 15 - 5],
         a[n * 15 - 4], a[n * 15 - 3], a[n * 15 - 2], a[n * 15 - 1], a[n * 15]
     FROM unnest($2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::TEXT[], $8::TEXT[],
             $9::TEXT[], $10::BIGINT[], $11::BIGINT[], $12::TEXT[], $13::BIGINT[], $14::BIGINT[], $15::BIGINT[])
         WITH ORDINALITY
         AS u (bucket, setl_id, person, version, kind, original, stay, institution, care_pool, insured_pool, scheme,
               benefit_year, setl_month, at_ms, n), (SELECT $1::BIGINT[] AS a) AS amounts";

const FORGET: &str = "DELETE FROM credential AS c
     USING unnest($1::BIGINT[], $2::BYTEA[], $3::TEXT[]) AS u (bucket, hash, person)
     WHERE c.bucket = u.bucket AND c.hash = u.hash AND c.person = u.person";

const LEARN: &str = "INSERT INTO credential (bucket, hash, person)
     SELECT bucket, hash, person FROM unnest($1::BIGINT[], $2::BYTEA[], $3::TEXT[]) AS u (bucket, hash, person)
     ON CONFLICT (bucket, hash, person) DO NOTHING";

const PERSONS_NOW: &str = "SELECT u.n, p.version, p.last_ms
     FROM unnest($1::BIGINT[], $2::TEXT[]) WITH ORDINALITY AS u (bucket, person, n)
     JOIN person p ON p.bucket = u.bucket AND p.person = u.person";

const STAYS_NOW: &str = "SELECT u.n, s.version, s.person
     FROM unnest($1::BIGINT[], $2::TEXT[]) WITH ORDINALITY AS u (bucket, stay, n)
     JOIN stay s ON s.bucket = u.bucket AND s.stay = u.stay";

const MESSAGES_NOW: &str = "SELECT u.n
     FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[], $6::BIGINT[])
         AS u (bucket, msgid, institution, infno, person, n)
     JOIN message m ON m.bucket = u.bucket AND m.msgid = u.msgid AND m.institution = u.institution
       AND m.infno = u.infno AND m.person = u.person";

const LANE_NOW: &str = "SELECT sequence, chain, last_ms, floor_ms FROM lane
     WHERE bucket = $1 AND lane = $2 AND epoch = $3";

/// After this, nothing that was begun under an earlier epoch can still be committed; what was committed is seen.
const FENCE: &str = "UPDATE lane SET epoch = $3 WHERE bucket = $1 AND lane = $2 AND epoch < $3
     RETURNING sequence, chain, last_ms, floor_ms";

pub(super) struct Statements {
    pub(super) lane: Statement,
    pub(super) block: Statement,
    pub(super) persons: Statement,
    pub(super) new_persons: Statement,
    pub(super) stays: Statement,
    pub(super) new_stays: Statement,
    pub(super) messages: Statement,
    pub(super) turn: Statement,
    pub(super) records: Statement,
    pub(super) settlements: Statement,
    pub(super) forget: Statement,
    pub(super) learn: Statement,
    pub(super) persons_now: Statement,
    pub(super) stays_now: Statement,
    pub(super) messages_now: Statement,
    pub(super) lane_now: Statement,
    pub(super) fence: Statement,
}

impl Statements {
    /// All in one round trip.
    pub(super) async fn prepare(client: &Client) -> Result<Statements, tokio_postgres::Error> {
        const ALL: [&str; 17] = [
            LANE,
            BLOCK,
            PERSONS,
            NEW_PERSONS,
            STAYS,
            NEW_STAYS,
            MESSAGES,
            TURN,
            RECORDS,
            SETTLEMENTS,
            FORGET,
            LEARN,
            PERSONS_NOW,
            STAYS_NOW,
            MESSAGES_NOW,
            LANE_NOW,
            FENCE,
        ];
        let all = try_join_all(ALL.map(|sql| client.prepare(sql))).await?;
        let [
            lane,
            block,
            persons,
            new_persons,
            stays,
            new_stays,
            messages,
            turn,
            records,
            settlements,
            forget,
            learn,
            persons_now,
            stays_now,
            messages_now,
            lane_now,
            fence,
        ] = <[Statement; 17]>::try_from(all)
            .unwrap_or_else(|_| unreachable!("each was prepared or the first error is told"));
        Ok(Statements {
            lane,
            block,
            persons,
            new_persons,
            stays,
            new_stays,
            messages,
            turn,
            records,
            settlements,
            forget,
            learn,
            persons_now,
            stays_now,
            messages_now,
            lane_now,
            fence,
        })
    }
}
