//! Owns how the program is seen from outside: log lines on stderr and numbers for Prometheus.
//!
//! Redaction, everywhere and at every level: never a name, an identity number, a telephone number, an address of
//! residence, a diagnosis, a request or answer body, a credential, token or key. What identifies a deed is its message
//! key, its claim and the institution; who may look further does so in the ledger, where the look is recorded. A panic's
//! payload can quote what was being worked on, so only its place is logged.

pub mod metrics;

use std::panic;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::util::TryInitError;

/// Names of the fields that occur in more than one place, so that one query finds them all. `tracing` takes field names
/// only as they are written, hence these are for readers of logs and for tests; write them the same way.
pub mod field {
    /// The caller's message id (发送方报文ID).
    pub const MESSAGE: &str = "msg.id";
    /// Which institution calls.
    pub const HOSPITAL: &str = "hospital.code";
    /// Whose money it is about.
    pub const REGION: &str = "region.code";
    /// Which transaction.
    pub const TRANSACTION: &str = "infno";
    /// From the head's arrival to the answer's being ready, milliseconds.
    pub const ELAPSED: &str = "elapsed_ms";
    /// See [`crate::telemetry::metrics::Outcome`].
    pub const OUTCOME: &str = "outcome";
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub format: Format,
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,banyan::ledger=debug`. The environment's `RUST_LOG`
    /// goes before it.
    pub level: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { format: Format::default(), level: "info".to_owned() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(
        "log level {level:?} is none; use error, warn, info, debug, or a filter such as info,banyan::ledger=debug"
    )]
    BadLevel {
        level: String,
        #[source]
        cause: ParseError,
    },
    #[error("telemetry was started twice in this process")]
    StartedTwice {
        #[source]
        cause: TryInitError,
    },
}

/// Log lines go to stderr from here on; stdout belongs to what a command was asked for.
pub fn start(settings: &Settings) -> Result<(), TelemetryError> {
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter(settings)?);
    let started = match settings.format {
        Format::Text => lines.finish().try_init(),
        Format::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|cause| TelemetryError::StartedTwice { cause })?;
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "a fault of ours stopped what was being done; report the place");
    }));
    Ok(())
}

fn filter(settings: &Settings) -> Result<EnvFilter, TelemetryError> {
    let level = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| settings.level.clone());
    EnvFilter::try_new(&level).map_err(|cause| TelemetryError::BadLevel { level, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_level_is_named() {
        let settings = Settings { level: "info,banyan=loud".to_owned(), ..Settings::default() };
        let error = filter(&settings).expect_err("no such level").to_string();
        assert!(error.contains("loud"), "{error}");
    }

    #[test]
    fn every_shipped_level_is_taken() {
        for level in ["error", "warn", "info", "debug", "info,banyan::ledger=debug"] {
            let settings = Settings { level: level.to_owned(), ..Settings::default() };
            assert!(filter(&settings).is_ok(), "{level}");
        }
    }
}
