//! Owns how a command names a database beside the settings: its address, its authority, its password.

use std::path::PathBuf;

use crate::command::told;
use crate::config::database_url;
use crate::ledger::place::Place;
use crate::ledger::postgres::Settings;
use crate::ledger::postgres::Target;

/// How to reach the database that `--ledger` names.
#[derive(Clone, Debug, clap::Args)]
pub struct DatabaseFiles {
    /// Authorities that sign the database's certificate (PEM); without this, those of the settings.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    pub ca_file: Option<PathBuf>,
    /// The password of the database, in the first line, mode 600; without this, that of the settings.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    pub password_file: Option<PathBuf>,
}

impl DatabaseFiles {
    /// Another ledger than the settings name, as the command line names it.
    ///
    /// # Errors
    /// What is wrong with the address or the options beside it.
    pub(super) fn place(&self, live: &Place, named: &str) -> Result<Place, String> {
        if database_url::is_one(named) {
            database_url::check(named).map_err(|what| as_options(&format!("url {what}")))?;
        }
        match live.instead(named) {
            Place::Database(settings) => {
                let settings = Settings {
                    ca_file: self.ca_file.clone().or(settings.ca_file),
                    password_file: self.password_file.clone().or(settings.password_file),
                    ..settings
                };
                Target::new(&settings).map_err(|fault| as_options(&told(&fault)))?;
                Ok(Place::Database(settings))
            }
            Place::File { .. } if self.ca_file.is_some() || self.password_file.is_some() => {
                Err("--ca-file and --password-file are for a database, and --ledger names a file".to_owned())
            }
            file @ Place::File { .. } => Ok(file),
        }
    }
}

/// What is told of a database, with the options in the place of the settings' keys.
pub(super) fn as_options(text: &str) -> String {
    let word = |word: &str| {
        let key = word.trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '.' | '(' | ')' | '\n'));
        let option = match key {
            "url" => "--ledger",
            "ca_file" => "--ca-file",
            "password_file" => "--password-file",
            _ => return word.to_owned(),
        };
        word.replace(key, option)
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_names_the_options_and_leaves_files_alone() {
        let told =
            "db1:5432: it wants a password: name the file with it in password_file; look at /etc/ca_file";
        let named =
            "db1:5432: it wants a password: name the file with it in --password-file; look at /etc/ca_file";
        assert_eq!(as_options(told), named);
    }
}
