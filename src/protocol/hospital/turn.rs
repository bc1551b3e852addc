//! Owns one call on its way from checked rows to the answer's bytes: what every transaction needs and none decides.

use crate::domain::ids::NotAnId;
use crate::domain::ids::StayId;
use crate::domain::record::MessageKey;
use crate::domain::record::Record;
use crate::domain::refusal;
use crate::protocol::answer;
use crate::protocol::answer::Retry;
use crate::protocol::envelope::ReferenceId;
use crate::protocol::error::Fault;
use crate::protocol::error::Faults;
use crate::protocol::error::ProtocolError;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::routes::Context;
use crate::protocol::hospital::routes::Done;
use crate::protocol::hospital::transaction::Transaction;
use crate::protocol::hospital::upload;
use crate::protocol::hospital::words;
use crate::protocol::hospital::writer;
use crate::protocol::hospital::writer::AnswerHead;
use crate::protocol::hospital::writer::Object;
use crate::service::Service;
use crate::service::call::Call;
use crate::service::call::Caller;
use crate::service::call::StayRef;
use crate::service::credential::Credential;
use crate::service::error::LedgerFault;
use crate::service::error::ServiceError;
use crate::telemetry::metrics::Outcome;

/// Version of the writers of answers: kept with each deed, so that a later version can still write an old answer.
pub(super) const WRITER: u16 = 1;

/// Why a transaction was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDone {
    #[error(transparent)]
    Message(#[from] ProtocolError),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<refusal::Refusal> for NotDone {
    fn from(cause: refusal::Refusal) -> Self {
        NotDone::Service(cause.into())
    }
}

/// One call.
pub(super) struct Turn<'c, 'm> {
    pub(super) service: &'c Service,
    pub(super) context: &'c Context,
    pub(super) message: &'c Message<'m>,
    buffer: &'c mut Vec<u8>,
    /// What reading had to say, for `warn_msg`.
    noted: String,
}

impl<'c, 'm> Turn<'c, 'm> {
    pub(super) fn new(
        service: &'c Service,
        context: &'c Context,
        message: &'c Message<'m>,
        buffer: &'c mut Vec<u8>,
    ) -> Self {
        let mut notes = words::notices(&message.notices);
        let signs = matches!(message.transaction, Transaction::SignIn | Transaction::SignOut);
        if let (false, Err(cause)) = (signs, context.sign_key.check(&message.envelope, context.received)) {
            notes.push(words::sign_in(cause).to_owned());
        }
        Self { service, context, message, buffer, noted: notes.join("；") }
    }

    /// Who asks, for a call that changes nothing.
    pub(super) fn caller(&self) -> Caller {
        let envelope = &self.message.envelope;
        Caller { institution: envelope.institution.clone(), insured_region: envelope.insured_region }
    }

    /// Who asks, for a call that may change something.
    pub(super) fn call(&self) -> Call {
        let envelope = &self.message.envelope;
        Call {
            key: MessageKey {
                institution: envelope.institution.clone(),
                transaction: self.message.transaction.key_number(),
                message: envelope.message.clone(),
            },
            insured_region: envelope.insured_region,
            content: self.message.content_hash().recorded(),
            reference: self.context.reference.to_string(),
            received_at: self.context.received,
            operator: envelope.operator.number.as_deref().unwrap_or_default().to_owned(),
            writer: WRITER,
            noted: self.noted.clone(),
            words: words::caution,
        }
    }

