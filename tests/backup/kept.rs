//! A ledger with the folder of its backup, and what is looked at in them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use crate::terminal::Left;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

/// Those that a restored ledger has to the row; it takes lanes of its own.
pub(crate) const TABLES: [&str; 15] = [
    "meta",
    "record",
    "reference_record",
    "block",
    "anchor",
    "anchored",
    "person",
    "stay",
    "message",
    "settlement",
    "credential",
    "region",
    "institution",
    "catalogue_entry",
    "pack",
];

/// A ledger with the folder of its backup.
pub(crate) struct Kept {
    pub(crate) left: Left,
}

impl Kept {
    pub(crate) fn new() -> Kept {
        Kept { left: Left::by_a_demonstration() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.left.folder.path().join(name)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn back_up(&self) -> Output {
        banyan(&["backup", "--config", &self.left.config, "--to", &self.name("backup")])
    }

    /// What the last anchor is after a backup that must succeed.
    pub(crate) fn backed_up(&self) -> String {
        let done = self.back_up();
        assert_eq!(code(&done), 0, "{}", told(&done));
        head_in(&done)
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        whole_files(&self.path("backup"))
    }

    pub(crate) fn verify_backup(&self) -> Output {
        banyan(&["verify", "--config", &self.left.config, "--backup", &self.name("backup")])
    }

    pub(crate) fn verify(&self, ledger: &str) -> Output {
        banyan(&["verify", "--config", &self.left.config, "--ledger", ledger])
    }

    pub(crate) fn restore(&self, to: &str, more: &[&str]) -> Output {
        let (folder, to) = (self.name("backup"), self.name(to));
        let usual = ["restore", &folder, "--config", &self.left.config, "--to", &to];
        banyan(&[usual.as_slice(), more].concat())
    }

    pub(crate) fn import_command(&self, config: &str, numbers: std::ops::Range<u32>) -> Command {
        let file = self.path(&format!("persons-{}.csv", numbers.start));
        let header = "poolarea_no,psn_no,psn_name,psn_cert_type,certno,insutype,psn_type,psn_insu_stas,cvlserv_flag,insuplc_admdvs,begndate\n";
        let text = numbers.fold(header.to_owned(), |mut text, number| {
            writeln!(text, "440700,{number},陈样甲,99,T{number},310,11,1,0,440703,2020-01-01").unwrap();
            text
        });
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.args(["import", "--kind", "persons", "--source", "register", "--yes", "--config", config]);
        command.arg(file);
        command
    }

    pub(crate) fn import(&self, config: &str, numbers: std::ops::Range<u32>) {
        let done = self.import_command(config, numbers).output().unwrap();
        assert_eq!(code(&done), 0, "{}", told(&done));
    }

    /// The settings with another ledger.
    pub(crate) fn settings_with(&self, ledger: &str) -> String {
        let text = fs::read_to_string(&self.left.config).unwrap();
        let text = text.replace("\"data/ledger.db\"", &format!("\"{}\"", self.name(ledger)));
        let path = self.path("province/other.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The settings with a database in the file's stead.
    pub(crate) fn settings_with_database(&self, url: &str) -> String {
        let text = fs::read_to_string(&self.left.config).unwrap();
        let text = text.replace("file = \"data/ledger.db\"", &format!("url = \"{url}\""));
        let path = self.path("province/database.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A full file and two increments.
    pub(crate) fn with_three_files() -> Kept {
        let kept = Kept::new();
        kept.backed_up();
        for from in [1_000, 2_000] {
            kept.import(&kept.left.config, from..from + 150);
            kept.backed_up();
        }
        assert_eq!(kept.files().len(), 3);
        kept
    }
}

pub(crate) fn whole_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "backup")).collect();
    files.sort();
    files
}

pub(crate) fn head_in(output: &Output) -> String {
    let text = told(output);
    let line = text.lines().find_map(|line| line.strip_prefix("last anchor: "));
    line.unwrap_or_else(|| panic!("no last anchor in: {text}")).to_owned()
}

pub(crate) fn number_of(head: &str) -> u64 {
    head.split_once(':').unwrap().0.parse().unwrap()
}

pub(crate) fn number(file: &Path, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(file).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|cause| panic!("{sql}: {cause}"))
}

/// Every row of a table as text, without what a file alone comes by its records with.
pub(crate) fn rows(file: &Path, table: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(file).unwrap();
    let mut columns = db
        .prepare(
            "SELECT name FROM pragma_table_info(?1) WHERE name NOT IN ('record_version', 'record_place')",
        )
        .unwrap();
    let columns = columns.query_map([table], |row| row.get::<_, String>(0)).unwrap();
    let columns = columns.collect::<Result<Vec<_>, _>>().unwrap().join(", ");
    let whole = if table == "person" { "state IS NOT NULL" } else { "TRUE" };
    let mut statement = db.prepare(&format!("SELECT {columns} FROM {table} WHERE {whole}")).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<Result<Vec<_>, _>>()
    });
    let mut rows: Vec<String> = rows.unwrap().map(|row| row.unwrap().join(" ")).collect();
    rows.sort();
    rows
}
