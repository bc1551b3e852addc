//! Owns the way of a hospital's call from the socket's request to the answer's bytes.
//!
//! The order, and why:
//! 1. a place – whether there is room to work at all, before anything is spent on the call;
//! 2. the caller – certificate or signature, from headers alone;
//! 3. the message – read once, borrowed; then the envelope's institution must be the caller's;
//! 4. the institution's rate – only now is it known whose share the call counts against;
//! 5. the transaction.
//!
//! Whatever goes wrong from here on is told in the standard's envelope with HTTP 200: a HIS takes any other status for a
//! broken line.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::Response;
use hyper::StatusCode;
use hyper::header::CONTENT_ENCODING;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::http::request::Parts as Head;
use tokio::time::Instant as Stopwatch;

use crate::config::gateway::Switches;
use crate::domain::calendar::Instant;
use crate::domain::ids::RegionCode;
use crate::protocol::answer;
use crate::protocol::answer::Refusal;
use crate::protocol::envelope::ReferenceId;
use crate::protocol::error::ProtocolError;
use crate::protocol::hospital::body::check_form;
use crate::protocol::hospital::callers::Callers;
use crate::protocol::hospital::callers::Proven;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::receipt;
use crate::protocol::hospital::routes;
use crate::protocol::hospital::routes::Context;
use crate::protocol::hospital::routes::Done;
use crate::protocol::hospital::sign::SignKey;
use crate::protocol::hospital::signature::SignatureCheck;
use crate::protocol::hospital::signature::SignatureError;
use crate::protocol::hospital::transaction::Transaction;
use crate::protocol::hospital::writer;
use crate::protocol::hospital::writer::AnswerHead;
use crate::service::Service;
use crate::telemetry::metrics;
use crate::telemetry::metrics::InFlightMeter;
use crate::telemetry::metrics::Outcome;
use crate::telemetry::metrics::TransactionMeter;
use crate::transport;
use crate::transport::Answer;
use crate::transport::Handler;
use crate::transport::Request;
use crate::transport::limits::Limits;
use crate::transport::limits::Permit;
use crate::transport::limits::Shed;
use crate::transport::limits::Why;

const SHED_TOLD_EVERY_MS: i64 = 1_000;

/// The hospitals' face.
pub struct HospitalFace {
    service: Arc<Service>,
    /// Replaced whole when the register of callers is read anew.
    callers: ArcSwap<Callers>,
    switches: Switches,
    limits: Limits,
    signatures: SignatureCheck,
    sign_key: SignKey,
    /// First six digits of `inf_refmsgid`.
    region: RegionCode,
    body_bytes_max: usize,
    sequence: AtomicU64,
    /// When the log was last told that calls are shed.
    shed_told_ms: AtomicI64,
    meters: Meters,
    in_flight: InFlightMeter,
}

/// What the face is made of.
pub struct Parts {
    pub service: Arc<Service>,
    pub callers: Callers,
    pub switches: Switches,
    pub limits: Limits,
    pub signatures: SignatureCheck,
    /// Of `sign_no`, the same on every node.
    pub sign_key: SignKey,
    pub region: RegionCode,
    /// For the refusal of a longer body.
    pub body_bytes_max: usize,
}

/// One meter per transaction, one for what never became one.
struct Meters {
    known: Vec<(Transaction, TransactionMeter)>,
    unknown: TransactionMeter,
}

impl Meters {
    fn new() -> Meters {
        let meter = |transaction: Transaction| (transaction, TransactionMeter::new(transaction.number()));
        Meters { known: Transaction::ALL.map(meter).into(), unknown: TransactionMeter::new("none") }
    }

    fn of(&self, transaction: Option<Transaction>) -> &TransactionMeter {
        let known = self.known.iter().find(|(known, _)| Some(*known) == transaction);
        known.map_or(&self.unknown, |(_, meter)| meter)
    }
}

impl HospitalFace {
    pub fn new(parts: Parts) -> HospitalFace {
        HospitalFace {
            service: parts.service,
            callers: ArcSwap::from_pointee(parts.callers),
            switches: parts.switches,
            limits: parts.limits,
            signatures: parts.signatures,
            sign_key: parts.sign_key,
            region: parts.region,
            body_bytes_max: parts.body_bytes_max,
            sequence: AtomicU64::new(0),
            shed_told_ms: AtomicI64::new(0),
            meters: Meters::new(),
            in_flight: InFlightMeter::default(),
        }
    }

