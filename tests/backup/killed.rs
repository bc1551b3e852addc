//! Backups and restores that are killed with -9.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::kept::Kept;
use crate::kept::head_in;
use crate::terminal::code;
use crate::terminal::told;

/// Kills it as soon as a file is there.
fn killed_at(mut child: Child, file: impl Fn() -> bool) {
    while !file() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn started(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_kill_leaves_no_half_file_that_could_be_taken_for_a_whole_one() {
    let kept = Kept::new();
    kept.import(&kept.left.config, 10_000..14_000);
    let unfinished = || {
        let names = fs::read_dir(kept.path("backup")).into_iter().flatten();
        names.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".unfinished"))
    };
    for _ in 0..3 {
        let backup = started(&["backup", "--config", &kept.left.config, "--to", &kept.name("backup")]);
        killed_at(backup, unfinished);
        assert_eq!(kept.files(), Vec::<PathBuf>::new());
    }
    let head = kept.backed_up();
    assert!(!unfinished(), "what was left is gone");
    for _ in 0..3 {
        let (folder, to) = (kept.name("backup"), kept.name("restored.db"));
        let restore = started(&["restore", &folder, "--config", &kept.left.config, "--to", &to]);
        killed_at(restore, || kept.path("restored.db.restoring").exists());
        assert!(!kept.path("restored.db").exists());
    }
    let restored = kept.restore("restored.db", &[]);
    assert_eq!((code(&restored), head_in(&restored)), (0, head), "{}", told(&restored));
    let names = fs::read_dir(kept.left.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("restoring")).collect();
    assert!(left.is_empty(), "{left:?}");
}
