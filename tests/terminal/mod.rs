//! The program as somebody at a terminal uses it, and the ledger that a demonstration leaves to work on.

use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use tempfile::TempDir;

pub(crate) fn banyan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_banyan")).args(arguments).output().unwrap()
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// What the demonstration leaves: a ledger with settlements, reversed ones too, and its keys.
pub(crate) struct Left {
    pub(crate) folder: TempDir,
    pub(crate) config: String,
}

impl Left {
    pub(crate) fn by_a_demonstration() -> Left {
        let folder = tempfile::tempdir().unwrap();
        let province = folder.path().join("province");
        let played = banyan(&["demo", "--once", "--persons", "42", "--dir", province.to_str().unwrap()]);
        assert_eq!(code(&played), 0, "{}", told(&played));
        let config = province.join("gateway.toml").to_str().unwrap().to_owned();
        Left { folder, config }
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("province/data/ledger.db")
    }

    pub(crate) fn settlements(&self) -> Vec<String> {
        let db = rusqlite::Connection::open(self.ledger()).unwrap();
        let mut ids = db.prepare("SELECT setl_id FROM settlement ORDER BY setl_id").unwrap();
        let ids = ids.query_map([], |row| row.get(0)).unwrap();
        ids.collect::<Result<_, _>>().unwrap()
    }
}
