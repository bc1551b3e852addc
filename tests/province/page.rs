//! What the page says can be held: its settings are read, its commands are there, its figures are what they are made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use banyan::sandbox::postgres::Server;
use banyan::sandbox::postgres::archive::archive_command;
use banyan::sandbox::postgres::archive::restore_command;

use crate::rules::RULES;
use crate::size::BYTES_A_STAY;
use crate::stage::banyan;
use crate::stage::done;

fn page() -> String {
    fs::read_to_string("docs/province.md").unwrap()
}

/// The blocks of a kind, such as `toml`.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let fences = page.split("\n```");
    let of_kind = fences.filter_map(|part| part.strip_prefix(kind)?.strip_prefix('\n'));
    of_kind.map(str::to_owned).collect()
}

#[test]
fn its_settings_are_those_that_a_gateway_reads() {
    let page = page();
    let mut settings: toml::Table = fs::read_to_string("config/gateway.toml").unwrap().parse().unwrap();
    let shown = blocks(&page, "toml");
    assert_eq!(shown.len(), 1, "one block of settings");
    settings.extend(shown[0].parse::<toml::Table>().unwrap());
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("gateway.toml");
    fs::write(&file, toml::to_string(&settings).unwrap()).unwrap();
    let checked = banyan(&["check", "--config", file.to_str().unwrap(), "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let faults = told["faults"].as_array().unwrap();
    let keys: BTreeSet<&str> = faults.iter().filter_map(|fault| fault["key"].as_str()).collect();
    let of_these: Vec<_> = keys
        .iter()
        .filter(|key| ["ledger", "cache", "operators"].iter().any(|it| key.starts_with(it)))
        .collect();
    assert!(of_these.iter().all(|key| key.ends_with("_file")), "only files are lacking here: {faults:?}");
    assert!(keys.contains("ledger.password_file") || keys.contains("ledger.ca_file"), "{keys:?}");
}

#[test]
fn a_server_takes_the_lines_that_it_gives() {
    let page = page();
    let lines = blocks(&page, "text").into_iter().find(|block| block.contains("synchronous_commit")).unwrap();
    let mut settings: Vec<(&str, &str)> = Vec::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        // A test's machine has less memory than a province's.
        let value = if name == "shared_buffers" { "64MB" } else { value.trim_matches('\'') };
        settings.push((name, value));
    }
    let server = Server::start_with(&settings).unwrap();
    for (name, value) in settings {
        assert_eq!(server.query("postgres", &format!("SHOW {name}")).unwrap(), value, "{name}");
    }
}

#[test]
fn it_archives_and_fetches_as_the_test_of_recovery_does() {
    let page = page();
    for command in [
        format!("archive_command = '{}'", archive_command(Path::new("/archive"))),
        format!("restore_command = '{}'", restore_command(Path::new("/archive"))),
        "pg_basebackup -D /copies/base -c fast -X stream -d ".to_owned(),
    ] {
        assert!(page.contains(&command), "{command}");
    }
}

#[test]
fn every_command_and_option_that_it_names_is_there() {
    let page = page();
    let shown = blocks(&page, "sh").join("\n");
    let in_text = page.split('`').skip(1).step_by(2).filter(|span| !span.contains('\n'));
    let mut seen = 0;
    for line in shown.lines().chain(in_text) {
        let line = line.rsplit("-- banyan ").next().unwrap();
        let line = line.trim().trim_start_matches("cargo run --release -- ");
        let Some(rest) = line.strip_prefix("banyan ").or_else(|| {
            let known = ["keys make", "migrate", "check", "bundle"];
            known.iter().any(|it| line == *it || line.starts_with(&format!("{it} "))).then_some(line)
        }) else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let command: Vec<&str> = words.iter().copied().take(if words[0] == "keys" { 2 } else { 1 }).collect();
        let help = done(&banyan(&[&command[..], &["--help"]].concat()));
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(*option), "banyan {rest}: there is no {option}");
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen} commands were found");
}

#[test]
fn every_number_that_it_and_the_rules_name_is_counted_somewhere() {
    let sources: String = fs::read_dir("src/telemetry")
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let named = format!("{}{}", page(), fs::read_to_string(RULES).unwrap());
    let mut found = BTreeSet::new();
    for (at, _) in named.match_indices("banyan_") {
        let rest = &named[at..];
        let end = rest.find(|it: char| !(it.is_ascii_lowercase() || it == '_')).unwrap_or(rest.len());
        found.insert(rest[..end].trim_end_matches("_bucket"));
    }
    assert!(found.len() > 20, "{found:?}");
    // The name of a package's file is no metric.
    for name in found.into_iter().filter(|name| *name != "banyan_") {
        assert!(sources.contains(&format!("\"{name}\"")), "nothing counts {name}");
    }
}

#[test]
fn every_page_that_it_points_to_is_there() {
    let page = page();
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let lacking: Vec<_> = targets.filter(|target| !Path::new("docs").join(target).exists()).collect();
    assert_eq!(lacking, Vec::<&str>::new());
}

#[test]
fn its_arithmetic_is_right() {
    let page = page();
    let stays: u64 = 24_000_000;
    let terabytes = |bytes: u64| {
        let hundredths = (bytes * stays).div_ceil(10_000_000_000);
        format!("{}.{:02} TB a year", hundredths / 100, hundredths % 100)
    };
    assert!(page.contains(&format!("| {} KB a stay", BYTES_A_STAY / 1000)));
    assert!(page.contains(&terabytes(BYTES_A_STAY)), "{}", terabytes(BYTES_A_STAY));
}

#[test]
fn the_rules_are_sound_to_prometheus_itself() {
    let checked = Command::new("promtool").args(["check", "rules", RULES]).output();
    done(&checked.expect("promtool is there: it comes with Debian's package prometheus"));
}
