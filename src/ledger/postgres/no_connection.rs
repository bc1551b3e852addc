//! Owns why a server gives no connection: in words that name the server and say what to mend, never a password.

use std::error::Error;
use std::fmt::Display;
use std::fmt::Formatter;
use std::io;
use std::time::Duration;

use rustls::CertificateError;
use tokio_postgres::error::DbError;

use crate::ledger::postgres::fault::FULL;

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("its certificate is signed by no authority in ca_file")]
    OtherAuthority,
    #[error("its certificate is for another host name than the one in url")]
    OtherName,
    #[error("its certificate cannot be trusted: {0}")]
    Certificate(CertificateError),
    #[error("it does not take this user with this password: look at password_file")]
    WrongPassword,
    #[error("it wants a password: name the file with it in password_file")]
    NoPassword,
    /// Neither password nor database: an access rule, a role that is not there, no such database.
    #[error("it refuses: {0}")]
    Refused(String),
    #[error(
        "it takes no writes, it is a standby or read-only: name the primary in url too or promote this one; on a primary, default_transaction_read_only must be off"
    )]
    TakesNoWrites,
    #[error("it has no connection to spare: {0} (SQLSTATE 53300); {FULL}")]
    Full(String),
    #[error("it has not answered within {} ms", .0.as_millis())]
    Silent(Duration),
    #[error("{0}")]
    Network(String),
}

/// One server, and why it gives no connection.
#[derive(Debug)]
pub(super) struct NoConnection {
    place: String,
    why: Why,
}

/// Each server of the address, and why none of them gives a connection.
#[derive(Debug)]
pub(super) struct NoServer(pub(super) Vec<NoConnection>);

impl NoConnection {
    pub(super) fn silent(place: String, waited: Duration) -> NoConnection {
        NoConnection { place, why: Why::Silent(waited) }
    }

    pub(super) fn of(place: String, cause: &tokio_postgres::Error) -> NoConnection {
        let why = match (cause.as_db_error(), certificate_fault(cause)) {
            (Some(told), _) => refusal(told),
            (_, Some(fault)) => of_certificate(fault),
            _ => match deepest(cause) {
                text if text == "password missing" => Why::NoPassword,
                text if text == "database does not allow writes" => Why::TakesNoWrites,
                text => Why::Network(text),
            },
        };
        NoConnection { place, why }
    }

    /// Somebody has to mend something first.
    fn stays_so(&self) -> bool {
        // A standby is promoted, a connection becomes free.
        !matches!(self.why, Why::Silent(_) | Why::Network(_) | Why::TakesNoWrites | Why::Full(_))
    }
}

impl NoServer {
    /// A server is there, and would take us if it had room.
    pub(super) fn is_full(&self) -> bool {
        self.0.iter().any(|server| matches!(server.why, Why::Full(_)))
    }

    /// Whether the next try meets the same at every server.
    pub(super) fn stays_so(&self) -> bool {
        self.0.iter().all(NoConnection::stays_so)
    }
}

fn refusal(told: &DbError) -> Why {
    match told.code().code() {
        "28P01" => Why::WrongPassword,
        code if code.starts_with("28") || code == "3D000" => Why::Refused(told.message().to_owned()),
        "53300" => Why::Full(told.message().to_owned()),
        // Starting, stopping: the next try may find it otherwise.
        _ => Why::Network(told.message().to_owned()),
    }
}

fn of_certificate(fault: &CertificateError) -> Why {
    match fault {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Why::OtherAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Why::OtherName,
        other => Why::Certificate(other.clone()),
    }
}

fn certificate_fault(cause: &tokio_postgres::Error) -> Option<&CertificateError> {
    let cause = cause.source()?.downcast_ref::<io::Error>()?;
    match cause.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(fault) => Some(fault),
        _ => None,
    }
}

pub(super) fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(deeper) = deepest.source() {
        deepest = deeper;
    }
    deepest.to_string()
}

impl Display for NoConnection {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl Display for NoServer {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (at, server) in self.0.iter().enumerate() {
            write!(f, "{}{server}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Error for NoServer {}
