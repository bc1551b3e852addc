//! The house rules that a compiler does not know: who may name whom, and that the law stays pure.

#![expect(clippy::unwrap_used, reason = "a fault here is a failed test")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Layer → the layers that it may name beside itself. `config` may be named by every layer for its own section.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("transport", &["config"]),
    ("vault", &["config"]),
    ("ledger", &["domain", "vault", "config"]),
    ("cache", &["domain", "vault", "config"]),
    ("service", &["domain", "ledger", "cache", "vault", "config"]),
    ("protocol", &["domain", "service", "transport", "cache", "telemetry", "config"]),
    ("config", &["domain"]),
    ("telemetry", &["transport", "cache", "ledger", "config"]),
    ("sandbox", &["domain", "protocol", "service", "config"]),
];

/// The composition: may name all.
const MAY_NAME_ALL: &[&str] = &["app", "command", "main", "lib"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The top-level module that a file belongs to: `src/domain/money.rs` → `domain`.
fn layer_of(path: &Path) -> String {
    let inner = path.strip_prefix("src").unwrap();
    let first = inner.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules named by `crate::x` in code (comments apart).
fn named(text: &str) -> Vec<(usize, String)> {
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(at, line)| {
        line.match_indices("crate::").map(move |(start, found)| {
            let rest = &line[start + found.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
            (at + 1, rest[..end].to_owned())
        })
    })
    .collect()
}

#[test]
fn layers_name_only_what_lies_below_them() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut faults = Vec::new();
    for file in &files {
        let layer = layer_of(file);
        if MAY_NAME_ALL.contains(&layer.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == layer) else {
            faults.push(format!("{}: layer `{layer}` is not in the table", file.display()));
            continue;
        };
        for (line, module) in named(&fs::read_to_string(file).unwrap()) {
            if module != layer && !module.is_empty() && !allowed.contains(&module.as_str()) {
                faults.push(format!("{}:{line}: `{layer}` may not name `{module}`", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_layer_of_the_table_is_there() {
    for (layer, _) in MAY_NAME {
        let (folder, file) = (format!("src/{layer}/mod.rs"), format!("src/{layer}.rs"));
        assert!(Path::new(&folder).exists() || Path::new(&file).exists(), "{layer} is in the table only");
    }
}

#[test]
fn the_domain_is_pure() {
    const FORBIDDEN: &[(&str, &str)] = &[
        ("async fn", "waits"),
        ("std::time", "reads a clock"),
        ("std::fs", "touches a disk"),
        ("std::net", "talks"),
        ("std::env", "reads the environment"),
        ("std::thread", "starts threads"),
        ("std::sync::Mutex", "shares state"),
        ("tokio", "waits"),
        ("tracing", "logs"),
        ("serde", "serializes"),
        ("rand::", "draws lots"),
        ("println!", "prints"),
        ("f64", "counts in floats"),
        ("f32", "counts in floats"),
    ];
    let mut files = Vec::new();
    sources(Path::new("src/domain"), &mut files);
    assert!(files.len() > 10, "the domain has moved");
    let mut faults = Vec::new();
    for file in &files {
        for (at, line) in fs::read_to_string(file).unwrap().lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for (word, why) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
                faults.push(format!("{}:{}: `{word}`: the domain never {why}", file.display(), at + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
