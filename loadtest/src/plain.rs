//! Owns the opponent named *plain*: the thinnest handler over one PostgreSQL function a settlement, and the same function
//! driven by pgbench, which shows whether the handler is a fair one.

use std::fs;
use std::path::Path;
use std::process::Command;

use banyan::sandbox::postgres::Server as Postgres;
use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::NoTls;
use tokio_postgres::Statement;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::floor::Answers;
use crate::opponent::Opponent;
use crate::step::Step;

const SCHEMA: &str = include_str!("plain.sql");
const SETTLE: &str = "SELECT settle($1, $2, $3, $4, $5, $6, $7, $8)";
/// What *plain* must reach of pgbench's rate to count: a straw man proves nothing.
pub const FAIR: f64 = 0.7;

/// Answers a settlement once it is durable; whatever else is asked gets a fixed answer.
pub struct Plain {
    answers: Answers,
    /// Connections that are free, each with its prepared statement.
    free: Mutex<mpsc::UnboundedReceiver<Session>>,
    back: mpsc::UnboundedSender<Session>,
}

struct Session {
    client: Client,
    settle: Statement,
}

/// What it reads of 2304.
#[derive(Deserialize)]
struct Envelope<'a> {
    msgid: &'a str,
    fixmedins_code: &'a str,
    #[serde(borrow)]
    input: Input<'a>,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    psn_no: &'a str,
    mdtrt_id: &'a str,
    medfee_sumamt: &'a str,
}

impl Plain {
    /// With so many connections to a database that has the function.
    pub async fn connect(url: &str, connections: usize, answers: Answers) -> Result<Plain, Failed> {
        let (back, free) = mpsc::unbounded_channel();
        for _ in 0..connections {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.map_err(cannot("connect to PostgreSQL"))?;
            tokio::spawn(connection);
            let settle = client.prepare(SETTLE).await.map_err(cannot("prepare the function's call"))?;
            client.batch_execute(&warm_up()).await.map_err(cannot("call the function"))?;
            let _received_below = back.send(Session { client, settle });
        }
        Ok(Plain { answers, free: Mutex::new(free), back })
    }

    async fn settle(&self, body: &[u8]) -> Result<(), Failed> {
        let Envelope { msgid, fixmedins_code, input: Input { data } } =
            serde_json::from_slice(body).map_err(cannot("read a call"))?;
        let fee = banyan::protocol::wire::money(data.medfee_sumamt);
        let fee = fee.ok_or_else(|| Failed::Said("medfee_sumamt is no amount".into()))?.0;
        let (fund, account) = (fee / 10 * 7, fee / 10);
        let cash = fee - fund - account;
        let session = self.free.lock().await.recv().await;
        let session = session.ok_or_else(|| Failed::Said("no connections".into()))?;
        let row = session
            .client
            .query_one(
                &session.settle,
                &[&fixmedins_code, &msgid, &data.mdtrt_id, &data.psn_no, &fee, &fund, &account, &cash],
            )
            .await;
        let _open_as_long_as_we_are = self.back.send(session);
        row.map(drop).map_err(cannot("settle"))
    }
}

/// Calls that leave nothing behind: a fresh session has the function to read and six times its statements to plan.
fn warm_up() -> String {
    let calls: String =
        (0..6).map(|at| format!("SELECT settle('warm-up', '{at}', '', '', 4, 1, 1, 2);")).collect();
    format!("BEGIN; {calls} ROLLBACK")
}

impl Opponent for Plain {
    async fn answer(&self, path: &str, body: Bytes) -> Bytes {
        if Step::of_path(path) == Some(Step::Settle)
            && let Err(failed) = self.settle(&body).await
        {
            return format!(r#"{{"infcode":-1,"err_msg":"{}"}}"#, crate::failed::told(&failed)).into();
        }
        self.answers.of(path)
    }
}

/// Makes tables and function in an empty database.
pub fn make_schema(server: &Postgres, database: &str) -> Result<(), Failed> {
    server.query(database, SCHEMA).map(drop).map_err(cannot("make the opponent's schema"))
}

/// Settlements that the database holds.
pub fn settlements(server: &Postgres, database: &str) -> Result<usize, Failed> {
    let count = server.query(database, "SELECT count(*) FROM settlement").map_err(cannot("count"))?;
    count.trim().parse().map_err(cannot("read a count"))
}

/// What pgbench drives through the function.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pgbench {
    pub clients: usize,
    pub seconds: u32,
    pub per_second: f64,
}

/// Runs pgbench over a socket of its own kind: no TLS, no HTTP, prepared statements, the same persons at random.
pub fn pgbench(url: &str, script: &Path, clients: usize, seconds: u32) -> Result<Pgbench, Failed> {
    const SCRIPT: &str = "\\set person random(1, 100000)
\\set message random(1, 4000000000000000000)
SELECT settle('H44070300001', 'H44070300001' || :message::text, 'M' || :message::text, '4407009' || :person::text, \
                          1234500, 864150, 123450, 246900);
";
    fs::write(script, SCRIPT).map_err(cannot("write pgbench's script"))?;
    let mut command = Command::new("pgbench");
    command.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string(), "-T", &seconds.to_string()]);
    command.arg("-f").arg(script).arg(url).env("LC_ALL", "C");
    let done = command.output().map_err(cannot("run pgbench"))?;
    let said = String::from_utf8_lossy(&done.stdout);
    let per_second = rate_in(&said).filter(|_| done.status.success()).ok_or_else(|| {
        Failed::Said(format!("pgbench failed: {said}{}", String::from_utf8_lossy(&done.stderr)))
    })?;
    Ok(Pgbench { clients, seconds, per_second })
}

fn rate_in(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_pgbench_is_found_in_what_it_says() {
        let said = "latency average = 4.1 ms\ntps = 15612.345678 (without initial connection time)\n";
        assert_eq!(rate_in(said), Some(15_612.345_678));
    }
}
