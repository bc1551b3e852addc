//! Owns the steps of the schema, the same for every database, and what each database calls its parts.

use crate::vault::lookup::LookupKey;

/// The steps from an empty database to the newest schema. A released step is never changed; a change is a further step.
/// Each only adds, or takes away what the version before does not use any more: during an upgrade both run beside
/// each other.
pub const STEPS: [&str; 1] = [include_str!("schema/0001.sql")];

/// SQLite keeps marked tables inside their primary key.
pub(super) fn for_sqlite(step: &str) -> String {
    said_to("sqlite", step).replace("/* clustered */", "WITHOUT ROWID")
}

/// PostgreSQL has another name for bytes, sorts texts by the rules of a language unless told otherwise, needs room in
/// its pages to replace a row in place, and would compress every row of 2 KB, which costs more than writing it.
pub fn for_postgres(step: &str) -> String {
    said_to("postgres", step)
        .replace(" BLOB", " BYTEA")
        .replace(" TEXT", " TEXT COLLATE \"C\"")
        .replace("/* clustered */", "")
        .replace("/* rewritten */", "WITH (fillfactor = 70, toast_tuple_target = 8160)")
        .replace("/* long */", "WITH (toast_tuple_target = 8160)")
}

/// What all databases are told, and what that one alone is; no comments.
pub(super) fn said_to(database: &str, step: &str) -> String {
    let own = format!("-- {database}: ");
    let lines = step.lines().map(|line| line.strip_prefix(&own).unwrap_or(line));
    lines.filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n")
}

/// Tells look-up keys apart without telling them.
pub(super) fn fingerprint(lookup: &LookupKey) -> String {
    lookup.hash("fingerprint", &[])[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
