//! Nodes are replaced one after the other, by another program and by changed settings, while hospitals call.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::balancer::Balancer;
use crate::balancer::Passed;
use crate::cluster::PATIENCE;
use crate::node::BINARY;
use crate::province::Province;
use crate::province::migrate;

const CLIENTS: usize = 6;

/// Clients behind a balancer, until told to stop. A call that is not done is a failed call.
struct Calling {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    passed: Arc<Passed>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Calling {
    fn begin(province: &Province) -> Calling {
        let (stop, done, passed) = (Arc::default(), Arc::default(), Arc::default());
        let calling = Calling { stop, done, passed, clients: Vec::new() };
        let clients = (0..CLIENTS).map(|_| {
            let (stop, done) = (Arc::clone(&calling.stop), Arc::clone(&calling.done));
            let (passed, hospitals) = (Arc::clone(&calling.passed), Arc::clone(&province.hospitals));
            tokio::spawn(async move {
                let lines = hospitals.all.iter().map(|hospital| hospital.lines.clone());
                let mut balancers: Vec<_> = lines.map(Balancer::new).collect();
                hospitals.treat_through(&mut balancers, &passed, &done, &stop).await;
            })
        });
        let clients = clients.collect();
        Calling { clients, ..calling }
    }

    /// So many calls more.
    async fn goes_on(&self, more: usize) {
        let enough = self.done.load(Relaxed) + more;
        let reached = async {
            while self.done.load(Relaxed) < enough && !self.clients.iter().any(|client| client.is_finished())
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap();
    }

    async fn end(self) {
        self.stop.store(true, Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_are_replaced_without_a_failed_call() {
    let mut province = Province::start(1, |_| String::new()).await;
    province.insure(CLIENTS).await;
    let calling = Calling::begin(&province);
    calling.goes_on(20).await;

    // The program of another version, in another place.
    let place = tempfile::tempdir().unwrap();
    let other = place.path().join("banyan");
    std::fs::copy(BINARY, &other).unwrap();
    assert!(migrate(&province.direct).contains("nothing to do"), "nodes of this version go on");
    for node in &mut province.nodes {
        block_in_place(|| {
            node.stop();
            node.binary.clone_from(&other);
            node.run();
        });
        calling.goes_on(20).await;
    }

    // Settings that a start reads.
    for node in &mut province.nodes {
        let text = std::fs::read_to_string(&node.settings).unwrap();
        std::fs::write(
            &node.settings,
            text.replace("answer_within_ms = 2000", "answer_within_ms = 3000\nlanes = 3"),
        )
        .unwrap();
        block_in_place(|| {
            node.stop();
            node.run();
        });
        calling.goes_on(20).await;
    }

    block_in_place(|| province.is_sound());

    // What the next version's migration will do: expand, and say so. Nodes of this version go on, and none starts anew.
    province.cluster.query(
        "BEGIN; ALTER TABLE record ADD COLUMN later TEXT; CREATE TABLE new_in_the_next (word TEXT PRIMARY KEY);
         UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'schema_version'; COMMIT",
    );
    calling.goes_on(40).await;
    let refused = Command::new(BINARY).arg("serve").arg("--config").arg(&province.direct).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && told.contains("newer"), "{told}");
    let older = Command::new(BINARY).arg("migrate").arg("--config").arg(&province.direct).output().unwrap();
    assert_eq!(older.status.code(), Some(2), "{}", String::from_utf8_lossy(&older.stderr));
    let passed = Arc::clone(&calling.passed);
    let done = Arc::clone(&calling.done);
    calling.end().await;
    println!(
        "{} calls while four times a node was replaced, none failed; {} went on to the next node when nobody listened, \
         {} when an idle connection was closed, {} when it was closed as the call was on its way",
        done.load(Relaxed),
        passed.refused.load(Relaxed),
        passed.closed.load(Relaxed),
        passed.crossed.load(Relaxed)
    );
}
