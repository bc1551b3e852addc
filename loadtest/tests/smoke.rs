//! The whole loader in small, for what it says and not for how fast: real processes, mutual TLS, a few hundred
//! settlements, and the gate behind them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use serde_json::Value;

/// The gateway beside this program; `cargo test --workspace` has built it.
fn gateway() -> PathBuf {
    let gateway = PathBuf::from(env!("CARGO_BIN_EXE_loadtest")).with_file_name("banyan");
    if !gateway.exists() {
        let made =
            Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "banyan"]).status().unwrap();
        assert!(made.success(), "the gateway cannot be built");
    }
    gateway
}

struct Loader {
    folder: tempfile::TempDir,
}

impl Loader {
    fn new() -> Loader {
        Loader { folder: tempfile::tempdir().unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
        command.args(arguments).arg("--gateway").arg(gateway());
        command.arg("--folder").arg(at("run")).arg("--json").arg(at("report.json"));
        command.output().unwrap()
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.path().join("report.json")).unwrap()).unwrap()
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn whole_stays_are_driven_and_the_ledger_holds_each_settlement_once() {
    let loader = Loader::new();
    let size = ["--lines", "20", "--connections", "64", "--stays", "60", "--warm-up", "10", "--repeats", "2"];
    let done = loader.run(&[&["run", "--scenario", "stay"][..], &size].concat());
    assert!(done.status.success(), "{}", told(&done));

    let report = loader.report();
    // 70 in each of two repeats, and the one whose answers the floor gives.
    assert_eq!(report["closed"]["books"]["settlements"], 141);
    assert_eq!(report["closed"]["books"]["unanswered"], 0);
    let steps = report["pairs"][0]["gateway"]["steps"].as_object().unwrap();
    assert_eq!(steps.len(), 5, "each call of a stay has its latency");
}

#[test]
fn arrivals_at_a_rate_are_timed_from_when_they_should_have_been_sent() {
    let loader = Loader::new();
    // One connection cannot keep up: what waits for it must be seen in the latency.
    let size =
        ["--rate", "100000", "--connections", "1", "--stays", "100", "--warm-up", "0", "--repeats", "1"];
    let done = loader.run(&[&["run", "--scenario", "settle"][..], &size].concat());
    assert!(done.status.success(), "{}", told(&done));

    let gateway = &loader.report()["pairs"][0]["gateway"];
    let (last, whole) =
        (gateway["whole"]["max"].as_f64().unwrap(), gateway["seconds"].as_f64().unwrap() * 1e6);
    assert!(last > whole / 2.0, "the last call waited {last} µs of {whole}");
}

#[test]
fn bars_are_told_one_by_one_and_decide_the_exit_code() {
    let loader = Loader::new();
    let done = loader.run(&["bars", "--stays", "20", "--connections", "4", "--repeats", "1"]);
    let report = loader.report();
    let bars = report["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 6, "{}", told(&done));
    let held = bars.iter().all(|bar| bar["held"].as_bool().unwrap());
    assert_eq!(done.status.code(), Some(if held { 0 } else { 1 }), "{}", told(&done));
    assert!(told(&done).contains("not measured"));
}
