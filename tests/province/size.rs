//! What a stay takes on disk, which the sizing of a province is made of.
//!
//! `BANYAN_SIZE_STAYS=3000 cargo test --test province size -- --nocapture` measures it with as many stays as wished and
//! prints; without it a few are made and the page's figure is held to them roughly.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use banyan::domain::money::Fen;
use banyan::protocol::wire;
use banyan::sandbox::play;
use banyan::sandbox::postgres::Server;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::stays::StayLine;
use banyan::service::seams::SystemClock;

use crate::recovery::moved_up;
use crate::stage::Gate;
use crate::stage::Stage;
use crate::stage::banyan;
use crate::stage::done;

const USUAL: u64 = 60;
const AT_ONCE: usize = 8;
/// Fee lines of a stay, and calls that bring them.
const LINES: usize = 20;
const UPLOADS: usize = 10;

/// As docs/province.md says it: bytes a stay of 14 calls takes on PostgreSQL.
pub(crate) const BYTES_A_STAY: u64 = 29_000;

/// 2401, ten 2301 of two lines each, 2402, 2303, 2304: 14 calls.
async fn whole(stage: &Stage, gate: &Gate, stay: &Stay) {
    let lines = stay.lines.iter().cycle().take(LINES).enumerate();
    let lines: Vec<StayLine> =
        lines.map(|(at, line)| StayLine { feedetl_sn: format!("L{at}"), ..line.clone() }).collect();
    let fee: Fen = lines.iter().filter_map(|line| wire::money(&line.det_item_fee_sumamt)).sum();
    let fee = fee.to_string();
    let his = stage.his(gate);
    let region = play::insured_region(stay);
    let done = async |infno: &str, input| {
        let reply = his.call(infno, region, input).await.unwrap();
        assert!(reply.ok(), "{infno}: {}", reply.err_msg);
        reply.output
    };
    let admitted = done("2401", play::admit(stay)).await;
    let id = admitted["result"]["mdtrt_id"].as_str().unwrap();
    for two in lines.chunks(LINES / UPLOADS) {
        done("2301", play::upload(stay, id, two)).await;
    }
    done("2402", play::discharge(stay, id)).await;
    done("2303", play::settle(stay, id, &fee)).await;
    done("2304", play::settle(stay, id, &fee)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stay_takes_as_much_room_as_the_page_says() {
    let wanted = std::env::var("BANYAN_SIZE_STAYS").ok();
    let count = wanted.as_ref().map_or(USUAL, |count| count.parse().unwrap());
    let server = Server::start().unwrap();
    let url = server.create_database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    let mut stage = Stage::make().await;
    let patients = stage.insure(count, Arc::new(SystemClock)).await;
    let settings = moved_up(&stage, &url);
    let gate = Gate::start(&unlimited(&settings));
    let number = |sql: &str| -> u64 {
        let said = server.query(name, sql).unwrap();
        said.parse().unwrap_or_else(|_| panic!("{said}"))
    };
    let bytes = || {
        server.query(name, "CHECKPOINT").unwrap();
        let on_disk = number("SELECT pg_database_size(current_database())");
        (on_disk, number("SELECT (pg_current_wal_lsn() - '0/0')::bigint"))
    };
    let before = bytes();
    let (stage, gate) = (Arc::new(stage), Arc::new(gate));
    let stays: Arc<Vec<Stay>> = Arc::new(patients.into_iter().map(|(_, stay)| stay).collect());
    let hands = (0..AT_ONCE).map(|hand| {
        let (stage, gate, stays) = (Arc::clone(&stage), Arc::clone(&gate), Arc::clone(&stays));
        tokio::spawn(async move {
            for stay in stays.iter().skip(hand).step_by(AT_ONCE) {
                whole(&stage, &gate, stay).await;
            }
        })
    });
    for hand in hands.collect::<Vec<_>>() {
        hand.await.unwrap();
    }
    let after = bytes();
    let (kept, log) = ((after.0 - before.0) / count, (after.1 - before.1) / count);
    println!("{count} stays of 14 calls: {kept} bytes a stay on disk, {log} bytes of log");
    if wanted.is_some() {
        const TABLES: &str = "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC";
        println!("{}", server.query(name, TABLES).unwrap());
        let folder = stage.path("backup");
        let held = || -> u64 {
            fs::read_dir(&folder).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum()
        };
        let before = held();
        let (config, folder) = (settings.to_str().unwrap(), folder.to_str().unwrap());
        done(&banyan(&["backup", "--config", config, "--to", folder]));
        println!("{} bytes a stay in a backup", (held() - before) / count);
    }
    // Few stays fill whole pages badly.
    assert!(kept < BYTES_A_STAY * 2 && kept > BYTES_A_STAY / 2, "{kept} bytes a stay");
}

fn unlimited(settings: &Path) -> PathBuf {
    let text = fs::read_to_string(settings).unwrap();
    let limits = "[hospital.limits]\nper_second = 100000\nburst = 100000\n\n[persons]";
    let file = settings.with_file_name("unlimited.toml");
    fs::write(&file, text.replace("[persons]", limits)).unwrap();
    file
}
