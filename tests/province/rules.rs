//! Prometheus's own evaluation of `config/alerts.yml` over what real gateways said.
//!
//! A rule wants a state to last for minutes; a test does not wait for them. A gateway is asked before and in the state, and
//! Prometheus is told that ten minutes were like the first answer and the next twenty like the second.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::scrape::Scrape;

pub(crate) const RULES: &str = "config/alerts.yml";

/// How what happened between the two answers goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    /// It happens again every fifteen seconds.
    On,
    /// It happened once.
    Once,
}

/// Answers at 15 s: ten minutes, then twenty.
const BEFORE: usize = 40;
const IN_STATE: usize = 80;

/// These alerts are quiet before and fire in the state.
#[track_caller]
pub(crate) fn fires(alerts: &[&str], before: &Scrape, state: Option<&Scrape>, goes: Goes) {
    let soon = if goes == Goes::Once { "12m" } else { "28m" };
    let checks = alerts.iter().flat_map(|alert| [(*alert, "9m", 0), (*alert, soon, 1)]);
    judge(&checks.collect::<Vec<_>>(), before, state, goes);
}

/// None of all alerts fires, but for these.
#[track_caller]
pub(crate) fn is_quiet_but_for(but: &[&str], before: &Scrape, state: &Scrape) {
    let alerts = all_alerts();
    let checks = alerts.iter().map(|alert| (alert.as_str(), "28m", i32::from(but.contains(&alert.as_str()))));
    judge(&checks.collect::<Vec<_>>(), before, Some(state), Goes::On);
}

pub(crate) fn all_alerts() -> Vec<String> {
    let rules = fs::read_to_string(RULES).unwrap();
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    named.map(str::to_owned).collect()
}

#[track_caller]
fn judge(checks: &[(&str, &str, i32)], before: &Scrape, state: Option<&Scrape>, goes: Goes) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("case.yml");
    fs::write(&file, case(checks, before, state, goes)).unwrap();
    let told = Command::new("promtool").args(["test", "rules"]).arg(&file).output();
    let told = told.expect("promtool is there: it comes with Debian's package prometheus");
    let text = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "{goes:?}: {}", String::from_utf8_lossy(&text));
}

fn case(checks: &[(&str, &str, i32)], before: &Scrape, state: Option<&Scrape>, goes: Goes) -> String {
    let rules: PathBuf = fs::canonicalize(RULES).unwrap();
    let mut text = format!(
        "rule_files: [{}]\nevaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n",
        rules.display()
    );
    let up = if state.is_some() { 1 } else { 0 };
    series(&mut text, "up", &format!("1x{} {up}x{IN_STATE}", BEFORE - 1));
    let empty = Scrape::default();
    let after = state.unwrap_or(&empty);
    let names = before.values.keys().chain(after.values.keys().filter(|it| !before.values.contains_key(*it)));
    for name in names {
        let values = course(name, before, after, goes);
        series(&mut text, name, &values);
    }
    text.push_str("  promql_expr_test:\n");
    for (alert, at, wanted) in checks {
        let firing = format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");
        writeln!(
            text,
            "  - expr: 'count({firing}) > bool 0 or vector(0)'\n    eval_time: {at}\n    exp_samples: [{{labels: '{{}}', value: {wanted}}}]"
        )
        .unwrap();
    }
    text
}

fn series(text: &mut String, name: &str, values: &str) {
    let target = r#"job="banyan",instance="gateway""#;
    let named = match name.split_once('{') {
        None => format!("{name}{{{target}}}"),
        Some((name, labels)) => format!("{name}{{{target},{labels}"),
    };
    writeln!(text, "  - series: '{}'\n    values: '{values}'", named.replace('\'', "''")).unwrap();
}

/// In promtool's notation: `a+bxn` is a, then n more, each b larger.
#[expect(clippy::float_arithmetic, reason = "Prometheus counts in floats; no money is here")]
fn course(series: &str, before: &Scrape, after: &Scrape, goes: Goes) -> String {
    let first = before.values.get(series).copied();
    let second = after.values.get(series).copied();
    let begin = first.map_or(format!("_x{BEFORE}"), |value| format!("{value}+0x{}", BEFORE - 1));
    let step = match (first, second) {
        (_, Some(second)) if after.is_counter(series) && goes == Goes::On => {
            (second - first.unwrap_or(0.0)).max(0.0)
        }
        _ => 0.0,
    };
    let end = second.map_or(format!("_x{IN_STATE}"), |value| format!("{value}+{step}x{IN_STATE}"));
    format!("{begin} {end}")
}
