//! Owns the schema in the server: made and moved forward by `banyan migrate` alone, checked by every node at its start.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use crate::ledger::LedgerError;
use crate::ledger::codec;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::standbys;
use crate::ledger::row::damaged;
use crate::ledger::schema;
use crate::ledger::schema::STEPS;
use crate::vault::lookup::LookupKey;

type Read<T> = Result<T, LedgerError>;

/// From which step to which a migration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Climbed {
    pub from: usize,
    pub to: usize,
}

/// Brings the database to the newest step, in one transaction, or refuses it: newer than we are, altered, or keyed by
/// another look-up key.
pub(in crate::ledger) async fn migrate(
    client: &mut Client,
    lookup: &LookupKey,
    confirmed_within: Duration,
) -> Read<Climbed> {
    match climb(client, lookup, confirmed_within).await {
        // Another one has just made the tables.
        Err(cause) if taken(&cause).is_some() => {
            let climbed = climb(client, lookup, confirmed_within).await;
            climbed.map_err(|cause| match taken(&cause) {
                Some(what) => LedgerError::Foreign { what },
                None => cause,
            })
        }
        climbed => climbed,
    }
}

/// What the server says of a table that is there already.
fn taken(cause: &LedgerError) -> Option<String> {
    let LedgerError::Storage { cause, .. } = cause else { return None };
    let Fault::Server(cause) = cause.downcast_ref()? else { return None };
    let told = cause.as_db_error()?;
    let of_a_table = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE].contains(told.code());
    of_a_table.then(|| told.message().to_owned())
}

async fn climb(client: &mut Client, lookup: &LookupKey, confirmed_within: Duration) -> Read<Climbed> {
    let failed = || server("make the schema");
    check_encoding(client).await?;
    let all = client.transaction().await.map_err(failed())?;
    // Another migration waits here until this one has ended. In an empty database there is nothing to wait at: the
    // second to make `meta` is refused.
    if step_of(&all).await? > 0 {
        all.batch_execute("LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE").await.map_err(failed())?;
    }
    let from = known(step_of(&all).await?)?;
    if from < STEPS.len() {
        check_rights(&all, "CREATE").await?;
    }
    if from == 0 {
        must_be_free(&all).await?;
    }
    for step in STEPS.iter().skip(from) {
        all.batch_execute(&schema::for_postgres(step)).await.map_err(failed())?;
    }
    if from == 0 {
        set_meta(&all, "format", &codec::FORMAT.to_string()).await?;
        set_meta(&all, "lookup_key", &schema::fingerprint(lookup)).await?;
        set_meta(&all, "lanes", "0").await?;
    }
    if from < STEPS.len() {
        set_meta(&all, "schema_version", &STEPS.len().to_string()).await?;
    }
    check_shape(&all).await?;
    check_key(&all, lookup).await?;
    if from < STEPS.len() {
        let standbys = standbys::are_awaited(&all).await.map_err(failed())?;
        let committed = timeout(confirmed_within, all.commit()).await;
        let late = Fault::Unconfirmed { within: confirmed_within, standbys };
        let unconfirmed = |_| fault("make the schema")(late);
        committed.map_err(unconfirmed)?.map_err(failed())?;
    }
    Ok(Climbed { from, to: STEPS.len() })
}

/// That it holds a ledger, made by this version or one before it: gives at which step it stands.
pub(in crate::ledger) async fn found(client: &impl GenericClient) -> Read<usize> {
    known(step_of(client).await?)
}

/// That it holds a ledger as this version makes it.
pub(in crate::ledger) async fn must_be_made(client: &impl GenericClient) -> Read<()> {
    let found = found(client).await?;
    if found == 0 {
        // Who may not see a schema finds nothing in it.
        check_rights(client, "USAGE").await?;
    }
    if found < STEPS.len() {
        return Err(LedgerError::Behind { found, known: STEPS.len() });
    }
    Ok(())
}

/// That the database is one to work on as it stands.
pub(in crate::ledger) async fn check(client: &impl GenericClient, lookup: &LookupKey) -> Read<()> {
    must_be_made(client).await?;
    check_encoding(client).await?;
    check_shape(client).await?;
    check_key(client, lookup).await?;
    no_restore_runs(client).await
}

/// Nor has one been left in the middle.
pub(in crate::ledger) async fn no_restore_runs(client: &impl GenericClient) -> Read<()> {
    if meta(client, "restoring").await?.is_some() { Err(LedgerError::Restoring) } else { Ok(()) }
}

/// That no other program has tables there.
async fn must_be_free(client: &impl GenericClient) -> Read<()> {
    const NAMED_MAX: usize = 3;
    const SQL: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_class c
         WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
             AND d.objid = c.oid AND d.deptype = 'e')
         ORDER BY 1";
    let rows = client.query(SQL, &[]).await.map_err(server("look whose tables are there"))?;
    let mut tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    // With `meta` they are ours: another migration has made them meanwhile.
    if tables.is_empty() || tables.iter().any(|name| name == "meta") {
        return Ok(());
    }
    if tables.len() > NAMED_MAX {
        tables.truncate(NAMED_MAX);
        tables.push("…".into());
    }
    Err(LedgerError::Occupied { tables: tables.join(", ") })
}

/// That the user may do so in the schema where our tables lie.
async fn check_rights(client: &impl GenericClient, right: &str) -> Read<()> {
    const SQL: &str = "SELECT CAST(current_user AS TEXT), CAST(current_database() AS TEXT),
         COALESCE(has_schema_privilege(CAST(current_schema() AS TEXT), $1), FALSE)";
    let row = client.query_one(SQL, &[&right]).await.map_err(server("read what its user may do"))?;
    if row.get(2) {
        return Ok(());
    }
    Err(fault("make the schema")(Fault::NoRights { user: row.get(0), database: row.get(1) }))
}

