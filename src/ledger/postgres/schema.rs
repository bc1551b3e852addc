//! Owns the schema in the server: made and moved forward by `banyan migrate` alone, checked by every node at its start.

use tokio_postgres::Client;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use crate::ledger::LedgerError;
use crate::ledger::codec;
use crate::ledger::row::damaged;
use crate::ledger::schema;
use crate::ledger::schema::STEPS;
use crate::ledger::storage;
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
pub(in crate::ledger) async fn migrate(client: &mut Client, lookup: &LookupKey) -> Read<Climbed> {
    match climb(client, lookup).await {
        // Another one has just made the tables.
        Err(LedgerError::Storage { cause, .. }) if is_made_already(cause.as_ref()) => {
            climb(client, lookup).await
        }
        climbed => climbed,
    }
}

fn is_made_already(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let code = cause.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    code.is_some_and(|code| [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE].contains(code))
}

async fn climb(client: &mut Client, lookup: &LookupKey) -> Read<Climbed> {
    let failed = || storage("make the schema");
    check_encoding(client).await?;
    let all = client.transaction().await.map_err(failed())?;
    // Another migration waits here until this one has ended. In an empty database there is nothing to wait at: the
    // second to make `meta` is refused.
    if step_of(&all).await? > 0 {
        all.batch_execute("LOCK TABLE meta IN SHARE ROW EXCLUSIVE MODE").await.map_err(failed())?;
    }
    let from = known(step_of(&all).await?)?;
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
    all.commit().await.map_err(failed())?;
    Ok(Climbed { from, to: STEPS.len() })
}

/// That the database is one to work on as it stands.
pub(in crate::ledger) async fn check(client: &impl GenericClient, lookup: &LookupKey) -> Read<()> {
    let found = known(step_of(client).await?)?;
    if found < STEPS.len() {
        return Err(LedgerError::Behind { found, known: STEPS.len() });
    }
    check_encoding(client).await?;
    check_shape(client).await?;
    check_key(client, lookup).await?;
    if meta(client, "restoring").await?.is_some() {
        let what = "a restore into it has not ended: wait for it, or run it again";
        return Err(damaged("the database", what));
    }
    Ok(())
}

/// Names and reasons are Chinese: another encoding would refuse them in the middle of service.
async fn check_encoding(client: &impl GenericClient) -> Read<()> {
    let row = client.query_one("SELECT current_setting('server_encoding')", &[]).await;
    let encoding: String = row.map_err(storage("read the encoding of the database"))?.get(0);
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(damaged("the database", &format!("it is encoded in {encoding}: make one with ENCODING 'UTF8'")))
}

fn known(found: usize) -> Read<usize> {
    if found > STEPS.len() { Err(LedgerError::Newer { found, known: STEPS.len() }) } else { Ok(found) }
}

/// 0 for an empty database.
async fn step_of(client: &impl GenericClient) -> Read<usize> {
    let failed = || storage("read the schema version");
    let found = client.query_one("SELECT to_regclass('meta') IS NOT NULL", &[]).await.map_err(failed())?;
    if !found.get::<_, bool>(0) {
        return Ok(0);
    }
    let step = meta(client, "schema_version").await?;
    Ok(step.and_then(|step| step.parse().ok()).unwrap_or(usize::MAX))
}

pub(in crate::ledger) async fn meta(client: &impl GenericClient, name: &str) -> Read<Option<String>> {
    const SQL: &str = "SELECT value FROM meta WHERE name = $1";
    let row =
        client.query_opt(SQL, &[&name]).await.map_err(storage("read what the ledger says of itself"))?;
    Ok(row.map(|row| row.get(0)))
}

async fn set_meta(client: &impl GenericClient, name: &str, value: &str) -> Read<()> {
    const SQL: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    client.execute(SQL, &[&name, &value]).await.map_err(storage("make the schema")).map(|_| ())
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
    let failed = || storage("read the schema");
    for table in STEPS.iter().flat_map(|step| tables(step)) {
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
        let found = tables(STEPS[0]);
        assert_eq!(found.len(), STEPS[0].matches("CREATE TABLE").count());
        let meta = found.iter().find(|table| table.name == "meta").unwrap();
        let told = ["meta.name TEXT NOT NULL", "meta PRIMARY KEY (name)", "meta.value TEXT NOT NULL"];
        assert_eq!(meta.parts, told);
        let block = found.iter().find(|table| table.name == "block").unwrap();
        assert!(block.parts.contains(&"block.leaves BYTEA NOT NULL".to_owned()));
        assert!(block.parts.contains(&"block PRIMARY KEY (bucket, lane, first_sequence)".to_owned()));
    }
}
