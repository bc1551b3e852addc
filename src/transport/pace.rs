//! Owns how far a connection's current request has come and until when it may stay there.
//!
//! One timer per connection watches all of it: entering a phase writes down a deadline and arms nothing. The timer
//! looks at the deadline when it fires and sleeps on if there is time left, so a fast request never touches it.

use crate::transport::Settings;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Opened, and nothing came yet.
    Fresh,
    /// Between two requests.
    Idle,
    /// Some of a head is there.
    Head,
    Body,
    Handling,
    /// The answer is on its way out.
    Answering,
}

impl Phase {
    fn from_code(code: u8) -> Phase {
        const ALL: [Phase; 6] =
            [Phase::Fresh, Phase::Idle, Phase::Head, Phase::Body, Phase::Handling, Phase::Answering];
        ALL[usize::from(code)]
    }

    /// No request is between the client and its answer.
    pub(crate) fn is_unasked(self) -> bool {
        matches!(self, Phase::Fresh | Phase::Idle | Phase::Head)
    }
}

/// Shared by the parts of one connection, all of them polled by its one task: nothing here is contended, the atomics
/// only let the task move between threads.
#[derive(Debug)]
pub(crate) struct Pace {
    limits: Limits,
    opened: Instant,
    phase: AtomicU8,
    /// Microseconds after `opened`.
    deadline_us: AtomicU64,
    /// When the current request's head was whole; microseconds after `opened`.
    asked_us: AtomicU64,
    overdue: AtomicBool,
    closing: AtomicBool,
    unread: AtomicBool,
}

/// Microseconds that each phase may take.
#[derive(Debug)]
struct Limits {
    header: u64,
    body: u64,
    request: u64,
    answer: u64,
    idle: u64,
}

impl Pace {
    pub(crate) fn new(settings: &Settings) -> Pace {
        let limits = Limits {
            header: micros(settings.header_timeout),
            body: micros(settings.body_timeout.min(settings.request_timeout)),
            request: micros(settings.request_timeout),
            answer: micros(settings.answer_timeout),
            idle: micros(settings.idle_timeout),
        };
        Pace {
            opened: Instant::now(),
            phase: AtomicU8::new(Phase::Fresh as u8),
            deadline_us: AtomicU64::new(limits.header),
            limits,
            asked_us: AtomicU64::new(0),
            overdue: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            unread: AtomicBool::new(false),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::from_code(self.phase.load(Relaxed))
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.opened + Duration::from_micros(self.deadline_us.load(Relaxed))
    }

    /// Something of a head came, if none was there before.
    pub(crate) fn bytes_came(&self) {
        if matches!(self.phase(), Phase::Fresh | Phase::Idle) {
            self.enter(Phase::Head, self.now() + self.limits.header);
        }
    }

    /// The head is whole; returns when.
    pub(crate) fn asked(&self) -> Instant {
        let now = self.now();
        self.asked_us.store(now, Relaxed);
        self.enter(Phase::Body, now + self.limits.body);
        self.opened + Duration::from_micros(now)
    }

    pub(crate) fn handling(&self) {
        self.enter(Phase::Handling, self.asked_us.load(Relaxed) + self.limits.request);
    }

    pub(crate) fn answering(&self) {
        self.overdue.store(false, Relaxed);
        self.enter(Phase::Answering, self.now() + self.limits.answer);
    }

    /// All that was written has been taken by the socket.
    pub(crate) fn flushed(&self) {
        if self.phase() == Phase::Answering {
            self.enter(Phase::Idle, self.now() + self.limits.idle);
        }
    }

    /// Tells the request's own future to give up; it gets `grace` to be polled once more.
    pub(crate) fn call_overdue(&self, grace: Duration) {
        self.overdue.store(true, Relaxed);
        self.deadline_us.store(self.now() + micros(grace), Relaxed);
    }

    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue.load(Relaxed)
    }

    /// The next answer must be the last of this connection.
    pub(crate) fn close_after_answer(&self) {
        self.closing.store(true, Relaxed);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Something of a request is left on the line that nobody will read.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    fn enter(&self, phase: Phase, deadline_us: u64) {
        self.phase.store(phase as u8, Relaxed);
        self.deadline_us.store(deadline_us, Relaxed);
    }

    fn now(&self) -> u64 {
        micros(self.opened.elapsed())
    }
}

/// No limit is longer than this, so sums of them cannot overflow.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.min(LONGEST).as_micros()).expect("a year of microseconds fits")
}