/// Names and reasons are Chinese: another encoding would refuse them in the middle of service.
async fn check_encoding(client: &impl GenericClient) -> Read<()> {
    let row = client.query_one("SELECT current_setting('server_encoding')", &[]).await;
    let encoding: String = row.map_err(server("read the encoding of the database"))?.get(0);
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(LedgerError::Encoding { found: encoding })
}

fn known(found: usize) -> Read<usize> {
    if found > STEPS.len() { Err(LedgerError::Newer { found, known: STEPS.len() }) } else { Ok(found) }
}

/// 0 for an empty database.
async fn step_of(client: &impl GenericClient) -> Read<usize> {
    const SQL: &str = "SELECT to_regclass('meta') IS NOT NULL, (SELECT COUNT(*) FROM pg_attribute
         WHERE attrelid = to_regclass('meta') AND attname IN ('name', 'value')
           AND atttypid = CAST('text' AS regtype)) = 2";
    let found = client.query_one(SQL, &[]).await.map_err(server("read the schema version"))?;
    let (there, of_our_form) = (found.get::<_, bool>(0), found.get::<_, bool>(1));
    if !there {
        return Ok(0);
    }
    let step = if of_our_form { meta(client, "schema_version").await? } else { None };
    let Some(step) = step else {
        return Err(LedgerError::Foreign { what: "it has a table meta that another program made".into() });
    };
    step.parse().map_err(|_| damaged("the schema", &format!("its version is `{step}`")))
}

pub(in crate::ledger) async fn meta(client: &impl GenericClient, name: &str) -> Read<Option<String>> {
    const SQL: &str = "SELECT value FROM meta WHERE name = $1";
    let row = client.query_opt(SQL, &[&name]).await.map_err(server("read what the ledger says of itself"))?;
    Ok(row.map(|row| row.get(0)))
}

async fn set_meta(client: &impl GenericClient, name: &str, value: &str) -> Read<()> {
    const SQL: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    client.execute(SQL, &[&name, &value]).await.map_err(server("make the schema")).map(|_| ())
}

/// With another key no person would be found, and each would be written a second time.
async fn check_key(client: &impl GenericClient, lookup: &LookupKey) -> Read<()> {
    let kept = meta(client, "lookup_key").await?;
    if kept.as_deref() == Some(&schema::fingerprint(lookup)) { Ok(()) } else { Err(LedgerError::OtherKey) }
}

/// Each column and primary key as the steps make it: nobody altered a table by hand.
async fn check_shape(client: &impl GenericClient) -> Read<()> {
    const COLUMNS: &str = "SELECT format('%s.%s %s%s', a.attrelid::regclass, a.attname,
             upper(format_type(a.atttypid, NULL)), CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END)
         FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = to_regclass($1)
           AND (a.attcollation = 0 OR a.attcollation = 'pg_catalog.\"C\"'::regcollation)
         UNION ALL
         SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid))
         FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass($1)";
    let failed = || server("read the schema");
    for table in STEPS.iter().flat_map(|step| tables(&schema::said_to("postgres", step))) {
        let rows = client.query(COLUMNS, &[&table.name]).await.map_err(failed())?;
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if let Some(part) = table.parts.iter().find(|part| !found.contains(part)) {
            return Err(damaged("the schema", &format!("`{part}` is not as this version made it")));
        }
    }
    Ok(())
}

/// A table as a step makes it.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: String,
    /// Columns and primary key, each as the server tells them.
    parts: Vec<String>,
}

fn tables(step: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in step.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("CREATE TABLE ").and_then(|rest| rest.strip_suffix(" (")) {
            tables.push(Table { name: name.into(), parts: Vec::new() });
        }
        let Some(table) = tables.last_mut() else { continue };
        let name = &table.name;
        let mut words = line.split_whitespace();
        let column = words.next().zip(words.next().map(|kind| kind.trim_end_matches(',')));
        if let Some((column, kind)) = column.filter(|(_, kind)| matches!(*kind, "BIGINT" | "TEXT" | "BLOB")) {
            let kind = kind.replace("BLOB", "BYTEA");
            let not_null = if line.contains(" NOT NULL") { " NOT NULL" } else { "" };
            let key = line.contains(" PRIMARY KEY").then(|| format!("{name} PRIMARY KEY ({column})"));
            let part = format!("{name}.{column} {kind}{not_null}");
            table.parts.extend([Some(part), key].into_iter().flatten());
        } else if let Some(key) = line.strip_prefix("PRIMARY KEY (") {
            let key = key.trim_end_matches([',', ')']);
            let part = format!("{name} PRIMARY KEY ({key})");
            table.parts.push(part);
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_out_of_a_step() {
        let step = schema::said_to("postgres", STEPS[0]);
        let found = tables(&step);
        assert_eq!(found.len(), step.matches("CREATE TABLE").count());
        let meta = found.iter().find(|table| table.name == "meta").unwrap();
        let told = ["meta.name TEXT NOT NULL", "meta PRIMARY KEY (name)", "meta.value TEXT NOT NULL"];
        assert_eq!(meta.parts, told);
        let block = found.iter().find(|table| table.name == "block").unwrap();
        assert!(block.parts.contains(&"block.leaves BYTEA NOT NULL".to_owned()));
        assert!(block.parts.contains(&"block PRIMARY KEY (bucket, lane, first_sequence)".to_owned()));
    }
}
