//! Owns which transaction is performed by which file.

use crate::domain::calendar::Instant;
use crate::protocol::answer;
use crate::protocol::envelope::ReferenceId;
use crate::protocol::error::ProtocolError;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::writer;
use crate::protocol::hospital::writer::AnswerHead;
use crate::service::Service;
use crate::telemetry::metrics::Outcome;

/// What every transaction needs beside its message.
#[derive(Clone, Debug)]
pub struct Context {
    pub reference: ReferenceId,
    pub received: Instant,
}

/// How a call ended, for metrics and logs.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub outcome: Outcome,
    /// Stable code of a refusal.
    pub code: Option<&'static str>,
}

/// Performs a message and writes the whole answer into the buffer.
pub(crate) async fn perform(
    service: &Service,
    context: &Context,
    message: &Message<'_>,
    buffer: &mut Vec<u8>,
) -> Done {
    let refusal =
        answer::protocol(&ProtocolError::UnknownTransaction { infno: message.envelope.infno.to_string() });
    let head = AnswerHead { reference: context.reference, responded: service.clock.now(), warning: None };
    writer::refusal(buffer, &head, &refusal);
    Done { outcome: Outcome::Refused, code: Some(refusal.code()) }
}
