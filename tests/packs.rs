//! Every shipped pack loads and its own cases come out; what a pack may not say is refused with its place and reason.

use std::path::Path;

use banyan::config::packs;
use banyan::config::packs::PackSet;

fn set(folder: &str) -> PackSet {
    packs::load_set(Path::new(folder)).unwrap_or_else(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    })
}

#[test]
fn every_shipped_pack_holds_its_cases() {
    for folder in ["config/packs", "config/packs/sandbox"] {
        for file in set(folder).files() {
            assert!(!file.cases.is_empty(), "{} has no cases", file.pack.region());
            assert_eq!(packs::run_cases(file), [], "{}", file.pack.name());
        }
    }
}
