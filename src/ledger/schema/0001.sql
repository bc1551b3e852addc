-- The book of record. `record` is the truth; every other table is a fold of it.
--
-- One text for every database: BIGINT, TEXT and BLOB only; no sequence, no trigger, no clock. `bucket` is part of every
-- key of what belongs to a person. It comes first where a person's rows are to lie together, and last where the rest of
-- the key grows with time: a commit then adds to few pages, however many persons it is about. Money in fen, instants in ms since 1970 UTC, days as yyyymmdd, flags 0 or 1.
-- What only one database needs stands behind its name in a comment, `-- postgres:` or `-- sqlite:`.
-- `/* clustered */` marks small tables that a database may keep inside their primary key, `/* rewritten */` those whose
-- rows are replaced in place, `/* long */` those whose rows are not worth compressing.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) /* clustered */;

-- One writer of one node. `bucket` is one of the buckets that it writes into, so that the row lies beside what it writes;
-- `sequence` counts its records, `chain` is the hash of its last block, nothing of it gets a time before `floor_ms`.
-- Numbers of lanes are counted in `meta` and never used twice.
CREATE TABLE lane (
    bucket BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL CHECK (sequence >= 0),
    chain BLOB,
    last_ms BIGINT NOT NULL,
    floor_ms BIGINT NOT NULL,
    PRIMARY KEY (bucket, lane)
) /* clustered */ /* rewritten */;

CREATE TABLE record (
    bucket BIGINT NOT NULL CHECK (bucket BETWEEN 0 AND 4095),
    person TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    stay TEXT,
    stay_version BIGINT CHECK (stay_version > 0),
    kind TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    lane_sequence BIGINT NOT NULL CHECK (lane_sequence > 0),
    institution TEXT NOT NULL,
    infno BIGINT NOT NULL,
    msgid TEXT NOT NULL,
    -- 1 when the message is bound to this deed
    keyed BIGINT NOT NULL CHECK (keyed IN (0, 1)),
    format BIGINT NOT NULL,
    told TEXT NOT NULL,
    body TEXT NOT NULL,
    -- personal data, encrypted, nowhere else in this row; the commitment ties its plain text to the seal
    private BLOB,
    commitment BLOB,
-- postgres:     PRIMARY KEY (bucket, person, version),
-- sqlite:     -- its place in the order of commits
-- sqlite:     record_place INTEGER PRIMARY KEY CHECK (record_place > 0),
    CHECK ((stay IS NULL) = (stay_version IS NULL)),
    CHECK ((private IS NULL) = (commitment IS NULL))
) /* long */;
-- SQLite comes by the records of a backup by their places. Where there are none, the records of a lane are found by
-- a summary of each stretch of pages, which costs a commit next to nothing.
-- postgres: CREATE INDEX record_by_place ON record USING BRIN (lane, lane_sequence) WITH (autosummarize = on);

-- One group commit of a lane: the hashes of its records in their order, linked to the lane's block before. `bucket` is
-- its lane's.
CREATE TABLE block (
    bucket BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL CHECK (first_sequence > 0),
    records BIGINT NOT NULL CHECK (records > 0),
    leaves BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (bucket, lane, first_sequence)
) /* clustered */;

-- One signature over all blocks since the anchor before.
CREATE TABLE anchor (
    number BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    at_ms BIGINT NOT NULL,
    previous BLOB NOT NULL,
    root BLOB NOT NULL,
    signing_key TEXT NOT NULL,
    signature BLOB NOT NULL
);

-- Which blocks of a lane an anchor covers.
CREATE TABLE anchored (
    lane BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    blocks BIGINT NOT NULL CHECK (blocks > 0),
    anchor BIGINT NOT NULL,
    PRIMARY KEY (lane, last_sequence),
    CHECK (first_sequence <= last_sequence)
) /* clustered */;
CREATE INDEX anchored_by_anchor ON anchored (anchor);

-- Her row: what decisions read of her, at `version`. SQLite keeps the places of her records in the same tree, each under
-- its version, and her row behind the newest: a deed then changes one page where a table and an index of all
-- records were two.
-- postgres: CREATE TABLE person (
-- postgres:     bucket BIGINT NOT NULL,
-- postgres:     person TEXT NOT NULL,
-- postgres:     version BIGINT NOT NULL CHECK (version > 0),
-- postgres:     last_ms BIGINT NOT NULL,
-- postgres:     state TEXT NOT NULL,
-- postgres:     -- as in the record that registered her last; nothing before the first
-- postgres:     private BLOB,
-- postgres:     PRIMARY KEY (bucket, person)
-- postgres: ) /* rewritten */;
-- sqlite: CREATE TABLE person (
-- sqlite:     bucket BIGINT NOT NULL,
-- sqlite:     person TEXT NOT NULL,
-- sqlite:     record_version BIGINT NOT NULL DEFAULT 9223372036854775807 CHECK (record_version > 0),
-- sqlite:     record_place BIGINT,
-- sqlite:     version BIGINT CHECK (version > 0),
-- sqlite:     last_ms BIGINT,
-- sqlite:     state TEXT,
-- sqlite:     private BLOB,
-- sqlite:     PRIMARY KEY (bucket, person, record_version),
-- sqlite:     CHECK ((record_place IS NULL) = (record_version = 9223372036854775807)),
-- sqlite:     CHECK (record_place IS NOT NULL OR (version IS NOT NULL AND last_ms IS NOT NULL AND state IS NOT NULL))
-- sqlite: ) WITHOUT ROWID;

