//! Owns what a pack may say but hardly means: told by `banyan check`, never a reason not to load.

use crate::config::packs::PackSet;
use crate::domain::ids::RegionCode;

/// Something that a second person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub region: RegionCode,
    pub message: String,
}

/// Funds that by rules.md §1.6 belong to employees (310).
const OF_EMPLOYEES: [(&str, &str); 3] = [
    ("resident.large_amount", "大额"),
    ("resident.civil_servant", "公务员补助"),
    ("resident.account", "个人账户"),
];

/// The warnings of every pack, in their order.
pub fn warnings(set: &PackSet) -> Vec<Warning> {
    let mut found = Vec::new();
    for file in set.files() {
        let region = file.pack.region();
        let mut warn = |message: String| found.push(Warning { region, message });
        let provenance = file.pack.provenance();
        for (parameter, fund) in OF_EMPLOYEES {
            if provenance.iter().any(|value| value.parameter == parameter) {
                warn(format!(
                    "{parameter}: {fund} is usually for employees (310) only: is it meant for residents?"
                ));
            }
        }
        if file.cases.is_empty() {
            warn("has no case: nothing shows that its numbers come out as the notice says".to_owned());
        }
        let name = file.path.as_deref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        let right = format!("{region}.toml");
        if let Some(name) = name.filter(|name| *name != right) {
            warn(format!("stands in {name}: name the file {right}"));
        }
    }
    found
}
