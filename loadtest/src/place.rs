//! Owns the folder of a run: a sandbox province on a real disk, with settings for a loader that speaks for all hospitals.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::config::gateway::Proof;
use banyan::domain::ids::InstitutionCode;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;

use crate::failed::Failed;
use crate::failed::cannot;

/// Codes in the catalogue of each place of care.
const CODES: u64 = 400;
const SEED: u64 = 1;

/// A made folder; removed at the end unless it shall be kept.
pub struct Place {
    root: PathBuf,
    pub folder: Folder,
    pub province: Province,
    /// The institution whose certificate speaks for all.
    pub front: InstitutionCode,
    keep: bool,
}

impl Place {
    /// Makes a province of so many insured below `root`.
    pub async fn make(root: &Path, persons: u64, keep: bool) -> Result<Place, Failed> {
        if root.exists() {
            return Err(Failed::Said(format!("{} is there already: remove it first", root.display())));
        }
        let size = Size { seed: SEED, persons, codes: CODES, stays: 0 };
        let province = Province::new(size, SystemClock.now().day());
        let folder = Folder::new(root);
        let made = sandbox_folder::make(&folder, &province, Ports::ANY, Arc::new(SystemClock)).await;
        made.map_err(Failed::Said)?;
        let config = settings(&folder)?;
        let institutions = config.callers.iter().flat_map(|caller| &caller.institutions);
        let codes: Vec<String> = institutions.map(|code| format!("\"{code}\"")).collect();
        let front = config.callers.first().ok_or_else(|| Failed::Said("no hospital may call".into()))?;
        let Proof::Certificate { fingerprint } = &front.proof else {
            return Err(Failed::Said("a hospital of the sandbox calls without a certificate".into()));
        };
        let text = fs::read_to_string(folder.settings()).map_err(cannot("read the settings"))?;
        let text = loaded(&text, fingerprint, &codes.join(", "));
        fs::write(folder.settings(), text).map_err(cannot("write the settings"))?;
        settings(&folder)?;
        Ok(Place { root: root.to_owned(), front: front.institutions[0].clone(), folder, province, keep })
    }

    /// Settings as the gateway reads them.
    pub fn settings(&self) -> Result<Gateway, Failed> {
        settings(&self.folder)
    }

    /// Where logs, answers of the floor and the like are put.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Bytes of the ledger's files.
    pub fn ledger_bytes(&self) -> u64 {
        let ledger = self.folder.ledger();
        let files = ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", ledger.display())));
        files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            let _left_for_the_next_clean_up = fs::remove_dir_all(&self.root);
        }
    }
}

fn settings(folder: &Folder) -> Result<Gateway, Failed> {
    Gateway::read(&folder.settings()).map_err(|faults| Failed::Said(faults.to_string()))
}

/// The sandbox's settings with one front machine for all institutions, room for its rate, and the log level of
/// production. Nothing else differs from what ships.
fn loaded(made: &str, fingerprint: &str, codes: &str) -> String {
    let head =
        made.split("\n[[caller]]").next().unwrap_or(made).replace(r#"level = "warn""#, r#"level = "info""#);
    format!(
        r#"{head}
[hospital.limits]
per_second = 1000000             # the loader is every hospital of a province at once
burst = 1000000

[institution_default]
refuse_unfiled_first = false     # one 2303 a stay, filed or not

[[caller]]
certificate_sha256 = "{fingerprint}"
institutions = [{codes}]
"#
    )
}