-- Records as they are come by: a person's in their order. `at_` is where they were looked for.
-- postgres: CREATE VIEW record_of AS
-- postgres:     SELECT bucket AS at_bucket, person AS at_person, version AS at_version, record.* FROM record;
-- sqlite: CREATE VIEW record_of AS
-- sqlite:     SELECT p.bucket AS at_bucket, p.person AS at_person, p.record_version AS at_version, r.*
-- sqlite:     FROM person p CROSS JOIN record r ON r.record_place = p.record_place;

CREATE TABLE stay (
    bucket BIGINT NOT NULL,
    stay TEXT NOT NULL,
    person TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    state TEXT NOT NULL,
    PRIMARY KEY (bucket, stay)
) /* rewritten */;

-- What became of a message: done by the record at `version`, undone by the one at `undone_by` (0 while it stands), or
-- fenced off by the one at `version`. Ids begin with the hospital's code and go on with the time: turned, the code
-- stands last, so that the key grows with time. The person is part of the key: an id used again for somebody else is another
-- message, wherever she lies.
CREATE TABLE message (
    bucket BIGINT NOT NULL,
    turned_msgid TEXT NOT NULL,
    institution TEXT NOT NULL,
    infno BIGINT NOT NULL,
    person TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    undone_by BIGINT NOT NULL CHECK (undone_by >= 0),
    fence BIGINT NOT NULL CHECK (fence IN (0, 1)),
    recipe BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (turned_msgid, institution, infno, person, bucket),
    CHECK (fence = 0 OR undone_by = 0),
    CHECK (undone_by = 0 OR undone_by > version)
) /* clustered */;

-- One row a settlement, reversal or revival: what clearing sums. Reversals are negative. A month is one stretch of the
-- key, so that a settlement pays for no further index.
CREATE TABLE settlement (
    bucket BIGINT NOT NULL,
    setl_id TEXT NOT NULL,
    person TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('settled', 'reversed', 'revived')),
    original TEXT,
    stay TEXT NOT NULL,
    institution TEXT NOT NULL,
    care_pool BIGINT NOT NULL,
    insured_pool BIGINT NOT NULL,
    scheme TEXT NOT NULL,
    benefit_year BIGINT NOT NULL,
    setl_month BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    medfee BIGINT NOT NULL,
    hifp BIGINT NOT NULL,
    hifob BIGINT NOT NULL,
    hifmi BIGINT NOT NULL,
    hifes BIGINT NOT NULL,
    cvlserv BIGINT NOT NULL,
    maf BIGINT NOT NULL,
    hifdm BIGINT NOT NULL,
    oth BIGINT NOT NULL,
    fund BIGINT NOT NULL,
    hospital_part BIGINT NOT NULL,
    person_part BIGINT NOT NULL,
    account BIGINT NOT NULL,
    mutual_aid BIGINT NOT NULL,
    cash BIGINT NOT NULL,
    PRIMARY KEY (setl_month, setl_id, bucket),
    CHECK (fund = hifp + hifob + hifmi + hifes + cvlserv + maf + hifdm + oth),
    CHECK (medfee = fund + person_part + hospital_part),
    CHECK (person_part = account + mutual_aid + cash),
    CHECK ((kind = 'settled') = (original IS NULL)),
    CHECK (CASE WHEN kind = 'reversed' THEN medfee <= 0 ELSE medfee >= 0 END)
) /* clustered */;

-- Whom a card or certificate names, by keyed hash; the bucket is the hash's own.
CREATE TABLE credential (
    bucket BIGINT NOT NULL,
    hash BLOB NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (bucket, hash, person)
) /* clustered */;

-- Changes of the shared tables, and these tables as they stand.
CREATE TABLE reference_record (
    version BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    lane_sequence BIGINT NOT NULL CHECK (lane_sequence > 0),
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    format BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE region (
    code BIGINT NOT NULL,
    from_day BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (code, from_day)
) /* clustered */;

CREATE TABLE institution (
    code TEXT NOT NULL,
    from_day BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (code, from_day)
) /* clustered */;

-- `level` is '' for every hospital level, `person_type` 0 for every person.
CREATE TABLE catalogue_entry (
    place BIGINT NOT NULL,
    code TEXT NOT NULL,
    level TEXT NOT NULL,
    person_type BIGINT NOT NULL,
    from_day BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (place, code, level, person_type, from_day)
) /* clustered */;

CREATE TABLE pack (
    region BIGINT NOT NULL,
    hash TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (region, hash)
);
