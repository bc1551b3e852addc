//! Owns one connection from handshake to close: HTTP/1.1 by hyper, our clock and our last words around it.

use crate::transport::Answer;
use crate::transport::Event;
use crate::transport::Handler;
use crate::transport::Observer;
use crate::transport::Peer;
use crate::transport::Refusal;
use crate::transport::Request;
use crate::transport::Settings;
use crate::transport::body;
use crate::transport::body::Room;
use crate::transport::bulk::Bulk;
use crate::transport::drain::Stage;
use crate::transport::drain::Watch;
use crate::transport::pace::Pace;
use crate::transport::pace::Phase;
use crate::transport::stream::Stream;
use futures_util::FutureExt;
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::CONNECTION;
use hyper::header::EXPECT;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::io::IoSlice;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;
use tokio::time::sleep_until;
use tokio::time::timeout;

/// What a request that has run out of time gets to put its answer together.
const OVERDUE_GRACE: Duration = Duration::from_secs(1);

/// What is read at a time. More would be kept by each of thousands of connections from its first long body on.
pub(crate) const READ_BYTES_MAX: usize = 32 * 1024;

/// What every connection of a listener shares.
pub(crate) struct Shared<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) settings: Settings,
    pub(crate) observer: Observer,
    pub(crate) bulk: Bulk,
    pub(crate) room: Room,
}

impl<H> Shared<H> {
    pub(crate) fn tell(&self, event: Event) {
        (self.observer)(event);
    }
}

/// Speaks HTTP/1.1 until either side ends it.
pub(crate) async fn serve<H: Handler>(shared: Arc<Shared<H>>, stream: Stream, peer: Peer, mut watch: Watch) {
    let pace = Arc::new(Pace::new(&shared.settings));
    let guarded = Guarded { stream, pace: Arc::clone(&pace), untold: None };
    let context = Arc::new(Serving { shared: Arc::clone(&shared), pace: Arc::clone(&pace), peer });
    let service = service_fn(move |request| answer(Arc::clone(&context), request));
    let mut http = http_machine(&shared.settings).serve_connection(TokioIo::new(guarded), service);

    let mut alarm = Alarm::new(&pace);
    let ending = loop {
        match next_step(&mut http, &pace, &mut alarm, &mut watch).await {
            Step::Over => break Ending::Finished,
            Step::Stage(Stage::Cut) => break Ending::Dropped,
            Step::Stage(_) if pace.phase() == Phase::Head => pace.close_after_answer(),
            Step::Stage(_) => Pin::new(&mut http).graceful_shutdown(),
            Step::Alarm => {
                if let Some(ending) = out_of_time(&pace) {
                    break ending;
                }
                alarm.set(pace.deadline());
            }
        }
    };
    let guarded = http.into_parts().io.into_inner();
    close(&shared, guarded, ending, watch).await;
}

/// What woke a connection.
enum Step {
    Over,
    Alarm,
    Stage(Stage),
}

/// HTTP first, since most wake-ups are its own.
async fn next_step<C: Future + Unpin>(
    http: &mut C,
    pace: &Pace,
    alarm: &mut Alarm,
    watch: &mut Watch,
) -> Step {
    let mut stage = pin!(watch.changed());
    poll_fn(|context| {
        if Pin::new(&mut *http).poll(context).is_ready() {
            return Poll::Ready(Step::Over);
        }
        if alarm.poll_for(pace.deadline(), context).is_ready() {
            return Poll::Ready(Step::Alarm);
        }
        stage.as_mut().poll(context).map(Step::Stage)
    })
    .await
}

/// The one timer of a connection. It may ring before the deadline, never after.
struct Alarm {
    timer: Pin<Box<Sleep>>,
    armed: Instant,
}

impl Alarm {
    fn new(pace: &Pace) -> Alarm {
        let armed = pace.deadline();
        Alarm { timer: Box::pin(sleep_until(armed)), armed }
    }

