//! Owns how the program is seen from outside: log lines on stderr and numbers for Prometheus.
//!
//! Redaction, everywhere and at every level: never a name, an identity number, a telephone number, an address of
//! residence, a diagnosis, a request or answer body, a credential, token or key. What identifies a deed is its message
//! key, its claim and the institution; who may look further does so in the ledger, where the look is recorded. A panic's
//! payload can quote what was being worked on, so only its place is logged.

pub mod cache;
pub mod health;
pub mod ledger;
pub mod metrics;

use std::io::IsTerminal as _;
use std::panic;
use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
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
    let lines = lines(settings.format, filter(settings)?, std::io::stderr);
    lines.try_init().map_err(|cause| TelemetryError::StartedTwice { cause })?;
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "a fault of ours stopped what was being done; report the place");
    }));
    Ok(())
}

/// Whether this is a level, or a filter.
pub fn check(level: &str) -> Result<(), TelemetryError> {
    let bad = |cause| TelemetryError::BadLevel { level: level.to_owned(), cause };
    EnvFilter::try_new(level).map(drop).map_err(bad)
}

fn lines<W>(format: Format, filter: EnvFilter, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_ansi(colours).with_writer(writer).with_env_filter(filter);
    match format {
        Format::Text => lines.finish().into(),
        // Without the list of enclosing spans: there is one span per request, and it is the current one.
        Format::Json => lines.json().flatten_event(true).with_span_list(false).finish().into(),
    }
}

fn filter(settings: &Settings) -> Result<EnvFilter, TelemetryError> {
    let level = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| settings.level.clone());
    EnvFilter::try_new(&level).map_err(|cause| TelemetryError::BadLevel { level, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn one_deed(format: Format) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = lines(format, EnvFilter::new("info"), move || writer.clone());
        tracing::dispatcher::with_default(&lines, || {
            let span = tracing::info_span!("request", msg.id = "H1-1", hospital.code = "H1", infno = "2304");
            let _inside = span.enter();
            tracing::debug!("below the level");
            tracing::info!(elapsed_ms = 4, outcome = "done", "settled");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_carries_the_fields_of_the_deed_and_of_its_request() {
        let text = one_deed(Format::Json);
        let line: serde_json::Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "settled");
        assert_eq!(line[field::ELAPSED], 4);
        assert_eq!(line[field::OUTCOME], "done");
        assert_eq!(line["span"][field::MESSAGE], "H1-1");
        assert_eq!(line["span"][field::HOSPITAL], "H1");
        assert_eq!(line["span"][field::TRANSACTION], "2304");
    }

    #[test]
    fn a_text_line_can_be_read_alone() {
        let text = one_deed(Format::Text);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("settled") && text.contains("INFO"), "{text}");
    }

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