    /// Answers a call that changed nothing.
    pub(super) fn answer(&mut self, output: impl FnOnce(&mut Object<'_>)) -> Outcome {
        let warning = self.noted.clone();
        self.answer_warned(&warning, output)
    }

    /// The same with cautions of ours behind what reading had to say.
    pub(super) fn answer_with(
        &mut self,
        cautions: &[refusal::Caution],
        output: impl FnOnce(&mut Object<'_>),
    ) -> Outcome {
        let noted = Some(self.noted.clone()).filter(|noted| !noted.is_empty());
        let warnings: Vec<String> = noted.into_iter().chain(cautions.iter().map(words::caution)).collect();
        self.answer_warned(&warnings.join("；"), output)
    }

    /// Answers a call that changed nothing with a list in place of an object.
    pub(super) fn answer_list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        fill: impl FnMut(&mut Object<'_>, T),
    ) -> Outcome {
        let noted = self.noted.clone();
        writer::success_list(self.buffer, &self.head(&noted), items, fill);
        Outcome::Done
    }

    fn answer_warned(&mut self, warning: &str, output: impl FnOnce(&mut Object<'_>)) -> Outcome {
        let head = self.head(warning);
        writer::success(self.buffer, &head, output);
        Outcome::Done
    }

    fn head<'h>(&self, warning: &'h str) -> AnswerHead<'h> {
        let warning = Some(warning).filter(|warning| !warning.is_empty());
        AnswerHead { reference: self.context.reference, responded: self.service.clock.now(), warning }
    }

    /// Answers a deed from its record alone, so that a replay gets the same bytes.
    pub(super) fn answer_deed(
        &mut self,
        record: &Record,
        replayed: bool,
        output: impl FnOnce(&mut Object<'_>),
    ) -> Result<Outcome, NotDone> {
        let head = head_of(record).ok_or_else(|| broken("a record without its reference"))?;
        writer::success(self.buffer, &head, output);
        Ok(if replayed { Outcome::Replayed } else { Outcome::Done })
    }

    /// Writes the refusal and tells the log once.
    pub(super) fn refuse(&mut self, error: &NotDone) -> Done {
        let refusal = match error {
            NotDone::Message(error) => answer::protocol(error),
            NotDone::Service(error) => answer::service(error, &self.service.settings.hotline),
        };
        let head = self.head("");
        match line_faults(error) {
            Some(faults) if self.message.transaction == Transaction::UploadLines => {
                let rows = |output: &mut Object<'_>| upload::write_faults(output, self.message, faults);
                writer::refusal_with(self.buffer, &head, &refusal, rows);
            }
            _ => writer::refusal(self.buffer, &head, &refusal),
        }
        let outcome = outcome_of(error, &refusal);
        self.named().in_scope(|| tell(error, outcome, refusal.code()));
        Done { outcome, code: Some(refusal.code()) }
    }

    /// Which call a line of the log is about. Made when there is something to tell: most calls need none.
    fn named(&self) -> tracing::Span {
        let envelope = &self.message.envelope;
        tracing::info_span!(
            "call",
            msg.id = %envelope.message,
            infno = %envelope.infno,
            hospital.code = %envelope.institution,
        )
    }
}

/// What the first answer of a deed said around its output.
fn head_of(record: &Record) -> Option<AnswerHead<'_>> {
    let meta = &record.meta;
    Some(AnswerHead {
        reference: ReferenceId::read(&meta.reference, meta.received_at)?,
        responded: record.at,
        warning: Some(meta.warning.as_str()).filter(|warning| !warning.is_empty()),
    })
}

fn line_faults(error: &NotDone) -> Option<&[refusal::LineFault]> {
    let NotDone::Service(ServiceError::Refused(cause)) = error else { return None };
    match cause.as_ref() {
        refusal::Refusal::Lines(faults) => Some(faults),
        _ => None,
    }
}

fn outcome_of(error: &NotDone, refusal: &answer::Refusal) -> Outcome {
    if is_ours(error) {
        return Outcome::Failed;
    }
    match refusal.retry() {
        Retry::SameMessage { .. } => Outcome::Shed,
        Retry::Never | Retry::AfterCorrection => Outcome::Refused,
    }
}

/// Whether someone of ours must look.
fn is_ours(error: &NotDone) -> bool {
    let NotDone::Service(error) = error else { return false };
    match error {
        ServiceError::Ledger(_) => error.ledger_fault() != LedgerFault::NotTaken,
        ServiceError::Refused(cause) => matches!(**cause, refusal::Refusal::Broken { .. }),
        ServiceError::KeyReused { .. }
        | ServiceError::Undone { .. }
        | ServiceError::Fenced { .. }
        | ServiceError::Contended { .. } => false,
    }
}

/// The ledger has told it once for all calls, and tells how many there were when it is over.
fn is_told(error: &NotDone) -> bool {
    matches!(error, NotDone::Service(cause) if cause.is_known_outage())
}

fn tell(error: &NotDone, outcome: Outcome, code: &'static str) {
    match outcome {
        Outcome::Failed if is_told(error) => {
            tracing::debug!(
                refusal.code = code,
                error = chain(error),
                "could not do a call in an outage that was told"
            );
        }
        Outcome::Failed => tracing::error!(refusal.code = code, error = chain(error), "could not do a call"),
        Outcome::Shed => tracing::warn!(refusal.code = code, "put a call off"),
        Outcome::Done | Outcome::Replayed | Outcome::Refused => {
            tracing::info!(refusal.code = code, "refused a call");
        }
    }
}

/// An error and its causes, one after the other.
fn chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A record is not what its transaction makes: the ledger gave another one's.
pub(super) fn broken(what: &'static str) -> NotDone {
    refusal::Refusal::Broken { what: what.into() }.into()
}

/// An identifier that its table let pass and its own rules do not.
pub(super) fn identifier<T>(
    wire: &'static str,
    chinese: &'static str,
    text: &str,
    parse: fn(&str) -> Result<T, NotAnId>,
) -> Result<T, NotDone> {
    parse(text).map_err(|_| {
        let fault =
            Fault { path: format!("input.{wire}"), wire: wire.into(), chinese, trouble: Trouble::Blank };
        ProtocolError::Fields(Faults::one(fault)).into()
    })
}

/// `mdtrt_id` and `psn_no` as the service takes them.
pub(super) fn stay_ref(stay: &str, number: &str) -> Result<StayRef, NotDone> {
    let stay = identifier("mdtrt_id", "就诊ID", stay, StayId::parse)?;
    Ok(StayRef { stay, number: number.to_owned() })
}

/// `mdtrt_cert_type` and `mdtrt_cert_no`. Behind a bar stands encrypted card data, which names nobody.
pub(super) fn credential(kind: &str, number: &str) -> Credential {
    let number = number.split('|').next().unwrap_or_default();
    Credential { kind: kind.to_owned(), number: number.trim().to_owned() }
}

/// Text of an optional field, empty when it was not sent.
pub(super) fn told(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
