//! Owns the reasons why a run does not count.

use std::error::Error;

/// Why there is no figure. Nothing of a failed run is published.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("could not {what}")]
    Machine {
        what: &'static str,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    #[error("{0}")]
    Said(String),
    /// What the caller named is not there, or is too much for this machine.
    #[error("{0}")]
    Arguments(String),
    /// The opponent's database is not on this machine.
    #[error("{0}")]
    NoPostgres(String),
    /// The ledger does not hold what the loader saw.
    #[error("the ledger differs from what the hospitals saw:\n  {}", .0.join("\n  "))]
    NotReconciled(Vec<String>),
}

/// Names what could not be done.
pub fn cannot<E>(what: &'static str) -> impl FnOnce(E) -> Failed
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    move |cause| Failed::Machine { what, cause: cause.into() }
}

/// The chain of causes as one line.
pub fn told(failed: &Failed) -> String {
    let mut line = failed.to_string();
    let mut cause = failed.source();
    while let Some(deeper) = cause {
        line = format!("{line}: {deeper}");
        cause = deeper.source();
    }
    line
}
