//! The server is lost with its disk; what was archived makes a new one, and every settlement is there.

use std::fs;
use std::sync::Arc;

use banyan::sandbox::postgres::Server;
use banyan::service::seams::SystemClock;

use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::banyan;
use crate::stage::done;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_backup_and_the_archived_log_bring_every_settlement_back() {
    let place = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(place.path(), open).unwrap();
    let archive = place.path().join("archive");
    let copies = place.path().join("copies");
    for folder in [&archive, &copies] {
        fs::create_dir(folder).unwrap();
    }
    let mut server = Server::archiving(&archive).unwrap();
    server.give(&copies).unwrap();
    let url = server.create_database().unwrap();

    let mut stage = Stage::make().await;
    let patients = stage.insure(6, Arc::new(SystemClock)).await;
    let settings = moved_up(&stage, &url);
    let gate = Gate::start(&settings);
    let mut settled = Vec::new();
    for (at, (_, stay)) in patients.iter().enumerate() {
        if at == 3 {
            server.base_backup(&copies.join("base")).unwrap();
        }
        let bill = stage.until_discharge(&gate, stay).await;
        let answer = stage.settle(&gate, stay, &bill).await.done();
        settled.push((stay, bill, answer.bytes));
    }
    assert!(gate.stop(), "it ended well, everything anchored");
    let config = settings.to_str().unwrap();
    let head = banyan(&["verify", "--config", config, "--head"]);
    let head = done(&head).trim().to_owned();
    server.archive_all().unwrap();
    server.kill().unwrap();
    drop(server);

    let restored = Server::restored(&copies.join("base"), &archive).unwrap();
    let name = url.rsplit('/').next().unwrap();
    let settings = pointed_to(&stage, &restored.url(name));
    let verified = banyan(&["verify", "--config", settings.to_str().unwrap(), "--witness", &head]);
    let told = done(&verified);
    assert!(told.contains('✓'), "{told}");
    let gate = Gate::start(&settings);
    for (stay, bill, answer) in &settled {
        let again = stage.settle(&gate, stay, bill).await.done();
        assert_eq!(again.bytes, *answer, "the first answer, byte for byte");
    }
    assert!(gate.stop());
}

/// The sandbox's ledger is carried into a database, as a province's is.
pub(crate) fn moved_up(stage: &Stage, url: &str) -> std::path::PathBuf {
    let (from, backup) = (stage.folder.settings(), stage.path("backup"));
    let (from, backup) = (from.to_str().unwrap(), backup.to_str().unwrap());
    done(&banyan(&["backup", "--config", from, "--to", backup]));
    done(&banyan(&["restore", backup, "--config", from, "--ledger", url, "--yes"]));
    pointed_to(stage, url)
}

pub(crate) fn pointed_to(stage: &Stage, url: &str) -> std::path::PathBuf {
    let file = "file = \"data/ledger.db\"";
    stage.settings("postgres.toml", &[(file, &format!("url = \"{url}\""))], "")
}