    fn set(&mut self, deadline: Instant) {
        self.armed = deadline;
        self.timer.as_mut().reset(deadline);
    }

    /// Arming costs; a deadline that has only moved away is looked at when the old one rings.
    fn poll_for(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        if deadline < self.armed {
            self.set(deadline);
        }
        self.timer.as_mut().poll(context)
    }
}

/// How a connection ends.
enum Ending {
    /// HTTP has nothing left to do, or nobody asked for anything.
    Finished,
    /// Say this first: a request never came to be.
    Refused(Refusal),
    AnswerNotTaken,
    Dropped,
}

fn http_machine(settings: &Settings) -> http1::Builder {
    let mut machine = http1::Builder::new();
    machine
        .header_read_timeout(None) // `Pace` does this, with one timer per connection instead of one per request
        .max_header_size(settings.header_bytes_max)
        .max_buf_size(READ_BYTES_MAX.max(settings.header_bytes_max))
        // A client may close its sending side and still read our answer. It also spares a read per request that would
        // only look for such a close.
        .half_close(true);
    machine
}

/// `None` where there is time left, or where the request's own future will make the answer.
fn out_of_time(pace: &Pace) -> Option<Ending> {
    if Instant::now() < pace.deadline() {
        return None;
    }
    match pace.phase() {
        Phase::Fresh | Phase::Idle => Some(Ending::Finished),
        Phase::Head => Some(Ending::Refused(Refusal::HeaderTooSlow)),
        Phase::Body | Phase::Handling if pace.is_overdue() => Some(Ending::Dropped),
        Phase::Body | Phase::Handling => {
            pace.call_overdue(OVERDUE_GRACE);
            None
        }
        Phase::Answering => Some(Ending::AnswerNotTaken),
    }
}

async fn close<H>(shared: &Shared<H>, mut guarded: Guarded, ending: Ending, mut watch: Watch) {
    let words = match ending {
        Ending::Dropped => return,
        Ending::AnswerNotTaken => return shared.tell(Event::AnswerNotTaken),
        Ending::Refused(refusal) => Some(refusal),
        Ending::Finished => guarded.untold,
    };
    if let Some(refusal) = words {
        shared.tell(Event::Refused(refusal));
    }
    let goodbye =
        guarded.stream.goodbye(words, words.is_some() || guarded.pace.is_unread(), &shared.settings);
    let goodbye = timeout(shared.settings.linger_timeout, goodbye);
    // Whether the client hears us out is up to it; a cut ends the waiting.
    tokio::select! {
        _ = goodbye => {}
        () = cut(&mut watch) => {}
    }
}

async fn cut(watch: &mut Watch) {
    while watch.changed().await != Stage::Cut {}
}

/// What a request needs to know of its connection.
struct Serving<H> {
    shared: Arc<Shared<H>>,
    pace: Arc<Pace>,
    peer: Peer,
}

async fn answer<H: Handler>(
    serving: Arc<Serving<H>>,
    request: hyper::Request<Incoming>,
) -> Result<Answer, Infallible> {
    let received_at = serving.pace.asked();
    let mut answer = {
        let mut work = pin!(serving.work(request, received_at));
        poll_fn(|context| match serving.pace.is_overdue() {
            true => Poll::Ready(serving.overdue()),
            false => work.as_mut().poll(context),
        })
        .await
    };
    if serving.pace.is_closing() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    serving.pace.answering();
    Ok(answer)
}

