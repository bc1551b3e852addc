//! What docs/postgres.md lets two roles do: the owner makes the tables, the nodes' role settles and cannot change a record.

use std::fs;
use std::sync::Arc;

use banyan::command::sandbox_folder;
use banyan::sandbox::play;
use banyan::sandbox::postgres::Server;
use banyan::service::seams::SystemClock;

use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::banyan;
use crate::stage::done;

/// The blocks of SQL below a heading of the page.
fn shown(heading: &str) -> Vec<String> {
    let page = fs::read_to_string("docs/postgres.md").unwrap();
    let (_, section) = page.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.split("```sql\n").skip(1).map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// Runs a block as somebody does who types it, passwords apart: this server asks for none.
fn typed(server: &Server, block: &str) {
    let mut database = "postgres".to_owned();
    for line in block.lines().map(str::trim).filter(|line| !line.starts_with("\\password")) {
        match line.strip_prefix("\\connect ") {
            Some(name) => name.clone_into(&mut database),
            None => drop(server.query(&database, line).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_settle_with_the_rights_that_the_page_gives_and_can_change_no_record() {
    let server = Server::start().unwrap();
    let mut stage = Stage::make().await;
    let blocks = shown("### Two roles");
    assert_eq!(blocks.len(), 2);
    typed(&server, &blocks[0]);
    let url = |role: &str| format!("url = \"postgres://{role}@127.0.0.1:{}/banyan\"", server.port());
    let (file, config) = ("file = \"data/ledger.db\"", stage.folder.settings());
    let owner = stage.settings("owner.toml", &[(file, &url("banyan_owner"))], "");
    stage.settings("gateway.toml", &[(file, &url("banyan"))], "");
    let not_the_owner = banyan(&["migrate", "--config", config.to_str().unwrap()]);
    assert!(!not_the_owner.status.success(), "{not_the_owner:?}");
    done(&banyan(&["migrate", "--config", owner.to_str().unwrap()]));
    typed(&server, &blocks[1]);

    sandbox_folder::fill(&stage.folder, Arc::new(SystemClock)).await.unwrap();
    let patients = stage.insure(1, Arc::new(SystemClock)).await;
    let gate = Gate::start(&config);
    let stay = &patients[0].1;
    let bill = stage.until_discharge(&gate, stay).await;
    let settled = stage.settle(&gate, stay, &bill).await.done();
    let mdtrt_id = bill["data"]["mdtrt_id"].as_str().unwrap();
    let reversal = play::reverse(stay, mdtrt_id, &settled.setl_id());
    stage.call(&gate, "2305", "reversal-of-the-only-one", stay, &reversal).await.done();
    assert!(gate.stop());
    let verified = done(&banyan(&["verify", "--config", config.to_str().unwrap()]));
    assert!(verified.contains('✓'), "{verified}");

    for table in ["record", "settlement", "block", "anchor", "anchored", "reference_record"] {
        let refused = server.query("banyan", &format!("SET ROLE banyan; DELETE FROM {table}")).unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{table}: {refused}");
        let may = format!("SELECT has_table_privilege('banyan', '{table}', 'UPDATE, DELETE, TRUNCATE')");
        assert_eq!(server.query("banyan", &may).unwrap(), "f", "{table}");
    }
}

#[test]
fn one_role_that_owns_the_database_makes_its_tables() {
    let server = Server::start().unwrap();
    let blocks = shown("## Set up");
    typed(&server, &blocks[0]);
    let owned = "SELECT has_schema_privilege('banyan', 'public', 'CREATE')";
    assert_eq!(server.query("banyan", owned).unwrap(), "t");
}
