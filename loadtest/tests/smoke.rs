//! The whole loader in small, for what it says and not for how fast: real processes, mutual TLS, a few hundred
//! settlements, and the gate behind them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::sync::LazyLock;

use serde_json::Value;

/// The gateway beside this program, made once as the sources say; with the loader's features, so that nothing is built
/// twice.
fn gateway() -> &'static Path {
    static GATEWAY: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--package", "banyan", "--package", "loadtest", "--bin", "banyan"]);
        assert!(command.status().unwrap().success(), "the gateway cannot be built");
        PathBuf::from(env!("CARGO_BIN_EXE_loadtest")).with_file_name("banyan")
    });
    &GATEWAY
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

/// What every run here has in common: little.
const SMALL: [&str; 8] = ["--stays", "30", "--warm-up", "3", "--repeats", "1", "--connections", "8"];

fn books(report: &Value) -> &Value {
    &report["ledgers"][0]["closed"]["books"]
}

#[test]
fn whole_stays_are_driven_and_the_ledger_holds_each_settlement_once() {
    let loader = Loader::new();
    let size = ["--lines", "20", "--connections", "64", "--stays", "60", "--warm-up", "10", "--repeats", "2"];
    let done = loader.run(&[&["run", "--scenario", "stay"][..], &size].concat());
    assert!(done.status.success(), "{}", told(&done));

    let report = loader.report();
    // 70 in each of two repeats, and the one whose answers the floor gives, which is taken back.
    assert_eq!(books(&report)["settlements"], 141);
    assert_eq!(books(&report)["reversals"], 1);
    assert_eq!(books(&report)["unanswered"], 0);
    let steps = report["points"][0]["pairs"][0]["gateway"]["steps"].as_object().unwrap();
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

    let gateway = &loader.report()["points"][0]["pairs"][0]["gateway"];
    let (last, whole) =
        (gateway["whole"]["max_us"].as_f64().unwrap(), gateway["seconds"].as_f64().unwrap() * 1e6);
    assert!(last > whole / 2.0, "the last call waited {last} µs of {whole}");
}

#[test]
fn a_day_holds_every_call_of_a_hospital_and_its_reversals_are_in_the_ledger() {
    let loader = Loader::new();
    let done = loader.run(&[&["run", "--scenario", "day"][..], &SMALL].concat());
    assert!(done.status.success(), "{}", told(&done));

    let report = loader.report();
    let steps = report["points"][0]["pairs"][0]["gateway"]["steps"].as_object().unwrap();
    for call in [
        "sign_in",
        "identify",
        "entitle",
        "admit",
        "upload",
        "discharge",
        "quote",
        "settle",
        "look",
        "reverse",
    ] {
        assert!(steps.contains_key(call), "{call} is lacking in {steps:?}");
    }
    // Two of the day's settlements are taken back, and the sample.
    assert_eq!(books(&report)["reversals"], 3);
}

#[test]
fn a_storm_of_the_same_messages_is_answered_with_the_same_bytes() {
    let loader = Loader::new();
    let done = loader.run(&[&["run", "--scenario", "replay"][..], &SMALL].concat());
    assert!(done.status.success(), "{}", told(&done));

    let report = loader.report();
    assert_eq!(books(&report)["settlements"], 34);
    assert_eq!(books(&report)["replays"], 33 * 9);
}

#[test]
fn hot_places_signed_calls_and_short_connections_are_settled_too() {
    for extra in [
        &["--scenario", "hot-hospital", "--proof", "tls", "--no-keep-alive"][..],
        &["--scenario", "hot-region", "--lines", "200"][..],
    ] {
        let loader = Loader::new();
        let done = loader.run(&[&["run"][..], &SMALL, extra].concat());
        assert!(done.status.success(), "{extra:?}: {}", told(&done));
        assert_eq!(books(&loader.report())["settlements"], 34);
    }
}