impl<H: Handler> Serving<H> {
    async fn work(&self, request: hyper::Request<Incoming>, received_at: Instant) -> Answer {
        let (parts, body) = request.into_parts();
        if parts.method == Method::CONNECT {
            return self.refuse(Refusal::NoProxying);
        }
        let bytes_max = self.shared.settings.body_bytes_max;
        let asks_first = parts.headers.contains_key(EXPECT);
        if let Some(shed) = self.shared.handler.shed(&parts, received_at) {
            // Who asks first is spared his body.
            if asks_first {
                return self.leave_body(shed);
            }
            return match body::pass_over(body, bytes_max).await {
                Ok(()) => shed,
                Err(fault) => self.refuse_body(fault.into()),
            };
        }
        if asks_first && !self.shared.room.is_there_for(&body) {
            return self.leave_body(self.refuse_body(Refusal::NoRoomForBody));
        }
        let body = match body::read(body, bytes_max, &self.shared.room).await {
            Ok(body) => body,
            Err(fault) => return self.refuse_body(fault.into()),
        };
        if !body.is_empty() {
            self.shared.tell(Event::BodyRead { bytes: body.len() });
        }
        self.pace.handling();
        let mut request = Request { parts, body, peer: self.peer, received_at, place: None };
        match self.shared.handler.place(&request).await {
            Ok(place) => request.place = place,
            Err(shed) => return shed,
        }
        self.handle(request).await
    }

    async fn handle(&self, request: Request) -> Answer {
        // The payload of a panic may quote what was being worked on, so it is told to nobody.
        let handled = if request.body.len() >= self.shared.settings.bulk_bytes {
            let shared = Arc::clone(&self.shared);
            self.shared.bulk.work(async move { shared.handler.handle(request).await }).await.ok()
        } else {
            // Its future is large, and would lie in every connection several times, also in those that wait for a request.
            let handling = Box::pin(self.shared.handler.handle(request));
            AssertUnwindSafe(handling).catch_unwind().await.ok()
        };
        handled.unwrap_or_else(|| {
            self.shared.tell(Event::Refused(Refusal::Panicked));
            self.shared.handler.on_panic()
        })
    }

    /// With the body, or the rest of it, unread: what then comes behind the head nobody can tell, so the line is closed.
    fn leave_body(&self, answer: Answer) -> Answer {
        self.pace.leave_unread();
        self.pace.close_after_answer();
        answer
    }

    fn overdue(&self) -> Answer {
        if self.pace.phase() == Phase::Body {
            return self.refuse_body(Refusal::BodyTooSlow);
        }
        self.shared.tell(Event::Refused(Refusal::TimedOut));
        self.shared.handler.on_timeout()
    }

    fn refuse(&self, refusal: Refusal) -> Answer {
        self.pace.leave_unread();
        self.shared.tell(Event::Refused(refusal));
        refusal.answer()
    }

    /// In the format that the handler's party reads.
    fn refuse_body(&self, refusal: Refusal) -> Answer {
        self.shared.tell(Event::Refused(refusal));
        let answer = self.shared.handler.on_body_refused(refusal);
        if refusal.leaves_unread() { self.leave_body(answer) } else { answer }
    }
}

/// The stream as hyper sees it: bytes coming and answers leaving move [`Pace`] on, and the bare status that hyper
/// would write by itself for a malformed head is held back, so that we can say it with a text.
struct Guarded {
    stream: Stream,
    pace: Arc<Pace>,
    untold: Option<Refusal>,
}

impl Guarded {
    /// Hyper answers by itself only where no request was handed to us.
    fn hold_back(&mut self, bytes: &[u8]) -> bool {
        if !self.pace.phase().is_unasked() || bytes.is_empty() {
            return false;
        }
        let status = bytes.get(9..12); // after "HTTP/1.1 "
        self.untold.get_or_insert(match status {
            Some(b"431") => Refusal::HeaderTooLarge,
            Some(b"414") => Refusal::AddressTooLong,
            _ => Refusal::Malformed,
        });
        true
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.pace.bytes_came();
        }
        polled
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.hold_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = pieces.iter().find(|piece| !piece.is_empty());
        if first.is_some_and(|first| self.hold_back(first)) {
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        if polled.is_ready() {
            self.pace.flushed();
        }
        polled
    }

    /// Not hyper's to do: [`close`] may have something to say first.
    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
