//! Owns what the schema in a server must be: made and moved forward by `banyan migrate` alone, and fit to be sharded as
//! docs/postgres.md says.

use std::collections::BTreeSet;
use std::sync::Arc;

use banyan::ledger::LedgerError;
use banyan::ledger::postgres;
use banyan::ledger::postgres::Climbed;
use banyan::ledger::postgres::PostgresLedger;
use banyan::ledger::postgres::Settings;
use banyan::ledger::secrets::Secrets;
use banyan::vault::key_file::Secret;
use banyan::vault::lookup::LookupKey;

use crate::actor::Actor;
use crate::postgres::InDatabase;
use crate::postgres::server;
use crate::stage::Stage;

fn database_of(settings: &Settings) -> &str {
    settings.url.rsplit('/').next().unwrap()
}

fn opened(here: &InDatabase) -> Result<PostgresLedger, LedgerError> {
    PostgresLedger::open(here.settings.clone(), here.secrets(), Arc::new(|| crate::stage::BEGIN))
}

fn refusal<T>(outcome: Result<T, LedgerError>) -> String {
    outcome.err().unwrap().to_string()
}

#[test]
fn a_database_is_migrated_once_and_never_back() {
    let here = InDatabase::empty();
    let database = database_of(&here.settings);
    assert!(refusal(opened(&here)).contains("run `banyan migrate`"));
    let migrate = || postgres::migrate(&here.settings, &here.secrets());
    assert_eq!(migrate().unwrap(), Climbed { from: 0, to: 1 });
    assert_eq!(migrate().unwrap(), Climbed { from: 1, to: 1 });
    assert!(opened(&here).is_ok());
    let other = Secrets { lookup: LookupKey::new(&Secret::new([8; 32])), ..here.secrets() };
    assert!(refusal(postgres::migrate(&here.settings, &other)).contains("another look-up key"));
    let version = |step: &str| {
        let sql = format!("UPDATE meta SET value = '{step}' WHERE name = 'schema_version'");
        server().query(database, &sql).unwrap();
    };
    version("99");
    assert!(refusal(migrate()).contains("start a newer version"));
    assert!(refusal(opened(&here)).contains("start a newer version"));
    version("1");
    server().query(database, "ALTER TABLE stay ALTER COLUMN version TYPE NUMERIC").unwrap();
    let told = refusal(opened(&here));
    assert!(told.contains("stay.version BIGINT NOT NULL"), "{told}");
}

/// The statements of the documentation, as Citus would be asked them.
fn citus_set_up() -> String {
    let page = std::fs::read_to_string("docs/postgres.md").unwrap();
    let citus = page.split("## Citus").nth(1).unwrap();
    citus.split("```sql").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// Stands where Citus would, and remembers what it was asked for.
const STAND_IN: &str = "CREATE TABLE asked (name TEXT, kind TEXT);
    CREATE FUNCTION create_distributed_table(name REGCLASS, key TEXT, colocate_with TEXT) RETURNS VOID LANGUAGE sql
        AS $$ INSERT INTO asked SELECT name::TEXT, 'by ' || key $$;
    CREATE FUNCTION create_reference_table(name REGCLASS) RETURNS VOID LANGUAGE sql
        AS $$ INSERT INTO asked SELECT name::TEXT, 'everywhere' $$;";

#[test]
fn the_documented_set_up_places_every_table_as_its_keys_allow() {
    let here = InDatabase::new();
    let database = database_of(&here.settings);
    let query = |sql: &str| server().query(database, sql).unwrap();
    let set = |sql: &str| query(sql).lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let tables = set("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    query(STAND_IN);
    query(&citus_set_up());
    let sharded = set("SELECT name FROM asked WHERE kind = 'by bucket'");
    let everywhere = set("SELECT name FROM asked WHERE kind = 'everywhere'");
    assert_eq!(query("SELECT COUNT(*) FROM asked"), tables.len().to_string(), "each table once");
    assert_eq!(sharded.union(&everywhere).cloned().collect::<BTreeSet<_>>(), tables);
    let with_bucket = set("SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'bucket' AND ordinal_position = 1 AND is_nullable = 'NO'");
    assert_eq!(sharded, with_bucket, "what has a bucket is sharded by it, and nothing else");
    // Every unique index of a sharded table holds the bucket, and nothing is there that shards cannot have.
    let unsharded_keys = "SELECT indexrelid::regclass FROM pg_index JOIN asked ON indrelid = name::regclass
        WHERE kind = 'by bucket' AND indisunique AND NOT 1 = ANY (indkey)";
    assert_eq!(query(unsharded_keys), "");
    assert_eq!(query("SELECT conname FROM pg_constraint WHERE contype = 'f'"), "", "no foreign keys");
    assert_eq!(query("SELECT tgname FROM pg_trigger"), "", "no triggers");
    assert_eq!(query("SELECT sequencename FROM pg_sequences"), "", "no sequences");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shard_has_a_lane_of_its_own_that_lies_in_it() {
    let here = InDatabase::new();
    let database = database_of(&here.settings).to_owned();
    let shard_of =
        "CREATE FUNCTION get_shard_id_for_distribution_column(name REGCLASS, bucket BIGINT) RETURNS BIGINT
        LANGUAGE sql AS $$ SELECT 102008 + bucket / 1024 $$";
    server().query(&database, shard_of).unwrap();
    let stage = Stage::new(here);
    // Each ledger draws the key that says in which bucket a person lies, so who lies in a shard is looked up, not assumed.
    for shard in 0..4 {
        let lies_in_it = |woman: &Actor| stage.ledger.bucket(&woman.key).get() / 1024 == shard;
        let everybody = (0..).map(|n: u32| Actor::new(&stage.ledger, &n.to_string()));
        for woman in everybody.filter(lies_in_it).take(5) {
            woman.register(&format!("C{}", woman.key.number())).await;
            let stay = woman.ready_to_settle(1_000).await;
            woman.settle(&stay).await;
        }
    }
    assert_eq!(stage.ledger.check(10).await.unwrap(), Vec::<String>::new());
    let query = |sql: &str| server().query(&database, sql).unwrap();
    assert_eq!(query("SELECT bucket FROM lane ORDER BY lane"), "0\n1024\n2048\n3072");
    let astray = "SELECT COUNT(*) FROM record r JOIN lane l ON l.lane = r.lane WHERE r.bucket / 1024 <> l.bucket / 1024";
    assert_eq!(query(astray), "0", "a batch stays in its shard");
    assert_eq!(query("SELECT COUNT(DISTINCT lane) FROM record"), "4");
}