    /// Puts another register of callers in force; calls that have begun end under the one they began with.
    pub fn replace_callers(&self, callers: Callers) {
        self.callers.store(Arc::new(callers));
    }

    fn reference(&self, received: Instant) -> ReferenceId {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        ReferenceId { region: self.region, received, sequence }
    }

    /// Reads, performs, and leaves the whole answer in the buffer.
    async fn answer(
        &self,
        request: &Request,
        context: &Context,
        buffer: &mut Vec<u8>,
    ) -> (Option<Transaction>, Done) {
        match self.admit(request, context.received).await {
            Ok(message) => {
                let done = routes::perform(&self.service, context, &message, buffer).await;
                (Some(message.transaction), done)
            }
            Err(error) => {
                self.tell_refused(&error, context.received);
                (None, self.refuse(context.reference, &answer::protocol(&error), buffer))
            }
        }
    }

    /// In a storm a line for each refusal would cost more than the refusal: those for want of room are counted by
    /// metrics and told once a second.
    fn tell_refused(&self, error: &ProtocolError, now: Instant) {
        if !matches!(error, ProtocolError::RateLimited { .. } | ProtocolError::Overloaded { .. }) {
            tracing::info!(%error, "refused a call before its transaction");
            return;
        }
        self.tell_shed(&error, now);
    }

    fn tell_shed(&self, why: &dyn fmt::Display, now: Instant) {
        let last = self.shed_told_ms.load(Ordering::Relaxed);
        let due = (now.0 - last).abs() >= SHED_TOLD_EVERY_MS;
        let relaxed = Ordering::Relaxed;
        if due && self.shed_told_ms.compare_exchange(last, now.0, relaxed, relaxed).is_ok() {
            tracing::warn!(error = %why, "refuses calls for want of room");
        }
    }

    fn refuse(&self, reference: ReferenceId, refusal: &Refusal, buffer: &mut Vec<u8>) -> Done {
        let head = AnswerHead { reference, responded: self.service.clock.now(), warning: None };
        writer::refusal(buffer, &head, refusal);
        Done { outcome: outcome_of(refusal), code: Some(refusal.code()) }
    }

    async fn admit<'r>(&self, request: &'r Request, now: Instant) -> Result<Message<'r>, ProtocolError> {
        let proven = self.callers.load().prove(request, &self.signatures, now)?;
        let header =
            |name: &HeaderName| request.parts.headers.get(name).and_then(|value| value.to_str().ok());
        check_form(header(&CONTENT_TYPE), header(&CONTENT_ENCODING), &request.body)?;
        let message = Message::read(&request.body)?;
        self.check_institution(&proven, &message)?;
        self.limits.count_everywhere(message.envelope.institution.as_str()).await.map_err(shed)?;
        Ok(message)
    }

    async fn give_receipt(&self, request: &Request, id: &str, now: Instant) -> Answer {
        let proven = match self.callers.load().prove(request, &self.signatures, now) {
            Ok(proven) => proven,
            Err(error) => {
                return receipt::not_you(StatusCode::FORBIDDEN, answer::protocol(&error).text());
            }
        };
        let of_the_caller = proven.institutions().next().map_or("", |code| code.as_str());
        if let Err(shed) = self.limits.count_everywhere(of_the_caller).await {
            let busy = answer::protocol(&self::shed(shed));
            return receipt::not_you(StatusCode::TOO_MANY_REQUESTS, busy.text());
        }
        receipt::give(&self.service, &proven, id).await
    }

    fn check_institution(&self, proven: &Proven, message: &Message<'_>) -> Result<(), ProtocolError> {
        let institution = &message.envelope.institution;
        if !proven.speaks_for(institution) {
            return Err(ProtocolError::NotYourInstitution { claimed: institution.to_string() });
        }
        if self.switches.of(institution).signature_required && !proven.signed {
            return Err(SignatureError::HeaderMissing("x-tif-signature").into());
        }
        Ok(())
    }

    /// The answer for want of room.
    fn turn_away(&self, full: Shed, received_at: Stopwatch) -> Answer {
        let (error, received) = (shed(full), self.service.clock.now());
        self.tell_refused(&error, received);
        let mut buffer = Vec::new();
        let done = self.refuse(self.reference(received), &answer::protocol(&error), &mut buffer);
        self.count(None, done, received_at);
        json(buffer)
    }

    fn count(&self, transaction: Option<Transaction>, done: Done, received_at: Stopwatch) {
        if let Some(code) = done.code {
            metrics::refused(code);
        }
        self.meters.of(transaction).ended(done.outcome, received_at.elapsed());
    }

    /// An answer for a call that never reached its transaction, or that we lost under way.
    fn broken_off(&self, error: &ProtocolError) -> Answer {
        let mut buffer = Vec::new();
        let reference = self.reference(self.service.clock.now());
        self.refuse(reference, &answer::protocol(error), &mut buffer);
        json(buffer)
    }
}