#[test]
fn several_sizes_are_tried_and_drawn() {
    let loader = Loader::new();
    let charts = loader.folder.path().join("charts");
    let size =
        ["--stays", "10", "--warm-up", "0", "--repeats", "1", "--connections", "1,4", "--history", "0,20"];
    let done = loader.run(&[&["run", "--charts", charts.to_str().unwrap()][..], &size].concat());
    assert!(done.status.success(), "{}", told(&done));

    let points = loader.report()["points"].as_array().unwrap().len();
    assert_eq!(points, 4, "each number of connections at each length of history");
    for chart in ["throughput-over-connections.svg", "latency-over-history.svg", "cores-over-connections.svg"]
    {
        let svg = std::fs::read_to_string(charts.join(chart)).unwrap();
        assert!(svg.contains("<polyline"), "{chart}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused_before_anything_is_made() {
    let loader = Loader::new();
    for (wrong, words) in [
        (["--pools", "22"], "from 1 to 21"),
        (["--history", "100,0"], "rising"),
        (["--lines", "99999"], "no more than 4000000 are kept in memory"),
        (["--stays", "0"], "above 0"),
    ] {
        let done = loader.run(&[&["run"][..], &wrong].concat());
        assert_eq!(done.status.code(), Some(2), "{wrong:?}: {}", told(&done));
        assert!(told(&done).contains(words), "{wrong:?}: {}", told(&done));
    }
    let done = loader.run(&["bars", "--stays", "1000000"]);
    assert_eq!(done.status.code(), Some(2), "{}", told(&done));
    assert!(told(&done).contains("no more than 4000000 are kept in memory"), "{}", told(&done));
    let nowhere = Command::new(env!("CARGO_BIN_EXE_loadtest")).args(["run", "--gateway", "nowhere"]).output();
    let nowhere = nowhere.unwrap();
    assert_eq!(nowhere.status.code(), Some(2), "{}", told(&nowhere));
    assert!(told(&nowhere).contains("there is no program nowhere"), "{}", told(&nowhere));
}

#[test]
fn a_kept_ledger_is_driven_again_and_what_it_held_is_still_there() {
    let loader = Loader::new();
    let first = loader.run(&[&["run", "--keep", "--history", "25"][..], &SMALL].concat());
    assert!(first.status.success(), "{}", told(&first));
    assert_eq!(books(&loader.report())["before"], 25);

    let again = loader.run(&[&["run", "--reuse"][..], &SMALL].concat());
    assert!(again.status.success(), "{}", told(&again));
    // 33 and the sample with its reversal have come to them.
    assert_eq!(books(&loader.report())["before"], 25 + 34 + 1);
}

#[test]
fn a_ledger_in_postgresql_is_filled_driven_and_held_against_what_was_seen() {
    let loader = Loader::new();
    let done = loader.run(&[&["run", "--ledger", "postgres"][..], &SMALL].concat());
    assert!(done.status.success(), "{}", told(&done));
    let report = loader.report();
    assert_eq!(report["store"], "postgres");
    assert_eq!(books(&report)["settlements"], 34);
}

#[test]
fn bars_are_told_one_by_one_and_decide_the_exit_code() {
    let loader = Loader::new();
    let done = loader.run(&["bars", "--stays", "20", "--connections", "4", "--repeats", "1"]);
    let report = loader.report();
    let bars = report["bars"].as_array().unwrap();
    let all = format!("{} {}", report["bars"], report["not_measured"]);
    for part in ["pre-settle of 200", "upload of 20", "p99 of settle", "seals", "times capacity", "refusal"] {
        assert!(all.contains(part), "{part} is lacking: {}", told(&done));
    }
    let not_measured = report["not_measured"].as_array().unwrap();
    let held = bars.iter().all(|bar| bar["held"].as_bool().unwrap())
        && not_measured.iter().all(|missing| !missing["owed"].as_bool().unwrap());
    assert_eq!(done.status.code(), Some(if held { 0 } else { 1 }), "{}", told(&done));
    assert!(told(&done).contains("not measured"));
}

#[test]
fn long_bars_fill_a_ledger_draw_up_its_month_and_start_it_again() {
    let loader = Loader::new();
    let size = [
        "--population",
        "600",
        "--history",
        "60",
        "--month",
        "40",
        "--connections-max",
        "20",
        "--codes",
        "40",
    ];
    let few = ["--stays", "10", "--connections", "4", "--repeats", "1"];
    let done = loader.run(&[&["bars", "--only-long"][..], &size, &few].concat());
    assert!(loader.folder.path().join("report.json").exists(), "no report: {}", told(&done));
    let report = loader.report();
    let names: Vec<&str> =
        report["bars"].as_array().unwrap().iter().map(|bar| bar["name"].as_str().unwrap()).collect();
    for part in ["a month of 40 settlements", "settle rate", "settle p99", "start to ready", "memory"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part} is lacking: {}", told(&done));
    }
    assert_eq!(report["ledgers"].as_array().unwrap().len(), 2, "the small ledger and the large one");
}
