//! Owns what an error of the server is told as: what it said, never with a row's values, and what to do about it.

use std::error::Error;
use std::time::Duration;

use crate::ledger::LedgerError;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::connection::meaning;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::postgres::no_connection::deepest;
use crate::ledger::sql::ANSWER_WAIT_MAX;

/// What a server with no connection to spare is told about.
pub(super) const FULL: &str = "a node holds lanes + readers + 8 connections: lower `lanes` or `readers`, or raise max_connections of the server";

#[derive(Debug, thiserror::Error)]
pub(in crate::ledger) enum Fault {
    /// Its cause is in the sentence.
    #[error("{}", of_server(.0))]
    Server(tokio_postgres::Error),
    #[error("the server has not answered within answer_within_ms")]
    Silent,
    #[error("the server has not answered for {} seconds", .0.as_secs())]
    SilentFor(Duration),
    #[error("every connection that looks up is busy, and none became free within answer_within_ms")]
    Crowded,
    #[error("the server has not confirmed the commit within {} ms{}; {}", .within.as_millis(), of_settings(.within), why_unconfirmed(*.standbys))]
    Unconfirmed {
        within: Duration,
        /// Commits wait for standbys.
        standbys: bool,
    },
    #[error(
        "the user {user} may not make tables in database {database}: let it own the database (ALTER DATABASE {database} OWNER TO {user}), or GRANT USAGE, CREATE ON SCHEMA public TO {user}"
    )]
    NoRights { user: String, database: String },
}

impl Fault {
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Fault::Server(cause) => meaning(cause),
            Fault::NoRights { .. } => Meaning::Refused,
            Fault::Silent | Fault::SilentFor(_) | Fault::Crowded | Fault::Unconfirmed { .. } => {
                Meaning::Broken
            }
        }
    }
}

/// Wraps what the server says.
pub(in crate::ledger) fn server(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> LedgerError {
    move |cause| fault(what)(Fault::Server(cause))
}

pub(in crate::ledger) fn fault(what: &'static str) -> impl FnOnce(Fault) -> LedgerError {
    move |cause| LedgerError::Storage { what, cause: Box::new(cause) }
}

/// Wraps that an answer did not come in time.
pub(super) fn late<E>(what: &'static str) -> impl FnOnce(E) -> LedgerError {
    move |_| fault(what)(Fault::Silent)
}

/// An error that a whole node meets again and again while its server is away.
pub(super) fn is_away(error: &LedgerError) -> bool {
    is_broken(error) || because_of::<NoServer>(error).is_some()
}

/// A connection broke, or an answer did not come.
pub(super) fn is_broken(error: &LedgerError) -> bool {
    because_of::<Fault>(error).is_some_and(|fault| fault.meaning() == Meaning::Broken)
}

/// The cause of that kind, however deep it lies.
pub(super) fn because_of<E: Error + 'static>(error: &LedgerError) -> Option<&E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn of_settings(limit: &Duration) -> &'static str {
    if *limit == ANSWER_WAIT_MAX { "" } else { " (answer_within_ms)" }
}

fn why_unconfirmed(standbys: bool) -> &'static str {
    if standbys {
        "most likely no standby that synchronous_standby_names asks for is there, so that commits wait for ever: look at pg_stat_replication and bring one back"
    } else {
        "it does not answer, or its disk does not: it waits for no standby"
    }
}

fn of_server(cause: &tokio_postgres::Error) -> String {
    let Some(told) = cause.as_db_error() else {
        return format!("the connection broke: {}", deepest(cause));
    };
    let code = told.code().code();
    let mut text = format!("{} (SQLSTATE {code})", told.message());
    for more in advice(code).into_iter().chain(told.hint()) {
        text = format!("{text}; {more}");
    }
    text
}

/// What an operator can do about it.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "25006" => "the server is a standby or read-only: name the primary in url, or promote this one",
        "3F000" | "42501" => {
            "the user of url must own the database and its tables, or be given the rights on them that docs/postgres.md lists"
        }
        "42P01" | "42P07" | "42703" => {
            "the tables are not those of `banyan migrate`: url must name the ledger's own database"
        }
        "53100" => "make room on the server's disk",
        "53300" => FULL,
        "55P03" => "somebody holds a lock on the ledger's tables: pg_locks and pg_stat_activity say who",
        "57014" => "a statement_timeout of the server or of this user must not cut the ledger's statements",
        _ => return None,
    })
}