impl Handler for HospitalFace {
    async fn handle(&self, request: Request) -> Answer {
        const USUAL_ANSWER_BYTES: usize = 4 * 1024;
        let _in_flight = self.in_flight.enter();
        let received = came_at(self.service.clock.now(), request.place.as_ref());
        if request.parts.method == Method::GET
            && let Some(id) = receipt::asked(request.parts.uri.path())
        {
            return self.give_receipt(&request, id, received).await;
        }
        if request.parts.method != Method::POST {
            return not_post();
        }
        let sign_key = self.sign_key.clone();
        let context = Context { reference: self.reference(received), received, sign_key };
        let mut buffer = Vec::with_capacity(USUAL_ANSWER_BYTES);
        let (transaction, done) = self.answer(&request, &context, &mut buffer).await;
        self.count(transaction, done, request.received_at);
        json(buffer)
    }

    fn shed(&self, head: &Head, received_at: Stopwatch) -> Option<Answer> {
        let full = self.limits.full().filter(|_| head.method == Method::POST)?;
        Some(self.turn_away(full, received_at))
    }

    async fn place(&self, request: &Request) -> Result<Option<Permit>, Answer> {
        if request.parts.method != Method::POST {
            return Ok(None);
        }
        let place = self.limits.place(request.body.len()).await;
        place.map(Some).map_err(|full| self.turn_away(full, request.received_at))
    }

    fn on_body_refused(&self, refusal: transport::Refusal) -> Answer {
        self.broken_off(&match refusal {
            transport::Refusal::BodyTooLarge => ProtocolError::BodyTooLarge { max: self.body_bytes_max },
            transport::Refusal::BodyTooSlow => ProtocolError::BodyTooSlow,
            transport::Refusal::NoRoomForBody => {
                let why = "the bodies under way take all of hospital.bodies_bytes_max";
                self.tell_shed(&why, self.service.clock.now());
                shed(self.limits.busy())
            }
            _ => ProtocolError::BodyBroken,
        })
    }

    fn on_panic(&self) -> Answer {
        self.broken_off(&ProtocolError::Broken)
    }

    fn on_timeout(&self) -> Answer {
        self.broken_off(&ProtocolError::TimedOut)
    }
}

/// When a call that is taken up now was there whole, before it waited for its place.
fn came_at(now: Instant, place: Option<&Permit>) -> Instant {
    let waited = place.map_or(0, |place| i64::try_from(place.waited().as_millis()).unwrap_or(0));
    Instant(now.0 - waited)
}

fn shed(shed: Shed) -> ProtocolError {
    metrics::shed(shed.why.name());
    let retry_after_ms = shed.retry_after_ms;
    match shed.why {
        Why::Rate => ProtocolError::RateLimited { retry_after_ms },
        Why::Busy => ProtocolError::Overloaded { retry_after_ms },
    }
}

fn outcome_of(refusal: &Refusal) -> Outcome {
    match refusal.retry() {
        answer::Retry::SameMessage { .. } => Outcome::Shed,
        answer::Retry::Never | answer::Retry::AfterCorrection => Outcome::Refused,
    }
}

fn json(body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    let json = HeaderValue::from_static("application/json;charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

fn not_post() -> Answer {
    let text = "此地址只接受POST，正文为交易报文（JSON）。\nThis address takes POST only, with a transaction message in JSON.\n";
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer.headers_mut().insert(hyper::header::ALLOW, HeaderValue::from_static("POST"));
    let plain = HeaderValue::from_static("text/plain;charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::limits::Settings;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_call_came_when_it_was_there_and_not_when_its_turn_came() {
        let limits = Limits::new(Settings { in_flight_max: 1, ..Settings::default() });
        let now = Instant(1_795_480_200_000);
        let first = limits.place(1).await.unwrap();
        assert_eq!(came_at(now, Some(&first)), now);
        let freed = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(limits.place(1), freed);
        assert_eq!(came_at(now, second.ok().as_ref()), Instant(now.0 - 700));
        assert_eq!(came_at(now, None), now, "who needs no place waits for none");
    }
}
