//! A database behind a password, that the command line alone names: what is told names the options that were used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use banyan::sandbox::postgres::Server;

use crate::kept::Kept;
use crate::kept::head_in;
use crate::terminal::banyan;
use crate::terminal::code;
use crate::terminal::told;

fn password_file(kept: &Kept, name: &str, password: &str) -> String {
    let file = kept.path(name);
    fs::write(&file, password).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    kept.name(name)
}

#[test]
fn a_database_that_only_the_command_line_names_is_filled_and_verified_with_its_password() {
    let kept = Kept::new();
    let head = kept.backed_up();
    let mut server = Server::start().unwrap();
    server.query("postgres", "CREATE ROLE banyan LOGIN PASSWORD 'right'").unwrap();
    server.query("postgres", "CREATE DATABASE banyan OWNER banyan").unwrap();
    server.put("pg_hba.conf", "host all banyan 127.0.0.1/32 scram-sha-256\n").unwrap();
    server.restart().unwrap();
    let url = format!("postgres://banyan@127.0.0.1:{}/banyan", server.port());
    let (right, wrong) = (password_file(&kept, "right", "right\n"), password_file(&kept, "wrong", "wrong\n"));
    let (folder, config) = (kept.name("backup"), kept.left.config.clone());
    let restore = ["restore", &folder, "--config", &config, "--ledger", &url];
    let verify = ["verify", "--config", &config, "--ledger", &url];
    for command in [&restore[..], &verify[..]] {
        for files in [&[][..], &["--password-file", &wrong]] {
            let refused = banyan(&[command, files].concat());
            let text = told(&refused);
            assert!(code(&refused) != 0 && text.contains("--password-file"), "{command:?}: {text}");
            assert!(!text.contains("password_file"), "{command:?}: {text}");
        }
    }
    for command in [&restore[..], &verify[..]] {
        let done = banyan(&[command, &["--password-file", &right]].concat());
        assert_eq!((code(&done), head_in(&done)), (0, head.clone()), "{}", told(&done));
    }
}

#[test]
fn an_address_on_the_command_line_that_cannot_be_used_is_wrong_input() {
    let kept = Kept::new();
    kept.backed_up();
    let (folder, config, missing) = (kept.name("backup"), kept.left.config.clone(), kept.name("none"));
    let here = "postgres://banyan@127.0.0.1:1/banyan";
    for (options, words) in [
        (&["--ledger", "postgres://127.0.0.1/banyan"][..], "--ledger must name the user: postgres://USER@"),
        (&["--ledger", "postgres://banyan:secret@db1/banyan"], "name a file with it in --password-file"),
        (
            &["--ledger", "postgres://banyan@db1/banyan"],
            "db1:5432 is another machine: name the authority of its certificate in --ca-file",
        ),
        (&["--ledger", here, "--password-file", &missing], "cannot read"),
        (&["--ledger", here, "--ca-file", &missing], "cannot read"),
        (&["--password-file", &missing], "--ledger"),
    ] {
        for command in [&["restore", &folder, "--config", &config][..], &["verify", "--config", &config]] {
            let refused = banyan(&[command, options].concat());
            let text = told(&refused);
            assert_eq!(code(&refused), 2, "{command:?} {options:?}: {text}");
            assert!(text.contains(words) && !text.contains("secret"), "{command:?} {options:?}: {text}");
        }
    }
    let file = banyan(&["verify", "--config", &config, "--ledger", "other.db", "--ca-file", &missing]);
    assert!(code(&file) == 2 && told(&file).contains("--ledger names a file"), "{}", told(&file));
}
