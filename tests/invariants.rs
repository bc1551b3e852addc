//! The fund share held against a slow exact reference over many years of bills (rules.md §2).
//!
//! The run prints how often each branch was met. A difference names the
//! seed and the step of its history; `BANYAN_SEED=1412 cargo test --test invariants` runs that history alone.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is the test's failure")]

mod driver;
mod reference;

use reference::counts::{BRANCHES, Met};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

const HISTORIES: u64 = 8_000;
const BILLS_MIN: u64 = 100_000;
const MET_MIN: u64 = 1_000;
/// Writing and reading JSON is slow, so only some histories are quoted too.
const QUOTED_EVERY: u64 = 8;
const THREADS: usize = 2;

#[test]
fn the_domain_agrees_with_the_reference_on_years_of_bills() {
    if let Ok(seed) = std::env::var("BANYAN_SEED") {
        let history = reference::generate::history(seed.parse().unwrap());
        driver::drive(&driver::tables(), &history, true, &mut Met::default());
        return;
    }
    let met = run_all();
    let times = |branch: &str| met.0.get(branch).copied().unwrap_or(0);
    for branch in BRANCHES {
        // Straight to the terminal: a test that passes shows its table too.
        writeln!(std::io::stdout(), "{:>9}  {branch}", times(branch)).unwrap();
    }
    let unnamed: Vec<_> = met.0.keys().filter(|branch| !BRANCHES.contains(branch)).collect();
    assert!(unnamed.is_empty(), "branches without a row in the table: {unnamed:?}");
    assert!(times("bill: settled") >= BILLS_MIN, "too few bills");
    let rare: Vec<_> = BRANCHES.into_iter().filter(|branch| times(branch) < MET_MIN).collect();
    assert!(rare.is_empty(), "branches met too seldom: {rare:?}");
}

fn run_all() -> Met {
    let tables = driver::tables();
    let next = AtomicU64::new(0);
    let run = || {
        let mut met = Met::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= HISTORIES {
                return met;
            }
            let history = reference::generate::history(seed);
            driver::drive(&tables, &history, seed.is_multiple_of(QUOTED_EVERY), &mut met);
            met.add(&history.met);
        }
    };
    let mut met = Met::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().for_each(|thread| met.add(&thread.join().unwrap()));
    });
    met
}
