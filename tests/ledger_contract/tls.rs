//! Owns how a node is sure of its server and the server of its node: certificates, host names, passwords.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use banyan::domain::calendar::Day;
use banyan::ledger::Ledger;
use banyan::ledger::postgres;
use banyan::ledger::postgres::PostgresLedger;
use banyan::ledger::postgres::Settings;
use banyan::sandbox::identities::Authority;
use banyan::sandbox::identities::Identity;
use banyan::sandbox::postgres::Server;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use tempfile::TempDir;

use crate::actor::Actor;
use crate::sqlite::secrets;
use crate::stage::BEGIN;

const PASSWORD: &str = "q7-Rundes Blatt!";

/// A server that speaks TLS only and knows its node by a password.
struct Guarded {
    server: Server,
    authority: Authority,
    folder: TempDir,
}

impl Guarded {
    fn start() -> Guarded {
        let server = Server::start().unwrap();
        server.query("postgres", &format!("CREATE ROLE banyan LOGIN PASSWORD '{PASSWORD}'")).unwrap();
        server.query("postgres", "CREATE DATABASE banyan OWNER banyan").unwrap();
        let authority = authority();
        let identity = authority.server(&["localhost", "127.0.0.1"]).unwrap();
        let access =
            "hostssl all postgres 127.0.0.1/32 trust\nhostssl all banyan 127.0.0.1/32 scram-sha-256\n";
        server.put("pg_hba.conf", access).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut guarded = Guarded { server, authority, folder };
        guarded.show(&identity);
        guarded.server.set("ssl", "on").unwrap();
        guarded.server.restart().unwrap();
        guarded
    }

    /// The certificate that is shown from the next start on.
    fn show(&mut self, identity: &Identity) {
        self.server.put("server.crt", &identity.certificate).unwrap();
        self.server.put("server.key", &identity.key).unwrap();
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    /// As docs/postgres.md says.
    fn settings(&self) -> Settings {
        Settings {
            url: format!("postgres://banyan@localhost:{}/banyan", self.server.port()),
            ca_file: Some(self.write("database-ca.pem", &self.authority.certificate(), 0o644)),
            password_file: Some(self.write("database.password", &format!("{PASSWORD}\n"), 0o600)),
            ..Settings::default()
        }
    }

    fn open(&self, settings: Settings) -> Result<PostgresLedger, String> {
        let keys = secrets(&self.folder.path().join("ledger.db"));
        PostgresLedger::open(settings, keys, Arc::new(|| BEGIN)).map_err(|cause| told(&cause))
    }

    fn refusal(&self, settings: Settings) -> String {
        let told = self.open(settings).err().unwrap();
        assert!(!told.contains(PASSWORD), "{told}");
        told
    }
}

fn authority() -> Authority {
    // Certificates are held to the machine's own clock.
    Authority::make(SystemClock.now().day()).unwrap()
}

/// An error and what it is because of.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

fn says(told: &str, words: &str) {
    assert!(told.contains(words), "{told:?} does not say {words:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_settles_over_tls_with_the_password_of_its_file() {
    let guarded = Guarded::start();
    let settings = guarded.settings();
    let keys = secrets(&guarded.folder.path().join("ledger.db"));
    postgres::migrate(&settings, &keys).unwrap();
    let ledger: Arc<dyn Ledger> = Arc::new(guarded.open(settings).unwrap());
    let woman = Actor::registered(&ledger, "T1").await;
    let stay = woman.ready_to_settle(10_000).await;
    woman.settle(&stay).await;
    assert_eq!(ledger.check(10).await.unwrap(), Vec::<String>::new());
    let plain = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'banyan' AND NOT ssl";
    assert_eq!(guarded.server.query("banyan", plain).unwrap(), "0", "every connection is encrypted");
}

#[test]
fn a_server_that_is_not_the_right_one_is_told_from_a_wrong_password() {
    let mut guarded = Guarded::start();
    let settings = guarded.settings();

    let other = guarded.write("other-ca.pem", &authority().certificate(), 0o644);
    let told = guarded.refusal(Settings { ca_file: Some(other), ..settings.clone() });
    says(&told, "its certificate is signed by no authority in ca_file");
    says(&told, &format!("localhost:{}", guarded.server.port()));

    let plain = Settings { ca_file: None, ..settings.clone() };
    says(&guarded.refusal(plain.clone()), "no encryption");
    let elsewhere = Settings { url: "postgres://banyan@db1.example/banyan".into(), ..plain };
    says(&guarded.refusal(elsewhere), "db1.example:5432 is another machine");

    let wrong = guarded.write("wrong.password", "another\n", 0o600);
    let told = guarded.refusal(Settings { password_file: Some(wrong), ..settings.clone() });
    says(&told, "it does not take this user with this password: look at password_file");
    let told = guarded.refusal(Settings { password_file: None, ..settings.clone() });
    says(&told, "it wants a password: name the file with it in password_file");
    let open = guarded.write("open.password", PASSWORD, 0o644);
    says(&guarded.refusal(Settings { password_file: Some(open), ..settings.clone() }), "chmod 600");
    let empty = guarded.write("empty.password", "\n", 0o600);
    says(&guarded.refusal(Settings { password_file: Some(empty), ..settings.clone() }), "is empty");

    let of_another = guarded.authority.server(&["db2.example"]).unwrap();
    guarded.show(&of_another);
    guarded.server.restart().unwrap();
    says(&guarded.refusal(settings.clone()), "its certificate is for another host name than the one in url");

    let long_ago = Authority::make(Day::from_number(20_010_101).unwrap()).unwrap();
    guarded.show(&long_ago.server(&["localhost"]).unwrap());
    guarded.server.restart().unwrap();
    let trusted = guarded.write("old-ca.pem", &long_ago.certificate(), 0o644);
    says(&guarded.refusal(Settings { ca_file: Some(trusted), ..settings.clone() }), "expired");

    guarded.server.set("ssl", "off").unwrap();
    guarded.server.put("pg_hba.conf", "host all all 127.0.0.1/32 trust\n").unwrap();
    guarded.server.restart().unwrap();
    says(&guarded.refusal(settings), "server does not support TLS");
}
